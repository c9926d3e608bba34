"""What is no model, or another function than a piecewise affine one, is refused by name and with a remedy."""
import re

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper

import affinepieces as ap
from affinepieces.importers.onnx.file import LIMIT
from affinepieces.importers.onnx.graph import ALWAYS, KNOWN, OPERATORS
from affinepieces.importers.onnx.model import from_onnx
from onnx_models import mlp, model_of, single, weights

ROW, IMAGE = (2, 3), (1, 2, 4, 4)


def refused(path, model, match, kind=ValueError, **keywords):
    onnx.save(model, path)
    with pytest.raises(kind, match=match) as caught:
        from_onnx(path, **keywords)
    assert kind is not ValueError or str(path) in str(caught.value)
    return str(caught.value)


def others():
    """Every standard operator that is not supported."""
    names = {schema.name for schema in onnx.defs.get_all_schemas() if schema.domain == ""}
    return sorted(names - {*OPERATORS, *KNOWN, *ALWAYS})


def test_every_other_standard_operator_is_refused_by_name(tmp_path):
    assert len(others()) > 100
    for op in others():
        model = model_of([helper.make_node(op, ["x"], ["y"], name="odd")], ROW)
        refused(tmp_path / "m.onnx", model, rf"not supported: {op} \(node 'odd'\).*until=.*Supported are Abs, Add,")


def test_all_of_them_are_named_at_once(tmp_path):
    nodes = [helper.make_node("Tanh", ["x"], ["a"], name="first"), helper.make_node("Relu", ["a"], ["b"]),
             helper.make_node("Fancy", ["b"], ["c"], domain="mine"),
             helper.make_node("Sigmoid", ["c"], ["y"], name="end")]
    refused(tmp_path / "m.onnx", model_of(nodes, ROW),
            r"Tanh \(node 'first'\), mine\.Fancy \(node that makes 'c'\), Sigmoid \(node 'end'\); .* until='c'")


def test_an_operator_that_nobody_reads_does_not_matter(tmp_path):
    model = model_of([helper.make_node("Tanh", ["x"], ["a"]), helper.make_node("Relu", ["x"], ["y"])], ROW)
    onnx.save(model, tmp_path / "m.onnx")
    assert from_onnx(tmp_path / "m.onnx").widths == (6, 6, 6)


def test_random_numbers_and_branches_are_no_constants(tmp_path):
    nodes = [helper.make_node("RandomNormal", [], ["r"], shape=[3]), helper.make_node("Add", ["x", "r"], ["y"])]
    refused(tmp_path / "m.onnx", model_of(nodes, ROW), "RandomNormal")
    branch = helper.make_graph([helper.make_node("Identity", ["x"], ["z"])], "branch", [],
                               [helper.make_tensor_value_info("z", TensorProto.FLOAT, None)])
    node = helper.make_node("If", ["c"], ["y"], then_branch=branch, else_branch=branch)
    refused(tmp_path / "m.onnx", model_of([node], ROW, {"c": np.array(True)}), r"If \(node")


POOL = {"kernel_shape": [2, 2]}
FOUR = [weights(2), weights(2), weights(2), weights(2) ** 2]


@pytest.mark.parametrize(("model", "match"), [
    (model_of([helper.make_node("Mul", ["x", "x"], ["y"])], ROW), r"Mul.*two tensors that both depend.*until"),
    (model_of([helper.make_node("MatMul", ["x", "x"], ["y"])], (3, 3)), r"MatMul.*two tensors that both depend"),
    (model_of([helper.make_node("Gemm", ["x", "x"], ["y"])], (3, 3)), r"Gemm.*two tensors that both depend"),
    (model_of([helper.make_node("Div", ["c", "x"], ["y"])], ROW, {"c": weights(3)}), r"Div.*its divisor depends"),
    (model_of([helper.make_node("Conv", ["x", "x"], ["y"])], (1, 1, 3, 3)), r"Conv.*its weight depends"),
    (model_of([helper.make_node("Clip", ["x", "x"], ["y"])], ()), r"Clip.*its min depends"),
    (single("Div", ROW, [np.float32(0)]), r"node 'the_Div' \(Div\): its divisor.*away from 0"),
    (single("Add", ROW, [np.array([1, np.nan, 2], np.float32)]), r"Add.*nan.*did the training diverge"),
    (single("Mul", ROW, [np.array(0x7F800001, np.uint32).view(np.float32)]), r"Mul.*nan.*did the training diverge"),
    (single("Clip", ROW, [np.float32(np.inf)]), r"Clip.*its min is inf"),
    (single("Cast", ROW, to=TensorProto.FLOAT16), r"casts float32 to float16, which rounds"),
    (single("Cast", ROW, to=TensorProto.INT64), r"casts float32 to a format that is no float"),
    (single("BatchNormalization", IMAGE, FOUR, training_mode=1), r"training_mode=1.*eval mode"),
    (single("BatchNormalization", IMAGE, FOUR, 7, spatial=0), r"spatial=0"),
    (single("BatchNormalization", IMAGE, [*FOUR[:3], -FOUR[3]]), r"variance plus epsilon"),
    (single("Dropout", ROW, [np.float32(0.5), np.array(True)]), r"training_mode true.*eval mode"),
    (single("MaxPool", IMAGE, kernel_shape=[2, 2], pads=[2, 2, 2, 2]), r"sees padding alone"),
    (single("MaxPool", IMAGE, kernel_shape=[2]), r"kernel has shape \(2,\)"),
    (single("MaxPool", IMAGE, kernel_shape=[7, 7]), r"larger than the padded input"),
    (single("MaxPool", IMAGE, strides=[0, 1], **POOL), r"strides are \[0, 1\]"),
    (single("MaxPool", IMAGE, pads=[-1, 0, 0, 0], **POOL), r"pads are"),
    (single("MaxPool", IMAGE, pads=[2**40, 0, 0, 0], **POOL), r"windows see"),
    (single("MaxPool", IMAGE, auto_pad="ODD", **POOL), r"auto_pad is 'ODD'"),
    (single("MaxPool", ROW, **POOL), r"input has shape \(2, 3\)"),
    (single("Conv", IMAGE, [weights(2, 3, 2, 2)]), r"its weight \(2, 3, 2, 2\)"),
    (single("Conv", (1, 1, 2**11, 2**11), [weights(40, 1, 1, 1)]), r"it has 167772160 coefficients.*smaller inputs"),
    (single("Conv", IMAGE, [weights(2, 2, 2, 2)], kernel_shape=[3, 3]), r"kernel_shape is \(3, 3\)"),
    (single("MatMul", ROW, [weights(4, 4)]), r"multiplies shapes \(2, 3\) and \(4, 4\)"),
    (single("Split", ROW, outputs=("y", "z"), axis=1, opset=7, split=[1, 1]), r"splits 3 entries"),
    (single("Flatten", ROW, axis=5), r"axis is 5"),
    (single("Reshape", ROW, [np.array([7], np.int64)]), r"Reshape.*cannot reshape"),
    (single("Expand", ROW, [np.array([2**40, 2, 3], np.int64)]), r"expands to shape"),
    (single("Pad", ROW, [np.array([0, 0, 0, -1], np.int64)]), r"cut with Slice"),
    (single("Pad", ROW, [np.array([0, 0, 0, 2**40], np.int64)]), r"in the result"),
    (single("Pad", ROW, mode="odd", pads=[0] * 4, opset=7), r"its mode 'odd'"),
    (single("ReduceSum", ROW, [np.array([1, -1], np.int64)]), r"its axes are \[1, -1\]"),
    (single("Relu", ROW, wrong=3), r"wrong"),
], ids=lambda value: None if isinstance(value, str) else value.graph.node[0].op_type)
def test_refused_by_name(tmp_path, model, match):
    refused(tmp_path / "m.onnx", model, match)


def test_indices_of_pooling_and_masks_of_dropout(tmp_path):
    for op, shape, attributes in (("MaxPool", IMAGE, POOL), ("Dropout", ROW, {})):
        model = single(op, shape, outputs=("y", "second"), **attributes)
        model.graph.node.append(helper.make_node("Cast", ["second"], ["z"], to=TensorProto.FLOAT))
        refused(tmp_path / "m.onnx", model, rf"{op}.*output .* is used", until="z")


@pytest.mark.parametrize(("op", "constants"), [
    ("ConstantOfShape", [np.array([2**20, 2**20], np.int64)]), ("Expand", [weights(1), np.array([2**40], np.int64)]),
    ("Tile", [weights(4), np.array([2**38], np.int64)]), ("Range", [np.float32(0), np.float32(2**40), np.float32(1)])])
def test_constants_that_grow_are_no_way_to_fill_the_memory(tmp_path, op, constants):
    named = {f"c{k}": value for k, value in enumerate(constants)}
    nodes = [helper.make_node(op, list(named), ["c"]), helper.make_node("Add", ["x", "c"], ["y"])]
    refused(tmp_path / "m.onnx", model_of(nodes, ROW, named), rf"{op}\): it makes a tensor of 1\.09951e\+12 numbers")


@pytest.mark.parametrize(("shape", "keywords", "match"), [
    ([1, "n"], {}, r"input 'x' has shape \(1, \?\).*input_shape="), (None, {}, r"shape unknown.*input_shape="),
    (["n"], {}, r"has shape \(\?\).*input_shape="),
    ([1, 3], {"input_shape": (1, 4)}, r"input_shape is \(1, 4\).*\(1, 3\)"),
    ([2**20, 2**20], {}, "numbers at most")])
def test_shapes_that_are_not_known(tmp_path, shape, keywords, match):
    refused(tmp_path / "m.onnx", single("Relu", shape), match, **keywords)


def test_several_inputs_and_outputs(tmp_path):
    two = model_of([helper.make_node("Add", ["x", "z"], ["y"])], ROW, inputs=("x", "z"))
    refused(tmp_path / "m.onnx", two, r"2 inputs, \['x', 'z'\].*initializers")
    nodes = [helper.make_node("Relu", ["x"], ["y"]), helper.make_node("Neg", ["x"], ["z"], name="minus")]
    both = model_of(nodes, ROW, outputs=("y", "z"))
    refused(tmp_path / "m.onnx", both, r"2 outputs, \['y', 'z'\].*until=")
    refused(tmp_path / "m.onnx", both, r"until='odd' is no tensor and no node.*'minus', 'y', 'z'", until="odd")
    refused(tmp_path / "m.onnx", both, "until is 3, expected the name", TypeError, until=3)
    assert from_onnx(tmp_path / "m.onnx", until="minus").widths == (6, 6)
    with pytest.raises(ValueError, match=r"input_shape\[1\] is 0, expected an integer >= 1"):
        from_onnx(tmp_path / "m.onnx", input_shape=(1, 0))


def test_integers_and_opsets_and_sparse_tensors(tmp_path):
    refused(tmp_path / "m.onnx", model_of([helper.make_node("Relu", ["x"], ["y"])], ROW, kind=TensorProto.INT64),
            "'x' has type INT64, expected one of float16")
    for opset in (6, 22, 99):
        refused(tmp_path / "m.onnx", mlp(opset), rf"opset {opset}, expected one of 7 to 21: .*version_converter")
    model = mlp()
    model.graph.sparse_initializer.add().values.CopyFrom(helper.make_tensor("s", TensorProto.FLOAT, [1], [1.0]))
    refused(tmp_path / "m.onnx", model, "'s' is a sparse initializer")


@pytest.mark.parametrize(("content", "match"), [
    (b"", "is empty"), (b"\x08", "damaged or of another kind"), (b"PK\x03\x04 a zip", "damaged or of another kind"),
    (b"graph { node { } }", "another kind|no graph"), (bytes(200), "another kind")])
def test_no_model(tmp_path, content, match):
    path = tmp_path / "m.onnx"
    path.write_bytes(content)
    with pytest.raises(ValueError, match=rf"{re.escape(str(path))}: .*(?:{match}).*expected an ONNX model.*again"):
        from_onnx(path)


def test_files_that_are_not_there_or_too_large(tmp_path):
    with pytest.raises(FileNotFoundError):
        from_onnx(tmp_path / "none.onnx")
    with pytest.raises(IsADirectoryError):
        from_onnx(tmp_path)
    with pytest.raises(TypeError, match="path is 3"):
        from_onnx(3)
    with open(tmp_path / "m.onnx", "wb") as file:
        file.truncate(LIMIT + 1)  # a file with a hole, which takes no space
    with pytest.raises(ValueError, match=r"m\.onnx.* protobuf reads 2147483647 at most.*save_as_external_data"):
        from_onnx(tmp_path / "m.onnx")


@pytest.mark.parametrize("location", ["../secret.bin", "missing.bin"])
def test_external_data_outside_or_missing(tmp_path, location):
    (tmp_path / "inner").mkdir()
    (tmp_path / "secret.bin").write_bytes(bytes(1000))
    path = tmp_path / "inner" / "m.onnx"
    onnx.save(mlp(), path, save_as_external_data=True, size_threshold=0, location="weights.bin")
    path.write_bytes(path.read_bytes().replace(b"weights.bin", location.encode()[:11].ljust(11, b"_")))
    model = onnx.load(path, load_external_data=False)
    for tensor in model.graph.initializer:
        tensor.external_data[0].value = location
    path.write_bytes(model.SerializeToString())
    with pytest.raises((ValueError, OSError), match=r"bin"):
        from_onnx(path)


def read_or_refused(path, content):
    """Whether the damaged file is still a model; anything but a chain and a ValueError that names the file fails."""
    path.write_bytes(content)
    try:
        return isinstance(from_onnx(path), ap.Chain)
    except ValueError as error:
        if str(path) not in str(error):
            raise
        return False


def test_truncated_and_damaged_files(tmp_path):
    nodes = [helper.make_node("Conv", ["x", "k"], ["c"], pads=[1, 1, 1, 1]), helper.make_node("Relu", ["c"], ["r"]),
             helper.make_node("MaxPool", ["r"], ["p"], kernel_shape=[2, 2]), helper.make_node("Flatten", ["p"], ["y"])]
    rng, path = np.random.default_rng(5), tmp_path / "m.onnx"
    read = 0
    for model in (mlp(), model_of(nodes, (1, 1, 3, 3), {"k": weights(2, 1, 3, 3)})):
        whole = model.SerializeToString()
        for length in np.linspace(0, len(whole) - 1, 50).astype(int):
            read_or_refused(path, whole[:length])
        for _ in range(150):
            content = bytearray(whole)
            for at in rng.integers(0, len(whole), rng.integers(1, 4)):
                content[at] = rng.integers(0, 256)
            read += read_or_refused(path, bytes(content))
    for _ in range(50):
        read_or_refused(path, rng.bytes(int(rng.integers(1, 300))))
    assert 30 < read < 300
