"""One hidden layer after its affine map: new columns at the zeros, and the ReLU."""
from __future__ import annotations

from typing import Any

import numba
import numpy as np

from affinepieces.arithmetic.double_double import U, combine
from affinepieces.arithmetic.kernels.compiler import jit
from affinepieces.pieces.kernels.common import ACTIVE, DOUBT, FLOOR, INACTIVE, SAFE
from affinepieces.pieces.kernels.zeros import doubtful_columns, sign_changes, signs, sorted_zeros


@numba.njit(nogil=True, cache=True, fastmath={"reassoc", "nsz"})
def _weight(x: Any, o: int) -> Any:
    """|x| of column o times the number of its non-zero entries and four; the order of summation is free."""
    square, terms = 0.0, 4
    for k in range(x.shape[1]):
        square += x[o, k] * x[o, k]
        terms += x[o, k] != 0
    return terms * np.sqrt(square) * SAFE


@jit
def _keep(s: Any, doubt: bool, z: Any, zlo: Any, i: int, x: Any, xlo: Any, o: int) -> Any:
    """relu of column i as column o: what was set to zero in doubt, whether all is inactive, whether all is off."""
    extra, active, inactive = 0.0, 0, 0
    for k in range(z.shape[1]):
        on = z[i, k] > 0
        x[o, k] = z[i, k] if on else 0.0
        if zlo is not None:
            xlo[o, k] = zlo[i, k] if on else 0.0
        active += s[i, k] == ACTIVE
        inactive += s[i, k] == INACTIVE
    if doubt:
        for k in range(z.shape[1]):
            if s[i, k] == DOUBT:
                extra += abs(z[i, k]) if zlo is None else abs(z[i, k]) + abs(zlo[i, k])
    return extra, inactive == z.shape[1], active == 0 and not doubt


@jit
def _interpolate(z: Any, zlo: Any, i: int, data: Any, p: int, x: Any, xlo: Any, o: int) -> Any:
    """A convex combination of columns i and i + 1 as column o; returns a bound of the rounding (2-norm)."""
    lh, ll, mh, ml, gap = data[p, 0], data[p, 1], data[p, 2], data[p, 3], data[p, 4]
    total = 0.0
    for k in range(z.shape[1]):
        a, b = z[i, k], z[i + 1, k]
        if zlo is None:
            x[o, k] = mh * a + lh * b
            total += (abs(a) + abs(b)) ** 2
        else:
            x[o, k], xlo[o, k], error = combine(mh, ml, lh, ll, gap, a, zlo[i, k], b, zlo[i + 1, k])
            total += error
    return total if zlo is not None else 4 * U * np.sqrt(total) * SAFE + FLOOR


@jit
def _relu(x: Any, xlo: Any, precise: bool, o: int, bound: float) -> Any:
    """relu of column o in place; returns what may have been of the other sign."""
    extra = 0.0
    for k in range(x.shape[1]):
        v = x[o, k]
        low = abs(xlo[o, k]) if precise else 0.0
        if not abs(v) > (bound + low) * SAFE:
            extra += abs(v) + low
        if not v > 0:
            x[o, k] = 0.0
            if precise:
                xlo[o, k] = 0.0
    return extra


@jit
def _place(t: Any, tlo: Any, eta: Any, i: int, data: Any, p: int, precise: bool) -> Any:
    """The location of a convex combination of columns i and i + 1, and a bound of its error."""
    lh, ll, mh, ml, gap = data[p, 0], data[p, 1], data[p, 2], data[p, 3], data[p, 4]
    if precise:
        hi, lo, error = combine(mh, ml, lh, ll, gap, t[i], tlo[i], t[i + 1], tlo[i + 1])
    else:
        hi, lo = t[i] + lh * (t[i + 1] - t[i]), 0.0
        error = 6 * U * (abs(t[i]) + abs(t[i + 1])) + FLOOR
    return hi, lo, max(eta[i], eta[i + 1]) + error


@jit
def insert(s: Any, doubt: Any, z: Any, zlo: Any, e: Any, t: Any, tlo: Any, eta: Any, tau: Any, dark: Any,
           birth: Any, depth: int, where: Any, neuron: Any, data: Any, reach: Any, same: Any) -> Any:
    """Columns of relu(z): the old ones and, at the zeros, new ones.

    The last result is |x| times the number of terms of a dot product with x, for the bound of its rounding.
    """
    r, n = z.shape
    precise, total = zlo is not None, len(where)
    size = r + total - np.count_nonzero(same)
    x, xlo = np.empty((size, n)), np.empty((size if precise else 0, n))
    xe, xt, xtlo, xeta, xtau = np.empty(size), np.empty(size), np.empty(size), np.empty(size), np.empty(size)
    xdark, xbirth, weight = np.zeros(size, np.bool_), np.empty((size, 2), np.int32), np.empty(size)
    p, o = 0, 0
    for i in range(r):
        extra, inactive, off = _keep(s, doubt[i], z, zlo, i, x, xlo, o)
        # where every neuron is certainly off, the output is exactly zero, whatever the error was
        xe[o] = 0.0 if off else (e[i] + extra) * SAFE if extra > 0 else e[i]
        xt[o], xtlo[o], xeta[o], xtau[o], xdark[o] = t[i], tlo[i], eta[i], tau[i], dark[i] or inactive
        xbirth[o, 0], xbirth[o, 1] = birth[i, 0], birth[i, 1]
        weight[o] = _weight(x, o)
        o += 1
        while p < total and where[p] == i:
            share, rest = data[p, 0] + data[p, 1], data[p, 5]
            rounding = _interpolate(z, zlo, i, data, p, x, xlo, o)
            xt[o], xtlo[o], xeta[o] = _place(t, tlo, eta, i, data, p, precise)
            bound = (data[p, 2] + data[p, 3]) * e[i] + share * e[i + 1] + rounding + rest
            if e[i] > 0 or e[i + 1] > 0 or rounding > 0 or rest > 0:
                bound = bound * SAFE + FLOOR
            xtau[o] = (reach[p] + xeta[o]) * SAFE
            xbirth[o, 0], xbirth[o, 1] = depth, neuron[p]
            first = p
            while p < total and where[p] == i and (p == first or same[p]):
                x[o, neuron[p]] = 0.0
                if precise:
                    xlo[o, neuron[p]] = 0.0
                p += 1
            extra = _relu(x, xlo, precise, o, bound)
            weight[o] = _weight(x, o)
            xe[o] = (bound + extra) * SAFE if extra > 0 else bound
            o += 1
    return x, xlo, xe, xt, xtlo, xeta, xtau, xdark, xbirth, weight


@jit
def hidden_layer(z: Any, zlo: Any, e: Any, t: Any, tlo: Any, eta: Any, tau: Any, dark: Any, birth: Any, depth: int,
                 zones: Any, used: Any) -> Any:
    """From preactivations at the columns to the columns of the next layer; doubts are added to the zones."""
    s, doubt = signs(z, zlo, e)
    doubtful_columns(s, doubt, z, e, t, tlo, eta, tau, zones, used)
    where, neuron, data, reach, same = sorted_zeros(s, z, zlo, e, sign_changes(s), t, tlo, eta, tau, zones, used)
    return insert(s, doubt, z, zlo, e, t, tlo, eta, tau, dark, birth, depth, where, neuron, data, reach, same)
