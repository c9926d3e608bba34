"""What computes: sums, products with constants, ReLU and its relatives, maxima."""
from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import torch

from affinepieces._torch.refusals import called
from affinepieces.importers import operations as op
from affinepieces.importers.lowering import Ids
from affinepieces.importers.torch.here import Here, numbers_of, plain, refuse, written


def relu(here: Here, x: Ids, inplace: bool = False) -> Ids:
    """max(x, 0)."""
    return written(x, op.relu(here.numbers, x, here.name), inplace)


def leaky_relu(here: Here, x: Ids, negative_slope: float = 0.01, inplace: bool = False) -> Ids:
    """One slope for all."""
    return written(x, op.leaky_relu(here.numbers, x, numbers_of(here, negative_slope), here.name), inplace)


def prelu(here: Here, x: Ids, weight: Any) -> Ids:
    """A slope for each channel, or one for all."""
    slope = numbers_of(here, weight)
    shape = (-1, *[1] * (x.ndim - 2)) if slope.size > 1 else ()
    return op.leaky_relu(here.numbers, x, slope.reshape(shape), here.name)


def hardtanh(here: Here, x: Ids, min_val: float = -1.0, max_val: float = 1.0, inplace: bool = False) -> Ids:
    """Between two numbers."""
    low, high = numbers_of(here, min_val), numbers_of(here, max_val)
    return written(x, op.clip(here.numbers, x, low, high, here.name), inplace)


def clamp(here: Here, x: Ids, min: Any = None, max: Any = None) -> Ids:
    """Between numbers or tensors, each of which may be missing."""
    for bound, compare in ((min, maximum), (max, minimum)):
        x = x if bound is None else compare(here, x, bound)
    return x


def maximum(here: Here, x: Any, y: Any) -> Ids:
    """Entry by entry."""
    return _compared(here, x, y, op.maximum, lambda n, v, c, name: op.clip(n, v, c, None, name))


def minimum(here: Here, x: Any, y: Any) -> Ids:
    """Entry by entry."""
    return _compared(here, x, y, op.minimum, lambda n, v, c, name: op.clip(n, v, None, c, name))


def _compared(here: Here, x: Any, y: Any, both: Callable[..., Ids], one: Callable[..., Ids]) -> Ids:
    if plain(x):
        x, y = y, x
    if not plain(y):
        return both(here.numbers, x, y, here.name)
    bound = numbers_of(here, y)
    return one(here.numbers, np.broadcast_to(x, np.broadcast_shapes(x.shape, bound.shape)), bound, here.name)


def absolute(here: Here, x: Ids) -> Ids:
    """|x|."""
    return op.absolute(here.numbers, x, here.name)


def add(here: Here, x: Any, y: Any, alpha: float = 1.0) -> Ids:
    """x + alpha y."""
    alpha = numbers_of(here, alpha)
    if plain(x):
        return op.combination(here.numbers, [(y, alpha)], numbers_of(here, x), here.name)
    if plain(y):
        return op.combination(here.numbers, [(x, 1.0)], alpha * numbers_of(here, y), here.name)
    return op.combination(here.numbers, [(x, 1.0), (y, alpha)], 0.0, here.name)


def subtract(here: Here, x: Any, y: Any, alpha: float = 1.0) -> Ids:
    """x - alpha y."""
    return add(here, x, y, -numbers_of(here, alpha))


def multiply(here: Here, x: Any, y: Any) -> Ids:
    """By a constant."""
    if plain(x):
        x, y = y, x
    return op.combination(here.numbers, [(x, numbers_of(here, y))], 0.0, here.name)


def divide(here: Here, x: Any, y: Any, rounding_mode: Any = None) -> Ids:
    """By a constant, as a multiplication."""
    if rounding_mode is not None:
        refuse(here, f"a division that rounds ({rounding_mode})")
    if plain(x):
        refuse(here, "a division by a tensor that depends on the input")
    divisor = numbers_of(here, y)
    if np.any(divisor == 0):
        raise ValueError(f"{called(here.name)} divides by zero")
    return op.combination(here.numbers, [(x, 1 / divisor)], 0.0, here.name)


def linear(here: Here, x: Any, weight: Any, bias: Any = None) -> Ids:
    """x A^T + b."""
    a = numbers_of(here, weight)
    if plain(x):
        refuse(here, "a matrix that depends on the input")
    return op.linear(here.numbers, x, a, None if bias is None else numbers_of(here, bias), here.name)


def matmul(here: Here, x: Any, y: Any) -> Ids:
    """With a constant matrix on either side, of two dimensions."""
    if plain(x):
        a = numbers_of(here, x)
        if y.ndim != 2 or a.ndim != 2:
            refuse(here, f"a product of shapes {a.shape} and {y.shape}")
        return op.linear(here.numbers, y.T, a, None, here.name).T
    a = numbers_of(here, y)
    if a.ndim != 2:
        refuse(here, f"a product of shapes {x.shape} and {a.shape}")
    return op.linear(here.numbers, x, a.T, None, here.name)


def dropout(here: Here, x: Ids, p: float = 0.5, training: bool = True, inplace: bool = False) -> Ids:
    """Nothing, in eval mode."""
    if training and p != 0:
        raise ValueError(f"{called(here.name)} is Dropout in training mode, a random function: call "
                         "module.eval() first")
    return x


def mean(here: Here, x: Ids, dim: Any = None, keepdim: bool = False, dtype: Any = None) -> Ids:
    """Over some axes, or all."""
    return _reduced(here, x, dim, keepdim, op.average)


def total(here: Here, x: Ids, dim: Any = None, keepdim: bool = False, dtype: Any = None) -> Ids:
    """Over some axes, or all."""
    return _reduced(here, x, dim, keepdim, op.total)


def amax(here: Here, x: Ids, dim: Any = None, keepdim: bool = False) -> Ids:
    """Over some axes, or all."""
    return _reduced(here, x, dim, keepdim, op.largest)


def amin(here: Here, x: Ids, dim: Any = None, keepdim: bool = False) -> Ids:
    """Over some axes, or all."""
    below = op.combination(here.numbers, [(x, -1.0)], 0.0, here.name)
    return op.combination(here.numbers, [(_reduced(here, below, dim, keepdim, op.largest), -1.0)], 0.0, here.name)


def extreme(pair: Callable[..., Ids], along: Callable[..., Ids]) -> Callable[..., Any]:
    """torch.max and torch.min: of two tensors, along an axis (with indices, which are refused if used), or of all."""

    def apply(here: Here, x: Any, dim: Any = None, keepdim: bool = False, other: Any = None) -> Any:
        second = dim if other is None else other
        if isinstance(second, np.ndarray | torch.Tensor) or plain(x):
            return pair(here, x, second)
        return along(here, x) if dim is None else (along(here, x, dim, keepdim), None)

    return apply


def _reduced(here: Here, x: Ids, dim: Any, keepdim: bool, reduce: Callable[..., Ids]) -> Ids:
    axes = tuple(range(x.ndim)) if dim is None else axes_of(dim)
    if dim is not None and x.ndim > 1 and len(x) == 1 and any(axis % x.ndim == 0 for axis in axes):
        refuse(here, "a sum, mean or extreme over the inputs of a batch")
    found = np.asarray(reduce(here.numbers, op.along(x, axes), here.name))
    return np.expand_dims(found, tuple(axis % x.ndim for axis in axes)) if keepdim else found


def axes_of(dim: Any) -> tuple[int, ...]:
    """One axis, or several."""
    return (int(dim),) if isinstance(dim, int) else tuple(map(int, dim))
