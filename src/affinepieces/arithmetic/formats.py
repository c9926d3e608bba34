"""Floating-point formats as values."""
from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from math import copysign, frexp, isfinite, isinf, ldexp
from typing import Any, NamedTuple

from numpy import float32, float64

from affinepieces import environment
from affinepieces.arguments import choice, instance, integer, number, refuse
from affinepieces.values import Choice, Value


class Overflow(Choice):
    """What a result becomes whose rounding, with unbounded exponent, exceeds the largest number."""

    INFINITY = "infinity"  # IEEE 754
    SATURATE = "saturate"  # the largest number, with the sign of the result
    NAN = "nan"  # no number


class KernelFormat(NamedTuple):
    """A format as the kernels want it: everything that rounding a float64 to it needs."""

    shift: int  # significand bits of float64 that are dropped
    half: float  # 2^-t: half of the spacing at 1
    tiny: float  # smallest normal number, 0 without subnormals
    magic: float  # adding and subtracting it rounds numbers below `tiny` to the subnormal grid
    floor: float  # results below become zero: 0, or the smallest normal number without subnormals
    largest: float
    limit: float  # what is put in place of results above `largest`
    scaled_tiny: float  # 2^600 tiny if products may underflow in float64, else 0
    skip: int = 0  # of the 53 - t random bits of stochastic rounding, how many last ones are not drawn


@dataclass(frozen=True, eq=False)
class Format(Value):
    """Numbers s * 2^(e - t + 1) with an integer significand |s| < 2^t and an exponent emin <= e <= emax.

    precision: t, significand bits including the hidden one, 2 to 53.
    emin, emax: exponents of the smallest normal number and of the largest binade, -1022 to 1023, emin <= emax.
    subnormals: whether numbers below 2^emin exist; without them a result that, rounded to t bits, is
    smaller becomes zero.
    overflow: see `Overflow`.
    largest: the largest finite number; by default all significand bits are one.
    name: for people; formats with the same numbers and the same overflow are equal, whatever their names.
    Raises ValueError or TypeError for parameters that make no sense.
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
        instance(self.name, str, "name")
        for field, low, high in (("precision", 2, 53), ("emin", -1022, 1023), ("emax", self.emin, 1023)):
            object.__setattr__(self, field, integer(getattr(self, field), field, low, high))
        instance(self.subnormals, bool, "subnormals")
        choice(self.overflow, Overflow, "overflow")
        t = self.precision
        if t == 53 and (self.emin, self.emax, self.subnormals, self.overflow) != (-1022, 1023, True, Overflow.INFINITY):
            raise ValueError("53 bits in another range than float64's cannot be held in float64: use at most 52 bits")
        top = (2 - 2.0 ** (1 - t)) * 2.0**self.emax
        largest = float(number(self.largest, "largest", finite=False) or top)
        if not 2.0**self.emax <= largest <= top or (largest / 2.0 ** (self.emax - t + 1)) % 1:
            raise ValueError(f"largest is {self.largest}, expected a number of {t} bits from {2.0**self.emax} to "
                             f"{top}, for emax {self.emax}")
        object.__setattr__(self, "largest", largest)

    def _parts(self) -> tuple[Any, ...]:
        return self._numbers

    @cached_property
    def _numbers(self) -> tuple[Any, ...]:
        """All but the name; kept, because formats are compared in every rounding."""
        return self.precision, self.emin, self.emax, self.subnormals, self.overflow, self.largest

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
        environment.check()
        return 2.0 ** (self.emin - self.precision + 1)

    @cached_property
    def carrier(self) -> type[float32] | type[float64] | None:
        """The dtype of numpy whose numbers these are, if the processor computes in it."""
        return float64 if self == FLOAT64 else float32 if self == FLOAT32 else None

    @cached_property
    def parameters(self) -> KernelFormat:
        """The format as the kernels want it."""
        normal, limits = self.smallest_normal, {Overflow.INFINITY: float("inf"), Overflow.SATURATE: self.largest,
                                                Overflow.NAN: float("nan")}
        return KernelFormat(
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


def required(value: Any, name: str = "fmt") -> Format:
    """The format; for the names that others give to formats the error says what to write instead."""
    environment.check()
    if isinstance(value, Format):
        return value
    text = getattr(value, "__name__", str(value)).removeprefix("torch.").lower()
    known = [constant for constant, names in NAMES.items() if text in names]
    refuse(name, value, "a Format", f"write affinepieces.{known[0] if known else 'BFLOAT16, for example'}")


def wide(t: int) -> Format:
    """t significand bits with the exponent range of float64: rounding alone, hardly ever underflow or overflow.

    t: 2 to 53.

    >>> wide(8).unit_roundoff == BFLOAT16.unit_roundoff
    True
    """
    t = integer(t, "t", 2, 53)
    return FLOAT64 if t == 53 else Format(f"{t}-bit", t, -1022, 1023)


def fixed_point(integer_bits: int, fraction_bits: int) -> Format:
    """Fixed point: the multiples of 2^-fraction_bits below 2^integer_bits, both signs; what is larger saturates.

    integer_bits: 1 to 1023.  fraction_bits: 0 to 1021.  Together at most 52.
    Such numbers are those of a floating-point format in which all but the largest binade are subnormal.

    >>> from affinepieces.arithmetic.rounding import round_to
    >>> round_to([0.3, 0.01, 9.0], fixed_point(3, 4))
    array([0.3125, 0.    , 7.9375])
    """
    whole, fraction = integer(integer_bits, "integer_bits", 1, 1023), integer(fraction_bits, "fraction_bits", 0, 1021)
    if not 2 <= whole + fraction <= 52:
        raise ValueError(f"integer_bits and fraction_bits are {whole} and {fraction}, together {whole + fraction}: "
                         "take 2 to 52 bits")
    return Format(f"fixed {whole}.{fraction}", whole + fraction, whole - 1, whole - 1, overflow=Overflow.SATURATE)


def bit_fields(x: float, fmt: Format) -> tuple[str, str, str]:
    """Sign, biased exponent and significand without its hidden bit: the bits in which the format stores x.

    The topmost exponent is kept for infinities and nan if the format has infinities; without them nan
    is the pattern in which all bits are one.  Raises ValueError if x is not a number of the format.
    Source: IEEE 754-2019, Section 3.4; for the 8-bit formats Micikevicius et al. (2022).

    >>> bit_fields(-1.25, FLOAT16), bit_fields(2.0**-9, E4M3)
    (('1', '01111', '0100000000'), ('0', '0000', '001'))
    """
    x = float(x if isinstance(x, float) else number(x, "x"))
    special, fraction = required(fmt).overflow is Overflow.INFINITY, fmt.precision - 1
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
TF32 = Format("tf32", 11, -126, 127)  # range of float32, precision of float16: the inputs of NVIDIA's tensor cores
BFLOAT16 = Format("bfloat16", 8, -126, 127)
E4M3 = Format("e4m3", 4, -6, 8, overflow=Overflow.NAN, largest=448.0)  # OCP 8-bit formats, no infinities
E5M2 = Format("e5m2", 3, -14, 15)
NAMES = {"FLOAT64": {"float64", "double", "fp64", "f64"}, "FLOAT32": {"float32", "single", "float", "fp32", "f32"},
         "FLOAT16": {"float16", "half", "fp16", "f16"}, "BFLOAT16": {"bfloat16", "bf16"},
         "TF32": {"tf32", "tensorfloat32"},
         "E4M3": {"e4m3", "float8_e4m3fn", "e4m3fn"}, "E5M2": {"e5m2", "float8_e5m2"}}  # as they are called elsewhere
