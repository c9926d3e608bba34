"""Points, scaled rows and affine maps, with what their rounding may have done."""
from __future__ import annotations

from typing import Any

import numpy as np

from affinepieces.arithmetic.double_double import UNDERFLOW, U, combine, two_sum
from affinepieces.arithmetic.kernels.compiler import fma, jit
from affinepieces.pieces.kernels.common import FLOOR, SAFE


@jit
def scale_rows(w: Any, b: Any, below: Any, last: bool) -> Any:
    """Rows (w_k / below, b_k) times powers of two s_k near 1 / |(w_k, b_k)|; s_k = 1 in the last layer.

    Returns w, b, s, upper bounds of |w| and |b|, and whether every product was exact.
    """
    n, m = w.shape
    out, bias, scale, exact = np.empty((n, m)), np.empty(n), np.ones(n), True
    frobenius, bias_norm = 0.0, 0.0
    inverse = 1 / below  # powers of two
    for k in range(n):
        big, small = 0.0, np.inf
        for j in range(m):
            v = w[k, j] * inverse[j]
            out[k, j] = v
            big = max(big, abs(v))
            small = min(small, abs(v) if w[k, j] != 0 else np.inf)
        exact = exact and small > 1e-290 and big < 1e290
        if big == 0 or not exact:
            bias[k] = b[k]
            bias_norm = np.hypot(bias_norm, b[k])
            continue
        square = 0.0
        for j in range(m):
            square += (out[k, j] / big) ** 2
        size = big * np.sqrt(square)
        if not last:
            scale[k] = 2.0 ** -np.round(np.log2(np.hypot(size, b[k])))
            exact = exact and small * scale[k] > 1e-290
            for j in range(m):
                out[k, j] *= scale[k]
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
def finish_affine(z: Any, b: Any, e: Any, weight: Any, norm: float, frobenius: float, bias_norm: float,
                  terms: int) -> Any:
    """Add the bias to z = x W^T in place; the error of each row, however the dot products were summed.

    weight: |x| times the number of its non-zero entries (and a few more).
    """
    r, n = z.shape
    out = np.empty(r)
    for i in range(r):
        for k in range(n):
            z[i, k] += b[k]
        out[i] = (norm * e[i] + U * (frobenius * weight[i] + (terms + 4) * bias_norm)) * SAFE + FLOOR
    return out


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
