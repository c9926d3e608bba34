"""Machines: native floats, a format with every result rounded, exact rationals, or another one for each part."""
from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from affinepieces._arrays import float_dtype
from affinepieces.arguments import choice, refuse
from affinepieces.arithmetic.formats import FLOAT16, FLOAT32, FLOAT64, Format, required
from affinepieces.arithmetic.operations import (
    Order,
    accumulator_arguments,
    carrier,
    is_native,
    kernel_arguments,
    wide_enough,
)
from affinepieces.arithmetic.rounding import NEAREST, Rounding, random
from affinepieces.values import Choice, Value

NATIVE = {np.dtype(np.float16): FLOAT16, np.dtype(np.float32): FLOAT32, np.dtype(np.float64): FLOAT64}


class Part(Choice):
    """What a stage of one step does, for one layer; the last, for all parameters."""

    FORWARD = "forward"
    RESIDUAL = "residual"
    BACKWARD = "backward"
    GRADIENT = "gradient"
    UPDATE = "update"


class Grain(Choice):
    """What is rounded."""

    OPERATION = "operation"  # every product, every partial sum, every difference
    TENSOR = "tensor"  # every array, after it was computed in float64: optimistic


@dataclass(frozen=True, eq=False)
class Native(Value):
    """NumPy and its linear algebra library in a dtype; the order of their sums is their own.

    dtype: float16, float32 or float64 under any name that NumPy or torch has for it.

    >>> Native("float32") == Native(np.float32)
    True
    """

    dtype: Any = np.float64

    def __post_init__(self) -> None:
        dtype = float_dtype(self.dtype, "dtype", "for other formats write Rounded(format)")
        object.__setattr__(self, "dtype", dtype)

    @property
    def format(self) -> Format:
        """The format of the dtype."""
        return NATIVE[self.dtype]

    def __repr__(self) -> str:
        return f"Native({self.dtype})"


@dataclass(frozen=True, eq=False)
class Rounded(Value):
    """Every result rounded to a format; see `Grain` and `Order` for what a result is.

    accumulator: a wider format in which products and their sums are formed, as in `matmul`; None: `format` itself.

    >>> from affinepieces.arithmetic.formats import BFLOAT16
    >>> Rounded(BFLOAT16).grain
    <Grain.OPERATION: 'operation'>
    """

    format: Format
    rounding: Rounding = NEAREST
    grain: Grain = Grain.OPERATION
    order: Order = Order.SEQUENTIAL
    accumulator: Format | None = None

    def __post_init__(self) -> None:
        required(self.format, "format")
        random(self.rounding)
        choice(self.grain, Grain, "grain")
        choice(self.order, Order, "order")
        wide_enough(self.accumulator, self.format)
        if self.grain is Grain.TENSOR and (self.order is not Order.SEQUENTIAL or self.accumulator is not None):
            raise ValueError("the grain TENSOR leaves sums to the linear algebra library, in float64: "
                             "omit `order` and `accumulator`")

    @property
    def kernel(self) -> tuple[Any, ...]:
        """f, careful, seed, counter of `kernels.scalar`."""
        if self.accumulator is not None and is_native(self.format, self.rounding):
            return self.format.parameters, None, None, 0  # the sums are not the processor's in this format
        return kernel_arguments(self.format, self.rounding)

    @property
    def carrier(self) -> type[np.floating[Any]]:
        """The dtype in which the kernels compute."""
        return np.float64 if self.accumulator is not None else carrier(self.format, self.rounding)

    @property
    def sums(self) -> tuple[int | None, Any]:
        """pairwise and wider of `kernels.products`."""
        return self.order.flag, accumulator_arguments(self.accumulator)

    def __repr__(self) -> str:
        others = [f"{name}={value if isinstance(value, Choice | Format) else repr(value)}" for name, value, usual in (
            ("rounding", self.rounding, NEAREST), ("grain", self.grain, Grain.OPERATION),
            ("order", self.order, Order.SEQUENTIAL), ("accumulator", self.accumulator, None)) if value != usual]
        return f"Rounded({', '.join([str(self.format), *others])})"


@dataclass(frozen=True, eq=False)
class Exact(Value):
    """Rational arithmetic: no rounding at all."""


Uniform = Native | Rounded | Exact


@dataclass(frozen=True, eq=False)
class Mixed(Value):
    """One machine for a whole step, but others for some of its parts.

    usual: for all parts that are not named: forward, residual (with the loss), backward, gradient (the sums over the
    data), update.  What enters a part is rounded to nearest to the format of its machine, if it is not a number of it.
    The parameters are kept in the format of the update, x is given in that of forward, y in that of the residual.

    >>> from affinepieces.arithmetic.formats import BFLOAT16
    >>> master_weights = Mixed(Rounded(BFLOAT16), update=Native("float32"))
    >>> only_updates_rounded = Mixed(Exact(), update=Rounded(BFLOAT16))
    >>> only_updates_rounded.of(Part.FORWARD)
    Exact()
    """

    usual: Uniform
    forward: Uniform | None = None
    residual: Uniform | None = None
    backward: Uniform | None = None
    gradient: Uniform | None = None
    update: Uniform | None = None

    def __post_init__(self) -> None:
        _uniform(self.usual, "usual")
        for part in Part:
            if getattr(self, part.value) is not None:
                _uniform(getattr(self, part.value), part.value)
        super().__post_init__()

    def of(self, part: Part) -> Uniform:
        """What computes this part."""
        found: Uniform = getattr(self, part.value) or self.usual
        return found

    def __repr__(self) -> str:
        others = [f"{part.value}={getattr(self, part.value)!r}" for part in Part if getattr(self, part.value)]
        return f"Mixed({', '.join([repr(self.usual), *others])})"


Machine = Uniform | Mixed


def machine_of(value: Any, name: str = "machine") -> Machine:
    """The machine; a class is none yet."""
    return value if isinstance(value, Mixed) else _uniform(value, name)


def part_of(machine: Machine, part: Part) -> Uniform:
    """What computes this part of a step."""
    return machine.of(part) if isinstance(machine, Mixed) else _uniform(machine, "machine")


def format_of(machine: Machine, part: Part = Part.UPDATE) -> Format:
    """The format of the numbers of a part, by default of the parameters; float64 for the exact machine, whose
    parameters and data are numbers of float64."""
    found = part_of(machine, part)
    return FLOAT64 if isinstance(found, Exact) else found.format


def _uniform(value: Any, name: str) -> Uniform:
    if not isinstance(value, Native | Rounded | Exact):
        remedy = f"write {value.__name__}()" if value is Native or value is Exact else ""
        refuse(name, value, "Native(dtype), Rounded(format), Exact() or a Mixed of these", remedy)
    return value
