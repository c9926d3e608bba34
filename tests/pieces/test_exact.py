"""Exact counts against the definitions, an independent oracle, and known functions."""
import itertools
from fractions import Fraction

import numpy as np
import pytest

import affinepieces as ap
from affinepieces.pieces.exact import patterns_exact, trace_exact
from families import FAMILIES, network, segment
from oracle import walk

UNIT = ap.Segment(0, 1)


@pytest.mark.parametrize("n", range(1, 13))
def test_sawtooth_has_two_to_the_n_pieces(n):
    net = ap.constructions.sawtooth(n)
    assert ap.count_pieces(net, UNIT) == ap.count_regions(net, UNIT) == 2**n


@pytest.mark.parametrize("n", range(1, 13))
def test_square_has_two_to_the_n_pieces_and_the_exact_error(n):
    function = ap.trace(ap.constructions.square(n), UNIT, exact=True)
    assert function.pieces == 2**n
    assert ap.sup_error_to_square(function) == Fraction(1, 4 ** (n + 1))


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_equal_to_the_oracle(family, dtype):
    for seed in range(12):
        dim = 1 + seed % 2
        net, line = network(family, seed, dtype, 1 if family == "peaks" else dim), None
        line = segment(net.widths[0], seed)
        boundaries, regions, pieces = walk(net, line)
        function = trace_exact(net, line)
        assert (function.regions, function.pieces) == (regions, pieces)
        assert (ap.count_regions(net, line), ap.count_pieces(net, line)) == (regions, pieces)
        assert function.breakpoints[1:-1].tolist() == boundaries


@pytest.mark.parametrize("n", range(1, 7))
def test_three_neurons_a_layer_attain_the_combinatorial_bound(n):
    """The composition of a zigzag of slopes 1, -1, 1, -2, whose breakpoints each of its four pieces passes."""
    zigzag = 3.5 * np.array([-2.0, 2.0, -3.0])  # times relu(t - 1), relu(2 - t) and relu(3 - t), plus 5: [0, 1] to 3.5
    ways, bias = np.array([1.0, -1.0, -1.0]), np.array([-1.0, 2.0, 3.0])
    net = ap.ReLUNetwork([3.5 * ways[:, None], *[np.outer(ways, zigzag)] * (n - 1), zigzag[None] / 3.5],
                         [bias, *[17.5 * ways + bias] * (n - 1), [5.0]])
    assert ap.count_regions(net, UNIT) == ap.combinatorial_bound(net) == 4**n


def test_regions_and_pieces_differ_where_the_output_does_not_see_a_boundary():
    blind = ap.ReLUNetwork([[[1.0], [1.0]], [[1.0, -1.0]]], [[0.0, 0.0], [0.0]])
    assert (ap.count_regions(blind, ap.Segment(-1, 1)), ap.count_pieces(blind, ap.Segment(-1, 1))) == (2, 1)


def test_touching_zero_is_no_boundary_and_zero_everywhere_is_inactive():
    # relu(x) + relu(-x) touches zero at 0; the second layer sees |x| and 0
    net = ap.ReLUNetwork([[[1.0], [-1.0]], [[1.0, 1.0], [0.0, 0.0]], [[1.0, 1.0]]], [[0, 0], [0, 0], [0]])
    line = ap.Segment(-1, 1)
    assert ap.count_regions(net, line) == 2
    assert patterns_exact(net, line).tolist() == [[False, True, True, False], [True, False, True, False]]


def test_two_thin_pieces_below_the_resolution_of_floats_are_counted():
    # zeros at 1/3 of two neurons whose slopes are 3 and 3(1 + 2^-52): they differ by far less than an ulp
    net = ap.ReLUNetwork([[[3.0], [np.nextafter(3.0, 4.0)]], [[1.0, 1.0]]], [[-1.0, -1.0], [0.0]])
    assert ap.count_pieces(net, UNIT) == 3
    assert len(set(ap.trace(net, UNIT).breakpoints.tolist())) <= 4


def test_output_kinks_are_counted_for_all_coordinates_at_once():
    net = ap.ReLUNetwork([[[1.0], [1.0]], [[1.0, 0.0], [0.0, 1.0]]], [[0.0, -0.5], [0.0, 0.0]])
    assert ap.count_pieces(net, ap.Segment(-1, 1)) == 3


def test_a_network_without_hidden_layer_is_one_piece():
    net = ap.ReLUNetwork([[[2.0]]], [[1.0]])
    assert (ap.count_regions(net, UNIT), ap.count_pieces(net, UNIT)) == (1, 1)


@pytest.mark.parametrize("family", FAMILIES)
def test_patterns_are_those_of_the_forward_pass(family):
    for seed in range(5):
        net, line = network(family, seed), ap.Segment(-3, 3)
        patterns = patterns_exact(net, line)
        assert len(patterns) == ap.count_regions(net, line)
        assert all((p != q).any() for p, q in itertools.pairwise(patterns))


def test_trace_agrees_with_the_forward_pass():
    net = network("generic", 3)
    function = ap.trace(net, ap.Segment(-3, 3))
    t = np.linspace(-3, 3, 101)
    assert np.allclose(function(t), net(t[:, None]))
    assert np.allclose(function.values, net(function.breakpoints[:, None]))
