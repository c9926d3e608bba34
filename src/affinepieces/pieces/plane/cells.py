"""Convex cells that meet edge to edge: one order for all traces, and the edges with what lies on their two sides."""
from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Integers = NDArray[np.int64]


@dataclass(frozen=True)
class Cells:
    """The regions of a polygon, with vertices in any numbering.

    corners: vertices of cell 0, counterclockwise, then of cell 1, ...; start: (R + 1,), as in `Subdivision`.
    made: one row for each corner, the cut along which the cell's side from there to its next corner runs: layer and
    row of a neuron, or (-1, i) on side i of the polygon.  All sides of one cell have different cuts: below the layer
    of a cut the cell is part of one region, in which the neuron vanishes along one line.
    patterns: (R, N_1 + ... + N_(L-1)), rows that are carried included.
    """

    corners: Integers
    start: Integers
    made: Integers
    patterns: NDArray[np.bool_]

    @property
    def owner(self) -> Integers:
        """For each corner the cell that it belongs to."""
        return np.repeat(np.arange(len(self.start) - 1), np.diff(self.start))

    @property
    def following(self) -> Integers:
        """For each corner the vertex of its cell that comes next."""
        after = np.arange(1, len(self.corners) + 1)
        after[self.start[1:] - 1] = self.start[:-1]
        return self.corners[after]

    def in_order(self) -> tuple[Cells, Integers, Integers]:
        """The same cells in an order that depends on nothing but them, and their old numbers and those of the vertices.

        Cells in lexicographic order of their patterns, inactive first; each begins where its side with the least cut
        begins; vertices in the order in which they appear then.
        """
        order = lexicographic(self.patterns)
        sizes = np.diff(self.start)
        first = np.lexsort((self.made[:, 1], self.made[:, 0], self.owner))[self.start[:-1]] - self.start[:-1]
        start = np.concatenate([[0], np.cumsum(sizes[order])])
        old = np.repeat(order, sizes[order])
        turned = np.arange(len(self.corners)) - np.repeat(start[:-1], sizes[order]) + first[old]
        take = self.start[old] + turned % sizes[old]
        corners, where = _as_they_appear(self.corners[take])
        return Cells(corners, start, self.made[take], self.patterns[order]), order, self.corners[take][where]

    def edges(self) -> tuple[Integers, Integers, Integers]:
        """`edges`, `sides` and `cuts` of a `Subdivision`: edges in the order in which the cells have them, each in the
        direction in which its first cell lies to the left."""
        ends = np.stack([self.corners, self.following], axis=1)
        low, high = np.sort(ends, axis=1).T
        edge, first = _as_they_appear(low * (high.max() + 1) + high)
        later = np.ones(len(ends), np.bool_)
        later[first] = False
        sides = np.stack([self.owner[first], np.full(len(first), -1)], axis=1)
        sides[edge[later], 1] = self.owner[later]
        return ends[first], sides, self.made[first]


def lexicographic(patterns: NDArray[np.bool_]) -> Integers:
    """The order of rows of bits, compared 64 at a time."""
    padded = np.zeros((len(patterns), -(-max(patterns.shape[1], 1) // 64) * 64), np.bool_)
    padded[:, :patterns.shape[1]] = patterns
    return np.lexsort(np.packbits(padded, axis=1).view(">u8").astype(np.uint64).T[::-1])


def _as_they_appear(values: Integers) -> tuple[Integers, Integers]:
    """Numbers for the values in the order in which they first appear, equal ones alike, and where each is first."""
    _, index, inverse = np.unique(values, return_index=True, return_inverse=True)
    order = np.argsort(index)
    number = np.empty(len(order), np.int64)
    number[order] = np.arange(len(order))
    return number[inverse], index[order]
