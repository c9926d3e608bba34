"""What `from_onnx` reads is the model's own function."""
import itertools

import numpy as np
import onnx
import pytest
import torch
from onnx import TensorProto, helper, numpy_helper
from onnx.reference import ReferenceEvaluator

import affinepieces as ap
from affinepieces.importers.onnx.graph import OPERATORS
from affinepieces.importers.onnx.model import from_onnx
from onnx_models import mlp, model_of, single, weights

IMAGE, WIDE, ROW = (1, 2, 5, 4), (1, 4, 7), (2, 3)


def ints(*values):
    return np.array(values, np.int64)


def assert_same(path, model, shape, until=None, tolerance=1e-5, dtype=np.float32, **keywords):
    onnx.save(model, path)
    chain = from_onnx(path, until=until, **keywords)
    assert chain.widths[0] == np.prod(shape)
    reference = ReferenceEvaluator(model)
    for x in np.random.default_rng(3).standard_normal((5, *shape)).astype(dtype):
        expected = np.asarray(reference.run([until] if until else None, {"x": x})[0]).astype(np.float64).ravel()
        found = chain(x.astype(np.float64).reshape(1, -1))[0]
        assert found.shape == expected.shape
        assert np.allclose(found, expected, rtol=tolerance, atol=tolerance)
    return chain


CASES = {
    "Gemm": [(ROW, [weights(3, 4), weights(4)], {}, (7, 13, 21)),
             (ROW, [weights(4, 3)], {"transB": 1}, (11,)),
             (ROW, [weights(2, 4), weights(3, 1)], {"transA": 1, "alpha": 0.3, "beta": 0.7}, (9,)),
             (ROW, [weights(3, 4), weights(2, 4)], {"beta": 0.5}, (13,))],
    "MatMul": [(ROW, [weights(3, 4)], {}, (7, 13)), (ROW, [weights(3)], {}, (9,)), ((3,), [weights(3, 2)], {}, (9,)),
               ((2, 2, 3), [weights(2, 3, 4)], {}, (13,)), ((2, 3), [weights(4, 3, 2)], {}, (13,)),
               ((3,), [weights(2, 3, 2)], {}, (13,))],
    "Conv": [(IMAGE, [weights(3, 2, 3, 2), weights(3)], {"pads": [1, 0, 0, 1], "strides": [2, 1]}, (7, 11)),
             (IMAGE, [weights(4, 1, 2, 2)], {"group": 2, "dilations": [2, 1]}, (11,)),
             (IMAGE, [weights(3, 2, 3, 3)], {"auto_pad": "SAME_UPPER", "strides": [2, 2]}, (11,)),
             (IMAGE, [weights(3, 2, 2, 2)], {"auto_pad": "SAME_LOWER"}, (11,)),
             (IMAGE, [weights(3, 2, 2, 2)], {"auto_pad": "VALID"}, (11,)),
             ((3, 2, 5, 4), [weights(3, 2, 2, 2)], {}, (11,)),
             (WIDE, [weights(2, 4, 3), weights(2)], {"strides": [2], "pads": [1, 1]}, (7, 11))],
    "MaxPool": [(IMAGE, [], {"kernel_shape": [2, 2], "strides": [2, 2]}, (8, 12)),
                (IMAGE, [], {"kernel_shape": [3, 2], "pads": [1, 1, 1, 0]}, (8, 12)),
                (IMAGE, [], {"kernel_shape": [2, 2], "strides": [2, 2], "ceil_mode": 1}, (12,)),
                (IMAGE, [], {"kernel_shape": [2, 2], "dilations": [2, 2]}, (12,)),
                (IMAGE, [], {"kernel_shape": [3, 3], "auto_pad": "SAME_UPPER", "strides": [2, 2]}, (12,)),
                (WIDE, [], {"kernel_shape": [3], "strides": [2]}, (12,))],
    "AveragePool": [(IMAGE, [], {"kernel_shape": [2, 2], "strides": [2, 2]}, (7, 10, 11, 19)),
                    (IMAGE, [], {"kernel_shape": [3, 3], "pads": [1, 1, 1, 1]}, (7, 11, 19)),
                    (IMAGE, [], {"kernel_shape": [3, 3], "pads": [1, 1, 1, 1], "count_include_pad": 1}, (7, 11, 19)),
                    (IMAGE, [], {"kernel_shape": [3, 3], "strides": [2, 2], "ceil_mode": 1}, (19,)),
                    (IMAGE, [], {"kernel_shape": [2, 2], "strides": [2, 2], "ceil_mode": 1, "pads": [0, 1, 0, 1],
                                 "count_include_pad": 1}, (19,)),
                    (IMAGE, [], {"kernel_shape": [2, 2], "dilations": [2, 1]}, (19,))],
    "GlobalAveragePool": [(IMAGE, [], {}, (7, 17))],
    "GlobalMaxPool": [(IMAGE, [], {}, (7, 17))],
    "Add": [(ROW, [weights(3)], {}, (7, 14)), (ROW, [weights(4, 1, 1)], {}, (13,))],
    "Sub": [(ROW, [weights(2, 1)], {}, (7, 14))],
    "Mul": [(ROW, [weights(3)], {}, (7, 14)), (ROW, [np.float32(0)], {}, (14,))],
    "Div": [(ROW, [weights(3)], {}, (7, 14))],
    "Neg": [(ROW, [], {}, (7, 13))],
    "Sum": [(ROW, [weights(3), weights(2, 1)], {}, (8, 13))],
    "Relu": [(ROW, [], {}, (7, 14))],
    "LeakyRelu": [(ROW, [], {}, (7, 16)), (ROW, [], {"alpha": 0.3}, (7, 16)), (ROW, [], {"alpha": -1.5}, (16,))],
    "PRelu": [(ROW, [weights(3)], {}, (7, 16)), (IMAGE, [weights(2, 1, 1)], {}, (9,))],
    "Abs": [(ROW, [], {}, (7, 13))],
    "Clip": [(ROW, [], {"min": -0.5, "max": 0.25}, (7,)), (ROW, [], {"max": 0.25}, (7,)), (ROW, [], {}, (7, 13)),
             (ROW, [np.float32(-0.5), np.float32(0.25)], {}, (11, 13)), (ROW, [None, np.float32(6)], {}, (12,)),
             (ROW, [np.float32(0), np.float32(np.inf)], {}, (13,)), (ROW, [np.float32(1), np.float32(-1)], {}, (13,))],
    "Max": [(ROW, [weights(3)], {}, (8, 13)), (ROW, [weights(3), np.float32(0)], {}, (13,))],
    "Min": [(ROW, [weights(4, 1, 1)], {}, (8, 13))],
    "BatchNormalization": [(IMAGE, [weights(2), weights(2, seed=1), weights(2, seed=2), weights(2) ** 2],
                            {"epsilon": 1e-3}, (14, 15)),
                           ((2, 3), [weights(3), weights(3), weights(3), weights(3) ** 2], {}, (15,))],
    "ReduceMean": [(IMAGE, [], {"axes": [2, 3]}, (7, 13)), (IMAGE, [], {"axes": [-1], "keepdims": 0}, (11,)),
                   (IMAGE, [ints(1, 3)], {}, (18,)), (ROW, [], {}, (11, 18)),
                   (IMAGE, [ints(3, 1)], {"keepdims": 0}, (18,))],
    "ReduceSum": [(IMAGE, [], {"axes": [2, 3]}, (7, 11)), (IMAGE, [ints(-1)], {"keepdims": 0}, (13,)),
                  (ROW, [], {"noop_with_empty_axes": 1}, (13,))],
    "Identity": [(ROW, [], {}, (7, 14))],
    "Dropout": [(ROW, [], {"ratio": 0.3}, (7, 10)), (ROW, [np.float32(0.3)], {}, (12, 13)),
                (ROW, [np.float32(0.3), np.array(False)], {}, (13,))],
    "Cast": [(ROW, [], {"to": TensorProto.DOUBLE}, (9, 13)), (ROW, [], {"to": TensorProto.FLOAT}, (13,))],
    "Concat": [(ROW, [weights(2, 2)], {"axis": 1}, (7, 13)), (ROW, [weights(1, 3)], {"axis": -2}, (13,))],
    "Slice": [(IMAGE, [], {"starts": [1, -3], "ends": [100, -1], "axes": [1, 2]}, (7, 9)),
              (IMAGE, [ints(3), ints(-100), ints(3), ints(-1)], {}, (10, 13)),
              (ROW, [ints(0, 1), ints(2, 3)], {}, (13,))],
    "Gather": [(ROW, [ints(2, 0, -1)], {"axis": 1}, (7, 13)), (ROW, [np.array(1)], {}, (13,)),
               (ROW, [ints(0, 1, 1, 0).reshape(2, 2)], {}, (13,))],
    "Flatten": [(IMAGE, [], {}, (7, 13)), (IMAGE, [], {"axis": 0}, (9,)), (IMAGE, [], {"axis": -1}, (13,))],
    "Reshape": [(IMAGE, [ints(0, -1)], {}, (7, 13, 14, 21)), (IMAGE, [ints(4, 10)], {"allowzero": 1}, (14,))],
    "Transpose": [(IMAGE, [], {"perm": [0, 2, 3, 1]}, (7, 13)), (IMAGE, [], {}, (13,))],
    "Squeeze": [((1, 2, 1), [], {"axes": [0]}, (7,)), ((1, 2, 1), [ints(-1)], {}, (13,)), ((1, 2, 1), [], {}, (13,))],
    "Unsqueeze": [(ROW, [], {"axes": [0, 3]}, (7,)), (ROW, [ints(-1, 0)], {}, (13,))],
    "Expand": [(ROW, [ints(2, 2, 1)], {}, (8, 13)), ((2, 1), [ints(3)], {}, (13,))],
    "Pad": [(ROW, [], {"pads": [0, 1, 1, 0], "value": 0.5}, (7, 10)), (ROW, [ints(0, 1, 1, 0)], {}, (11, 13)),
            (ROW, [ints(1, 2), np.float32(0.5), ints(1)], {}, (18,)),
            (ROW, [ints(1, 0, 0, 2)], {"mode": "reflect"}, (13,)), (ROW, [ints(0, 1, 1, 0)], {"mode": "edge"}, (13,))],
}
FLAT = [pytest.param(op, *case[:3], opset, id=f"{op}-{k}-{opset}") for op, cases in CASES.items()
        for k, case in enumerate(cases) for opset in case[3]]


@pytest.mark.parametrize(("op", "shape", "constants", "attributes", "opset"), FLAT)
def test_each_operator_alone(tmp_path, op, shape, constants, attributes, opset):
    assert_same(tmp_path / "m.onnx", single(op, shape, constants, opset, **attributes), shape)


def test_every_operator_that_is_supported_is_tested():
    assert set(OPERATORS) - {"Split"} == set(CASES)


def chain_of(path, model, **keywords):
    onnx.save(model, path)
    return from_onnx(path, **keywords)


def points(n, dim, seed=3):
    return np.random.default_rng(seed).standard_normal((n, dim))


@pytest.mark.parametrize("opset", [7, 9, 14])
@pytest.mark.parametrize("epsilon", [0.0, 1e-3])
def test_batch_normalisation_where_the_evaluator_of_onnx_trains(tmp_path, opset, epsilon):
    gamma, beta, mean, variance = weights(2), weights(2, seed=1), weights(2, seed=2), weights(2, seed=3) ** 2
    chain = chain_of(tmp_path / "m.onnx", single("BatchNormalization", IMAGE, [gamma, beta, mean, variance], opset,
                                                 epsilon=epsilon))
    x = points(4, 40)
    expected = torch.nn.functional.batch_norm(torch.tensor(x).reshape(4, 2, 5, 4),
                                              *(torch.tensor(v).double() for v in (mean, variance, gamma, beta)),
                                              eps=float(np.float32(epsilon)))
    assert np.allclose(chain(x), expected.reshape(4, -1), rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("shape", [(2, 4, 7), (1, 2, 2, 3, 2)])
def test_global_max_pooling_where_the_evaluator_of_onnx_is_wrong(tmp_path, shape):
    x = points(1, int(np.prod(shape)))
    found = chain_of(tmp_path / "m.onnx", single("GlobalMaxPool", shape))(x)
    assert np.allclose(found[0], x.reshape(*shape[:2], -1).max(axis=-1).ravel(), rtol=1e-14, atol=1e-14)


@pytest.mark.parametrize("op", ["Conv", "MaxPool", "AveragePool"])
def test_windows_of_every_shape_against_torch(tmp_path, op):
    rng = np.random.default_rng(["Conv", "MaxPool", "AveragePool"].index(op))
    for _ in range(60):
        dims, channels = int(rng.integers(1, 3)), int(rng.integers(1, 4))
        size, kernel = rng.integers(4, 8, dims).tolist(), rng.integers(1, 4, dims).tolist()
        stride, padding = rng.integers(1, 4, dims).tolist(), [int(rng.integers(0, k // 2 + 1)) for k in kernel]
        attributes, torch_arguments = {"strides": stride, "pads": padding * 2}, {"stride": stride, "padding": padding}
        x, constants = rng.standard_normal((2, channels, *size)), []
        functions = {"Conv": f"conv{dims}d", "MaxPool": f"max_pool{dims}d", "AveragePool": f"avg_pool{dims}d"}
        if op == "Conv":
            constants = [weights(4, channels, *kernel), weights(4)]
            second = [torch.tensor(c).double() for c in constants]
        else:
            attributes |= {"kernel_shape": kernel, "ceil_mode": int(rng.integers(0, 2))}
            torch_arguments |= {"ceil_mode": bool(attributes["ceil_mode"])}
            second = [kernel]
        if op == "AveragePool":
            attributes["count_include_pad"] = int(rng.integers(0, 2))
            torch_arguments["count_include_pad"] = bool(attributes["count_include_pad"])
        else:
            attributes["dilations"] = torch_arguments["dilation"] = [int(rng.integers(1, 3)) if k < 3 else 1
                                                                     for k in kernel]
        chain = chain_of(tmp_path / "m.onnx", single(op, x.shape, constants, **attributes))
        expected = getattr(torch.nn.functional, functions[op])(torch.tensor(x), *second, **torch_arguments)
        assert np.allclose(chain(x.reshape(1, -1))[0], expected.numpy().ravel(), rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize(("auto", "before", "after"), [("SAME_UPPER", 0, 1), ("SAME_LOWER", 1, 0), ("VALID", 0, 0)])
@pytest.mark.parametrize("op", ["MaxPool", "AveragePool"])
def test_automatic_padding(tmp_path, op, auto, before, after):
    """With windows of 2 in steps of 1, one place is padded."""
    x, attributes = points(1, 5), {"kernel_shape": [2]}
    found, expected = (chain_of(tmp_path / "m.onnx", single(op, (1, 1, 5), **attributes, **pads))(x)
                       for pads in ({"auto_pad": auto}, {"pads": [before, after]}))
    assert np.array_equal(found, expected)


@pytest.mark.parametrize(("opset", "constants", "attributes", "outputs"), [
    (7, [], {"axis": 1, "split": [1, 2, 2]}, 3), (11, [], {"axis": -1}, 5), (13, [ints(2, 3)], {"axis": 1}, 2),
    (18, [], {"axis": 1, "num_outputs": 3}, 3)])
def test_split(tmp_path, opset, constants, attributes, outputs):
    names = [f"part{k}" for k in range(outputs)]
    model = single("Split", (2, 5), constants, opset, names, **attributes)
    model.graph.output.extend([helper.make_tensor_value_info(name, TensorProto.FLOAT, None) for name in names[1:]])
    for name in names:
        assert_same(tmp_path / "m.onnx", model, (2, 5), until=name)


@pytest.mark.parametrize("op", ["Add", "Sub", "Max", "Min"])
def test_two_tensors_that_both_depend_on_the_input(tmp_path, op):
    nodes = [helper.make_node("Mul", ["x", "c"], ["z"]), helper.make_node(op, ["x", "z"], ["y"])]
    assert_same(tmp_path / "m.onnx", model_of(nodes, ROW, {"c": weights(3)}), ROW)


@pytest.mark.parametrize(("op", "constant"), [("Add", weights(3)), ("Sub", weights(2, 1)), ("Mul", weights(3)),
                                              ("MatMul", weights(4, 2)), ("Max", weights(3)), ("Min", weights(1))])
def test_the_constant_may_come_first(tmp_path, op, constant):
    model = model_of([helper.make_node(op, ["c", "x"], ["y"])], ROW, {"c": constant})
    assert_same(tmp_path / "m.onnx", model, ROW)


def test_gemm_in_all_orders(tmp_path):
    for k, (left, right) in enumerate(itertools.product((0, 1), repeat=2)):
        a, c = weights(*((2, 4) if left else (4, 2))), weights(4, 1)
        node = helper.make_node("Gemm", ["a", "x", "c"], ["y"], transA=left, transB=right, alpha=2.0)
        shape = (3, 2) if right else (2, 3)
        assert_same(tmp_path / f"{k}.onnx", model_of([node], shape, {"a": a, "c": c}), shape)


def test_shapes_are_folded(tmp_path):
    """x.reshape(x.shape[0], -1) as exporters write it, and an expanded constant."""
    nodes = [helper.make_node("Shape", ["x"], ["s"]),
             helper.make_node("Constant", [], ["zero"], value=numpy_helper.from_array(ints(0))),
             helper.make_node("Gather", ["s", "zero"], ["first"]),
             helper.make_node("Constant", [], ["rest"], value_ints=[-1]),
             helper.make_node("Concat", ["first", "rest"], ["shape"], axis=0),
             helper.make_node("Reshape", ["x", "shape"], ["flat"]),
             helper.make_node("ConstantOfShape", ["first"], ["ones"],
                              value=numpy_helper.from_array(np.ones(1, np.float32))),
             helper.make_node("Sqrt", ["ones"], ["roots"]),
             helper.make_node("Size", ["x"], ["size"]),
             helper.make_node("Cast", ["size"], ["divisor"], to=TensorProto.FLOAT),
             helper.make_node("Sub", ["flat", "roots"], ["shifted"]),
             helper.make_node("Div", ["shifted", "divisor"], ["y"])]
    assert_same(tmp_path / "m.onnx", model_of(nodes, (1, 2, 3)), (1, 2, 3))
    nodes[0] = helper.make_node("Shape", ["x"], ["s"], start=0, end=2)
    assert_same(tmp_path / "m.onnx", model_of(nodes, (1, 2, 3)), (1, 2, 3))


def test_a_multilayer_perceptron(tmp_path):
    chain = assert_same(tmp_path / "m.onnx", mlp(), (1, 2))
    assert chain.widths == (2, 4, 3, 2)
    assert all(kind is ap.Kind.NEURON for layer in chain.kinds for kind in layer)
    assert np.array_equal(chain.weights[1], weights(3, 4, seed=1).astype(np.float64))
    line = ap.Segment(-3, 3, start=[0.3, -0.2], direction=[1, 2])
    net = ap.ReLUNetwork(chain.weights, chain.biases)
    assert ap.count_pieces(chain, line) == ap.count_pieces(net, line)


def test_a_bias_that_is_added_later_makes_no_layer(tmp_path):
    nodes = [helper.make_node("MatMul", ["x", "w"], ["z"]), helper.make_node("Add", ["b", "z"], ["s"]),
             helper.make_node("Relu", ["s"], ["a"]), helper.make_node("MatMul", ["a", "v"], ["y"])]
    model = model_of(nodes, (1, 3), {"w": weights(3, 4), "b": weights(4), "v": weights(4, 2)})
    assert assert_same(tmp_path / "m.onnx", model, (1, 3)).widths == (3, 4, 2)


def test_two_biases_are_not_added_to_one(tmp_path):
    """Their sum would be rounded: 1 + 2^-60."""
    nodes = [helper.make_node("Gemm", ["x", "w", "one"], ["z"]), helper.make_node("Add", ["z", "small"], ["s"]),
             helper.make_node("Sub", ["s", "one"], ["y"])]
    constants = {"w": np.zeros((1, 1), np.float32), "one": np.float32([1]), "small": np.float32([2**-60])}
    chain = chain_of(tmp_path / "m.onnx", model_of(nodes, (1, 1), constants))
    assert [b.tolist() for b in chain.biases] == [[1.0], [2**-60], [-1.0]]


def test_a_convolutional_network_is_counted(tmp_path):
    """Convolution, batch norm, a residual branch, pooling, LeakyReLU, and a linear layer."""
    norm = {"g": weights(2), "o": weights(2, seed=1), "m": weights(2, seed=2), "v": weights(2, seed=3) ** 2}
    nodes = [helper.make_node("Conv", ["x", "k", "kb"], ["c1"], pads=[1, 1, 1, 1]),
             helper.make_node("Relu", ["c1"], ["r"]),
             helper.make_node("Conv", ["r", "l"], ["c2"], pads=[1, 1, 1, 1]),
             helper.make_node("BatchNormalization", ["c2", *norm], ["n"]), helper.make_node("Add", ["n", "r"], ["s"]),
             helper.make_node("LeakyRelu", ["s"], ["e"], alpha=0.1),
             helper.make_node("MaxPool", ["e"], ["p"], kernel_shape=[2, 2], strides=[2, 2]),
             helper.make_node("Flatten", ["p"], ["f"]), helper.make_node("Gemm", ["f", "w", "b"], ["y"])]
    model = model_of(nodes, (1, 1, 4, 4), {"k": weights(2, 1, 3, 3), "kb": weights(2), "l": weights(2, 2, 3, 3), **norm,
                                           "w": weights(8, 3), "b": weights(3)})
    chain = assert_same(tmp_path / "m.onnx", model, (1, 1, 4, 4))
    trace = ap.trace(chain, ap.Segment(-2, 2, start=points(1, 16)[0], direction=points(1, 16, 4)[0]))
    assert trace.pieces > 10


@pytest.mark.parametrize(("kind", "name"), [(TensorProto.FLOAT16, "float16"), (TensorProto.BFLOAT16, "bfloat16"),
                                            (TensorProto.DOUBLE, "float64")])
def test_other_formats_are_widened_exactly(tmp_path, kind, name):
    w = weights(2, 3).astype(helper.tensor_dtype_to_np_dtype(kind))
    nodes = [helper.make_node("MatMul", ["x", "w"], ["z"]), helper.make_node("Relu", ["z"], ["y"])]
    chain = chain_of(tmp_path / "m.onnx", model_of(nodes, (1, 2), {"w": w}, kind=kind))
    assert np.array_equal(chain.weights[0], w.astype(np.float64).T)


def test_a_half_model_that_overflows_at_the_points_of_the_guard(tmp_path):
    w = np.full((2, 2), 30000, np.float16)
    nodes = [helper.make_node("MatMul", ["x", "w"], ["z"]), helper.make_node("MatMul", ["z", "w"], ["y"])]
    chain = chain_of(tmp_path / "m.onnx", model_of(nodes, (1, 2), {"w": w}, kind=TensorProto.FLOAT16))
    assert chain([[1.0, 0.0]])[0, 0] == 2 * 30000**2


@pytest.mark.parametrize("last", ["Softmax", "LogSoftmax", "Sigmoid"])
def test_until_stops_before_a_smooth_end(tmp_path, last):
    model = mlp(last=[helper.make_node(last, ["logits"], ["probabilities"], name="end")])
    with pytest.raises(ValueError, match=rf"{last} \(node 'end'\); .* {last} give until='logits'"):
        chain_of(tmp_path / "m.onnx", model)
    onnx.save(mlp(), tmp_path / "plain.onnx")
    expected = from_onnx(tmp_path / "plain.onnx")(points(3, 2))
    for until in ("logits", "gemm2"):
        assert np.array_equal(from_onnx(tmp_path / "m.onnx", until=until)(points(3, 2)), expected)
    assert from_onnx(tmp_path / "m.onnx", until="relu0").widths == (2, 4, 4)


@pytest.mark.parametrize(("dims", "keywords", "shape"), [
    (["batch", 3], {}, (1, 3)), ([0, 3], {}, (1, 3)), ([-1, 3], {}, (1, 3)), (["unk__1", 3], {}, (1, 3)),
    ([2, 3], {}, (2, 3)), (["n", "m"], {"input_shape": (2, 3)}, (2, 3)), (None, {"input_shape": (1, 3)}, (1, 3)),
    (["n"], {"input_shape": (4,)}, (4,)), ([], {}, ())])
def test_shapes_of_the_input(tmp_path, dims, keywords, shape):
    model = single("Relu", None)
    if dims is not None:
        model.graph.input[0].type.tensor_type.shape.SetInParent()
        for n in dims:
            dim = model.graph.input[0].type.tensor_type.shape.dim.add()
            if isinstance(n, str):
                dim.dim_param = n
            else:
                dim.dim_value = n
    chain = chain_of(tmp_path / "m.onnx", model, **keywords)
    assert chain.widths[0] == chain.widths[-1] == np.prod(shape)


def test_initializers_that_are_listed_as_inputs(tmp_path):
    model = mlp()
    model.graph.input.extend([helper.make_tensor_value_info(t.name, t.data_type, list(t.dims))
                              for t in model.graph.initializer])
    model.ir_version = 3
    assert_same(tmp_path / "m.onnx", model, (1, 2))


def test_functions_of_the_model_are_inlined(tmp_path):
    body = helper.make_function("mine", "Twice", ["a"], ["b"], [helper.make_node("Add", ["a", "a"], ["b"])],
                                [helper.make_opsetid("", 17)])
    nodes = [helper.make_node("Twice", ["x"], ["z"], domain="mine"), helper.make_node("Relu", ["z"], ["y"])]
    model = model_of(nodes, ROW)
    model.functions.append(body)
    model.opset_import.append(helper.make_opsetid("mine", 1))
    assert np.array_equal(chain_of(tmp_path / "m.onnx", model)(np.eye(6)), 2 * np.eye(6))


def test_external_data(tmp_path):
    onnx.save(mlp(), tmp_path / "m.onnx", save_as_external_data=True, size_threshold=0, location="weights.bin")
    assert (tmp_path / "weights.bin").exists()
    found = from_onnx(tmp_path / "m.onnx")
    assert np.array_equal(found.weights[0], weights(4, 2).astype(np.float64))


@pytest.mark.parametrize(("op", "impostor"), [("Relu", "Abs"), ("Relu", "Identity"), ("Gemm", "Gemm")])
def test_the_guard_finds_an_operator_that_is_read_as_another(tmp_path, monkeypatch, op, impostor):
    original = OPERATORS[impostor]

    def wrong(call):
        return [ids[..., ::-1] for ids in original(call)] if op == impostor else original(call)
    monkeypatch.setitem(OPERATORS, op, wrong)
    with pytest.raises(ValueError, match=r"m\.onnx: the model is another function than its layers say.*convert"):
        chain_of(tmp_path / "m.onnx", mlp())
