"""An independent slow answer on a polygon: one convex polygon for each activation pattern, clipped with Fractions.

It shares no mesh between regions, holds every number as an affine form of (s, t), and finds neighbours by comparing
sides that lie on one line, wherever their ends are.  Of a network it reads weights, biases and carried.
"""
from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from fractions import Fraction
from itertools import combinations


@dataclass
class Region:
    corners: list  # [(s, t), ...], counterclockwise
    map: tuple  # for each output (a, b, c): a s + b t + c

    @property
    def sides(self):
        return list(zip(self.corners, [*self.corners[1:], self.corners[0]], strict=True))

    @property
    def area(self):
        return sum((s * v - u * t for (s, t), (u, v) in self.sides), Fraction(0)) / 2

    @property
    def centroid(self):
        """The mean of the corners: inside, because the region is convex."""
        return tuple(sum(c) / len(self.corners) for c in zip(*self.corners, strict=True))


@dataclass
class Answer:
    regions: dict  # pattern -> Region
    neighbours: set  # of frozensets of two patterns whose regions touch along a segment
    pieces: int


def answer(net, polygon):
    """Everything, by definition."""
    found = regions(net, polygon)
    near = touching(found)
    return Answer(found, near, joined(found, near))


def regions(net, polygon):
    """pattern -> Region."""
    corners = [tuple(map(Fraction, corner)) for corner in polygon.corners.tolist()]
    found = [((), corners, input_forms(polygon.plane))]
    for a, b, carried in zip(net.weights[:-1], net.biases[:-1], net.carried, strict=True):
        following = []
        for pattern, cell, forms in found:
            z = affine(a, b, forms)
            switched = [k for k in range(len(z)) if carried is None or not carried[k]]
            for more, part in clipped(cell, [z[k] for k in switched]):
                on = dict(zip(switched, more, strict=True))
                new = [form if on.get(k, True) else (Fraction(0),) * 3 for k, form in enumerate(z)]
                following.append((pattern + more, part, new))
        found = following
    out = {pattern: Region(cell, tuple(affine(net.weights[-1], net.biases[-1], forms)))
           for pattern, cell, forms in found}
    assert len(out) == len(found)
    return out


def input_forms(plane):
    columns = [[Fraction(v) for v in part.tolist()] for part in (
        plane.first, plane.first_low, plane.second, plane.second_low, plane.origin)]
    return [(d + d_low, e + e_low, o) for d, d_low, e, e_low, o in zip(*columns, strict=True)]


def rows_of(a):
    """The rows of a matrix, dense or sparse, as [(column, entry), ...] without zeros."""
    if hasattr(a, "columns"):
        entries = list(zip(a.columns.tolist(), a.values.astype(float).tolist(), strict=True))
        rows = [entries[i:j] for i, j in zip(a.start[:-1].tolist(), a.start[1:].tolist(), strict=True)]
    else:
        rows = [list(enumerate(row)) for row in a.astype(float).tolist()]
    return [[(k, Fraction(v)) for k, v in row if v] for row in rows]


def affine(a, b, forms):
    out = []
    for row, bias in zip(rows_of(a), b.astype(float).tolist(), strict=True):
        form = [sum((w * forms[k][i] for k, w in row), Fraction(0)) for i in range(3)]
        out.append((form[0], form[1], form[2] + Fraction(bias)))
    return out


def at(form, point):
    return form[0] * point[0] + form[1] * point[1] + form[2]


def clipped(cell, forms):
    """[(which forms are positive inside, part of the cell), ...]"""
    parts = [((), cell)]
    for form in forms:
        following = []
        for signs, part in parts:
            values = [at(form, corner) for corner in part]
            if min(values) < 0 < max(values):
                following.append(((*signs, True), half(part, values)))
                following.append(((*signs, False), half(part, [-v for v in values])))
            else:
                following.append(((*signs, max(values) > 0), part))
        parts = following
    return parts


def half(part, values):
    """Where the values are not negative: Sutherland and Hodgman."""
    out = []
    for i, (p, v) in enumerate(zip(part, values, strict=True)):
        q, w = part[i - 1], values[i - 1]
        if v * w < 0:
            share = w / (w - v)
            out.append((q[0] + share * (p[0] - q[0]), q[1] + share * (p[1] - q[1])))
        if v >= 0:
            out.append(p)
    return out


def touching(found):
    """Pairs of patterns whose regions have sides that overlap."""
    lines = defaultdict(list)
    for pattern, region in found.items():
        for p, q in region.sides:
            lines[line_through(p, q)].append((*sorted([p, q]), pattern))
    pairs = set()
    for sides in lines.values():
        for (p, q, one), (u, v, two) in combinations(sides, 2):
            if max(p, u) < min(q, v):
                assert one != two
                pairs.add(frozenset([one, two]))
    return pairs


def line_through(p, q):
    a, b = q[1] - p[1], p[0] - q[0]
    c = -a * p[0] - b * p[1]
    pivot = a or b
    return a / pivot, b / pivot, c / pivot


def joined(found, near):
    """How many pieces: by visiting, from each region, all that can be reached through equal maps."""
    around = defaultdict(list)
    for one, two in map(tuple, near):
        if found[one].map == found[two].map:
            around[one].append(two)
            around[two].append(one)
    seen, pieces = set(), 0
    for pattern in found:
        pieces += pattern not in seen
        waiting = [pattern]
        while waiting:
            here = waiting.pop()
            if here not in seen:
                seen.add(here)
                waiting += around[here]
    return pieces


def forward(net, polygon, point):
    """Pattern and values at one point (s, t)."""
    x = [(Fraction(0), Fraction(0), at(form, point)) for form in input_forms(polygon.plane)]
    pattern = []
    for a, b, carried in zip(net.weights[:-1], net.biases[:-1], net.carried, strict=True):
        z, x = affine(a, b, x), []
        for k, form in enumerate(z):
            switches = carried is None or not carried[k]
            pattern += [form[2] > 0] if switches else []
            x.append(form if form[2] > 0 or not switches else (Fraction(0),) * 3)
    return tuple(pattern), [form[2] for form in affine(net.weights[-1], net.biases[-1], x)]
