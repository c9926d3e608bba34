"""A planar subdivision whose cells are cut by lines: half-edges, each the next one's neighbour around its cell.

Which half-edge follows which is decided by signs alone, so that the graph is right if they are, whatever the floats of
its vertices say.
"""
from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from affinepieces.arithmetic.double_double import U
from affinepieces.arithmetic.kernels.compiler import inline, jit
from affinepieces.pieces.kernels.common import FLOOR, SAFE

FROM, NEXT, TWIN, CELL, LINE = range(5)  # of a half-edge: its first vertex, the next one, the one back (-1: none) ...
LAYER, ROW, WHERE = range(3)  # of a line: the neuron that vanishes on it, in which cell
VERTICES, LINES, HALVES, CELLS = range(4)


class Mesh(NamedTuple):
    """Arrays with room for more; `used` tells how many entries are."""

    points: NDArray[np.float64]  # (V, 2), the vertices
    radius: NDArray[np.float64]  # (V,), each coordinate lies within this distance
    made: NDArray[np.int64]  # (V, 2), the lines that meet there
    lines: NDArray[np.float64]  # (L, 3), a s + b t + c = 0
    errors: NDArray[np.float64]  # (L, 3), of a, b, c
    names: NDArray[np.int64]  # (L, 3), layer, row and cell
    halves: NDArray[np.int64]  # (H, 5)
    first: NDArray[np.int64]  # (C,), a half-edge of the cell
    root: NDArray[np.int64]  # (C,), the cell of the layers below that it is a part of
    used: NDArray[np.int64]  # (4,)


@inline
def room(mesh: Any) -> bool:
    """Whether one more cut fits into the arrays."""
    return bool(mesh.used[VERTICES] + 2 <= len(mesh.points) and mesh.used[LINES] + 1 <= len(mesh.lines)
                and mesh.used[HALVES] + 6 <= len(mesh.halves) and mesh.used[CELLS] + 1 <= len(mesh.first))


@inline
def split(mesh: Any, h: int, line: int) -> int:
    """A new vertex where a line meets half-edge h, for the cells on both sides; its number."""
    halves, v = mesh.halves, mesh.used[VERTICES]
    mesh.used[VERTICES] += 1
    mesh.made[v, 0], mesh.made[v, 1] = halves[h, LINE], line
    _locate(mesh, v, halves[h, FROM], halves[halves[h, NEXT], FROM])
    back = halves[h, TWIN]
    ahead = _continued(mesh, h, v)
    if back >= 0:
        behind = _continued(mesh, back, v)
        halves[h, TWIN], halves[behind, TWIN] = behind, h
        halves[ahead, TWIN], halves[back, TWIN] = back, ahead
    return int(v)


@inline
def _continued(mesh: Any, h: int, v: int) -> int:
    """The half-edge from vertex v on, where h ends now."""
    halves, new = mesh.halves, mesh.used[HALVES]
    mesh.used[HALVES] += 1
    halves[new, FROM], halves[new, NEXT], halves[new, TWIN] = v, halves[h, NEXT], -1
    halves[new, CELL], halves[new, LINE] = halves[h, CELL], halves[h, LINE]
    halves[h, NEXT] = new
    return int(new)


@inline
def divide(mesh: Any, cell: int, p: int, q: int, line: int) -> int:
    """Cut a cell along the line from vertex p to q; it keeps the part after p, a new one has the part after q."""
    halves = mesh.halves
    before_p = before_q = -1
    h = mesh.first[cell]
    while before_p < 0 or before_q < 0:
        end = halves[halves[h, NEXT], FROM]
        if end == p:
            before_p = h
        elif end == q:
            before_q = h
        h = halves[h, NEXT]
    x, new = mesh.used[HALVES], mesh.used[CELLS]
    y = x + 1
    mesh.used[HALVES] += 2
    mesh.used[CELLS] += 1
    after_p, after_q = halves[before_p, NEXT], halves[before_q, NEXT]
    halves[x, FROM], halves[x, NEXT], halves[x, TWIN], halves[x, CELL], halves[x, LINE] = q, after_p, y, cell, line
    halves[y, FROM], halves[y, NEXT], halves[y, TWIN], halves[y, CELL], halves[y, LINE] = p, after_q, x, new, line
    halves[before_q, NEXT], halves[before_p, NEXT] = x, y
    mesh.first[cell], mesh.first[new], mesh.root[new] = x, y, mesh.root[cell]
    h = after_q
    while h != y:
        halves[h, CELL] = new
        h = halves[h, NEXT]
    return int(new)


@inline
def _locate(mesh: Any, v: int, u: int, w: int) -> None:
    """Where vertex v is, between u and w: where its lines meet, and how far that may be from the truth.

    The point p found by Cramer's rule leaves residuals r in the two equations; the true vertex p + d solves them
    exactly, so d is bounded by the inverse of the true matrix times what r may be.
    """
    i, k = mesh.made[v]
    a, b, c = mesh.lines[i]
    f, g, h = mesh.lines[k]
    da, db, dc = mesh.errors[i]
    df, dg, dh = mesh.errors[k]
    determinant = a * g - b * f
    doubt = 4 * U * (abs(a * g) + abs(b * f)) + (abs(a) + da) * dg + abs(g) * da + (abs(b) + db) * df + abs(f) * db
    least = abs(determinant) - SAFE * doubt - FLOOR
    s, t = (b * h - c * g) / determinant, (c * f - a * h) / determinant
    first = abs(a * s + b * t + c) + (da + 4 * U * abs(a)) * abs(s) + (db + 4 * U * abs(b)) * abs(t) \
        + dc + 4 * U * abs(c) + FLOOR
    second = abs(f * s + g * t + h) + (df + 4 * U * abs(f)) * abs(s) + (dg + 4 * U * abs(g)) * abs(t) \
        + dh + 4 * U * abs(h) + FLOOR
    far = SAFE * max((abs(g) + dg) * first + (abs(b) + db) * second, (abs(f) + df) * first
                     + (abs(a) + da) * second) / least + FLOOR / least + 1e-320
    mid_s, mid_t = (mesh.points[u, 0] + mesh.points[w, 0]) / 2, (mesh.points[u, 1] + mesh.points[w, 1]) / 2
    half = SAFE * (max(abs(mesh.points[u, 0] - mid_s), abs(mesh.points[u, 1] - mid_t),
                       abs(mesh.points[w, 0] - mid_s), abs(mesh.points[w, 1] - mid_t))
                   + max(mesh.radius[u], mesh.radius[w])) + FLOOR
    if least > 0 and far < half and not np.isnan(s + t):
        mesh.points[v, 0], mesh.points[v, 1], mesh.radius[v] = s, t, far
    else:
        mesh.points[v, 0], mesh.points[v, 1], mesh.radius[v] = mid_s, mid_t, half


@jit
def around(mesh: Any) -> Any:
    """Corners of all cells, counterclockwise, the line on which each one's side begins, and where each cell starts."""
    cells = mesh.used[CELLS]
    corners, lines = np.empty(mesh.used[HALVES], np.int64), np.empty(mesh.used[HALVES], np.int64)
    start = np.zeros(cells + 1, np.int64)
    at = 0
    for c in range(cells):
        h = mesh.first[c]
        while True:
            corners[at], lines[at] = mesh.halves[h, FROM], mesh.halves[h, LINE]
            at += 1
            h = mesh.halves[h, NEXT]
            if h == mesh.first[c]:
                break
        start[c + 1] = at
    return corners[:at], lines[:at], start


@jit
def components(cells: int, pairs: Any) -> Any:
    """(cells,): which component of a graph each cell belongs to, numbered by their first cells; pairs: (E, 2)."""
    root = np.arange(cells)
    for i in range(len(pairs)):
        a, b = pairs[i]
        while root[a] != a:
            root[a] = root[root[a]]
            a = root[a]
        while root[b] != b:
            root[b] = root[root[b]]
            b = root[b]
        root[max(a, b)] = min(a, b)
    number, count = np.empty(cells, np.int64), 0
    for c in range(cells):
        if root[c] == c:
            number[c], count = count, count + 1
        else:
            number[c] = number[root[c]]
    return number
