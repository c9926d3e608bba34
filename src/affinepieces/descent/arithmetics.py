"""What computes for each machine: the operations that the specification asks for."""
from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import NDArray

from affinepieces.arithmetic.exact import ExactArray
from affinepieces.arithmetic.functions import divided, enclosed, rounded_function
from affinepieces.arithmetic.kernels import elementwise, products
from affinepieces.arithmetic.rounding import Stochastic, round_to
from affinepieces.arithmetic.truth import round_exact
from affinepieces.descent.machines import NATIVE, Exact, Grain, Native, Rounded, Uniform

Array = NDArray[Any]
Mask = NDArray[np.bool_]


class Floats:
    """The arithmetic of numpy in one dtype; matrices and vectors may be stacked along leading axes."""

    def __init__(self, dtype: Any, foreign: bool = False) -> None:
        """foreign: whether what is taken may come from another machine."""
        self.dtype, self.foreign = np.dtype(dtype), foreign
        self.format = NATIVE[self.dtype]
        self.counter = 0  # position of the next random number
        self.numbers: dict[float, float] = {}  # constants, rounded
        self.counts = 2 ** NATIVE[self.dtype].precision  # all integers up to this one are numbers of the dtype

    def result(self, values: Array) -> Array:
        """What becomes of the result of an operation."""
        return values

    def array(self, values: Array) -> Array:
        """Parameters or data, already checked."""
        return values.astype(self.dtype)

    def take(self, a: Any) -> Array:
        """Numbers of any machine: rounded to nearest, once, if they come from another one."""
        if isinstance(a, ExactArray):
            return self.array(round_exact(a, self.format))
        if not self.foreign:
            return np.asarray(a, self.dtype)
        return self.array(np.asarray(round_to(a.astype(np.float64), self.format)))

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

    def add(self, a: Array, b: Array) -> Array:
        """Sum."""
        return self.result(a + b)

    def multiply(self, a: Array, b: Array) -> Array:
        """Product, entry by entry."""
        return self.result(a * b)

    def quotient(self, a: Array, b: Array) -> Array:
        """Quotient, entry by entry."""
        return self.result(a / b)

    def times(self, a: Array, power: float) -> Array:
        """Every entry times a power of two."""
        return self.result(a * self.dtype.type(power))

    def divide(self, a: Array, m: int) -> Array:
        """Every entry over an integer, which is not rounded even where the dtype cannot hold it."""
        if m <= self.counts:
            return self.result(a / self.dtype.type(m))
        return self.result((a.astype(np.float64) / m).astype(self.dtype))

    def number(self, value: float) -> float:
        """The nearest number of the machine."""
        if value not in self.numbers:
            self.numbers[value] = float(round_to(value, self.format))
        return self.numbers[value]

    def scale(self, a: Array, factor: float) -> Array:
        """Every entry times a number."""
        return self.result(a * self.dtype.type(factor))

    def over(self, a: Array, divisor: float) -> Array:
        """Every entry over a number."""
        return self.result(a / self.dtype.type(divisor))

    def shift(self, a: Array, term: float) -> Array:
        """Every entry plus a number."""
        return self.result(a + self.dtype.type(term))

    def sqrt(self, a: Array) -> Array:
        """Square root of every entry."""
        return self.result(np.sqrt(a))

    def exp(self, a: Array) -> Array:
        """Exponential of every entry, as numpy computes it."""
        return self.result(np.exp(a))

    def log(self, a: Array) -> Array:
        """Logarithm of every entry, as numpy computes it."""
        return self.result(np.log(a))

    def largest(self, a: Array) -> Array:
        """The largest entry of each column, in every row of it."""
        return np.broadcast_to(a.max(axis=-2, keepdims=True), a.shape)

    def column_sums(self, a: Array) -> Array:
        """The sum of each column, in every row of it."""
        return np.broadcast_to(self.row_sums(self.transpose(a))[..., None, :], a.shape)

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

    def __init__(self, machine: Rounded, start: int = 0, foreign: bool = False) -> None:
        """start: how many random numbers were used before."""
        super().__init__(np.float64, foreign)
        self.format, self.rounding = machine.format, machine.rounding
        self.counter = start + (machine.rounding.start if isinstance(machine.rounding, Stochastic) else 0)

    def result(self, values: Array) -> Array:
        """The array, rounded; each entry takes its own random bits."""
        rounding = self.rounding
        if isinstance(rounding, Stochastic):
            rounding = replace(rounding, start=self.counter)
            self.counter += values.size
        rounded: Array = np.asarray(round_to(values, self.format, rounding))
        return rounded


class RoundedOperations(Floats):
    """Every operation rounded, array by array.  `kernels.training` is the same in one piece, equal bit for bit."""

    def __init__(self, machine: Rounded, start: int = 0, foreign: bool = False) -> None:
        """start: how many random numbers were used before."""
        *self.how, counter = machine.kernel
        super().__init__(machine.carrier, foreign)
        self.rounding = machine.rounding
        self.format, self.counter = machine.format, counter + start
        self.sums = machine.sums

    def _next(self, count: int) -> int:
        """The position of so many random numbers."""
        self.counter += count
        return self.counter - count

    def _entrywise(self, kernel: Any, a: Array, b: Any) -> Array:
        right = np.broadcast_to(b, a.shape) if isinstance(b, np.ndarray) else np.array([b], self.dtype)
        found: Array = kernel(a.ravel(), right.ravel(), *self.how, self._next(a.size))
        return found.reshape(a.shape)

    def matmul(self, a: Array, b: Array) -> Array:
        """Matrix product."""
        left, right = np.ascontiguousarray(a), np.ascontiguousarray(b)
        found: Array = products.matmul(left, right, *self.how, self._next(2 * len(a) * b.size), *self.sums)
        return found

    def add_column(self, a: Array, b: Array) -> Array:
        """The vector b added to every column of a."""
        return self._entrywise(elementwise.add, a, b[:, None])

    def subtract(self, a: Array, b: Array) -> Array:
        """Difference."""
        return self._entrywise(elementwise.add, a, -b)

    def add(self, a: Array, b: Array) -> Array:
        """Sum."""
        return self._entrywise(elementwise.add, a, b)

    def multiply(self, a: Array, b: Array) -> Array:
        """Product, entry by entry."""
        return self._entrywise(elementwise.multiply, a, b)

    def quotient(self, a: Array, b: Array) -> Array:
        """Quotient, entry by entry."""
        return self._entrywise(elementwise.divide, a, b)

    def times(self, a: Array, power: float) -> Array:
        """Every entry times a power of two: its random numbers are those of the next operation too."""
        at = self.counter
        found = self._entrywise(elementwise.multiply, a, power)
        self.counter = at
        return found

    def divide(self, a: Array, m: int) -> Array:
        """Every entry over an integer, which is not rounded even where the format cannot hold it."""
        return self._entrywise(elementwise.divide, a, m)

    def scale(self, a: Array, factor: float) -> Array:
        """Every entry times a number."""
        return self._entrywise(elementwise.multiply, a, factor)

    def over(self, a: Array, divisor: float) -> Array:
        """Every entry over a number."""
        return self._entrywise(elementwise.divide, a, divisor)

    def shift(self, a: Array, term: float) -> Array:
        """Every entry plus a number."""
        return self._entrywise(elementwise.add, a, term)

    def sqrt(self, a: Array) -> Array:
        """Square root of every entry."""
        found: Array = elementwise.sqrt(np.ascontiguousarray(a).ravel(), *self.how, self._next(a.size))
        return found.reshape(a.shape)

    def exp(self, a: Array) -> Array:
        """Exponential of every entry, rounded once."""
        return self._function("exp", a)

    def log(self, a: Array) -> Array:
        """Logarithm of every entry, rounded once."""
        return self._function("log", a)

    def _function(self, name: str, a: Array) -> Array:
        rounding = self.rounding
        if isinstance(rounding, Stochastic):
            rounding = replace(rounding, start=self._next(a.size))
        return self.array(rounded_function(name, a.astype(np.float64), self.format, rounding))

    def row_sums(self, a: Array) -> Array:
        """Sums over the columns."""
        found: Array = self.matmul(np.ones((1, a.shape[1]), self.dtype), a.T)[0]
        return found

    def total(self, a: Array) -> Array:
        """Sum of all entries."""
        return self.row_sums(a.reshape(1, -1))


class Rationals:
    """Exact arithmetic; what leaves the rationals, and quotients of arrays, with a relative error below 2^-256."""

    def array(self, values: Any) -> ExactArray:
        """Parameters or data, floats or Fractions."""
        if isinstance(values, ExactArray):
            return values
        return ExactArray.from_fractions(values) if values.dtype == object else ExactArray.of(values)

    def take(self, a: Any) -> ExactArray:
        """Numbers of any machine; FloatingPointError unless they are finite."""
        if isinstance(a, ExactArray):
            return a
        if not np.isfinite(a).all():
            raise FloatingPointError("a rounded part has left the range of its format, and an exact one cannot go on "
                                     "from there: take a format with a wider range, or scale the data")
        return ExactArray.of(a)

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

    def add(self, a: ExactArray, b: ExactArray) -> ExactArray:
        """Sum."""
        return a + b

    def multiply(self, a: ExactArray, b: ExactArray) -> ExactArray:
        """Product, entry by entry."""
        return a.squared() if a is b else _entries(lambda u, v: u * v, a, b)

    def quotient(self, a: ExactArray, b: ExactArray) -> ExactArray:
        """Quotient, entry by entry, within PRECISION."""
        return _entries(divided, a, b)

    def times(self, a: ExactArray, power: float) -> ExactArray:
        """Every entry times a power of two."""
        return a.times(Fraction(power))

    def divide(self, a: ExactArray, m: int) -> ExactArray:
        """Every entry over an integer."""
        return a.times(Fraction(1, m))

    def scale(self, a: ExactArray, factor: float) -> ExactArray:
        """Every entry times the exact value of a float."""
        return a.times(Fraction(factor))

    def number(self, value: float) -> float:
        """The float as it is."""
        return value

    def over(self, a: ExactArray, divisor: float) -> ExactArray:
        """Every entry over the exact value of a float."""
        return a.times(1 / Fraction(divisor))

    def shift(self, a: ExactArray, term: float) -> ExactArray:
        """Every entry plus the exact value of a float."""
        return _entries(lambda u: u + Fraction(term), a)

    def sqrt(self, a: ExactArray) -> ExactArray:
        """Square root of every entry, within PRECISION."""
        return _entries(lambda u: enclosed("sqrt", u), a)

    def exp(self, a: ExactArray) -> ExactArray:
        """Exponential of every entry, within PRECISION."""
        return _entries(lambda u: enclosed("exp", u), a)

    def log(self, a: ExactArray) -> ExactArray:
        """Logarithm of every entry, within PRECISION."""
        return _entries(lambda u: enclosed("log", u), a)

    def largest(self, a: ExactArray) -> ExactArray:
        """The largest entry of each column, in every row of it."""
        rows = a.fractions()
        return ExactArray.from_fractions(np.broadcast_to(rows.max(axis=0), rows.shape))

    def column_sums(self, a: ExactArray) -> ExactArray:
        """The sum of each column, in every row of it."""
        rows = a.fractions()
        return ExactArray.from_fractions(np.broadcast_to(rows.sum(axis=0), rows.shape))

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


def arithmetic_of(machine: Uniform, start: int = 0, foreign: bool = False) -> Any:
    """What computes for the machine.

    start: how many random numbers were used before.  foreign: whether numbers may come from another machine.
    """
    if isinstance(machine, Exact):
        return Rationals()
    if isinstance(machine, Native):
        return Floats(machine.dtype, foreign)
    return (RoundedTensors if machine.grain is Grain.TENSOR else RoundedOperations)(machine, start, foreign)


def _entries(function: Callable[..., Fraction], *arrays: ExactArray) -> ExactArray:
    values = [a.fractions() for a in arrays]
    found = [function(*row) for row in zip(*(v.ravel() for v in values), strict=True)]
    return ExactArray.from_fractions(np.array([*found, None], object)[:-1].reshape(values[0].shape))
