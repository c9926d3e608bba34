"""Optimisers: the order of all operations of an update, in one place.

Every machine does this, in its own arithmetic, array by array; constants are rounded to its format first.
g: the gradient, over the scale of the loss.  rate: of this step.  n: the number of this update, from 1.  Slots, of
the shapes of the parameters, are 0 at the beginning::

    all            g = g + decay p                            where there is weight decay
    descent        u = rate g
    momentum       b = (momentum b) + g
                   u = rate b, Nesterov's u = rate (g + (momentum b))
    Adam           m = m + (1 - beta1) (g - m)
                   v = (beta2 v) + (((1 - beta2) g) g)
                   u = ((rate / (1 - beta1^n)) m) / ((sqrt(v) / sqrt(1 - beta2^n)) + epsilon)
    AdamW          p = (1 - rate decay) p first, and no decay in g
    noise          on u of the hidden biases, in float64, rounded to nearest
    update         p = p - u
    compensated    y = u + c,  s = p - y,  c = y - (p - s),  p = s

What depends on constants alone, such as rate / (1 - beta1^n), is computed in float64 and rounded once.
Sources: momentum, Adam and AdamW as torch.optim.SGD, Adam, AdamW define them; Kingma, Ba (2015), Adam; Loshchilov,
Hutter (2019), Decoupled weight decay regularization; Kahan's summation for updates: Zamirai et al. (2021).
"""
from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import sqrt
from typing import Any, TypeVar

import numpy as np

from affinepieces.arguments import instance, integer, items, number, refuse
from affinepieces.arithmetic.formats import Format
from affinepieces.arithmetic.rounding import round_to
from affinepieces.descent.specification import Arithmetic
from affinepieces.values import Value

T = TypeVar("T")
Arrays = list[T]
Noisy = Callable[[Arrays[Any]], Arrays[Any]]


@dataclass(frozen=True, eq=False)
class GradientDescent(Value):
    """Gradient descent, p - rate g.

    weight_decay: finite and >= 0.  compensated: whether what the update loses is added to the next one.
    """

    weight_decay: float = 0.0
    compensated: bool = False

    def __post_init__(self) -> None:
        _decay(self)

    @property
    def slots(self) -> int:
        """How many numbers are kept for each parameter."""
        return 0

    def move(self, do: Arithmetic[T], p: Arrays[T], g: Arrays[T], slots: Sequence[Arrays[T]], rate: float,
             n: int) -> tuple[Arrays[T], Arrays[T], list[Arrays[T]]]:
        """p, u and the slots after the n-th update, but for u that is subtracted."""
        g = _decayed(do, p, g, self.weight_decay)
        return p, _scaled(do, g, rate), []


@dataclass(frozen=True, eq=False)
class Momentum(Value):
    """Gradient descent with momentum, as torch.optim.SGD without dampening.

    momentum: in [0, 1).  nesterov: whether the gradient is added once more.  weight_decay, compensated: as in
    `GradientDescent`.
    """

    momentum: float = 0.9
    nesterov: bool = False
    weight_decay: float = 0.0
    compensated: bool = False

    def __post_init__(self) -> None:
        _share(self, "momentum")
        instance(self.nesterov, bool, "nesterov")
        _decay(self)

    @property
    def slots(self) -> int:
        """How many numbers are kept for each parameter."""
        return 1

    def move(self, do: Arithmetic[T], p: Arrays[T], g: Arrays[T], slots: Sequence[Arrays[T]], rate: float,
             n: int) -> tuple[Arrays[T], Arrays[T], list[Arrays[T]]]:
        """p, u and the slots after the n-th update, but for u that is subtracted."""
        g = _decayed(do, p, g, self.weight_decay)
        b = _each(do.add, _scaled(do, slots[0], self.momentum), g)
        towards = _each(do.add, g, _scaled(do, b, self.momentum)) if self.nesterov else b
        return p, _scaled(do, towards, rate), [b]


@dataclass(frozen=True, eq=False)
class Adam(Value):
    """Adam, as torch.optim.Adam.

    beta1, beta2: in [0, 1).  epsilon: > 0, and not rounded to 0 in the format of the update.
    weight_decay, compensated: as in `GradientDescent`.
    """

    beta1: float = 0.9
    beta2: float = 0.999
    epsilon: float = 1e-8
    weight_decay: float = 0.0
    compensated: bool = False

    def __post_init__(self) -> None:
        _share(self, "beta1")
        _share(self, "beta2")
        object.__setattr__(self, "epsilon", float(number(self.epsilon, "epsilon", above=0)))
        _decay(self)

    @property
    def slots(self) -> int:
        """How many numbers are kept for each parameter."""
        return 2

    def move(self, do: Arithmetic[T], p: Arrays[T], g: Arrays[T], slots: Sequence[Arrays[T]], rate: float,
             n: int) -> tuple[Arrays[T], Arrays[T], list[Arrays[T]]]:
        """p, u and the slots after the n-th update, but for u that is subtracted."""
        g = _decayed(do, p, g, self.weight_decay)
        return p, *self._towards(do, g, slots, rate, n)

    def _towards(self, do: Arithmetic[T], g: Arrays[T], slots: Sequence[Arrays[T]], rate: float,
                 n: int) -> tuple[Arrays[T], list[Arrays[T]]]:
        m, v = slots
        m = _each(do.add, m, _scaled(do, _each(do.subtract, g, m), 1 - self.beta1))
        squares = _each(do.multiply, _scaled(do, g, 1 - self.beta2), g)
        v = _each(do.add, _scaled(do, v, self.beta2), squares)
        root, small = do.number(sqrt(1 - self.beta2**n)), do.number(self.epsilon)
        below = [do.shift(do.over(do.sqrt(a), root), small) for a in v]
        above = _scaled(do, m, rate / (1 - self.beta1**n))
        return _each(do.quotient, above, below), [m, v]


@dataclass(frozen=True, eq=False)
class AdamW(Adam):
    """Adam with decoupled weight decay, as torch.optim.AdamW."""

    weight_decay: float = 0.01

    def move(self, do: Arithmetic[T], p: Arrays[T], g: Arrays[T], slots: Sequence[Arrays[T]], rate: float,
             n: int) -> tuple[Arrays[T], Arrays[T], list[Arrays[T]]]:
        """p, u and the slots after the n-th update, but for u that is subtracted."""
        if self.weight_decay:
            p = _scaled(do, p, 1 - rate * self.weight_decay)
        return p, *self._towards(do, g, slots, rate, n)


Optimiser = GradientDescent | Momentum | Adam


@dataclass(frozen=True, eq=False)
class OptimiserState(Value):
    """What an optimiser carries from one update to the next.

    updates: how many were made.  slots: for each number that is kept for a parameter a vector, in the order of
    `Parameters.entries`: b, or m and v, and c if compensated; exact ones as arrays of Fractions.
    scale, finite: the scale of the loss, and for how many updates in a row the gradient was finite.
    """

    updates: int = 0
    slots: tuple[Any, ...] = ()
    scale: float = 1.0
    finite: int = 0

    def __post_init__(self) -> None:
        for name in ("updates", "finite"):
            object.__setattr__(self, name, integer(getattr(self, name), name, 0))
        object.__setattr__(self, "scale", float(number(self.scale, "scale", above=0)))
        for i, slot in enumerate(items(self.slots, "slots", "vectors")):
            if instance(slot, np.ndarray, f"slots[{i}]").ndim != 1:
                raise ValueError(f"slots[{i}] has shape {slot.shape}, expected a vector")
        super().__post_init__()

    def __repr__(self) -> str:
        scale = f", scale={self.scale:g}" if self.scale != 1 else ""
        return f"OptimiserState({self.updates} updates, {len(self.slots)} slots{scale})"


def optimiser_of(value: Any, fmt: Format) -> Optimiser:
    """The optimiser, if it is one and its constants are not lost in the format of the update."""
    if not isinstance(value, GradientDescent | Momentum | Adam):
        remedy = f"write {value.__name__}()" if value in (GradientDescent, Momentum, Adam, AdamW) else ""
        refuse("optimiser", value, "GradientDescent(), Momentum(), Adam() or AdamW()", remedy)
    if isinstance(value, Adam) and not round_to(value.epsilon, fmt) > 0:
        raise ValueError(f"epsilon {value.epsilon} becomes 0 in {fmt}: take a larger one, or update in a wider "
                         "format, with Mixed(machine, update=Native('float32'))")
    return value


def slots_of(optimiser: Optimiser) -> int:
    """How many numbers are kept for each parameter, with what compensation keeps."""
    return optimiser.slots + optimiser.compensated


def update(do: Arithmetic[T], optimiser: Optimiser, p: Arrays[T], g: Arrays[T], slots: Sequence[Arrays[T]],
           rate: float, n: int, scale: float = 1.0,
           noisy: Noisy = lambda u: u) -> tuple[Arrays[T], Arrays[T], list[Arrays[T]]]:
    """The n-th update: parameters, what was subtracted before noise, and slots.

    p, g: all parameters and the gradient times `scale`, as arrays of any machine.
    """
    p, g = [do.take(a) for a in p], [do.take(a) for a in g]
    if scale != 1:
        g = [do.times(a, 1 / scale) for a in g]
    p, u, kept = optimiser.move(do, p, g, slots[:optimiser.slots], rate, n)
    moved = noisy(u)
    if not optimiser.compensated:
        return _each(do.subtract, p, moved), u, kept
    y = _each(do.add, moved, slots[-1])
    s = _each(do.subtract, p, y)
    lost = _each(do.subtract, y, _each(do.subtract, p, s))
    return s, u, [*kept, lost]


def _each(operation: Callable[[T, T], T], left: Arrays[T], right: Arrays[T]) -> Arrays[T]:
    return [operation(a, b) for a, b in zip(left, right, strict=True)]


def _scaled(do: Arithmetic[T], arrays: Arrays[T], factor: float) -> Arrays[T]:
    factor = do.number(factor)
    return [do.scale(a, factor) for a in arrays]


def _decayed(do: Arithmetic[T], p: Arrays[T], g: Arrays[T], decay: float) -> Arrays[T]:
    return _each(do.add, g, _scaled(do, p, decay)) if decay else g


def _decay(value: Any) -> None:
    object.__setattr__(value, "weight_decay", float(number(value.weight_decay, "weight_decay", least=0)))
    instance(value.compensated, bool, "compensated")


def _share(value: Any, name: str) -> None:
    share = float(number(getattr(value, name), name, least=0))
    if share >= 1:
        raise ValueError(f"{name} is {share}, expected a number in [0, 1)")
    object.__setattr__(value, name, share)
