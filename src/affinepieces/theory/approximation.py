"""Few pieces approximate badly: the sharp lower bound, and the exact error against a parabola."""
from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np

from affinepieces.arguments import number
from affinepieces.pieces.piecewise import PiecewiseAffine
from affinepieces.theory.crossings import scalar


def error_lower_bound(curvature: float, length: float, pieces: float) -> float:
    """sup |f - g| >= c |Omega|^2 / (16 p^2) for |f''| >= c on Omega and g piecewise affine with p pieces.

    curvature: c > 0, in units of f per unit of t squared.  length: |Omega| > 0.  pieces: p >= 1.
    Raises ValueError outside of these.  Sharp: attained for parabolas.
    Source: the companion, chapter "Why pieces matter".

    >>> error_lower_bound(curvature=2, length=1, pieces=4)  # x^2 on [0, 1]: 1 / (8 p^2)
    0.0078125
    """
    number(curvature, "curvature", above=0)
    number(length, "length", above=0)
    number(pieces, "pieces", least=1)
    return curvature * length**2 / (16 * pieces**2)


def sup_error_to_square(function: PiecewiseAffine) -> Any:
    """max |g(t) - t^2| over the segment of a scalar piecewise affine g; exact for an exact trace.

    On each interval the error is a parabola with its vertex at half of the slope, so its maximum is
    attained at an end or there.  Returns a Fraction or a float64, as the trace holds them; a float64 is right to four
    digits by the bounds of the trace, and ValueError says where these do not suffice.

    >>> import affinepieces as ap
    >>> sup_error_to_square(ap.trace(ap.constructions.square(3), ap.Segment(0, 1), exact=True))
    Fraction(1, 256)
    """
    scalar(function, "function")
    t, g, slope = function.breakpoints, function.values[:, 0], function.slopes[:, 0]
    half = Fraction(1, 2) if t.dtype == object else 0.5
    slope = np.where(np.isfinite(slope.astype(np.float64)), slope, 0)  # of an interval too thin to matter
    vertex = np.clip(slope * half, t[:-1], t[1:])
    at_vertex = g[:-1] + slope * (vertex - t[:-1]) - vertex**2
    error = max(np.abs(g - t**2).max(), np.abs(at_vertex).max())
    uncertain = _uncertainty(function)
    if not uncertain <= 1e-4 * error:
        raise ValueError(f"the error {error:g} is known up to {uncertain:g} only: give trace(net, segment, exact=True)")
    return error


def _uncertainty(function: PiecewiseAffine) -> float:
    """By how much |g(t) - t^2| may be off, from the bounds of the trace; 0 without rounding."""
    if function.value_radius is None or function.slope_radius is None or function.radius is None:
        return 0.0
    t, g, width = np.abs(function.breakpoints), np.abs(function.values[:, 0]), np.diff(function.breakpoints)
    with np.errstate(invalid="ignore", over="ignore"):
        steep = np.abs(function.slopes[:, 0]) + function.slope_radius
        inclined = np.where(width > 0, np.minimum(function.slope_radius * width, width**2), 0.0)
        ends = np.maximum(np.append(steep, 0.0), np.insert(steep, 0, 0.0)) * function.radius
    ends = np.where(function.radius > 0, ends, 0.0) + function.value_radius + 2.0**-49 * (g + t**2)
    return float(ends.max() + np.nanmax(inclined))
