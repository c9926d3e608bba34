"""A continuous piecewise affine function of one variable, as data."""
from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from math import fsum
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from affinepieces.pieces.certificate import Certificate
from affinepieces.values import Value

if TYPE_CHECKING:
    from matplotlib.axes import Axes


@dataclass(frozen=True, eq=False, repr=False)
class PiecewiseAffine(Value):
    """t -> R^m on [t_0, t_r], affine between neighbouring breakpoints.

    breakpoints: (r + 1,), in order, the two ends included; one interval for each activation region.
    values: (r + 1, m), the function at the breakpoints.
    kinks: (r - 1,) booleans, whether the slope changes at the interior breakpoint, decided exactly.
    slopes: (r, m), the derivative on each interval; without them, differences of the values over those of the
    breakpoints.
    Numbers are float64, or `fractions.Fraction` (dtype object) in an exact trace, which has no rounding errors.
    In a certified trace two breakpoints that differ by less than the spacing of float64 are equal floats, and
    radius: (r + 1,), each breakpoint lies within this distance of its float;
    value_radius: (r + 1,), the function at the true breakpoint lies within this distance of the floats (2-norm);
    slope_radius: (r,), the same for the slopes; infinite where nothing is known;
    certificate: how the decisions were made.
    Raises ValueError where the arrays do not fit.
    """

    breakpoints: NDArray[Any]
    values: NDArray[Any]
    kinks: NDArray[np.bool_]
    slopes: NDArray[Any] = None  # type: ignore[assignment]
    radius: NDArray[np.float64] | None = None
    value_radius: NDArray[np.float64] | None = None
    slope_radius: NDArray[np.float64] | None = None
    certificate: Certificate | None = None

    def __post_init__(self) -> None:
        for name in ("breakpoints", "values", "kinks"):
            object.__setattr__(self, name, np.asarray(getattr(self, name)))
        r = len(self.breakpoints) - 1 if self.breakpoints.ndim == 1 else 0
        if r < 1 or self.values.ndim != 2 or len(self.values) != r + 1 or self.kinks.shape != (r - 1,) \
                or self.kinks.dtype != np.bool_:
            raise ValueError(f"breakpoints {self.breakpoints.shape}, values {self.values.shape} and kinks "
                             f"{self.kinks.shape} do not fit: expected (r + 1,), (r + 1, m) and booleans (r - 1,) with "
                             "r >= 1")
        if np.any(np.diff(self.breakpoints) < 0) or not self.breakpoints[0] < self.breakpoints[-1]:
            raise ValueError("breakpoints decrease: give them from left to right")
        if self.slopes is None:
            object.__setattr__(self, "slopes", self._differences())
        elif np.shape(self.slopes) != (r, self.values.shape[1]):
            raise ValueError(f"slopes have shape {np.shape(self.slopes)}, expected {(r, self.values.shape[1])}")
        super().__post_init__()

    def _differences(self) -> NDArray[Any]:
        with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
            return np.asarray(np.diff(self.values, axis=0) / np.diff(self.breakpoints)[:, None])

    @property
    def regions(self) -> int:
        """Number of activation regions."""
        return len(self.breakpoints) - 1

    @property
    def pieces(self) -> int:
        """Number of affine pieces: 1 + the number of breakpoints where the slope changes."""
        return 1 + int(np.count_nonzero(self.kinks))

    @property
    def total_variation(self) -> NDArray[Any]:
        """(m,): integral of |f'|, coordinate by coordinate; of the values as they are, rounded once."""
        return self._variation[0]

    @property
    def variation_radius(self) -> NDArray[np.float64]:
        """(m,): the true total variation lies within this distance of `total_variation`; zeros in an exact trace."""
        return self._variation[1]

    @property
    def variation_bound(self) -> NDArray[Any]:
        """(m,): not below the true total variation, and equal to it where nothing was rounded."""
        total, radius = self._variation
        with np.errstate(over="ignore", invalid="ignore"):
            above = np.where(radius > 0, np.nextafter(total.astype(np.float64) + radius, np.inf), np.inf)
        return total if self.values.dtype == object else np.where(radius == 0, total, above)

    @cached_property
    def _variation(self) -> tuple[NDArray[Any], NDArray[np.float64]]:
        """Total variation, and twice the errors of the values with the rounding of the sum."""
        if self.values.dtype == object:
            return np.abs(np.diff(self.values, axis=0)).sum(axis=0), np.zeros(self.values.shape[1])
        totals, rests = zip(*map(_climb, self.values.T), strict=True)
        doubled = 0.0 if self.value_radius is None else 2 * fsum(self.value_radius) * (1 + 2.0**-50)
        return np.array(totals), np.array(rests) + doubled

    def __call__(self, t: ArrayLike) -> NDArray[Any]:
        """Values at t inside the segment: (n,) -> (n, m), and a single number -> (m,)."""
        points = np.asarray(t)
        if points.dtype.kind not in "iufO" or points.ndim > 1:
            raise TypeError(f"t is {t!r}, expected a number or numbers of shape (n,)")
        ends = self.breakpoints[0], self.breakpoints[-1]
        if not np.all((points >= ends[0]) & (points <= ends[1])):
            raise ValueError(f"t runs from {points.min()} to {points.max()}, outside of [{ends[0]}, {ends[1]}]")
        many = np.atleast_1d(points)
        i = np.clip(np.searchsorted(self.breakpoints, many, side="right") - 1, 0, self.regions - 1)
        found = np.asarray(self.values[i] + (many - self.breakpoints[i])[:, None] * self.slopes[i])
        return found if points.ndim else found[0]

    def plot(self, ax: Axes | None = None) -> Axes:
        """The function, one line for each output, with a mark wherever a piece ends; returns the matplotlib axes."""
        from affinepieces.figures.function import draw

        axes: Axes = draw(self, ax)
        return axes

    def __repr__(self) -> str:
        kind = "exact" if self.breakpoints.dtype == object else str(self.values.dtype)
        a, b = float(self.breakpoints[0]), float(self.breakpoints[-1])
        return (f"PiecewiseAffine({self.pieces} pieces, {self.regions} regions on [{a}, {b}], "
                f"{self.values.shape[1]} outputs, {kind})")


def _climb(y: NDArray[np.float64]) -> tuple[float, float]:
    """Sum of |y_(i+1) - y_i|, rounded once, and what was rounded away; infinite beyond float64."""
    if not np.all(np.isfinite(y)):
        return float("inf"), float("inf")
    up = np.where(y[1:] >= y[:-1], 1.0, -1.0)
    terms = [*(up * y[1:]).tolist(), *(-up * y[:-1]).tolist()]
    try:
        total = fsum(terms)
        return total, abs(fsum([*terms, -total]))
    except OverflowError:
        return float("inf"), float("inf")
