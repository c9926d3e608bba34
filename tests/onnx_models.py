"""Small ONNX models: one operator, or a few layers."""
import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

RNG = np.random.default_rng(20261128)
IR = 10


def weights(*shape, seed=0):
    return np.random.default_rng([7, seed, *shape]).standard_normal(shape).astype(np.float32)


def model_of(nodes, shape, constants=None, opset=17, outputs=("y",), kind=TensorProto.FLOAT, inputs=("x",)):
    """A model of nodes that read `x` and make `y`; constants: arrays or tensors by name."""
    stored = [value if isinstance(value, onnx.TensorProto) else numpy_helper.from_array(np.asarray(value), name)
              for name, value in (constants or {}).items()]
    graph = helper.make_graph(
        nodes, "graph", [helper.make_tensor_value_info(name, kind, shape) for name in inputs],
        [helper.make_tensor_value_info(name, kind, None) for name in outputs], stored)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=IR)


def single(op, shape, constants=(), opset=17, outputs=("y",), **attributes):
    """One operator on x, then on constants in their order; None leaves one out."""
    named = {f"c{k}": value for k, value in enumerate(constants) if value is not None}
    names = ["" if value is None else f"c{k}" for k, value in enumerate(constants)]
    node = helper.make_node(op, ["x", *names], list(outputs), name=f"the_{op}", **attributes)
    return model_of([node], shape, named, opset, outputs[:1])


def mlp(opset=17, last=(), widths=(2, 4, 3, 2)):
    """Gemm and Relu in turns, with the nodes `last` after the tensor `logits`."""
    nodes, constants, name = [], {}, "x"
    for j in range(len(widths) - 1):
        constants |= {f"w{j}": weights(widths[j + 1], widths[j], seed=j), f"b{j}": weights(widths[j + 1], seed=j)}
        final = j == len(widths) - 2
        nodes.append(helper.make_node("Gemm", [name, f"w{j}", f"b{j}"], ["logits" if final else f"z{j}"],
                                      name=f"gemm{j}", transB=1))
        if not final:
            nodes.append(helper.make_node("Relu", [f"z{j}"], [f"a{j}"], name=f"relu{j}"))
            name = f"a{j}"
    return model_of([*nodes, *last], ["batch", widths[0]], constants, opset,
                    [last[-1].output[0]] if last else ["logits"])
