"""(A) bounds the fit from below: attained by one bias and one data point, and never violated."""
import numpy as np
import pytest

import affinepieces as ap
from affinepieces.theory.fit import residual_lower_bound


def derivatives(net, x):
    """(m, hidden neurons): df(x_i)/db, as gradients of |f(x_i) - y|^2 at y = f(x_i) - 1/2."""
    return np.array([np.concatenate(ap.gradients(net, [point], net([point]) - 0.5, ap.Native()).biases[:-1])
                     for point in x])


def measured(net, x, y, rate):
    """Mean residual, and the bound, of a step with at least one hidden bias that moves."""
    update = ap.exact_update(net, x, y, rate)
    sensitivity = np.abs(derivatives(net, x)).max(axis=0)[update.hidden_biases() != 0].mean()
    bound = residual_lower_bound(rate, ap.mean_reciprocal(update), sensitivity)
    return np.abs(net(x) - y).mean(), bound


@pytest.mark.parametrize("slope", [0.25, 1.0, 3.0])
def test_attained_by_one_bias_and_one_point(slope):
    net = ap.ReLUNetwork([[[1.0]], [[slope]]], [[0.5], [0.0]])
    residual, bound = measured(net, np.array([[1.0]]), np.array([[0.125]]), 2.0**-4)
    assert residual == bound == 1.5 * slope - 0.125


def test_attained_by_equal_residuals_of_many_points():
    """The same residual at points where all derivatives are the same: means of equal numbers."""
    net = ap.ReLUNetwork([[[1.0], [1.0]], [[1.0, 1.0]]], [[0.0, 0.0], [0.0]])
    x = np.array([[0.25], [0.5], [1.0]])
    residual, bound = measured(net, x, net(x) - 0.25, 2.0**-4)
    assert residual == pytest.approx(bound, rel=1e-14)


def test_never_violated():
    ratios = []
    for seed in range(60):
        rng = np.random.default_rng(seed)
        net = ap.constructions.he_random([1, 5, 4, 1], rng, bias_std=0.5)
        x = rng.uniform(-1, 1, (7, 1))
        if np.any(ap.exact_update(net, x, x**2, 0.1).hidden_biases()):
            residual, bound = measured(net, x, x**2, 0.1)
            ratios.append(residual / bound)
    assert len(ratios) > 40
    assert min(ratios) >= 1 - 1e-12


def test_no_bound_on_the_reciprocals_says_nothing():
    assert residual_lower_bound(0.1, np.inf, 1.0) == 0.0


@pytest.mark.parametrize(("arguments", "message"), [
    ((0, 1, 1), "learning_rate is 0, expected a finite number > 0"),
    ((1, 0, 1), "mean_reciprocal is 0, expected a number > 0: where no bias moves"),
    ((1, 1, np.inf), "sensitivity is inf, expected a finite number > 0")])
def test_bad_arguments(arguments, message):
    with pytest.raises(ValueError, match=message):
        residual_lower_bound(*arguments)
