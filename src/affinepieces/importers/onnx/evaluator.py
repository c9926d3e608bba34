"""onnx's reference evaluator, with the operators put right that it has wrong in some opsets."""
from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping
from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from affinepieces._extras import wanted

with wanted("onnx"):
    from onnx.reference import ReferenceEvaluator
    from onnx.reference.op_run import OpRun


class BatchNormalization(OpRun):
    """Of inference; the evaluator's own is that of training before opset 14."""

    op_domain = ""

    def _run(self, x: Any, scale: Any, bias: Any, mean: Any, variance: Any, **attributes: Any) -> tuple[Any, ...]:
        scale, bias, mean, variance = (v.reshape(-1, *[1] * (x.ndim - 2)) for v in (scale, bias, mean, variance))
        epsilon = np.float32(1e-5) if attributes.get("epsilon") is None else attributes["epsilon"]
        return (((x - mean) / np.sqrt(variance + epsilon) * scale + bias).astype(x.dtype),)


class GlobalMaxPool(OpRun):
    """In any number of dimensions; the evaluator's own is right for two."""

    op_domain = ""

    def _run(self, x: Any) -> tuple[Any, ...]:
        return (x.max(axis=tuple(range(2, x.ndim)), keepdims=True),)


class MaxPool(OpRun):
    """One window after the other; the evaluator's own fails for some paddings, and is wrong for some automatic ones."""

    op_domain = ""

    def _run(self, x: Any, **attributes: Any) -> tuple[Any, ...]:
        return (_pooled(x, attributes, lambda seen, _: seen.max(axis=2)),)


class AveragePool(OpRun):
    """One window after the other; the evaluator's own is wrong where sizes are rounded up."""

    op_domain = ""

    def _run(self, x: Any, **attributes: Any) -> tuple[Any, ...]:
        padded = bool(attributes.get("count_include_pad"))
        return (_pooled(x, attributes, lambda seen, within: seen.sum(axis=2) / x.dtype.type(
            within if padded else seen.shape[2])),)


def _pooled(x: Any, attributes: Mapping[str, Any], value: Callable[[Any, int], Any]) -> Any:
    """value(entries inside, how many places lie in the padded input) of each window, (N, C, K) -> (N, C)."""
    axes = [_places(n, axis, attributes) for axis, n in enumerate(x.shape[2:])]
    out = np.zeros((*x.shape[:2], *map(len, axes)), x.dtype)
    for at in np.ndindex(out.shape[2:]):
        inside, within = zip(*(axes[axis][k] for axis, k in enumerate(at)), strict=True)
        seen = x[(slice(None), slice(None), *np.ix_(*inside))]
        out[(slice(None), slice(None), *at)] = value(seen.reshape(*x.shape[:2], -1), prod(within))
    return out


def _places(n: int, axis: int, attributes: Mapping[str, Any]) -> list[tuple[list[int], int]]:
    """For each window along an axis of n entries: which it sees, and how many of its places lie in the padded input."""
    kernel, stride, dilation = ((attributes.get(key) or [1] * 9)[axis] for key in
                                ("kernel_shape", "strides", "dilations"))
    span, auto = dilation * (kernel - 1) + 1, attributes.get("auto_pad") or "NOTSET"
    pads = attributes.get("pads") or [0] * 2 * len(attributes["kernel_shape"])
    before, after = pads[axis], pads[axis + len(pads) // 2]
    if auto.startswith("SAME"):
        total = max(((n + stride - 1) // stride - 1) * stride + span - n, 0)
        before, after = sorted((total // 2, total - total // 2), reverse=auto == "SAME_LOWER")
    elif auto == "VALID":
        before = after = 0
    last = n + after - span  # where the last window may begin
    if attributes.get("ceil_mode") and auto == "NOTSET":
        last = min(last + stride - 1, n - 1)
    windows = [range(begin, begin + span, dilation) for begin in range(-before, last + 1, stride)]
    return [([i for i in window if 0 <= i < n], sum(i < n + after for i in window)) for window in windows]


class Evaluator:
    """Runs a model on numpy arrays, without warnings of numpy; ValueError if onnx cannot."""

    def __init__(self, model: Any) -> None:
        self._run = ReferenceEvaluator(model, new_ops=[BatchNormalization, GlobalMaxPool, MaxPool, AveragePool]).run

    def __call__(self, given: Mapping[str, NDArray[Any]]) -> list[Any]:
        """The outputs."""
        with np.errstate(all="ignore"), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return list(self._run(None, dict(given)))
