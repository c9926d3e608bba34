"""Arithmetic in which every operation is rounded to a format: sums, products, quotients, matrix products."""
from __future__ import annotations

from collections.abc import Callable
from enum import Enum
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from affinepieces.arithmetic.formats import FLOAT32, FLOAT64, Format, Parameters
from affinepieces.arithmetic.kernels import elementwise, products
from affinepieces.arithmetic.rounding import NEAREST, Nearest, Rounding, Stochastic, as_float64, random, require

Array = NDArray[Any]


class Order(Enum):
    """In which order the terms of a sum are added."""

    SEQUENTIAL = "sequential"  # ((s_0 + s_1) + s_2) + s_3
    PAIRWISE = "pairwise"  # (s_0 + s_1) + (s_2 + s_3), a balanced tree filled from the left

    @property
    def flag(self) -> int | None:
        """As the kernels want it."""
        return 1 if self is Order.PAIRWISE else None


def add(a: ArrayLike, b: ArrayLike, fmt: Format, rounding: Rounding = NEAREST) -> Array:
    """a + b, every sum rounded once; a and b broadcast, and hold numbers of the format.

    >>> from affinepieces.arithmetic.formats import BFLOAT16
    >>> add([256.0], [1.0], BFLOAT16)  # 257 needs nine bits
    array([256.])
    """
    return _entrywise(elementwise.add, a, b, fmt, rounding)


def subtract(a: ArrayLike, b: ArrayLike, fmt: Format, rounding: Rounding = NEAREST) -> Array:
    """a - b, every difference rounded once."""
    return _entrywise(elementwise.add, a, -as_float64(b, "b"), fmt, rounding)


def multiply(a: ArrayLike, b: ArrayLike, fmt: Format, rounding: Rounding = NEAREST) -> Array:
    """a * b entry by entry, every product rounded once.

    >>> from affinepieces.arithmetic.formats import FLOAT16
    >>> multiply([256.0, 2.0**-14], [256.0, 2.0**-11], FLOAT16)  # too large, and too small
    array([inf,  0.])
    """
    return _entrywise(elementwise.multiply, a, b, fmt, rounding)


def divide(a: ArrayLike, b: ArrayLike, fmt: Format, rounding: Rounding = NEAREST) -> Array:
    """a / b entry by entry, every quotient rounded once."""
    return _entrywise(elementwise.divide, a, b, fmt, rounding)


def matmul(a: ArrayLike, b: ArrayLike, fmt: Format, rounding: Rounding = NEAREST,
           order: Order = Order.SEQUENTIAL) -> Array:
    """Matrix product (n, k) times (k, m) with every product and every partial sum rounded.

    Returns float64, which holds every number of the format.

    >>> from affinepieces.arithmetic.formats import BFLOAT16
    >>> ones = np.ones((1, 1000))
    >>> matmul(ones, ones.T, BFLOAT16), matmul(ones, ones.T, BFLOAT16, order=Order.PAIRWISE)
    (array([[256.]]), array([[1000.]]))
    """
    left, right = as_float64(a, "a"), as_float64(b, "b")
    if left.ndim != 2 or right.ndim != 2 or left.shape[1] != right.shape[0] or not left.size or not right.size:
        raise ValueError(f"shapes {left.shape} and {right.shape} do not fit: expected (n, k) and (k, m), not empty")
    require(left, fmt, "a")
    require(right, fmt, "b")
    dtype = carrier(fmt, rounding)
    out = products.matmul(left.astype(dtype), right.astype(dtype), *kernel_arguments(fmt, rounding), order.flag)
    return np.asarray(out, np.float64)


def dot(a: ArrayLike, b: ArrayLike, fmt: Format, rounding: Rounding = NEAREST,
        order: Order = Order.SEQUENTIAL) -> float:
    """Dot product of two vectors with every product and every partial sum rounded.

    >>> from affinepieces.arithmetic.formats import FLOAT16
    >>> dot([1.0, 1.0, -1.0], [1.0, 2.0**-11, 1.0], FLOAT16)  # the small term is lost before it matters
    0.0
    """
    left, right = as_float64(a, "a"), as_float64(b, "b")
    if left.ndim != 1 or left.shape != right.shape or not left.size:
        raise ValueError(f"shapes {left.shape} and {right.shape} do not fit: expected twice (k,), not empty")
    return float(matmul(left[None, :], right[:, None], fmt, rounding, order)[0, 0])


def is_native(fmt: Format, rounding: Rounding) -> bool:
    """Whether the processor itself rounds like this."""
    return isinstance(rounding, Nearest) and fmt in (FLOAT32, FLOAT64)


def carrier(fmt: Format, rounding: Rounding) -> type[np.floating[Any]]:
    """The dtype in which the kernels compute."""
    return np.float32 if is_native(fmt, rounding) and fmt == FLOAT32 else np.float64


def kernel_arguments(fmt: Format, rounding: Rounding) -> tuple[Parameters | None, int | None, np.uint64 | None, int]:
    """f, careful, seed, counter: see `kernels.scalar`."""
    if is_native(fmt, rounding):
        return None, None, None, 0
    if isinstance(rounding, Stochastic) and fmt.precision > 26:
        raise ValueError(f"stochastic rounding of operations to {fmt.precision} bits: float64 holds the exact "
                         "results of at most 26 bits; take a format with t <= 26")
    seed, counter = random(rounding)
    careful = seed is None and (fmt.precision > 26 or fmt.parameters.scaled_tiny > 0)
    return fmt.parameters, 1 if careful else None, seed, counter


def _entrywise(kernel: Callable[..., Array], a: ArrayLike, b: ArrayLike, fmt: Format, rounding: Rounding) -> Array:
    left, right = np.broadcast_arrays(as_float64(a, "a"), as_float64(b, "b"))
    require(left, fmt, "a")
    require(right, fmt, "b")
    dtype = carrier(fmt, rounding)
    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
        out = kernel(left.ravel().astype(dtype), right.ravel().astype(dtype), *kernel_arguments(fmt, rounding))
    return np.asarray(out, np.float64).reshape(left.shape)
