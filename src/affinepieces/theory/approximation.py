"""Few pieces approximate badly: the sharp lower bound, and the exact error against a parabola."""
from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np

from affinepieces.pieces.piecewise import PiecewiseAffine


def error_lower_bound(curvature: float, length: float, pieces: float) -> float:
    """sup |f - g| >= c |Omega|^2 / (16 p^2) for |f''| >= c on Omega and g piecewise affine with p pieces.

    curvature: c > 0, in units of f per unit of t squared.  length: |Omega| > 0.  pieces: p >= 1.
    Raises ValueError outside of these.  Sharp: attained for parabolas.
    Source: the companion, chapter "Why pieces matter".

    >>> error_lower_bound(curvature=2, length=1, pieces=4)  # x^2 on [0, 1]: 1 / (8 p^2)
    0.0078125
    """
    for name, value, least in (("curvature", curvature, 0), ("length", length, 0), ("pieces", pieces, 1)):
        if not np.isfinite(value) or value < least or value == 0:
            raise ValueError(f"{name} is {value}, expected a finite number "
                             f"{'>= 1' if least else '> 0'}")
    return curvature * length**2 / (16 * pieces**2)


def sup_error_to_square(function: PiecewiseAffine) -> Any:
    """max |g(t) - t^2| over the segment of a scalar piecewise affine g; exact for an exact trace.

    On each interval the error is a parabola with its vertex at half of the slope, so its maximum is
    attained at an end or there.  Returns a Fraction or a float64, as the trace holds them.

    >>> import affinepieces as ap
    >>> sup_error_to_square(ap.trace(ap.constructions.square(3), ap.Segment(0, 1), exact=True))
    Fraction(1, 256)
    """
    if function.values.shape[1] != 1:
        raise ValueError(f"the function has {function.values.shape[1]} outputs, expected 1")
    t, g, slope = function.breakpoints, function.values[:, 0], function.slopes[:, 0]
    half = Fraction(1, 2) if t.dtype == object else 0.5
    vertex = np.clip(slope * half, t[:-1], t[1:])
    at_vertex = g[:-1] + slope * (vertex - t[:-1]) - vertex**2
    return max(np.abs(g - t**2).max(), np.abs(at_vertex).max())
