"""One rounded operation.

A format with at most 26 bits is emulated in float64, which rounds to nearest first; the second
rounding is then innocent for sums, products and quotients of numbers of the format (53 >= 2 t + 1).
With more bits, or where float64 itself underflows, the error of the first rounding decides the ties
of the second: `careful` is then not None.  Without a format (f is None) nothing is rounded again.
What is not a number passes through, provided that it is the processor's own NaN.
Source: Figueroa (1995), When is double rounding innocuous?
"""
from __future__ import annotations

from typing import Any

import numpy as np

from affinepieces.arithmetic.double_double import two_sum
from affinepieces.arithmetic.kernels.compiler import bits, fma, from_bits, jit

SCALE = 2.0**600
SMALL = 2.0**-900  # products below may have lost bits in float64


@jit
def nearest(x: Any, f: Any) -> Any:
    """x rounded to the nearest number of the format, ties to even."""
    y = on_grid(x, f.tiny, f.magic, f)
    return limited(x, np.copysign(0.0, x) if abs(y) < f.floor else y, f)


@jit
def on_grid(x: Any, tiny: Any, magic: Any, f: Any) -> Any:
    """x rounded to t bits, or to the spacing of the subnormals below `tiny`, without largest number."""
    b = bits(x)
    unit = np.int64(1) << f.shift
    y = from_bits((b + (unit >> 1) - np.int64(1) + ((b >> f.shift) & np.int64(1))) & ~(unit - np.int64(1)))
    m = abs(x)
    return np.copysign((m + magic) - magic, x) if m < tiny else y


@jit
def limited(x: Any, y: Any, f: Any) -> Any:
    """y, unless it is too large."""
    return np.copysign(f.limit, x) if abs(y) > f.largest else y


@jit
def stochastic(x: Any, r: Any, f: Any) -> Any:
    """One of the two neighbours of x in the format; r: 64 random bits, of which the first 53 - t are used."""
    m = abs(x)
    offset = f.tiny if m < f.tiny else 0.0
    unit = np.int64(1) << f.shift
    added = (np.int64(r >> np.uint64(11)) >> (np.int64(53) - f.shift))
    y = from_bits((bits(m + offset) + added) & ~(unit - np.int64(1))) - offset
    y = 0.0 if y < f.floor else y
    return limited(x, np.copysign(y, x), f)


@jit
def random_bits(seed: Any, counter: Any) -> Any:
    """64 random bits for one position of one stream; source: Steele, Lea, Flood (2014), SplitMix64."""
    z = seed + np.uint64(counter) * np.uint64(0x9E3779B97F4A7C15)
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return z ^ (z >> np.uint64(31))


@jit
def settle(s: Any, e: Any, tiny: Any, magic: Any, f: Any) -> Any:
    """s + e rounded like `on_grid`, for |e| at most half an ulp of s: where s is a tie, e decides."""
    y = on_grid(s, tiny, magic, f)
    d = s - y
    power = max(from_bits(bits(s) & np.int64(0x7FF0000000000000)), tiny)  # 2^exponent of s
    beyond = (d > 0 and e > 0) or (d < 0 and e < 0)
    return s + d if beyond and abs(d) == power * f.half else y


@jit
def settled(s: Any, e: Any, f: Any) -> Any:
    """s + e rounded to nearest, with the ends of the range."""
    y = settle(s, e, f.tiny, f.magic, f)
    return limited(s, np.copysign(0.0, s) if abs(y) < f.floor else y, f)


@jit
def scaled(s: Any, e: Any, f: Any) -> Any:
    """(s + e) / SCALE rounded to nearest: results so small that float64 itself would lose bits."""
    y = np.copysign(settle(s, e, f.scaled_tiny, f.magic * SCALE, f) / SCALE, s)
    return np.copysign(0.0, s) if abs(y) < f.floor else y


@jit
def add(a: Any, b: Any, f: Any, careful: Any, seed: Any, counter: Any) -> Any:
    """a + b, rounded once."""
    if f is None:
        return a + b
    if seed is not None:
        return stochastic(a + b, random_bits(seed, counter), f)
    if careful is None:
        return nearest(a + b, f)
    s, e = two_sum(a, b)
    return settled(s, e, f)


@jit
def multiply(a: Any, b: Any, f: Any, careful: Any, seed: Any, counter: Any) -> Any:
    """a b, rounded once."""
    if f is None:
        return a * b
    if seed is not None:
        return stochastic(a * b, random_bits(seed, counter), f)
    if careful is None:
        return nearest(a * b, f)
    p = a * b
    if f.scaled_tiny == 0 or abs(p) >= SMALL or a == 0 or b == 0:
        return multiply_normal(a, b, f)
    small, large = (a * SCALE, b) if abs(a) < abs(b) else (b * SCALE, a)
    p = small * large
    return scaled(p, fma(small, large, -p), f)


@jit
def multiply_normal(a: Any, b: Any, f: Any) -> Any:
    """a b, rounded once to nearest, provided that float64 loses no bits at the lower end of its range."""
    p = a * b
    return settled(p, fma(a, b, -p), f)


@jit
def divide(a: Any, b: Any, f: Any, careful: Any, seed: Any, counter: Any) -> Any:
    """a / b, rounded once; b may be any integer below 2^25, also one that the format cannot hold."""
    if f is None:
        return a / b
    if seed is not None:
        return stochastic(a / b, random_bits(seed, counter), f)
    if careful is None:
        return nearest(a / b, f)
    if abs(a) < SMALL and abs(b) < 2.0**400:
        a, b = a * SCALE, b * SCALE
    q = a / b
    if f.scaled_tiny > 0 and abs(q) < SMALL and a != 0:
        q = a * SCALE / b
        return scaled(q, np.copysign(1.0, b) * fma(-q, b, a * SCALE), f)
    return settled(q, np.copysign(1.0, b) * fma(-q, b, a), f)
