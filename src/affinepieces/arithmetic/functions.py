"""Exponential, logarithm and square root, which leave the rational numbers: enclosed, until the rounding is certain."""
from __future__ import annotations

from fractions import Fraction
from threading import Lock
from typing import Any

import numpy as np
from flint import arb, ctx, fmpq
from numpy.typing import NDArray

from affinepieces.arithmetic.formats import FLOAT64, Format
from affinepieces.arithmetic.rounding import Nearest, Rounding, Stochastic, Toward, round_to
from affinepieces.arithmetic.truth import round_fraction

PRECISION = 256  # bits: the relative error of `enclosed` and of `divided` is below 2^-PRECISION
CERTAIN = 2.0**-48  # relative error that numpy's functions stay far below
SMALLEST, LARGEST = -800, 800  # exp of what lies beyond is beyond every format, too
MOST = 10**6  # modulus of an argument of exp that is enclosed
_one_at_a_time = Lock()  # flint's precision belongs to all threads together


def rounded_function(name: str, x: NDArray[np.float64], fmt: Format, rounding: Rounding) -> NDArray[np.float64]:
    """exp or log of every entry, rounded once; with random bits, of the value rounded to float64.

    Balls around the value shrink until both ends have the same rounding (Ziv's strategy).

    >>> from affinepieces.arithmetic.formats import BFLOAT16
    >>> rounded_function("exp", np.array([0.0, -1.0]), BFLOAT16, Nearest())
    array([1.       , 0.3671875])
    """
    if isinstance(rounding, Stochastic):
        return np.asarray(round_to(rounded_function(name, x, FLOAT64, Nearest()), fmt, rounding))
    with np.errstate(all="ignore"):
        near = np.exp(x) if name == "exp" else np.log(x)
        low, high = (np.asarray(round_to(near * (1 + s), fmt, rounding)) for s in (-CERTAIN, CERTAIN))
    beyond = ~np.isfinite(near) | (near == 0)
    out = np.where(beyond, near, low)
    uncertain = np.isfinite(x) & ((low != high) | beyond | (fmt == FLOAT64)) & ~((x <= 0) & (name == "log"))
    for where in map(tuple, np.argwhere(uncertain)):
        out[where] = _rounded_once(name, Fraction(float(x[where])), fmt, rounding)
    return out


def enclosed(name: str, x: Fraction) -> Fraction:
    """exp, log or sqrt of x as a dyadic number, with a relative error below 2^-PRECISION.

    >>> enclosed("sqrt", Fraction(9, 4)), enclosed("exp", Fraction(0))
    (Fraction(3, 2), Fraction(1, 1))
    """
    if name == "exp" and abs(x) > MOST:
        raise OverflowError(f"the exponential of {float(x):g} is not enclosed: rescale the network, so that "
                            f"its outputs differ by less than {MOST:g}")
    bits = PRECISION + 16
    while True:
        middle, radius = _ball(name, x, bits)
        if radius <= abs(middle) / 2**PRECISION:
            return middle
        bits *= 2


def divided(x: Fraction, y: Fraction) -> Fraction:
    """x / y as a dyadic number, with a relative error below 2^-PRECISION.

    >>> divided(Fraction(3), Fraction(4)), float(divided(Fraction(1), Fraction(3)))
    (Fraction(3, 4), 0.3333333333333333)
    """
    p, q = x.numerator * y.denominator, x.denominator * y.numerator
    shift = PRECISION + 2 + max(0, q.bit_length() - p.bit_length())
    return Fraction((p << shift) // q, 1 << shift)


def _rounded_once(name: str, x: Fraction, fmt: Format, rounding: Nearest | Toward) -> float:
    if name == "exp" and not SMALLEST <= x <= LARGEST:
        return round_fraction(Fraction(2) ** (1200 if x > 0 else -1200), fmt, rounding)
    bits = 2 * fmt.precision + 40
    while True:
        middle, radius = _ball(name, x, bits)
        found = round_fraction(middle - radius, fmt, rounding)
        if found == round_fraction(middle + radius, fmt, rounding):
            return found
        bits *= 2


def _ball(name: str, x: Fraction, bits: int) -> tuple[Fraction, Fraction]:
    """The function at x lies within this distance of this number."""
    with _one_at_a_time, ctx.workprec(bits):
        ball: Any = getattr(arb(fmpq(x.numerator, x.denominator)), name)()
        return _dyadic(ball.mid()), _dyadic(ball.rad())


def _dyadic(number: Any) -> Fraction:
    mantissa, exponent = number.man_exp()
    return Fraction(int(mantissa)) * Fraction(2) ** int(exponent)
