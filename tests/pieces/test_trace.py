"""The numbers of a trace: bounds that hold and are sharp; the function as a value."""
from fractions import Fraction

import matplotlib.pyplot as plt
import numpy as np
import pytest

import affinepieces as ap
from affinepieces.pieces import prepared
from pieces.test_certified import assert_certified

UNIT = ap.Segment(0, 1)


def far(at, weights):
    w = np.asarray(weights)
    return ap.ReLUNetwork([w[:, None], np.ones((1, len(w)))], [-w * at, [0.0]]), ap.Segment(at, at + 8)


@pytest.mark.parametrize("at", [1e3, 1e9, 1e15])
def test_far_from_the_origin_the_numbers_are_as_good_as_near(at):
    """Kinks within a unit of a float that is 10^15: the input is exact, so the trace must not lose it."""
    net, line = far(at, [0.7, 0.3, -0.9, 0.1, 0.2, 0.6, -0.3, 0.8, 1.1])
    function, truth = ap.trace(net, line), ap.trace(net, line, exact=True)
    assert_certified(net, line)
    scale = float(np.abs(truth.values).max())
    assert function.value_radius.max() < 1e-13 * scale
    assert function.slope_radius.max() < 1e-13 * float(np.abs(truth.slopes).max())


def test_breakpoints_may_be_equal_floats():
    """Two kinks less than a spacing of float64 apart: two regions more, in order, and the floats do not decrease."""
    net = ap.ReLUNetwork([[[1.0], [1.0]], [[1.0, 1.0]]], [[-1.0, -1.0], [0.0]])
    near = ap.ReLUNetwork([[[1.0], [3.0]], [[1.0, 1.0]]], [[-1 / 3, -1.0], [0.0]])
    assert ap.count_regions(net, UNIT) == 1
    function = ap.trace(near, UNIT)
    assert function.regions == 3
    assert np.all(np.diff(function.breakpoints) >= 0)
    assert function.slopes[-1, 0] == 4


@pytest.mark.parametrize(("widths", "std", "relative"), [([64] * 3, 1.0, 1e-8), ([64] * 8, 1.0, 1e-6),
                                                         ([256] * 3, 1.0, 1e-8), ([8] * 6, 0.5, 1e-13)])
def test_bounds_are_sharp_where_counts_are_cheap(widths, std, relative):
    net = ap.constructions.he_random([1, *widths, 1], np.random.default_rng(0), bias_std=std)
    function = ap.trace(net, ap.Segment(-3, 3))
    assert function.value_radius.max() <= relative * np.abs(function.values).max()
    assert function.slope_radius.max() <= relative * np.abs(function.slopes).max()


def test_thin_pieces_have_slopes_too():
    """Slopes come from the paths through the network, not from differences over an interval of length 1e-12."""
    kinks = 0.5 + np.array([0, 1e-12, 1e-9])
    net = ap.ReLUNetwork([np.ones((3, 1)), [[1.0, -3.0, 0.7]]], [-kinks, [0.0]])
    function = ap.trace(net, UNIT)
    assert np.allclose(function.slopes.ravel(), [0, 1, -2, -1.3], rtol=1e-14)
    assert function.slope_radius.max() < 1e-13


@pytest.mark.parametrize("depth", [40, 60, 90])
def test_deep_networks_need_words_and_not_rational_arithmetic(depth):
    net = ap.constructions.he_random([1] + [12] * depth + [1], np.random.default_rng(depth), bias_std=0.1)
    line = ap.Segment(-1, 1)
    certificate = ap.trace(net, line).certificate
    assert certificate.exact == 0
    assert_certified(net, line)


def test_a_weight_out_of_all_proportion_changes_nothing():
    net = ap.constructions.he_random([1, 40, 40, 40, 1], np.random.default_rng(0), bias_std=1.0)
    w = [a.copy() for a in net.weights]
    w[1][3, 4] = 1e-295
    tiny = ap.ReLUNetwork(w, net.biases)
    assert_certified(tiny, ap.Segment(-3, 3))
    assert ap.trace(tiny, ap.Segment(-3, 3)).certificate.exact == 0


@pytest.mark.parametrize("peak", [1 / 3, 0.2, 0.1, 0.4])
@pytest.mark.parametrize("n", [6, 9])
def test_degenerate_chains_need_no_rational_arithmetic(peak, n):
    net = ap.constructions.sawtooth(n, peak)
    assert ap.trace(net, UNIT).certificate.exact == 0
    assert_certified(net, UNIT)


def test_notes_say_why_a_level_was_left():
    net = ap.constructions.he_random([1] + [40] * 45 + [1], np.random.default_rng(0), bias_std=0.1)
    notes = dict(ap.trace(net, ap.Segment(-1, 1)).certificate.notes)
    assert any("float64 left in layer" in note and "errors as large as the values" in note for note in notes)


def test_a_network_is_prepared_once():
    net, lines = ap.constructions.sawtooth(3), [UNIT, ap.Segment(0, 0.3)]
    prepared._prepared.clear()
    ap.count_many(net, lines)
    first = prepared.prepare(net)
    ap.count_pieces(net, UNIT)
    assert prepared.prepare(net) is first
    for n in range(2, 2 + prepared.KEPT):
        prepared.prepare(ap.constructions.sawtooth(n))
    assert len(prepared._prepared) <= prepared.KEPT


def test_call_with_a_number_and_with_many():
    function = ap.trace(ap.constructions.sawtooth(2), UNIT)
    assert function(0.125).tolist() == [0.5]
    assert function([0.125, 0.25]).tolist() == [[0.5], [1.0]]
    exact = ap.trace(ap.constructions.sawtooth(2), UNIT, exact=True)
    assert exact(np.array([Fraction(1, 12)], dtype=object)).tolist() == [[Fraction(1, 3)]]
    with pytest.raises(ValueError, match="outside of"):
        function(1.5)
    with pytest.raises(TypeError, match="t is 'a', expected a number"):
        function("a")


def test_plot_draws_the_pieces():
    function = ap.trace(ap.constructions.sawtooth(3), UNIT)
    axes = function.plot()
    line, = axes.get_lines()
    assert np.array_equal(line.get_ydata(), function.values[:, 0])
    assert line.get_markevery() == list(range(9))
    assert "8 pieces" in axes.get_xlabel()
    assert ap.trace(ap.constructions.sawtooth(3), UNIT).plot(axes) is axes
    plt.close("all")


@pytest.mark.parametrize(("arguments", "message"), [
    (([0.0, 1.0], [[0.0], [1.0]], []), "kinks"),
    (([1.0, 0.0], [[0.0], [1.0]], np.zeros(0, bool)), "breakpoints decrease"),
    (([0.0, 1.0], [0.0, 1.0], np.zeros(0, bool)), r"expected \(r \+ 1,\), \(r \+ 1, m\) and booleans"),
    (([0.0, 1.0], [[0.0], [1.0]], np.zeros(0, bool), [[1.0], [1.0]]), "slopes have shape"),
])
def test_arrays_that_do_not_fit(arguments, message):
    with pytest.raises(ValueError, match=message):
        ap.PiecewiseAffine(*arguments)
