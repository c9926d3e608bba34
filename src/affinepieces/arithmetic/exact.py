"""Exact arithmetic: arrays of rational numbers, as integers over one common denominator.

Floats are dyadic, so the denominator is a power of two until somebody divides by another number.
Sums, products and ReLU of such arrays are integer matrix operations: no division, no rounding.
"""
from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction
from math import gcd, lcm
from typing import Any

import numpy as np
from flint import fmpz, fmpz_mat
from numpy.typing import ArrayLike, NDArray

from affinepieces import environment
from affinepieces._arrays import exact_array
from affinepieces.arguments import instance, integer, items
from affinepieces.values import Value


@dataclass(frozen=True, eq=False, init=False, repr=False)
class ExactArray(Value):
    """A matrix or vector (one column) of rational numbers: numerators / denominator.

    numerators: integer matrix of python-flint, copied.  denominator: a positive integer.  shape: (n, m) or (n,).
    Equal if the numbers are, whatever their common denominator.

    >>> third = ExactArray.of([[0.5, 0.25]]).times(Fraction(1, 3))
    >>> third.fractions()
    array([[Fraction(1, 6), Fraction(1, 12)]], dtype=object)
    >>> third
    ExactArray(1 x 2, denominator of 4 bits)
    """

    _matrix: fmpz_mat
    denominator: int
    shape: tuple[int, ...]

    def __init__(self, numerators: fmpz_mat, denominator: int, shape: tuple[int, ...]) -> None:
        matrix, size = instance(numerators, fmpz_mat, "numerators"), tuple(items(shape, "shape", "one or two integers"))
        if (*size, 1)[:2] != (matrix.nrows(), matrix.ncols()) or len(size) > 2:
            raise ValueError(f"shape is {shape}, but the numerators have {matrix.nrows()} rows and "
                             f"{matrix.ncols()} columns: give (rows, columns), or (rows,) for one column")
        object.__setattr__(self, "_matrix", fmpz_mat(matrix))
        object.__setattr__(self, "denominator", integer(denominator, "denominator", 1))
        object.__setattr__(self, "shape", size)

    @property
    def numerators(self) -> fmpz_mat:
        """A copy of the matrix, because flint's matrices can be written to."""
        return fmpz_mat(self._matrix)

    def _parts(self) -> tuple[Any, ...]:
        entries = [int(v) for v in self._matrix.entries()]
        common = gcd(self.denominator, *entries)
        return self.shape, self.denominator // common, tuple(v // common for v in entries)

    def __reduce__(self) -> tuple[Any, ...]:
        return ExactArray._build, ([int(v) for v in self._matrix.entries()], self.denominator, self.shape)

    def __repr__(self) -> str:
        return f"ExactArray({' x '.join(map(str, self.shape))}, denominator of {self.denominator.bit_length()} bits)"

    @classmethod
    def of(cls, values: ArrayLike) -> ExactArray:
        """The exact values of finite floats, of shape (n, m) or (n,)."""
        array = exact_array(values, "values")
        if array.ndim not in (1, 2) or not np.all(np.isfinite(array)):
            raise ValueError(f"values of shape {array.shape}, expected (n, m) or (n,) with finite entries")
        ratios = [v.as_integer_ratio() for v in array.ravel().tolist()]
        denominator = max((q for _, q in ratios), default=1)
        return cls._build([p * (denominator // q) for p, q in ratios], denominator, array.shape)

    @classmethod
    def from_fractions(cls, values: NDArray[Any]) -> ExactArray:
        """Fractions in an array of dtype object, of shape (n, m) or (n,).

        >>> ExactArray.from_fractions(np.array([Fraction(1, 3), Fraction(1, 2)])).denominator
        6
        """
        entries = values.ravel().tolist()
        denominator = lcm(*(v.denominator for v in entries))
        return cls._build([v.numerator * (denominator // v.denominator) for v in entries], denominator, values.shape)

    @classmethod
    def _build(cls, entries: Iterable[Any], denominator: int, shape: tuple[int, ...]) -> ExactArray:
        rows, columns = shape if len(shape) == 2 else (shape[0], 1)
        return cls(fmpz_mat(rows, columns, list(entries)), int(denominator), shape)

    def __matmul__(self, other: ExactArray) -> ExactArray:
        """Matrix product."""
        shape = (self.shape[0], *other.shape[1:])
        return ExactArray(self._matrix * other._matrix, self.denominator * other.denominator, shape)

    def __add__(self, other: ExactArray) -> ExactArray:
        """Entrywise sum of arrays of one shape; a vector is added to every column of a matrix."""
        if len(other.shape) < len(self.shape):
            other = other.as_matrix() @ ExactArray.of(np.ones((1, self.shape[1])))
        if other.shape != self.shape:
            raise ValueError(f"shapes {self.shape} and {other.shape} cannot be added")
        common = lcm(self.denominator, other.denominator)
        left, right = fmpz(common // self.denominator), fmpz(common // other.denominator)
        return ExactArray(self._matrix * left + other._matrix * right, common, self.shape)

    def __sub__(self, other: ExactArray) -> ExactArray:
        """Entrywise difference."""
        return self + other.times(Fraction(-1))

    def times(self, factor: Fraction) -> ExactArray:
        """Every entry times a rational number."""
        factor = Fraction(factor)
        return ExactArray(self._matrix * fmpz(factor.numerator), self.denominator * factor.denominator, self.shape)

    @property
    def T(self) -> ExactArray:  # noqa: N802
        """Transpose of a matrix."""
        return ExactArray(self._matrix.transpose(), self.denominator, self.shape[::-1])

    def as_matrix(self) -> ExactArray:
        """A vector as a matrix of one column."""
        return ExactArray(self._matrix, self.denominator, (self.shape[0], 1))

    def squared(self) -> ExactArray:
        """Every entry squared."""
        return self._build((v * v for v in self._matrix.entries()), self.denominator**2, self.shape)

    def row_sums(self) -> ExactArray:
        """Vector of the sums over the columns of a matrix."""
        ones = fmpz_mat(self.shape[1], 1, [1] * self.shape[1])
        return ExactArray(self._matrix * ones, self.denominator, self.shape[:1])

    def positive(self) -> NDArray[np.bool_]:
        """Entry by entry, whether it is > 0."""
        return np.array([v > 0 for v in self._matrix.entries()], np.bool_).reshape(self.shape)

    def where(self, mask: NDArray[np.bool_]) -> ExactArray:
        """Zero where the mask is False."""
        zero, kept = fmpz(0), zip(self._matrix.entries(), mask.ravel().tolist(), strict=True)
        return self._build([v if keep else zero for v, keep in kept], self.denominator, self.shape)

    def fractions(self) -> NDArray[Any]:
        """The entries as `fractions.Fraction`, in an array of dtype object."""
        out = np.array([Fraction(int(v), self.denominator) for v in self._matrix.entries()], dtype=object)
        return out.reshape(self.shape)

    def to_float(self) -> NDArray[np.float64]:
        """The entries rounded to float64, each once; infinite beyond its range."""
        environment.check()
        return np.array([quotient(int(v), self.denominator)
                         for v in self._matrix.entries()]).reshape(self.shape)

    def ratio(self, other: ExactArray) -> NDArray[np.float64]:
        """|self| / |other| entry by entry, correctly rounded; 0 / 0 = 0, otherwise infinite over zero."""
        environment.check()
        pairs = zip(self._matrix.entries(), other._matrix.entries(), strict=True)
        return np.array([quotient(abs(int(p)) * other.denominator, abs(int(q)) * self.denominator)
                         for p, q in pairs]).reshape(self.shape)


def quotient(p: int, q: int) -> float:
    """p / q rounded once; 0 / 0 = 0, infinite beyond the range of float64 and over zero."""
    if p == 0:
        return 0.0
    try:
        return p / q
    except (OverflowError, ZeroDivisionError):
        return float("inf") if p > 0 else float("-inf")
