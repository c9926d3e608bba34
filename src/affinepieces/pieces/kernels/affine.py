"""Scaled rows and affine maps, with what their rounding may have done."""
from __future__ import annotations

import math
from typing import Any

import numpy as np

from affinepieces.arithmetic.double_double import UNDERFLOW, U, two_sum
from affinepieces.arithmetic.kernels.compiler import bits, fma, from_bits, jit, jit_with
from affinepieces.pieces.kernels.common import FLOOR, ROOT, SAFE

LEAST = -900  # entries of a row of size 1 that are smaller than 2^LEAST are left to the error bound
NONE = -(1 << 40)


@jit
def scale_rows(w: Any, b: Any, below: Any, last: bool) -> Any:
    """Rows (w_k / 2^below, b_k) times powers of two 2^s_k that bring them to size 1; one common s in the last layer.

    Returns w, b, s, upper bounds of |w| and |b|, and of the norm of what was left out because it is too small.
    """
    n, m = w.shape
    out, bias, scale = np.zeros((n, m)), np.zeros(n), np.zeros(n, np.int64)
    for k in range(n):
        scale[k] = -row_exponent(w[k], b[k], below)
    if last:
        scale[:] = scale.min()
    dropped = 0
    for k in range(n):
        for j in range(m):
            out[k, j] = scaled(w[k, j], scale[k] - below[j])
            dropped += w[k, j] != 0 and out[k, j] == 0
        bias[k] = scaled(b[k], scale[k])
        dropped += b[k] != 0 and bias[k] == 0
    frobenius, bias_norm = np.sqrt(squares(out.ravel())) * SAFE + ROOT, np.sqrt(squares(bias)) * SAFE + ROOT
    return out, bias, scale, frobenius, bias_norm, dropped * 2.0**LEAST


@jit_with(fastmath={"reassoc", "nsz"})
def squares(v: Any) -> Any:
    """The sum of the squares; their order is free."""
    square = 0.0
    for k in range(len(v)):
        square += v[k] * v[k]
    return square


@jit
def scaled(v: float, power: int) -> Any:
    """v 2^power, or 0 where that is too small."""
    field = (bits(v) >> 52) & 0x7FF
    if field > 0 and LEAST < field - 1022 + power < 1024:  # by hand, because frexp and ldexp are slow
        return from_bits(bits(v) + (power << 52))
    mantissa, exponent = math.frexp(v)
    return math.ldexp(mantissa, exponent + power) if exponent + power > LEAST else 0.0


@jit
def _power(v: float) -> Any:
    """The exponent of `frexp`, for a subnormal number at most 52 more, and NONE for zero."""
    return ((bits(v) >> 52) & 0x7FF) - 1022 if v != 0 else NONE


@jit
def row_exponent(w: Any, b: float, below: Any) -> Any:
    """The power of two nearest to the size of a row (w / 2^below, b), as its exponent; 0 for a row of zeros."""
    largest = _power(b)
    for j in range(len(below)):
        largest = max(largest, _power(w[j]) - below[j])
    if largest < NONE // 2:
        return 0
    square = scaled(b, -largest) ** 2
    for j in range(len(below)):
        square += scaled(w[j], -largest - below[j]) ** 2
    return largest + (_power(square) >> 1)


@jit
def has_sharper_norm(n: int, m: int, bound: float) -> Any:
    """Whether the spectral norm of a matrix (n, m) may be well below the bound of its Frobenius norm."""
    return min(n, m) > 2 and 1e-3 < bound < 1e6


@jit
def spectral_norm(power: Any, squarings: int, size: int, unit: float, bound: float) -> Any:
    """At least the spectral norm of W: a root of the Frobenius norm of W W^T, or of its square, as computed.

    squarings: 1 or 2.  size: n, the larger dimension.  bound: at least |W|_F, and `has_sharper_norm`.  Rounding in the
    format with this unit roundoff, also of W, changes the power by less than 4 (n + 8) unit |W|_F^degree in the
    Frobenius norm.
    """
    total = 0.0
    for i in range(len(power)):
        row = 0.0
        for k in range(power.shape[1]):
            row += float(power[i, k]) * float(power[i, k])
        total += row
    found = np.sqrt(total) + 4 * (size + 8) * unit * bound**(1 << squarings)
    for _ in range(squarings):
        found = np.sqrt(found)
    return min(found * SAFE, bound)


@jit
def finish_affine(z: Any, b: Any, e: Any, weight: Any, norm: float, frobenius: float, bias_norm: float,
                  dropped: float, terms: int) -> Any:
    """Add the bias to z = x W^T in place; the error of each row, however the dot products were summed.

    weight: |x| times the number of its non-zero entries (and a few more).
    """
    r, n = z.shape
    out = np.empty(r)
    for i in range(r):
        for k in range(n):
            z[i, k] += b[k]
        out[i] = (norm * e[i] + (U * frobenius + dropped) * weight[i] + U * (terms + 4) * bias_norm
                  + dropped) * SAFE + FLOOR
    return out


@jit
def affine_double_double(wt: Any, b: Any, hi: Any, lo: Any, e: Any, norm: float, dropped: float) -> Any:
    """z = W x + b for every column, in double-double.  wt: W transposed, (M, N).  hi, lo: (R, M).

    dropped: bound of the norm of what is missing in W and in b.
    """
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
                if (abs(p) < UNDERFLOW or (y != 0 and abs(g) < UNDERFLOW)) and w != 0:
                    low[k] += UNDERFLOW
        for k in range(n):
            zhi[i, k], zlo[i, k] = two_sum(s[k], c[k])
        lost = two_norm(low)
        ze[i] = (norm * e[i] + terms * U * lost) * SAFE
        if lost > 0 or e[i] > 0:
            ze[i] += FLOOR
        ze[i] += left_out(dropped, hi, i)
    return zhi, zlo, ze


@jit
def line_coefficients(wt: Any, b: Any, start: Any, direction: Any, low: Any, dropped: float) -> Any:
    """W start + b and W (direction + low) in double-double, with their errors; vectors as matrices of one row."""
    zero = np.zeros(1)
    p = affine_double_double(wt, b, start, np.zeros_like(start), zero, 0.0, dropped)
    return p, affine_double_double(wt, np.zeros_like(b), direction, low, zero, 0.0, dropped)


@jit
def affine_words(wt: Any, b: Any, hi: Any, lo: Any, e: Any, norm: float, dropped: float) -> Any:
    """The same in K words.  lo: (R, M, K - 1)."""
    r, m = hi.shape
    n, words = len(b), lo.shape[2] + 1
    zhi, zlo, ze = np.empty((r, n)), np.empty((r, n, words - 1)), np.empty(r)
    acc, lost, product, rest = np.empty((words, n)), np.empty(n), np.empty(n), np.empty(n)
    for i in range(r):
        acc[:], lost[:], terms = 0.0, 0.0, 8
        acc[0] = b
        for j in range(m):
            terms += 2 * words
            for p in range(words):
                x = hi[i, j] if p == 0 else lo[i, j, p - 1]
                if x == 0:
                    continue
                for k in range(n):
                    w = wt[j, k]
                    product[k] = w * x
                    rest[k] = fma(w, x, -product[k])
                    if abs(product[k]) < UNDERFLOW and w != 0:
                        lost[k] += UNDERFLOW
                _cascade(acc, p, product, lost)
                _cascade(acc, p + 1, rest, lost)
        for k in range(n):
            for _ in range(2):
                for p in range(words - 2, -1, -1):
                    acc[p, k], acc[p + 1, k] = two_sum(acc[p, k], acc[p + 1, k])
            zhi[i, k] = acc[0, k]
            for p in range(words - 1):
                zlo[i, k, p] = acc[p + 1, k]
        ze[i] = (norm * e[i] + terms * U * two_norm(lost)) * SAFE
        if lost.max() > 0 or e[i] > 0:
            ze[i] += FLOOR
        ze[i] += left_out(dropped, hi, i)
    return zhi, zlo, ze


@jit
def left_out(dropped: float, x: Any, i: int) -> Any:
    """How much entries that were too small to be kept may contribute to W x_i + b."""
    if dropped == 0:
        return 0.0
    square = 0.0
    for j in range(x.shape[1]):
        square += x[i, j] * x[i, j]
    return dropped * ((np.sqrt(square) + ROOT) * SAFE + 1) * SAFE


@jit
def two_norm(v: Any) -> Any:
    """2-norm of a vector without negative entries, whatever their size."""
    largest, square = 0.0, 0.0
    for k in range(len(v)):
        largest = max(largest, v[k])
        square += v[k] * v[k]
    if 1e-140 < largest < 1e140 or square != square:
        return np.sqrt(square)
    if not 0 < largest < np.inf:
        return largest
    square = 0.0
    for k in range(len(v)):
        square += (v[k] / largest) ** 2
    return largest * np.sqrt(square)


@jit
def _cascade(acc: Any, first: int, v: Any, lost: Any) -> None:
    """Add the vector v to the numbers acc (K, N) at word `first`, without error but in the last word."""
    last, n = acc.shape[0] - 1, len(v)
    for p in range(first, last):
        row = acc[p]
        for k in range(n):
            row[k], v[k] = two_sum(row[k], v[k])
    row = acc[last]
    for k in range(n):
        row[k] += v[k]
        lost[k] += abs(v[k])
