"""Three machines: native floats, a format with every result rounded, exact rational arithmetic."""
from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import NDArray

from affinepieces.arithmetic.exact import ExactArray
from affinepieces.arithmetic.formats import FLOAT16, FLOAT32, FLOAT64, Format
from affinepieces.arithmetic.operations import Order
from affinepieces.arithmetic.rounding import NEAREST, Rounding, Stochastic, round_to

Array = NDArray[Any]
Mask = NDArray[np.bool_]
NATIVE = {np.dtype(np.float16): FLOAT16, np.dtype(np.float32): FLOAT32, np.dtype(np.float64): FLOAT64}


class Grain(Enum):
    """What is rounded."""

    OPERATION = "operation"  # every product, every partial sum, every difference
    TENSOR = "tensor"  # every array, after it was computed in float64: optimistic


@dataclass(frozen=True)
class Native:
    """NumPy and its linear algebra library in a dtype; the order of their sums is their own."""

    dtype: Any = np.float64

    def __post_init__(self) -> None:
        if np.dtype(self.dtype) not in NATIVE:
            raise TypeError(f"dtype is {self.dtype!r}, expected float16, float32 or float64")

    @property
    def format(self) -> Format:
        """The format of the dtype."""
        return NATIVE[np.dtype(self.dtype)]


@dataclass(frozen=True)
class Rounded:
    """Every result rounded to a format; see `Grain` and `Order` for what a result is.

    >>> from affinepieces.arithmetic.formats import BFLOAT16
    >>> Rounded(BFLOAT16).grain
    <Grain.OPERATION: 'operation'>
    """

    format: Format
    rounding: Rounding = NEAREST
    grain: Grain = Grain.OPERATION
    order: Order = Order.SEQUENTIAL

    def __post_init__(self) -> None:
        for name, value, kind in (("format", self.format, Format), ("rounding", self.rounding, Rounding),
                                  ("grain", self.grain, Grain), ("order", self.order, Order)):
            if not isinstance(value, kind):
                raise TypeError(f"{name} is {value!r}, expected a {getattr(kind, '__name__', 'rounding')}")
        if self.grain is Grain.TENSOR and self.order is not Order.SEQUENTIAL:
            raise ValueError("the grain TENSOR leaves the order of sums to the linear algebra library: omit `order`")


@dataclass(frozen=True)
class Exact:
    """Rational arithmetic: no rounding at all."""


Machine = Native | Rounded | Exact


class Floats:
    """The arithmetic of numpy in one dtype; matrices and vectors may be stacked along leading axes."""

    def __init__(self, dtype: Any) -> None:
        self.dtype = np.dtype(dtype)

    def result(self, values: Array) -> Array:
        """What becomes of the result of an operation."""
        return values

    def array(self, values: Array) -> Array:
        """Parameters or data, already checked."""
        return values.astype(self.dtype)

    def matmul(self, a: Array, b: Array) -> Array:
        """Matrix product."""
        return self.result(a @ b)

    def transpose(self, a: Array) -> Array:
        """Transposed matrix."""
        return np.swapaxes(a, -1, -2)

    def add_column(self, a: Array, b: Array) -> Array:
        """The vector b added to every column of a."""
        return self.result(a + b[..., None])

    def subtract(self, a: Array, b: Array) -> Array:
        """Difference."""
        return self.result(a - b)

    def square(self, a: Array) -> Array:
        """Entrywise square."""
        return self.result(a * a)

    def double(self, a: Array) -> Array:
        """Twice a."""
        return self.result(a + a)

    def divide(self, a: Array, m: int) -> Array:
        """Every entry over an integer."""
        return self.result(a / self.dtype.type(m))

    def scale(self, a: Array, factor: float) -> Array:
        """Every entry times a number."""
        return self.result(a * self.dtype.type(factor))

    def row_sums(self, a: Array) -> Array:
        """Sums over the columns."""
        return self.result(a.sum(axis=-1))

    def total(self, a: Array) -> Array:
        """Sum of all entries."""
        return self.result(a.reshape(*a.shape[:-2], -1).sum(axis=-1, keepdims=True))

    def active(self, z: Array) -> Mask:
        """Where z > 0, or not a number."""
        return ~(z <= 0)

    def keep(self, a: Array, mask: Mask) -> Array:
        """Zero where the mask is False."""
        return np.where(mask, a, self.dtype.type(0))


class RoundedTensors(Floats):
    """numpy in float64, every array rounded to a format when it is complete."""

    def __init__(self, machine: Rounded, start: int = 0) -> None:
        """start: how many random numbers were used before."""
        super().__init__(np.float64)
        self.format, self.rounding = machine.format, machine.rounding
        if isinstance(self.rounding, Stochastic):
            self.rounding = Stochastic(self.rounding.seed, self.rounding.start + start)

    def result(self, values: Array) -> Array:
        """The array, rounded; each array takes its own random bits."""
        rounded: Array = np.asarray(round_to(values, self.format, self.rounding))
        if isinstance(self.rounding, Stochastic):
            self.rounding = Stochastic(self.rounding.seed, self.rounding.start + values.size)
        return rounded


class Rationals:
    """Exact arithmetic."""

    def array(self, values: Array) -> ExactArray:
        """Parameters or data."""
        return ExactArray.of(values)

    def matmul(self, a: ExactArray, b: ExactArray) -> ExactArray:
        """Matrix product."""
        return a @ b

    def transpose(self, a: ExactArray) -> ExactArray:
        """Transposed matrix."""
        return a.T

    def add_column(self, a: ExactArray, b: ExactArray) -> ExactArray:
        """The vector b added to every column of a."""
        return a + b

    def subtract(self, a: ExactArray, b: ExactArray) -> ExactArray:
        """Difference."""
        return a - b

    def square(self, a: ExactArray) -> ExactArray:
        """Entrywise square."""
        return a.squared()

    def double(self, a: ExactArray) -> ExactArray:
        """Twice a."""
        return a.times(Fraction(2))

    def divide(self, a: ExactArray, m: int) -> ExactArray:
        """Every entry over an integer."""
        return a.times(Fraction(1, m))

    def scale(self, a: ExactArray, factor: float) -> ExactArray:
        """Every entry times the exact value of a float."""
        return a.times(Fraction(factor))

    def row_sums(self, a: ExactArray) -> ExactArray:
        """Sums over the columns."""
        return a.row_sums()

    def total(self, a: ExactArray) -> ExactArray:
        """Sum of all entries."""
        return a.row_sums().as_matrix().T.row_sums()

    def active(self, z: ExactArray) -> Mask:
        """Where z > 0."""
        return z.positive()

    def keep(self, a: ExactArray, mask: Mask) -> ExactArray:
        """Zero where the mask is False."""
        return a.where(mask)
