"""Signs of preactivations, the zeros between columns in their order, and zones where these are in doubt."""
from __future__ import annotations

from typing import Any

import numpy as np

from affinepieces.arithmetic.double_double import U, combine, two_sum
from affinepieces.arithmetic.kernels.compiler import fma, jit
from affinepieces.pieces.kernels.common import DOUBT, EXACTLY, FLOOR, NEARLY, SAFE, ZERO, around, passes, vanishes
from affinepieces.pieces.kernels.words import (
    count,
    distance,
    load,
    normalise,
    put,
    summed,
    summed_row,
    tail,
    zero_between,
)


@jit
def _vanishes(zs: Any, zslow: Any, i: int, k: int) -> Any:
    """Whether an exact value is zero."""
    if zs is None:
        return False
    else:
        return bool(zs[i, k] == 0 and tail(zslow, i, k) == 0)


@jit
def signs(z: Any, zlo: Any, e: Any, zs: Any, zslow: Any, sharp: Any, carried: Any, zero: Any) -> Any:
    """(R, N) of ACTIVE, INACTIVE, ZERO (exactly) or DOUBT, (R,) whether a sign of the column is in doubt, (R,) whether
    one may be an exact zero.

    A row that is carried counts as active, whatever its sign.
    zs, zslow: for columns that are sharp the exact values at their breakpoint; a zero there is no doubt.
    zero: which rows are zero at the breakpoint by construction.
    """
    r, n = z.shape
    out, doubt, touching = np.empty((r, n), np.int8), np.zeros(r, np.bool_), sharp.copy()
    for i in range(r):
        certain = 0
        for k in range(n):
            bound = e[i] if zlo is None else (e[i] + tail(zlo, i, k)) * SAFE
            up, down = z[i, k] > bound, z[i, k] < -bound
            if passes(carried, k):
                up, down = True, False
            elif vanishes(zero, i, k):
                up, down = False, False
            out[i, k] = np.int8(up) - np.int8(down)
            certain += up | down
        if certain < n:
            for k in range(n):
                exact = (e[i] == 0 and z[i, k] == 0 and tail(zlo, i, k) == 0) or vanishes(zero, i, k) or (
                    sharp[i] and _vanishes(zs, zslow, i, k))
                touching[i] |= vanishes(zero, i, k)
                if out[i, k] == ZERO and not exact:
                    out[i, k] = DOUBT
                    doubt[i] = True
    return out, doubt, touching


@jit
def _mark(zones: Any, used: Any, low: float, high: float) -> None:
    """Append a zone, or widen the last one if they meet.

    used: (2,), how many zones there are, which goes on counting where there is no more room, and how many marks.
    """
    used[1] += 1
    last = used[0] - 1
    if 0 <= last < len(zones) and low <= zones[last, 1] and high >= zones[last, 0]:
        zones[last, 0], zones[last, 1] = min(low, zones[last, 0]), max(high, zones[last, 1])
        return
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
def _clear(part: Any, s: Any, k: int, t: Any, tlo: Any, eta: Any, tau: Any, i: int, other: int) -> Any:
    """Whether neuron k, zero at the breakpoint of one column, keeps its sign up to the `other` end of interval i.

    part: of the interval, from the zero on, in which its sign is not certain.  If no further breakpoint is there,
    the neuron is affine up to its zero; if it is exactly zero at the other end too, it is zero in between.
    """
    if s[other, k] == ZERO:
        return True
    width = distance(t, tlo, i)
    return part * width + tau[i] + tau[i + 1] + around(t, eta, i) < width


@jit
def doubtful_columns(s: Any, doubt: Any, z: Any, e: Any, t: Any, tlo: Any, eta: Any, tau: Any, touching: Any,
                     zones: Any, used: Any) -> None:
    """A zone around each column where the sign of a neuron is in doubt; touching: whether any is known to be zero."""
    r, n = s.shape
    for i in range(r):
        if not (doubt[i] or touching[i]):
            continue
        left, right = -1.0, -1.0
        for k in range(n):
            if s[i, k] != DOUBT and s[i, k] != ZERO:
                continue
            before = _reach(z[i, k], e[i], z[i - 1, k], e[i - 1]) if i > 0 else 0.0
            after = _reach(z[i, k], e[i], z[i + 1, k], e[i + 1]) if i < r - 1 else 0.0
            if s[i, k] == DOUBT or not (
                    (i == 0 or _clear(before, s, k, t, tlo, eta, tau, i - 1, i - 1))
                    and (i == r - 1 or _clear(after, s, k, t, tlo, eta, tau, i, i + 1))):
                left, right = max(left, before), max(right, after)
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
def _zero(z: Any, zlo: Any, e: Any, i: int, k: int, out: Any, room: Any) -> Any:
    """Where neuron k vanishes between columns i and i + 1, as `out`: see `sorted_zeros`.  Returns its uncertainty."""
    a, b = z[i, k], z[i + 1, k]
    if zlo is None:
        share = a / (a - b)
        out[0], out[1], out[2] = share, 1 - share, 2 * U
        out[3] = abs(out[1] * a + share * b) + 4 * U * (abs(a) + abs(b))
        rest = out[3]
    else:
        if zlo.ndim == 2:
            al, bl = zlo[i, k], zlo[i + 1, k]
            sh, sl = two_sum(a, -b)
            sl += al - bl
            lh = a / sh
            lh, ll = two_sum(lh, (fma(-lh, sh, a) + (al - lh * sl)) / sh)  # so that pairs sort as numbers
            mh, d = two_sum(1.0, -lh)
            ml, gap = two_sum(d, -ll)
            h, low, error = combine(mh, ml, lh, ll, abs(gap), a, al, b, bl)
            rest = abs(h) + abs(low) + error
            out[0], out[1], out[2], out[3], out[4], out[5] = lh, ll, mh, ml, abs(gap), rest
        else:
            n = zlo.shape[2] + 1
            load(z, zlo, i, k, room[0])
            load(z, zlo, i + 1, k, room[1])
            gap, rest = zero_between(room[0], room[1], out[n:2 * n], out[:n], room[2], room[3])
            out[2 * n], out[2 * n + 1] = gap, rest
    return (max(e[i], e[i + 1]) + rest) / (abs(a) + abs(b)) * 2


@jit
def _sooner(a: Any, data: Any, q: int, words: int) -> Any:
    """Whether the number a of so many words is smaller than that of row q."""
    for p in range(words):
        if a[p] != data[q, p]:
            return bool(a[p] < data[q, p])
    return False


@jit
def _steps(data: Any, q: int, first: int, last: int, words: int, room: Any) -> Any:
    """From the zero before to zero q, as a share of the interval; the ends of the interval count as zeros."""
    if q == last:
        return summed_row(data, q - 1, words, words)
    if q == first:
        return summed_row(data, q, 0, words)
    if words <= 2:
        return (data[q, 0] - data[q - 1, 0]) + (data[q, words - 1] - data[q - 1, words - 1]) * (words - 1)
    acc = room[0]
    acc[:] = 0.0
    for p in range(words):
        put(acc, p, data[q, p])
        put(acc, p, -data[q - 1, p])
    normalise(acc)
    return summed(acc)


@jit
def sorted_zeros(s: Any, z: Any, zlo: Any, e: Any, changes: Any, t: Any, tlo: Any, eta: Any, tau: Any,
                 zones: Any, used: Any) -> Any:
    """The sign changes of all intervals, in order; a zone wherever the order is in doubt.

    Also whether each is at the same place as the one before, EXACTLY, or as far as it can be seen, NEARLY.

    Columns of `data`: the weights of the right and of the left end, in K words each, a bound of the defect of their
    sum from 1, and of the value of the neuron there.
    """
    total, words = changes.sum(), count(zlo)
    where, neuron = np.empty(total, np.int64), np.empty(total, np.int64)
    data, reach, same = np.empty((total, 2 * words + 2)), np.empty(total), np.zeros(total, np.int8)
    new, room = np.empty(2 * words + 2), np.empty((4, words))
    p = 0
    for i in range(len(changes)):
        if changes[i] == 0:
            continue
        first = p
        width = distance(t, tlo, i)
        ends = 2 * (eta[i] + eta[i + 1])
        for k in range(s.shape[1]):
            if s[i, k] * s[i + 1, k] != -1:
                continue
            delta = _zero(z, zlo, e, i, k, new, room)
            q = p
            while q > first and _sooner(new, data, q - 1, words):
                for c in range(len(new)):  # slices would be slower
                    data[q, c] = data[q - 1, c]
                reach[q], neuron[q] = reach[q - 1], neuron[q - 1]
                q -= 1
            for c in range(len(new)):
                data[q, c] = new[c]
            reach[q] = delta * width * SAFE + FLOOR if delta > 0 else delta
            neuron[q], where[p] = k, i
            p += 1
        before, at = tau[i] + ends, 0.0
        for q in range(first, p + 1):
            after = reach[q] + ends if q < p else tau[i + 1] + ends
            step = _steps(data, q, first, p, words, room)
            if q > first and q < p and step == 0 and before == 0 and after == 0:
                same[q] = EXACTLY
            elif not step * width > (before + after) * SAFE:
                if q > first and q < p:
                    same[q] = NEARLY
                blur = around(t, eta, i)
                _mark(zones, used, t[i] + at * width - before - blur, t[i] + (at + step) * width + after + blur)
            at, before = at + step, after
    return where, neuron, data, reach, same
