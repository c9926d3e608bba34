"""What the chapter "The crossing lemma" computes."""
from fractions import Fraction

import numpy as np
import pytest

import affinepieces as ap
from affinepieces.chapters import crossings
from affinepieces.constructions import gentle_sawtooth, sawtooth

UNIT = ap.Segment(0, 1)


def test_a_preactivation_is_what_the_neuron_reads():
    net, x = crossings.random_network(), np.linspace(-5, 5, 41)
    first = np.maximum(np.outer(x, net.weights[0][:, 0]) + net.biases[0], 0)
    second = first @ net.weights[1].T
    h = crossings.preactivation(net, 2, 7, ap.Segment(-5, 5))
    assert np.interp(x, h.breakpoints.astype(float), h.values[:, 0]) == pytest.approx(second[:, 6])


@pytest.mark.parametrize("values", [[0, 1], [0, 2, 1], [1, 1, 0, 0, 3], [0, 1, 0, 1, 0]])
def test_steps_of_the_histogram_have_the_area_of_the_variation(values):
    h = crossings.polygon(values)
    edges, counts = crossings.crossings_at_levels(h)
    assert np.sum(counts * np.diff(edges)) == h.total_variation[0]


def test_the_average_over_levels_is_the_expectation():
    for seed in range(20):
        h = crossings.random_polygon(np.random.default_rng(seed))
        low, high = sorted(np.random.default_rng([seed, 1]).uniform(h.values.min(), h.values.max(), 2))
        average = crossings.average_over_levels(h, low, high)
        assert average == pytest.approx(ap.expected_crossings(h, high - low, -(low + high) / 2))


def test_average_is_exact_in_fractions():
    h = ap.trace(sawtooth(3), UNIT, exact=True)
    assert crossings.average_over_levels(h, Fraction(-1, 3), Fraction(1, 3)) == 4


def test_deviations_tell_the_identity_from_the_bound():
    counts, expected, bound = crossings.drawn(ap.trace(sawtooth(4), UNIT), 1.0, seed=3)
    assert (expected, bound) == (8, 16)
    assert abs(crossings.in_standard_errors(counts, expected)) < 5
    assert crossings.in_standard_errors(counts, bound) < -100
    assert crossings.in_standard_errors(np.full(10, 3), 4.0) == -10


def test_the_twins_layer_by_layer():
    steep, gentle = (crossings.neuron_by_layer(net, 1, 2.0**-3, UNIT) for net in (sawtooth(6), gentle_sawtooth(6)))
    assert steep[1] == pytest.approx([2.0**j * 8 for j in range(6)])
    assert gentle[1] == pytest.approx([8] * 6)
    assert (gentle[0] <= gentle[1]).all()


def test_a_layer_adds_its_neurons():
    net = gentle_sawtooth(4, 0.4)
    each, bounds = crossings.layer_by_neuron(net, 3, 0.05, UNIT)
    new = crossings.regions_added(net, 3, 0.05, draws=400, seed=2, segment=UNIT)
    assert bounds == pytest.approx([20, 20])
    assert abs(crossings.in_standard_errors(new, each.sum())) < 5
