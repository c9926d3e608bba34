"""The regions of a network on a polygon, from their definition: cut it by one neuron after the other, in Fractions."""
from __future__ import annotations

from fractions import Fraction
from types import SimpleNamespace

import numpy as np


def _affine(a, b, forms):
    """Rows of A x + b, where each x is (u, v, w) for u s + v t + w."""
    dense = a.dense() if hasattr(a, "dense") else a
    return [[sum((Fraction(float(w)) * x[k] for w, x in zip(row, forms, strict=True) if w), Fraction(0))
             + (Fraction(float(c)) if k == 2 else 0) for k in range(3)] for row, c in zip(dense, b, strict=True)]


def _cut(corners, form):
    """Both closed halves of a convex polygon, None where one has no interior."""
    z = [form[0] * s + form[1] * t + form[2] for s, t in corners]
    halves = ([], [])
    for (p, u), (q, v) in zip(zip(corners, z, strict=True), zip(corners[1:] + corners[:1], z[1:] + z[:1], strict=True),
                              strict=True):
        for half, sign in zip(halves, (1, -1), strict=True):
            if sign * u >= 0:
                half.append(p)
            if u * v < 0:
                share = u / (u - v)
                half.append((p[0] + share * (q[0] - p[0]), p[1] + share * (q[1] - p[1])))
    above, below = (half if len(half) > 2 else None for half in halves)
    return (None, corners) if max(z) <= 0 else (above, below)


def subdivision(net, polygon):
    """What the writer of certificates reads of a `Subdivision`: patterns, sides, kinks, pieces, polygon."""
    origin, first, second = polygon.plane.exact
    cells = [([], polygon.exact, [list(x) for x in zip(first, second, origin, strict=True)])]
    for j, (a, b) in enumerate(zip(net.weights, net.biases, strict=True)):
        cells = [(pattern, corners, _affine(a, b, forms)) for pattern, corners, forms in cells]
        for k in range(len(b)) if j < net.layers - 1 else ():
            if net.carried[j] is None or not net.carried[j][k]:
                cells = [([*pattern, on], part, [*forms[:k], forms[k] if on else [Fraction(0)] * 3, *forms[k + 1:]])
                         for pattern, corners, forms in cells
                         for on, part in zip((True, False), _cut(corners, forms[k]), strict=True) if part]
    owner = {edge: i for i, (_, c, _) in enumerate(cells) for edge in zip(c, c[1:] + c[:1], strict=True)}
    inner = [(i, owner[q, p]) for (p, q), i in owner.items() if owner.get((q, p), -1) > i]
    kinks = np.array([cells[i][2] != cells[j][2] for i, j in inner], np.bool_)
    piece = list(range(len(cells)))
    for (i, j), kink in zip(inner, kinks, strict=True):
        if not kink:
            piece = [piece[i] if p == piece[j] else p for p in piece]
    return SimpleNamespace(polygon=polygon, patterns=np.array([p for p, *_ in cells], np.bool_).reshape(len(cells), -1),
                           sides=np.array(inner, np.int64).reshape(-1, 2), kinks=kinks, pieces=len(set(piece)),
                           areas=[c for _, c, _ in cells])
