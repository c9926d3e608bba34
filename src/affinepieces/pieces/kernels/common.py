"""What the kernels share: the signs, and the safety of the bounds."""
from __future__ import annotations

from typing import Any

from affinepieces.arithmetic.double_double import U
from affinepieces.arithmetic.kernels.compiler import jit

SAFE = 1 + 2.0**-30  # covers the rounding in the computation of the bounds themselves
FLOOR = 1e-290  # covers underflow in the computation of the bounds themselves
ROOT = 1e-150  # added to the root of a sum of squares: covers squares that underflow
ACTIVE, INACTIVE, ZERO, DOUBT = 1, -1, 0, 2
EXACTLY, NEARLY = 1, 2  # whether a zero is where another one is


@jit
def passes(carried: Any, k: Any) -> bool:
    """Whether row k is carried along unchanged, without ReLU; carried: (N,) booleans, or None where no row is."""
    if carried is None:
        return False
    else:
        return bool(carried[k])


@jit
def vanishes(zero: Any, i: Any, k: Any) -> bool:
    """Whether an entry is zero by construction; zero: (R, N) booleans, or None where nobody asks."""
    if zero is None:
        return False
    else:
        return bool(zero[i, k])


@jit
def around(t: Any, eta: Any, i: int) -> Any:
    """How far a point between columns i and i + 1, computed in float64, may be from where it should be."""
    return 8 * U * (abs(t[i]) + abs(t[i + 1])) + 2 * (eta[i] + eta[i + 1])
