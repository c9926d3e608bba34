"""Numbers of several float64 words, and what is lost when they are combined.

In every kernel z is an array (R, N) of leading words, and `low` holds the others: None in float64, (R, N) in
double-double, (R, N, K - 1) for K words.  As in double-double all additions are free of error but those to the last
word, so that an error is at most a small multiple of the unit roundoff times the sum of what was added there.
Source: Ogita, Rump, Oishi (2005), Accurate sum and dot product (K-fold precision).
"""
from __future__ import annotations

from typing import Any

import numpy as np

from affinepieces.arithmetic.double_double import UNDERFLOW, U, combine, two_sum
from affinepieces.arithmetic.kernels.compiler import fma, jit
from affinepieces.pieces.kernels.common import FLOOR, SAFE


@jit
def count(low: Any) -> Any:
    """K: words of a number."""
    if low is None:
        return 1
    else:
        if low.ndim == 2:
            return 2
        else:
            return low.shape[2] + 1


@jit
def tail(low: Any, i: Any, k: Any) -> Any:
    """Sum of the moduli of the low words of one number."""
    if low is None:
        return 0.0
    else:
        if low.ndim == 2:
            return abs(low[i, k])
        else:
            total = 0.0
            for p in range(low.shape[2]):
                total += abs(low[i, k, p])
            return total


@jit
def copy(low: Any, i: Any, k: Any, out: Any, o: Any, keep: Any) -> None:
    """The low words of one number, or zeros, into another array."""
    if low is not None:
        if low.ndim == 2:
            out[o, k] = low[i, k] if keep else 0.0
        else:
            for p in range(low.shape[2]):
                out[o, k, p] = low[i, k, p] if keep else 0.0


@jit
def put(acc: Any, p: Any, v: Any) -> Any:
    """Add v to the number acc, at word p; returns the modulus of what was added to the last word."""
    last = len(acc) - 1
    for q in range(p, last):
        if v == 0:
            return 0.0
        acc[q], v = two_sum(acc[q], v)
    acc[last] += v
    return abs(v)


@jit
def normalise(acc: Any) -> None:
    """The same number with words that do not overlap, the largest first."""
    for _ in range(2):
        for q in range(len(acc) - 2, -1, -1):
            acc[q], acc[q + 1] = two_sum(acc[q], acc[q + 1])


@jit
def put_product(acc: Any, u: Any, v: Any) -> Any:
    """acc += u v for numbers of K words; returns the sum of the moduli of what was added to the last word."""
    n, lost = len(acc), 0.0
    for p in range(n):
        if u[p] == 0:
            continue
        for q in range(n):
            if v[q] == 0:
                continue
            x = u[p] * v[q]
            if p + q < n - 1:
                lost += put(acc, p + q, x)
                lost += put(acc, p + q + 1, fma(u[p], v[q], -x))
            else:
                acc[n - 1] += x
                lost += abs(x)
            if abs(x) < UNDERFLOW:
                lost += UNDERFLOW
    return lost


@jit
def convex(m: Any, a: Any, share: Any, b: Any, gap: Any, out: Any) -> Any:
    """out = m a + share b for numbers of K words, gap >= |1 - m - share|; returns a bound of the error.

    At most 4 K^2 additions to the last word, each with an error of U times the sum of all.
    """
    n = len(out)
    out[:] = 0.0
    lost = put_product(out, m, a)
    lost += put_product(out, share, b)
    normalise(out)
    error = 8 * n * n * U * lost + 2 * gap * (abs(a[0]) + abs(b[0]))
    return error + FLOOR if lost > 0 else error


@jit
def zero_between(a: Any, b: Any, m: Any, share: Any, s: Any, r: Any) -> Any:
    """Weights m = 1 - share with m a + share b near 0, for a and b of opposite sign.  s, r: room for K words.

    Returns gap >= |1 - m - share| and a bound of |m a + share b|; what the division loses shows in the latter.
    """
    n = len(a)
    s[:], r[:] = 0.0, a
    for p in range(n):
        put(s, p, a[p])
        put(s, p, -b[p])
    normalise(s)
    for p in range(n):
        share[p] = r[0] / s[0]
        for q in range(n):
            x = share[p] * s[q]
            put(r, q, -x)
            put(r, min(q + 1, n - 1), -fma(share[p], s[q], -x))
        normalise(r)
    normalise(share)
    m[:], lost = 0.0, 0.0
    m[0] = 1.0
    for p in range(n):
        lost += put(m, p, -share[p])
    normalise(m)
    gap = 2 * n * U * lost
    error = convex(m, a, share, b, gap, r)
    return gap, total(r) + error


@jit
def offset(low: Any, i: Any) -> Any:
    """Sum of the moduli of the low words of one point: (R,) or (R, K - 1)."""
    if low.ndim == 1:
        return abs(low[i])
    else:
        return total(low[i])


@jit
def total(words: Any) -> Any:
    """Sum of the moduli."""
    size = 0.0
    for p in range(len(words)):
        size += abs(words[p])
    return size


@jit
def load(z: Any, low: Any, i: Any, k: Any, out: Any) -> None:
    """The words of one number into a vector."""
    out[0] = z[i, k]
    for p in range(len(out) - 1):
        out[p + 1] = low[i, k, p]


@jit
def store(acc: Any, z: Any, low: Any, i: Any, k: Any) -> None:
    """A vector of words into arrays."""
    z[i, k] = acc[0]
    for p in range(len(acc) - 1):
        low[i, k, p] = acc[p + 1]


@jit
def difference(z: Any, low: Any, i: Any, k: Any) -> Any:
    """z[i + 1, k] - z[i, k] in float64, and the modulus of what its rounding may be taken of, besides itself."""
    if low is None:
        return z[i + 1, k] - z[i, k], 0.0
    else:
        if low.ndim == 2:
            return ((z[i + 1, k] - z[i, k]) + (low[i + 1, k] - low[i, k]),
                    abs(low[i, k]) + abs(low[i + 1, k]))
        else:
            n = low.shape[2] + 1
            acc = np.zeros(n)
            put(acc, 0, z[i + 1, k])
            put(acc, 0, -z[i, k])
            lost = 0.0
            for p in range(1, n):
                lost += put(acc, p, low[i + 1, k, p - 1])
                lost += put(acc, p, -low[i, k, p - 1])
            normalise(acc)
            return summed(acc), n * lost


@jit
def summed(acc: Any) -> Any:
    """The sum of the words, the smallest first."""
    value = 0.0
    for p in range(len(acc) - 1, -1, -1):
        value += acc[p]
    return value


@jit
def summed_row(data: Any, p: Any, first: Any, words: Any) -> Any:
    """The same for a number that begins at column `first` of row p."""
    value = 0.0
    for q in range(first + words - 1, first - 1, -1):
        value += data[p, q]
    return value


@jit
def distance(t: Any, low: Any, i: Any) -> Any:
    """From column i to column i + 1."""
    if low.ndim == 1:
        return (t[i + 1] - t[i]) + (low[i + 1] - low[i])
    else:
        n = low.shape[1] + 1
        acc = np.zeros(n)
        put(acc, 0, t[i + 1])
        put(acc, 0, -t[i])
        for p in range(1, n):
            put(acc, p, low[i + 1, p - 1])
            put(acc, p, -low[i, p - 1])
        normalise(acc)
        return summed(acc)


@jit
def on_line(p: Any, plow: Any, ep: float, q: Any, qlow: Any, eq: float, t: Any) -> Any:
    """p + t_i q for vectors p, q of shape (1, N) in K words with errors ep, eq; for each t_i the error of the row."""
    rows, n, words = len(t), p.shape[1], count(plow)
    hi, e = np.empty((rows, n)), np.empty(rows)
    low = _room(plow, rows)
    one, at, a, b, out = np.zeros(words), np.zeros(words), np.zeros(words), np.zeros(words), np.zeros(words)
    one[0] = 1.0
    for i in range(rows):
        lost, at[0] = 0.0, t[i]
        for k in range(n):
            if plow.ndim == 2:
                hi[i, k], low[i, k], error = combine(1.0, 0.0, t[i], 0.0, 0.0, p[0, k], plow[0, k], q[0, k], qlow[0, k])
            else:
                load(p, plow, 0, k, a)
                load(q, qlow, 0, k, b)
                error = convex(one, a, at, b, 0.0, out)
                store(out, hi, low, i, k)
            lost += error
        e[i] = ep + abs(t[i]) * eq + lost
        if e[i] > 0:
            e[i] = e[i] * SAFE + FLOOR
    return hi, low, e


@jit
def leading(z: Any, low: Any, e: Any) -> Any:
    """The leading words of rows in double-double alone."""
    out = np.empty(len(e))
    for i in range(len(e)):
        out[i] = (e[i] + total(low[i])) * SAFE + FLOOR
    return z, None, out


@jit
def _room(low: Any, rows: Any) -> Any:
    """For the low words of so many rows."""
    if low.ndim == 2:
        return np.empty((rows, low.shape[1]))
    else:
        return np.empty((rows, low.shape[1], low.shape[2]))
