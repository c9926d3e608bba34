"""Which rows of W x + b are zero by construction, because all that they read is zero."""
from __future__ import annotations

from typing import Any

import numpy as np

from affinepieces.arithmetic.double_double import UNDERFLOW, two_sum
from affinepieces.arithmetic.kernels.compiler import fma, jit


@jit
def vanishing_dense(weights: Any, bias: Any, zero: Any) -> Any:
    """(R, N): whether bias k is zero, and entry j of point i wherever weight (k, j) is not.  zero: (R, M)."""
    r, m = zero.shape
    n = len(bias)
    out = np.zeros((r, n), np.bool_)
    for k in range(n):
        if bias[k] != 0:
            continue
        for i in range(r):
            j = 0
            while j < m and (zero[i, j] or weights[k, j] == 0):
                j += 1
            out[i, k] = j == m
    return out


@jit
def vanishing_sparse(start: Any, columns: Any, values: Any, bias: Any, zero: Any) -> Any:
    """The same for sparse rows."""
    r, n = len(zero), len(bias)
    out = np.zeros((r, n), np.bool_)
    for i in range(r):
        for k in range(n):
            if bias[k] != 0:
                continue
            p = start[k]
            while p < start[k + 1] and (zero[i, columns[p]] or values[p] == 0):
                p += 1
            out[i, k] = p == start[k + 1]
    return out


@jit
def combined(start: Any, columns: Any, values: Any, names: Any, shares: Any, first: int) -> Any:
    """W x where each entry is known as shares[..., 0] times quantity names[..., 0] plus the same for 1; -1 for none.

    What is not a sum of at most two quantities, or is rounded as one, becomes a quantity of its own: `first` + row.
    names, shares: (R, M, 2) -> (R, N, 2).  An entry without quantities is zero by construction.
    """
    r, n = len(names), len(start) - 1
    out, parts = np.full((r, n, 2), -1), np.zeros((r, n, 2))
    for i in range(r):
        for k in range(n):
            own = False
            for p in range(start[k], start[k + 1]):
                for q in range(2):
                    name = names[i, columns[p], q]
                    if name >= 0 and not own:
                        own = not _added(out[i, k], parts[i, k], name, values[p], shares[i, columns[p], q])
                if own:
                    break
            if own:
                out[i, k, 0], out[i, k, 1], parts[i, k, 0] = first + k, -1, 1.0
    return out, parts


@jit
def _added(names: Any, shares: Any, name: int, w: float, share: float) -> bool:
    """Add w times a share of a quantity to a sum of two, if there is room and nothing is rounded."""
    term = w * share
    if fma(w, share, -term) != 0 or (abs(term) < UNDERFLOW and w != 0):
        return False
    slot = 0 if names[0] == name else 1 if names[1] == name else 0 if names[0] < 0 else 1
    if names[slot] >= 0 and names[slot] != name:
        return False
    total, rest = two_sum(shares[slot] if names[slot] == name else 0.0, term)
    names[slot], shares[slot] = name if total != 0 else -1, total
    return rest == 0
