"""Gradients and steps: exact against Fractions and finite differences, rounded against scalar truth and torch."""
from fractions import Fraction

import numpy as np
import pytest
import torch

import affinepieces as ap
from affinepieces.arithmetic.truth import round_fraction
from descent import backprop_oracle as oracle
from families import FAMILIES, network

FORMATS = (ap.FLOAT32, ap.FLOAT16, ap.BFLOAT16, ap.wide(5), ap.wide(35), ap.Format("narrow", 6, -8, 8))


def data(rng, m, widths):
    return rng.standard_normal((m, widths[0])), rng.standard_normal((m, widths[-1]))


def rounded_problem(fmt, seed, widths=(1, 5, 4, 1), m=7):
    rng = np.random.default_rng(seed)
    net = ap.round_network(ap.constructions.he_random(widths, rng, bias_std=1.0), fmt)
    x, y = data(rng, m, widths)
    return net, np.asarray(ap.round_to(x, fmt)), np.asarray(ap.round_to(y, fmt))


def equal(gradients, weights, biases):
    return (all((np.asarray(g, dtype=object) == np.array(w, dtype=object)).all()
                for g, w in zip(gradients.weights, weights, strict=True))
            and all((np.asarray(g, dtype=object) == np.array(b, dtype=object)).all()
                    for g, b in zip(gradients.biases, biases, strict=True)))


@pytest.mark.parametrize("seed", range(10))
@pytest.mark.parametrize("family", FAMILIES)
def test_exact_gradient_is_that_of_fractions(family, seed):
    """110 networks of 11 families.  The numbers have far more bits than a float: any float in between would show."""
    net = network(family, seed, dtype=np.float64, input_dim=1 + seed % 2 if family != "peaks" else 1)
    x, y = data(np.random.default_rng(seed), 4, net.widths)
    found = ap.gradients(net, x, y, ap.Exact())
    fractions = ap.Gradients(tuple(g.fractions() for g in found.weights), tuple(g.fractions() for g in found.biases),
                             found.loss, found.active)
    assert equal(fractions, *oracle.gradient(net, x, y))
    assert found.loss == oracle.loss(*oracle.lists(net), x, y)


def test_no_float_in_between():
    """A gradient that needs more bits than any float has, in entries that a float would round or overflow."""
    tiny, huge = 1 + 2.0**-52, 2.0**1000
    net = ap.ReLUNetwork([[[tiny]], [[tiny]], [[tiny]], [[huge]]], [[0.0]] * 4)
    found = ap.gradients(net, [[tiny]], [[0.0]], ap.Exact())
    t, h = Fraction(tiny), Fraction(huge)
    assert found.weights[0].fractions()[0, 0] == 2 * (h * t**4) * (h * t**3)
    assert found.loss == (h * t**4) ** 2
    assert found.weights[0].to_float()[0, 0] == np.inf


@pytest.mark.parametrize("seed", range(10))
def test_exact_gradient_is_the_finite_difference(seed):
    """Within a region the loss is a parabola in each parameter, so central differences are exact."""
    rng = np.random.default_rng(seed)
    net = ap.constructions.he_random([2, 4, 3, 1], rng, bias_std=1.0)
    x, y = data(rng, 5, net.widths)
    found = ap.gradients(net, x, y, ap.Exact())
    h = Fraction(1, 2**100)
    for j in range(3):
        for i in range(net.widths[j + 1]):
            values = []
            for sign in (1, -1):
                weights, biases = oracle.lists(net)
                biases[j][i] += sign * h
                values.append(oracle.loss(weights, biases, x, y))
            assert (values[0] - values[1]) / (2 * h) == found.biases[j].fractions()[i]
            values = []
            for sign in (1, -1):
                weights, biases = oracle.lists(net)
                weights[j][i][0] += sign * h
                values.append(oracle.loss(weights, biases, x, y))
            assert (values[0] - values[1]) / (2 * h) == found.weights[j].fractions()[i, 0]


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("fmt", FORMATS, ids=str)
def test_rounded_gradient_is_the_scalar_truth(fmt, seed):
    net, x, y = rounded_problem(fmt, seed)
    found = ap.gradients(net, x, y, ap.Rounded(fmt))
    assert equal(found, *oracle.gradient(net, x, y, lambda q: Fraction(round_fraction(q, fmt))))
    for way in ap.Toward:
        found = ap.gradients(net, x, y, ap.Rounded(fmt, way))
        assert equal(found, *oracle.gradient(net, x, y, lambda q, way=way: Fraction(round_fraction(q, fmt, way))))


def test_derivative_of_relu_at_zero_is_zero():
    net = ap.ReLUNetwork([[[1.0]], [[1.0]]], [[0.0], [0.0]])
    for machine in (ap.Exact(), ap.Native(), ap.Rounded(ap.FLOAT16), ap.Rounded(ap.FLOAT16, grain=ap.Grain.TENSOR)):
        found = ap.gradients(net, [[0.0]], [[1.0]], machine)
        assert ap.relative_error(found, ap.gradients(net, [[0.0]], [[1.0]], ap.Exact())).entries().max() == 0
        assert not found.active[0].any()


def torch_step(net, x, y, rate, dtype):
    """A training step in torch's own elementwise operations, the sums in sequence."""
    def tensor(v):
        return torch.tensor(np.asarray(v), dtype=torch.float64).to(dtype)

    def product(a, b):
        s = a[:, :1] * b[:1]
        for k in range(1, a.shape[1]):
            s = s + a[:, k:k + 1] * b[k:k + 1]
        return s

    weights, biases = [tensor(a) for a in net.weights], [tensor(b) for b in net.biases]
    hs, h = [], tensor(x).T
    for j, (a, b) in enumerate(zip(weights, biases, strict=True)):
        hs.append(h)
        z = product(a, h) + b[:, None]
        h = torch.relu(z) if j < len(weights) - 1 else z
    d = (h - tensor(y).T) * 2 / len(x)
    new = []
    for j in range(len(weights) - 1, -1, -1):
        gw, gb = product(d, hs[j].T), product(d, torch.ones(len(x), 1, dtype=dtype))[:, 0]
        new.append((weights[j] - tensor(rate) * gw, biases[j] - tensor(rate) * gb))
        d = torch.where(hs[j] > 0, product(weights[j].T, d), torch.zeros((), dtype=dtype))
    return [[p.double().numpy() for p in column] for column in zip(*new[::-1], strict=True)]


@pytest.mark.parametrize("widths", [(1, 16, 16, 16, 1), (3, 8, 2)])
@pytest.mark.parametrize(("fmt", "dtype"), [(ap.FLOAT16, torch.float16), (ap.BFLOAT16, torch.bfloat16),
                                            (ap.FLOAT32, torch.float32), (ap.FLOAT64, torch.float64)], ids=str)
def test_whole_step_is_that_of_torch_elementwise(fmt, dtype, widths):
    net, x, y = rounded_problem(fmt, 5, widths, 33)
    after = ap.step(net, x, y, 0.03, ap.Rounded(fmt))
    weights, biases = torch_step(net, x, y, ap.round_to(0.03, fmt), dtype)
    for found, expected in zip((*after.weights, *after.biases), (*weights, *biases), strict=True):
        assert found.tobytes() == expected.tobytes()


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_native_is_close_to_rounded_and_to_autograd(dtype):
    fmt = ap.FLOAT32 if dtype == np.float32 else ap.FLOAT64
    net, x, y = rounded_problem(fmt, 3, (2, 16, 16, 2), 50)
    exact = ap.gradients(net, x, y, ap.Exact())
    for machine in (ap.Native(dtype), ap.Rounded(fmt), ap.Rounded(fmt, grain=ap.Grain.TENSOR),
                    ap.Rounded(fmt, order=ap.Order.PAIRWISE)):
        errors = ap.relative_error(ap.gradients(net, x, y, machine), exact)
        assert max(errors.weight_norms.max(), errors.bias_norms.max()) < 100 * fmt.unit_roundoff
    model = net.astype(dtype).to_torch()
    residual = model(torch.from_numpy(x.astype(dtype))) - torch.from_numpy(y.astype(dtype))
    (residual**2).sum(dim=1).mean().backward()
    for layer, g in zip([m for m in model if hasattr(m, "bias")], exact.biases, strict=True):
        assert np.allclose(layer.bias.grad.numpy(), g.to_float(), rtol=1e-3, atol=1e-5)


@pytest.mark.parametrize("grain", ap.Grain)
def test_stochastic_gradient_is_reproducible_and_nearly_unbiased(grain):
    fmt = ap.BFLOAT16
    net, x, y = rounded_problem(fmt, 8)
    exact = ap.gradients(net, x, y, ap.Exact()).biases[-1].to_float()
    draws = np.array([ap.gradients(net, x, y, ap.Rounded(fmt, ap.Stochastic(seed), grain)).biases[-1]
                      for seed in range(2000)])
    assert draws.std(axis=0).min() > 0
    assert np.all(np.abs(draws.mean(axis=0) - exact) < 5 * draws.std(axis=0) / np.sqrt(2000))
    again = ap.gradients(net, x, y, ap.Rounded(fmt, ap.Stochastic(7), grain)).biases[-1]
    assert np.array_equal(draws[7], again)


def test_exact_step():
    net, x, y = rounded_problem(ap.FLOAT64, 1)
    after, found = ap.step(net, x, y, 0.1, ap.Exact()), ap.gradients(net, x, y, ap.Exact())
    expected = [Fraction(float(b)) - Fraction(0.1) * g for b, g in
                zip(net.biases[0], found.biases[0].fractions(), strict=True)]
    assert after.biases[0].fractions().tolist() == expected
    with pytest.raises(TypeError, match="rational numbers, in general not floats"):
        after.network()


@pytest.mark.parametrize("machine", [ap.Rounded(ap.FLOAT16), ap.Native(np.float16),
                                     ap.Rounded(ap.FLOAT16, grain=ap.Grain.TENSOR)], ids=str)
def test_overflow_shows(machine):
    """The residual overflows: gradient and loss are infinite or nan, and the network after the step is refused."""
    net = ap.ReLUNetwork([[[256.0]], [[256.0]]], [[0.0], [0.0]])
    after = ap.step(net, [[1.0]], [[-1.0]], 0.5, machine)
    assert not np.isfinite(after.gradients.loss)
    assert not np.isfinite(after.gradients.biases[1]).any()
    errors = ap.relative_error(after.gradients, ap.gradients(net, [[1.0]], [[-1.0]], ap.Exact()))
    assert not np.isfinite(errors.entries()).all()
    with pytest.raises(FloatingPointError, match="smaller learning rate or a wider format"):
        after.network()


@pytest.mark.parametrize("machine", [ap.Rounded(ap.FLOAT16), ap.Native(np.float16),
                                     ap.Rounded(ap.FLOAT16, grain=ap.Grain.TENSOR)], ids=str)
def test_nan_is_not_hidden_by_relu(machine):
    """inf - inf in the second hidden neuron."""
    net = ap.ReLUNetwork([[[60000.0], [60000.0]], [[1.0, -1.0]], [[1.0]]], [[0.0, 0.0], [0.0], [0.0]])
    found = ap.gradients(net, [[2.0]], [[0.0]], machine)
    assert np.isnan(found.loss)
    assert np.isnan(found.weights[2]).all()


NET = ap.constructions.hat()


@pytest.mark.parametrize(("call", "error", "message"), [
    (lambda: ap.gradients(NET, [0.5], [[0.5]], ap.Exact()), ValueError, r"x has shape \(1,\).*write x\[:, None\]"),
    (lambda: ap.gradients(NET, [[0.5]], [0.5], ap.Exact()), ValueError, r"y has shape \(1,\), expected \(m, 1\)"),
    (lambda: ap.gradients(NET, [[0.5]], [[0.5], [1.0]], ap.Exact()), ValueError, "x has 1 points and y has 2"),
    (lambda: ap.gradients(NET, [[0.5, 1.0]], [[0.5]], ap.Exact()), ValueError, r"x has shape \(1, 2\)"),
    (lambda: ap.gradients(NET, np.ones((0, 1)), np.ones((0, 1)), ap.Exact()), ValueError, r"x has shape \(0, 1\)"),
    (lambda: ap.gradients(NET, [[np.nan]], [[0.5]], ap.Native()), ValueError, "x holds nan: data must be finite"),
    (lambda: ap.gradients(NET, [[0.1]], [[0.5]], ap.Rounded(ap.FLOAT16)), ValueError,
     r"x\[0, 0\] is 0.1, not a number of float16"),
    (lambda: ap.gradients(ap.constructions.hat(1 / 3), [[0.5]], [[0.5]], ap.Native(np.float32)), ValueError,
     r"biases\[0\]\[1\] is -0.333.*, not a number of float32"),
    (lambda: ap.gradients(NET, [[0.5]], [[0.5]], "float32"), TypeError, "machine is 'float32', expected Native"),
    (lambda: ap.step(NET, [[0.5]], [[0.5]], -1, ap.Exact()), ValueError, "learning_rate is -1, expected a finite"),
    (lambda: ap.step(NET, [[0.5]], [[0.5]], np.inf, ap.Exact()), ValueError, "learning_rate is inf"),
    (lambda: ap.step(NET, [[0.5]], [[0.5]], 1e-9, ap.Rounded(ap.FLOAT16)), ValueError, "becomes 0.0 in float16"),
    (lambda: ap.Native(np.int32), TypeError, "expected float16, float32 or float64"),
    (lambda: ap.Rounded("bfloat16"), TypeError, "format is 'bfloat16', expected a Format"),
    (lambda: ap.Rounded(ap.FLOAT16, grain=ap.Grain.TENSOR, order=ap.Order.PAIRWISE), ValueError, "omit `order`"),
])
def test_bad_input(call, error, message):
    with pytest.raises(error, match=message):
        call()
