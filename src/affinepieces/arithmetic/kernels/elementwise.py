"""Rounded operations, entry by entry, on vectors of one length; b may be a single number."""
from __future__ import annotations

from typing import Any

import numpy as np

from affinepieces.arithmetic.kernels import scalar
from affinepieces.arithmetic.kernels.compiler import jit


@jit
def round_all(x: Any, f: Any, careful: Any, seed: Any, counter: Any) -> Any:
    """Every entry rounded on its own; what is not a number becomes the processor's own NaN."""
    out = np.empty_like(x)
    for i in range(len(x)):
        y = scalar.rounded(x[i], f, careful, seed, counter + i)
        out[i] = np.nan if x[i] != x[i] else y
    return out


@jit
def add(a: Any, b: Any, f: Any, careful: Any, seed: Any, counter: Any) -> Any:
    """a_i + b_i."""
    out, each = np.empty_like(a), len(b) > 1
    for i in range(len(a)):
        out[i] = scalar.add(a[i], b[i if each else 0], f, careful, seed, counter + i)
    return out


@jit
def multiply(a: Any, b: Any, f: Any, careful: Any, seed: Any, counter: Any) -> Any:
    """a_i b_i."""
    out, each = np.empty_like(a), len(b) > 1
    for i in range(len(a)):
        out[i] = scalar.multiply(a[i], b[i if each else 0], f, careful, seed, counter + i)
    return out


@jit
def divide(a: Any, b: Any, f: Any, careful: Any, seed: Any, counter: Any) -> Any:
    """a_i / b_i."""
    out, each = np.empty_like(a), len(b) > 1
    for i in range(len(a)):
        out[i] = scalar.divide(a[i], b[i if each else 0], f, careful, seed, counter + i)
    return out


@jit
def sqrt(a: Any, f: Any, careful: Any, seed: Any, counter: Any) -> Any:
    """Square roots."""
    out = np.empty_like(a)
    for i in range(len(a)):
        out[i] = scalar.sqrt(a[i], f, careful, seed, counter + i)
    return out
