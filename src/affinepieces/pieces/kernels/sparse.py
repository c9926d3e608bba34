"""Affine maps with few entries: rows (start, columns, values) as in `SparseMatrix`."""
from __future__ import annotations

from typing import Any

import numpy as np

from affinepieces.arithmetic.double_double import UNDERFLOW, U, two_sum
from affinepieces.arithmetic.kernels.compiler import fma, jit
from affinepieces.pieces.kernels.affine import LEAST, left_out, row_exponent, scaled, squares, two_norm
from affinepieces.pieces.kernels.common import FLOOR, ROOT, SAFE


@jit
def scale_sparse(start: Any, columns: Any, values: Any, b: Any, below: Any, last: bool) -> Any:
    """`scale_rows` for sparse rows; the bound of the norm of A is one of the matrix of the moduli, too."""
    n = len(b)
    out, bias, scale = np.zeros(len(values)), np.zeros(n), np.zeros(n, np.int64)
    for k in range(n):
        at = slice(start[k], start[k + 1])
        scale[k] = -row_exponent(values[at], b[k], below[columns[at]])
    if last:
        scale[:] = scale.min()
    dropped, widest, tallest = 0, 0.0, np.zeros(len(below))
    for k in range(n):
        row = 0.0
        for p in range(start[k], start[k + 1]):
            out[p] = scaled(values[p], scale[k] - below[columns[p]])
            dropped += values[p] != 0 and out[p] == 0
            row += abs(out[p])
            tallest[columns[p]] += abs(out[p])
        widest = max(widest, row)
        bias[k] = scaled(b[k], scale[k])
        dropped += b[k] != 0 and bias[k] == 0
    # |A| <= sqrt(largest sum of a row * largest sum of a column): Higham (2002), Section 6.2
    bound = min(np.sqrt(squares(out)), np.sqrt(widest) * np.sqrt(tallest.max())) * SAFE + ROOT
    return out, bias, scale, bound, np.sqrt(squares(bias)) * SAFE + ROOT, dropped * 2.0**LEAST


@jit
def finish_sparse(z: Any, b: Any, x: Any, e: Any, terms: int, bound: float, bias_norm: float, dropped: float) -> Any:
    """Add the bias to z = x A^T in place; the error of each row.  terms: the most entries in a row of A."""
    r, n = z.shape
    out = np.empty(r)
    for i in range(r):
        for k in range(n):
            z[i, k] += b[k]
        size = np.sqrt(squares(x[i])) * SAFE + ROOT
        out[i] = (bound * e[i] + ((terms + 4) * U * bound + dropped) * size + U * (terms + 4) * bias_norm
                  + dropped) * SAFE + FLOOR
    return out


@jit
def sparse_words(start: Any, columns: Any, values: Any, b: Any, hi: Any, lo: Any, e: Any, bound: float,
                 dropped: float) -> Any:
    """A x + b for every column in K words.  hi: (R, M), lo: (R, M, K - 1)."""
    r, words = len(hi), lo.shape[2] + 1
    n = len(b)
    zhi, zlo, ze = np.empty((r, n)), np.empty((r, n, words - 1)), np.empty(r)
    acc, lost = np.empty(words), np.empty(n)
    for i in range(r):
        most = 0
        for k in range(n):
            acc[:], gone = 0.0, 0.0
            acc[0] = b[k]
            most = max(most, start[k + 1] - start[k])
            for q in range(start[k], start[k + 1]):
                w, j = values[q], columns[q]
                for p in range(words):
                    x = hi[i, j] if p == 0 else lo[i, j, p - 1]
                    if x == 0:
                        continue
                    product = w * x
                    if abs(product) < UNDERFLOW and w != 0:
                        gone += UNDERFLOW
                    gone += _add(acc, p, product)
                    gone += _add(acc, p + 1, fma(w, x, -product))
            for _ in range(2):
                for p in range(words - 2, -1, -1):
                    acc[p], acc[p + 1] = two_sum(acc[p], acc[p + 1])
            zhi[i, k], lost[k] = acc[0], gone
            for p in range(words - 1):
                zlo[i, k, p] = acc[p + 1]
        ze[i] = (bound * e[i] + (8 + 2 * words * most) * U * two_norm(lost)) * SAFE
        if lost.max() > 0 or e[i] > 0:
            ze[i] += FLOOR
        ze[i] += left_out(dropped, hi, i)
    return zhi, zlo, ze


@jit
def _add(acc: Any, first: int, v: float) -> Any:
    """Add v at word `first`, without error but in the last word; returns the modulus of what was added there."""
    last = len(acc) - 1
    for p in range(first, last):
        acc[p], v = two_sum(acc[p], v)
    acc[last] += v
    return abs(v)
