"""Stochastic rounding of updates that are smaller than the spacing: unbiased, and therefore a random walk."""
from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from affinepieces._arrays import exact_array
from affinepieces.arguments import number


def rounding_variance(update: ArrayLike, spacing: float) -> NDArray[np.float64]:
    """Variance of b + update rounded stochastically to the multiples of `spacing`, of which b is one: d (s - d).

    d is the distance of the update from the multiple of s below it.  For |update| < s that is |update| (s - |update|):
    b moves by one spacing with the probability |update| / s and otherwise stays.
    update: any finite numbers.  spacing: s > 0.  Same units; returns an array of the shape of `update`.
    Raises ValueError for other arguments.
    Source: companion, beyond the paper; the distribution is the definition of stochastic rounding (Connolly, Higham,
    Mary 2021).

    >>> rounding_variance([0.25, -0.25, 0.5, 1.0], spacing=1.0)
    array([0.1875, 0.1875, 0.25  , 0.    ])
    """
    spacing = number(spacing, "spacing", above=0)
    given = exact_array(update, "update")
    if not np.isfinite(given).all():
        raise ValueError(f"update holds {given[~np.isfinite(given)][0]}, expected finite numbers")
    below = np.mod(given, spacing)
    return np.asarray(below * (spacing - below))


def steps_to_wander(update: float, spacing: float, width: float) -> float:
    """After how many steps the random walk of one bias has the variance of noise that is uniform on a width w.

    w^2 / 12 over the variance of a step; inf where nothing is rounded.
    update: of each step.  spacing: s > 0.  width: w >= 0.  Same units.  Raises ValueError for other arguments.
    Source: companion, beyond the paper.

    >>> steps_to_wander(update=2.0**-20, spacing=2.0**-8, width=2.0**-7) > 1000
    True
    """
    variance = float(rounding_variance(number(update, "update"), spacing))
    return number(width, "width", least=0) ** 2 / 12 / variance if variance else np.inf
