"""The operators of ONNX that compute: each with the meaning that it has in opsets 7 to 21."""
from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from affinepieces.importers import operations as op
from affinepieces.importers.lowering import Ids
from affinepieces.importers.onnx.calls import Call, Floats

Operator = Callable[[Call], Sequence[Ids]]


def _gemm(call: Call) -> list[Ids]:
    alpha, beta = (float(call.attributes.get(key, 1.0)) for key in ("alpha", "beta"))
    turned = [bool(call.attributes.get(key, 0)) for key in ("transA", "transB")]
    plain = alpha == 1 and beta == 1 and call.is_traced(0) and call.has(2) and not call.is_traced(2)
    if plain:
        x, weight = call.ids(0), call.floats(1, "its B beside an A that depends on the input")
        return [op.linear(call.numbers, x.T if turned[0] else x, weight if turned[1] else weight.T,
                          call.floats(2, "its C"), call.name)]
    a, b = (call.ids(k).T if turned[k] and call.is_traced(k) else call.ids(k) if call.is_traced(k)
            else call.floats(k).T if turned[k] else call.floats(k) for k in (0, 1))
    product = _product(call, a, b)
    if alpha == 1 and not call.has(2):
        return [product]
    added = [(call.ids(2), beta)] if call.has(2) else []
    return [op.combination(call.numbers, [(product, alpha), *added], 0.0, call.name)]


def _matmul(call: Call) -> list[Ids]:
    a, b = (call.ids(k) if call.is_traced(k) else call.floats(k) for k in (0, 1))
    return [_product(call, a, b)]


def _product(call: Call, a: Any, b: Any) -> Ids:
    """Where one is traced and the other constant, with numpy's meaning for more than two dimensions."""
    if call.is_traced(0) and call.is_traced(1):
        raise ValueError("it multiplies two tensors that both depend on the network's input, which is not piecewise "
                         "affine: stop before it with until=...")
    left, right = (a[None] if a.ndim == 1 else a), (b[:, None] if b.ndim == 1 else b)
    if left.shape[-1] != right.shape[-2]:
        raise ValueError(f"it multiplies shapes {a.shape} and {b.shape}, expected as many columns as rows")
    batch = np.broadcast_shapes(left.shape[:-2], right.shape[:-2])
    left, right = (np.broadcast_to(m, (*batch, *m.shape[-2:])) for m in (left, right))
    out: Ids = np.zeros((*batch, left.shape[-2], right.shape[-1]), np.int64)
    for at in np.ndindex(batch):
        out[at] = op.linear(call.numbers, left[at], right[at].T, None, call.name) if call.is_traced(0) \
            else op.linear(call.numbers, right[at].T, left[at], None, call.name).T
    if b.ndim == 1:
        out = out[..., 0]
        return out[..., 0] if a.ndim == 1 else out
    return out[..., 0, :] if a.ndim == 1 else out


def _added(sign: float) -> Operator:
    def operator(call: Call) -> list[Ids]:
        if not call.is_traced(1):
            return [op.shift(call.numbers, call.ids(0), sign * call.floats(1), call.name)]
        if sign == 1 and not call.is_traced(0):
            return [op.shift(call.numbers, call.ids(1), call.floats(0), call.name)]
        if not call.is_traced(0):
            return [op.combination(call.numbers, [(call.ids(1), sign)], call.floats(0), call.name)]
        return [op.combination(call.numbers, [(call.ids(0), 1.0), (call.ids(1), sign)], 0.0, call.name)]
    return operator


def _sum(call: Call) -> list[Ids]:
    return [op.combination(call.numbers, [(call.ids(k), 1.0) for k in range(len(call.inputs))], 0.0, call.name)]


def _mul(call: Call) -> list[Ids]:
    if call.is_traced(0) and call.is_traced(1):
        raise ValueError("it multiplies two tensors that both depend on the network's input, which is not piecewise "
                         "affine: stop before it with until=...")
    x, factor = (0, 1) if call.is_traced(0) else (1, 0)
    return [op.combination(call.numbers, [(call.ids(x), call.floats(factor))], 0.0, call.name)]


def _div(call: Call) -> list[Ids]:
    with np.errstate(divide="ignore", over="ignore"):
        factor = 1 / call.floats(1, "its divisor")
    if not np.isfinite(factor).all():
        raise ValueError("its divisor has an entry whose reciprocal is no finite number, expected numbers away from 0")
    return [op.combination(call.numbers, [(call.ids(0), factor)], 0.0, call.name)]


def _neg(call: Call) -> list[Ids]:
    return [op.combination(call.numbers, [(call.ids(), -1.0)], 0.0, call.name)]


def _relu(call: Call) -> list[Ids]:
    return [op.relu(call.numbers, call.ids(), call.name)]


def _leaky_relu(call: Call) -> list[Ids]:
    slope = call.attributes.get("alpha", np.float32(0.01))
    return [op.leaky_relu(call.numbers, call.ids(), float(slope), call.name)]


def _prelu(call: Call) -> list[Ids]:
    return [op.leaky_relu(call.numbers, call.ids(), call.floats(1, "its slope"), call.name)]


def _abs(call: Call) -> list[Ids]:
    return [op.absolute(call.numbers, call.ids(), call.name)]


def _clip(call: Call) -> list[Ids]:
    low, high = (_bound(call, k, key) for k, key in ((1, "min"), (2, "max")))
    return [op.clip(call.numbers, call.ids(), low, high, call.name)]


def _bound(call: Call, k: int, key: str) -> Floats | None:
    """None where no number of the model's format lies beyond it."""
    if key in call.attributes:
        bound = np.asarray(call.attributes[key], np.float64)
    elif call.has(k):
        bound = call.floats(k, f"its {key}", infinite=True)
    else:
        return None
    largest = 3.38e38 if call.dtype in ("float32", "bfloat16") else 65504.0 if call.dtype == "float16" else 1.79e308
    if (bound > largest).any() if key == "min" else (bound < -largest).any():
        raise ValueError(f"its {key} is {bound}, beyond all numbers of {call.dtype}")
    return None if (np.abs(bound) >= largest).all() else bound


def _extreme(largest: bool) -> Operator:
    def operator(call: Call) -> list[Ids]:
        traced = [call.ids(k) for k in range(len(call.inputs)) if call.is_traced(k)]
        found = traced[0]
        for other in traced[1:]:
            x, y = np.broadcast_arrays(found, other)
            found = (op.maximum if largest else op.minimum)(call.numbers, x, y, call.name)
        for k in range(len(call.inputs)):
            if not call.is_traced(k):
                bound = call.floats(k)
                found = np.broadcast_to(found, np.broadcast_shapes(found.shape, bound.shape))
                found = op.clip(call.numbers, found, bound if largest else None, None if largest else bound, call.name)
        return [found]
    return operator


def _batch_norm(call: Call) -> list[Ids]:
    call.only_first_output("for training")
    if call.attributes.get("training_mode", 0):
        raise ValueError("it has training_mode=1, expected inference: export the model in eval mode")
    if call.attributes.get("spatial", 1) != 1:
        raise ValueError("it has spatial=0, expected one mean for each channel: save it with spatial=1")
    gamma, beta, mean, variance = (call.floats(k, role) for k, role in
                                   ((1, "its scale"), (2, "its B"), (3, "its mean"), (4, "its variance")))
    epsilon = float(call.attributes.get("epsilon", np.float32(1e-5)))
    if not (variance + epsilon > 0).all():
        raise ValueError(f"its variance plus epsilon is {(variance + epsilon).min()}, expected positive numbers")
    return [op.batch_norm(call.numbers, call.ids(), mean, variance, gamma, beta, epsilon, call.name)]


def _reduced(mean: bool) -> Operator:
    def operator(call: Call) -> list[Ids]:
        x, axes = call.ids(), call.integers(1, "axes")
        if not axes:
            if call.attributes.get("noop_with_empty_axes", 0):
                return [x]
            axes = list(range(x.ndim))
        kept = tuple(axis % x.ndim for axis in axes if -x.ndim <= axis < x.ndim)
        if len(set(kept)) != len(axes):
            raise ValueError(f"its axes are {axes}, expected different ones of a tensor of shape {x.shape}")
        found = (op.average if mean else op.total)(call.numbers, op.along(x, kept), call.name)
        return [np.expand_dims(found, kept) if call.attributes.get("keepdims", 1) else found]
    return operator


COMPUTING: dict[str, Operator] = {
    "Gemm": _gemm, "MatMul": _matmul, "Add": _added(1.0), "Sub": _added(-1.0), "Sum": _sum, "Mul": _mul, "Div": _div,
    "Neg": _neg, "Relu": _relu, "LeakyRelu": _leaky_relu, "PRelu": _prelu, "Abs": _abs, "Clip": _clip,
    "Max": _extreme(True), "Min": _extreme(False), "BatchNormalization": _batch_norm, "ReduceMean": _reduced(True),
    "ReduceSum": _reduced(False)}
