"""What the certified subdivision of a polygon does where float64 is not enough, against rational arithmetic."""
from fractions import Fraction

import numpy as np
import pytest

import affinepieces as ap
from affinepieces.layers import Kind

SQUARE = ap.Polygon.square()


def assert_equal(net, polygon):
    """The graph and all decisions are those of rational arithmetic; returns the certified trace."""
    found, truth = ap.trace(net, polygon), ap.trace(net, polygon, exact=True)
    for name in ("patterns", "corners", "start", "edges", "sides", "cuts", "kinks", "piece_of"):
        assert np.array_equal(getattr(found, name), getattr(truth, name)), name
    return found


@pytest.mark.parametrize("seed", range(2))
def test_generic_networks_need_no_more_than_float64(seed):
    net = ap.constructions.he_random([2, 32, 32, 32, 1], np.random.default_rng(seed), bias_std=1.0)
    found = assert_equal(net, ap.Polygon.square(0.5))
    assert found.certificate.float64 > 0 == found.certificate.double_double == found.certificate.exact


@pytest.mark.parametrize("seed", range(3))
def test_deep_networks_need_more_words_and_nearly_nothing_exact(seed):
    net = ap.constructions.he_random([2] + [6] * 30 + [1], np.random.default_rng(seed), bias_std=0.1)
    certificate = assert_equal(net, SQUARE).certificate
    assert 100 * certificate.exact < certificate.double_double + certificate.words


def test_neurons_that_come_twice_are_looked_at_once():
    net = ap.constructions.he_random([2, 16, 16, 1], np.random.default_rng(0), bias_std=1.0)
    weights, biases = [a.copy() for a in net.weights], [b.copy() for b in net.biases]
    for a, b in zip(weights[:-1], biases[:-1], strict=True):
        a[8:], b[8:] = a[:8], b[:8]
    assert assert_equal(ap.ReLUNetwork(weights, biases), SQUARE).certificate.exact < 500


def test_all_lines_through_one_point_ask_for_that_point_only():
    net = ap.constructions.he_random([2, 24, 24, 24, 1], np.random.default_rng(0), bias_std=0.0)
    assert assert_equal(net, SQUARE).certificate.exact == 3 * 24


def test_what_a_layer_drops_is_not_zero():
    """A bias that is too small beside the weights of its row decides where nothing else is active."""
    net = ap.ReLUNetwork([[[1.0, 0.0]], [[2.0**1000]], [[1.0]]], [[-2.0], [2.0**-20], [0.0]])
    found = assert_equal(net, SQUARE)
    assert found.patterns.tolist() == [[False, True]]


def test_errors_too_small_to_be_squared():
    net = ap.ReLUNetwork([[[2.0**-700, 2.0**-710]], [[1.0]]], [[2.0**-720], [0.0]])
    assert assert_equal(net, SQUARE).regions == 2


def assert_encloses(net, polygon):
    """Decisions and enclosures of all numbers are those of rational arithmetic."""
    found, truth = assert_equal(net, polygon), ap.trace(net, polygon, exact=True)
    assert not np.isnan(found.value_radius).any()
    for floats, radius, exact in ((found.points, found.radius, truth.points),
                                  (found.values, found.value_radius, truth.values),
                                  (found.maps.reshape(found.regions, -1), found.map_radius,
                                   truth.maps.reshape(found.regions, -1))):
        for row, r, right in zip(floats.tolist(), radius.tolist(), exact.tolist(), strict=True):
            assert r == np.inf or all(abs(Fraction(v) - w) <= Fraction(r) for v, w in zip(row, right, strict=True))


def test_an_overflow_decides_nothing():
    """m s overflows, and all that is added to it is finite."""
    m, neurons = 1.79e308, 100
    first, second = np.zeros((3 + neurons, 3)), np.zeros((1, 3 + neurons))
    first[[0, 1, 2], [0, 1, 2]], first[3:, 1] = 1, -1
    second[0, :3], second[0, 3:] = [0.69, 1.01, 0.69], 0.0101
    kinds = [[Kind.CARRIED] * 3 + [Kind.NEURON] * neurons, [Kind.NEURON]]
    net = ap.Chain([first, second, [[1.0]]], [np.zeros(3 + neurons), [0.0], [0.0]], kinds)
    corners = [[m, -m], [m, -0.9 * m], [-m / 4, -0.9 * m], [-m / 4, -m]]
    assert_encloses(net, ap.Polygon(corners, ap.Plane([-m, 0, 0], [0, 1, 0], [0, 0, 1])))


def test_an_underflow_of_a_second_word_is_no_zero():
    least = 2.0**-1074
    net = ap.ReLUNetwork([[[0.1, -0.1, 0, 1.0]], [[1.0]]], [[0.0], [0.0]])
    plane = ap.Plane.through([1, 1, 0, 0], [least, 0, 0, 0], [1, 1, 1, 0])
    assert_encloses(net, ap.Polygon.square(2, plane))
    assert ap.count_pieces(net, ap.Segment.between([1, 1, 0, 0], [least, 0, 0, 0])) == 1


@pytest.mark.parametrize("size", [1.0, 1e-100])
def test_a_vertex_that_underflows_is_not_known(size):
    plane = ap.Plane([0, 0, 1e-200], [1e150, 0, 0], [0, 1e150, 0])
    net = ap.ReLUNetwork([[[1, 0, -1], [0, 1, -1], [-1, -1, 1.0]], [[1.0, 1, 1]]], [[0.0] * 3, [0.0]])
    assert_encloses(net, ap.Polygon.square(size, plane))


def test_a_row_without_a_known_error_says_nothing_of_the_others():
    plane = ap.Plane([0, 0, 0, 1e20, -0.1 * 2.0**-40, 0], [1.7e308] * 3 + [0, 0, 0], [0, 0, 0, 0, 1, 1])
    rows = [[1, 1, 1, 0, 0, 0], [0, 0, 0, 0, 1, -1 + 2.0**-40], [1, -1, 2.0**-950, 1, 0, 0]]
    assert_encloses(ap.ReLUNetwork([rows, [[1.0, 1, 1]]], [[0.0] * 3, [0.0]]), ap.Polygon.square(1, plane))


def test_nothing_known_times_zero_is_not_zero():
    net = ap.ReLUNetwork([[[1.0, 0.3], [0.1, 0.7]], [[1.0, 0.1]]], [[0, 0.0], [0.1]])
    assert_encloses(net, ap.Polygon([[0, 0], [1, 0], [0, 1]], ap.Plane([0.1, 0.2], [1e160, 3e159], [0.3, 1 / 3])))


@pytest.mark.parametrize("first", range(0, 40, 8))
def test_numbers_of_all_sizes(first):
    """Each entry of the plane and of the first layer has a size of its own, from 1e-200 to 1e200."""
    for seed in range(first, first + 8):
        rng = np.random.default_rng([15, seed])

        def mixed(*shape, rng=rng):
            return rng.normal(size=shape) * 10.0 ** rng.uniform(-200, 200, shape)

        net = ap.ReLUNetwork([mixed(4, 3), rng.normal(size=(3, 4)), rng.normal(size=(1, 3))],
                             [mixed(4), rng.normal(size=3), rng.normal(size=1)])
        assert_encloses(net, ap.Polygon.square(float(10.0 ** rng.uniform(-50, 50)), ap.Plane(*mixed(3, 3))))
