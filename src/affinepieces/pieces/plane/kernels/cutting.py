"""The hot loops of the plane: signs of neurons at the corners of cells, and the cuts that follow from them."""
from __future__ import annotations

from typing import Any

import numpy as np

from affinepieces.arithmetic.double_double import U
from affinepieces.arithmetic.kernels.compiler import inline, jit
from affinepieces.pieces.kernels.common import ACTIVE, DOUBT, FLOOR, INACTIVE, SAFE, ZERO, passes, vanishes
from affinepieces.pieces.plane.kernels.mesh import (
    CELLS,
    FROM,
    LAYER,
    LINES,
    NEXT,
    ROW,
    WHERE,
    divide,
    room,
    split,
)

DONE, FULL = -1, -2  # what `cut_cells` returns, where it is not a vertex with a sign in doubt
UNSEEN = 3  # a sign that nobody has asked for
# Of the state: a cell; how many neurons cut it, and which of them is next, -1 before they are known; how many cells
# there were before, and before this neuron; which part of the cell is next, -1 before the first.
AT, WANTED, RANK, BEFORE, MEMBERS, PART = range(6)


@inline
def weighed(g: Any, e: Any, k: int) -> Any:
    """Neuron k, a s + b t + c with coefficients g (3, N) that have errors e (3,): these three, and what bounds errors.

    |z - (a s + b t + c)| <= u |s| + v |t| + w + x r, rounding included, at a vertex within r of (s, t).
    """
    a, b, c = g[0, k], g[1, k], g[2, k]
    return (a, b, c, SAFE * (e[0] + 4 * U * abs(a)), SAFE * (e[1] + 4 * U * abs(b)), SAFE * (e[2] + 4 * U * abs(c)),
            SAFE * (abs(a) + abs(b) + e[0] + e[1]), a == 0 and b == 0 and c == 0 and e[0] + e[1] + e[2] == 0)


@inline
def sign(form: Any, s: float, t: float, radius: float) -> int:
    """Of a neuron at a vertex."""
    a, b, c, u, v, w, x, zero = form
    z = a * s + b * t + c
    error = SAFE * (u * abs(s) + v * abs(t) + w + x * radius) + FLOOR
    return ACTIVE if error < z < np.inf else INACTIVE if -np.inf < z < -error else ZERO if zero else DOUBT


@jit
def corner_signs(mesh: Any, g: Any, e: Any, zero: Any, carried: Any, signs: Any) -> Any:
    """Signs of all neurons at all vertices, (V, N), each from the first of its cells; which vertices have a doubt."""
    n = g.shape[2]
    doubtful = np.zeros(len(signs), np.bool_)
    for c in range(len(g)):
        h = mesh.first[c]
        while True:
            v = mesh.halves[h, FROM]
            if signs[v, 0] == UNSEEN:
                _all_signs(g[c, 0], g[c, 1], g[c, 2], e[c], mesh.points[v], mesh.radius[v], signs[v])
                for k in range(n):
                    if signs[v, k] == DOUBT:
                        if passes(carried, k) or vanishes(zero, c, k):
                            signs[v, k] = ZERO
                        else:
                            signs[v, k] = sign(weighed(g[c], e[c], k), mesh.points[v, 0], mesh.points[v, 1],
                                               mesh.radius[v])
                            doubtful[v] |= signs[v, k] == DOUBT
                    elif passes(carried, k):
                        signs[v, k] = ZERO
            h = mesh.halves[h, NEXT]
            if h == mesh.first[c]:
                break
    return doubtful


@jit
def _all_signs(a: Any, b: Any, c: Any, e: Any, point: Any, radius: float, out: Any) -> None:
    """Those that are certain, and DOUBT: as `sign`, in a loop without branches."""
    s, t = point[0], point[1]
    u, v = abs(s), abs(t)
    fixed = e[0] * u + e[1] * v + e[2] + (e[0] + e[1]) * radius
    for k in range(len(a)):
        z = a[k] * s + b[k] * t + c[k]
        error = fixed + abs(a[k]) * (4 * U * u + radius) + abs(b[k]) * (4 * U * v + radius) + 4 * U * abs(c[k])
        bound = SAFE * error + FLOOR
        out[k] = ACTIVE if bound < z < np.inf else INACTIVE if -np.inf < z < -bound else DOUBT


@jit
def cut_cells(mesh: Any, g: Any, e: Any, layer: int, sources: Any, known: Any, signs: Any, bits: Any, state: Any,
              wanted: Any, marks: Any, stop: int) -> int:
    """Cut the cells up to `stop` by the neurons of a layer that change their sign inside of them.

    sources: (N,), the first neuron that is the same one; only those cut, and only their `bits` are right.
    known: (V,), the row of `signs` that belongs to a vertex, -1 without one.  bits: (C, N), which neurons are active.
    Goes on where `state` says.  Returns DONE, FULL if the arrays are too short, or a vertex with a sign in doubt.
    """
    while state[AT] < stop:
        c = state[AT]
        if state[RANK] < 0:
            state[WANTED], state[BEFORE] = _cutting(mesh, c, sources, known, signs, bits, wanted), mesh.used[CELLS]
            state[RANK], state[PART] = 0, -1
        while state[RANK] < state[WANTED]:
            k = wanted[state[RANK]]
            if not room(mesh):
                return FULL
            if state[PART] < 0:
                _new_line(mesh, g[c], e[c], layer, k, c)
                state[PART], state[MEMBERS] = 0, mesh.used[CELLS] - state[BEFORE]
            while state[PART] <= state[MEMBERS]:
                cell = c if state[PART] == 0 else state[BEFORE] + state[PART] - 1
                if not room(mesh):
                    return FULL
                doubt = _cut(mesh, weighed(g[c], e[c], k), layer, k, cell, known, signs, bits, marks)
                if doubt >= 0:
                    return int(doubt)
                state[PART] += 1
            state[RANK] += 1
            state[PART] = -1
        state[AT] += 1
        state[RANK] = -1
    return DONE


@inline
def _cutting(mesh: Any, c: int, sources: Any, known: Any, signs: Any, bits: Any, wanted: Any) -> int:
    """The neurons that are positive at one corner of a cell and negative at another, into `wanted`; how many."""
    n, count = signs.shape[1], 0
    negative = np.zeros(n, np.bool_)
    bits[c] = False
    h = mesh.first[c]
    while True:
        row = known[mesh.halves[h, FROM]]
        if row >= 0:  # others are on the sides, put there by the neighbours
            for k in range(n):
                bits[c, k] |= signs[row, k] == ACTIVE
                negative[k] |= signs[row, k] == INACTIVE
        h = mesh.halves[h, NEXT]
        if h == mesh.first[c]:
            break
    for k in range(n):
        if bits[c, k] and negative[k] and sources[k] == k:
            wanted[count] = k
            count += 1
    return count


@inline
def _new_line(mesh: Any, g: Any, e: Any, layer: int, k: int, c: int) -> None:
    """Where neuron k vanishes in a cell."""
    i = mesh.used[LINES]
    mesh.used[LINES] += 1
    for r in range(3):
        mesh.lines[i, r], mesh.errors[i, r] = g[r, k], e[r]
    mesh.names[i, LAYER], mesh.names[i, ROW], mesh.names[i, WHERE] = layer, k, c


@jit
def _cut(mesh: Any, form: Any, layer: int, k: int, cell: int, known: Any, signs: Any, bits: Any,
         marks: Any) -> int:
    """Cut a part of a cell by neuron k, if it has both signs there; a vertex whose sign is in doubt, or -1."""
    positive = negative = False
    halves, h = mesh.halves, mesh.first[cell]
    while True:
        v = halves[h, FROM]
        found = _sign_at(mesh, form, layer, k, v, known, signs)
        if found == DOUBT:
            return int(v)
        marks[v] = found
        positive |= found == ACTIVE
        negative |= found == INACTIVE
        h = halves[h, NEXT]
        if h == mesh.first[cell]:
            break
    bits[cell, k] = positive
    if not (positive and negative):
        return -1
    p = q = -1
    h, first = mesh.first[cell], mesh.first[cell]
    while True:
        after = halves[h, NEXT]
        here, there = marks[halves[h, FROM]], marks[halves[after, FROM]]
        meets = halves[h, FROM] if here == ZERO else split(mesh, h, mesh.used[LINES] - 1) if here * there < 0 else -1
        if meets >= 0:
            p, q = (meets, q) if p < 0 else (p, meets)
        h = after
        if h == first:
            break
    new = divide(mesh, cell, p, q, mesh.used[LINES] - 1)
    bits[new] = bits[cell]
    inside = halves[halves[mesh.first[cell], NEXT], NEXT]  # from the first corner after p
    bits[cell, k] = marks[halves[inside, FROM]] == ACTIVE
    bits[new, k] = not bits[cell, k]
    return -1


@inline
def _sign_at(mesh: Any, form: Any, layer: int, k: int, v: int, known: Any, signs: Any) -> int:
    """From the table; zero where the vertex is on the neuron's own line; computed otherwise."""
    if known[v] >= 0:
        return int(signs[known[v], k])
    for i in range(2):
        line = mesh.made[v, i]
        if mesh.names[line, LAYER] == layer and mesh.names[line, ROW] == k:
            return ZERO
    return int(sign(form, mesh.points[v, 0], mesh.points[v, 1], mesh.radius[v]))
