"""What the certified subdivision of a polygon does where float64 is not enough, against rational arithmetic."""
import numpy as np
import pytest

import affinepieces as ap

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
