"""A continuous piecewise affine function of one variable, as data."""
from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray


@dataclass(frozen=True)
class Certificate:
    """How many decisions (signs of preactivations, changes of slope) were made at each level of accuracy."""

    float64: int = 0
    double_double: int = 0
    exact: int = 0

    def __add__(self, other: Certificate) -> Certificate:
        return Certificate(self.float64 + other.float64, self.double_double + other.double_double,
                           self.exact + other.exact)


@dataclass(frozen=True, eq=False)
class PiecewiseAffine:
    """t -> R^m on [t_0, t_r], affine between neighbouring breakpoints.

    breakpoints: (r + 1,), increasing, the two ends included; one interval for each activation region.
    values: (r + 1, m), the function at the breakpoints.
    kinks: (r - 1,) booleans, whether the slope changes at the interior breakpoint, decided exactly.
    Numbers are float64, or `fractions.Fraction` (dtype object) in an exact trace; the methods work
    for both, and without rounding for Fractions.
    radius: (r + 1,), in a certified trace: each breakpoint lies within this distance of its float.
    certificate: in a certified trace, how its decisions were made.
    """

    breakpoints: NDArray[Any]
    values: NDArray[Any]
    kinks: NDArray[np.bool_]
    radius: NDArray[np.float64] | None = None
    certificate: Certificate | None = None

    def __post_init__(self) -> None:
        r = len(self.breakpoints) - 1
        if r < 1 or self.values.ndim != 2 or len(self.values) != r + 1 or self.kinks.shape != (r - 1,):
            raise ValueError(f"breakpoints {self.breakpoints.shape}, values {self.values.shape} and kinks "
                             f"{self.kinks.shape} do not fit: expected (r + 1,), (r + 1, m) and (r - 1,) with r >= 1")

    @property
    def regions(self) -> int:
        """Number of activation regions."""
        return len(self.breakpoints) - 1

    @property
    def pieces(self) -> int:
        """Number of affine pieces: 1 + the number of breakpoints where the slope changes."""
        return 1 + int(np.count_nonzero(self.kinks))

    @cached_property
    def slopes(self) -> NDArray[Any]:
        """(r, m): derivative on each interval; not finite on an interval too thin for float64."""
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.asarray(np.diff(self.values, axis=0) / np.diff(self.breakpoints)[:, None])

    @cached_property
    def total_variation(self) -> NDArray[Any]:
        """(m,): integral of |f'|, coordinate by coordinate."""
        return np.asarray(np.abs(np.diff(self.values, axis=0)).sum(axis=0))

    def __call__(self, t: ArrayLike) -> NDArray[Any]:
        """Values at t of shape (n,) inside the segment: (n, m)."""
        points = np.asarray(t)
        ends = self.breakpoints[0], self.breakpoints[-1]
        if np.any(points < ends[0]) or np.any(points > ends[1]):
            raise ValueError(f"t runs from {points.min()} to {points.max()}, outside of [{ends[0]}, {ends[1]}]")
        i = np.clip(np.searchsorted(self.breakpoints, points, side="right") - 1, 0, self.regions - 1)
        return np.asarray(self.values[i] + (points - self.breakpoints[i])[:, None] * self.slopes[i])
