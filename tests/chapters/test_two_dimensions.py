"""What the chapter on two dimensions computes: its statements on networks of all kinds, its experiments in small."""
from fractions import Fraction

import numpy as np
import pytest

import affinepieces as ap
from affinepieces.chapters import own_network, two_dimensions
from pieces import plane_families

SQUARE = ap.Polygon.square()
WINGS = ap.ReLUNetwork([[[1, 0], [-1, 0], [1, 1], [-1, -1]], [[1, -1, -1, 0], [-1, 1, 0, -1]], [[1, 1]]],
                       [[0] * 4, [0] * 2, [0]])
PYRAMID = ap.ReLUNetwork([[[1, 0], [-1, 0], [0, 1], [0, -1]], [[1, 1, 1, 1]]], [[0] * 4, [0]])


def networks(count=12):
    """With two inputs: at random, and with small integers, where many lines meet."""
    for seed in range(count):
        rng = np.random.default_rng([17, seed])
        kind = plane_families.small_integers if seed % 2 else plane_families.parameters
        yield ap.ReLUNetwork(*kind(rng, 2, most=12))


def test_regions_and_pieces_by_hand():
    corner = two_dimensions.corner()
    assert (ap.count_regions(corner, SQUARE), ap.count_pieces(corner, SQUARE)) == (5, 3)
    assert (ap.count_pieces(WINGS, SQUARE), ap.count_pieces(PYRAMID, SQUARE)) == (6, 4)
    assert corner([[-1, 1], [1, -1], [0.5, 0.25], [0.25, 0.5]]).ravel().tolist() == [0, 0, 0.25, 0.25]


def test_regions_are_convex_polygons_that_fit():
    """The areas add up; no angle is of 180 degrees, so no corner is inside of a side; inner corners have four sides."""
    for net in networks():
        found = ap.trace(net, SQUARE, exact=True)
        assert sum(found.areas) == 4
        assert len(np.unique(found.patterns, axis=0)) == found.regions
        for region in range(found.regions):
            points = found.polygon_of(region)
            ahead = np.roll(points, -1, axis=0) - points
            after = np.roll(ahead, -1, axis=0)
            assert (ahead[:, 0] * after[:, 1] > ahead[:, 1] * after[:, 0]).all()
            assert np.count_nonzero(found.sides == region) == len(points)
        meeting = np.bincount(found.edges.ravel())
        outer = np.unique(found.edges[(found.sides < 0).any(axis=1)])
        assert (np.delete(meeting, outer) >= 4).all()
        assert (meeting[outer] >= 2).all()


def test_a_line_sees_the_regions_that_it_meets():
    for seed, net in enumerate(networks()):
        found = ap.trace(net, SQUARE)
        for line in two_dimensions.chords(0.7, 5, np.random.default_rng(seed)):
            assert ap.count_regions(net, line) == two_dimensions.met(found, net, line)


def test_a_line_that_comes_back_counts_twice():
    way = ap.Segment.between([-0.25, 0.75], [0.75, -0.5])
    assert ap.count_pieces(two_dimensions.corner(), way) == 4
    assert ap.count_regions(two_dimensions.corner(), way) == 4


def test_the_expected_length_is_that_of_squares_around_a_point():
    """The level c of |s| + |t| is 4 sqrt(2) c long for c < 1, on average over [0, 1] half of it."""
    h = ap.trace(PYRAMID, SQUARE)
    assert two_dimensions.expected_length(h, 1.0, -0.5) == pytest.approx(2 * np.sqrt(2), rel=1e-9)
    assert two_dimensions.length_at(h, -0.25) == pytest.approx(np.sqrt(2), rel=1e-9)
    assert two_dimensions.expected_length(h, 4.0, -1.0) == pytest.approx(np.sqrt(2), rel=1e-9)  # all of it


def test_the_expected_length_is_the_mean_of_lengths():
    for net in networks(4):
        scalar = ap.ReLUNetwork([*net.weights[:-1], net.weights[-1][:1]], [*net.biases[:-1], net.biases[-1][:1]])
        h = ap.trace(scalar, SQUARE)
        levels = (np.arange(2000) + 0.4999) / 2000 - 0.5
        mean = np.mean([two_dimensions.length_at(h, b) for b in levels])
        assert mean == pytest.approx(two_dimensions.expected_length(h, 1.0), rel=0.01, abs=1e-3)


def test_neighbours_in_general_position():
    for seed in range(8):
        net = two_dimensions.random_network(two_dimensions.SHAPES[seed % 4], seed)
        found, regions = ap.trace(net, SQUARE), ap.count_regions(net, SQUARE)
        inside, sides = two_dimensions.corners_of(found)
        assert 2 * regions == 2 + 2 * inside + sides
        assert found.mean_degree == 4 - Fraction(4 + sides, regions)


def test_neighbours_of_every_network():
    strict = 0
    for net in [*networks(20), two_dimensions.corner()]:
        found = ap.trace(net, SQUARE)
        inside, sides = two_dimensions.corners_of(found)
        assert 2 * found.regions >= 2 + 2 * inside + sides
        bound = 4 - Fraction(4 + sides, found.regions)
        assert found.mean_degree <= bound < 4
        strict += found.mean_degree < bound
    assert strict > 2


def test_one_layer_is_as_many_lines():
    assert (two_dimensions.beside_lines((1, 12), range(3))[:, -1] == 1).all()
    ratios = two_dimensions.beside_lines((2, 6), range(3), (0.5, 2.0))
    assert ratios.shape == (3, 2)
    assert (np.diff(ratios) >= 0).all()


def test_chords_are_as_long_as_the_square_and_within_reach():
    for line in two_dimensions.chords(2.0, 20, np.random.default_rng(0)):
        start, ahead = np.array(line.start), np.array(line.direction)
        assert line.b - line.a == 4
        assert abs(np.linalg.norm(ahead) - 1) < 1e-12
        assert abs(start @ ahead) < 1e-12
        assert np.linalg.norm(start) <= 2
    assert two_dimensions.line_and_plane((1, 8), 2.0, range(2)).shape == (2,)


def test_side_by_side_is_the_sum_and_counts_multiply():
    f, g = ap.constructions.sawtooth(3, 0.4), ap.constructions.sawtooth(3, 0.25)
    both, unit = two_dimensions.side_by_side(f, g), ap.Segment(0, 1)
    x = np.random.default_rng(0).random((20, 2))
    assert np.allclose(both(x), f(x[:, :1]) + g(x[:, 1:]))
    for count in (ap.count_regions, ap.count_pieces):
        assert count(both, two_dimensions.UNIT) == count(f, unit) * count(g, unit)


def test_descents_have_the_same_twins_on_the_same_data():
    found = two_dimensions.descents([3], 2.0**-4)
    assert {name: runs.shape for name, runs in found.items()} == dict.fromkeys(found, (1, 4))
    assert found["float64"][0, 0] == found["noise"][0, 0] == 47**2
    assert found["rounded start"][0, 0] == found["bfloat16"][0, 0] == 32**2
    assert found["float64"][0, -1] != found["noise"][0, -1]


@pytest.mark.parametrize("task", two_dimensions.TASKS)
def test_training_learns_and_is_that_of_its_seed(task):
    one, other = (two_dimensions.trained(task, 1, (6, 6), (0, 150)) for _ in range(2))
    assert one.losses[-1] < one.losses[0]
    assert all(np.array_equal(a, b) for a, b in zip(one.networks[-1].weights, other.networks[-1].weights, strict=True))


def test_planes_hold_three_held_out_images_of_the_digits():
    x, y = own_network.pictures()
    images, classes = x[own_network.TRAINED:].numpy().reshape(-1, 64), y[own_network.TRAINED:].numpy()
    for plane in (two_dimensions.plane_of([3, 8, 5]), two_dimensions.plane_of([3, 8, 5], 4)):
        points = plane.at([[0, 0], [1, 0], [0, 1]])
        found = [classes[np.flatnonzero((images == point).all(axis=1))[0]] for point in points]
        assert found == [3, 8, 5]
    assert two_dimensions.random_plane(1) != two_dimensions.random_plane(2)


def test_classifiers_before_and_after():
    before, after = two_dimensions.classifiers(1)
    x, y = own_network.pictures()
    held = x[own_network.TRAINED:].numpy().reshape(-1, 64).astype(float)
    right = [(np.argmax(net(held), axis=1) == y[own_network.TRAINED:].numpy()).mean() for net in (before, after)]
    assert right[0] < 0.4 < 0.8 < right[1]
    found = two_dimensions.before_and_after([1], [two_dimensions.random_plane(0)])
    assert {name: counts.shape for name, counts in found.items()} == {"triangle": (1, 1, 2), "plane": (1, 1, 2)}
    assert (found["triangle"] < found["plane"]).all()


@pytest.mark.parametrize("shape", two_dimensions.SHAPES)
def test_the_largest_square_is_the_whole_plane(shape):
    """On a square a thousand times as large there are no more regions."""
    net = two_dimensions.random_network(shape, 0)
    counts = [ap.count_regions(net, ap.Polygon.square(r)) for r in (two_dimensions.RADII[-1], 2.0**40)]
    assert counts[0] == counts[1]
