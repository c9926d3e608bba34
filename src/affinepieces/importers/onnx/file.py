"""From an ONNX file to the part of its graph that matters: read, checked, and cut to what the output needs."""
from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from affinepieces._extras import wanted
from affinepieces.importers.unsupported import UnsupportedError

with wanted("onnx"):
    import onnx
    from onnx import inliner, numpy_helper

OPSETS = range(7, 22)
LIMIT = 2**31 - 1  # bytes, of protobuf
LARGEST = 2**26  # numbers in a tensor
FLOATS = {onnx.TensorProto.FLOAT16: "float16", onnx.TensorProto.BFLOAT16: "bfloat16",
          onnx.TensorProto.FLOAT: "float32", onnx.TensorProto.DOUBLE: "float64"}
STANDARD = ("", "ai.onnx")


@dataclass(frozen=True)
class Graph:
    """What is read of a model: the nodes that the tensor `output` needs, in their order.

    shape, dtype: of the input.  constants: initializers by name.  part: the same as a model, for onnx's evaluator.
    """

    nodes: Sequence[Any]
    input: str
    shape: tuple[int, ...]
    dtype: str
    output: str
    constants: Mapping[str, NDArray[Any]]
    opset: int
    part: Any


def read_model(path: Path) -> Any:
    """The model in the file, with its external data; ValueError for anything that is no ONNX model."""
    size = path.stat().st_size
    expected = "expected an ONNX model, as torch.onnx.export and onnx.save write it"
    if size > LIMIT:
        raise ValueError(f"the file has {size} bytes, but protobuf reads {LIMIT} at most: save the weights beside it, "
                         "with onnx.save(model, path, save_as_external_data=True)")
    if size == 0:
        raise ValueError(f"the file is empty, {expected}: write or download it again")
    content = path.read_bytes()
    try:
        model = onnx.load_model_from_string(content, format="protobuf")
    except Exception as error:  # of protobuf, by version
        raise ValueError(f"the file is damaged or of another kind, {expected}: write or download it again") from error
    if not model.graph.node:
        raise ValueError(f"the file holds no graph with nodes, {expected}: write or download it again")
    onnx.load_external_data_for_model(model, str(path.parent))
    return inliner.inline_local_functions(model) if model.functions else model


def read_graph(model: Any, until: str | None, input_shape: Sequence[int] | None) -> Graph:
    """What the output needs, and which shape the input has; ValueError if there are several of one of them."""
    if model.graph.sparse_initializer:
        raise ValueError(f"{model.graph.sparse_initializer[0].values.name!r} is a sparse initializer, expected dense "
                         "ones: store the tensor with all its zeros")
    opset = _opset(model)
    output = _output(model.graph, until)
    nodes = _needed(model.graph.node, output)
    read = {name for node in nodes for name in node.input} | {output}
    stored = {tensor.name: tensor for tensor in model.graph.initializer}
    value = _input(model.graph, stored)
    constants = {name: _array(stored[name]) for name in stored if name in read}
    shape, dtype = _shape(value, input_shape), _format(value)
    inputs = [onnx.helper.make_tensor_value_info(value.name, value.type.tensor_type.elem_type, shape)]
    outputs = [onnx.helper.make_tensor_value_info(output, onnx.TensorProto.FLOAT, ())]  # nobody reads this type
    part = onnx.ModelProto()
    part.CopyFrom(model)
    part.ir_version = max(part.ir_version, 4)  # before, initializers were inputs too
    for field, kept in (("node", nodes), ("input", inputs), ("output", outputs),
                        ("initializer", [stored[name] for name in constants]), ("value_info", [])):
        part.graph.ClearField(field)
        getattr(part.graph, field).extend(kept)
    return Graph(nodes, value.name, shape, dtype, output, constants, opset, part)


def _opset(model: Any) -> int:
    versions = [entry.version for entry in model.opset_import if entry.domain in STANDARD]
    if len(versions) != 1 or versions[0] not in OPSETS:
        told = f"opset {versions[0]}" if len(versions) == 1 else "no single opset of the standard operators"
        raise UnsupportedError(f"the model has {told}, expected one of {OPSETS[0]} to {OPSETS[-1]}: convert it "
                               "with onnx.version_converter.convert_version(model, 17), or export it again")
    return int(versions[0])


def _output(graph: Any, until: str | None) -> str:
    """The tensor where the network ends."""
    if until is None:
        names = [value.name for value in graph.output]
        if len(names) != 1:
            raise ValueError(f"the model has {len(names)} outputs, {names}, expected one: choose it with until=..., "
                             "the name of a tensor or a node")
        return str(names[0])
    made = {name: name for node in graph.node for name in node.output if name}
    nodes = {node.name: node.output for node in graph.node if node.name}
    if until in made:
        return until
    if until not in nodes:
        raise ValueError(f"until={until!r} is no tensor and no node of the model, expected one of "
                         f"{_some(sorted({*made, *nodes}))}")
    if len(nodes[until]) != 1:
        raise ValueError(f"until={until!r} is a node with {len(nodes[until])} outputs: give one of them, "
                         f"{list(nodes[until])}")
    return str(nodes[until][0])


def _some(names: Sequence[str]) -> str:
    return ", ".join(map(repr, names)) if len(names) <= 40 else \
        f"{', '.join(map(repr, names[:40]))} and {len(names) - 40} more"


def _needed(nodes: Sequence[Any], output: str) -> list[Any]:
    wanted_names, found = {output}, []
    for node in reversed(nodes):
        if wanted_names & set(node.output):
            found.append(node)
            wanted_names |= set(node.input) - {""}
    return found[::-1]


def _input(graph: Any, stored: Mapping[str, Any]) -> Any:
    given = [value for value in graph.input if value.name not in stored]
    if len(given) != 1:
        raise ValueError(f"the model has {len(given)} inputs, {[value.name for value in given]}, expected exactly one "
                         "that is not stored in the file: make the others constants (initializers) and save it again")
    return given[0]


def _format(value: Any) -> str:
    kind = value.type.tensor_type.elem_type
    if kind not in FLOATS:
        name = onnx.TensorProto.DataType.Name(kind) if kind in onnx.TensorProto.DataType.values() else kind
        raise ValueError(f"the input {value.name!r} has type {name}, expected one of {', '.join(FLOATS.values())}: cut "
                         "off what comes before the first floating-point tensor")
    return FLOATS[kind]


def _shape(value: Any, given: Sequence[int] | None) -> tuple[int, ...]:
    """Of the input; a batch of unknown size is one point."""
    tensor = value.type.tensor_type
    stated = [d.dim_value if d.HasField("dim_value") and d.dim_value > 0 else None for d in tensor.shape.dim]
    known = tensor.HasField("shape")
    if given is not None:
        shape = tuple(given)
        if known and len(shape) == len(stated) - 1 and stated[0] in (None, 1):
            shape = (1, *shape)
        fits = len(shape) == len(stated) and all(s in (n, None) for n, s in zip(shape, stated, strict=True))
        if known and not fits:
            raise ValueError(f"input_shape is {shape}, but the input {value.name!r} has shape {_told(stated)}: give "
                             "positive numbers that agree with it")
    else:
        shape = tuple(1 if n is None and axis == 0 and len(stated) > 1 else n or 0 for axis, n in enumerate(stated))
        if not known or 0 in shape:
            raise ValueError(f"the input {value.name!r} has shape {_told(stated) if known else 'unknown'}, expected "
                             "all dimensions but the first: give them with input_shape=(1, ...)")
    if prod(shape) > LARGEST:
        raise ValueError(f"the input {value.name!r} has shape {shape}, expected {LARGEST} numbers at most")
    return shape


def _told(stated: Sequence[int | None]) -> str:
    return f"({', '.join('?' if n is None else str(n) for n in stated)})"


def _array(tensor: Any) -> NDArray[Any]:
    try:
        return np.asarray(numpy_helper.to_array(tensor))
    except Exception as error:  # of onnx, numpy and protobuf
        raise ValueError(f"the tensor {tensor.name!r} is damaged ({error}), expected as many numbers as its shape "
                         f"{list(tensor.dims)} says: write or download the file again") from error
