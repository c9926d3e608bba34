"""Numbers on which rounding goes wrong."""
from __future__ import annotations

import numpy as np

import affinepieces as ap

NAMED = (ap.FLOAT32, ap.FLOAT16, ap.BFLOAT16, ap.E5M2)


def spread_out(fmt, rng, n):
    """n numbers of the format: all exponents, subnormals, both ends, zeros of both signs, powers of two."""
    t = fmt.precision
    exponents = rng.integers(max(fmt.emin - t, -1074 + t), fmt.emax + 1, n)
    values = np.ldexp(rng.integers(2 ** (t - 1), 2**t, n).astype(float), exponents - t + 1)
    near_one = np.ldexp(rng.integers(2 ** (t - 1), 2**t, n).astype(float), rng.integers(-2, 3, n) - t + 1)
    values = np.where(rng.random(n) < 0.5, near_one, values) * rng.choice([-1.0, 1.0], n)
    ends = [0.0, -0.0, fmt.largest, -fmt.largest, fmt.smallest_normal, fmt.spacing, 1.0, 2.0**fmt.emax]
    values[:len(ends)] = ends
    return ap.round_to(rng.permutation(values), fmt)


def near_ties_of_sums(fmt, rng, n):
    """a + b a little above or below the middle of two neighbours, by less than float64 can see for t >= 27."""
    t = fmt.precision
    a = rng.integers(2 ** (t - 1), 2**t - 1, n).astype(float)
    away = rng.choice([-1, 1], n) * 2.0 ** -rng.integers(t - 3, t, n)
    b = rng.choice([-1.0, 1.0], n) * 0.5 * (1 + away)
    return a, np.asarray(ap.round_to(b, fmt))


def near_ties_of_products(fmt, rng, n):
    """Integers of t bits whose product ends in 1000...0001 or 0111...1111."""
    t = fmt.precision
    out = []
    while len(out) < n:
        a = int(rng.integers(2 ** (t - 1), 2**t)) | 1
        dropped = t - int(rng.integers(0, 2))
        c = 2 ** (dropped - 1) + int(rng.choice([-1, 1]))
        out.append((a, c * pow(a, -1, 2**dropped) % 2**dropped))
    pairs = np.array(out, dtype=float)
    return pairs[:, 0], pairs[:, 1]


def near_ties_of_quotients(fmt, rng, n):
    """Integers of t bits whose quotient is within 2^-2t of a number with t + 1 bits."""
    t = fmt.precision
    out = []
    while len(out) < n:
        b = int(rng.integers(2 ** (t - 1), 2**t)) | 1
        r = int(rng.choice([-1, 1]))
        middle = r * pow(b, -1, 2 ** (t + 1)) % 2 ** (t + 1)
        out.append(((middle * b - r) // 2 ** (t + 1), b))
    pairs = np.array(out, dtype=float)
    return pairs[:, 0], pairs[:, 1]


def same(found, expected):
    """Equal bit by bit, signs of zeros included; nan equals nan."""
    return np.array_equal(found, expected, equal_nan=True) and np.array_equal(
        np.signbit(found)[~np.isnan(found)], np.signbit(expected)[~np.isnan(expected)])
