"""The line segment on which everything is counted."""
from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from affinepieces.networks import ReLUNetwork


class Segment:
    """Omega = [a, b], put into the input space by x(t) = start + t * direction.

    a, b: finite floats with a < b.  start, direction: arrays of shape (N_0,); without them the input
    dimension is 1 and x(t) = t.  All four are taken as exact numbers, nothing is rounded.

    >>> Segment(0, 1)
    Segment(0.0, 1.0)
    >>> Segment(0, 1, start=[1.0, 2.0], direction=[0.0, 1.0]).at([0.5])
    array([[1. , 2.5]])
    """

    __slots__ = ("a", "b", "direction", "start")
    a: float
    b: float
    start: NDArray[np.float64]
    direction: NDArray[np.float64]

    def __init__(self, a: float, b: float, *, start: ArrayLike | None = None,
                 direction: ArrayLike | None = None) -> None:
        ends = (_exact_float(a, "a"), _exact_float(b, "b"))
        if not ends[0] < ends[1]:
            raise ValueError(f"segment [{a}, {b}] is empty or a point: give a < b")
        if (start is None) != (direction is None):
            raise ValueError("give both start and direction, or neither for input dimension 1")
        s = _exact_vector([0.0] if start is None else start, "start")
        d = _exact_vector([1.0] if direction is None else direction, "direction")
        if s.shape != d.shape:
            raise ValueError(f"start has shape {s.shape} and direction {d.shape}: they must be equal")
        if not d.any():
            raise ValueError("direction is zero: the segment would be a single point")
        for name, value in zip(("a", "b", "start", "direction"), (*ends, s, d), strict=True):
            object.__setattr__(self, name, value)

    @classmethod
    def between(cls, x: ArrayLike, y: ArrayLike) -> Segment:
        """The segment from x (t = 0) to y (t = 1); raises where y - x is not exact in float64."""
        start, end = _exact_vector(x, "x"), _exact_vector(y, "y")
        if start.shape != end.shape:
            raise ValueError(f"x has shape {start.shape} and y {end.shape}: they must be equal")
        direction = end - start
        for u, v, w in zip(start, end, direction, strict=True):
            if not np.isfinite(w) or Fraction(float(v)) - Fraction(float(u)) != Fraction(float(w)):
                raise ValueError(f"y - x = {v} - {u} is not exact in float64: round the points to fewer bits, "
                                 "or give Segment(0, 1, start=x, direction=...) with the direction you mean")
        return cls(0, 1, start=start, direction=direction)

    def __setattr__(self, name: str, value: Any) -> None:
        raise AttributeError(f"a Segment cannot be changed: make a new one with another {name}")

    def __repr__(self) -> str:
        line = "" if self.dim == 1 and self.start[0] == 0 and self.direction[0] == 1 else \
            f", start={self.start.tolist()}, direction={self.direction.tolist()}"
        return f"Segment({self.a}, {self.b}{line})"

    @property
    def dim(self) -> int:
        """Input dimension N_0."""
        return len(self.start)

    @property
    def length(self) -> float:
        """|Omega| = b - a, in units of t."""
        return self.b - self.a

    def at(self, t: ArrayLike) -> NDArray[np.float64]:
        """The points x(t) in float64: t of shape (m,) -> (m, N_0)."""
        return self.start + np.asarray(t, dtype=np.float64)[:, None] * self.direction

    def check(self, net: ReLUNetwork) -> None:
        """Raise unless the network takes inputs of this dimension."""
        if not isinstance(net, ReLUNetwork):
            raise TypeError(f"expected a ReLUNetwork, got {type(net).__name__}: "
                            "convert a torch module with ReLUNetwork.from_torch(module)")
        if net.widths[0] != self.dim:
            raise ValueError(f"the network takes inputs of dimension {net.widths[0]}, the segment lies in dimension "
                             f"{self.dim}: give start and direction of shape ({net.widths[0]},)")


def _exact_float(value: Any, name: str) -> float:
    number = float(value)
    if not np.isfinite(number):
        raise ValueError(f"{name} is {value}, expected a finite number")
    if Fraction(value if isinstance(value, int | Fraction) else number) != Fraction(number):
        raise ValueError(f"{name} = {value} is not a float64: give float({name}) if the nearest float will do")
    return number


def _exact_vector(values: ArrayLike, name: str) -> NDArray[np.float64]:
    vector = np.array(values, dtype=np.float64)
    if vector.ndim != 1 or vector.size == 0:
        raise ValueError(f"{name} has shape {vector.shape}, expected (N_0,)")
    if not np.all(np.isfinite(vector)):
        raise ValueError(f"{name} holds {vector[~np.isfinite(vector)][0]}: every entry must be finite")
    vector.setflags(write=False)
    return vector
