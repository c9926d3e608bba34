"""Floating-point formats as values."""
from __future__ import annotations

from dataclasses import dataclass, replace
from enum import Enum
from functools import cached_property
from math import copysign, frexp, isfinite, isinf, ldexp
from typing import NamedTuple


class Overflow(Enum):
    """What a result becomes whose rounding, with unbounded exponent, exceeds the largest number."""

    INFINITY = "infinity"  # IEEE 754
    SATURATE = "saturate"  # the largest number, with the sign of the result
    NAN = "nan"  # no number


class Parameters(NamedTuple):
    """A format as the kernels want it: everything that rounding a float64 to it needs."""

    shift: int  # significand bits of float64 that are dropped
    half: float  # 2^-t: half of the spacing at 1
    tiny: float  # smallest normal number, 0 without subnormals
    magic: float  # adding and subtracting it rounds numbers below `tiny` to the subnormal grid
    floor: float  # results below become zero: 0, or the smallest normal number without subnormals
    largest: float
    limit: float  # what is put in place of results above `largest`
    scaled_tiny: float  # 2^600 tiny if products may underflow in float64, else 0


@dataclass(frozen=True)
class Format:
    """Numbers s * 2^(e - t + 1) with an integer significand |s| < 2^t and an exponent emin <= e <= emax.

    precision: t, significand bits including the hidden one, 2 to 53.
    emin, emax: exponents of the smallest normal number and of the largest binade, -1022 to 1023.
    subnormals: whether numbers below 2^emin exist; without them a result that, rounded to t bits, is
    smaller becomes zero.
    overflow: see `Overflow`.
    largest: the largest finite number; by default all significand bits are one.
    name: for people.
    Raises ValueError for parameters that make no sense.
    Source: IEEE 754-2019, Section 3; Higham (2002), Section 2.1.

    >>> FLOAT16.unit_roundoff == 2.0**-11, FLOAT16.largest
    (True, 65504.0)
    """

    name: str
    precision: int
    emin: int
    emax: int
    subnormals: bool = True
    overflow: Overflow = Overflow.INFINITY
    largest: float = 0.0

    def __post_init__(self) -> None:
        t = self.precision
        for field, value, low, high in (("precision", t, 2, 53), ("emin", self.emin, -1022, 0),
                                        ("emax", self.emax, 0, 1023)):
            if not isinstance(value, int) or isinstance(value, bool) or not low <= value <= high:
                raise ValueError(f"{field} is {value!r}, expected an integer from {low} to {high}")
        if t == 53 and (self.emin, self.emax, self.subnormals, self.overflow) != (-1022, 1023, True, Overflow.INFINITY):
            raise ValueError("53 bits in another range than float64's cannot be held in float64: use at most 52 bits")
        if not isinstance(self.overflow, Overflow):
            raise ValueError(f"overflow is {self.overflow!r}, expected one of {', '.join(map(str, Overflow))}")
        top = (2 - 2.0 ** (1 - t)) * 2.0**self.emax
        largest = float(self.largest or top)
        if not 2.0**self.emax <= largest <= top or (largest / 2.0 ** (self.emax - t + 1)) % 1:
            raise ValueError(f"largest is {self.largest}, expected a number of {t} bits from {2.0**self.emax} to {top}")
        object.__setattr__(self, "largest", largest)

    @property
    def unit_roundoff(self) -> float:
        """u = 2^-t: largest relative error of rounding to nearest, between smallest normal and largest number."""
        return 2.0**-self.precision

    @property
    def smallest_normal(self) -> float:
        """2^emin."""
        return 2.0**self.emin

    @property
    def spacing(self) -> float:
        """2^(emin - t + 1): distance of neighbours around the smallest normal number, and of the subnormals."""
        return 2.0 ** (self.emin - self.precision + 1)

    @cached_property
    def parameters(self) -> Parameters:
        """The format as the kernels want it."""
        normal, limits = self.smallest_normal, {Overflow.INFINITY: float("inf"), Overflow.SATURATE: self.largest,
                                                Overflow.NAN: float("nan")}
        return Parameters(
            shift=53 - self.precision, half=self.unit_roundoff, tiny=normal if self.subnormals else 0.0,
            magic=1.5 * 2.0 ** (self.emin - self.precision + 53), floor=0.0 if self.subnormals else normal,
            largest=self.largest, limit=limits[self.overflow],
            scaled_tiny=0.0 if self.spacing**2 else normal * 2.0**600 if self.subnormals else 2.0**-1022)

    def with_overflow(self, overflow: Overflow) -> Format:
        """The same numbers with another overflow policy.

        >>> E4M3.with_overflow(Overflow.SATURATE).overflow
        <Overflow.SATURATE: 'saturate'>
        """
        return replace(self, overflow=overflow)

    def __str__(self) -> str:
        return self.name


def wide(t: int) -> Format:
    """t significand bits with the exponent range of float64: rounding alone, hardly ever underflow or overflow.

    >>> wide(8).unit_roundoff == BFLOAT16.unit_roundoff
    True
    """
    return FLOAT64 if t == 53 else Format(f"{t}-bit", t, -1022, 1023)


def bit_fields(x: float, fmt: Format) -> tuple[str, str, str]:
    """Sign, biased exponent and significand without its hidden bit: the bits in which the format stores x.

    The topmost exponent is kept for infinities and nan if the format has infinities; without them nan
    is the pattern in which all bits are one.  Raises ValueError if x is not a number of the format.
    Source: IEEE 754-2019, Section 3.4; for the 8-bit formats Micikevicius et al. (2022).

    >>> bit_fields(-1.25, FLOAT16), bit_fields(2.0**-9, E4M3)
    (('1', '01111', '0100000000'), ('0', '0000', '001'))
    """
    special, fraction = fmt.overflow is Overflow.INFINITY, fmt.precision - 1
    width = (fmt.emax - fmt.emin + 1 + special).bit_length()
    sign = "1" if copysign(1.0, x) < 0 else "0"
    if not isfinite(x) and (special or not isinf(x)):
        lead = "0" if isinf(x) else "1"
        return sign, "1" * width, lead + ("0" if special else "1") * (fraction - 1)
    exponent = max(frexp(x)[1] - 1, fmt.emin) if x else fmt.emin
    significand = ldexp(abs(x), fraction - exponent) if isfinite(x) else x
    if not abs(x) <= fmt.largest or significand % 1 or (not fmt.subnormals and 0 < abs(x) < fmt.smallest_normal):
        raise ValueError(f"{x!r} is not a number of {fmt}: round it first, with round_to")
    hidden, stored = divmod(int(significand), 2**fraction)
    return sign, f"{exponent - fmt.emin + hidden:0{width}b}", f"{stored:0{fraction}b}"


FLOAT64 = Format("float64", 53, -1022, 1023)
FLOAT32 = Format("float32", 24, -126, 127)
FLOAT16 = Format("float16", 11, -14, 15)
BFLOAT16 = Format("bfloat16", 8, -126, 127)
E4M3 = Format("e4m3", 4, -6, 8, overflow=Overflow.NAN, largest=448.0)  # OCP 8-bit formats, no infinities
E5M2 = Format("e5m2", 3, -14, 15)
