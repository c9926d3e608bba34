"""Arithmetic in which every operation is rounded to a format: sums, products, quotients, matrix products."""
from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from affinepieces._arrays import exact_array
from affinepieces._interrupts import patiently
from affinepieces.arguments import choice
from affinepieces.arithmetic.formats import Format, KernelFormat, required
from affinepieces.arithmetic.kernels import elementwise, products
from affinepieces.arithmetic.rounding import NEAREST, Nearest, Rounding, Stochastic, Toward, parameters, random, require
from affinepieces.values import Choice

Array = NDArray[Any]


class Order(Choice):
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
    return _entrywise(elementwise.add, a, -exact_array(b, "b"), fmt, rounding)


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
           order: Order = Order.SEQUENTIAL, accumulator: Format | None = None) -> Array:
    """Matrix product (n, k) times (k, m) with every product and every partial sum rounded.

    accumulator: a wider format, to which products and partial sums are rounded, to nearest; the complete sum is then
    rounded to `fmt`.  Returns float64, which holds every number of the format.

    >>> from affinepieces.arithmetic.formats import BFLOAT16
    >>> ones = np.ones((1, 1000))
    >>> matmul(ones, ones.T, BFLOAT16), matmul(ones, ones.T, BFLOAT16, order=Order.PAIRWISE)
    (array([[256.]]), array([[1000.]]))
    """
    left, right, kernel = exact_array(a, "a"), exact_array(b, "b"), kernel_arguments(fmt, rounding)
    choice(order, Order, "order")
    wider = accumulator_arguments(wide_enough(accumulator, fmt))
    if left.ndim != 2 or right.ndim != 2 or left.shape[1] != right.shape[0] or not left.size or not right.size:
        raise ValueError(f"a has shape {left.shape} and b has shape {right.shape}, "
                         "expected (n, k) and (k, m), not empty")
    require(left, fmt, "a")
    require(right, fmt, "b")
    if wider is not None and kernel[0] is None:
        kernel = (fmt.parameters, None, None, 0)  # the sums are not the processor's in this format
    dtype = carrier(fmt, rounding) if wider is None else np.float64
    factors = left.astype(dtype), right.astype(dtype)
    out = patiently(len(left) * right.size, products.matmul, *factors, *kernel, order.flag, wider)
    return np.asarray(out, np.float64)


def dot(a: ArrayLike, b: ArrayLike, fmt: Format, rounding: Rounding = NEAREST,
        order: Order = Order.SEQUENTIAL, accumulator: Format | None = None) -> float:
    """Dot product of two vectors with every product and every partial sum rounded, as in `matmul`.

    >>> from affinepieces.arithmetic.formats import FLOAT16
    >>> dot([1.0, 1.0, -1.0], [1.0, 2.0**-11, 1.0], FLOAT16)  # the small term is lost before it matters
    0.0
    """
    left, right = exact_array(a, "a"), exact_array(b, "b")
    if left.ndim != 1 or left.shape != right.shape or not left.size:
        raise ValueError(f"a has shape {left.shape} and b has shape {right.shape}, expected twice (k,), not empty")
    return float(matmul(left[None, :], right[:, None], fmt, rounding, order, accumulator)[0, 0])


def is_native(fmt: Format, rounding: Rounding) -> bool:
    """Whether the processor itself rounds like this."""
    return isinstance(rounding, Nearest) and fmt.carrier is not None


def carrier(fmt: Format, rounding: Rounding) -> type[np.floating[Any]]:
    """The dtype in which the kernels compute."""
    return (fmt.carrier if isinstance(rounding, Nearest) else None) or np.float64


def kernel_arguments(fmt: Format, rounding: Rounding) -> tuple[
        KernelFormat | None, int | None, np.uint64 | int | None, int]:
    """f, careful, seed, counter: see `kernels.scalar`."""
    if is_native(required(fmt), rounding):
        return None, None, None, 0
    if isinstance(rounding, Stochastic) and fmt.precision > 26:
        raise ValueError(f"stochastic rounding of operations to {fmt.precision} bits: float64 holds the exact "
                         "results of at most 26 bits; take a format with t <= 26")
    seed, counter = random(rounding)
    if isinstance(rounding, Toward):
        return fmt.parameters, 1, rounding.flag, counter
    careful = seed is None and (fmt.precision > 26 or fmt.parameters.scaled_tiny > 0)
    return parameters(fmt, rounding), 1 if careful else None, seed, counter


def accumulator_arguments(accumulator: Format | None) -> tuple[KernelFormat | None, int | None] | None:
    """`wider` of `kernels.products`."""
    if accumulator is None:
        return None
    if accumulator.carrier is np.float64:
        return None, None
    return accumulator.parameters, 1 if accumulator.precision > 26 or accumulator.parameters.scaled_tiny else None


def wide_enough(accumulator: Format | None, fmt: Format) -> Format | None:
    """The accumulator for products of numbers of the format; ValueError if it could not hold the format's numbers."""
    if accumulator is None:
        return None
    wider = required(accumulator, "accumulator")
    if wider.precision < fmt.precision or wider.largest < fmt.largest or wider.spacing > fmt.spacing or wider == fmt:
        raise ValueError(f"accumulator is {wider}, which is not wider than {fmt}: take one that holds all numbers of "
                         f"{fmt} and more, for example FLOAT32")
    return wider


def _entrywise(kernel: Callable[..., Array], a: ArrayLike, b: ArrayLike, fmt: Format, rounding: Rounding) -> Array:
    left, right, arguments = exact_array(a, "a"), exact_array(b, "b"), kernel_arguments(fmt, rounding)
    try:
        left, right = map(np.array, np.broadcast_arrays(left, right))
    except ValueError:
        raise ValueError(f"a has shape {left.shape} and b has shape {right.shape}, expected shapes that "
                         "broadcast") from None
    require(left, fmt, "a")
    require(right, fmt, "b")
    dtype = carrier(fmt, rounding)
    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
        out = kernel(left.ravel().astype(dtype), right.ravel().astype(dtype), *arguments)
    return np.asarray(out, np.float64).reshape(left.shape)
