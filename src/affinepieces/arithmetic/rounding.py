"""Rounding of arrays and networks to a format, to nearest or stochastically."""
from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from affinepieces._arrays import exact_array
from affinepieces.arguments import integer, network, refuse
from affinepieces.arithmetic.formats import Format, KernelFormat, required
from affinepieces.arithmetic.kernels import elementwise, scalar
from affinepieces.networks import ReLUNetwork
from affinepieces.values import Choice, Value

Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Nearest(Value):
    """Round to the nearest number, ties to the even significand."""


class Toward(Choice):
    """Directed rounding: to the neighbour on one side.  Source: IEEE 754-2019, Section 4.3.2.

    What exceeds the largest number becomes it, if that lies on this side, and otherwise overflows; without subnormals
    the neighbours of what is smaller than the smallest normal number are this number and zero.

    >>> from affinepieces.arithmetic.formats import BFLOAT16
    >>> round_to([1.001, -1.001], BFLOAT16, Toward.UP)
    array([ 1.0078125, -1.       ])
    """

    ZERO = "zero"
    UP = "up"
    DOWN = "down"

    @property
    def flag(self) -> int:
        """As the kernels want it."""
        return {Toward.ZERO: scalar.ZERO, Toward.UP: scalar.UP, Toward.DOWN: scalar.DOWN}[self]


@dataclass(frozen=True, eq=False, init=False)
class Stochastic(Value):
    """Round up or down at random, with the probability that makes the result right on average.

    A number between two neighbours, a share p of the way from the lower to the upper one, becomes the
    upper one with probability p, up to 2^-(53 - t): so many random bits decide.  With fewer, p is rounded
    down to a multiple of 2^-bits, as hardware with few bits does, and results are too small on average.
    Numbers of the format stay.  The random bits of an entry depend on `seed` and on its position alone, so
    results do not depend on how work is divided.

    seed: an integer >= 0, or a numpy Generator from which one is drawn.  start: position of the first entry.
    bits: how many random bits decide, 1 to 51; None, or more than 53 - t: all 53 - t.
    Source: Croci et al. (2022), Stochastic rounding: implementation, error analysis and applications.
    """

    seed: int
    start: int = 0
    bits: int | None = None

    def __init__(self, seed: int | np.random.Generator, start: int = 0, bits: int | None = None) -> None:
        drawn = int(seed.integers(2**63)) if isinstance(seed, np.random.Generator) else seed
        object.__setattr__(self, "seed", integer(drawn, "seed", 0))
        object.__setattr__(self, "start", integer(start, "start", 0))
        object.__setattr__(self, "bits", None if bits is None else integer(bits, "bits", 1, 51))

    @property
    def stream(self) -> np.uint64:
        """64 bits that start the random numbers of this seed; neighbouring seeds are far apart."""
        return np.uint64(np.random.SeedSequence(self.seed).generate_state(1, np.uint64)[0])


Rounding = Nearest | Toward | Stochastic
NEAREST = Nearest()


def round_to(x: ArrayLike, fmt: Format, rounding: Rounding = NEAREST) -> Any:
    """x rounded to the format, entry by entry, held in float64; a float for a single number.

    x: real numbers of any shape, all of which float64 holds.  Infinite entries
    overflow as the format says; nan stays nan.

    >>> from affinepieces.arithmetic.formats import BFLOAT16
    >>> round_to([1.0, 1.001, 1.01], BFLOAT16)
    array([1.       , 1.       , 1.0078125])
    >>> round_to(1.001, BFLOAT16, Stochastic(seed=0))  # one of the two neighbours
    1.0078125
    """
    values, how = exact_array(x, "x"), random(rounding)
    if required(fmt).carrier is np.float64:
        return values.copy() if values.ndim else float(values)
    careful = 1 if isinstance(rounding, Toward) else None
    out = elementwise.round_all(values.ravel(), parameters(fmt, rounding), careful, *how)
    return out.reshape(values.shape) if values.ndim else float(out[0])


def representable(x: ArrayLike, fmt: Format) -> NDArray[np.bool_]:
    """Entry by entry, whether the number belongs to the format (nan and the infinities if it has them).

    >>> from affinepieces.arithmetic.formats import FLOAT16
    >>> representable([0.5, 0.1, 65504.0, 65505.0], FLOAT16)
    array([ True, False,  True, False])
    """
    values = exact_array(x, "x")
    rounded = np.asarray(round_to(values, fmt))
    return np.asarray((rounded == values) | (np.isnan(values) & np.isnan(rounded)))


def round_network(net: ReLUNetwork, fmt: Format, rounding: Rounding = NEAREST) -> ReLUNetwork:
    """The network with every parameter rounded to the format; it is held in float64.

    Raises OverflowError, naming the layer, if a parameter leaves the range of the format.

    >>> from affinepieces.arithmetic.formats import BFLOAT16
    >>> round_network(ReLUNetwork([[[1.001]]], [[0.3]]), BFLOAT16).biases[0]
    array([0.30078125])
    """
    net = network(net)
    parameters = [p for pair in zip(net.weights, net.biases, strict=True) for p in pair]
    flat = np.concatenate([p.ravel() for p in parameters]).astype(np.float64)
    rounded = np.asarray(round_to(flat, fmt, rounding))
    if not np.isfinite(rounded).all():
        worst = flat[~np.isfinite(rounded)][0]
        raise OverflowError(f"a parameter is {worst:g}, but the largest number of {fmt} is {fmt.largest:g}: "
                            "rescale the network or take a format with a wider range")
    parts = np.split(rounded, np.cumsum([p.size for p in parameters])[:-1])
    shaped = [part.reshape(p.shape) for part, p in zip(parts, parameters, strict=True)]
    return ReLUNetwork(shaped[0::2], shaped[1::2])


def require(x: Array, fmt: Format, name: str) -> None:
    """Raise ValueError if an entry does not belong to the format."""
    fits = representable(x, fmt) | ~np.isfinite(x)
    if not np.all(fits):
        where = tuple(int(i) for i in np.argwhere(~fits)[0])
        raise ValueError(f"{name}{list(where)} is {float(x[where])!r}, not a number of {fmt}: round it first, "
                         "with round_to or round_network")


def parameters(fmt: Format, rounding: Rounding) -> KernelFormat:
    """The format as the kernels want it, with the number of random bits."""
    if not isinstance(rounding, Stochastic) or rounding.bits is None:
        return fmt.parameters
    return fmt.parameters._replace(skip=max(0, 53 - fmt.precision - rounding.bits))


def random(rounding: Rounding) -> tuple[np.uint64 | int | None, int]:
    """Seed or direction, and first position as the kernels want them."""
    if isinstance(rounding, Stochastic):
        return rounding.stream, rounding.start
    if isinstance(rounding, Toward):
        return rounding.flag, 0
    if isinstance(rounding, Nearest):
        return None, 0
    refuse("rounding", rounding, "NEAREST, a direction such as Toward.ZERO, or Stochastic(seed)")
