"""Theorem 3.4: no random configuration exceeds the bounds, and one family attains them."""
import numpy as np
import pytest

import affinepieces as ap
from affinepieces.theory.assumptions import max_slope, sign_changes, zero_update_crossings
from affinepieces.theory.one_step import (
    data_driven_bound,
    data_driven_terms,
    depth_budget_bound,
    expected_regions_bound,
    polynomial_bound,
)

UNIT, WIDE = ap.Segment(0, 1), ap.Segment(-2, 2)
CONFIGURATIONS, DRAWS = 170, 20
TOOTH = ap.constructions.sawtooth(2)


def perturbed(net, updates, delta, rng):
    """Hidden biases b + Delta_b (1 + Theta), Theta uniform on [-delta, delta]."""
    moved = [b + u * (1 + delta * rng.uniform(-1, 1, u.shape))
             for b, u in zip(net.biases[:-1], updates, strict=True)]
    return ap.ReLUNetwork(net.weights, [*moved, net.biases[-1]])


def configuration(seed):
    """Draws of a random network after a random step; about a third of the configurations have zero updates."""
    rng = np.random.default_rng([34, seed])
    hidden, width = int(rng.integers(2, 9)), int(np.exp(rng.uniform(np.log(2), np.log(33))))
    net = ap.constructions.he_random([1, *[width] * hidden, 1], rng, bias_std=rng.choice([0.1, 1.0]))
    delta, size = 10.0 ** rng.uniform(-6, 0), 10.0 ** rng.uniform(-3, 1)
    zeros = rng.choice([0.0, 0.0, 0.5])
    updates = [size * rng.standard_normal(width) * (rng.random(width) >= zeros) for _ in range(hidden)]
    return [perturbed(net, updates, delta, rng) for _ in range(DRAWS)], updates, delta


@pytest.fixture(scope="module")
def measured():
    """For each configuration: regions and terms of the draws, and the other bounds."""
    rows = []
    for seed in range(CONFIGURATIONS):
        nets, updates, delta = configuration(seed)
        regions = ap.count_many(nets, WIDE).regions
        terms = data_driven_terms(nets, WIDE, updates, delta)
        slope = max(max_slope(net, WIDE) for net in nets)
        still = sum(zero_update_crossings(net, WIDE, updates) for net in nets) == 0
        rows.append((nets, updates, delta, regions, terms, slope, still))
    return rows


def excess(regions, bound):
    """Mean of regions - bound over its standard error."""
    difference = regions - bound
    return difference.mean() / max(difference.std(ddof=1) / np.sqrt(len(regions)), 1e-9)


def test_measured_regions_are_below_the_data_driven_bound(measured):
    assert len(measured) >= 100
    for nets, updates, delta, regions, terms, *_ in measured:
        assert excess(regions, terms) <= 4
        assert data_driven_bound(nets, WIDE, updates, delta) == terms.mean()
    ratios = [terms.mean() / regions.mean() for *_, regions, terms, _, _ in measured]
    assert min(ratios) < 5  # some are not loose at all


def test_the_data_driven_bound_is_below_the_constants(measured):
    applicable = [row for row in measured if row[-1]]
    assert len(applicable) >= 100
    for _, updates, delta, _, terms, slope, _ in applicable:
        constants = expected_regions_bound(slope, WIDE.length, updates, delta)
        assert terms.mean() <= constants * (1 + 1e-9)
        p = np.mean([1 / abs(u) for u in np.concatenate(updates) if u != 0])
        assert constants <= polynomial_bound(slope, WIDE.length, len(updates), len(updates[0]), p, delta) * (1 + 1e-9)


def test_depth_budget_is_between(measured):
    for nets, updates, delta, regions, terms, _, _ in measured:
        budget = depth_budget_bound(nets, WIDE, updates, delta)
        assert excess(regions, budget) <= 4
        assert budget <= ap.combinatorial_bound(nets[0]) * (1 + 1e-12)
        assert budget <= terms.mean() * (1 + 1e-9)


@pytest.mark.parametrize("n", [1, 4, 7])
def test_teeth_as_high_as_the_noise_is_wide_attain_the_bound(n):
    below = ap.constructions.sawtooth(n)
    net = ap.ReLUNetwork([*below.weights, [[1.0]]], [*below.biases, [0.0]])
    updates = [*[np.zeros(2)] * n, np.array([-0.5])]
    rng = np.random.default_rng(n)
    nets = [perturbed(net, updates, 1.0, rng) for _ in range(20)]  # the last bias is uniform on [-1, 0]
    assert ap.count_many(nets, UNIT).regions.mean() == 2.0 ** (n + 1)
    assert data_driven_bound(nets, UNIT, updates, 1.0) == 2.0 ** (n + 1)
    assert depth_budget_bound(nets, UNIT, [np.full(2, 1e-9)] * n + updates[n:], 1.0) >= 2.0 ** (n + 1)


def test_the_constants_are_attained_by_one_neuron():
    net, updates = ap.ReLUNetwork([[[1.0]], [[1.0]]], [[0.0], [0.0]]), [np.array([-0.5])]
    draws = [perturbed(net, updates, 1.0, np.random.default_rng(seed)) for seed in range(5)]  # b uniform on [-1, 0]
    assert ap.count_many(draws, UNIT).regions.tolist() == [2] * 5
    assert expected_regions_bound(1.0, 1.0, updates, 1.0) == polynomial_bound(1.0, 1.0, 1, 1, 2.0, 1.0) == 2.0


def test_neurons_without_update_are_not_silent():
    """Half of a network is updated by nothing: the bound without their sign changes would be 1."""
    net = ap.constructions.he_random([1, *[3] * 8, 1], np.random.default_rng(1), bias_std=1.0)
    updates = [np.zeros(3)] * 8
    crossings = zero_update_crossings(net, WIDE, updates)
    assert crossings == sum(int(n.sum()) for n in sign_changes(net, WIDE)) > 0
    assert expected_regions_bound(1.0, 4.0, updates, 0.1) == 1.0
    assert 1 < ap.count_regions(net, WIDE) <= data_driven_bound([net], WIDE, updates, 0.1) == 1 + crossings
    assert data_driven_terms([net], WIDE, updates, 0.0).tolist() == [1 + crossings]
    assert ap.count_regions(net, WIDE) <= depth_budget_bound([net], WIDE, updates, 0.0) <= 1 + crossings


def test_without_perturbation_the_bounds_are_infinite():
    updates = [[0.1, 0.0], [0.0, 0.0]]
    assert expected_regions_bound(1.0, 1.0, updates, 0.0) == np.inf
    assert polynomial_bound(0.0, 1.0, 2, 2, 1.0, 0.0) == np.inf
    assert data_driven_bound([TOOTH], UNIT, updates, 0) == np.inf
    assert depth_budget_bound([TOOTH], UNIT, [[0.1, 0.1]] * 2, 0.0) == 9.0
    assert depth_budget_bound([TOOTH], UNIT, updates, 0.0) == 5.0  # 1 + (1 + 1) + (0 + 2), by sign changes
    assert expected_regions_bound(1.0, 1.0, [[0.0]], 0.0) == polynomial_bound(1.0, 1.0, 2, 2, 0.0, 0.0) == 1.0


def test_extremes_are_numbers():
    tiny = [[5e-324, 5e-324]] * 2
    assert data_driven_bound([TOOTH], UNIT, tiny, 1e-3) == np.inf
    assert depth_budget_bound([TOOTH], UNIT, tiny, 1e-3) == 9.0
    assert expected_regions_bound(1.0, 1.0, tiny, 1e-3) == np.inf
    assert expected_regions_bound(0.0, 1.0, tiny, 1e-3) == 1.0
    assert polynomial_bound(1.0, 1.0, 0, 1, 7.0, 0.0) == 1.0
    assert data_driven_bound([TOOTH], UNIT, [[1e300, 1e300]] * 2, 1e300) == 1.0
    affine = ap.ReLUNetwork([[[1.0]]], [[0.0]])
    assert data_driven_bound([affine], UNIT, [], 1.0) == depth_budget_bound([affine], UNIT, [], 1.0) == 1.0


@pytest.mark.parametrize("delta", [-0.1, np.nan, np.inf])
def test_delta_must_be_finite_and_not_negative(delta):
    updates = [[1.0, 1.0]] * 2
    for call in (lambda: expected_regions_bound(1, 1, updates, delta), lambda: polynomial_bound(1, 1, 2, 2, 1, delta),
                 lambda: data_driven_bound([TOOTH], UNIT, updates, delta),
                 lambda: depth_budget_bound([TOOTH], UNIT, updates, delta)):
        with pytest.raises(ValueError, match=f"delta is {delta}, expected a finite number >= 0"):
            call()


@pytest.mark.parametrize(("call", "message"), [
    (lambda: expected_regions_bound(np.nan, 1, [[1.0]], 1), "slope is nan, expected a number >= 0"),
    (lambda: polynomial_bound(1, 0, 1, 1, 1, 1), "length is 0, expected a finite number > 0"),
    (lambda: polynomial_bound(1, 1, 1, 0, 1, 1), "width is 0, expected a number >= 1"),
    (lambda: polynomial_bound(1, 1, 1, 1, -2, 1), "mean_reciprocal is -2"),
    (lambda: data_driven_bound([], UNIT, [[1.0]], 1), "no networks: give at least one draw"),
    (lambda: depth_budget_bound([TOOTH], UNIT, [[1.0, 1.0]], 1), "one array for each hidden layer"),
    (lambda: data_driven_bound([TOOTH, ap.constructions.sawtooth(3)], UNIT, [[1.0, 1.0]] * 2, 1), "expected")])
def test_bad_arguments(call, message):
    with pytest.raises(ValueError, match=message):
        call()
