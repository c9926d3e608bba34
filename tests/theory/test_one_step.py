"""Theorem 3.4: no random configuration exceeds the bounds, and some families attain them."""
import numpy as np
import pytest

import affinepieces as ap
from affinepieces.theory.assumptions import max_slope, sign_changes, zero_update_crossings
from affinepieces.theory.one_step import (
    data_driven_bound,
    data_driven_terms,
    depth_budget_bound,
    doublings_bound,
    expected_regions_bound,
    polynomial_bound,
)
from theory.steps import UNIT, WIDE, attained, carriers, excess, folds, perturbed

CONFIGURATIONS, DRAWS = 170, 20
TOOTH = ap.constructions.sawtooth(2)


def configuration(seed):
    """Draws of a random network after a random step, ten more, and the step.

    About a third of the configurations have zero updates.
    """
    rng = np.random.default_rng([34, seed])
    hidden, width = int(rng.integers(2, 9)), int(np.exp(rng.uniform(np.log(2), np.log(33))))
    net = ap.constructions.he_random([1, *[width] * hidden, 1], rng, bias_std=rng.choice([0.1, 1.0]))
    delta, size = 10.0 ** rng.uniform(-6, 0), 10.0 ** rng.uniform(-3, 1)
    zeros = rng.choice([0.0, 0.0, 0.5])
    updates = [size * rng.standard_normal(width) * (rng.random(width) >= zeros) for _ in range(hidden)]
    draws = [perturbed(net, updates, delta, rng) for _ in range(DRAWS + 10)]
    return draws[:DRAWS], draws[DRAWS:], updates, delta


@pytest.fixture(scope="module")
def measured():
    """For each configuration: regions and terms of the draws, and the other bounds."""
    rows = []
    for seed in range(CONFIGURATIONS):
        nets, others, updates, delta = configuration(seed)
        regions = ap.count_many(nets, WIDE).regions
        terms = data_driven_terms(nets, WIDE, updates, delta)
        slope = max(max_slope(net, WIDE) for net in nets)
        still = sum(zero_update_crossings(net, WIDE, updates) for net in nets) == 0
        rows.append((nets, others, updates, delta, regions, terms, slope, still))
    return rows


def test_measured_regions_are_below_the_data_driven_bound(measured):
    assert len(measured) >= 100
    for nets, _, updates, delta, regions, terms, *_ in measured:
        assert excess(regions, terms) <= 4
        assert data_driven_bound(nets, WIDE, updates, delta) == terms.mean()
    ratios = [terms.mean() / regions.mean() for *_, regions, terms, _, _ in measured]
    assert min(ratios) < 5  # some are not loose at all


def test_the_data_driven_bound_is_below_the_constants(measured):
    applicable = [row for row in measured if row[-1]]
    assert len(applicable) >= 100
    for _, _, updates, delta, _, terms, slope, _ in applicable:
        constants = expected_regions_bound(slope, WIDE.length, updates, delta)
        assert terms.mean() <= constants * (1 + 1e-9)
        p = np.mean([1 / abs(u) for u in np.concatenate(updates) if u != 0])
        assert constants <= polynomial_bound(slope, WIDE.length, len(updates), len(updates[0]), p, delta) * (1 + 1e-9)


def test_depth_budget_is_between(measured):
    """Regions and budget from different draws: the budget of few draws is too small on average."""
    for nets, others, updates, delta, regions, *_ in measured:
        budget = depth_budget_bound(others, WIDE, updates, delta)
        assert excess(regions, budget) <= 4
        assert budget <= ap.combinatorial_bound(nets[0]) * (1 + 1e-12)


def test_both_entries_of_the_minimum_are_attained():
    """Folds with little noise double in every layer, as r_{j-1} says; carriers add one region a neuron, as V / l."""
    for n in (2, 3, 6):
        net, updates = folds(n, 1)
        even = [b + u for b, u in zip(net.biases[:n], updates, strict=False)]
        teeth = ap.ReLUNetwork([*net.weights[:n], [[1.0, -2.0]]], [*even, [0.0]])
        updates = [np.array([0.0, 2.0**-40])] * n
        nets = [perturbed(teeth, updates, 1.0, np.random.default_rng(s)) for s in range(5)]
        assert set(ap.count_many(nets, UNIT).regions) == {2**n}
        assert attained(depth_budget_bound(nets, UNIT, updates, 1.0), 2**n)
        net, updates = carriers(n, 4)
        nets = [perturbed(net, updates, 1.0, np.random.default_rng(s)) for s in range(5)]
        assert set(ap.count_many(nets, UNIT).regions) == {1 + 3 * n}
        assert attained(depth_budget_bound(nets, UNIT, updates, 1.0), 1 + 3 * n)


@pytest.mark.parametrize("n", [1, 4, 7])
def test_teeth_as_high_as_the_noise_is_wide_attain_the_bound(n):
    below = ap.constructions.sawtooth(n)
    net = ap.ReLUNetwork([*below.weights, [[1.0]]], [*below.biases, [0.0]])
    updates = [*[np.zeros(2)] * n, np.array([-0.5])]
    rng = np.random.default_rng(n)
    nets = [perturbed(net, updates, 1.0, rng) for _ in range(20)]  # the last bias is uniform on [-1, 0]
    assert set(ap.count_many(nets, UNIT).regions) == {2 ** (n + 1)}
    assert attained(data_driven_bound(nets, UNIT, updates, 1.0), 2.0 ** (n + 1))
    assert depth_budget_bound(nets, UNIT, [np.full(2, 1e-9)] * n + updates[n:], 1.0) >= 2.0 ** (n + 1)


@pytest.mark.parametrize(("hidden", "width"), [(1, 2), (3, 5), (8, 8)])
def test_the_constants_are_attained_for_every_depth_and_width(hidden, width):
    net, updates = carriers(hidden, width)
    draws = [perturbed(net, updates, 1.0, np.random.default_rng(seed)) for seed in range(5)]
    assert all(max_slope(drawn, UNIT) == 1 for drawn in draws)
    assert not any(zero_update_crossings(drawn, UNIT, updates) for drawn in draws)
    bound = expected_regions_bound(1.0, 1.0, updates, 1.0)
    assert set(ap.count_many(draws, UNIT).regions) == {bound} == {1 + hidden * (width - 1)}
    assert polynomial_bound(1.0, 1.0, hidden, width, 2.0, 1.0) == 1 + hidden * width
    assert attained(data_driven_bound(draws, UNIT, updates, 1.0), bound)


def test_the_constants_are_attained_by_one_neuron():
    net, updates = ap.ReLUNetwork([[[1.0]], [[1.0]]], [[0.0], [0.0]]), [np.array([-0.5])]
    draws = [perturbed(net, updates, 1.0, np.random.default_rng(seed)) for seed in range(5)]  # b uniform on [-1, 0]
    assert ap.count_many(draws, UNIT).regions.tolist() == [2] * 5
    assert expected_regions_bound(1.0, 1.0, updates, 1.0) == polynomial_bound(1.0, 1.0, 1, 1, 2.0, 1.0) == 2.0


@pytest.mark.parametrize(("n", "layers"), [(2, 2), (2, 40), (3, 12), (4, 4)])
def test_the_square_of_the_width_is_attained(n, layers):
    """E pieces >= K N (N - 2) / 2 and both assumptions hold with C = 1 and p <= 4 N: the bound up to a constant."""
    (net, updates), width = folds(n, layers), 2**n
    draws = [perturbed(net, updates, 1.0, np.random.default_rng([n, seed])) for seed in range(30)]
    assert net.layers - 1 == n + layers
    assert max(net.widths[1:-1]) == width
    assert max(max_slope(drawn, UNIT) for drawn in draws) == 1
    assert not any(zero_update_crossings(drawn, UNIT, updates) for drawn in draws)
    p = ap.mean_reciprocal(updates)
    assert width <= p <= 4 * width
    pieces, least = ap.count_many(draws, UNIT).pieces, layers * width * (width - 2) / 2
    assert excess(pieces, least) >= -4
    assert expected_regions_bound(1, 1, updates, 1) == pytest.approx(1 + least + 2 * n * width)
    assert excess(pieces, expected_regions_bound(1, 1, updates, 1)) <= 4
    assert polynomial_bound(1, 1, n + layers, width, p, 1) <= 1 + 2 * (n + layers) * width**2


@pytest.mark.parametrize("n", [2, 3, 4])
def test_the_bound_with_the_square_is_larger_by_a_factor_that_tends_to_one_of_the_width(n):
    """Over 1 + K N (N - 2) / 2 it tends to N / (N - 2) for K -> infinity, like 1 / K."""
    width, gaps = 2**n, []
    for layers in (100, 1000):
        p = ap.mean_reciprocal(folds(n, layers)[1])
        bound = polynomial_bound(1, 1, n + layers, width, p, 1)
        gaps.append(bound / (1 + layers * width * (width - 2) / 2) * (width - 2) / width - 1)
    assert 0 < gaps[1] == pytest.approx(gaps[0] / 10, rel=0.1)


def test_layers_that_double_attain_the_bound():
    """Layer i has N readers of t whose noise is N / 2^(i-1) long and covers [0, 1]: it adds 2^(i-1) regions."""
    for doublings, width in ((1, 1), (3, 4), (4, 8)):
        lengths = [width / 2**i for i in range(doublings)]
        net, updates = carriers(doublings, width + 1)
        updates = [length * u for length, u in zip(lengths, updates, strict=True)]
        nets = [perturbed(net, updates, 1.0, np.random.default_rng([width, seed])) for seed in range(150)]
        for j in range(1, doublings + 1):
            part = [ap.ReLUNetwork([*n.weights[:j], n.weights[-1]], [*n.biases[:j], [0.0]]) for n in nets]
            assert abs(excess(ap.count_many(part, UNIT).regions, 2**j)) <= 4
            assert attained(data_driven_bound(part[:3], UNIT, updates[:j], 1.0), 2**j)
        assert doublings_bound(1.0, 1.0, width, min(lengths)) == doublings


@pytest.mark.parametrize("bits", [3, 6, 9])
def test_the_gentle_sawtooth_doubles_nearly_as_often_as_it_may(bits):
    """Measured on the mean of the same draws, layer after layer; at most two layers are missing."""
    n, noise = bits + 5, 2.0**-bits
    net = ap.constructions.rescale(ap.constructions.sawtooth(n), [2.0**-j for j in range(n)])
    nets = [ap.constructions.perturb_biases(net, noise, np.random.default_rng(seed)) for seed in range(40)]
    regions = [np.mean(ap.count_many([ap.ReLUNetwork([*m.weights[:j], m.weights[-1]], [*m.biases[:j], [0.0]])
                                      for m in nets], UNIT).regions) for j in range(1, n + 1)]
    doubled = next(j for j, (a, b) in enumerate(zip([1.0, *regions], regions, strict=False)) if b < 2 * a)
    slope = np.mean([max_slope(m, UNIT) for m in nets])
    assert 1 <= doubled <= doublings_bound(slope, 1.0, 2, noise)


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
    assert doublings_bound(1.0, 1.0, 3, 4.0) == doublings_bound(1.0, 1.0, 0, 1.0) == 0.0  # less than one region
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
    (lambda: polynomial_bound(1, 1, 1, 0, 1, 1), "width is 0, expected an integer >= 1"),
    (lambda: polynomial_bound(1, 1, 1, 1, -2, 1), "mean_reciprocal is -2"),
    (lambda: doublings_bound(-1, 1, 1, 1), "slope is -1, expected a finite number >= 0"),
    (lambda: doublings_bound(1, 1, np.inf, 1), "moving is inf, expected a finite number >= 0"),
    (lambda: doublings_bound(1, 0, 1, 1), "length is 0, expected a finite number > 0"),
    (lambda: doublings_bound(1, 1, 1, 0), "noise is 0, expected a finite number > 0"),
    (lambda: data_driven_bound([], UNIT, [[1.0]], 1), "nets is empty, expected at least one network"),
    (lambda: depth_budget_bound([TOOTH], UNIT, [[1.0, 1.0]], 1), "one array for each hidden layer"),
    (lambda: data_driven_bound([TOOTH, ap.constructions.sawtooth(3)], UNIT, [[1.0, 1.0]] * 2, 1), "expected")])
def test_bad_arguments(call, message):
    with pytest.raises(ValueError, match=message):
        call()
