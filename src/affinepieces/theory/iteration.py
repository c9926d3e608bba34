"""The full iteration: what a bound for one step says about all of them.

Let Phi_0, Phi_1, ... be perturbed iterates, and B a bound of the expected number of pieces after one step,
E[ pieces(Phi_k) | Phi_0, ..., Phi_{k-1} ] <= B for every k >= 1, whatever the past: the assumptions of
Theorem 3.4 hold at every step with the same constants.  That the number of pieces is limited in
the full iteration is the paper's; these forms are the companion's.
"""
from __future__ import annotations

from typing import Any

import numpy as np

from affinepieces.theory.approximation import error_lower_bound


def expected_share(bound: float, pieces: float) -> float:
    """E of the share of steps k = 1..K with pieces(Phi_k) >= m is at most min(1, B / m), for every K.

    bound: B >= 1, the expectation after each step is at most B; inf gives 1.  pieces: m >= 1.
    Markov's inequality for each step; no condition on the past.
    Raises ValueError for other arguments.
    Source: paper, Section 3 (a bound during the full iteration); form: companion.

    >>> expected_share(bound=10, pieces=40)
    0.25
    """
    _check(bound, pieces, 1)
    return min(1.0, bound / pieces)


def maximum_probability(bound: float, pieces: float, steps: int) -> float:
    """P( max over k = 1..K of pieces(Phi_k) >= m ) <= min(1, K B / m).

    bound: B >= 1, the expectation after each step is at most B; inf gives probability 1.
    pieces: m >= 1.  steps: K >= 1.  Markov's inequality and the union of K events.
    Raises ValueError or TypeError for other arguments.
    Source: companion.

    >>> maximum_probability(bound=10, pieces=1000, steps=20)
    0.2
    """
    _check(bound, pieces, steps)
    return min(1.0, steps * (bound / pieces))


def maintain_probability(bound: float, pieces: float, steps: int) -> float:
    """P( pieces(Phi_k) >= m for every k = 1..K ) <= min(1, (B / m)^K): pieces are hard to *maintain*.

    bound: B >= 1, must hold conditionally on the past, E[ pieces(Phi_k) | Phi_0..Phi_{k-1} ] <= B; inf
    gives probability 1.  pieces: m >= 1.  steps: K >= 1.  By Markov each factor of
    P(A_1) P(A_2 | A_1) ... P(A_K | A_1, ..., A_{K-1}) is at most B / m.
    Raises ValueError or TypeError for other arguments.
    Source: paper, abstract ("highly unlikely to maintain"); form: companion.

    >>> maintain_probability(bound=10, pieces=100, steps=3) <= 0.1**3 * 1.000001
    True
    """
    _check(bound, pieces, steps)
    return float(min(1.0, bound / pieces) ** steps)


def expected_error_bound(curvature: float, length: float, bound: float) -> float:
    """E sup |f - R(Phi)| >= c |Omega|^2 / (16 B^2) for |f''| >= c on Omega and E pieces <= B.

    With p pieces the error is at least c |Omega|^2 / (16 p^2); that is convex in p, so by Jensen its expectation
    is at least its value at E p <= B.  If B is polynomial in the depth, so is the error: no exponential rate.
    curvature: c > 0, in units of f per unit of t squared.  length: |Omega| > 0.  bound: B >= 1; inf gives 0.
    Raises ValueError for other arguments.
    Source: companion.

    >>> expected_error_bound(curvature=2, length=1, bound=4)
    0.0078125
    """
    if bound == np.inf:
        return 0.0 * error_lower_bound(curvature, length, 1)
    return error_lower_bound(curvature, length, bound)


def _check(bound: float, pieces: float, steps: Any) -> None:
    if not bound >= 1:
        raise ValueError(f"bound is {bound}, expected a number >= 1: there is always one piece")
    if not (pieces >= 1 and np.isfinite(pieces)):
        raise ValueError(f"pieces is {pieces}, expected a finite number >= 1")
    if isinstance(steps, bool) or not isinstance(steps, int | np.integer):
        raise TypeError(f"steps is {steps!r}, expected an integer: the number of steps")
    if steps < 1:
        raise ValueError(f"steps is {steps}, expected an integer >= 1")
