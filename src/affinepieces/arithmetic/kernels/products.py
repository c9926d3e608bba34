"""Matrix products with every product and every partial sum rounded, in a stated order."""
from __future__ import annotations

from typing import Any

import numpy as np

from affinepieces.arithmetic.kernels.compiler import jit
from affinepieces.arithmetic.kernels.scalar import SMALL, add, multiply, multiply_normal, rounded

BLOCK = 4  # rows whose sums are formed side by side, so that one need not wait for the other


@jit
def matmul(a: Any, b: Any, f: Any, careful: Any, seed: Any, counter: Any, pairwise: Any, wider: Any) -> Any:
    """(rows, depth) times (depth, columns); wider: None, or (f, careful) of an accumulator that rounds to nearest."""
    if wider is None:
        return summed(a, b, f, careful, seed, counter, pairwise)
    out = summed(a, b, wider[0], wider[1], None, 0, pairwise)
    values = out.ravel()
    for i in range(len(values)):
        values[i] = rounded(values[i], f, careful, seed, counter + i)
    return out


@jit
def summed(a: Any, b: Any, f: Any, careful: Any, seed: Any, counter: Any, pairwise: Any) -> Any:
    """All operations in one format, summed from left to right, or pairwise."""
    out = np.empty((a.shape[0], b.shape[1]), a.dtype)
    if f is not None and careful is not None:
        if f.scaled_tiny > 0 and smallest(a) * smallest(b) < SMALL:
            fill(a, b, out, 1, f, careful, seed, counter, pairwise)
        elif seed is None and f.shift >= 27:  # no product is too small, so that plain float64 will do
            fill(a, b, out, None, f, None, seed, counter, pairwise)
        else:
            fill(a, b, out, None, f, careful, seed, counter, pairwise)
    else:
        fill(a, b, out, None, f, careful, seed, counter, pairwise)
    return out


@jit
def smallest(a: Any) -> Any:
    """Smallest modulus of a non-zero entry."""
    least = np.inf
    for v in a.flat:
        least = min(least, abs(v) if v != 0 else np.inf)
    return least


@jit
def product(a: Any, b: Any, small: Any, f: Any, careful: Any, seed: Any, counter: Any) -> Any:
    """a b, rounded once."""
    if careful is not None and small is None:
        return multiply_normal(a, b, f, seed)
    return multiply(a, b, f, careful, seed, counter)


@jit
def fill(a: Any, b: Any, out: Any, small: Any, f: Any, careful: Any, seed: Any, counter: Any, pairwise: Any) -> None:
    """small: whether products may be so small that float64 loses bits."""
    if pairwise is None:
        for first in range(0, a.shape[0], BLOCK):
            sequential(a, b, out, first, small, f, careful, seed, counter)
    else:
        for i in range(a.shape[0]):
            pairwise_row(a[i], b, out[i], small, f, careful, seed, counter + 2 * i * b.size)


@jit
def sequential(a: Any, b: Any, out: Any, first: Any, small: Any, f: Any, careful: Any, seed: Any, counter: Any) -> None:
    """BLOCK rows of out = (((a_0 b_0) + a_1 b_1) + a_2 b_2) + ..., with rows b_k; their sums grow side by side."""
    columns, last = b.shape[1], min(first + BLOCK, a.shape[0])
    for k in range(b.shape[0]):
        for i in range(first, last):
            v, at = a[i, k], counter + 2 * i * b.size + 2 * k * columns
            if k == 0:
                for j in range(columns):
                    out[i, j] = product(v, b[0, j], small, f, careful, seed, at + j)
            else:
                for j in range(columns):
                    p = product(v, b[k, j], small, f, careful, seed, at + j)
                    out[i, j] = add(out[i, j], p, f, careful, seed, at + columns + j)


@jit
def pairwise_row(a: Any, b: Any, out: Any, small: Any, f: Any, careful: Any, seed: Any, counter: Any) -> None:
    """out = ((a_0 b_0 + a_1 b_1) + (a_2 b_2 + a_3 b_3)) + ...: a balanced tree, filled from the left."""
    columns, depth = b.shape[1], b.shape[0]
    levels = 1
    while (1 << levels) <= depth:
        levels += 1
    stack = np.empty((levels, columns), a.dtype)  # level l: a sum of 2^l products
    sums = counter + depth * columns  # how many sums have been formed decides their random bits
    for k in range(depth):
        for j in range(columns):
            out[j] = product(a[k], b[k, j], small, f, careful, seed, counter + k * columns + j)
        level = 0
        while (k >> level) & 1:
            fold(stack[level], out, f, careful, seed, sums)
            sums += columns
            level += 1
        stack[level] = out
    first = 0
    while not (depth >> first) & 1:
        first += 1
    out[:] = stack[first]
    for level in range(first + 1, levels):
        if (depth >> level) & 1:
            fold(stack[level], out, f, careful, seed, sums)
            sums += columns


@jit
def fold(left: Any, out: Any, f: Any, careful: Any, seed: Any, counter: Any) -> None:
    """out = left + out."""
    for j in range(len(out)):
        out[j] = add(left[j], out[j], f, careful, seed, counter + j)
