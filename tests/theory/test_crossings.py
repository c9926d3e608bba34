"""Lemma 3.1: the identity against random draws and against rational arithmetic, the count against brute force."""
from fractions import Fraction
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

import affinepieces as ap
from affinepieces.theory.crossings import (
    count_crossings,
    crossings_bound,
    crossings_bound_density,
    expected_crossings,
    expected_crossings_of,
)


def function(values, dtype=np.float64):
    """The function with these values at 0, 1, 2, ..."""
    y = np.array([*values, None], dtype=object)[:-1].astype(dtype)[:, None]
    return ap.PiecewiseAffine(np.arange(len(y)).astype(dtype), y, np.ones(len(y) - 2, np.bool_))


def random_function(seed):
    """Steep and flat pieces, a constant function among them."""
    rng = np.random.default_rng(seed)
    steps = rng.standard_normal(int(rng.integers(1, 60))) * 10.0 ** rng.integers(-2, 1)
    steps[rng.random(len(steps)) < 0.2] = 0.0
    return function(np.cumsum([rng.standard_normal(), *steps]))


def brute_force(values, level):
    """Connected components of the set where the function is -level, from the zeros of each piece."""
    parts = []
    for i, (u, v) in enumerate(pairwise(Fraction(y) + Fraction(level) for y in values)):
        if u == v == 0:
            parts.append((Fraction(i), Fraction(i + 1)))
        elif u * v <= 0:
            parts.append((i + u / (u - v),) * 2)
    return sum(1 for k, part in enumerate(parts) if k == 0 or parts[k - 1][1] < part[0])


def overlap(values, width, centre):
    """Sum over the pieces of the length of -h(piece) intersected with I, over the length of I."""
    width, centre = Fraction(width), Fraction(centre)
    total = Fraction(0)
    for u, v in pairwise(-Fraction(y) for y in values):
        total += max(Fraction(0), min(max(u, v), centre + width / 2) - max(min(u, v), centre - width / 2))
    return total / width


@pytest.mark.parametrize("seed", range(50))
def test_the_mean_of_random_draws_is_the_identity(seed):
    h, rng = random_function(seed), np.random.default_rng([1, seed])
    width, centre = float(np.exp(rng.uniform(-3, 1))), float(-rng.choice(h.values[:, 0]) + 0.3 * rng.standard_normal())
    for draws, expected in ((rng.uniform(-width / 2, width / 2, 10**5) + centre, expected_crossings(h, width, centre)),
                            (rng.logistic(size=10**5), expected_crossings_of(h, lambda b: 1 / (1 + np.exp(-b))))):
        counts = count_crossings(h, draws)
        assert abs(counts.mean() - expected) <= 4 * counts.std() / np.sqrt(len(counts)) + 1e-4
    assert expected_crossings(h, width, centre) <= crossings_bound(h, width) * (1 + 1e-12)
    assert expected_crossings_of(h, lambda b: 1 / (1 + np.exp(-b))) <= crossings_bound_density(h, 0.25) * (1 + 1e-12)


NUMBERS = st.one_of(st.integers(-3, 3), st.floats(-4, 4))
VALUES = st.lists(NUMBERS, min_size=2, max_size=12)


@given(VALUES, st.floats(1e-3, 10), st.floats(-4, 4))
def test_identity_is_exact_in_fractions(values, width, centre):
    truth = overlap(values, width, centre)
    exact = expected_crossings(function(map(Fraction, values), object), width, centre)
    assert isinstance(exact, Fraction)
    assert exact == truth
    rounded = expected_crossings(function(values), width, centre)
    assert abs(Fraction(rounded) - truth) <= Fraction(len(values) * 2**-50)


@pytest.mark.parametrize("width", [1e-300, 1e-20, 2.0**-52, 1e-3])
def test_noise_far_narrower_than_the_biases(width):
    values = [-2.0, 0.0, -1.0, np.nextafter(-1, 0), -3.0, -1.0 - width]
    assert expected_crossings(function(values), width, 1.0) == pytest.approx(float(overlap(values, width, 1.0)))


@given(VALUES, NUMBERS)
@example([0, 1, 0], -1)  # a peak at the level
@example([0, 1, 1, 0], -1)  # a plateau at the level
@example([1, 1], -1)  # nothing but a plateau
@example([0, 1], 0)  # at an end
@example([0, 1, 2], -1)  # passing through a breakpoint
def test_count_is_that_of_brute_force(values, level):
    levels = [level, *(-y for y in values)]
    levels += [float(np.nextafter(b, side)) for b in levels for side in (-9, 9)]
    truth = [brute_force(values, b) for b in levels]
    assert count_crossings(function(values), np.array(levels, dtype=float)).tolist() == truth
    assert count_crossings(function(values), list(map(Fraction, levels))).tolist() == truth
    assert count_crossings(function(map(Fraction, values), object), np.array(levels, dtype=float)).tolist() == truth


def exact(values):
    return function(map(Fraction, values), object)


@given(VALUES, st.fractions(0, 3), st.fractions(0, 3), st.sampled_from([0, 0, 1, 2]))
def test_the_bound_is_attained_where_the_noise_covers_the_range_and_only_there(values, below, above, cut):
    """`cut`: 0 takes nothing off the interval of -h, widened by below and above; 1, 2 take some off one end of it."""
    h = exact(values)
    low, high = -h.values.max() - below, -h.values.min() + above
    span = high - low or Fraction(1)
    if cut:
        reach = Fraction(-max(h.values[:, 0])), Fraction(-min(h.values[:, 0]))
        low, high = (reach[0] + span / 7, reach[1] + above + 1) if cut == 1 else (reach[0] - below - 1,
                                                                                  reach[1] - span / 7)
    high = max(high, low + Fraction(1, 5))
    width, centre = high - low, (high + low) / 2
    covers = low <= -h.values.max() and high >= -h.values.min()
    constant = h.values.max() == h.values.min()
    found, bound = expected_crossings(h, width, centre), crossings_bound(h, width)
    assert found <= bound
    assert (found == bound) == (constant or covers)
    assert expected_crossings_of(h, lambda b: np.clip((b - low) / width, 0, 1)) == found
    assert crossings_bound_density(h, 1 / width) == bound


@given(st.integers(0, 10**6))
def test_new_breakpoints_are_zeros_of_the_preactivation(seed):
    """relu(h + b) as one more layer: its breakpoints, and its number of pieces, counted exactly."""
    rng = np.random.default_rng(seed)
    net = ap.constructions.he_random([1, 4, 3, 1], rng, bias_std=0.5)
    h = ap.trace(ap.ReLUNetwork(net.weights, [*net.biases[:-1], [0.0]]), ap.Segment(-1, 1), exact=True)
    level = float(rng.choice([rng.normal(), -float(h.values[rng.integers(h.regions + 1), 0])]))
    after = ap.trace(ap.ReLUNetwork([*net.weights, [[1.0]]], [*net.biases[:-1], [level], [0.0]]), ap.Segment(-1, 1),
                     exact=True)
    old = set(h.breakpoints[1:-1][h.kinks])
    new = set(after.breakpoints[1:-1][after.kinks]) - old
    assert all(h(t)[0] + Fraction(level) == 0 for t in new)
    if not np.any((np.diff(h.values[:, 0]) == 0) & (h.values[1:, 0] == -Fraction(level))):  # else infinitely many
        assert after.pieces <= h.pieces + int(count_crossings(h, [level])[0])


def test_every_crossing_can_be_a_new_breakpoint():
    """A hat cut at half height: 2 pieces become 2 + 2."""
    hat, unit = ap.constructions.hat(), ap.Segment(0, 1)
    cut = ap.ReLUNetwork([*hat.weights, [[1.0]]], [*hat.biases[:-1], [-0.5], [0.0]])
    assert count_crossings(ap.trace(hat, unit), [-0.5]).tolist() == [2]
    assert ap.count_pieces(cut, unit) == ap.count_pieces(hat, unit) + 2


@pytest.mark.parametrize("peaks", [1, 3, 8])
def test_bounded_slopes_are_attained(peaks):
    """|h'| = C everywhere and noise that covers the range: C |Omega| / l, however many pieces."""
    teeth = exact([k % 2 * Fraction(1, peaks) for k in range(2 * peaks + 1)])  # slopes 1 / peaks on [0, 2 peaks]
    slope, length, width = Fraction(1, peaks), 2 * peaks, Fraction(3, peaks)
    assert expected_crossings(teeth, width, -Fraction(1, 2 * peaks)) == slope * length / width
    assert crossings_bound(teeth, width) == slope * length / width
    h = random_function(peaks)
    steepest = np.abs(np.diff(h.values[:, 0])).max()
    assert expected_crossings(h, 0.5) <= steepest * (len(h.values) - 1) / 0.5


def hidden(net, line):
    """For each hidden neuron layer, neuron, h without its bias in fractions, and length and centre of noise that just
    covers its values."""
    for j, z in enumerate(ap.preactivations(net, line, exact=True)):
        for k in range(z.values.shape[1]):
            h = ap.PiecewiseAffine(z.breakpoints, z.values[:, [k]] - Fraction(net.biases[j][k]), z.kinks)
            yield j, k, h, np.ptp(h.values), -(h.values.max() + h.values.min()) / 2


@pytest.mark.parametrize("n", [1, 5, 9])
def test_the_largest_slope_of_a_network_is_attained(n):
    """Every preactivation of the gentle sawtooth has the slope C = 1 or -1 throughout, and 2^(j - 1) pieces."""
    net, unit = ap.constructions.gentle_sawtooth(n), ap.Segment(0, 1)
    slope = Fraction(ap.max_slope(net, unit))
    for j, _, h, width, centre in hidden(net, unit):
        assert h.regions == 2**j
        assert expected_crossings(h, width, centre) == crossings_bound(h, width) == slope * unit.length / width


@pytest.mark.parametrize("seed", range(5))
def test_a_layer_of_a_network_attains_its_variations(seed):
    """Neurons that share their inputs, each with noise that just covers its values: sum V / l, layer by layer."""
    net, line = ap.constructions.he_random([1, 6, 5, 4, 1], np.random.default_rng(seed), 0.5), ap.Segment(-1, 1)
    sums, bounds, variations = np.zeros(3), np.zeros(3), ap.variations(net, line)
    for j, k, h, width, centre in hidden(net, line):
        if width:  # else the neuron is constant: no crossings, and no variation
            sums[j] += expected_crossings(h, width, centre)
            bounds[j] += variations[j][k] / float(width)
    assert min(sums) >= 1
    assert bounds == pytest.approx(sums, rel=1e-8)


def layer(rng):
    """Three random functions, and noise lengths that depend on them: as long as their range is high."""
    hs = [function(np.cumsum(rng.standard_normal(6))) for _ in range(3)]
    return hs, [float(np.ptp(h.values)) for h in hs]


@pytest.mark.parametrize("shared", [False, True])
def test_crossings_of_a_layer_add_up(shared):
    """The corollary with equality, because the noise covers the range; the same uniform number may serve all neurons.

    Noise three times as long that covers the range too: a third of the crossings.
    """
    rng, draws = np.random.default_rng([5, shared]), 3000
    for factor in (1, 3):
        counts, bounds = np.zeros(draws), np.zeros(draws)
        for i in range(draws):
            hs, lengths = layer(rng)
            uniform = np.full(3, rng.uniform(-0.5, 0.5)) if shared else rng.uniform(-0.5, 0.5, 3)
            for h, length, u in zip(hs, lengths, uniform, strict=True):
                middle = -(h.values.max() + h.values.min()) / 2
                counts[i] += count_crossings(h, [middle + factor * length * u])[0]
                bounds[i] += crossings_bound(h, factor * length)
        gap = counts - bounds
        assert abs(gap.mean()) <= 4.5 * gap.std() / np.sqrt(draws)
        assert counts.mean() == pytest.approx(bounds.mean(), rel=0.05)


def test_levels_are_never_rounded():
    h = function([0.0, 2.0**53])
    assert count_crossings(h, [-2**53, -2**53 - 1]).tolist() == [1, 0]
    assert count_crossings(h, np.array([0, 1], dtype=np.uint8)).tolist() == [1, 0]
    assert count_crossings(h, np.array([Fraction(-1, 3), Fraction(1, 3**80)])).tolist() == [1, 0]
    assert count_crossings(h, []).tolist() == []


def test_bounds_of_exact_traces_are_exact():
    h = ap.trace(ap.constructions.sawtooth(3, 1 / 3), ap.Segment(0, 1), exact=True)
    assert crossings_bound(h, 0.1) == h.total_variation[0] / Fraction(0.1)
    assert crossings_bound_density(h, 0.1) == h.total_variation[0] * Fraction(0.1)
    assert isinstance(expected_crossings_of(h, lambda b: np.clip(-b, 0, 1)), Fraction)


def test_without_randomness_there_is_no_bound():
    assert crossings_bound(function([0, 1]), 0) == crossings_bound_density(function([0, 0]), np.inf) == np.inf
    assert crossings_bound(function([1, 1]), 0.0) == crossings_bound(function([0, 1]), Fraction(1, 10**400)) == np.inf


@pytest.mark.parametrize(("call", "message"), [
    (lambda h: expected_crossings(h, 0), "width is 0, expected a finite number > 0: for a bias that is not random use"),
    (lambda h: expected_crossings(h, 1, np.nan), "centre is nan, expected a finite number"),
    (lambda h: crossings_bound(h, -1), "width is -1, expected a finite number >= 0"),
    (lambda h: crossings_bound(h, np.inf), "width is inf"),
    (lambda h: crossings_bound_density(h, 0), "density_bound is 0, expected a number > 0"),
    (lambda h: count_crossings(h, [0.0, np.nan]), "levels hold nan"),
    (lambda h: count_crossings(h, 0.0), r"shape \(\), expected \(n,\)"),
    (lambda h: expected_crossings_of(h, lambda b: 2 + b), "probabilities: give a vectorised distribution"),
    (lambda h: expected_crossings_of(h, lambda b: 0.5), r"cdf returned shape \(\)"),
    (lambda h: crossings_bound(function([0.0, np.inf]), 1), "takes the value inf: use an exact trace"),
    (lambda h: crossings_bound(ap.PiecewiseAffine(np.arange(2.0), np.ones((2, 3)), np.ones(0, bool)), 1),
     "3 outputs, expected 1")])
def test_bad_arguments(call, message):
    with pytest.raises(ValueError, match=message):
        call(function([0, 1, 0]))
