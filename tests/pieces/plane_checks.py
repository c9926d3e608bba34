"""A `Subdivision` against what its docstring says, and against the oracle, in rational arithmetic."""
from __future__ import annotations

from fractions import Fraction
from math import inf

import numpy as np

ZERO = Fraction(0)


def patterns_of(found):
    return [tuple(pattern) for pattern in found.patterns.tolist()]


def within(row, truth, radius):
    """|row - truth| <= radius in the 2-norm."""
    if radius == inf:
        return True
    return sum(((Fraction(v) - w) ** 2 for v, w in zip(row, truth, strict=True)), ZERO) <= Fraction(radius) ** 2


def check(found, truth, net):
    """Everything."""
    check_counts(found, truth)
    check_graph(found)
    check_cuts(found, net)
    check_numbers(found, truth)


def check_counts(found, truth):
    """Regions, pieces, patterns, neighbours."""
    patterns = patterns_of(found)
    assert found.regions == len(truth.regions)
    assert len(patterns) == found.regions
    assert set(patterns) == set(truth.regions)
    assert patterns == sorted(patterns)
    assert {frozenset((patterns[i], patterns[j])) for i, j in found.inner.tolist()} == truth.neighbours
    assert found.pieces == truth.pieces
    assert found.degrees.tolist() == [sum(p in pair for pair in truth.neighbours) for p in patterns]
    assert found.mean_degree == Fraction(2 * len(truth.neighbours), found.regions) < 4


def check_graph(found):
    """A planar graph: each side of a region is an edge with the region on that side, and nothing else is."""
    assert len(found.points) - len(found.edges) + found.regions == 1
    assert found.start[0] == 0
    assert found.start[-1] == len(found.corners)
    assert sorted(set(found.corners.tolist())) == list(range(len(found.points)))
    expected = {}
    for r in range(found.regions):
        mine = found.corners[found.start[r]:found.start[r + 1]].tolist()
        assert len(mine) == len(set(mine)) >= 3
        expected |= dict.fromkeys(zip(mine, [*mine[1:], mine[0]], strict=True), r)
    assert len(expected) == len(found.corners)  # no side twice in one direction
    given = {}
    for (v, w), (left, right) in zip(found.edges.tolist(), found.sides.tolist(), strict=True):
        assert left != right
        given |= {ends: r for ends, r in (((v, w), left), ((w, v), right)) if r >= 0}
    assert given == expected
    outside = (found.sides < 0).any(axis=1)
    assert not found.kinks[outside].any()
    assert np.array_equal(outside, found.cuts[:, 0] < 0)


def check_cuts(found, net):
    """The first neuron whose activity changes; for sides of the polygon each is covered from corner to corner."""
    rows = [(j, k) for j, n in enumerate(net.widths[1:-1]) for k in range(n)
            if net.carried[j] is None or not net.carried[j][k]]
    assert found.patterns.shape[1] == len(rows)
    around = {}
    for (v, w), (left, right), cut in zip(found.edges.tolist(), found.sides.tolist(), found.cuts.tolist(), strict=True):
        if min(left, right) >= 0:
            assert tuple(cut) == rows[np.flatnonzero(found.patterns[left] != found.patterns[right])[0]]
        else:
            around |= {(cut[1], v if right < 0 else w): w if right < 0 else v}
    check_border(found, around)


def check_border(found, around):
    """around: (side of the polygon, vertex) -> the next vertex; together they lead once around."""
    radius = np.zeros(len(found.points)) if found.radius is None else found.radius
    ends = []
    for i, corner in enumerate(found.polygon.exact):
        steps = {v: w for (side, v), w in around.items() if side == i}
        (here,) = steps.keys() - set(steps.values())
        assert within(found.points[here], corner, radius[here])
        ends.append(here)
        for _ in steps:
            here = steps[here]
        ends.append(here)
    assert ends[1::2] == [*ends[2::2], ends[0]]


def check_numbers(found, truth):
    """Points, values and maps, exactly or within their radii; areas."""
    exact = found.points.dtype == object
    assert {a.dtype for a in (found.values, found.maps, found.areas)} <= {found.points.dtype}
    radii = (found.radius, found.value_radius, found.map_radius)
    assert (radii == (None,) * 3) if exact else all(np.all(r >= 0) for r in radii)
    radius, value_radius, map_radius = (
        (np.zeros(n) if r is None else r).tolist() for r, n in zip(radii, [len(found.points)] * 2 + [found.regions],
                                                                   strict=True))
    places = {}
    for r, pattern in enumerate(patterns_of(found)):
        region = truth.regions[pattern]
        assert within(found.maps[r].ravel().tolist(), [v for form in region.map for v in form], map_radius[r])
        mine = found.corners[found.start[r]:found.start[r + 1]].tolist()
        assert len(mine) == len(region.corners)
        turned = [region.corners[i:] + region.corners[:i] for i in range(len(mine))]
        fits = [t for t in turned if all(within(found.points[v], p, radius[v]) for v, p in zip(mine, t, strict=True))]
        assert fits
        for v, place in zip(mine, fits[0], strict=True):
            values = [a * place[0] + b * place[1] + c for a, b, c in region.map]
            assert within(found.values[v], values, value_radius[v])
            assert len(fits) > 1 or places.setdefault(v, place) == place
        assert not exact or found.areas[r] == region.area
    check_areas(found, radius)
    check_kinks(found, truth)


def check_areas(found, radius):
    area = found.polygon.area
    if found.points.dtype == object:
        assert sum(found.areas.tolist()) == area
    elif max(radius) < inf and area < 10**300:
        total = sum(map(Fraction, found.areas.tolist()))
        size = max(abs(v) for corner in found.polygon.exact for v in corner)
        slack = 8 * size * Fraction(max(radius) + 2.0**-50 * float(size)) * len(found.corners)
        assert abs(total - area) <= slack + Fraction(1, 2**1000)


def check_kinks(found, truth):
    patterns = patterns_of(found)
    for (left, right), kink in zip(found.sides.tolist(), found.kinks.tolist(), strict=True):
        if min(left, right) >= 0:
            assert kink == (truth.regions[patterns[left]].map != truth.regions[patterns[right]].map)
