"""The convex polygon, in a plane through the input space, on which everything is counted."""
from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from math import lcm

import numpy as np
from numpy.typing import ArrayLike

from affinepieces._arrays import exact_array
from affinepieces.layers import Layered
from affinepieces.pieces.vectors import Floats, difference, vector
from affinepieces.values import Value

Point = tuple[Fraction, Fraction]
Line = tuple[int, int, int]  # a s + b t + c = 0


@dataclass(frozen=True, eq=False, init=False, repr=False)
class Plane(Value):
    """x(s, t) = origin + s * (first + first_low) + t * (second + second_low), in an input space of dimension N_0.

    origin, first, second: arrays of shape (N_0,), taken as exact numbers; first and second must not be parallel.
    first_low and second_low are zero but in a plane made by `through`.

    >>> Plane([0.0, 0.0, 1.0], [1.0, 0.0, 0.0], [0.0, 2.0, 0.0]).at([[0.5, 0.25]])
    array([[0.5, 0.5, 1. ]])
    """

    origin: Floats
    first: Floats
    second: Floats
    first_low: Floats
    second_low: Floats

    def __init__(self, origin: ArrayLike, first: ArrayLike, second: ArrayLike) -> None:
        o, d, e = vector(origin, "origin"), vector(first, "first"), vector(second, "second")
        if not o.shape == d.shape == e.shape:
            raise ValueError(f"origin has shape {o.shape}, first {d.shape} and second {e.shape}: they must be equal")
        self._set(o, d, e, np.zeros_like(d), np.zeros_like(e))

    def _set(self, *held: Floats) -> None:
        for name, value in zip(("origin", "first", "second", "first_low", "second_low"), held, strict=True):
            object.__setattr__(self, name, value)
        self.__post_init__()
        _, first, second = self.exact
        pivot = next((k for k, v in enumerate(first) if v != 0), None)
        if pivot is None or all(v * first[pivot] == u * second[pivot] for u, v in zip(first, second, strict=True)):
            raise ValueError("first and second are parallel: they span a line and no plane; give other directions, or "
                             "three points that are not on one line")

    @classmethod
    def coordinates(cls) -> Plane:
        """The plane of the inputs of a network that has two: x(s, t) = (s, t)."""
        return cls([0.0, 0.0], [1.0, 0.0], [0.0, 1.0])

    @classmethod
    def through(cls, x: ArrayLike, y: ArrayLike, z: ArrayLike) -> Plane:
        """The plane with exactly x at (0, 0), y at (1, 0) and z at (0, 1), for example three rows of a data set.

        x, y, z: points of shape (N_0,), in any float format, that are not on one line.  The directions are their
        exact differences, held in two floats for each coordinate.

        >>> Plane.through([0.1, 0.2], [0.3, 0.7], [0.5, 0.1]).at([[0.0, 1.0]])
        array([[0.5, 0.1]])
        """
        o, p, q = vector(x, "x"), vector(y, "y"), vector(z, "z")
        if not o.shape == p.shape == q.shape:
            raise ValueError(f"x has shape {o.shape}, y {p.shape} and z {q.shape}: they must be equal")
        (first, first_low), (second, second_low) = difference(p, o, "y - x"), difference(q, o, "z - x")
        plane = object.__new__(cls)
        plane._set(o, first, second, first_low, second_low)
        return plane

    @property
    def dim(self) -> int:
        """Input dimension N_0."""
        return len(self.origin)

    @cached_property
    def exact(self) -> tuple[list[Fraction], list[Fraction], list[Fraction]]:
        """origin and the two directions, as Fractions."""
        zero = np.zeros_like(self.origin)
        pairs = (self.origin, zero), (self.first, self.first_low), (self.second, self.second_low)
        origin, first, second = ([Fraction(h) + Fraction(v) for h, v in zip(high.tolist(), low.tolist(), strict=True)]
                                 for high, low in pairs)
        return origin, first, second

    def at(self, points: ArrayLike) -> Floats:
        """The points x(s, t) in float64, each coordinate correctly rounded: (m, 2) -> (m, N_0)."""
        given = _points(points, "points")
        return np.array([[float(o + Fraction(s) * d + Fraction(t) * e) for o, d, e in zip(*self.exact, strict=True)]
                         for s, t in given.tolist()]).reshape(len(given), self.dim)

    def __repr__(self) -> str:
        return "Plane.coordinates()" if self == Plane.coordinates() else f"Plane(in dimension {self.dim})"


@dataclass(frozen=True, eq=False, init=False, repr=False)
class Polygon(Value):
    """A convex polygon with float64 corners (s, t) in a plane.

    corners: (m, 2) with m >= 3, in order around the polygon, no three of them on a line; they are kept
    counterclockwise.  plane: without it, that of the inputs of a network that has two.
    All numbers are taken as exact.

    >>> Polygon([[0, 0], [2, 0], [0, 1]]).area
    Fraction(1, 1)
    """

    corners: Floats
    plane: Plane

    def __init__(self, corners: ArrayLike, plane: Plane | None = None) -> None:
        points = _points(corners, "corners")
        if len(points) < 3:
            raise ValueError(f"corners holds {len(points)} points, expected at least 3")
        if plane is not None and not isinstance(plane, Plane):
            raise TypeError(f"plane is a {type(plane).__name__}, expected a Plane: make one with "
                            "Plane.through(x, y, z)")
        exact = [(Fraction(s), Fraction(t)) for s, t in points.tolist()]
        if shoelace(exact) < 0:
            points, exact = points[::-1], exact[::-1]
        turns = _turns(exact)
        if min(turns) <= 0 or not _once_around(points):
            wrong = points[(turns.index(min(turns)) + 1) % len(points)].tolist()
            raise ValueError(f"corners are no convex polygon at {wrong}: give them in order, leave out those on the "
                             "line between two others, and cut what is not convex into parts")
        object.__setattr__(self, "corners", np.ascontiguousarray(points))
        object.__setattr__(self, "plane", Plane.coordinates() if plane is None else plane)
        self.__post_init__()

    @classmethod
    def square(cls, radius: float = 1.0, plane: Plane | None = None) -> Polygon:
        """[-radius, radius]^2.

        >>> Polygon.square(0.5).corners.tolist()
        [[-0.5, -0.5], [0.5, -0.5], [0.5, 0.5], [-0.5, 0.5]]
        """
        return cls.rectangle(-radius, radius, -radius, radius, plane)

    @classmethod
    def rectangle(cls, left: float, right: float, low: float, high: float, plane: Plane | None = None) -> Polygon:
        """[left, right] x [low, high]."""
        return cls([[left, low], [right, low], [right, high], [left, high]], plane)

    @property
    def dim(self) -> int:
        """Input dimension N_0."""
        return self.plane.dim

    @cached_property
    def exact(self) -> list[Point]:
        """The corners, as Fractions."""
        return [(Fraction(s), Fraction(t)) for s, t in self.corners.tolist()]

    @cached_property
    def area(self) -> Fraction:
        """In units of s t, exactly."""
        return shoelace(self.exact)

    @cached_property
    def sides(self) -> list[Line]:
        """The lines through neighbouring corners."""
        out = []
        for (s, t), (u, v) in zip(self.exact, self.exact[1:] + self.exact[:1], strict=True):
            numbers = t - v, u - s, s * v - u * t
            scale = lcm(*(x.denominator for x in numbers))
            a, b, c = (int(x * scale) for x in numbers)
            out.append((a, b, c))
        return out

    def check(self, net: Layered) -> None:
        """Raise unless the network takes inputs of this dimension."""
        if net.widths[0] != self.dim:
            raise ValueError(f"the network takes inputs of dimension {net.widths[0]}, the polygon lies in dimension "
                             f"{self.dim}: give a plane, for example Plane.through(x, y, z)")

    def __repr__(self) -> str:
        where = "" if self.plane == Plane.coordinates() else f", {self.plane!r}"
        listed = str(self.corners.tolist())
        return f"Polygon({listed if len(listed) <= 80 else f'{len(self.corners)} corners'}{where})"


def shoelace(corners: list[Point]) -> Fraction:
    """The area of a polygon with these corners, counterclockwise."""
    pairs = zip(corners, [*corners[1:], corners[0]], strict=True)
    return sum(((s * v - u * t) for (s, t), (u, v) in pairs), Fraction(0)) / 2


def half(corners: Floats, over: Floats) -> Floats:
    """The part of a convex polygon, corners (m, 2) in float64, on which over @ (s, t, 1) >= 0; up to rounding.

    >>> half(np.array([[0.0, 0.0], [2.0, 0.0], [0.0, 1.0]]), np.array([1.0, 0.0, -1.0])).tolist()
    [[1.0, 0.0], [2.0, 0.0], [1.0, 0.5]]
    """
    height, out = corners @ over[:2] + over[2], []
    for i, (point, here) in enumerate(zip(corners, height, strict=True)):
        following, there = corners[(i + 1) % len(corners)], height[(i + 1) % len(corners)]
        if here >= 0:
            out.append(point)
        if here * there < 0:
            out.append(point + (following - point) * (here / (here - there)))
    return np.array(out).reshape(-1, 2)


def area_of(corners: Floats) -> float:
    """Of a polygon, corners (m, 2) in float64, counterclockwise; up to rounding.

    >>> area_of(np.array([[0.0, 0.0], [2.0, 0.0], [0.0, 1.0]]))
    1.0
    """
    s, t = corners.T
    return float(s @ np.roll(t, -1) - t @ np.roll(s, -1)) / 2


def _turns(corners: list[Point]) -> list[Fraction]:
    """Twice the signed areas of the triangles of three corners in a row."""
    n = len(corners)
    out = []
    for i in range(n):
        (a, b), (c, d), (e, f) = corners[i], corners[(i + 1) % n], corners[(i + 2) % n]
        out.append((c - a) * (f - b) - (e - a) * (d - b))
    return out


def _once_around(points: Floats) -> bool:
    """Whether a polygon that only turns left turns once: its sides have one lowest corner."""
    heights = [tuple(p) for p in points[:, ::-1].tolist()]
    n = len(heights)
    return sum(heights[i - 1] > heights[i] < heights[(i + 1) % n] for i in range(n)) == 1


def _points(values: ArrayLike, name: str) -> Floats:
    points = exact_array(values, name)
    if points.ndim != 2 or points.shape[1] != 2 or not np.all(np.isfinite(points)):
        raise ValueError(f"{name} has shape {points.shape}, expected finite numbers of shape (m, 2)")
    return np.array(points, np.float64)
