"""What the chapter "One step" computes."""
import numpy as np
import pytest

import affinepieces as ap
from affinepieces.chapters import one_step
from affinepieces.constructions import gentle_sawtooth, sawtooth

UNIT = ap.Segment(0, 1)


def test_noisy_biases_are_uniform_around_the_biases():
    net, width = gentle_sawtooth(4, 0.4), 2.0**-3
    drawn = np.array([np.concatenate(n.biases[:-1]) for n in one_step.noisy_biases(net, width, 400)])
    gap = drawn - np.concatenate(net.biases[:-1])
    assert np.abs(gap).max() <= width / 2 * (1 + 1e-12)
    assert np.abs(gap.mean(axis=0)).max() < 5 * width / np.sqrt(12 * 400)
    assert all(np.array_equal(a, b) for n in one_step.noisy_biases(net, width, 2)
               for a, b in zip(n.weights, net.weights, strict=True))


def test_layers_add_what_doubling_and_the_lemma_allow():
    doubling, allowed, added = one_step.added_by_layer(sawtooth(5), 2.0**-20, 5, UNIT)
    assert (2.0 ** np.arange(5) <= added).all()  # hardly any noise: one of the two neurons cuts every tooth
    assert (added <= doubling).all()  # the other one touches the valleys, and cuts some of them
    assert doubling == pytest.approx(2 * (1 + np.concatenate([[0], np.cumsum(added)[:-1]])))
    assert allowed == pytest.approx([2 * 2**j * 2.0**20 for j in range(5)], rel=1e-4)


def test_regions_and_bounds_are_in_order():
    net, update = one_step.random_problem(2, 4, 3)
    regions, bounds = one_step.regions_and_bounds(net, update, [1.0, 100.0], 10, one_step.WIDE)
    assert regions.shape == (2, 10)
    assert all((bounds["data-driven"] <= bounds["Theorem 3.4"]).tolist())
    assert bounds["Theorem 3.4"][1] < bounds["Theorem 3.4"][0]


def test_the_theorem_is_applied_where_it_applies():
    rows = [one_step.steps_of_the_proof(seed, draws=3) for seed in range(12)]
    for seed, row in enumerate(rows):
        net, update = one_step.random_problem(4, 8, seed)
        nets = one_step.after_step(net, update, 1.0, 3)
        still = not any(ap.zero_update_crossings(n, one_step.WIDE, update.biases[:-1]) for n in nets)
        assert (row is not None) == still
    kept = one_step.ladder_of_the_proof(range(12), keep=2)
    assert all(len(values) == min(2, sum(row is not None for row in rows)) for values in kept.values())


def test_checked_is_a_comparison_with_the_bound():
    for seed in (0, 1, 7):
        found = one_step.checked(seed, draws=10)
        assert found["excess"] <= 4
        assert found["ratio"] > 0.9
        assert np.isnan(found["constants"]) or found["constants"] <= 1 + 1e-9
