"""Exact arithmetic: arrays of rational numbers, as integers over one common denominator.

Floats are dyadic, so the denominator is a power of two until somebody divides by another number.
Sums, products and ReLU of such arrays are integer matrix operations: no division, no rounding.
"""
from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction
from math import lcm
from typing import Any

import numpy as np
from flint import fmpz, fmpz_mat
from numpy.typing import ArrayLike, NDArray

from affinepieces.arithmetic.rounding import as_float64


@dataclass(frozen=True, eq=False)
class ExactArray:
    """A matrix or vector (one column) of rational numbers: numerators / denominator.

    numerators: integer matrix of python-flint.  denominator: a positive integer.  shape: (n, m) or (n,).

    >>> third = ExactArray.of([[0.5, 0.25]]).times(Fraction(1, 3))
    >>> third.fractions()
    array([[Fraction(1, 6), Fraction(1, 12)]], dtype=object)
    """

    numerators: fmpz_mat
    denominator: int
    shape: tuple[int, ...]

    @classmethod
    def of(cls, values: ArrayLike) -> ExactArray:
        """The exact values of finite floats, of shape (n, m) or (n,)."""
        array = as_float64(values, "values")
        if array.ndim not in (1, 2) or not np.all(np.isfinite(array)):
            raise ValueError(f"values of shape {array.shape}, expected (n, m) or (n,) with finite entries")
        ratios = [v.as_integer_ratio() for v in array.ravel().tolist()]
        denominator = max((q for _, q in ratios), default=1)
        return cls._build([p * (denominator // q) for p, q in ratios], denominator, array.shape)

    @classmethod
    def _build(cls, entries: Iterable[Any], denominator: int, shape: tuple[int, ...]) -> ExactArray:
        rows, columns = shape if len(shape) == 2 else (shape[0], 1)
        return cls(fmpz_mat(rows, columns, list(entries)), int(denominator), shape)

    def __matmul__(self, other: ExactArray) -> ExactArray:
        """Matrix product."""
        shape = (self.shape[0], *other.shape[1:])
        return ExactArray(self.numerators * other.numerators, self.denominator * other.denominator, shape)

    def __add__(self, other: ExactArray) -> ExactArray:
        """Entrywise sum of arrays of one shape; a vector is added to every column of a matrix."""
        if len(other.shape) < len(self.shape):
            other = other.as_matrix() @ ExactArray.of(np.ones((1, self.shape[1])))
        if other.shape != self.shape:
            raise ValueError(f"shapes {self.shape} and {other.shape} cannot be added")
        common = lcm(self.denominator, other.denominator)
        left, right = fmpz(common // self.denominator), fmpz(common // other.denominator)
        return ExactArray(self.numerators * left + other.numerators * right, common, self.shape)

    def __sub__(self, other: ExactArray) -> ExactArray:
        """Entrywise difference."""
        return self + other.times(Fraction(-1))

    def times(self, factor: Fraction) -> ExactArray:
        """Every entry times a rational number."""
        factor = Fraction(factor)
        return ExactArray(self.numerators * fmpz(factor.numerator), self.denominator * factor.denominator, self.shape)

    @property
    def T(self) -> ExactArray:  # noqa: N802
        """Transpose of a matrix."""
        return ExactArray(self.numerators.transpose(), self.denominator, self.shape[::-1])

    def as_matrix(self) -> ExactArray:
        """A vector as a matrix of one column."""
        return ExactArray(self.numerators, self.denominator, (self.shape[0], 1))

    def squared(self) -> ExactArray:
        """Every entry squared."""
        return self._build((v * v for v in self.numerators.entries()), self.denominator**2, self.shape)

    def row_sums(self) -> ExactArray:
        """Vector of the sums over the columns of a matrix."""
        ones = fmpz_mat(self.shape[1], 1, [1] * self.shape[1])
        return ExactArray(self.numerators * ones, self.denominator, self.shape[:1])

    def positive(self) -> NDArray[np.bool_]:
        """Entry by entry, whether it is > 0."""
        return np.array([v > 0 for v in self.numerators.entries()], np.bool_).reshape(self.shape)

    def where(self, mask: NDArray[np.bool_]) -> ExactArray:
        """Zero where the mask is False."""
        zero, kept = fmpz(0), zip(self.numerators.entries(), mask.ravel().tolist(), strict=True)
        return self._build([v if keep else zero for v, keep in kept], self.denominator, self.shape)

    def fractions(self) -> NDArray[Any]:
        """The entries as `fractions.Fraction`, in an array of dtype object."""
        out = np.array([Fraction(int(v), self.denominator) for v in self.numerators.entries()], dtype=object)
        return out.reshape(self.shape)

    def to_float(self) -> NDArray[np.float64]:
        """The entries rounded to float64, each once; infinite beyond its range."""
        return np.array([quotient(int(v), self.denominator)
                         for v in self.numerators.entries()]).reshape(self.shape)

    def ratio(self, other: ExactArray) -> NDArray[np.float64]:
        """|self| / |other| entry by entry, correctly rounded; 0 / 0 = 0, otherwise infinite over zero."""
        pairs = zip(self.numerators.entries(), other.numerators.entries(), strict=True)
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
