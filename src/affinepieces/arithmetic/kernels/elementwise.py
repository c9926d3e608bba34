"""Rounded operations, entry by entry, on arrays of one shape."""
from __future__ import annotations

from typing import Any

import numpy as np

from affinepieces.arithmetic.kernels import scalar
from affinepieces.arithmetic.kernels.compiler import jit


@jit
def round_all(x: Any, f: Any, seed: Any, counter: Any) -> Any:
    """Every entry rounded on its own; what is not a number becomes the processor's own NaN."""
    out = np.empty_like(x)
    for i in range(len(x)):
        if seed is None:
            y = scalar.nearest(x[i], f)
        else:
            y = scalar.stochastic(x[i], scalar.random_bits(seed, counter + i), f)
        out[i] = np.nan if x[i] != x[i] else y
    return out


@jit
def add(a: Any, b: Any, f: Any, careful: Any, seed: Any, counter: Any) -> Any:
    """a_i + b_i."""
    out = np.empty_like(a)
    for i in range(len(a)):
        out[i] = scalar.add(a[i], b[i], f, careful, seed, counter + i)
    return out


@jit
def multiply(a: Any, b: Any, f: Any, careful: Any, seed: Any, counter: Any) -> Any:
    """a_i b_i."""
    out = np.empty_like(a)
    for i in range(len(a)):
        out[i] = scalar.multiply(a[i], b[i], f, careful, seed, counter + i)
    return out


@jit
def divide(a: Any, b: Any, f: Any, careful: Any, seed: Any, counter: Any) -> Any:
    """a_i / b_i."""
    out = np.empty_like(a)
    for i in range(len(a)):
        out[i] = scalar.divide(a[i], b[i], f, careful, seed, counter + i)
    return out
