"""What must not change the regions and pieces on a polygon, and how those of parts and segments belong to the whole."""
from fractions import Fraction

import numpy as np
import pytest

import affinepieces as ap
from pieces import plane_oracle
from pieces.plane_checks import patterns_of
from pieces.plane_families import NETWORKS, problem

SIZE = len(NETWORKS)
SEEDS = pytest.mark.parametrize("first", range(1000 * SIZE, 1008 * SIZE, SIZE))


def counts(net, polygon):
    return ap.count_regions(net, polygon), ap.count_pieces(net, polygon)


def floats(numbers):
    """The same numbers as an array of float64, or None where that is not exact."""
    try:
        rounded = [[float(v) for v in row] for row in numbers]
    except OverflowError:
        return None
    equal = all(Fraction(a) == b for row, exact in zip(rounded, numbers, strict=True)
                for a, b in zip(row, exact, strict=True) if np.isfinite(a))
    return np.array(rounded) if equal and np.all(np.isfinite(rounded)) else None


def moved(polygon, m, c):
    """The same points with other parameters, (s, t) = m (s', t') + c, or None where floats do not hold them exactly."""
    origin, first, second = polygon.plane.exact
    det = m[0][0] * m[1][1] - m[0][1] * m[1][0]
    corners = floats([[(m[1][1] * (s - c[0]) - m[0][1] * (t - c[1])) / det,
                       (m[0][0] * (t - c[1]) - m[1][0] * (s - c[0])) / det] for s, t in polygon.exact])
    plane = floats([[o + c[0] * d + c[1] * e for o, d, e in zip(origin, first, second, strict=True)],
                    *([a * d + b * e for d, e in zip(first, second, strict=True)] for a, b in zip(*m, strict=True))])
    return None if corners is None or plane is None else ap.Polygon(corners, ap.Plane(*plane))


def changes(rng):
    """A matrix whose determinant is a power of two or its negative, and a shift."""
    p, q = (Fraction(2) ** int(k) for k in rng.integers(-3, 4, 2))
    a = Fraction(int(rng.integers(-3, 4)))
    m = [[[1, a], [0, 1]], [[0, 1], [1, 0]], [[p, 0], [0, q]], [[1, 1], [-1, 1]], [[-1, 0], [a, 1]]][rng.integers(5)]
    return [[Fraction(v) for v in row] for row in m], [Fraction(int(v), 2) for v in rng.integers(-2, 3, 2)]


@SEEDS
def test_other_parameters_of_the_plane(first):
    checked = 0
    for seed in range(first, first + SIZE):
        net, polygon = problem(seed)
        for k in range(3):
            other = moved(polygon, *changes(np.random.default_rng([seed, k])))
            if other is not None:
                checked += 1
                assert counts(net, other) == counts(net, polygon)
                assert np.array_equal(ap.activation_patterns(net, other), ap.activation_patterns(net, polygon))
    assert checked > 4


def rebuilt(net, w, b, kinds):
    return ap.Chain(w, b, kinds) if isinstance(net, ap.Chain) else ap.ReLUNetwork(w, b)


def layers(net):
    return [a.dense() if hasattr(a, "dense") else a.copy() for a in net.weights], [c.copy() for c in net.biases]


@SEEDS
def test_neurons_in_another_order(first):
    for seed in range(first, first + SIZE):
        net, polygon = problem(seed)
        rng, (w, b) = np.random.default_rng(seed), layers(net)
        kinds = [np.array(layer, object) for layer in getattr(net, "kinds", [()] * len(b[:-1]))]
        columns, offset = [], 0
        for j, n in enumerate(net.widths[1:-1]):
            order = rng.permutation(n)
            w[j], b[j], w[j + 1] = w[j][order], b[j][order], w[j + 1][:, order]
            kinds[j] = kinds[j][order] if len(kinds[j]) else kinds[j]
            switch = np.ones(n, bool) if net.carried[j] is None else ~net.carried[j]
            columns += [offset + int(np.count_nonzero(switch[:k])) for k in order if switch[k]]
            offset += int(np.count_nonzero(switch))
        other = rebuilt(net, w, b, [layer.tolist() for layer in kinds])
        assert counts(other, polygon) == counts(net, polygon)
        assert sorted(ap.activation_patterns(net, polygon)[:, columns].tolist()) == ap.activation_patterns(
            other, polygon).tolist()


@SEEDS
def test_neurons_times_powers_of_two(first):
    checked = 0
    for seed in range(first, first + SIZE):
        net, polygon = problem(seed)
        rng, (w, b) = np.random.default_rng(seed), layers(net)
        for j, n in enumerate(net.widths[1:-1]):
            powers = 2.0 ** rng.integers(-3, 4, n)
            w[j], b[j], w[j + 1] = w[j] * powers[:, None], b[j] * powers, w[j + 1] / powers
        w, b = [a.astype(float) for a in w], [c.astype(float) for c in b]
        sizes = np.abs(np.concatenate([np.concatenate([a.ravel() for a in (*w, *b)]), [1.0]]))
        if sizes.max() < 2.0**15 and np.all((sizes == 0) | (sizes > 2.0**-12)):  # exact in all formats
            checked += 1
            other = rebuilt(net, w, b, getattr(net, "kinds", None))
            assert counts(other, polygon) == counts(net, polygon)
            assert np.array_equal(ap.activation_patterns(other, polygon), ap.activation_patterns(net, polygon))
    assert checked > 4


@SEEDS
def test_corners_from_another_one_and_clockwise(first):
    for seed in range(first, first + SIZE):
        net, polygon = problem(seed)
        expected = ap.activation_patterns(net, polygon)
        for corners in (np.roll(polygon.corners, 1, axis=0), polygon.corners[::-1]):
            other = ap.Polygon(corners, polygon.plane)
            assert other.area == polygon.area
            assert np.array_equal(ap.activation_patterns(net, other), expected)
            assert ap.count_pieces(net, other) == ap.count_pieces(net, polygon)


def chord(polygon, rng):
    """Two points of the border, corners or middles of sides, and the two parts of the polygon between them."""
    corners = polygon.exact
    places = []
    for (s, t), (u, v) in zip(corners, [*corners[1:], corners[0]], strict=True):
        places += [(s, t), ((s + u) / 2, (t + v) / 2)]
    while True:
        i, k = sorted(rng.choice(len(places), 2, replace=False).tolist())
        one = [places[i], *(places[j] for j in range(i + 1, k) if j % 2 == 0), places[k]]
        two = [places[k], *(places[j % len(places)] for j in range(k + 1, i + len(places)) if j % 2 == 0), places[i]]
        if min(len(one), len(two)) > 2:
            return places[i], places[k], [floats(one), floats(two)]


@SEEDS
def test_a_polygon_cut_in_two(first):
    checked = 0
    for seed in range(first, first + SIZE):
        net, polygon = problem(seed)
        p, q, parts = chord(polygon, np.random.default_rng(seed))
        if any(part is None for part in parts):
            continue
        checked += 1
        halves = [ap.Polygon(part, polygon.plane) for part in parts]
        whole, (one, two) = ap.trace(net, polygon), (ap.trace(net, half) for half in halves)
        truth = plane_oracle.answer(net, polygon)
        crossed = [pattern for pattern, region in truth.regions.items() if len(sides_of(region, p, q)) == 2]
        assert one.regions + two.regions == whole.regions + len(crossed)
        assert {*patterns_of(one), *patterns_of(two)} == {*patterns_of(whole)}
        assert {*patterns_of(one)} & {*patterns_of(two)} == {*crossed}
        assert joined(one, two, crossed, along(truth, p, q)) == whole.pieces
    assert checked > 4


def sides_of(region, p, q):
    """On which sides of the line through p and q a region has corners."""
    turns = [(q[0] - p[0]) * (t - p[1]) - (q[1] - p[1]) * (s - p[0]) for s, t in region.corners]
    return {turn > 0 for turn in turns if turn != 0}


def along(truth, p, q):
    """Pairs of neighbours with equal maps on different sides of the line."""
    pairs = [tuple(pair) for pair in truth.neighbours]
    sides = {pattern: sides_of(region, p, q) for pattern, region in truth.regions.items()}
    return [pair for pair in pairs if truth.regions[pair[0]].map == truth.regions[pair[1]].map
            and len(sides[pair[0]]) == len(sides[pair[1]]) == 1 and sides[pair[0]] != sides[pair[1]]]


def joined(one, two, crossed, pairs):
    """How many pieces the two parts have together, when what the chord cut is joined again."""
    piece = {(k, pattern): (k, int(part.piece_of[r])) for k, part in enumerate((one, two))
             for r, pattern in enumerate(patterns_of(part))}
    groups = [{name} for name in sorted(set(piece.values()))]
    links = [((0, pattern), (1, pattern)) for pattern in crossed]
    links += [tuple((int((1, side) in piece), side) for side in pair) for pair in pairs]
    for a, b in links:
        (left,), (right,) = ([g for g in groups if piece[end] in g] for end in (a, b))
        if left is not right:
            left |= right
            groups.remove(right)
    return len(groups)


@SEEDS
def test_regions_along_a_segment_are_those_that_it_meets(first):
    checked = 0
    for seed in range(first, first + SIZE):
        net, polygon = problem(seed)
        if polygon.plane != ap.Plane.coordinates():
            continue
        rng = np.random.default_rng(seed)
        x, y = (rng.dirichlet(np.ones(len(polygon.corners)), 2) @ polygon.corners)
        ends = [tuple(map(Fraction, z.tolist())) for z in (x, y)]
        if not all(inside(polygon.exact, end) for end in ends) or np.array_equal(x, y):
            continue
        checked += 1
        met = {pattern for pattern, region in plane_oracle.regions(net, polygon).items() if meets(region, *ends)}
        found = ap.activation_patterns(net, ap.Segment.between(x, y))
        assert len(found) == len(met)
        assert set(map(tuple, found.tolist())) == met
    assert checked > 2


def inside(corners, point):
    return all((u - s) * (point[1] - t) - (v - t) * (point[0] - s) >= 0
               for (s, t), (u, v) in zip(corners, [*corners[1:], corners[0]], strict=True))


def meets(region, p, q):
    """Whether the segment has points inside of the region."""
    low, high = Fraction(0), Fraction(1)
    for (s, t), (u, v) in region.sides:
        at_p, at_q = ((u - s) * (z[1] - t) - (v - t) * (z[0] - s) for z in (p, q))
        if max(at_p, at_q) <= 0:
            return False
        if at_p * at_q < 0:
            share = at_p / (at_p - at_q)
            low, high = (max(low, share), high) if at_p < 0 else (low, min(high, share))
    return low < high
