"""The line segment on which everything is counted."""
from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike

from affinepieces._arrays import exact_array
from affinepieces.layers import Layered
from affinepieces.pieces.vectors import Floats, difference, number, vector
from affinepieces.values import Value


@dataclass(frozen=True, eq=False, init=False, repr=False)
class Segment(Value):
    """Omega = [a, b], put into the input space by x(t) = start + t * (direction + direction_low).

    a, b: finite floats with a < b.  start, direction: arrays of shape (N_0,); without them the input
    dimension is 1 and x(t) = t.  All are taken as exact numbers, nothing is rounded: what float64 cannot
    hold is refused.  direction_low is zero but in a segment made by `between`.

    >>> Segment(0, 1)
    Segment(0.0, 1.0)
    >>> Segment(0, 1, start=[1.0, 2.0], direction=[0.0, 1.0]).at([0.5])
    array([[1. , 2.5]])
    """

    a: float
    b: float
    start: Floats
    direction: Floats
    direction_low: Floats

    def __init__(self, a: float, b: float, *, start: ArrayLike | None = None,
                 direction: ArrayLike | None = None) -> None:
        if (start is None) != (direction is None):
            raise ValueError("give both start and direction, or neither for input dimension 1")
        s = vector([0.0] if start is None else start, "start")
        d = vector([1.0] if direction is None else direction, "direction")
        if s.shape != d.shape:
            raise ValueError(f"start has shape {s.shape} and direction {d.shape}: they must be equal")
        if not d.any():
            raise ValueError("direction is zero: the segment would be a single point")
        self._set(number(a, "a"), number(b, "b"), s, d, np.zeros_like(d))

    def _set(self, a: float, b: float, start: Floats, direction: Floats, low: Floats) -> None:
        if not a < b:
            raise ValueError(f"segment [{a:g}, {b:g}] is empty or a point: give a < b")
        if not np.isfinite(b - a):
            raise ValueError(f"segment [{a}, {b}] is longer than the largest float64: scale the inputs")
        for name, value in (("a", a), ("b", b), ("start", start), ("direction", direction), ("direction_low", low)):
            object.__setattr__(self, name, value)
        self.__post_init__()

    @classmethod
    def between(cls, x: ArrayLike, y: ArrayLike) -> Segment:
        """The segment from exactly the point x, at t = 0, to exactly the point y, at t = 1.

        x, y: any two different points of shape (N_0,), in any float format, for example two rows of a data set.
        The direction is their exact difference, held in two floats for each coordinate.

        >>> Segment.between([0.1, 0.2], [0.3, 0.7]).at([0.0, 1.0])
        array([[0.1, 0.2],
               [0.3, 0.7]])
        """
        start, end = vector(x, "x"), vector(y, "y")
        if start.shape != end.shape:
            raise ValueError(f"x has shape {start.shape} and y {end.shape}: they must be equal")
        direction, low = difference(end, start, "y - x")
        if not direction.any():
            raise ValueError("x and y are the same point: give two different ones")
        segment = object.__new__(cls)
        segment._set(0.0, 1.0, start, direction, low)
        return segment

    def part(self, a: float, b: float) -> Segment:
        """The same line between other parameters: x(t) does not change."""
        segment = object.__new__(type(self))
        segment._set(number(a, "a"), number(b, "b"), self.start, self.direction, self.direction_low)
        return segment

    def __repr__(self) -> str:
        if self.dim == 1 and self.start[0] == 0 and self.direction[0] == 1:
            return f"Segment({self.a}, {self.b})"
        if self.dim > 3 or self.direction_low.any():
            return f"Segment({self.a}, {self.b}, in dimension {self.dim})"
        return f"Segment({self.a}, {self.b}, start={self.start.tolist()}, direction={self.direction.tolist()})"

    @property
    def dim(self) -> int:
        """Input dimension N_0."""
        return len(self.start)

    @cached_property
    def packed(self) -> tuple[Floats, Floats]:
        """(a, b), and start, direction and direction_low as rows, as `kernels.count_prepared` takes them."""
        return np.array([self.a, self.b]), np.stack([self.start, self.direction, self.direction_low])

    @property
    def length(self) -> float:
        """|Omega| = b - a, in units of t."""
        return self.b - self.a

    def at(self, t: ArrayLike) -> Floats:
        """The points x(t) in float64, each coordinate correctly rounded: t of shape (m,) -> (m, N_0)."""
        points = exact_array(t, "t")
        if points.ndim != 1 or not np.all(np.isfinite(points)):
            raise ValueError(f"t is {t!r}, expected finite numbers of shape (m,): for one point write [t]")
        exact = [[Fraction(v) for v in values.tolist()] for values in (self.start, self.direction, self.direction_low)]
        return np.array([[float(s + Fraction(p) * (d + e)) for s, d, e in zip(*exact, strict=True)]
                         for p in points.tolist()]).reshape(len(points), self.dim)

    def check(self, net: Layered) -> None:
        """Raise unless the network takes inputs of this dimension."""
        if not isinstance(net, Layered):
            raise TypeError(f"expected a ReLUNetwork, got {type(net).__name__}: "
                            "convert a torch module with ReLUNetwork.from_torch(module)")
        if net.widths[0] != self.dim:
            raise ValueError(f"the network takes inputs of dimension {net.widths[0]}, the segment lies in dimension "
                             f"{self.dim}: give start and direction of shape ({net.widths[0]},)")
