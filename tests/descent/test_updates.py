"""Exact updates against Fractions; the noise of perturbed updates against the uniform distribution."""
from fractions import Fraction

import numpy as np
import pytest

import affinepieces as ap
from affinepieces.descent.noise import Perturbed
from affinepieces.descent.updates import exact_update, perturbed_network
from affinepieces.parameters import Parameters
from descent import backprop_oracle as oracle
from families import FAMILIES, network

DRAWS = 4000


def update_of(net, rng, zeros=0.0):
    """Random updates, some of them zero."""
    def draw(p):
        return rng.standard_normal(p.shape) * (rng.random(p.shape) >= zeros)
    return Parameters(tuple(map(draw, net.weights)), tuple(map(draw, net.biases)))


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("family", [f for f in FAMILIES if f != "huge"])
def test_exact_update_is_that_of_fractions(family, seed):
    net = network(family, seed)
    rng = np.random.default_rng(seed)
    x, y = rng.standard_normal((4, net.widths[0])), rng.standard_normal((4, net.widths[-1]))
    found = exact_update(net, x, y, 0.1)
    for moves, exact in zip((found.weights, found.biases), oracle.gradient(net, x, y), strict=True):
        for move, gradient in zip(moves, exact, strict=True):
            expected = [-Fraction(0.1) * g for g in np.array(gradient, dtype=object).ravel()]
            assert move.dtype == np.float64
            assert move.ravel().tolist() == [float(e) or (e > 0) * 2.0**-1074 - (e < 0) * 2.0**-1074 for e in expected]


def test_updates_beyond_float64():
    tiny = exact_update(ap.ReLUNetwork([[[2.0**-500]]], [[0.0]]), [[2.0**-500]], [[0.0]], 2.0**-200)
    assert tiny.weights[0][0, 0] == -2.0**-1074  # exactly -2^-1699
    assert tiny.biases[0][0] == -2.0**-1074
    assert exact_update(ap.ReLUNetwork([[[-1.0]], [[1.0]]], [[0.0], [0.0]]), [[1.0]], [[3.0]], 0.1).biases[0] == 0
    with pytest.raises(OverflowError, match="exceeds float64: take a smaller learning rate"):
        exact_update(ap.ReLUNetwork([[[1e200]]], [[0.0]]), [[1e200]], [[0.0]], 0.1)


def test_perturbed_biases_are_uniform_and_independent():
    """Within the interval; moments and the distribution function of each; correlations of all pairs."""
    rng, delta = np.random.default_rng(8), 0.3
    net = ap.constructions.he_random([2, 3, 4, 2], rng, bias_std=1.0)
    update = update_of(net, rng)
    nets = [perturbed_network(net, update, delta, rng) for _ in range(DRAWS)]
    for j in range(2):
        b, move = net.biases[j], update.biases[j]
        found = np.array([drawn.biases[j] for drawn in nets])
        ends = np.sort([b + move * (1 - delta), b + move * (1 + delta)], axis=0)
        assert np.all((found >= ends[0]) & (found <= ends[1]))
    found = np.array([np.concatenate(drawn.biases[:-1]) for drawn in nets])
    moves = update.hidden_biases()
    theta = ((found - np.concatenate(net.biases[:-1])) / moves - 1) / delta
    assert np.all(np.abs(theta.mean(axis=0)) < 5 * np.sqrt(1 / 3 / DRAWS))
    steps = np.abs(np.sort(theta, axis=0) - np.linspace(-1, 1, DRAWS)[:, None]) / 2
    assert steps.max() < 2.5 / np.sqrt(DRAWS)  # Kolmogorov and Smirnov: exceeded with probability 7e-6
    correlations = np.corrcoef(theta.T) - np.eye(7)
    assert np.abs(correlations).max() < 5 / np.sqrt(DRAWS)


@pytest.mark.parametrize("delta", [0.0, 0.5, 1e3])
def test_what_is_not_perturbed(delta):
    """Weights and output biases take their whole update, and neurons without update stay."""
    rng = np.random.default_rng(1)
    net = ap.constructions.he_random([1, 5, 4, 1], rng, bias_std=1.0)
    update = update_of(net, rng, zeros=0.5)
    moved = perturbed_network(net, update, delta, rng)
    assert all(np.array_equal(a, b + u) for a, b, u in zip(moved.weights, net.weights, update.weights, strict=True))
    assert np.array_equal(moved.biases[-1], net.biases[-1] + update.biases[-1])
    still = update.hidden_biases() == 0
    before, after = np.concatenate(net.biases[:-1]), np.concatenate(moved.biases[:-1])
    assert 0 < still.sum() < len(still)
    assert np.array_equal(before[still], after[still])
    if delta == 0:
        assert np.array_equal(after, before + update.hidden_biases())
    else:
        assert np.all(after[~still] != (before + update.hidden_biases())[~still])


def last_operation(b, residual, rate):
    """Theta of a step of one neuron whose update is exact, in bfloat16; and the exact update."""
    net = ap.ReLUNetwork([[[1.0]], [[1.0]]], [[b], [0.0]])
    step = net, [[0.0]], [[b - residual]], rate, ap.Rounded(ap.BFLOAT16)
    exact = -2 * Fraction(rate) * Fraction(residual)
    theta = (Fraction(float(ap.step(*step).biases[0][0])) - Fraction(b)) / exact - 1
    assert ap.effective_perturbation(*step).step.biases[0][0] == float(abs(theta))
    return theta, exact


def test_the_last_operation_of_a_step():
    """Theta is the rounding of b + Delta over Delta: at most u |b + Delta| / |Delta|, -1 exactly where it is lost."""
    rng, u, shares, lost = np.random.default_rng(6), Fraction(1, 2**8), [], 0
    for _ in range(400):
        b, residual = float(rng.integers(129, 192)), float(rng.choice([-1, 1]) * rng.integers(1, 65))
        rate = 2.0 ** -rng.integers(2, 10)
        theta, update = last_operation(b, residual, rate)
        total = Fraction(b) + update
        rounded = Fraction(ap.round_to(float(total), ap.BFLOAT16))
        assert abs(theta) == abs(rounded - total) / abs(update) <= u * abs(total) / abs(update)
        assert (theta == -1) == (rounded == Fraction(b))
        shares.append(abs(theta) / (u / (1 + u) * abs(total) / abs(update)))
        lost += theta == -1
    assert 50 < lost < 350
    assert max(shares) <= 1
    theta, update = last_operation(1.0, -(2.0**-7), 0.25)  # 1 + u, half way between two numbers
    assert abs(theta) == u / (1 + u) * (1 + update) / update == 1


def test_one_generator_gives_many_draws():
    net = ap.constructions.he_random([1, 5, 1], np.random.default_rng(0), dtype=np.float32)
    update = update_of(net, np.random.default_rng(2))
    first, second = (perturbed_network(net, update, 0.1, rng) for rng in [np.random.default_rng(3)] * 2)
    assert first != second
    assert first.dtype == np.float64
    assert perturbed_network(net, update, 0.1, np.random.default_rng(3)) == first


@pytest.mark.parametrize("delta", [-0.1, np.nan, np.inf])
def test_delta_must_be_finite_and_not_negative(delta):
    net = ap.constructions.hat()
    update = exact_update(net, [[0.5]], [[0.0]], 0.1)
    for call in (lambda: Perturbed(delta), lambda: perturbed_network(net, update, delta, np.random.default_rng(0))):
        with pytest.raises(ValueError, match=f"delta is {delta}, expected a finite number >= 0"):
            call()


@pytest.mark.parametrize("rate", [0.0, -1.0, np.nan, np.inf])
def test_learning_rate_must_be_positive(rate):
    with pytest.raises(ValueError, match=f"learning_rate is {rate}, expected a finite number > 0"):
        exact_update(ap.constructions.hat(), [[0.5]], [[0.0]], rate)


def test_update_of_another_network():
    update = exact_update(ap.constructions.hat(), [[0.5]], [[0.0]], 0.1)
    with pytest.raises(ValueError, match=r"weights of the update have shapes \[\(2, 1\), \(1, 2\)\], those of the net"):
        perturbed_network(ap.constructions.sawtooth(2), update, 0.1, np.random.default_rng(0))
