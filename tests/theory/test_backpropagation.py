"""The bound on the error of a computed gradient: it holds for every entry, and it is not far off."""
from fractions import Fraction
from itertools import pairwise, product

import numpy as np
import pytest

import affinepieces as ap
from affinepieces.descent.specification import backpropagate
from affinepieces.theory.backpropagation import gamma, probable_gamma, roundings
from descent import backprop_oracle as oracle

SHAPES = ((1, 3, 1), (2, 8, 8, 1), (1, 16, 16, 16, 1), (3, 5, 4, 2))


def problem(widths, fmt, seed, m=12):
    rng = np.random.default_rng([seed, *widths])
    net = ap.round_network(ap.constructions.he_random(widths, rng, bias_std=1.0), fmt)
    x = ap.round_to(rng.standard_normal((m, widths[0])), fmt)
    return net, x, ap.round_to(rng.standard_normal((m, widths[-1])), fmt)


@pytest.mark.parametrize("order", ap.Order)
@pytest.mark.parametrize("fmt", [ap.FLOAT32, ap.BFLOAT16, ap.wide(14), ap.wide(35)], ids=str)
def test_bound_holds_for_every_entry(fmt, order):
    checked, largest = 0, 0.0
    for widths in SHAPES:
        for seed in range(6):
            net, x, y = problem(widths, fmt, seed)
            exact, found = ap.gradients(net, x, y, ap.Exact()), ap.gradients(net, x, y, ap.Rounded(fmt, order=order))
            if ap.flips(found, exact):
                continue
            errors = ap.relative_error(found, exact).entries()
            bounds = ap.gradient_error_bound(net, x, y, fmt).entries()
            assert np.all(errors <= bounds)
            checked += len(errors)
            share = errors[(errors > 0) & np.isfinite(bounds)] / bounds[(errors > 0) & np.isfinite(bounds)]
            largest = max(largest, share.max(initial=0.0))
    assert checked > 500
    assert largest > 1e-3 or fmt == ap.BFLOAT16


class Counting:
    """An arithmetic whose numbers say how often the most rounded of their terms was rounded."""

    def matmul(self, a, b):
        return np.array([[self.left_to_right(row + column + 1) for column in b.T] for row in a])

    def left_to_right(self, terms):
        total = terms[0]
        for term in terms[1:]:
            total = max(total, term) + 1
        return total

    def transpose(self, a):
        return a.T

    def add_column(self, a, b):
        return np.maximum(a, b[:, None]) + 1

    def subtract(self, a, b):
        return np.maximum(a, b) + 1

    def take(self, a):
        return a

    def multiply(self, a, b):
        return a + b + 1

    def times(self, a, power):
        return a

    def divide(self, a, m):
        return a + 1

    def row_sums(self, a):
        return np.array([self.left_to_right(row) for row in a])

    def total(self, a):
        return self.row_sums(a.reshape(1, -1))

    def active(self, z):
        return np.ones(z.shape, bool)

    def keep(self, a, mask):
        return a


@pytest.mark.parametrize("widths", [*SHAPES, (2, 3, 4, 2), (1, 1)])
@pytest.mark.parametrize("points", [1, 5])
def test_number_of_roundings_is_that_of_the_specification(widths, points):
    weights = [np.zeros((n, m), int) for m, n in pairwise(widths)]
    biases = [np.zeros(n, int) for n in widths[1:]]
    tape = backpropagate(Counting(), weights, biases, np.zeros((widths[0], points), int),
                         np.zeros((widths[-1], points), int), points)
    assert roundings(widths, points) == ([g.max() for g in tape.weights], [g.max() for g in tape.biases])


@pytest.mark.parametrize("t", range(3, 11))
def test_bound_of_positive_networks(t):
    """Nothing cancels, so kappa is 1; the bound holds, and a constant of 3 in place of n would not."""
    fmt, largest, certain = ap.wide(t), 0.0, 0
    for widths, seed in product(((1, 1, 1), (1, 4, 4, 1), (2, 3, 2, 1)), range(30)):
        rng = np.random.default_rng([seed, t, *widths])

        def positive(*shape, rng=rng):
            return ap.round_to(rng.uniform(1, 2, shape) * 2.0 ** -rng.integers(0, 3, shape), fmt)

        net = ap.ReLUNetwork([positive(n, m) for m, n in pairwise(widths)], [positive(n) for n in widths[1:]])
        x, y = positive(1, widths[0]), -positive(1, widths[-1])
        exact, found = ap.gradients(net, x, y, ap.Exact()), ap.gradients(net, x, y, ap.Rounded(fmt))
        assert ap.condition_number(net, x, y).entries() == pytest.approx(1, rel=1e-11)
        errors, bounds = ap.relative_error(found, exact).entries(), ap.gradient_error_bound(net, x, y, fmt).entries()
        assert np.all(errors <= bounds)
        largest, certain = max(largest, errors.max()), certain + np.sum(bounds < 1)
    assert largest > 3 * fmt.unit_roundoff
    assert certain > 0 or t == 3


@pytest.mark.parametrize("layers", [1, 2, 4])
def test_bound_is_nearly_attained(layers):
    """Numbers chosen so that every operation loses as much as it can; only the division, by one point, is exact."""
    fmt = ap.wide(16)
    u, value, weights = fmt.unit_roundoff, 1 + 2.0**-8, []
    x, grid, small = [[value]], 1 + 2 * fmt.unit_roundoff * np.arange(1, 2**10), u * (1 - 2 * u)
    for _ in range(layers):
        products = grid * value  # exact in float64
        lost = (products - ap.round_to(products, fmt)) / products
        weights.append([[grid[lost.argmax()]]])
        value = ap.round_to(products[lost.argmax()], fmt)  # the bias is lost altogether
    net, y = ap.ReLUNetwork(weights, [[small]] * layers), [[-small]]
    exact, found = ap.gradients(net, x, y, ap.Exact()), ap.gradients(net, x, y, ap.Rounded(fmt))
    error, bound = ap.relative_error(found, exact).biases[-1][0], ap.gradient_error_bound(net, x, y, fmt).biases[-1][0]
    n = 2 * layers + 2
    assert bound == pytest.approx(n * u, rel=1e-3)
    assert (n - 1.2) / n < error / bound < (n - 1) / n


@pytest.mark.parametrize("seed", range(20))
def test_error_of_the_output_is_the_error_of_the_gradient(seed):
    """One data point, one output: an output that is off by epsilon acts like a label that is off by -epsilon."""
    net, x, y = problem((2, 5, 4, 1), ap.FLOAT32, seed, m=1)
    off = 2.0 ** -(seed + 1)
    exact = ap.gradients(net, x, y, ap.Exact())
    found = ap.gradients(net, x, y - off, ap.Exact())
    residual = exact.biases[-1].fractions()[0] / 2
    errors, moved = ap.relative_error(found, exact).entries(), ap.relative_error(found, exact).entries() > 0
    assert errors[moved] == pytest.approx(float(off / abs(residual)), rel=1e-15)
    zero = np.concatenate([g.to_float().ravel() for p in zip(exact.weights, exact.biases, strict=True) for g in p]) == 0
    assert np.array_equal(moved, ~zero)


def test_gamma():
    assert gamma(0, ap.FLOAT32) == 0
    assert gamma(2**24, ap.FLOAT32) == np.inf
    with pytest.raises(ValueError, match="n is -1, expected an integer >= 0"):
        gamma(-1, ap.FLOAT32)


@pytest.mark.parametrize("fmt", [ap.wide(8), ap.wide(11)], ids=str)
def test_probable_bound_of_stochastic_rounding(fmt):
    """The factor of a product of n roundings stays below it as often as the theorem says, and far below gamma_n."""
    rng, n, deviations = np.random.default_rng(fmt.precision), 60, 2.0
    exceeded, errors = 0, []
    for seed in range(400):
        factors = ap.round_to(rng.uniform(1, 2, n), fmt)
        product, exact = 1.0, Fraction(1)
        for k, factor in enumerate(factors):
            product = float(ap.multiply([product], [factor], fmt, ap.Stochastic(seed, start=k))[0])
            exact *= Fraction(factor)
        errors.append(abs(float(Fraction(product) / exact - 1)))
        exceeded += errors[-1] > probable_gamma(n, fmt, deviations)
    assert exceeded <= 400 * 2 * np.exp(-deviations**2 * (1 - fmt.unit_roundoff) ** 2 / 2)
    assert max(errors) < gamma(n, fmt)
    assert probable_gamma(n, fmt, deviations) < gamma(n, fmt)


def test_probable_bound_of_a_gradient():
    net = ap.constructions.he_random([1, 32, 32, 32, 1], np.random.default_rng(0), bias_std=0.5)
    net = ap.round_network(net, ap.FLOAT32)
    x = ap.round_to(np.linspace(0, 1, 64)[:, None], ap.FLOAT32)
    y = ap.round_to(x**2, ap.FLOAT32)
    certain, probable = (ap.gradient_error_bound(net, x, y, ap.FLOAT32, d).entries() for d in (None, 4.0))
    errors = ap.relative_error(ap.gradients(net, x, y, ap.Rounded(ap.FLOAT32, ap.Stochastic(1))),
                               ap.gradients(net, x, y, ap.Exact())).entries()
    assert np.all(errors <= probable)
    assert np.all(probable[certain > 0] < certain[certain > 0])
    with pytest.raises(ValueError, match="deviations is 0, expected a finite number > 0"):
        ap.gradient_error_bound(net, x, y, ap.FLOAT32, 0)


def test_residual_condition():
    rng = np.random.default_rng(1)
    net, x = ap.constructions.he_random([2, 5, 3], rng, bias_std=0.5), rng.standard_normal((7, 2))
    y = rng.standard_normal((7, 3))
    f = np.array([[float(v) for v in oracle.forward(*oracle.lists(net), p, oracle.exact)[1][-1]] for p in x])
    assert np.allclose(ap.residual_condition(net, x, y), (abs(f) + abs(y)) / abs(f - y), rtol=1e-12)
    assert ap.residual_condition(ap.constructions.square(2), [[0.5]], [[0.25]]).tolist() == [[np.inf]]

