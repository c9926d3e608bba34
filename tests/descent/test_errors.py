"""Relative errors, condition numbers, effective perturbation: against Fractions, by hand, and where they degenerate."""
from fractions import Fraction
from itertools import pairwise, product

import numpy as np
import pytest

import affinepieces as ap
from descent import backprop_oracle as oracle


def problem(seed, fmt=ap.FLOAT32, widths=(2, 4, 3, 1), m=6):
    rng = np.random.default_rng(seed)
    net = ap.round_network(ap.constructions.he_random(widths, rng, bias_std=1.0), fmt)
    return net, ap.round_to(rng.standard_normal((m, widths[0])), fmt), ap.round_to(rng.standard_normal((m, 1)), fmt)


def test_relative_error_is_that_of_fractions():
    net, x, y = problem(0, ap.BFLOAT16)
    found = ap.gradients(net, x, y, ap.Rounded(ap.BFLOAT16))
    errors = ap.relative_error(found, ap.gradients(net, x, y, ap.Exact()))
    _, biases = oracle.gradient(net, x, y)
    for computed, exact, error in zip(found.biases, biases, errors.biases, strict=True):
        for c, e, r in zip(computed, exact, error, strict=True):
            assert r == (float(abs(Fraction(c) - e) / abs(e)) if e else 0.0)
    norm = np.linalg.norm(found.biases[1] - np.array([float(v) for v in biases[1]]))
    assert errors.bias_norms[1] == pytest.approx(norm / np.linalg.norm(np.array(biases[1], float)), rel=1e-9)


def test_relative_error_far_below_and_above_float64():
    """Exact entries near 2^-2000 and 2^2000, where float64 has only 0 and infinity."""
    for power, error in ((2.0**-500, 1.0), (2.0**500, np.inf)):
        net = ap.ReLUNetwork([[[power]], [[power]], [[power]], [[power]]], [[0.0]] * 4)
        exact = ap.gradients(net, [[1.0]], [[0.0]], ap.Exact())
        assert ap.relative_error(exact, exact).entries().max() == 0
        found = ap.gradients(net, [[1.0]], [[0.0]], ap.Rounded(ap.FLOAT64))
        assert ap.relative_error(found, exact).weights[0][0, 0] == error


def paths(net, x, y):
    """sum over data points and paths of the moduli of all products, by enumerating the paths of a bias gradient."""
    weights, biases = oracle.lists(net)
    sums = [[Fraction(0)] * len(b) for b in biases]
    for point, label in zip(x, y, strict=True):
        _, zs = oracle.forward(weights, biases, point, oracle.exact)
        on = [[v > 0 for v in z] for z in zs[:-1]]
        size = abs(Fraction(float(label[0])))
        for start in range(len(weights)):  # paths that start at a bias of layer `start`, or at an input
            for way in product(*[range(len(b)) for b in biases[start:]]):
                if all(on[start + i][k] for i, k in enumerate(way[:-1])):
                    step = abs(biases[start][way[0]])
                    if start == 0:
                        step += sum(abs(weights[0][way[0]][k] * Fraction(float(v))) for k, v in enumerate(point))
                    for i, (k, n) in enumerate(pairwise(way)):
                        step *= abs(weights[start + 1 + i][n][k])
                    size += step
        for j in range(len(biases)):
            for way in product(*[range(len(b)) for b in biases[j:]]):
                if all(on[j + i][k] for i, k in enumerate(way[:-1])):
                    back = Fraction(2, len(x)) * size
                    for i, (k, n) in enumerate(pairwise(way)):
                        back *= abs(weights[j + 1 + i][n][k])
                    sums[j][way[0]] += back
    return sums


@pytest.mark.parametrize("seed", range(4))
def test_condition_number_over_paths(seed):
    net, x, y = problem(seed)
    found = ap.condition_number(net, x, y)
    _, gradient = oracle.gradient(net, x, y)
    for kappa, moduli, g in zip(found.biases, paths(net, x, y), gradient, strict=True):
        expected = [float(s / abs(v)) if v else 0.0 for s, v in zip(moduli, g, strict=True)]
        assert kappa == pytest.approx(expected, rel=1e-11)


@pytest.mark.parametrize("seed", range(4))
def test_condition_number_over_samples(seed):
    net, x, y = problem(seed)
    single = [oracle.gradient(net, x[s:s + 1], y[s:s + 1]) for s in range(len(x))]
    found = ap.condition_number(net, x, y, ap.Terms.SAMPLES)
    for j in range(net.layers):
        terms = np.array([np.array(weights[j], dtype=object) for weights, _ in single])
        sums, moduli = abs(terms.sum(axis=0)), abs(terms).sum(axis=0)
        expected = [float(m / s) if s else 0.0 for m, s in zip(moduli.ravel(), sums.ravel(), strict=True)]
        assert found.weights[j].ravel() == pytest.approx(expected, rel=1e-11)
        whole = ap.condition_number(net, x, y).weights[j]
        assert np.all(found.weights[j] <= whole * (1 + 1e-11))
    assert found.entries()[found.entries() > 0].min() >= 1 - 1e-12


@pytest.mark.parametrize("seed", range(4))
def test_condition_number_over_outputs_and_labels(seed):
    """A gradient is affine in the labels, which gives the contribution of each output and each label exactly."""
    net, x, _ = problem(seed, widths=(2, 4, 3, 2))
    y = ap.round_to(np.random.default_rng(seed).standard_normal((len(x), 2)), ap.FLOAT32)
    _, whole = oracle.gradient(net, x, y)
    moduli = [np.array([Fraction(0)] * len(b)) for b in net.biases]
    for s, (point, label) in enumerate(zip(x, y, strict=True)):
        outputs = oracle.forward(*oracle.lists(net), point, oracle.exact)[1][-1]
        for k in range(2):
            moved = y.copy()
            moved[s, k] *= 2
            _, other = oracle.gradient(net, x, moved)
            size, step = abs(outputs[k]) + abs(Fraction(float(label[k]))), Fraction(float(moved[s, k] - label[k]))
            moduli = [m + abs((np.array(g) - np.array(h)) * size / step)
                      for m, g, h in zip(moduli, whole, other, strict=True)]
    found = ap.condition_number(net, x, y, ap.Terms.RESIDUALS)
    for kappa, sums, g in zip(found.biases, moduli, whole, strict=True):
        expected = [float(m / abs(v)) if v else 0.0 for m, v in zip(sums, g, strict=True)]
        assert kappa == pytest.approx(expected, rel=1e-11)
    samples, paths = (ap.condition_number(net, x, y, terms).entries() for terms in (ap.Terms.SAMPLES, ap.Terms.PATHS))
    assert np.all(samples <= found.entries() * (1 + 1e-11))
    assert np.all(found.entries() <= paths * (1 + 1e-11))


def test_condition_number_where_everything_cancels():
    net = ap.ReLUNetwork([[[1.0]], [[1.0]]], [[0.0], [0.0]])
    kappa = ap.condition_number(net, [[1.0], [1.0]], [[0.0], [2.0]])
    assert np.all(np.isinf(kappa.entries()))
    with pytest.raises(TypeError, match=r"terms is 'paths', expected Terms\.SAMPLES, Terms\.RESIDUALS or Terms\.PATHS"):
        ap.condition_number(net, [[1.0]], [[1.0]], "paths")


def test_effective_perturbation_is_that_of_fractions():
    net, x, y = problem(3, ap.BFLOAT16)
    machine, rate = ap.Rounded(ap.BFLOAT16), 0.0625
    level = ap.effective_perturbation(net, x, y, rate, machine)
    after = ap.step(net, x, y, rate, machine)
    _, gradient = oracle.gradient(net, x, y)
    for j, (b, g) in enumerate(zip(net.biases, gradient, strict=True)):
        for k, value in enumerate(g):
            exact = -Fraction(rate) * value
            made = Fraction(float(after.biases[j][k])) - Fraction(float(b[k]))
            assert level.step.biases[j][k] == (float(abs(made - exact) / abs(exact)) if exact else 0.0)
    assert level.step.hidden_biases().shape == (7,)


def test_effective_perturbation_of_a_lost_update_is_one():
    net = ap.ReLUNetwork([[[1.0]], [[1.0]]], [[256.0], [0.0]])
    x, y = [[1.0]], [[256.5]]  # residual 1/2, so both bias gradients are 1
    machine = ap.Rounded(ap.Format("nine bits", 10, -14, 15))
    level = ap.effective_perturbation(net, x, y, 2.0**-6, machine)
    assert level.step.biases[0][0] == 1.0
    assert level.gradient.biases[0][0] == 0.0
    assert ap.effective_perturbation(net, x, y, 1.0, machine).step.biases[0][0] == 0.0
    assert ap.effective_perturbation(net, x, y, 0.1, ap.Exact()).step.entries().max() == 0


def test_a_gradient_from_elsewhere():
    """Neither loss nor activity is known; the errors are those of the same numbers from a machine."""
    net, x, y = problem(1)
    found, exact = ap.gradients(net, x, y, ap.Native()), ap.gradients(net, x, y, ap.Exact())
    other = ap.Gradients(found.weights, found.biases, None, ())
    assert ap.relative_error(other, exact) == ap.relative_error(found, exact)
    assert repr(other) == "Gradients(2-4-3-1, float64)"
    with pytest.raises(ValueError, match=r"computed is Gradients.* does not know which neurons were active"):
        ap.flips(other, exact)


def test_flips():
    net = ap.ReLUNetwork([[[1.0, 1.0]], [[1.0]]], [[-1.0], [0.0]])
    x = [[1.0, 2.0**-12]]  # the sum rounds to 1 in float16, so the neuron is inactive there
    found, exact = (ap.gradients(net, x, [[1.0]], m) for m in (ap.Rounded(ap.FLOAT16), ap.Exact()))
    assert ap.flips(found, exact) == 1
    assert ap.relative_error(found, exact).biases[0][0] == 1.0
