"""One hidden layer after its affine map: new columns at the zeros, and the ReLU."""
from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from affinepieces.arithmetic.double_double import U, combine, two_sum
from affinepieces.arithmetic.kernels.compiler import jit, jit_with
from affinepieces.pieces.kernels.common import ACTIVE, DOUBT, FLOOR, INACTIVE, NEARLY, ROOT, SAFE, ZERO, passes
from affinepieces.pieces.kernels.words import convex, copy, count, load, store, summed_row, tail
from affinepieces.pieces.kernels.zeros import doubtful_columns, sign_changes, signs, sorted_zeros


class Activations(NamedTuple):
    """What R columns hold after a layer with N neurons.

    x, xlo: the activations, in words.  e: their errors.  xs, xslow: the activations at the breakpoint itself, where
    these are known exactly.  weight: |x| times the number of terms of a dot product with x, for its rounding.
    zero: (R, N), which are zero at the breakpoint by construction, or None where nobody asks.
    """

    x: Any
    xlo: Any
    e: Any
    xs: Any
    xslow: Any
    weight: Any
    zero: Any


class Place(NamedTuple):
    """Where R columns are.

    t, tlo: the points, in words.  eta: how far a point may be from the convex combination that it stands for.
    tau: within this distance is exactly one breakpoint.  dark: whether the layer or one below is off around the point.
    birth: (R, 2), layer and neuron that broke there.  sharp: whether xs and xslow are known.
    """

    t: Any
    tlo: Any
    eta: Any
    tau: Any
    dark: Any
    birth: Any
    sharp: Any


@jit_with(fastmath={"reassoc", "nsz"})
def _weight(x: Any, o: int) -> Any:
    """|x| of column o times the number of its non-zero entries and four; the order of summation is free."""
    square, terms = 0.0, 4
    for k in range(x.shape[1]):
        square += x[o, k] * x[o, k]
        terms += x[o, k] != 0
    return terms * (np.sqrt(square) * SAFE + ROOT)


@jit
def _keep(s: Any, unclear: bool, z: Any, zlo: Any, i: int, carried: Any, x: Any, xlo: Any, o: int) -> Any:
    """relu of column i as column o: what was set to zero without being so, and how many neurons are not inactive.

    unclear: whether any is in doubt or zero.
    """
    extra, inactive = 0.0, 0
    for k in range(z.shape[1]):
        on = z[i, k] > 0 or passes(carried, k)
        x[o, k] = z[i, k] if on else 0.0
        copy(zlo, i, k, xlo, o, on)
        inactive += s[i, k] == INACTIVE
    if unclear:
        for k in range(z.shape[1]):
            if s[i, k] == DOUBT or s[i, k] == ZERO:
                extra += abs(z[i, k]) + tail(zlo, i, k)
            if s[i, k] == ZERO:
                x[o, k] = 0.0
                copy(zlo, i, k, xlo, o, False)
    return extra, z.shape[1] - inactive


@jit
def _kept_zeros(s: Any, i: int, carried: Any, zero: Any, out: Any, o: int) -> None:
    """Which entries of relu of column i are zero by construction, as column o."""
    if zero is not None:
        for k in range(s.shape[1]):
            out[o, k] = zero[i, k] if passes(carried, k) else s[i, k] == INACTIVE or s[i, k] == ZERO


@jit
def _new_zeros(s: Any, i: int, carried: Any, zero: Any, x: Any, xlo: Any, bound: float, out: Any, o: int) -> None:
    """The same for a column between i and i + 1, before its relu; what is affine between two zeros is zero."""
    if zero is not None:
        for k in range(s.shape[1]):
            if passes(carried, k):
                out[o, k] = zero[i, k] and zero[i + 1, k]
            else:
                both = (s[i, k] == INACTIVE or s[i, k] == ZERO) and (s[i + 1, k] == INACTIVE or s[i + 1, k] == ZERO)
                out[o, k] = both or x[o, k] < -(bound + tail(xlo, o, k)) * SAFE


@jit
def _born(zero: Any, o: int, k: int) -> None:
    """Neuron k is zero in column o."""
    if zero is not None:
        zero[o, k] = True


@jit
def _interpolate(z: Any, zlo: Any, i: int, data: Any, p: int, x: Any, xlo: Any, o: int, room: Any) -> Any:
    """A convex combination of columns i and i + 1 as column o; returns a bound of the rounding (2-norm)."""
    total = 0.0
    if zlo is None:
        share, rest = data[p, 0], data[p, 1]
        for k in range(z.shape[1]):
            a, b = z[i, k], z[i + 1, k]
            x[o, k] = rest * a + share * b
            total += (abs(a) + abs(b)) ** 2
        return 4 * U * (np.sqrt(total) + ROOT) * SAFE + FLOOR
    else:
        if zlo.ndim == 2:
            lh, ll, mh, ml, gap = data[p, 0], data[p, 1], data[p, 2], data[p, 3], data[p, 4]
            for k in range(z.shape[1]):
                x[o, k], xlo[o, k], error = combine(mh, ml, lh, ll, gap, z[i, k], zlo[i, k], z[i + 1, k], zlo[i + 1, k])
                total += error
        else:
            n = zlo.shape[2] + 1
            for k in range(z.shape[1]):
                load(z, zlo, i, k, room[0])
                load(z, zlo, i + 1, k, room[1])
                total += convex(data[p, n:2 * n], room[0], data[p, :n], room[1], data[p, 2 * n], room[2])
                store(room[2], x, xlo, o, k)
        return total


@jit
def _relu(x: Any, xlo: Any, o: int, carried: Any, bound: float) -> Any:
    """relu of column o in place; returns what may have been of the other sign."""
    extra = 0.0
    for k in range(x.shape[1]):
        if passes(carried, k):
            continue
        v = x[o, k]
        low = tail(xlo, o, k)
        if not abs(v) > (bound + low) * SAFE:
            extra += abs(v) + low
        if not v > 0:
            x[o, k] = 0.0
            copy(xlo, o, k, xlo, o, False)
    return extra


@jit
def _place(t: Any, tlo: Any, eta: Any, i: int, data: Any, p: int, zlo: Any, xt: Any, xtlo: Any, o: int,
           room: Any) -> Any:
    """The location of a convex combination of columns i and i + 1, as column o; a bound of its error."""
    if zlo is None:
        xt[o], xtlo[o] = t[i] + data[p, 0] * (t[i + 1] - t[i]), 0.0
        error = 6 * U * (abs(t[i]) + abs(t[i + 1])) + FLOOR
    else:
        if zlo.ndim == 2:
            lh, ll, mh, ml, gap = data[p, 0], data[p, 1], data[p, 2], data[p, 3], data[p, 4]
            xt[o], xtlo[o], error = combine(mh, ml, lh, ll, gap, t[i], tlo[i], t[i + 1], tlo[i + 1])
        else:
            n = zlo.shape[2] + 1
            for j in range(2):
                room[j, 0], room[j, 1:] = t[i + j], tlo[i + j]
            error = convex(data[p, n:2 * n], room[0], data[p, :n], room[1], data[p, 2 * n], room[2])
            xt[o], xtlo[o] = room[2, 0], room[2, 1:]
    return max(eta[i], eta[i + 1]) + error


@jit
def _rows(low: Any, size: int, n: int) -> Any:
    """Room for the low words of so many rows of n numbers."""
    if low is None:
        return low
    else:
        if low.ndim == 2:
            return np.empty((size, n))
        else:
            return np.empty((size, n, low.shape[2]))


@jit
def ends_of(a: float, b: float, tlo: Any, words: int) -> Any:
    """The place of the two ends of [a, b], counted from a.  tlo: zeros, room for the low words of both."""
    t, eta = np.zeros(2), np.zeros(2)
    t[1], rest = two_sum(b, -a)
    if words == 1:
        eta[1] = abs(rest)
    else:
        if tlo.ndim == 1:
            tlo[1] = rest
        else:
            tlo[1, 0] = rest
    return t, tlo, eta, np.zeros(2), np.zeros(2, np.bool_), np.full((2, 2), -1, np.int32), np.zeros(2, np.bool_)


@jit
def _points(tlo: Any, size: int) -> Any:
    """Room for the low words of so many points."""
    if tlo.ndim == 1:
        return np.empty(size)
    else:
        return np.empty((size, tlo.shape[1]))


@jit
def _values(zs: Any, size: int) -> Any:
    """Room for so many rows."""
    if zs is None:
        return zs
    else:
        return np.empty((size, zs.shape[1]))


@jit
def _flags(zero: Any, size: int) -> Any:
    """Room for so many rows."""
    if zero is None:
        return zero
    else:
        return np.empty((size, zero.shape[1]), np.bool_)


@jit
def _carry(zs: Any, zslow: Any, i: int, carried: Any, xs: Any, xslow: Any, o: int) -> None:
    """relu of the exact values of one column."""
    if zs is not None:
        for k in range(zs.shape[1]):
            on = zs[i, k] > 0 or passes(carried, k)
            xs[o, k] = zs[i, k] if on else 0.0
            copy(zslow, i, k, xslow, o, on)


@jit
def _settle(zs: Any, fixed: Any, k: int, carried: Any, xs: Any, xslow: Any, o: int) -> bool:
    """relu of the exact values where neuron k vanishes, if they are known."""
    if zs is None:
        return False
    else:
        z, low, known = fixed
        _carry(z, low, k, carried, xs, xslow, o)
        return bool(known[k])


@jit
def insert(s: Any, unclear: Any, z: Any, zlo: Any, e: Any, zs: Any, zslow: Any, fixed: Any, carried: Any, zero: Any,
           old: Any, depth: int, where: Any, neuron: Any, data: Any, reach: Any, same: Any, follow: bool) -> Any:
    """Columns of relu(z): the old ones and, at the zeros, new ones.

    Also the old interval in which each new one lies and, if `follow`, which neurons are active there.
    """
    t, tlo, eta, tau, dark, birth, old_sharp = old
    (r, n), words = z.shape, count(zlo)
    total = len(where)
    size = r + total - np.count_nonzero(same)
    x, xlo = np.empty((size, n)), _rows(zlo, size, n)
    xe, xt, xtlo, xeta, xtau = np.empty(size), np.empty(size), _points(tlo, size), np.empty(size), np.empty(size)
    xdark, sharp, xbirth = np.zeros(size, np.bool_), np.zeros(size, np.bool_), np.empty((size, 2), np.int32)
    xs, xslow, xzero = _values(zs, size), _rows(zslow, size, n), _flags(zero, size)
    weight, parent, on = np.empty(size), np.empty(size, np.int64), np.empty((size - 1 if follow else 0, n), np.bool_)
    room = np.empty((3, words))
    p, o = 0, 0
    for i in range(r):
        extra, left = _keep(s, unclear[i], z, zlo, i, carried, x, xlo, o)
        _kept_zeros(s, i, carried, zero, xzero, o)
        # where every neuron is certainly off, the output is exactly zero, whatever the error was
        xe[o] = 0.0 if left == 0 else (e[i] + extra) * SAFE if extra > 0 else e[i]
        xt[o], xtlo[o], xeta[o], xtau[o], xdark[o] = t[i], tlo[i], eta[i], tau[i], dark[i] or left == 0
        sharp[o] = old_sharp[i]
        _carry(zs, zslow, i, carried, xs, xslow, o)
        xbirth[o, 0], xbirth[o, 1] = birth[i, 0], birth[i, 1]
        weight[o] = _weight(x, o)
        parent[o] = i
        if follow and i < r - 1:
            for k in range(n):
                on[o, k] = s[i, k] == ACTIVE or (s[i, k] != INACTIVE and s[i + 1, k] == ACTIVE)
        o += 1
        while p < total and where[p] == i:
            share, rest = summed_row(data, p, 0, words), data[p, 2 * words + 1]
            rounding = _interpolate(z, zlo, i, data, p, x, xlo, o, room)
            xeta[o] = _place(t, tlo, eta, i, data, p, zlo, xt, xtlo, o, room)
            bound = summed_row(data, p, words, words) * e[i] + share * e[i + 1] + rounding + rest
            if e[i] > 0 or e[i + 1] > 0 or rounding > 0 or rest > 0:
                bound = bound * SAFE + FLOOR
            xtau[o] = (reach[p] + xeta[o]) * SAFE
            xbirth[o, 0], xbirth[o, 1] = depth, neuron[p]
            parent[o] = i
            if follow:
                on[o] = on[o - 1]
            _new_zeros(s, i, carried, zero, x, xlo, bound, xzero, o)
            first, near, apart = p, 0.0, False
            while p < total and where[p] == i and (p == first or same[p]):
                if same[p] == NEARLY:  # in one column with the others, which is so much off
                    apart = True
                    near += abs(x[o, neuron[p]]) + tail(xlo, o, neuron[p])
                x[o, neuron[p]] = 0.0
                copy(xlo, o, neuron[p], xlo, o, False)
                _born(xzero, o, neuron[p])
                if follow:
                    on[o, neuron[p]] = not on[o, neuron[p]]
                p += 1
            extra = _relu(x, xlo, o, carried, bound) + near
            sharp[o] = _settle(zs, fixed, neuron[first], carried, xs, xslow, o) and not apart
            weight[o] = _weight(x, o)
            xe[o] = (bound + extra) * SAFE if extra > 0 else bound
            o += 1
    return (x, xlo, xe, xs, xslow, weight, xzero), (xt, xtlo, xeta, xtau, xdark, xbirth, sharp), parent, on


@jit
def hidden_layer(z: Any, zlo: Any, e: Any, zs: Any, zslow: Any, fixed: Any, carried: Any, zero: Any, old: Any,
                 depth: int, zones: Any, used: Any, follow: bool) -> Any:
    """From preactivations at the columns to the columns of the next layer; doubts are added to the zones.

    zs, zslow: preactivations at the breakpoint of a column that is `sharp`, exactly; None where they are not asked for.
    fixed: the same at the zeros of each neuron, where all others are known with it, and whether they are.
    carried: (N,), which rows have no ReLU; None where all have.
    zero: (R, N), which rows are zero at the breakpoint by construction, or None; like `carried`.
    old: the fields of `Place`.  Returns those of `Activations` and `Place`, which are plain tuples here because that
    is faster, and for each new column the last old one that is
    not to the right of it and, if `follow`, which neurons are active on the interval after it (outside of the zones).
    """
    t, tlo, eta, tau, _, _, sharp = old
    s, doubt, touching = signs(z, zlo, e, zs, zslow, sharp, carried, zero)
    doubtful_columns(s, doubt, z, e, t, tlo, eta, tau, touching, zones, used)
    where, neuron, data, reach, same = sorted_zeros(s, z, zlo, e, sign_changes(s), t, tlo, eta, tau, zones, used)
    return insert(s, doubt | touching, z, zlo, e, zs, zslow, fixed, carried, zero, old, depth, where, neuron, data,
                  reach, same, follow)
