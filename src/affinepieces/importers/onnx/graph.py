"""From the graph of an ONNX model to numbers: constants are folded, every other node adds rows."""
from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from affinepieces._extras import wanted
from affinepieces.importers import operations
from affinepieces.importers.lowering import Ids, Numbers
from affinepieces.importers.onnx.calls import Call, Traced
from affinepieces.importers.onnx.evaluator import Evaluator
from affinepieces.importers.onnx.file import LARGEST, STANDARD, Graph
from affinepieces.importers.onnx.moves import MOVING, cast_format
from affinepieces.importers.onnx.operators import COMPUTING
from affinepieces.importers.onnx.windows import WINDOWS
from affinepieces.importers.unsupported import UnsupportedError

with wanted("onnx"):
    import onnx

OPERATORS = {**COMPUTING, **WINDOWS, **MOVING}
KNOWN = ("Shape", "Size")  # constants once the shape of the input is known
ALWAYS = ("Constant", "ConstantOfShape")
RANDOM = {"RandomNormal", "RandomNormalLike", "RandomUniform", "RandomUniformLike", "Multinomial", "Bernoulli"}
SMOOTH = ("Softmax", "LogSoftmax", "Sigmoid")  # often the last layer, after the function that is meant


def lower(graph: Graph) -> tuple[Numbers, Ids, set[str]]:
    """The numbers, the ids of the output, and the formats that tensors have on the way."""
    _refuse_unsupported(graph)
    onnx.checker.check_model(graph.part)
    numbers = Numbers(prod(graph.shape))
    first: Ids = np.arange(numbers.inputs)
    values: dict[str, Any] = {**graph.constants, graph.input: Traced(first.reshape(graph.shape), graph.dtype)}
    read = {name for node in graph.nodes for name in node.input} | {graph.output}
    for node in graph.nodes:
        with _named(node):
            inputs = tuple(values[name] if name else None for name in node.input)
            found = _evaluated(graph, node, numbers, inputs, tuple(name in read for name in node.output))
        values |= {name: value for name, value in zip(node.output, found, strict=False) if name}
    out = values[graph.output]
    ids = out.ids if isinstance(out, Traced) else operations.constant(numbers, np.asarray(out, np.float64), "output")
    return numbers, ids.ravel(), {value.dtype for value in values.values() if isinstance(value, Traced)}


def _evaluated(graph: Graph, node: Any, numbers: Numbers, inputs: tuple[Any, ...], used: tuple[bool, ...]) -> list[Any]:
    traced = any(isinstance(value, Traced) for value in inputs)
    if node.op_type in KNOWN and traced:
        return [_measured(node, inputs[0])]
    if not traced:
        return _folded(graph, node, inputs)
    call = Call(numbers, _label(node), graph.opset, inputs, _attributes(node), used)
    dtype = cast_format(call) if node.op_type == "Cast" else call.dtype
    return [Traced(ids, dtype) for ids in OPERATORS[node.op_type](call)]


def _measured(node: Any, value: Traced) -> NDArray[np.int64]:
    """Shape or Size."""
    shape = np.array(value.ids.shape, np.int64)
    if node.op_type == "Size":
        return np.asarray(shape.prod())
    attributes = _attributes(node)
    return shape[attributes.get("start", 0):attributes.get("end", len(shape))]


def _folded(graph: Graph, node: Any, inputs: tuple[Any, ...]) -> list[Any]:
    """A node without traced inputs, by onnx's evaluator."""
    given = [name for name in dict.fromkeys(node.input) if name]
    if (size := _made(node.op_type, inputs)) > LARGEST:
        raise ValueError(f"it makes a tensor of {size:g} numbers, expected {LARGEST} at most")
    untyped = [onnx.ValueInfoProto(name=name) for name in (*given, *(name for name in node.output if name))]
    model = onnx.ModelProto(ir_version=graph.part.ir_version, opset_import=graph.part.opset_import)
    model.graph.name = "constants"
    model.graph.node.append(node)
    model.graph.input.extend(untyped[:len(given)])
    model.graph.output.extend(untyped[len(given):])
    found = Evaluator(model)({name: value for name, value in zip(node.input, inputs, strict=True) if name})
    by_name = dict(zip((name for name in node.output if name), found, strict=True))
    return [by_name.get(name) for name in node.output]


def _made(op: str, inputs: tuple[Any, ...]) -> float:
    """How many numbers an operator makes at most that turns small constants into tensors of any size."""
    if op == "Range":
        start, limit, delta = (float(value) for value in inputs)
        return abs(limit - start) / abs(delta) if delta else 0.0
    if op in ("ConstantOfShape", "Expand", "Tile"):
        repeated = np.size(inputs[0]) if op != "ConstantOfShape" else 1
        return float(np.abs(np.asarray(inputs[-1], np.float64)).prod()) * repeated
    return 0.0


def _refuse_unsupported(graph: Graph) -> None:
    """One error for all operators that are met and not supported."""
    constant, refused = set(graph.constants), []
    for node in graph.nodes:
        fixed = all(name in constant for name in node.input if name)
        inner = any(a.type in (onnx.AttributeProto.GRAPH, onnx.AttributeProto.GRAPHS) for a in node.attribute)
        foreign = node.domain not in STANDARD
        if ((fixed and node.op_type not in RANDOM) or node.op_type in KNOWN) and not inner and not foreign:
            constant |= set(node.output)
        elif node.op_type not in OPERATORS or inner or foreign:
            refused.append(node)
    if refused:
        named = ", ".join(f"{_operator(node)} ({_label(node)})" for node in refused)
        last = [node for node in refused if node.op_type in SMOOTH and node.input]
        hint = f"; for the function before {last[0].op_type} give until={last[0].input[0]!r}" if last else \
            "; for the function before one of them give until=..., the name of a tensor or a node"
        raise UnsupportedError(f"these operators are not supported: {named}{hint}.  Supported are "
                               f"{', '.join(sorted({*OPERATORS, *KNOWN, *ALWAYS}))}, and any operator of constants",
                               [f"{_operator(node)} ({_label(node)})" for node in refused])


def _operator(node: Any) -> str:
    return node.op_type if node.domain in STANDARD else f"{node.domain}.{node.op_type}"


def _label(node: Any) -> str:
    return f"node {node.name!r}" if node.name else f"node that makes {next(iter(node.output), '')!r}"


def _attributes(node: Any) -> dict[str, Any]:
    return {attribute.name: onnx.helper.get_attribute_value(attribute) for attribute in node.attribute}


@contextmanager
def _named(node: Any) -> Iterator[None]:
    """What goes wrong inside is said of this node."""
    try:
        yield
    except Exception as error:  # of a graph that is no model: whatever numpy and onnx raise
        kind = UnsupportedError if type(error) is ValueError else ValueError
        raise kind(f"{_label(node)} ({_operator(node)}): {error}") from error
