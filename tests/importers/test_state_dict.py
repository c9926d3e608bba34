"""State dicts become the network that their Linear layers make with ReLU between; anything else is refused."""
import io
import itertools
import pickle
import re
import sys
import zipfile
from collections import OrderedDict

import ml_dtypes
import numpy as np
import pytest
import torch
from safetensors.numpy import save_file
from safetensors.torch import save_file as save_tensors
from torch import nn

import affinepieces as ap
from affinepieces.importers.state_dict import from_state_dict


def mlp(*widths, bias=True, dtype=torch.float32):
    torch.manual_seed(3)
    layers = [part for m, n in itertools.pairwise(widths) for part in (nn.Linear(m, n, bias), nn.ReLU())]
    return nn.Sequential(*layers[:-1]).to(dtype)


def same(net, module):
    expected = ap.ReLUNetwork.from_torch(module)
    return net.dtype == expected.dtype and all(
        np.array_equal(a, b) for a, b in zip((*net.weights, *net.biases), (*expected.weights, *expected.biases),
                                             strict=True))


def policy(path, state, name="policy.pth"):
    """An archive as Stable-Baselines3 writes it."""
    content = io.BytesIO()
    torch.save(state, content)
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("data", "{}")
        archive.writestr(name, content.getvalue())
    return path


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32, torch.float64])
@pytest.mark.parametrize("bias", [True, False])
def test_every_source(tmp_path, dtype, bias):
    module = mlp(2, 5, 4, 3, bias=bias, dtype=dtype)
    state = module.state_dict()
    torch.save(state, tmp_path / "a.pt")
    torch.save(state, tmp_path / "a.pth", _use_new_zipfile_serialization=False)
    save_tensors(state, tmp_path / "a.safetensors")
    policy(tmp_path / "a.zip", state)
    for source in (state, dict(module.named_parameters()), tmp_path / "a.pt", str(tmp_path / "a.pth"),
                   tmp_path / "a.safetensors", tmp_path / "a.zip"):
        assert same(from_state_dict(source), module)


def test_arrays_of_numpy(tmp_path):
    module = mlp(2, 3, 1)
    arrays = {name: tensor.numpy() for name, tensor in module.state_dict().items()}
    save_file(arrays, tmp_path / "a.safetensors")
    for source in (arrays, tmp_path / "a.safetensors"):
        assert same(from_state_dict(source), module)
    halves = {name: array.astype(ml_dtypes.bfloat16) for name, array in arrays.items()}
    assert same(from_state_dict(halves), module.to(torch.bfloat16))


def test_names_are_ordered_as_people_count():
    module = mlp(*[2] * 9)
    state = module.state_dict()
    assert sorted(state) != list(state), "14 comes before 2 in the alphabet"
    assert same(from_state_dict({name: state[name] for name in sorted(state)}), module)


def test_layers_by_name():
    state = {"actor.0.weight": [[1.0], [2.0]], "actor.0.bias": [0.5, 1.0], "head.weight": [[1.0, -1.0]],
             "critic.weight": [[7.0]], "log_std": [0.0], "conv.weight": np.zeros((1, 1, 2, 2))}
    net = from_state_dict(state, ["actor.0", "head"])
    assert net([[1.0]]).tolist() == [[1.5 - 3]]
    with pytest.raises(ValueError, match=r"holds 'log_std', 'conv.weight' besides linear layers.*from_torch.*layers="
                                         r"\[\.\.\.\], among 'actor.0', 'critic', 'head'"):
        from_state_dict(state)
    with pytest.raises(ValueError, match=r"no layer 'actor.1', expected one of 'actor.0', 'conv', 'critic', 'head'"):
        from_state_dict(state, ["actor.1"])
    with pytest.raises(ValueError, match=r"conv.weight .* shape \(1, 1, 2, 2\), expected a matrix.*from_torch"):
        from_state_dict(state, ["conv"])
    with pytest.raises(ValueError, match=r"head.weight .* shape \(1, 2\), but critic before it has 1 outputs"):
        from_state_dict(state, ["critic", "head"])
    with pytest.raises(TypeError, match=r"layers is 'head', expected a sequence"):
        from_state_dict(state, "head")


def test_batch_norm_is_refused_by_name():
    with pytest.raises(ValueError, match=r"'1.weight', '1.bias', '1.running_mean'.*besides linear layers.*from_torch"):
        from_state_dict(nn.Sequential(nn.Linear(2, 3), nn.BatchNorm1d(3), nn.Linear(3, 1)).state_dict())


@pytest.mark.parametrize(("state", "match"), [
    ({}, "has no layers.*it holds nothing"), ({"a": [1.0]}, "'a' besides linear layers"),
    ({"a.weight": [[1.0]], "a.bias": [1.0, 2.0]}, r"a.bias .* shape \(2,\), expected \(1,\)"),
    ({"a.weight": [[np.nan]]}, "is nan: every parameter must be finite"),
    ({"model": {"a.weight": [[1.0]]}, "epoch": 3}, r"'model', mappings themselves.*\['model'\]")])
def test_states_that_are_none(state, match):
    with pytest.raises(ValueError, match=match):
        from_state_dict(state)


def refused(path, match):
    with pytest.raises(ValueError, match=rf"{re.escape(str(path))}.*{match}"):
        from_state_dict(path)


class Touch:
    """What a pickle may do when it is loaded."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return open, (str(self.path), "w")


@pytest.mark.parametrize("ending", [".pt", ".pth", ".zip"])
def test_code_in_files_is_not_run(tmp_path, ending):
    mark, path = tmp_path / "mark", tmp_path / f"a{ending}"
    state = OrderedDict(mlp(2, 3, 1).state_dict(), evil=Touch(mark))
    if ending == ".zip":
        policy(path, state)
    else:
        torch.save(state, path)
    refused(path, "would run code: save the parameters alone")
    path.write_bytes(pickle.dumps(state) if ending != ".zip" else b"PK\x03\x04")
    refused(path, "is damaged, or")
    assert not mark.exists()


def test_whole_modules_and_other_objects(tmp_path):
    torch.save(mlp(2, 1), tmp_path / "module.pt")
    refused(tmp_path / "module.pt", r"torch\.save\(module\.state_dict\(\), path\)")
    torch.save([1, 2], tmp_path / "list.pt")
    refused(tmp_path / "list.pt", r"holds \[1, 2\], expected a state dict")
    torch.save({"a.weight": torch.ones(1, 1, dtype=torch.complex64)}, tmp_path / "complex.pt")
    refused(tmp_path / "complex.pt", "holds no layers of floats: a.weight has dtype complex64")
    save_tensors({"a.weight": torch.ones(1, 1).to(torch.float8_e4m3fn)}, tmp_path / "a.safetensors")
    refused(tmp_path / "a.safetensors", "format F8_E4M3, expected one of BF16")


def test_files_of_another_kind(tmp_path):
    for ending, match in ((".pt", "is damaged"), (".pth", "is damaged"), (".zip", "policy.pth in it"),
                          (".safetensors", "no safetensors file"), (".h5", r"ends in '\.h5', expected \.safetensors")):
        path = tmp_path / f"a{ending}"
        for content in (b"", b"something else", bytes(100)):
            path.write_bytes(content)
            refused(path, match)
        path.unlink()
        with pytest.raises(FileNotFoundError):
            from_state_dict(path)
    policy(tmp_path / "b.zip", {}, "other.pth")
    refused(tmp_path / "b.zip", "expected a .zip with policy.pth in it")
    with pytest.raises(TypeError, match="source is 3"):
        from_state_dict(3)


@pytest.mark.parametrize("ending", [".pt", ".pth", ".zip", ".safetensors"])
def test_truncated_and_damaged_files(tmp_path, ending):
    rng, path, state = np.random.default_rng(8), tmp_path / f"a{ending}", mlp(2, 3, 1).state_dict()
    if ending == ".zip":
        policy(path, state)
    elif ending == ".safetensors":
        save_tensors(state, path)
    else:
        torch.save(state, path, _use_new_zipfile_serialization=ending == ".pt")
    whole = path.read_bytes()
    cases = [whole[:n] for n in np.linspace(0, len(whole) - 1, 50).astype(int)]
    for _ in range(100):
        content = bytearray(whole)
        content[rng.integers(0, len(whole))] = rng.integers(0, 256)
        cases.append(bytes(content))
    for content in cases:
        path.write_bytes(content)
        try:
            assert from_state_dict(path).widths[0] > 0
        except ValueError as error:
            if str(path) not in str(error):
                raise


@pytest.mark.parametrize(("missing", "ending"), [("safetensors", ".safetensors"), ("torch", ".pt"), ("torch", ".zip")])
def test_a_missing_package_is_named(tmp_path, monkeypatch, missing, ending):
    path = policy(tmp_path / f"a{ending}", {})
    monkeypatch.setitem(sys.modules, missing, None)
    with pytest.raises(ImportError, match=rf"this needs {missing}.*affinepieces\[{missing}\]"):
        from_state_dict(path)
