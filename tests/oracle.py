"""An independent slow answer: walk along the segment with Fractions, one region after the other."""
from __future__ import annotations

import itertools
from fractions import Fraction


def _affine(a, b, v, d):
    """Value and right derivative of A x + b, from value and right derivative of x."""
    z = [sum((Fraction(float(w)) * x for w, x in zip(row, v, strict=True)), Fraction(float(c)))
         for row, c in zip(a, b, strict=True)]
    dz = [sum((Fraction(float(w)) * x for w, x in zip(row, d, strict=True)), Fraction(0)) for row in a]
    return z, dz


def _step(net, segment, t):
    """Pattern, output value, slope and end of the region that begins at t."""
    v = [Fraction(float(s)) + t * Fraction(float(d)) for s, d in zip(segment.start, segment.direction, strict=True)]
    d = [Fraction(float(x)) for x in segment.direction]
    pattern, end = [], Fraction(segment.b)
    for a, b in zip(net.weights[:-1], net.biases[:-1], strict=True):
        z, dz = _affine(a, b, v, d)
        active = [p > 0 or (p == 0 and q > 0) for p, q in zip(z, dz, strict=True)]
        for p, q in zip(z, dz, strict=True):
            if q != 0 and -p / q > 0:
                end = min(end, t - p / q)
        pattern += active
        v = [p if on else Fraction(0) for p, on in zip(z, active, strict=True)]
        d = [q if on else Fraction(0) for q, on in zip(dz, active, strict=True)]
    value, slope = _affine(net.weights[-1], net.biases[-1], v, d)
    return pattern, value, slope, end


def walk(net, segment):
    """(boundaries of regions, patterns, regions, pieces), by definition."""
    t, steps = Fraction(segment.a), []
    while t < segment.b:
        pattern, _, slope, end = _step(net, segment, t)
        steps.append((t, pattern, slope))
        t = end
    pairs = list(itertools.pairwise(steps))
    boundaries = [right[0] for left, right in pairs if left[1] != right[1]]
    kinks = sum(left[2] != right[2] for left, right in pairs)
    return boundaries, len(boundaries) + 1, kinks + 1


def assert_encloses(rows, radius, truth):
    """|row - truth| <= radius in the 2-norm, in rational arithmetic."""
    for row, bound, exact in zip(rows.tolist(), radius.tolist(), truth.tolist(), strict=True):
        if bound < float("inf"):
            square = sum((Fraction(v) - w) ** 2 for v, w in zip(row, exact, strict=True))
            assert square <= Fraction(bound) ** 2
