"""The product with a sparse matrix."""
from __future__ import annotations

from typing import Any

import numpy as np

from affinepieces.arithmetic.kernels.compiler import jit

TOGETHER = 16  # points that a row is multiplied with at once, in vector registers


@jit
def sparse_product(start: Any, columns: Any, values: Any, x: Any) -> Any:
    """x A^T: (r, m) -> (r, n)."""
    r, m = x.shape
    n = len(start) - 1
    out = np.empty((r, n), x.dtype)
    block, acc = np.zeros((m, TOGETHER), x.dtype), np.empty(TOGETHER, x.dtype)
    for first in range(0, r, TOGETHER):
        many = min(TOGETHER, r - first)
        for i in range(many):
            for j in range(m):
                block[j, i] = x[first + i, j]
        for k in range(n):
            acc[:] = 0
            for p in range(start[k], start[k + 1]):
                v, row = values[p], block[columns[p]]
                for i in range(TOGETHER):
                    acc[i] += v * row[i]
            for i in range(many):
                out[first + i, k] = acc[i]
    return out
