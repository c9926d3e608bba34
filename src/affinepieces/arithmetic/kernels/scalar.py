"""One rounded operation.

A format with at most 26 bits is emulated in float64, which rounds to nearest first; the second
rounding is then innocent for sums, products and quotients of numbers of the format (53 >= 2 t + 1).
With more bits, or where float64 itself underflows, the error of the first rounding decides the ties
of the second: `careful` is then not None.  `seed` is None for rounding to nearest, and starts the random numbers of
stochastic rounding, which is never careful.  With both, `seed` is the direction of directed rounding, and the error
decides whether a result is a number of the format.  Without a format (f is None) nothing is rounded again.
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
ZERO, UP, DOWN = range(3)  # directions


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
    """One of the two neighbours of x in the format; r: 64 random bits, the first 53 - t are used, less f.skip."""
    m = abs(x)
    offset = f.tiny if m < f.tiny else 0.0
    unit = np.int64(1) << f.shift
    added = (np.int64(r >> np.uint64(11)) >> (np.int64(53) - f.shift + f.skip)) << f.skip
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
def settled(s: Any, e: Any, f: Any, way: Any) -> Any:
    """s + e rounded once, to nearest or in a direction, with the ends of the range."""
    if way is not None:
        return directed(s, e, f.tiny, f.magic, 1.0, f, way)
    y = settle(s, e, f.tiny, f.magic, f)
    return limited(s, np.copysign(0.0, s) if abs(y) < f.floor else y, f)


@jit
def scaled(s: Any, e: Any, f: Any, way: Any) -> Any:
    """(s + e) / SCALE rounded once: results so small that float64 itself would lose bits."""
    if way is not None:
        return directed(s, e, f.scaled_tiny, f.magic * SCALE, SCALE, f, way)
    y = np.copysign(settle(s, e, f.scaled_tiny, f.magic * SCALE, f) / SCALE, s)
    return np.copysign(0.0, s) if abs(y) < f.floor else y


@jit
def directed(s: Any, e: Any, tiny: Any, magic: Any, scale: Any, f: Any, way: Any) -> Any:
    """(s + e) / scale rounded toward zero, up or down; of e, at most half an ulp of s, only the sign counts."""
    if s != s:
        return s
    sign = np.copysign(1.0, e if s == 0 and e != 0 else s)
    away = way == UP if sign > 0 else way == DOWN
    m, unit, spacing = abs(s), np.int64(1) << f.shift, magic / 1.5 * 2.0**-52
    low = from_bits(bits(m) & ~(unit - np.int64(1)))
    if m < tiny:
        low = (m + magic) - magic
        low = low - spacing if low > m else low
    if m == low and e * sign < 0:  # just below a number of the format
        high = low
        low = m - spacing if m <= tiny else from_bits(bits(m) - unit)
    elif m == low and e == 0:
        high = low
    else:
        high = low + spacing if low < tiny else from_bits(bits(low) + unit)
    y = (high if away else low) / scale
    if 0 < y < f.floor:
        y = f.floor if away else 0.0
    if y > f.largest:
        y = f.limit if away or (m == np.inf and e == 0) else f.largest
    return np.copysign(y, sign)


@jit
def error(s: Any, e: Any, exact: Any) -> Any:
    """The error e of a result s; where s has left the range of float64, its sign, unless s is exactly infinite."""
    if abs(s) < np.inf:
        return e
    return 0.0 if exact else -np.copysign(1.0, s)


@jit
def rounded(x: Any, f: Any, careful: Any, seed: Any, counter: Any) -> Any:
    """x, a number of float64, rounded once."""
    if seed is None:
        return nearest(x, f)
    if careful is None:
        return stochastic(x, random_bits(seed, counter), f)
    return settled(x, 0.0, f, seed)


@jit
def add(a: Any, b: Any, f: Any, careful: Any, seed: Any, counter: Any) -> Any:
    """a + b, rounded once."""
    if f is None:
        return a + b
    if careful is None:
        return nearest(a + b, f) if seed is None else stochastic(a + b, random_bits(seed, counter), f)
    s, e = two_sum(a, b)
    if seed is not None:
        e = error(s, e, abs(a) == np.inf or abs(b) == np.inf)
        if seed == DOWN and s == 0:
            s = 0.0 if np.copysign(1.0, a) > 0 and np.copysign(1.0, b) > 0 else -0.0
    return settled(s, e, f, seed)


@jit
def multiply(a: Any, b: Any, f: Any, careful: Any, seed: Any, counter: Any) -> Any:
    """a b, rounded once."""
    if f is None:
        return a * b
    if careful is None:
        return nearest(a * b, f) if seed is None else stochastic(a * b, random_bits(seed, counter), f)
    p = a * b
    if f.scaled_tiny == 0 or abs(p) >= SMALL or a == 0 or b == 0:
        return multiply_normal(a, b, f, seed)
    small, large = (a * SCALE, b) if abs(a) < abs(b) else (b * SCALE, a)
    p = small * large
    return scaled(p, fma(small, large, -p) if p != 0 else np.copysign(1.0, p), f, seed)


@jit
def multiply_normal(a: Any, b: Any, f: Any, way: Any) -> Any:
    """a b, rounded once, provided that float64 loses no bits at the lower end of its range."""
    p = a * b
    if way is None:
        return settled(p, fma(a, b, -p), f, None)
    return settled(p, error(p, fma(a, b, -p), abs(a) == np.inf or abs(b) == np.inf), f, way)


@jit
def divide(a: Any, b: Any, f: Any, careful: Any, seed: Any, counter: Any) -> Any:
    """a / b, rounded once; b may be any integer below 2^25, also one that the format cannot hold."""
    if f is None:
        return a / b
    if careful is None:
        return nearest(a / b, f) if seed is None else stochastic(a / b, random_bits(seed, counter), f)
    if abs(a) < SMALL and abs(b) < 2.0**400:
        a, b = a * SCALE, b * SCALE
    q = a / b
    if f.scaled_tiny > 0 and abs(q) < SMALL and a != 0:
        q = a * SCALE / b
        return scaled(q, np.copysign(1.0, b) * fma(-q, b, a * SCALE), f, seed)
    return settled(q, error(q, np.copysign(1.0, b) * fma(-q, b, a), abs(a) == np.inf or b == 0), f, seed)


@jit
def sqrt(a: Any, f: Any, careful: Any, seed: Any, counter: Any) -> Any:
    """Square root of a, rounded once; careful always, for rounding twice would need one bit more for t = 26."""
    if f is None:
        return np.sqrt(a)
    if careful is None and seed is not None:
        return stochastic(np.sqrt(a), random_bits(seed, counter), f)
    if not a > 0 or a == np.inf:
        return np.sqrt(a)
    if a < SMALL:  # 2^600 times a has a root 2^300 times as large
        root = np.sqrt(a * SCALE)
        return settled(root / 2.0**300, fma(-root, root, a * SCALE), f, seed)
    root = np.sqrt(a)
    return settled(root, fma(-root, root, a), f, seed)
