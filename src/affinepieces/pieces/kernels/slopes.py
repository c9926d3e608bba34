"""Changes of slope of the output."""
from __future__ import annotations

from typing import Any

import numpy as np

from affinepieces.arithmetic.double_double import UNDERFLOW, U, two_sum
from affinepieces.arithmetic.kernels.compiler import fma, jit
from affinepieces.pieces.kernels.common import DOUBT, FLOOR, SAFE
from affinepieces.pieces.kernels.words import difference, distance, offset, tail


@jit
def kinks(y: Any, ylo: Any, e: Any, t: Any, tlo: Any, eta: Any, tau: Any, dark: Any) -> Any:
    """(R - 2,): 1 where the slope changes at an interior breakpoint, 0 where it does not, DOUBT otherwise."""
    r, n = y.shape
    out = np.full(r - 2, DOUBT, np.int8)
    for i in range(1, r - 1):
        if dark[i]:  # the layer above is off around this breakpoint
            out[i - 1] = 0
            continue
        straight = True
        for j in range(i - 1, i + 2):
            straight = straight and e[j] == 0 and tau[j] == 0 and eta[j] == 0
        for k in range(n):
            left, left_error = _slope(y, ylo, e, t, tlo, eta, tau, i - 1, k)
            right, right_error = _slope(y, ylo, e, t, tlo, eta, tau, i, k)
            if abs(left - right) > (left_error + right_error) * SAFE + FLOOR:
                out[i - 1] = 1
                straight = False
                break
            straight = straight and _collinear(y, ylo, t, tlo, i, k)
        if straight:
            out[i - 1] = 0
    return out


@jit
def _slope(y: Any, ylo: Any, e: Any, t: Any, tlo: Any, eta: Any, tau: Any, i: int, k: int) -> Any:
    """Slope of output k between breakpoints i and i + 1, and a bound of its error (infinite on a short interval)."""
    width = distance(t, tlo, i)
    free = width - (tau[i] + tau[i + 1] + 2 * (eta[i] + eta[i + 1]))
    if not free > width / 2:
        return 0.0, np.inf
    rise, low = difference(y, ylo, i, k)
    slope = rise / width
    return slope, (2 * max(e[i], e[i + 1]) / free + 4 * U * low / width
                   + (8 * U + 2 * (eta[i] + eta[i + 1]) / width) * abs(slope))


@jit
def _collinear(y: Any, ylo: Any, t: Any, tlo: Any, i: int, k: int) -> bool:
    """Whether three points without error lie on a line, decided without rounding, or False if it cannot be."""
    for j in range(i - 1, i + 2):
        if tail(ylo, j, k) != 0 or offset(tlo, j) != 0:
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
