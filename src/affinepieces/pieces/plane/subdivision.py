"""A continuous piecewise affine function of two variables, as data: a polygon divided into convex regions."""
from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from affinepieces import environment
from affinepieces.pieces.certificate import Certificate
from affinepieces.pieces.plane.kernels import components
from affinepieces.pieces.plane.polygon import Polygon
from affinepieces.values import Value

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Integers = NDArray[np.int64]


@dataclass(frozen=True, eq=False, repr=False)
class Subdivision(Value):
    """(s, t) -> R^m on a convex polygon, affine on each of R activation regions, which are convex polygons too.

    The regions form a planar graph of V vertices and E edges: two regions that touch along a segment share whole
    edges, and a vertex lies on no edge but at its end.
    points: (V, 2), the vertices (s, t); values: (V, m), the function there.
    corners: vertices of region 0, counterclockwise, then of region 1, ...; start: (R + 1,), region r owns
    corners[start[r]:start[r + 1]].
    patterns: (R, hidden neurons), which of them are active (positive) inside of the region.
    maps: (R, m, 3), the function on region r is maps[r] @ (s, t, 1).
    edges: (E, 2), their end points; sides: (E, 2), the regions to their left and right, -1 outside of the polygon.
    cuts: (E, 2), layer and row, from 0, of the first neuron whose activity changes there, rows without ReLU counted;
    (-1, i) on side i of the polygon, which begins at its corner i.  All sides of one region have different cuts.
    kinks: (E,), whether the affine map changes across the edge, decided exactly; False on the polygon's sides.
    Regions are in lexicographic order of their patterns, inactive first, and each begins with its side of the least
    cut; vertices and edges are numbered as the regions have them, and edges run so that their first region is to the
    left.  Nothing else decides the order.
    Numbers are float64, or `fractions.Fraction` (dtype object) in an exact trace, which has no rounding errors.
    In a certified trace everything but the floats is proved, and
    radius: (V,), each vertex lies within this distance of its floats;
    value_radius: (V,), the same for the values at the true vertex (2-norm);
    map_radius: (R,), the same for the maps (Frobenius norm); infinite where nothing is known;
    certificate: how the decisions were made.
    """

    polygon: Polygon
    points: NDArray[Any]
    values: NDArray[Any]
    corners: Integers
    start: Integers
    patterns: NDArray[np.bool_]
    maps: NDArray[Any]
    edges: Integers
    sides: Integers
    cuts: Integers
    kinks: NDArray[np.bool_]
    radius: NDArray[np.float64] | None = None
    value_radius: NDArray[np.float64] | None = None
    map_radius: NDArray[np.float64] | None = None
    certificate: Certificate | None = None

    @property
    def regions(self) -> int:
        """Number of activation regions."""
        return len(self.start) - 1

    @cached_property
    def pieces(self) -> int:
        """Number of affine pieces: regions that touch along an edge and have the same affine map belong together."""
        return int(self.piece_of.max()) + 1

    @cached_property
    def piece_of(self) -> Integers:
        """(R,): the number of the piece that a region belongs to; pieces are numbered by their first regions."""
        smooth = ~self.kinks & (self.sides >= 0).all(axis=1)
        return np.asarray(components(self.regions, self.sides[smooth]))

    @cached_property
    def inner(self) -> Integers:
        """(I, 2): pairs of neighbouring regions, the smaller number first, each once; regions that touch along a
        segment are neighbours."""
        both = np.sort(self.sides[(self.sides >= 0).all(axis=1)], axis=1)
        return np.unique(both, axis=0).reshape(-1, 2)

    @cached_property
    def degrees(self) -> Integers:
        """(R,): how many neighbours each region has."""
        return np.bincount(self.inner.ravel(), minlength=self.regions)

    @property
    def mean_degree(self) -> Fraction:
        """Mean number of neighbours of a region; below 4 (Gaines and Bi 2026: at most twice the dimension)."""
        return Fraction(2 * len(self.inner), self.regions)

    def polygon_of(self, region: int) -> NDArray[Any]:
        """(c, 2): the corners of a region, counterclockwise."""
        return np.asarray(self.points[self.corners[self.start[region]:self.start[region + 1]]])

    @cached_property
    def areas(self) -> NDArray[Any]:
        """(R,), in units of s t; Fractions that add up to the polygon's area in an exact trace."""
        return self._moments[0]

    @cached_property
    def centroids(self) -> NDArray[Any]:
        """(R, 2): the mean of the points of each region."""
        return self._moments[1]

    @cached_property
    def _moments(self) -> tuple[NDArray[Any], NDArray[Any]]:
        """Areas and centroids, by the shoelace formula about the first corner of each region."""
        environment.check()
        owner = np.repeat(np.arange(self.regions), np.diff(self.start))
        following = np.arange(1, len(self.corners) + 1)
        following[self.start[1:] - 1] = self.start[:-1]
        origin = self.points[self.corners[self.start[:-1]]]
        here = self.points[self.corners] - origin[owner]
        there = here[following]
        cross = here[:, 0] * there[:, 1] - here[:, 1] * there[:, 0]
        twice = np.add.reduceat(cross, self.start[:-1])
        with np.errstate(divide="ignore", invalid="ignore"):
            rest = np.add.reduceat((here + there) * cross[:, None], self.start[:-1]) / (3 * twice)[:, None]
        if self.points.dtype != object:  # areas too small for floats
            rest = np.where(twice[:, None] > 0, rest, 0.0)
        return twice / 2, origin + rest

    def plot(self, ax: Axes | None = None, colour: str = "pattern") -> Axes:
        """The regions and their boundaries, wide and dark where a neuron of an early layer cuts; returns the axes.

        colour: "pattern", a colour that a region keeps as long as its activation pattern; "piece"; "height", the first
        output; "class", the largest output.
        """
        from affinepieces.figures.subdivision import draw

        axes: Axes = draw(self, ax, colour)
        return axes

    def __repr__(self) -> str:
        kind = "exact" if self.points.dtype == object else str(self.values.dtype)
        return (f"Subdivision({self.pieces} pieces, {self.regions} regions on {self.polygon!r}, "
                f"{self.values.shape[1]} outputs, {kind})")
