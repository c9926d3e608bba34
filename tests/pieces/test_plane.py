"""Subdivisions of polygons, exact and certified, against an independent answer and against what is known."""
from functools import cache
from itertools import combinations

import numpy as np
import pytest

import affinepieces as ap
from pieces import plane_oracle
from pieces.plane_checks import check, check_graph, patterns_of
from pieces.plane_families import NETWORKS, problem

SQUARE = ap.Polygon.square()
SIZE = len(NETWORKS)
BOTH = pytest.mark.parametrize("exact", [True, False], ids=["exact", "certified"])


def layer(*lines, last=None):
    """One hidden layer with these lines (a, b, c): a s + b t + c = 0."""
    w, b = np.array(lines, float)[:, :2], np.array(lines, float)[:, 2]
    return ap.ReLUNetwork([w, [np.ones(len(b)) if last is None else last]], [b, [0.0]])


@cache
def answer(seed):
    return plane_oracle.answer(*problem(seed))


def counts(net, polygon=SQUARE):
    """Regions and pieces, the same whichever way they are asked for."""
    found = ap.count_regions(net, polygon), ap.count_pieces(net, polygon)
    for exact in (True, False):
        function = ap.trace(net, polygon, exact=exact)
        check_graph(function)
        assert (function.regions, function.pieces) == found
        assert np.array_equal(function.patterns, ap.activation_patterns(net, polygon))
    return found


@BOTH
@pytest.mark.parametrize("first", range(0, 20 * SIZE, SIZE))
def test_equal_to_the_oracle(first, exact):
    for seed in range(first, first + SIZE):
        net, polygon = problem(seed)
        check(ap.trace(net, polygon, exact=exact), answer(seed), net)


@pytest.mark.parametrize("first", range(0, 20 * SIZE, SIZE))
def test_counts_and_patterns_are_those_of_the_oracle(first):
    for seed in range(first, first + SIZE):
        net, polygon = problem(seed)
        truth = answer(seed)
        assert ap.count_regions(net, polygon) == len(truth.regions)
        assert ap.count_pieces(net, polygon) == truth.pieces
        patterns = ap.activation_patterns(net, polygon)
        assert [tuple(p) for p in patterns.tolist()] == sorted(truth.regions)


@pytest.mark.parametrize("first", range(20 * SIZE, 25 * SIZE, SIZE))
def test_the_order_does_not_depend_on_the_trace(first):
    for seed in range(first, first + SIZE):
        net, polygon = problem(seed)
        one, two = (ap.trace(net, polygon, exact=exact) for exact in (True, False))
        for name in ("corners", "start", "patterns", "edges", "sides", "cuts", "kinks"):
            assert np.array_equal(getattr(one, name), getattr(two, name)), name


@BOTH
def test_the_order_is_that_of_the_regions(exact):
    """Regions by patterns; each begins with its side of the least cut; vertices and edges as they appear."""
    for seed in range(2 * SIZE):
        found = ap.trace(*problem(seed), exact=exact)
        cuts = {frozenset(edge): tuple(cut)
                for edge, cut in zip(found.edges.tolist(), found.cuts.tolist(), strict=True)}
        vertices, edges = {}, {}
        for r in range(found.regions):
            mine = found.corners[found.start[r]:found.start[r + 1]].tolist()
            sides = list(zip(mine, [*mine[1:], mine[0]], strict=True))
            along = [cuts[frozenset(side)] for side in sides]
            assert len(set(along)) == len(along)
            assert along[0] == min(along)
            vertices |= dict.fromkeys(mine)
            edges |= {frozenset(side): side for side in sides if frozenset(side) not in edges}
        assert list(vertices) == list(range(len(found.points)))
        assert list(edges.values()) == list(map(tuple, found.edges.tolist()))
        assert np.all((found.sides[:, 0] < found.sides[:, 1]) | (found.sides[:, 1] == -1))


@pytest.mark.parametrize("first", range(0, 10 * SIZE, SIZE))
def test_patterns_and_values_are_those_inside_of_each_region(first):
    for seed in range(first, first + SIZE):
        net, polygon = problem(seed)
        found = ap.trace(net, polygon, exact=True)
        for r, pattern in enumerate(patterns_of(found)):
            point = found.centroids[r].tolist()
            active, values = plane_oracle.forward(net, polygon, point)
            assert active == pattern
            assert (found.maps[r] @ [*point, 1]).tolist() == values
            assert len(found.polygon_of(r)) == found.start[r + 1] - found.start[r]


@pytest.mark.parametrize("n", range(1, 8))
def test_lines_in_general_position(n):
    """1 + n + n (n - 1) / 2 regions in a polygon that holds all crossings."""
    lines = [(1, k, k * k) for k in range(n)]  # lines k and l cross at t = -(k + l), s = k l
    assert counts(layer(*lines), ap.Polygon.square(100)) == (1 + n + n * (n - 1) // 2,) * 2


@pytest.mark.parametrize("n", range(2, 8))
def test_lines_through_one_point(n):
    assert counts(layer(*((1, k, 0) for k in range(n)))) == (2 * n, 2 * n)


@pytest.mark.parametrize(("lines", "regions"), [
    ([(1, 0, -1)], 1), ([(1, 0, 1)], 1), ([(0, -1, 1)], 1),  # along a side
    ([(1, 1, -2)], 1), ([(1, 1, 2)], 1), ([(-1, 2, 3)], 1),  # touching a corner
    ([(1, 1, 0)], 2), ([(1, 1, 0), (1, -1, 0)], 4),  # through opposite corners
    ([(1, 2, -1)], 2), ([(1, 2, -1), (-1, -2, 1)], 2), ([(1, 2, -1), (3, 6, -3)], 2),  # from a corner to a side, twice
    ([(1, 0, 0), (0, 1, 0), (1, 1, 0)], 6), ([(1, 0, -5)], 1), ([(0, 0, 0)], 1), ([(0, 0, 1), (0, 0, -1)], 1),
    ([(1, 0, 0), (1, 0, 2.0**-60)], 3), ([(1, 0, 0), (1, 2.0**-70, 0)], 4),  # far below the spacing of floats at 1
])
def test_lines_and_the_border(lines, regions):
    assert counts(layer(*lines))[0] == regions


def test_touching_zero_cuts_nothing():
    # the second layer sees |s| and |s| - |s|: one touches zero, the other is zero everywhere
    first = [[1, 0], [-1, 0]], [0, 0]
    net = ap.ReLUNetwork([first[0], [[1, 1], [1, 1], [-1, -1]], [[1, -1, 1]]], [first[1], [0, 0, 0], [0]])
    assert counts(net) == (2, 1)
    assert ap.activation_patterns(net, SQUARE).tolist() == [[False, True, True, True, False],
                                                            [True, False, True, True, False]]


def test_active_beside_zero_everywhere():
    """relu(relu(s)): the second neuron is zero on one side, and its line is that of the first."""
    net = ap.ReLUNetwork([[[1, 0]], [[1]], [[1]]], [[0], [0], [0]])
    found = ap.trace(net, SQUARE)
    assert counts(net) == (2, 2)
    assert found.cuts[~(found.sides < 0).any(axis=1)].tolist() == [[0, 0]]


def test_an_output_that_does_not_see_a_line():
    assert counts(layer((1, 0, 0), (-1, 0, 0), last=[1, -1])) == (2, 1)
    assert counts(layer((1, 0, 0), (0, 1, 0), last=[0, 1])) == (4, 2)


def test_pieces_with_equal_maps_that_touch_at_a_corner_only_are_two():
    difference = ap.ReLUNetwork([[[1, 0], [0, 1]], [[1, -1], [-1, 1]], [[1, 1]]], [[0, 0], [0, 0], [0]])
    assert counts(difference) == (5, 5)  # |relu(s) - relu(t)|: zero in the third quadrant, two maps in the first
    saddle = ap.ReLUNetwork([[[1, 1], [-1, -1], [1, -1], [-1, 1]], [[1, 1, -1, -1]], [[1]]], [[0] * 4, [0], [0]])
    assert counts(saddle) == (8, 6)  # relu(|s + t| - |s - t|): zero in the second and the fourth quadrant


def test_a_network_without_hidden_layer_is_one_piece():
    net = ap.ReLUNetwork([[[2.0, 1.0]]], [[1.0]])
    assert counts(net) == (1, 1)
    assert ap.activation_patterns(net, SQUARE).shape == (1, 0)


def test_several_outputs_are_affine_at_once():
    net = ap.ReLUNetwork([[[1, 0], [0, 1]], [[1, 0], [0, 1]]], [[0, 0], [0, 0]])
    assert counts(net) == (4, 4)


def test_neighbours_and_degrees_of_a_grid():
    found = ap.trace(layer((1, 0, 0), (0, 1, 0)), SQUARE)
    assert found.inner.tolist() == [[0, 1], [0, 2], [1, 3], [2, 3]]
    assert found.degrees.tolist() == [2] * 4
    assert found.mean_degree == 2
    assert found.areas.tolist() == [1] * 4
    assert found.centroids.tolist() == [[-0.5, -0.5], [-0.5, 0.5], [0.5, -0.5], [0.5, 0.5]]


def test_pieces_are_numbered_by_their_first_regions():
    found = ap.trace(layer((1, 0, 0), (0, 1, 0), last=[0, 1]), SQUARE)
    assert found.piece_of.tolist() == [0, 1, 0, 1]
    for seed in range(SIZE):
        found = ap.trace(*problem(seed))
        first = [found.piece_of.tolist().index(p) for p in range(found.pieces)]
        assert first == sorted(first)
        same = [(i, j) for i, j in combinations(range(found.regions), 2) if found.piece_of[i] == found.piece_of[j]]
        assert (found.pieces == found.regions) == (not same)


@BOTH
def test_traces_are_values(exact):
    net, polygon = problem(3)
    one, two = (ap.trace(net, polygon, exact=exact) for _ in range(2))
    assert one == two
    assert hash(one) == hash(two)
    assert one.polygon is polygon
    assert f"{one.regions} regions" in repr(one)
    decisions = one.certificate.float64 + one.certificate.double_double + one.certificate.words + one.certificate.exact
    assert decisions > 0
    assert not exact or decisions == one.certificate.exact
