"""The hot loops of the certified count: one layer of a network along a segment, with rigorous error bounds.

A column is a point T_i of the segment (not quite a breakpoint, but within tau_i of exactly one) with
a vector z_i and a bound e_i.  The invariant, for every t between two neighbouring columns:

    | z(t) - (linear interpolation of the z_i) |  <=  linear interpolation of the e_i      (2-norm)

It survives an affine map (e grows by the norm of the matrix, and by rounding), the insertion of a
column (the location is a convex combination, exactly) and the ReLU (which is 1-Lipschitz, if what is
set to zero is added to e).  A decision is certain if it holds for every function that satisfies the
invariant.  What is not certain goes into `zones`, intervals of t that a more accurate level decides.

In float64 `zlo` is None; in double-double a number is z + zlo, and exact results have e = 0.
"""
from __future__ import annotations

from typing import Any

import numba
import numpy as np

from affinepieces.pieces.double_double import UNDERFLOW, U, combine, fma, two_sum

SAFE = 1 + 2.0**-30  # covers the rounding in the computation of the bounds themselves
FLOOR = 1e-290  # covers underflow in the computation of the bounds themselves
ACTIVE, INACTIVE, ZERO, DOUBT = 1, -1, 0, 2

jit = numba.njit(nogil=True, cache=True, error_model="numpy")


@jit
def scale_rows(w: Any, b: Any, below: Any, last: bool) -> Any:
    """Rows (w_k / below, b_k) times powers of two s_k near 1 / |row|; s_k = 1 in the last layer.

    Returns w, b, s, upper bounds of |w| and |b|, and whether every product was exact.
    """
    n, m = w.shape
    out, bias, scale, exact = np.empty((n, m)), np.empty(n), np.ones(n), True
    frobenius, bias_norm = 0.0, 0.0
    for k in range(n):
        big = 0.0
        for j in range(m):
            v = w[k, j] / below[j]
            size = abs(v)
            exact = exact and ((size > 1e-290 and size < 1e290) or w[k, j] == 0)
            out[k, j] = v
            big = max(big, size)
        if big == 0 or not exact:
            bias[k] = b[k]
            bias_norm = np.hypot(bias_norm, b[k])
            continue
        square = 0.0
        for j in range(m):
            square += (out[k, j] / big) ** 2
        size = big * np.sqrt(square)
        if not last:
            scale[k] = 2.0 ** -np.round(np.log2(size))
            for j in range(m):
                v = out[k, j] * scale[k]
                exact = exact and (abs(v) > 1e-290 or v == out[k, j])
                out[k, j] = v
        bias[k] = b[k] * scale[k]
        exact = exact and ((abs(bias[k]) > 1e-290 and abs(bias[k]) < 1e290) or b[k] == 0)
        frobenius = np.hypot(frobenius, size * scale[k])
        bias_norm = np.hypot(bias_norm, bias[k])
    exact = exact and np.isfinite(frobenius) and np.isfinite(bias_norm)
    return out, bias, scale, frobenius * SAFE + FLOOR, bias_norm * SAFE + FLOOR, exact


@jit
def points(start: Any, direction: Any, t: Any) -> Any:
    """start + t * direction in double-double, with the error of each point."""
    r, n = len(t), len(start)
    hi, lo, e = np.empty((r, n)), np.empty((r, n)), np.zeros(r)
    for i in range(r):
        for k in range(n):
            hi[i, k], lo[i, k], error = combine(1.0, 0.0, t[i], 0.0, 0.0, start[k], 0.0, direction[k], 0.0)
            e[i] += error
    return hi, lo, e


@jit
def affine_double_double(wt: Any, b: Any, hi: Any, lo: Any, e: Any, norm: float) -> Any:
    """z = W x + b for every column, in double-double.  wt: W transposed, (M, N).  hi, lo: (R, M)."""
    r, m = hi.shape
    n = len(b)
    zhi, zlo, ze = np.empty((r, n)), np.empty((r, n)), np.empty(r)
    s, c, low = np.empty(n), np.empty(n), np.empty(n)
    for i in range(r):
        for k in range(n):
            s[k], c[k], low[k] = b[k], 0.0, 0.0
        terms = 8
        for j in range(m):
            x, y = hi[i, j], lo[i, j]
            if x == 0 and y == 0:
                continue
            terms += 1
            for k in range(n):
                w = wt[j, k]
                p = w * x
                q = fma(w, x, -p)
                t = s[k] + p
                v = t - s[k]
                d = (s[k] - (t - v)) + (p - v)
                g = w * y
                s[k] = t
                c[k] += (q + g) + d
                low[k] += abs(q) + abs(g) + abs(d)
                if abs(p) < UNDERFLOW and w != 0:
                    low[k] += UNDERFLOW
        square, rounded = 0.0, False
        for k in range(n):
            zhi[i, k], zlo[i, k] = two_sum(s[k], c[k])
            square += low[k] * low[k]
            rounded = rounded or low[k] > 0
        ze[i] = (norm * e[i] + terms * U * np.sqrt(square)) * SAFE
        if rounded:
            ze[i] += FLOOR
    return zhi, zlo, ze


@jit
def signs(z: Any, zlo: Any, e: Any) -> Any:
    """(R, N) of ACTIVE, INACTIVE, ZERO (exactly) or DOUBT."""
    r, n = z.shape
    out = np.empty((r, n), np.int8)
    for i in range(r):
        for k in range(n):
            v = z[i, k]
            bound = e[i] if zlo is None else (e[i] + abs(zlo[i, k])) * SAFE
            if abs(v) > bound:
                out[i, k] = ACTIVE if v > 0 else INACTIVE
            elif v == 0 and bound == 0:
                out[i, k] = ZERO
            else:
                out[i, k] = DOUBT
    return out


@jit
def _reach(v: float, e: float, other: float, e_other: float) -> float:
    """The part of an interval, seen from its doubtful end, in which the value may vanish."""
    num = abs(v) + e
    den = max(abs(other) - e_other, 0.0)
    part = num / (num + den) * SAFE
    return part if part < 1 else 1.0


@jit
def _mark(zones: Any, used: Any, low: float, high: float) -> None:
    """Append a zone; `used` goes on counting where there is no more room."""
    if used[0] < len(zones):
        zones[used[0], 0], zones[used[0], 1] = low, high
    used[0] += 1


@jit
def _distance(t: Any, tlo: Any, i: int) -> float:
    return (t[i + 1] - t[i]) + (tlo[i + 1] - tlo[i])


@jit
def _blur(t: Any, eta: Any, i: int) -> float:
    """How far a point between columns i and i + 1, computed in float64, may be from where it should be."""
    return 8 * U * (abs(t[i]) + abs(t[i + 1])) + 2 * (eta[i] + eta[i + 1])


@jit
def doubtful_columns(s: Any, z: Any, e: Any, t: Any, tlo: Any, eta: Any, tau: Any, zones: Any,
                     used: Any) -> None:
    """A zone around each column where the sign of a neuron is in doubt."""
    r, n = s.shape
    for i in range(r):
        left, right = -1.0, -1.0
        for k in range(n):
            if s[i, k] == DOUBT:
                left = max(left, _reach(z[i, k], e[i], z[i - 1, k], e[i - 1]) if i > 0 else 0.0)
                right = max(right, _reach(z[i, k], e[i], z[i + 1, k], e[i + 1]) if i < r - 1 else 0.0)
        if left >= 0:
            low = high = t[i]
            if i > 0:
                low -= left * _distance(t, tlo, i - 1) + _blur(t, eta, i - 1)
            if i < r - 1:
                high += right * _distance(t, tlo, i) + _blur(t, eta, i)
            _mark(zones, used, low - tau[i], high + tau[i])


@jit
def sign_changes(s: Any) -> Any:
    """(R - 1,): how many neurons change their sign strictly between two neighbouring columns."""
    r, n = s.shape
    count = np.zeros(r - 1, np.int64)
    for i in range(r - 1):
        c = 0
        for k in range(n):
            c += s[i, k] * s[i + 1, k] == -1
        count[i] = c
    return count


@jit
def _zero(z: Any, zlo: Any, e: Any, i: int, k: int) -> Any:
    """Where neuron k vanishes between columns i and i + 1: weights of the ends, |value| there, uncertainty."""
    a, b = z[i, k], z[i + 1, k]
    if zlo is None:
        lh = a / (a - b)
        mh, ml, ll = 1 - lh, 0.0, 0.0
        gap = 2 * U
        rest = abs(mh * a + lh * b) + 4 * U * (abs(a) + abs(b))
    else:
        al, bl = zlo[i, k], zlo[i + 1, k]
        sh, sl = two_sum(a, -b)
        sl += al - bl
        lh = a / sh
        lh, ll = two_sum(lh, (fma(-lh, sh, a) + (al - lh * sl)) / sh)  # so that pairs sort as numbers
        mh, d = two_sum(1.0, -lh)
        ml, gap = two_sum(d, -ll)
        gap = abs(gap)
        h, low, error = combine(mh, ml, lh, ll, gap, a, al, b, bl)
        rest = abs(h) + abs(low) + error
    delta = (max(e[i], e[i + 1]) + rest) / (abs(a) + abs(b)) * 2
    return lh, ll, mh, ml, gap, rest, delta


@jit
def sorted_zeros(s: Any, z: Any, zlo: Any, e: Any, count: Any, t: Any, tlo: Any, eta: Any, tau: Any,
                 zones: Any, used: Any) -> Any:
    """The sign changes of all intervals, in order; a zone wherever the order is in doubt.

    Columns of `data`: weights lh, ll, mh, ml, gap of the interpolation, |value| of the neuron there.
    """
    total = count.sum()
    where, neuron = np.empty(total, np.int64), np.empty(total, np.int64)
    data, reach, same = np.empty((total, 6)), np.empty(total), np.zeros(total, np.bool_)
    p = 0
    for i in range(len(count)):
        if count[i] == 0:
            continue
        first = p
        width = _distance(t, tlo, i)
        ends = 2 * (eta[i] + eta[i + 1])
        for k in range(s.shape[1]):
            if s[i, k] * s[i + 1, k] != -1:
                continue
            lh, ll, mh, ml, gap, rest, delta = _zero(z, zlo, e, i, k)
            q = p
            while q > first and (data[q - 1, 0] > lh or (data[q - 1, 0] == lh and data[q - 1, 1] > ll)):
                data[q], reach[q], neuron[q] = data[q - 1], reach[q - 1], neuron[q - 1]
                q -= 1
            data[q, 0], data[q, 1], data[q, 2], data[q, 3], data[q, 4], data[q, 5] = lh, ll, mh, ml, gap, rest
            reach[q] = delta * width * SAFE + FLOOR if delta > 0 else delta
            neuron[q], where[p] = k, i
            p += 1
        before, at = tau[i] + ends, 0.0
        for q in range(first, p + 1):
            after = reach[q] + ends if q < p else tau[i + 1] + ends
            if q == p:
                step = data[q - 1, 2] + data[q - 1, 3]
            elif q == first:
                step = data[q, 0] + data[q, 1]
            else:
                step = (data[q, 0] - data[q - 1, 0]) + (data[q, 1] - data[q - 1, 1])
            if q > first and q < p and step == 0 and before == 0 and after == 0:
                same[q] = True
            elif not step * width > (before + after) * SAFE:
                blur = _blur(t, eta, i)
                _mark(zones, used, t[i] + at * width - before - blur, t[i] + (at + step) * width + after + blur)
            at, before = at + step, after
    return where, neuron, data, reach, same


@jit
def insert(s: Any, z: Any, zlo: Any, e: Any, t: Any, tlo: Any, eta: Any, tau: Any, dark: Any, birth: Any, depth: int,
           where: Any, neuron: Any, data: Any, reach: Any, same: Any) -> Any:
    """Columns of relu(z): the old ones and, at the zeros, new ones.

    The last result is |x| times the number of terms of a dot product with x, for the bound of its rounding.
    """
    r, n = z.shape
    total = len(where)
    size = r + total - np.count_nonzero(same)
    x, xlo = np.empty((size, n)), np.empty((0 if zlo is None else size, n))
    xe, xt, xtlo, xeta, xtau = np.empty(size), np.empty(size), np.empty(size), np.empty(size), np.empty(size)
    xdark, xbirth = np.zeros(size, np.bool_), np.empty((size, 2), np.int32)
    rounding_norm = np.empty(size)
    p, o = 0, 0
    for i in range(r):
        extra, square, terms, all_off, quiet = 0.0, 0.0, 4, True, True
        for k in range(n):
            v = z[i, k]
            sign = s[i, k]
            if sign == DOUBT:
                extra += abs(v) if zlo is None else abs(v) + abs(zlo[i, k])
            if sign != INACTIVE:
                all_off = False
                quiet = quiet and sign == ZERO
            on = sign == ACTIVE or (sign == DOUBT and v > 0)
            x[o, k] = v if on else 0.0
            if zlo is not None:
                xlo[o, k] = zlo[i, k] if on else 0.0
            if on:
                square += v * v
                terms += 1
        # where every neuron is certainly off, the output is exactly zero, whatever the error was
        xe[o] = 0.0 if quiet else (e[i] + extra) * SAFE if extra > 0 else e[i]
        xt[o], xtlo[o], xeta[o], xtau[o], xdark[o] = t[i], tlo[i], eta[i], tau[i], dark[i] or all_off
        xbirth[o, 0], xbirth[o, 1] = birth[i, 0], birth[i, 1]
        rounding_norm[o] = terms * np.sqrt(square) * SAFE
        o += 1
        while p < total and where[p] == i:
            lh, ll, mh, ml, gap, rest = data[p]
            rounding, extra, square = 0.0, 0.0, 0.0
            if zlo is None:
                for k in range(n):
                    a, b = mh * z[i, k], lh * z[i + 1, k]
                    x[o, k] = a + b
                    square += (abs(z[i, k]) + abs(z[i + 1, k])) ** 2
                rounding = 4 * U * np.sqrt(square) * SAFE + FLOOR
                xt[o], xtlo[o] = t[i] + lh * (t[i + 1] - t[i]), 0.0
                xeta[o] = max(eta[i], eta[i + 1]) + 6 * U * (abs(t[i]) + abs(t[i + 1])) + FLOOR
            else:
                for k in range(n):
                    x[o, k], xlo[o, k], error = combine(mh, ml, lh, ll, gap, z[i, k], zlo[i, k],
                                                        z[i + 1, k], zlo[i + 1, k])
                    rounding += error
                xt[o], xtlo[o], error = combine(mh, ml, lh, ll, gap, t[i], tlo[i], t[i + 1], tlo[i + 1])
                xeta[o] = max(eta[i], eta[i + 1]) + error
            bound = (mh + ml) * e[i] + (lh + ll) * e[i + 1] + rounding + rest
            if e[i] > 0 or e[i + 1] > 0 or rounding > 0 or rest > 0:
                bound = bound * SAFE + FLOOR
            xtau[o] = (reach[p] + xeta[o]) * SAFE
            xbirth[o, 0], xbirth[o, 1] = depth, neuron[p]
            x[o, neuron[p]] = 0.0
            if zlo is not None:
                xlo[o, neuron[p]] = 0.0
            p += 1
            while p < total and where[p] == i and same[p]:
                x[o, neuron[p]] = 0.0
                if zlo is not None:
                    xlo[o, neuron[p]] = 0.0
                p += 1
            square, terms = 0.0, 4
            for k in range(n):
                v = x[o, k]
                low = 0.0 if zlo is None else abs(xlo[o, k])
                if not abs(v) > (bound + low) * SAFE:
                    extra += abs(v) + low
                if not v > 0:
                    x[o, k] = 0.0
                    if zlo is not None:
                        xlo[o, k] = 0.0
                else:
                    square += v * v
                    terms += 1
            xe[o] = (bound + extra) * SAFE if extra > 0 else bound
            rounding_norm[o] = terms * np.sqrt(square) * SAFE
            o += 1
    return x, xlo, xe, xt, xtlo, xeta, xtau, xdark, xbirth, rounding_norm


@jit
def kinks(y: Any, ylo: Any, e: Any, t: Any, tlo: Any, eta: Any, tau: Any, dark: Any) -> Any:
    """(R - 2,): 1 where the slope changes at an interior breakpoint, 0 where it does not, 2 in doubt."""
    r, n = y.shape
    out = np.empty(r - 2, np.int8)
    for i in range(1, r - 1):
        out[i - 1] = 0
        if dark[i]:
            continue
        out[i - 1] = 2
        left, right = _distance(t, tlo, i - 1), _distance(t, tlo, i)
        free_left = left - (tau[i - 1] + tau[i] + 2 * (eta[i - 1] + eta[i]))
        free_right = right - (tau[i] + tau[i + 1] + 2 * (eta[i] + eta[i + 1]))
        if not (free_left > left / 2 and free_right > right / 2):
            continue
        bound = 2 * (max(e[i - 1], e[i]) / free_left + max(e[i], e[i + 1]) / free_right)
        relative_left = 8 * U + 2 * (eta[i - 1] + eta[i]) / left
        relative_right = 8 * U + 2 * (eta[i] + eta[i + 1]) / right
        flat = e[i - 1] == 0 and e[i] == 0 and e[i + 1] == 0 and tau[i - 1] == 0 and tau[i] == 0 and tau[i + 1] == 0
        flat = flat and eta[i - 1] == 0 and eta[i] == 0 and eta[i + 1] == 0
        for k in range(n):
            a = (y[i, k] - y[i - 1, k]) + (ylo[i, k] - ylo[i - 1, k])
            b = (y[i + 1, k] - y[i, k]) + (ylo[i + 1, k] - ylo[i, k])
            sl, sr = a / left, b / right
            # (y_i - y_{i-1}) is itself rounded where the low parts matter
            noise_left = 4 * U * (abs(ylo[i, k]) + abs(ylo[i - 1, k])) / left
            noise_right = 4 * U * (abs(ylo[i, k]) + abs(ylo[i + 1, k])) / right
            limit = bound + relative_left * abs(sl) + relative_right * abs(sr) + noise_left + noise_right
            if abs(sl - sr) > limit * SAFE + FLOOR:
                out[i - 1] = 1
                break
            flat = flat and _collinear(y, ylo, t, tlo, i, k)
        if flat and out[i - 1] == 2:
            out[i - 1] = 0
    return out


@jit
def _collinear(y: Any, ylo: Any, t: Any, tlo: Any, i: int, k: int) -> bool:
    """Whether three points without error lie on a line, decided without rounding, or False if it cannot be."""
    for j in range(i - 1, i + 2):
        if ylo[j, k] != 0 or tlo[j] != 0:
            return False
    a, da = two_sum(y[i, k], -y[i - 1, k])
    b, db = two_sum(y[i + 1, k], -y[i, k])
    c, dc = two_sum(t[i], -t[i - 1])
    d, dd = two_sum(t[i + 1], -t[i])
    if da != 0 or db != 0 or dc != 0 or dd != 0:
        return False
    p, q = a * d, b * c
    if (p == 0) != (q == 0) or (p != 0 and abs(p) < UNDERFLOW):
        return False
    if p == 0:
        return (a == 0 or d == 0) and (b == 0 or c == 0)
    return p == q and fma(a, d, -p) == fma(b, c, -q)
