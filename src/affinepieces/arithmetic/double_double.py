"""Numbers hi + lo of two float64, and what is lost when they are combined.

Every function returns, beside its result, the sum of the absolute values of its low-order terms.  The
rounding error is at most a small multiple of the unit roundoff times that sum; it is zero exactly
when nothing was rounded, which lets exact zeros be recognised as such.
Source: Ogita, Rump, Oishi (2005), Accurate sum and dot product.
"""
from __future__ import annotations

from affinepieces.arithmetic.kernels.compiler import fma, inline

U = 2.0**-53  # unit roundoff of float64
UNDERFLOW = 1e-270  # products below this may lose their low-order part


@inline
def two_sum(a: float, b: float) -> tuple[float, float]:
    """s + d = a + b exactly, s the rounded sum."""
    s = a + b
    v = s - a
    return s, (a - (s - v)) + (b - v)


@inline
def combine(mh: float, ml: float, lh: float, ll: float, gap: float,
            ah: float, al: float, bh: float, bl: float) -> tuple[float, float, float]:
    """(mh + ml)(ah + al) + (lh + ll)(bh + bl) as hi, lo, and a bound of the error.

    gap: bound of |1 - (mh + ml) - (lh + ll)|, the defect of the weights of an interpolation.
    """
    p1, p2 = mh * ah, lh * bh
    q1, q2 = fma(mh, ah, -p1), fma(lh, bh, -p2)
    s, d = two_sum(p1, p2)
    r1, r2, r3, r4, r5, r6 = mh * al, ml * ah, lh * bl, ll * bh, ml * al, ll * bl
    c = ((q1 + q2) + d) + ((r1 + r2) + (r3 + r4)) + (r5 + r6)
    low = abs(q1) + abs(q2) + abs(d) + abs(r1) + abs(r2) + abs(r3) + abs(r4) + abs(r5) + abs(r6)
    if (abs(p1) < UNDERFLOW and mh != 0 and ah != 0) or (abs(p2) < UNDERFLOW and lh != 0 and bh != 0):
        low += UNDERFLOW
    if low == 0 and ((al != 0 and mh != 0) or (bl != 0 and lh != 0) or (ml != 0 and ah != 0) or (ll != 0 and bh != 0)):
        low = UNDERFLOW  # a product of other numbers than zero was rounded to zero
    hi, lo = two_sum(s, c)
    error = 12 * U * low + gap * (abs(ah) + abs(bh))
    if low > 0:
        error += 1e-290
    return hi, lo, error
