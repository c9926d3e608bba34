"""Rounding of rational numbers to a format, by definition: slow, obviously right, the truth for the kernels."""
from __future__ import annotations

from fractions import Fraction
from numbers import Rational

import numpy as np
from numpy.typing import NDArray

from affinepieces.arguments import refuse
from affinepieces.arithmetic.exact import ExactArray
from affinepieces.arithmetic.formats import Format, Overflow, required
from affinepieces.arithmetic.rounding import NEAREST, Nearest, Toward, round_to


def neighbours(x: Fraction, fmt: Format) -> tuple[Fraction, Fraction]:
    """The two numbers with t bits and any exponent >= emin (subnormals included) around x; equal if x is one.

    Without subnormals the exponent is not bounded below.  The largest number of the format is not looked at.
    """
    if x < 0:
        lower, upper = neighbours(-x, fmt)
        return -upper, -lower
    if x == 0:
        return x, x
    exponent = x.numerator.bit_length() - x.denominator.bit_length()
    if x < Fraction(2) ** exponent:
        exponent -= 1  # now 2^exponent <= x < 2^(exponent + 1)
    if fmt.subnormals:
        exponent = max(exponent, fmt.emin)
    spacing = Fraction(2) ** (exponent - fmt.precision + 1)
    below = x // spacing * spacing
    return below, below if below == x else below + spacing


def round_fraction(x: Fraction, fmt: Format, rounding: Nearest | Toward = NEAREST) -> float:
    """x rounded, to nearest with ties to the even significand, then overflow and underflow as the format says.

    x: a Fraction or an integer; a float is refused, because it might be meant for the decimal number that it shows.
    Returns a float64, which holds every number of every format; zero has the sign of x.
    Source: IEEE 754-2019, Section 4.3.

    >>> from affinepieces.arithmetic.formats import FLOAT16
    >>> round_fraction(Fraction(1, 3), FLOAT16), round_fraction(Fraction(65520), FLOAT16)
    (0.333251953125, inf)
    """
    if isinstance(x, bool) or not isinstance(x, Rational):
        remedy = f"write Fraction({x!r}) for this float, Fraction('{x!r}') for the decimal number"
        refuse("x", x, "a Fraction", remedy if isinstance(x, float) else "")
    lower, upper = neighbours(Fraction(x), required(fmt))
    if isinstance(rounding, Toward):
        return _finish_directed(lower, upper, Fraction(x), fmt, rounding)
    if x - lower == upper - x and lower != upper:
        spacing = upper - lower
        return finish(lower if (lower / spacing) % 2 == 0 else upper, x, fmt)
    return finish(lower if x - lower < upper - x else upper, x, fmt)


def finish(y: Fraction, x: Fraction, fmt: Format) -> float:
    """The rounded number y of x with the ends of the range."""
    sign = -1.0 if x < 0 else 1.0
    if abs(y) > Fraction(fmt.largest):
        return sign * {Overflow.INFINITY: float("inf"), Overflow.SATURATE: fmt.largest,
                       Overflow.NAN: float("nan")}[fmt.overflow]
    if not fmt.subnormals and abs(y) < Fraction(fmt.smallest_normal):
        return sign * 0.0
    return sign * float(abs(y))


def _finish_directed(lower: Fraction, upper: Fraction, x: Fraction, fmt: Format, rounding: Toward) -> float:
    """The neighbour on the side of the rounding, with the ends of the range."""
    up = rounding is Toward.UP or (rounding is Toward.ZERO and x < 0)
    y, away, sign = upper if up else lower, up == (x > 0), -1.0 if x < 0 else 1.0
    if abs(y) > Fraction(fmt.largest) and not away:
        return sign * fmt.largest
    if away and not fmt.subnormals and 0 < abs(y) < Fraction(fmt.smallest_normal):
        return sign * fmt.smallest_normal
    return finish(y, x, fmt)


def round_exact(values: ExactArray, fmt: Format) -> NDArray[np.float64]:
    """`round_fraction` of every entry; only where float64 does not decide is it slow.

    A rational number lies between the two neighbours of its float64, and rounding is monotone: if the neighbours
    have the same rounding, it is that of the number.

    >>> from affinepieces.arithmetic.formats import FLOAT16
    >>> round_exact(ExactArray.of([1.0, 2.0]).times(Fraction(1, 3)), FLOAT16)
    array([0.33325195, 0.66650391])
    """
    near = values.to_float()
    if required(fmt).carrier is np.float64:
        return near
    rounded = np.asarray(round_to(near, fmt))
    below, above = (round_to(np.nextafter(near, end), fmt) for end in (-np.inf, np.inf))
    doubtful = np.argwhere(~((below == rounded) & (above == rounded)))
    if len(doubtful):
        exact = values.fractions()
        for where in map(tuple, doubtful):
            rounded[where] = round_fraction(exact[where], fmt)
    return rounded
