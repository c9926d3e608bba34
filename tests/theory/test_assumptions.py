"""The assumptions measured: against exact traces and the walk along the segment."""
from fractions import Fraction

import numpy as np
import pytest

import affinepieces as ap
import oracle
from affinepieces.theory.assumptions import (
    dead_neurons,
    max_slope,
    mean_reciprocal,
    nonzero_updates,
    preactivations,
    revived_neurons,
    sign_changes,
    variations,
    zero_update_crossings,
)
from families import FAMILIES, network, segment


def truncated(net, line):
    """Exact traces of the preactivations of every hidden layer."""
    return [ap.trace(ap.ReLUNetwork(net.weights[:j], net.biases[:j]), line, exact=True) for j in range(1, net.layers)]


def close(found, truth, tolerance=Fraction(1, 10**9)):
    if not np.isfinite(found):
        return truth > Fraction(2) ** 1023
    return abs(Fraction(float(found)) - truth) <= tolerance * truth + Fraction(1, 2**1074)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("family", FAMILIES)
def test_slopes_and_variations_are_those_of_exact_traces(family, dtype):
    for seed in range(12):
        net = network(family, seed, dtype, 1 if family == "peaks" else (1, 3)[seed % 2])
        line = segment(net.widths[0], seed)
        exact = truncated(net, line)
        assert close(max_slope(net, line), max(np.abs(z.slopes).max() for z in exact))
        for found, z in zip(variations(net, line), exact, strict=True):
            scale = np.abs(z.values).max() / 10**6  # a constant preactivation has rounded values
            for v, truth in zip(found, z.total_variation, strict=True):
                if v == np.inf:  # the bound of the error exceeds float64
                    assert truth > Fraction(10) ** 307
                else:
                    assert 0 <= Fraction(float(v)) - truth <= max(truth, scale) / 10**6


@pytest.mark.parametrize("family", FAMILIES)
def test_sign_changes_are_those_of_the_walk(family):
    for seed in range(12):
        net = network(family, seed)
        line = segment(1, seed)
        t = [Fraction(line.a), *oracle.walk(net, line)[0]]
        patterns = [oracle._step(net, line, left)[0] for left in t]
        truth = np.count_nonzero(np.diff(np.array(patterns, dtype=int), axis=0), axis=0)
        found = sign_changes(net, line)
        assert [len(n) for n in found] == list(net.widths[1:-1])
        assert np.concatenate(found).tolist() == truth.tolist()
        zero = np.random.default_rng(seed).random(len(truth)) < 0.5
        updates = np.split(np.where(zero, 0.0, 0.1), np.cumsum(net.widths[1:-1])[:-1])
        assert zero_update_crossings(net, line, updates) == truth[zero].sum()
        assert np.concatenate(dead_neurons(net, line)).tolist() == (~np.any(patterns, axis=0)).tolist()


def test_revived_neurons():
    """A neuron that touches zero only at the end is dead; moved by one ulp it is not."""
    def one(bias):
        return ap.ReLUNetwork([[[1.0], [-1.0]], [[1.0, 1.0]]], [[-1.0, bias], [0.0]])

    assert [d.tolist() for d in dead_neurons(one(0.0), ap.Segment(0, 1))] == [[True, True]]
    assert revived_neurons(one(0.0), one(2.0**-1074), ap.Segment(0, 1)) == 1
    assert revived_neurons(one(1.0), one(0.0), ap.Segment(0, 1)) == 0
    with pytest.raises(ValueError, match="give one network before and after"):
        revived_neurons(one(0.0), ap.constructions.sawtooth(2), ap.Segment(0, 1))


def test_a_slope_lost_to_cancellation():
    """Two neurons whose slopes of 2^60 cancel up to 1, and a product that leaves float64 and comes back."""
    line = ap.Segment(0, 1)
    cancel = ap.ReLUNetwork([[[2.0**-60]] * 3, [[2.0**120, -(2.0**120), 2.0**60]], [[1.0]]], [[0.0] * 3, [0.0], [0.0]])
    assert max_slope(cancel, line) == 1.0
    flat = ap.ReLUNetwork([[[0.1, 0.3]], [[1.0]]], [[0.0], [0.0]])
    tilted = ap.Segment(0, 1, start=[0, 0], direction=[0.3, -0.1])
    assert max_slope(flat, tilted) == abs(float(Fraction(0.1) * Fraction(0.3) - Fraction(0.3) * Fraction(0.1)))
    beyond = ap.ReLUNetwork([[[1e300]], [[1e300]], [[1.0]]], [[0.0]] * 3)
    assert max_slope(beyond, line) == np.inf
    assert variations(beyond, line)[1].tolist() == [np.inf]


@pytest.mark.parametrize("n", [3, 10])
def test_sawtooth_violates_b_and_its_rescaled_twin_does_not(n):
    net = ap.constructions.sawtooth(n)
    assert max_slope(net, ap.Segment(0, 1)) == 2.0 ** (n - 1)
    gentle = ap.constructions.rescale(net, [2.0**-j for j in range(n)])
    assert max_slope(gentle, ap.Segment(0, 1)) == 1.0
    assert variations(gentle, ap.Segment(0, 1))[-1].tolist() == [1.0, 1.0]


def test_preactivations_are_those_of_the_network():
    net = ap.constructions.he_random([2, 6, 5, 4, 1], np.random.default_rng(0), bias_std=0.5)
    line, t = segment(2, 0), np.linspace(-2, 2.5, 200)
    x = line.at(t)
    for z, a, b in zip(preactivations(net, line), net.weights, net.biases, strict=False):
        assert np.allclose(z(t), x @ a.T + b)
        x = np.maximum(x @ a.T + b, 0)
    assert preactivations(net, line, exact=True)[2].breakpoints.dtype == object
    assert preactivations(ap.ReLUNetwork([[[1.0]]], [[0.0]]), ap.Segment(0, 1)) == []
    assert max_slope(ap.ReLUNetwork([[[1.0]]], [[0.0]]), ap.Segment(0, 1)) == 0.0
    assert sign_changes(ap.ReLUNetwork([[[1.0]]], [[0.0]]), ap.Segment(0, 1)) == []


def test_reciprocals_of_updates():
    assert mean_reciprocal([[2.0, 0.0], [-4.0, 0.0, 0.0]]) == 0.375
    assert nonzero_updates([[2.0, 0.0], [-4.0, 0.0, 0.0]]) == 2
    assert mean_reciprocal([[0.0]]) == mean_reciprocal([]) == nonzero_updates([[0.0], []]) == 0
    assert mean_reciprocal([[5e-324]]) == np.inf


@pytest.mark.parametrize(("draw", "density"), [
    (lambda rng, size: rng.uniform(-1, 1, size), 0.5), (lambda rng, size: rng.uniform(-0.25, 0.25, size), 2.0),
    (lambda rng, size: rng.standard_normal(size), 1 / np.sqrt(2 * np.pi)),
    (lambda rng, size: rng.exponential(1.0, size), 0.5),  # the density is 1 to the right of 0, and 0 to the left
    (lambda rng, size: np.linalg.norm(rng.standard_normal((3, size)), axis=0), 0.0)])
def test_mean_reciprocals_grow_like_a_logarithm(draw, density):
    """Medians over many draws for M = 100 and 100 000: they differ by 2 f(0) log 1000, and by nothing if f(0) = 0."""
    rng = np.random.default_rng(12)
    few, many = (np.median([mean_reciprocal([draw(rng, size)]) for _ in range(number)])
                 for size, number in ((100, 4000), (100_000, 300)))
    assert (many - few) / np.log(1000) == pytest.approx(2 * density, rel=0.08, abs=0.02)


@pytest.mark.parametrize("half", [0.5, 1.0, 8.0])
def test_mean_reciprocals_of_evenly_spread_updates_grow_like_a_logarithm(half):
    """On [-half, half], where f = 1 / (2 half), without chance: harmonic sums, which leave log M by a constant."""
    few, many = (mean_reciprocal([half * np.arange(-m, m + 1) / m]) for m in (1000, 1_000_000))
    assert (many - few) / np.log(1000) == pytest.approx(2 / (2 * half), rel=1e-4)


def test_bad_updates():
    net, line = ap.constructions.sawtooth(2), ap.Segment(0, 1)
    with pytest.raises(ValueError, match=r"updates\[0\] holds nan: every update must be finite"):
        mean_reciprocal([[1.0, np.nan]])
    with pytest.raises(ValueError, match=r"updates\[0\] holds inf"):
        zero_update_crossings(net, line, [[1, np.inf], [1, 1]])
    with pytest.raises(ValueError, match=r"\(2,\), \(1,\)\], expected \[\(2,\), \(2,\)\].*without the output"):
        zero_update_crossings(net, line, [[1, 1], [1, 1], [1]])
