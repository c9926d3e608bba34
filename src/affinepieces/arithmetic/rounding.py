"""Rounding of arrays and networks to a format, to nearest or stochastically."""
from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from affinepieces.arithmetic.formats import FLOAT64, Format
from affinepieces.arithmetic.kernels import elementwise
from affinepieces.networks import FLOATS, ReLUNetwork

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Nearest:
    """Round to the nearest number, ties to the even significand."""


@dataclass(frozen=True, init=False)
class Stochastic:
    """Round up or down at random, with the probability that makes the result right on average.

    A number between two neighbours, a share p of the way from the lower to the upper one, becomes the
    upper one with probability p, up to 2^-(53 - t): so many random bits decide.  Numbers of the format
    stay.  The random bits of an entry depend on `seed` and on its position alone, so results do not
    depend on how work is divided.

    seed: an integer >= 0, or a numpy Generator from which one is drawn.  start: position of the first entry.
    Source: Croci et al. (2022), Stochastic rounding: implementation, error analysis and applications.
    """

    seed: int
    start: int = 0

    def __init__(self, seed: int | np.random.Generator, start: int = 0) -> None:
        drawn = int(seed.integers(2**63)) if isinstance(seed, np.random.Generator) else seed
        for name, value in (("seed", drawn), ("start", start)):
            if not isinstance(value, int | np.integer) or value < 0:
                raise ValueError(f"{name} is {value!r}, expected an integer >= 0")
        object.__setattr__(self, "seed", int(drawn))
        object.__setattr__(self, "start", int(start))

    @property
    def stream(self) -> np.uint64:
        """64 bits that start the random numbers of this seed; neighbouring seeds are far apart."""
        return np.uint64(np.random.SeedSequence(self.seed).generate_state(1, np.uint64)[0])


Rounding = Nearest | Stochastic
NEAREST = Nearest()


def round_to(x: ArrayLike, fmt: Format, rounding: Rounding = NEAREST) -> Any:
    """x rounded to the format, entry by entry, held in float64; a float for a single number.

    x: real numbers of any shape; float16, float32 and float64 are taken as they are.  Infinite entries
    overflow as the format says; nan stays nan.

    >>> from affinepieces.arithmetic.formats import BFLOAT16
    >>> round_to([1.0, 1.001, 1.01], BFLOAT16)
    array([1.       , 1.       , 1.0078125])
    >>> round_to(1.001, BFLOAT16, Stochastic(seed=0))  # one of the two neighbours
    1.0078125
    """
    values = as_float64(x, "x")
    if fmt == FLOAT64:
        return values.copy() if values.ndim else float(values)
    out = elementwise.round_all(values.ravel(), fmt.parameters, *random(rounding))
    return out.reshape(values.shape) if values.ndim else float(out[0])


def representable(x: ArrayLike, fmt: Format) -> NDArray[np.bool_]:
    """Entry by entry, whether the number belongs to the format (nan and the infinities if it has them).

    >>> from affinepieces.arithmetic.formats import FLOAT16
    >>> representable([0.5, 0.1, 65504.0, 65505.0], FLOAT16)
    array([ True, False,  True, False])
    """
    values = as_float64(x, "x")
    rounded = np.asarray(round_to(values, fmt))
    return np.asarray((rounded == values) | (np.isnan(values) & np.isnan(rounded)))


def round_network(net: ReLUNetwork, fmt: Format, rounding: Rounding = NEAREST) -> ReLUNetwork:
    """The network with every parameter rounded to the format; it is held in float64.

    Raises OverflowError, naming the layer, if a parameter leaves the range of the format.

    >>> from affinepieces.arithmetic.formats import BFLOAT16
    >>> round_network(ReLUNetwork([[[1.001]]], [[0.3]]), BFLOAT16).biases[0]
    array([0.30078125])
    """
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


def as_float64(x: ArrayLike, name: str) -> Array:
    """x as float64 without any change of value, or an error."""
    values = np.asarray(x)
    if values.dtype.kind in "iub":
        if values.dtype.itemsize == 8 and np.any(np.abs(values.astype(object)) > 2**53):
            raise ValueError(f"{name} holds integers beyond 2**53, which float64 cannot represent")
    elif values.dtype not in FLOATS:
        raise TypeError(f"{name} has dtype {values.dtype}, expected float16, float32 or float64")
    with np.errstate(invalid="ignore"):  # a signalling nan
        return np.ascontiguousarray(values, np.float64).reshape(values.shape)


def require(x: Array, fmt: Format, name: str) -> None:
    """Raise ValueError if an entry does not belong to the format."""
    fits = representable(x, fmt) | ~np.isfinite(x)
    if not np.all(fits):
        where = tuple(int(i) for i in np.argwhere(~fits)[0])
        raise ValueError(f"{name}{list(where)} is {float(x[where])!r}, not a number of {fmt}: round it first, "
                         "with round_to or round_network")


def random(rounding: Rounding) -> tuple[np.uint64 | None, int]:
    """Seed and first position as the kernels want them."""
    if isinstance(rounding, Stochastic):
        return rounding.stream, rounding.start
    if isinstance(rounding, Nearest):
        return None, 0
    raise TypeError(f"rounding is {rounding!r}, expected NEAREST or Stochastic(seed)")
