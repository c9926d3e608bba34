"""The commands about models in files: what they print, as text and as JSON, and their exit status."""
import json
import os
import re
import signal
import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
import onnx
import pytest
import torch
from onnx import helper

import affinepieces as ap
from affinepieces import command
from affinepieces.__main__ import main
from affinepieces.sparse import SparseMatrix
from onnx_models import mlp, model_of, single, weights

HAT = ap.constructions.hat()
A, B = np.array([[-2.0, 1.5]], np.float32), np.array([[3.0, -0.5]], np.float32)
SOFT = helper.make_node("Softmax", ["logits"], ["p"], name="soft")
LINE = ["1,1,1,1,", "1,1,", "0,", "-9.0,", "9.0,", "1.0,0.0,", "2.0,1.0,", "2.0,", "0.5,"]


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    """Small models and points in the folder where the commands run."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("AFFINEPIECES_QUIET", "1")  # also where kernels are compiled first
    onnx.save(mlp(), "mlp.onnx")
    onnx.save(mlp(last=[SOFT]), "soft.onnx")
    HAT.save("hat.npz")
    torch.save({"net.0.weight": torch.ones(2, 1), "net.0.bias": torch.tensor([0.0, -0.5]),
                "net.2.weight": torch.tensor([[2.0, -4.0]])}, "hat.pt")
    (tmp_path / "line.nnet").write_text("\n".join(LINE))
    np.save("a.npy", A)
    np.save("b.npy", B)
    return tmp_path


SEGMENT = ["--from", "a.npy", "--to", "b.npy"]


def told(capsys, *arguments):
    """What a command that succeeds prints."""
    assert main(arguments) == 0
    return capsys.readouterr().out


def data(capsys, *arguments):
    return json.loads(told(capsys, *arguments, "--json"))


def refused(capsys, *arguments, status=2):
    """The one line on stderr of a command that fails."""
    try:
        found = main(arguments)
    except SystemExit as stopped:  # of argparse
        found = stopped.code
    assert found == status
    line, = capsys.readouterr().err.splitlines()
    assert line.startswith("affinepieces: ")
    assert "Traceback" not in line
    return line


def expected(until=None):
    chain = ap.from_onnx("mlp.onnx", until=until)
    return chain, ap.Segment.between(A.ravel(), B.ravel())


def test_count(capsys):
    chain, segment = expected()
    pieces, regions = ap.count_pieces(chain, segment), ap.count_regions(chain, segment)
    assert regions > 2
    assert told(capsys, "count", "mlp.onnx", *SEGMENT).startswith(f"{pieces} pieces, {regions} regions (")
    found = data(capsys, "count", "mlp.onnx", *SEGMENT)
    assert found.pop("seconds") >= 0
    assert found == {"model": "mlp.onnx", "segment": {"from": "a.npy", "to": "b.npy"}, "regions": regions,
                     "pieces": pieces, "version": ap.__version__}


def test_ends_as_numbers_and_at_random(capsys):
    by_file = data(capsys, "count", "mlp.onnx", *SEGMENT)
    by_hand = data(capsys, "count", "mlp.onnx", "--from", "-2,1.5", "--to", "3,-.5")
    assert [by_hand[key] for key in ("regions", "pieces")] == [by_file[key] for key in ("regions", "pieces")]
    assert data(capsys, "count", "mlp.onnx", "--from=-2,1.5", "--to=3,-.5")["regions"] == by_file["regions"]
    chain, _ = expected()
    x, y = np.random.default_rng(3).uniform(size=(2, 2))
    found = data(capsys, "count", "mlp.onnx", "--random", "3")
    assert found["segment"] == {"random": 3}
    assert found["regions"] == ap.count_regions(chain, ap.Segment.between(x, y))


def test_regions(capsys):
    chain, segment = expected()
    function, active = ap.trace(chain, segment), ap.activation_patterns(chain, segment).sum(axis=1)
    rows = [line.split() for line in told(capsys, "regions", "mlp.onnx", *SEGMENT).splitlines()]
    assert [float(row[0]) for row in rows] == function.breakpoints[:-1].tolist()
    assert [float(row[1]) for row in rows] == function.breakpoints[1:].tolist()
    assert [int(row[2]) for row in rows] == active.tolist()
    found = data(capsys, "regions", "mlp.onnx", *SEGMENT)
    assert [[row["from"], row["to"], row["active"]] for row in found["list"]] == [
        [float(a), float(b), int(n)] for a, b, n in rows]
    assert (found["regions"], found["pieces"]) == (len(rows), function.pieces)


def test_comparisons_are_no_neurons(capsys):
    onnx.save(single("MaxPool", [1, 1, 4], kernel_shape=[4]), "pool.onnx")
    ends = ["--from", "0,1,2,3", "--to", "3,2,2,-1"]
    assert all(row["active"] == 0 for row in data(capsys, "regions", "pool.onnx", *ends)["list"])
    found = data(capsys, "info", "pool.onnx")
    assert (found["neurons"], found["input_shape"]) == (0, [1, 1, 4])
    assert found["comparisons"] == 3


def test_trace(capsys, folder):
    chain, segment = expected()
    function = ap.trace(chain, segment)
    found = data(capsys, "trace", "mlp.onnx", *SEGMENT)
    assert found["breakpoints"] == function.breakpoints.tolist()
    assert found["radius"] == function.radius.tolist()
    assert found["kinks"] == function.kinks.tolist()
    for name in ("f.png", "f.svg"):
        assert name in told(capsys, "trace", "mlp.onnx", *SEGMENT, "--plot", name, "--output", "2")
        assert (folder / name).stat().st_size > 1000


@pytest.mark.parametrize("large", [False, True])
def test_one_output(capsys, large):
    rows = 3000 if large else 2  # as a sparse matrix, and as a dense one
    last = np.zeros((rows, 4), np.float32)
    last[:2] = weights(2, 4)
    onnx.save(model_of([helper.make_node("Gemm", ["x", "w"], ["z"], transB=1), helper.make_node("Relu", ["z"], ["a"]),
                        helper.make_node("Gemm", ["a", "v"], ["y"], transB=1)], [1, 2],
                       {"w": weights(4, 2), "v": last}), "two.onnx")
    chain = ap.from_onnx("two.onnx")
    segment = expected()[1]
    assert isinstance(chain.weights[-1], SparseMatrix) == large
    v = chain.weights[-1].dense() if large else chain.weights[-1]
    alone = ap.Chain([*chain.weights[:-1], v[1:2]], [*chain.biases[:-1], chain.biases[-1][1:2]], chain.kinds)
    found = data(capsys, "count", "two.onnx", *SEGMENT, "--output", "2")
    assert found["pieces"] == ap.count_pieces(alone, segment)
    if large:
        assert data(capsys, "count", "two.onnx", *SEGMENT, "--output", "3000")["pieces"] == 1
    assert f"--output is {rows + 1}, expected an integer from 1 to {rows}" in refused(
        capsys, "count", "two.onnx", *SEGMENT, "--output", str(rows + 1))


def test_info(capsys):
    found = data(capsys, "info", "mlp.onnx")
    assert {key: found[key] for key in ("kind", "supported", "input_shape", "inputs", "outputs", "neurons",
                                        "comparisons", "carried", "sparse_entries")} == {
        "kind": "ONNX model", "supported": True, "input_shape": [1, 2], "inputs": 2, "outputs": 2, "neurons": 7,
        "comparisons": 0, "carried": 0, "sparse_entries": 0}
    assert [layer["width"] for layer in found["layers"]] == [4, 3, 2]
    assert found["entries"] == sum(layer["entries"] for layer in found["layers"]) == 8 + 12 + 6
    text = told(capsys, "info", "mlp.onnx")
    assert "2 inputs, of shape (1, 2), 2 outputs" in text
    assert "layer 2: 4 -> 3: 3 neurons; 12 entries; node 'relu1'" in text
    assert "in all: 3 layers, 7 neurons" in text


def test_info_of_a_model_with_carried_rows_and_sparse_matrices(capsys):
    onnx.save(model_of([helper.make_node("Conv", ["x", "w"], ["z"], name="conv", pads=[1, 1, 1, 1]),
                        helper.make_node("LeakyRelu", ["z"], ["y"], name="leaky")], [1, 1, 12, 12],
                       {"w": weights(2, 1, 3, 3)}), "conv.onnx")
    found = data(capsys, "info", "conv.onnx")
    assert found["neurons"] == 288
    assert found["carried"] > 0
    assert 0 < found["sparse_entries"] <= found["entries"]
    assert "carried" in told(capsys, "info", "conv.onnx")


def test_what_is_not_supported_is_listed(capsys):
    assert main(["info", "soft.onnx"]) == 1
    out, err = capsys.readouterr()
    assert out.splitlines() == ["ONNX model", "not supported: Softmax (node 'soft')"]
    assert len(err.splitlines()) == 1
    assert main(["info", "soft.onnx", "--json"]) == 1
    found = json.loads(capsys.readouterr().out)
    assert (found["supported"], found["unsupported"]) == (False, ["Softmax (node 'soft')"])
    assert "until='logits'" in refused(capsys, "count", "soft.onnx", *SEGMENT, status=1)
    assert data(capsys, "count", "soft.onnx", *SEGMENT, "--until", "logits")["pieces"] == data(
        capsys, "count", "mlp.onnx", *SEGMENT)["pieces"]


@pytest.mark.parametrize("model", [single("Relu", [1, 2], opset=6), single("Mul", [1, 2]), single("Selu", [1, 2]),
                                   model_of([helper.make_node("Mul", ["x", "x"], ["y"])], [1, 2])],
                         ids=["opset", "damaged", "operator", "product"])
def test_status_of_models_that_are_not_supported_or_damaged(capsys, model):
    onnx.save(model, "other.onnx")
    damaged = len(model.graph.node[0].input) == 1 and model.graph.node[0].op_type == "Mul"
    assert refused(capsys, "count", "other.onnx", *SEGMENT, status=2 if damaged else 1)


def test_shape_of_the_input(capsys):
    onnx.save(model_of([helper.make_node("Relu", ["x"], ["y"])], ["batch", 2, "n"]), "open.onnx")
    assert "input_shape=" in refused(capsys, "info", "open.onnx")
    for shape in ("2,3", "1,2,3"):
        assert data(capsys, "info", "open.onnx", "--input-shape", shape)["input_shape"] == [1, 2, 3]
    assert "(?, 2, ?)" in refused(capsys, "info", "open.onnx", "--input-shape", "3,3")
    assert "'2,x', expected integers" in refused(capsys, "info", "open.onnx", "--input-shape", "2,x")


@pytest.mark.parametrize("name", ["hat.npz", "hat.pt", "hat.zip", "hat.safetensors"])
def test_networks_and_state_dicts(capsys, name):
    from safetensors.torch import save_file

    save_file(torch.load("hat.pt"), "hat.safetensors")
    with zipfile.ZipFile("hat.zip", "w") as archive:
        archive.write("hat.pt", "policy.pth")
    found = data(capsys, "count", name, "--from", "0", "--to", "1")
    assert (found["pieces"], found["regions"]) == (2, 2)
    info = data(capsys, "info", name)
    assert (info["inputs"], info["outputs"], info["neurons"], info["entries"]) == (1, 1, 2, 4)


def test_layers_of_a_state_dict(capsys):
    state = torch.load("hat.pt")
    torch.save(state | {"critic.bias": torch.ones(1)}, "more.pt")
    assert "'critic.bias'" in refused(capsys, "count", "more.pt", "--random", "0", status=1)
    assert "no layer 'net.1'" in refused(capsys, "count", "more.pt", "--random", "0", "--layers", "net.0,net.1")
    assert data(capsys, "count", "more.pt", "--from", "0", "--to", "1", "--layers", "net.0,net.2")["pieces"] == 2
    torch.save(state | {"conv.weight": torch.ones(1, 1, 3, 3)}, "conv.pt")
    assert "from_torch" in refused(capsys, "info", "conv.pt", status=1)


def test_normalisation_of_a_nnet_file(capsys):
    assert data(capsys, "count", "line.nnet", "--from", "0", "--to", "1")["pieces"] == 1
    with_it, without = data(capsys, "info", "line.nnet"), data(capsys, "info", "line.nnet", "--no-normalise")
    assert (with_it["carried"] > 0, without["carried"]) == (True, 0)


@pytest.mark.parametrize(("arguments", "message"), [
    (["count", "none.onnx", *SEGMENT], "none.onnx cannot be opened: No such file"),
    (["count", "mlp.txt", *SEGMENT], "MODEL is mlp.txt, expected a file that ends in .onnx, .nnet"),
    (["count", "mlp.onnx"], "given nowhere, expected --from POINT --to POINT, or --random SEED"),
    (["count", "mlp.onnx", *SEGMENT, "--random", "0"], "given twice"),
    (["count", "mlp.onnx", "--from", "a.npy"], "--to is missing"),
    (["count", "mlp.onnx", "--to", "a.npy"], "--from is missing"),
    (["count", "mlp.onnx", "--from", "a.npy", "--to", "c.npy"], "c.npy cannot be opened"),
    (["count", "mlp.onnx", "--from", "a.npy", "--to", "a.npy"], "the same point"),
    (["count", "mlp.onnx", "--from", "1,2,3", "--to", "a.npy"], r"--from has 3 numbers.*expected 2"),
    (["count", "mlp.onnx", "--from", "1,x", "--to", "a.npy"], "--from is '1,x', expected the name of a .npy file"),
    (["count", "mlp.onnx", "--from", "1,nan", "--to", "a.npy"], "nan: every entry must be finite"),
    (["count", "mlp.onnx", "--random", "-1"], "--random is -1, expected an integer >= 0"),
    (["count", "mlp.onnx", "--random", "x"], "invalid int value: 'x'"),
    (["count", "mlp.onnx", *SEGMENT, "--layers", "a"], "--layers is given.*expected .* .safetensors"),
    (["count", "hat.npz", *SEGMENT, "--until", "a"], "--until is given and MODEL is hat.npz.* .onnx"),
    (["count", "mlp.onnx", *SEGMENT, "--no-normalise"], "--no-normalise is given.* .nnet"),
    (["count", "mlp.onnx", *SEGMENT, "--until", "here"], "until='here' is no tensor"),
    (["trace", "mlp.onnx", *SEGMENT, "--plot", "f.onnx"], r"--plot is f.onnx, expected .*\.png"),
    (["trace", "mlp.onnx", *SEGMENT, "--plot", "none/f.png"], "there is no folder none: make it first"),
    (["count"], "the following arguments are required: MODEL; affinepieces count --help tells more"),
    (["counts", "mlp.onnx"], "invalid choice: 'counts'")])
def test_arguments_that_are_wrong(capsys, arguments, message):
    assert re.search(message, refused(capsys, *arguments))


def saved(name, value, pickled=False):
    np.save(name, value, allow_pickle=pickled)


@pytest.mark.parametrize(("make", "message"), [
    (lambda: saved("bad.npy", np.array([{}, 1], object), True), "--to is bad.npy, which is damaged, or no .npy file"),
    (lambda: saved("bad.npy", np.ones(2, complex)), r"--to, bad.npy, has dtype complex128"),
    (lambda: saved("bad.npy", np.ones(3)), r"--to has 3 numbers, in shape \(3,\), expected 2"),
    (lambda: saved("bad.npy", np.array(["a", "b"])), "--to, bad.npy, has dtype <U1"),
    (lambda: os.replace("hat.npz", "bad.npy"), "which is damaged, or no .npy file"),
    (lambda: Path("bad.npy").write_bytes(b""), "which is damaged, or no .npy file"),
    (lambda: Path("bad.npy").write_bytes(b"\x80\x04cos\nsystem\n(S'touch pwned'\ntR."), "no .npy file")],
    ids=["objects", "complex", "shape", "strings", "archive", "empty", "pickle"])
def test_points_that_are_wrong(capsys, folder, make, message):
    make()
    assert re.search(message, refused(capsys, "count", "mlp.onnx", "--from", "a.npy", "--to", "bad.npy"))
    assert not (folder / "pwned").exists()


@pytest.mark.parametrize("name", ["bad.onnx", "bad.nnet", "bad.npz", "bad.pt", "bad.zip", "bad.safetensors"])
@pytest.mark.parametrize("call", ["count", "info"])
def test_files_that_are_damaged(capsys, folder, name, call):
    (folder / name).write_bytes(b"\x00garbage" * 9)
    assert name in refused(capsys, call, name, *(SEGMENT if call == "count" else []))
    (folder / name).unlink()
    (folder / name).mkdir()
    assert name in refused(capsys, call, name, *(SEGMENT if call == "count" else []))


def test_the_extra_that_draws_is_named_before_the_work(capsys, monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    monkeypatch.setattr(command, "_problem", lambda given: pytest.fail("work was begun"))
    line = refused(capsys, "trace", "mlp.onnx", *SEGMENT, "--plot", "f.png")
    assert "pip install 'affinepieces[book]'" in line


def test_an_interrupt(capsys, monkeypatch):
    def interrupted(*_):
        os.kill(os.getpid(), signal.SIGINT)
        return original(*_)

    original = ap.count_many
    monkeypatch.setattr(ap, "count_many", interrupted)
    assert main(["count", "mlp.onnx", *SEGMENT]) == 130
    assert capsys.readouterr().err == "affinepieces: interrupted\n"


@pytest.mark.parametrize("error", [MemoryError(), MemoryError("too\nmany"), FloatingPointError("flushed")])
def test_other_errors_are_one_line(capsys, monkeypatch, error):
    def fails(*_):
        raise error

    monkeypatch.setattr(ap, "count_many", fails)
    assert refused(capsys, "count", "mlp.onnx", *SEGMENT) == \
        f"affinepieces: {str(error).replace(chr(10), ' ') or 'MemoryError'}"


def run(*arguments):
    return subprocess.run([sys.executable, "-W", "error", "-m", "affinepieces", *arguments], capture_output=True,
                          text=True)


def test_as_a_process(capsys):
    done = run("count", "hat.npz", "--from", "0", "--to", "1", "--json")
    assert (done.returncode, "Traceback" in done.stderr) == (0, False)
    assert json.loads(done.stdout)["pieces"] == 2


def test_a_reader_that_has_enough_ends_it_without_an_error():
    ap.constructions.sawtooth(14).save("many.npz")
    with subprocess.Popen([sys.executable, "-m", "affinepieces", "regions", "many.npz", "--from", "0", "--to", "1"],
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout.readline()
        process.stdout.close()
        assert not re.search(b"Error|Exception", process.stderr.read())
    assert process.returncode == 0


def test_every_command_says_what_it_does(capsys):
    for name in ("count", "regions", "trace", "info"):
        with pytest.raises(SystemExit) as stopped:
            main([name, "--help"])
        assert stopped.value.code == 0
        out = capsys.readouterr().out
        assert all(ending in out for ending in (".onnx", ".nnet", ".npz", ".safetensors"))
