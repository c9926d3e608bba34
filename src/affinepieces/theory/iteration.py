"""The full iteration: what a bound for one step says about all of them.

Let Phi_0, Phi_1, ... be perturbed iterates, and B a bound of the expected number of pieces after one step,
E[ pieces(Phi_k) | Phi_0, ..., Phi_{k-1} ] <= B for every k >= 1, whatever the past: the assumptions of
Theorem 3.4 hold at every step with the same constants.  That the number of pieces is limited in
the full iteration is the paper's; these forms are the companion's.
"""
from __future__ import annotations

from typing import Any

import numpy as np

from affinepieces.arguments import integer, number
from affinepieces.theory.approximation import error_lower_bound


def expected_share(bound: float, pieces: float) -> float:
    """E of the share of steps k = 1..K with pieces(Phi_k) >= m is at most q = (B - 1) / (m - 1), for every K.

    1 where m <= B.  bound: B >= 1, the expectation after each step is at most B; inf gives 1.  pieces: m >= 1.
    Markov's inequality for pieces - 1 >= 0 at each step; no condition on the past.  Attained by 1 or m pieces.
    Raises ValueError for other arguments.
    Source: paper, Section 3 (a bound during the full iteration); form: companion.

    >>> expected_share(bound=11, pieces=41)
    0.25
    """
    _check(bound, pieces, 1)
    return _markov(bound, pieces)


def maximum_probability(bound: float, pieces: float, steps: int) -> float:
    """P( max over k = 1..K of pieces(Phi_k) >= m ) <= min(1, K q) with q = (B - 1) / (m - 1).

    bound: B >= 1, the expectation after each step is at most B; inf gives probability 1.
    pieces: m >= 1.  steps: K >= 1.  Markov's inequality and the union of K events; attained where they exclude
    each other.  Raises ValueError or TypeError for other arguments.
    Source: companion.

    >>> maximum_probability(bound=11, pieces=1001, steps=20)
    0.2
    """
    _check(bound, pieces, steps)
    return min(1.0, steps * _markov(bound, pieces))


def maximum_probability_given_past(bound: float, pieces: float, steps: int) -> float:
    """P( max over k = 1..K of pieces(Phi_k) >= m ) <= 1 - (1 - q)^K with q = (B - 1) / (m - 1), 1 where m <= B.

    bound: B >= 1, must hold conditionally on the past, E[ pieces(Phi_k) | Phi_0..Phi_{k-1} ] <= B; inf gives
    probability 1.  pieces: m >= 1.  steps: K >= 1.  Below `maximum_probability`; attained by independent steps.
    Raises ValueError or TypeError for other arguments.
    Source: companion.

    >>> round(maximum_probability_given_past(bound=2, pieces=3, steps=2), 12)
    0.75
    """
    _check(bound, pieces, steps)
    q = _markov(bound, pieces)
    return 1.0 if q == 1 else float(-np.expm1(steps * np.log1p(-q)))


def maintain_probability(bound: float, pieces: float, steps: int) -> float:
    """P( pieces(Phi_k) >= m for every k = 1..K ) <= q^K with q = (B - 1) / (m - 1): pieces are hard to *maintain*.

    1 where m <= B.  bound: B >= 1, must hold conditionally on the past, E[ pieces(Phi_k) | Phi_0..Phi_{k-1} ] <= B;
    inf gives probability 1.  pieces: m >= 1.  steps: K >= 1.  By Markov each factor of
    P(A_1) P(A_2 | A_1) ... P(A_K | A_1, ..., A_{K-1}) is at most q; attained by independent steps.
    Raises ValueError or TypeError for other arguments.
    Source: paper, abstract ("highly unlikely to maintain"); form: companion.

    >>> maintain_probability(bound=11, pieces=41, steps=2)
    0.0625
    """
    _check(bound, pieces, steps)
    return float(_markov(bound, pieces) ** steps)


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
    if number(bound, "bound", least=1, finite=False) == np.inf:
        return 0.0 * error_lower_bound(curvature, length, 1)
    return error_lower_bound(curvature, length, bound)


def _markov(bound: float, pieces: float) -> float:
    """P(p >= m) <= (B - 1) / (m - 1): Markov's inequality for p - 1 >= 0."""
    return 1.0 if bound >= pieces else (bound - 1) / (pieces - 1)


def _check(bound: float, pieces: float, steps: Any) -> None:
    number(bound, "bound", least=1, finite=False, remedy="there is always one piece")
    number(pieces, "pieces", least=1)
    integer(steps, "steps", 1)
