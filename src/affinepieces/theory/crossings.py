"""Lemma 3.1: how often does a function cross a random level?

A neuron relu(h + b) can have a new breakpoint only where h + b = 0.  For a random bias the expected
number of these points is an integral over h, and so at most the total variation of h over the width
of the noise.  The lemma is the paper's (Karner, Kazeev, Petersen 2024); the identity is the companion's.
"""
from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from numbers import Real
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from affinepieces import environment
from affinepieces.arguments import instance, number, refuse
from affinepieces.pieces.piecewise import PiecewiseAffine

Array = NDArray[Any]


def count_crossings(h: PiecewiseAffine, levels: ArrayLike) -> NDArray[np.int64]:
    """The number of t in the segment with h(t) + b = 0, for each bias b in `levels`.

    The segment is closed: zeros at its ends count.  A zero at a breakpoint counts once.  Where h is flat
    at the level there are infinitely many zeros, and what is counted is their connected components;
    for a bias with a density this has probability zero.
    h: scalar, in float64 or Fractions.  levels: (n,), floats, integers or Fractions, in units of h.  Returns (n,).
    Comparisons only, nothing is rounded.  Raises ValueError for more than one output, for values of h
    that are not finite, for levels that are nan, and for those within `value_radius` of a value at a breakpoint.
    Source: paper, Lemma 3.1 (the quantity that it bounds).

    >>> import affinepieces as ap
    >>> tooth = ap.trace(ap.constructions.sawtooth(3), ap.Segment(0, 1))
    >>> count_crossings(tooth, [-0.5, 0.0, -1.0, -2.0])  # at half height, at the feet, at the peaks, above
    array([8, 5, 4, 0])
    """
    y, s = _values(scalar(h)), _minus(levels)
    _refuse_near(h, s)
    if s.dtype == object:
        y = y.astype(object)
    low, high, ends = np.sort(np.minimum(y[1:], y[:-1])), np.sort(np.maximum(y[1:], y[:-1])), np.sort(y)
    # a flat piece at the level counts -1 here, so that k of them in a row, with k + 1 ends, count 1 in all
    inside = np.searchsorted(low, s, side="left") - np.searchsorted(high, s, side="right")
    at_ends = np.searchsorted(ends, s, side="right") - np.searchsorted(ends, s, side="left")
    return np.asarray(inside + at_ends, dtype=np.int64)


def expected_crossings(h: PiecewiseAffine, width: Any, centre: Any = 0.0) -> Any:
    """E #{t : h(t) + b = 0} = (1 / l) * integral over {t : -h(t) in I} of |h'(t)| dt, b uniform on I of length l.

    I = [centre - width / 2, centre + width / 2].  An identity: counts of random draws converge to it.
    h: scalar.  width: l > 0, centre: both finite, in units of h; rounded to float64 unless h is exact.
    Returns a float >= 0 with an absolute error of at most 2 / l times the sum of `value_radius`, and a few units of
    2^-53 for each piece; from an exact trace a Fraction, without any error.  Raises ValueError for other arguments.
    Source: paper, Lemma 3.1; identity: companion (area formula).

    >>> import affinepieces as ap
    >>> tooth = ap.trace(ap.constructions.sawtooth(3), ap.Segment(0, 1))
    >>> expected_crossings(tooth, width=1.0, centre=-0.5)  # every bias crosses all 8 pieces
    8.0
    >>> expected_crossings(tooth, width=1.0)  # half of the biases cross none
    4.0
    """
    kind = Fraction if scalar(h).values.dtype == object else float
    number(width, "width", above=0, remedy="for a bias that is not random use count_crossings")
    length: Any = kind(width)
    middle: Any = kind(number(centre, "centre"))
    half: Any = kind(1) / 2
    number(length, "width, as a float,", above=0)

    def distribution(b: Array) -> Array:  # minus 1/2, which does not change the differences
        with np.errstate(over="ignore"):
            return np.asarray(np.clip((b - middle) / length, -half, half))

    return _mass(h, distribution)


def expected_crossings_of(h: PiecewiseAffine, cdf: Callable[[Array], ArrayLike]) -> Any:
    """E #{t : h(t) + b = 0} = integral of rho(-h(t)) |h'(t)| dt for b with density rho.

    h: scalar.  cdf: the distribution function of b, (n,) -> (n,), nondecreasing, between 0 and 1 and
    without jumps; for an exact trace its argument holds Fractions.  A piece contributes the probability that
    -b lies between the values at its ends.
    Returns a number >= 0.  Raises ValueError where cdf returns anything but (n,) numbers in [0, 1].
    Source: paper, Lemma 3.1; identity: companion.

    >>> import affinepieces as ap
    >>> line = ap.trace(ap.ReLUNetwork([[[1.0]]], [[0.0]]), ap.Segment(-1, 1))
    >>> logistic = lambda b: 1 / (1 + np.exp(-b))
    >>> round(expected_crossings_of(line, logistic), 6)  # the probability that |b| <= 1
    0.462117
    """
    if not callable(cdf):
        refuse("cdf", cdf, "a function, the distribution function of the bias")
    return _mass(scalar(h), cdf, check=True)


def crossings_bound(h: PiecewiseAffine, width: Any) -> Any:
    """E #{t : h(t) + b = 0} <= V(h) / l for b uniform on any interval of length l; V is the total variation.

    h: scalar.  width: l >= 0, finite, in units of h.  Returns inf for width 0: without randomness the
    lemma says nothing.  A Fraction from an exact trace.  Raises ValueError for other widths.
    Source: paper, Lemma 3.1.

    >>> import affinepieces as ap
    >>> crossings_bound(ap.trace(ap.constructions.sawtooth(3), ap.Segment(0, 1)), width=1.0)
    8.0
    """
    number(width, "width", least=0)
    variation = _variation(scalar(h))
    length = type(variation)(width)
    return variation / length if length > 0 else np.inf


def crossings_bound_density(h: PiecewiseAffine, density_bound: Any) -> Any:
    """E #{t : h(t) + b = 0} <= M V(h) for b with a density that is at most M.

    h: scalar.  density_bound: M > 0, in 1 / units of h, may be inf, and then the bound is inf.
    A Fraction from an exact trace.  Raises ValueError for other M.
    Source: paper, Lemma 3.1; form: companion.

    >>> import affinepieces as ap
    >>> tooth = ap.trace(ap.constructions.sawtooth(3), ap.Segment(0, 1))
    >>> crossings_bound_density(tooth, 0.25)  # logistic noise: its density is at most 1/4
    2.0
    """
    number(density_bound, "density_bound", above=0, finite=False, remedy="the maximum of the density")
    variation = _variation(scalar(h))
    return np.inf if density_bound == np.inf else variation * type(variation)(density_bound)


def scalar(h: PiecewiseAffine, name: str = "h") -> PiecewiseAffine:
    """The function, if it is one and has one output."""
    environment.check()
    remedy = "trace the network on a segment first, with affinepieces.trace(net, segment)"
    if instance(h, PiecewiseAffine, name, remedy).values.shape[1] != 1:
        raise ValueError(f"{name} is a function with {h.values.shape[1]} outputs, expected 1: "
                         "take one neuron at a time")
    return h


def _mass(h: PiecewiseAffine, cdf: Callable[[Array], ArrayLike], check: bool = False) -> Any:
    """Sum over the pieces of |cdf(-h(left)) - cdf(-h(right))|."""
    values = _values(h)
    f = np.asarray(cdf(-values))
    if check and not all(isinstance(v, Real) for v in f.ravel().tolist()):
        raise TypeError(f"cdf returned {f.dtype} entries, expected {values.shape} and probabilities: "
                        "give a vectorised distribution function")
    if check and (f.shape != values.shape or not np.all((f >= 0) & (f <= 1))):
        raise ValueError(f"cdf returned shape {f.shape} and values from {f.min()} to {f.max()}, expected "
                         f"{values.shape} and probabilities: give a vectorised distribution function")
    total = np.abs(np.diff(f)).sum()
    return total if isinstance(total, Fraction) else float(total)


def _variation(h: PiecewiseAffine) -> Any:
    """From above."""
    _values(h)
    total = h.variation_bound[0]
    return total if isinstance(total, Fraction) else float(total)


def _refuse_near(h: PiecewiseAffine, s: Array) -> None:
    """ValueError where a level is so near to a value at a breakpoint that its bound does not tell on which side."""
    if h.value_radius is None:
        return
    y, radius = h.values[h.value_radius > 0, 0], h.value_radius[h.value_radius > 0]
    low, high = np.nextafter(y - radius, -np.inf), np.nextafter(y + radius, np.inf)
    near = np.searchsorted(np.sort(low), s, side="right") > np.searchsorted(np.sort(high), s, side="left")
    if near.any():
        raise ValueError(f"levels[{int(np.argmax(near))}] is {-s[np.argmax(near)]}: as close to a value of h at a "
                         "breakpoint as its error bound, so that crossings cannot be told; use an exact trace of h")


def _values(h: PiecewiseAffine) -> Array:
    """(r + 1,): the values of a scalar function at its breakpoints."""
    y = h.values[:, 0]
    if y.dtype != object and not np.all(np.isfinite(y)):
        raise ValueError(f"the function takes the value {y[~np.isfinite(y)][0]}: use an exact trace")
    return np.asarray(y)


def _minus(levels: ArrayLike) -> Array:
    """-levels without rounding: floats as they are, everything else as Python numbers."""
    b = np.asarray(levels)
    if b.ndim != 1:
        raise ValueError(f"levels is {levels!r} of shape {b.shape}, expected (n,): a list of biases")
    if b.dtype.kind != "f":
        b = np.array([*b.tolist(), None], dtype=object)[:-1]
    for i, value in enumerate(b.tolist() if b.dtype.kind != "f" else ()):
        if not isinstance(value, Real):
            refuse(f"levels[{i}]", value, "a number")
    if np.any(b != b):
        raise ValueError("levels hold nan: every bias must be a number")
    return np.asarray(-b)
