"""Signs of preactivations, the zeros between columns in their order, and zones where these are in doubt."""
from __future__ import annotations

from typing import Any

import numpy as np

from affinepieces.arithmetic.double_double import U, combine, two_sum
from affinepieces.arithmetic.kernels.compiler import fma, jit
from affinepieces.pieces.kernels.common import DOUBT, FLOOR, SAFE, ZERO, around, distance


@jit
def signs(z: Any, zlo: Any, e: Any) -> Any:
    """(R, N) of ACTIVE, INACTIVE, ZERO (exactly) or DOUBT, and (R,): whether a column has a sign in doubt."""
    r, n = z.shape
    out, doubt = np.empty((r, n), np.int8), np.zeros(r, np.bool_)
    for i in range(r):
        certain = 0
        for k in range(n):
            bound = e[i] if zlo is None else (e[i] + abs(zlo[i, k])) * SAFE
            up, down = z[i, k] > bound, z[i, k] < -bound
            out[i, k] = np.int8(up) - np.int8(down)
            certain += up | down
        if certain < n:
            for k in range(n):
                exact = e[i] == 0 and z[i, k] == 0 and (zlo is None or zlo[i, k] == 0)
                if out[i, k] == ZERO and not exact:
                    out[i, k] = DOUBT
                    doubt[i] = True
    return out, doubt


@jit
def _mark(zones: Any, used: Any, low: float, high: float) -> None:
    """Append a zone; `used` goes on counting where there is no more room."""
    if used[0] < len(zones):
        zones[used[0], 0], zones[used[0], 1] = low, high
    used[0] += 1


@jit
def _reach(v: Any, e: Any, other: Any, e_other: Any) -> Any:
    """The part of an interval, seen from its doubtful end, in which the value may vanish."""
    num = abs(v) + e
    den = max(abs(other) - e_other, 0.0)
    part = num / (num + den) * SAFE
    return part if part < 1 else 1.0


@jit
def doubtful_columns(s: Any, doubt: Any, z: Any, e: Any, t: Any, tlo: Any, eta: Any, tau: Any, zones: Any,
                     used: Any) -> None:
    """A zone around each column where the sign of a neuron is in doubt."""
    r, n = s.shape
    for i in range(r):
        if not doubt[i]:
            continue
        left, right = -1.0, -1.0
        for k in range(n):
            if s[i, k] == DOUBT:
                left = max(left, _reach(z[i, k], e[i], z[i - 1, k], e[i - 1]) if i > 0 else 0.0)
                right = max(right, _reach(z[i, k], e[i], z[i + 1, k], e[i + 1]) if i < r - 1 else 0.0)
        if left >= 0:
            low = high = t[i]
            if i > 0:
                low -= left * distance(t, tlo, i - 1) + around(t, eta, i - 1)
            if i < r - 1:
                high += right * distance(t, tlo, i) + around(t, eta, i)
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
        width = distance(t, tlo, i)
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
                blur = around(t, eta, i)
                _mark(zones, used, t[i] + at * width - before - blur, t[i] + (at + step) * width + after + blur)
            at, before = at + step, after
    return where, neuron, data, reach, same
