"""The operators of ONNX that only move numbers about, in opsets 7 to 21."""
from __future__ import annotations

from math import prod
from typing import Any

import numpy as np

from affinepieces.importers import operations as op
from affinepieces.importers.lowering import Ids
from affinepieces.importers.onnx.calls import Call
from affinepieces.importers.onnx.operators import Operator

FORMATS = {10: "float16", 16: "bfloat16", 1: "float32", 11: "float64"}  # by their numbers in ONNX
WIDER = {"float16": ("float16", "float32", "float64"), "bfloat16": ("bfloat16", "float32", "float64"),
         "float32": ("float32", "float64"), "float64": ("float64",)}
MODES: dict[str, Any] = {mode: mode for mode in ("constant", "reflect", "edge", "wrap")}
LARGEST = 2**26  # numbers in a tensor


def _same(call: Call) -> list[Ids]:
    return [call.ids()]


def _dropout(call: Call) -> list[Ids]:
    call.only_first_output("mask")
    if call.has(2) and np.any(np.asarray(call.inputs[2])):
        raise ValueError("it has training_mode true, expected inference: export the model in eval mode")
    return [call.ids()]


def _cast(call: Call) -> list[Ids]:
    cast_format(call)
    return [call.ids()]


def cast_format(call: Call) -> str:
    """The format after a Cast; ValueError if it holds fewer numbers."""
    to = FORMATS.get(int(call.attributes["to"]))
    if to not in WIDER[call.dtype]:
        raise ValueError(f"it casts {call.dtype} to {to or 'a format that is no float'}, which rounds, expected a "
                         "wider format: stop before it with until=..., or save the model in one format")
    return to


def _concat(call: Call) -> list[Ids]:
    return [np.concatenate([call.ids(k) for k in range(len(call.inputs))], axis=int(call.attributes["axis"]))]


def _split(call: Call) -> list[Ids]:
    x, axis, parts = call.ids(), int(call.attributes.get("axis", 0)), len(call.used)
    sizes = call.integers(1, "split")
    if sizes is None:
        each = -(-x.shape[axis] // parts)
        sizes = [each] * (parts - 1) + [x.shape[axis] - each * (parts - 1)]
    if sum(sizes) != x.shape[axis] or len(sizes) != parts or min(sizes) < 0:
        raise ValueError(f"it splits {x.shape[axis]} entries into {parts} parts of sizes {sizes}, expected their sum")
    return np.split(x, np.cumsum(sizes)[:-1], axis)


def _slice(call: Call) -> list[Ids]:
    x = call.ids()
    starts, ends = call.integers(1, "starts"), call.integers(2, "ends")
    if starts is None or ends is None:
        raise ValueError("it has no starts or no ends, expected both")
    axes = call.integers(3, "axes") or list(range(len(starts)))
    steps = call.integers(4, "steps") or [1] * len(starts)
    at = [slice(None)] * x.ndim
    for axis, start, end, step in zip(axes, starts, ends, steps, strict=True):
        at[axis] = slice(start, end, step)
    return [x[tuple(at)]]


def _gather(call: Call) -> list[Ids]:
    if call.is_traced(1):
        raise ValueError("its indices depend on the network's input, expected constants")
    return [np.take(call.ids(), np.asarray(call.inputs[1], np.int64), axis=int(call.attributes.get("axis", 0)))]


def _flatten(call: Call) -> list[Ids]:
    x, axis = call.ids(), int(call.attributes.get("axis", 1))
    if not -x.ndim <= axis <= x.ndim:
        raise ValueError(f"its axis is {axis}, expected one of a tensor of shape {x.shape}")
    return [x.reshape(prod(x.shape[:axis]), -1)]


def _reshape(call: Call) -> list[Ids]:
    x, shape = call.ids(), call.integers(1, "shape")
    if shape is None:
        raise ValueError("it has no shape, expected a constant one")
    copied = not call.attributes.get("allowzero", 0)
    return [x.reshape([x.shape[axis] if n == 0 and copied else n for axis, n in enumerate(shape)])]


def _transpose(call: Call) -> list[Ids]:
    return [call.ids().transpose(call.attributes.get("perm"))]


def _squeeze(call: Call) -> list[Ids]:
    axes = call.integers(1, "axes")
    return [call.ids().squeeze(None if axes is None else tuple(axes))]


def _unsqueeze(call: Call) -> list[Ids]:
    return [np.expand_dims(call.ids(), tuple(call.integers(1, "axes") or ()))]


def _expand(call: Call) -> list[Ids]:
    x = call.ids()
    shape = np.broadcast_shapes(x.shape, tuple(call.integers(1, "shape") or ()))
    if prod(shape) > LARGEST:
        raise ValueError(f"it expands to shape {shape}, expected {LARGEST} numbers at most")
    return [np.broadcast_to(x, shape)]


def _pad(call: Call) -> list[Ids]:
    x, pads, mode = call.ids(), call.integers(1, "pads") or [], call.attributes.get("mode", b"constant").decode()
    axes = call.integers(3, "axes") or list(range(x.ndim))
    if len(pads) != 2 * len(axes) or mode not in MODES:
        raise ValueError(f"its pads are {pads}, its mode {mode!r}: expected {2 * len(axes)} numbers and one of "
                         f"{', '.join(MODES)}")
    if min(pads, default=0) < 0:
        raise ValueError(f"its pads are {pads}, expected numbers from 0 on: cut with Slice instead")
    width = [(0, 0)] * x.ndim
    for k, axis in enumerate(axes):
        width[axis] = (pads[k], pads[k + len(axes)])
    if prod(n + a + b for n, (a, b) in zip(x.shape, width, strict=True)) > LARGEST:
        raise ValueError(f"its pads are {pads}, expected {LARGEST} numbers at most in the result")
    if mode != "constant":
        return [np.pad(x, width, mode=MODES[mode])]
    value = call.floats(2, "its constant_value") if call.has(2) else np.asarray(call.attributes.get("value", 0.0))
    padded = np.pad(x, width, constant_values=op.OUTSIDE)
    padded[padded == op.OUTSIDE] = op.constant(call.numbers, value.reshape(()), call.name)
    return [padded]


MOVING: dict[str, Operator] = {
    "Identity": _same, "Dropout": _dropout, "Cast": _cast, "Concat": _concat, "Split": _split, "Slice": _slice,
    "Gather": _gather, "Flatten": _flatten, "Reshape": _reshape, "Transpose": _transpose, "Squeeze": _squeeze,
    "Unsqueeze": _unsqueeze, "Expand": _expand, "Pad": _pad}
