"""Networks in files: written whole or not at all, and nothing else is read as one."""
import io
import pickle
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest

import affinepieces as ap
from families import FAMILIES, network

HAT = ap.constructions.hat()


def written(save, *arrays):
    file = io.BytesIO()
    save(file, *arrays)
    return file.getvalue()


@pytest.mark.parametrize("family", FAMILIES)
def test_save_and_load(tmp_path, family):
    net = network(family, 0, np.float32)
    net.save(tmp_path / "net")
    assert ap.ReLUNetwork.load(tmp_path / "net") == net


@pytest.mark.parametrize(("name", "content"), [
    ("garbage", b"garbage" * 100),
    ("empty", b""),
    ("pickle", pickle.dumps({"weight_0": 1})),
    ("one array", written(np.save, np.ones(3))),
    ("objects", written(np.savez, np.array([object()]))),
])
def test_load_refuses_what_is_no_archive(tmp_path, name, content):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(ValueError, match=rf"{name} is damaged, or no .npz file .* written by ReLUNetwork.save"):
        ap.ReLUNetwork.load(tmp_path / name)


def test_load_refuses_a_damaged_file(tmp_path):
    path = tmp_path / "net.npz"
    HAT.save(path)
    whole = path.read_bytes()
    for cut in range(0, len(whole), 50):
        path.write_bytes(whole[:cut])
        with pytest.raises(ValueError, match=r"net.npz is damaged"):
            ap.ReLUNetwork.load(path)
    at = whole.index(np.float64(-0.5).tobytes())
    path.write_bytes(whole[:at] + b"x" + whole[at + 1:])
    with pytest.raises(ValueError, match=r"net.npz is damaged"):
        ap.ReLUNetwork.load(path)


@pytest.mark.parametrize(("arrays", "message"), [
    ({"a": np.zeros(2)}, r"x.npz holds \['a'\], not the layers of a network: give a file written by ReLUNetwork.save"),
    ({}, r"x.npz holds \[\], not the layers"),
    ({"weight_0": np.zeros(2), "bias_0": np.zeros(2)}, r"x.npz holds no network: weights\[0\] has shape \(2,\)"),
    ({"weight_0": np.array([["a"]]), "bias_0": np.zeros(1)}, r"x.npz holds no network: weights\[0\] has dtype <U1"),
])
def test_load_refuses_other_arrays(tmp_path, arrays, message):
    np.savez(tmp_path / "x.npz", **arrays)
    with pytest.raises(ValueError, match=message):
        ap.ReLUNetwork.load(tmp_path / "x.npz")


@pytest.mark.parametrize(("path", "error", "message"), [
    (3, TypeError, "path is 3, expected the name of a file"),
    ("no such file", FileNotFoundError, "no such file"),
    (".", OSError, "directory|file"),
])
def test_paths_that_hold_no_file(path, error, message):
    with pytest.raises(error, match=message):
        ap.ReLUNetwork.load(path)


def test_save_is_whole_or_not_at_all(tmp_path, monkeypatch):
    path, link = tmp_path / "net.npz", tmp_path / "link"
    HAT.save(path)
    link.symlink_to(path)
    ap.constructions.sawtooth(2).save(link)
    assert link.is_symlink()
    assert ap.ReLUNetwork.load(str(path)) == ap.constructions.sawtooth(2)

    def full(file, **_):
        file.write(b"half of it")
        raise OSError("no space left")

    monkeypatch.setattr(np, "savez", full)
    for target in (path, tmp_path / "new"):
        with pytest.raises(OSError, match="no space left"):
            HAT.save(target)
    assert ap.ReLUNetwork.load(path) == ap.constructions.sawtooth(2)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["link", "net.npz"]


@pytest.mark.parametrize(("path", "error", "message"), [
    (".", OSError, r"\. is no file, but something else"),
    ("/dev/null", OSError, "/dev/null is no file"),
    ("no such folder/net", FileNotFoundError, "no such folder/net cannot be written: there is no folder"),
    (None, TypeError, "path is None, expected the name of a file"),
])
def test_save_refuses_other_places(path, error, message):
    with pytest.raises(error, match=message):
        HAT.save(path)


def histories():
    rng = np.random.default_rng(0)
    net = ap.round_network(ap.constructions.he_random([1, 4, 3, 2], rng, bias_std=0.5), ap.E5M2)
    x, y = ap.round_to(rng.standard_normal((6, 1)), ap.E5M2), np.eye(2)[rng.integers(0, 2, 6)]
    small = ap.round_network(ap.constructions.he_random([1, 2], rng, bias_std=0.5), ap.E5M2)
    mixed = ap.Mixed(ap.Rounded(ap.Format("mine", 11, -14, 15), ap.Stochastic(3, bits=4), accumulator=ap.FLOAT32),
                     ap.Rounded(ap.FLOAT16, ap.Toward.UP), update=ap.Native("float32"))
    for options in ({}, {"machine": mixed, "optimiser": ap.AdamW(0.5, compensated=True), "batch": 4},
                    {"noise": ap.UniformNoise(0.25), "loss": ap.Loss.CROSS_ENTROPY, "learning_rate": [0.25] * 8},
                    {"machine": ap.Rounded(ap.FLOAT16, grain=ap.Grain.TENSOR), "scaling": ap.LossScaling(8.0, True)},
                    {"machine": ap.Native("float16"), "learning_rate": 512.0}, {"start": small}):
        yield ap.train(ap.Run(**({"start": net, "x": x, "y": y, "learning_rate": 2**-5, "steps": 8, "record": range(8),
                                  "seed": 3} | options)))


def test_histories_come_back(tmp_path):
    names = set()
    for history in histories():
        history.save(tmp_path / "h.npz")
        again = ap.History.load(tmp_path / "h.npz")
        assert again == history
        assert hash(again) == hash(history)
        assert again.run.digest() == history.run.digest()
        names.add(history.run.digest())
        if not again.complete and again.diverged_at is None:
            assert ap.train(again.rest()).complete
    assert len(names) == 6


def test_a_run_has_the_same_name_for_ever():
    run = ap.Run(HAT, [[0.25], [0.5]], [[1.0], [-0.0]], 0.125, 10, ap.Rounded(ap.BFLOAT16, ap.Stochastic(1)))
    assert run.digest() == "4738ded6c2b2db1c30652607179b95530ef253077fd1e2effd3471cc8fa64432"
    other = ap.Format("another name", 8, -126, 127)
    assert replace(run, machine=ap.Rounded(other, ap.Stochastic(1))).digest() == run.digest()
    assert replace(run, y=[[1.0], [0.0]]).digest() == run.digest()  # equal runs
    for change in ({"seed": 1}, {"x": [[0.25], [0.75]]}, {"noise": ap.Perturbed(0.0)}, {"batch": 2}, {"steps": 11}):
        assert replace(run, **change).digest() != run.digest()
    code = ("import affinepieces as ap; print(ap.Run(ap.constructions.hat(), [[0.25], [0.5]], [[1.0], [0.0]], 0.125,"
            " 10, ap.Rounded(ap.BFLOAT16, ap.Stochastic(1))).digest())")
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout.strip() == run.digest()


def test_load_refuses_what_is_no_history(tmp_path):
    path = tmp_path / "h.npz"
    next(histories()).save(path)
    with np.load(path) as archive:
        good = dict(archive)
    text = good["description"].tobytes().decode()
    for changed, message in (
            ({k: v for k, v in good.items() if k != "losses"}, "KeyError: 'losses'"),
            (good | {"steps": good["steps"][:-1]}, "has length"),
            (good | {"description": np.frombuffer(b"{", np.uint8)}, "JSONDecodeError"),
            (good | {"description": np.frombuffer(text.replace('"version": 1', '"version": 99').encode(), np.uint8)},
             "it has version 99, this package reads up to 1"),
            (good | {"description": np.frombuffer(text.replace('"kind": "Run"', '"kind": "Popen"').encode(), np.uint8)},
             "KeyError: 'Popen'")):
        np.savez(path, **changed)
        with pytest.raises(ValueError, match=rf"h.npz holds no history .*{message}"):
            ap.History.load(path)
    HAT.save(path)
    with pytest.raises(ValueError, match="holds no history"):
        ap.History.load(path)
    path.write_bytes(b"garbage")
    with pytest.raises(ValueError, match=r"damaged, or no .npz file .* written by History.save"):
        ap.History.load(path)
