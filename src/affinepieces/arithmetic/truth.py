"""Rounding of rational numbers to a format, by definition: slow, obviously right, the truth for the kernels."""
from __future__ import annotations

from fractions import Fraction

from affinepieces.arithmetic.formats import Format, Overflow


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


def round_fraction(x: Fraction, fmt: Format) -> float:
    """x rounded to nearest, ties to the even significand, then overflow and underflow as the format says.

    Returns a float64, which holds every number of every format; zero has the sign of x.
    Source: IEEE 754-2019, Section 4.3.1.

    >>> from affinepieces.arithmetic.formats import FLOAT16
    >>> round_fraction(Fraction(1, 3), FLOAT16), round_fraction(Fraction(65520), FLOAT16)
    (0.333251953125, inf)
    """
    lower, upper = neighbours(x, fmt)
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
