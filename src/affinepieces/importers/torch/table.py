"""Which function of torch is which operation."""
from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any

import torch
from torch.nn import functional as F  # noqa: N812

from affinepieces.importers.lowering import Ids
from affinepieces.importers.torch import arithmetic, shapes, windows
from affinepieces.importers.torch.here import Here, in_place

Rule = Callable[..., Any]


def _relu6(here: Here, x: Ids, inplace: bool = False) -> Ids:
    return arithmetic.hardtanh(here, x, 0.0, 6.0, inplace)


def _negative(here: Here, x: Ids) -> Ids:
    return arithmetic.multiply(here, x, -1.0)


def _clamp_min(here: Here, x: Ids, min: Any) -> Ids:
    return arithmetic.clamp(here, x, min)


def _clamp_max(here: Here, x: Ids, max: Any) -> Ids:
    return arithmetic.clamp(here, x, None, max)


# names that are functions of torch and methods of tensors
COMPUTED: dict[str, Rule] = {
    "relu": arithmetic.relu, "prelu": arithmetic.prelu, "abs": arithmetic.absolute, "absolute": arithmetic.absolute,
    "clamp": arithmetic.clamp, "clip": arithmetic.clamp, "clamp_min": _clamp_min, "clamp_max": _clamp_max,
    "maximum": arithmetic.maximum, "minimum": arithmetic.minimum,
    "max": arithmetic.extreme(arithmetic.maximum, arithmetic.amax),
    "min": arithmetic.extreme(arithmetic.minimum, arithmetic.amin),
    "amax": arithmetic.amax, "amin": arithmetic.amin, "mean": arithmetic.mean, "sum": arithmetic.total,
    "add": arithmetic.add, "sub": arithmetic.subtract, "subtract": arithmetic.subtract, "mul": arithmetic.multiply,
    "multiply": arithmetic.multiply, "div": arithmetic.divide, "divide": arithmetic.divide,
    "true_divide": arithmetic.divide, "neg": _negative, "negative": _negative, "matmul": arithmetic.matmul,
    "mm": arithmetic.matmul,
}
MOVED: dict[str, Rule] = {
    "flatten": shapes.flatten, "reshape": shapes.reshape, "permute": shapes.permute, "transpose": shapes.transpose,
    "swapaxes": shapes.transpose, "t": shapes.transposed, "squeeze": shapes.squeeze, "unsqueeze": shapes.unsqueeze,
    "chunk": shapes.chunk, "split": shapes.split, "unbind": shapes.unbind, "clone": shapes.copied,
    "narrow": shapes.narrow, "select": shapes.select, "detach": shapes.same,
}
ASKED: dict[str, Rule] = {
    "view": shapes.reshape, "view_as": shapes.reshape_as, "reshape_as": shapes.reshape_as,
    "unflatten": shapes.unflatten, "contiguous": shapes.contiguous, "expand": shapes.expand,
    "expand_as": shapes.expand_as, "size": shapes.size, "dim": shapes.dimensions, "numel": shapes.entries,
    "to": shapes.cast, "double": shapes.same, "float": shapes.single, "cpu": shapes.same, "cuda": shapes.same,
}
WRITTEN = ("relu", "abs", "clamp", "clip", "clamp_min", "clamp_max", "add", "sub", "subtract", "mul", "multiply", "div",
           "divide", "neg")
METHODS: dict[Any, Rule] = COMPUTED | MOVED | ASKED | {f"{name}_": in_place(COMPUTED[name]) for name in WRITTEN}
FUNCTIONS: dict[Any, Rule] = {
    **{getattr(torch, name): rule for name, rule in (COMPUTED | MOVED).items() if hasattr(torch, name)},
    F.relu: arithmetic.relu, F.relu_: in_place(arithmetic.relu), torch.relu_: in_place(arithmetic.relu),
    F.leaky_relu: arithmetic.leaky_relu, F.prelu: arithmetic.prelu, F.relu6: _relu6, F.hardtanh: arithmetic.hardtanh,
    F.linear: arithmetic.linear, F.dropout: arithmetic.dropout,
    F.conv1d: windows.convolution, F.conv2d: windows.convolution, torch.conv1d: windows.convolution,
    torch.conv2d: windows.convolution,
    F.max_pool1d: windows.max_pool, F.max_pool2d: windows.max_pool, torch.max_pool1d: windows.max_pool,
    torch.max_pool2d: windows.max_pool,
    F.avg_pool1d: windows.average_pool, F.avg_pool2d: windows.average_pool, torch.avg_pool1d: windows.average_pool,
    F.adaptive_avg_pool1d: windows.adaptive_average, F.adaptive_avg_pool2d: windows.adaptive_average,
    torch.adaptive_avg_pool1d: windows.adaptive_average,
    F.adaptive_max_pool1d: windows.adaptive_max, F.adaptive_max_pool2d: windows.adaptive_max,
    torch.cat: shapes.concatenated, torch.concat: shapes.concatenated, torch.concatenate: shapes.concatenated,
    torch.stack: shapes.stacked, F.pad: shapes.pad,
    operator.add: arithmetic.add, operator.sub: arithmetic.subtract, operator.mul: arithmetic.multiply,
    operator.truediv: arithmetic.divide, operator.neg: _negative, operator.matmul: arithmetic.matmul,
    operator.iadd: in_place(arithmetic.add), operator.isub: in_place(arithmetic.subtract),
    operator.imul: in_place(arithmetic.multiply), operator.itruediv: in_place(arithmetic.divide),
    operator.abs: arithmetic.absolute, abs: arithmetic.absolute,
    operator.getitem: shapes.getitem, getattr: shapes.attribute,
}
