"""Regions and pieces on a polygon in exact rational arithmetic: slow, obviously right, the truth for faster ways.

A vertex is a row of integers h * (x_1, ..., x_N, s, t, 1) with some h > 0, as in `pieces.exact`.  Neuron after neuron,
first each edge along which it changes its sign gets a vertex at the zero, which the regions on both sides share, then
each region with both signs is cut between the two vertices where the neuron vanishes.
"""
from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from itertools import accumulate, pairwise
from typing import Any

import numpy as np
from flint import fmpz, fmpz_mat
from numpy.typing import NDArray
from tqdm import tqdm

from affinepieces import environment
from affinepieces._interrupts import check
from affinepieces.layers import Layered
from affinepieces.pieces.certificate import Certificate
from affinepieces.pieces.exact import Row, affine, as_fraction, dyadic, neurons_of, relu, zero_row
from affinepieces.pieces.plane.cells import Cells
from affinepieces.pieces.plane.polygon import Plane, Polygon
from affinepieces.pieces.plane.subdivision import Subdivision
from affinepieces.pieces.whole import switching


@dataclass(frozen=True)
class Cell:
    """A region: its corners, counterclockwise, along which cut the side from each corner to the next one runs, and
    which rows are active inside."""

    corners: list[int]
    made: list[tuple[int, int]]
    pattern: list[bool]

    def sides(self) -> list[tuple[int, int]]:
        """The two ends of each side."""
        return list(pairwise([*self.corners, self.corners[0]]))


def trace_exact(net: Layered, polygon: Polygon) -> Subdivision:
    """R(Phi) on the polygon with every number a Fraction.

    Regions come in lexicographic order of their patterns, inactive first, and corners, vertices and edges in the order
    of `Cells.in_order`, which depends on nothing but the regions.

    >>> from affinepieces import ReLUNetwork
    >>> ridge = ReLUNetwork([[[3.0, 0.0]], [[1.0]]], [[-1.0], [0.0]])
    >>> trace_exact(ridge, Polygon.rectangle(0, 1, 0, 1)).areas
    array([Fraction(1, 3), Fraction(2, 3)], dtype=object)
    """
    polygon.check(net)
    environment.check()
    rows, found, decisions = _subdivided(net, polygon)
    cells, _, vertices = _as_arrays(found, sum(net.widths[1:-1])).in_order()
    rows = [rows[v] for v in vertices.tolist()]
    outputs = net.widths[-1]
    points = np.array([[as_fraction(v, row[-1]) for v in row[-3:-1]] for row in rows], dtype=object)
    values = np.array([[as_fraction(v, row[-1]) for v in row[:outputs]] for row in rows], dtype=object)
    maps = _maps(rows, cells, outputs)
    edges, sides, cuts = cells.edges()
    kinks = (sides >= 0).all(axis=1) & (maps[sides[:, 0]] != maps[sides[:, 1]]).any(axis=(1, 2))
    decisions += int(np.count_nonzero(sides >= 0)) - len(sides)  # one for each edge inside
    return Subdivision(polygon, points, values, cells.corners, cells.start, cells.patterns[:, switching(net)], maps,
                       edges, sides, cuts, kinks, certificate=Certificate(exact=decisions, net=net, domain=polygon))


def _subdivided(net: Layered, polygon: Polygon) -> tuple[list[Row], list[Cell], int]:
    """Rows of the outputs at all vertices, the regions, and how many signs were looked at."""
    rows = [_input_row(polygon.plane, corner) for corner in polygon.corners.tolist()]
    cells = [Cell(list(range(len(rows))), [(-1, i) for i in range(len(rows))], [])]
    signs = 0
    for j, (a, b) in enumerate(tqdm(zip(net.weights, net.biases, strict=True), total=net.layers, delay=3, leave=False)):
        rows = affine(a, b, rows)
        if j == net.layers - 1:
            break
        neurons = neurons_of(net, j)
        for k in range(len(b)):
            if k in neurons:
                cells = _cut(rows, cells, j, k)
            else:
                cells = [Cell(cell.corners, cell.made, [*cell.pattern, True]) for cell in cells]
        signs += len(rows) * len(neurons)
        rows = relu(rows, neurons)
    return rows, cells, signs


def _cut(rows: list[Row], cells: list[Cell], j: int, k: int) -> list[Cell]:
    """All cells, cut where neuron k of layer j changes its sign; the new vertices are appended to the rows."""
    between: dict[tuple[int, int], int] = {}
    out = []
    for cell in cells:
        check()
        for v, w in cell.sides():
            if rows[v][k] < 0 < rows[w][k] or rows[w][k] < 0 < rows[v][k]:
                ends = min(v, w), max(v, w)
                if ends not in between:
                    between[ends] = len(rows)
                    rows.append(zero_row(rows[v], rows[w], k))
    for cell in cells:
        check()
        out += _parts(_with_vertices(cell, between), rows, j, k)
    return out


def _with_vertices(cell: Cell, between: dict[tuple[int, int], int]) -> Cell:
    """The cell with the new vertices on its sides."""
    corners, made = [], []
    for (v, w), cut in zip(cell.sides(), cell.made, strict=True):
        new = between.get((min(v, w), max(v, w)))
        corners += [v] if new is None else [v, new]
        made += [cut] if new is None else [cut, cut]
    return Cell(corners, made, cell.pattern)


def _parts(cell: Cell, rows: list[Row], j: int, k: int) -> list[Cell]:
    """The cell, or its two parts where the neuron is negative and positive; all its zeros on the sides are corners."""
    z = [rows[v][k] for v in cell.corners]
    if not min(z) < 0 < max(z):
        return [Cell(cell.corners, cell.made, [*cell.pattern, max(z) > 0])]
    parts = []
    for sign in (-1, 1):
        kept = [i for i, value in enumerate(z) if sign * value >= 0]
        made = [cell.made[i] if sign * z[(i + 1) % len(z)] >= 0 else (j, k) for i in kept]
        parts.append(Cell([cell.corners[i] for i in kept], made, [*cell.pattern, sign > 0]))
    return parts


def _input_row(plane: Plane, corner: list[float]) -> Row:
    """The row of a corner (s, t)."""
    ((s, t),), h = dyadic(np.array([corner]))
    held = [plane.origin, plane.first, plane.first_low, plane.second, plane.second_low]
    (origin, *directions), scale = dyadic(np.stack(held))
    x = [o * h + (d + d_low) * s + (e + e_low) * t for o, d, d_low, e, e_low in zip(origin, *directions, strict=True)]
    return [fmpz(v) for v in (*x, scale * s, scale * t, scale * h)]


def _as_arrays(cells: list[Cell], neurons: int) -> Cells:
    start = np.array(list(accumulate((len(cell.corners) for cell in cells), initial=0)))
    return Cells(np.array([v for cell in cells for v in cell.corners]), start,
                 np.array([cut for cell in cells for cut in cell.made]),
                 np.array([cell.pattern for cell in cells], np.bool_).reshape(len(cells), neurons))


def _maps(rows: list[Row], cells: Cells, outputs: int) -> NDArray[np.object_]:
    """(R, m, 3): the function of each region through its first three corners, which lie on no line."""
    out = []
    for first in cells.start[:-1].tolist():
        check()
        three = [rows[v] for v in cells.corners[first:first + 3].tolist()]
        places = fmpz_mat(3, 3, [v for row in three for v in row[-3:]])
        solved = places.solve(fmpz_mat(3, outputs, [v for row in three for v in row[:outputs]]))
        out.append([[_of_flint(solved[i, k]) for i in range(3)] for k in range(outputs)])
    return np.array(out, dtype=object)


def _of_flint(number: Any) -> Fraction:
    return as_fraction(number.p, number.q)
