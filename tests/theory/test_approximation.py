"""Few pieces approximate badly: the bound, and where it is attained."""
from fractions import Fraction
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import affinepieces as ap
from families import network


@pytest.mark.parametrize("n", range(1, 9))
def test_bound_is_attained_by_the_lowered_interpolant(n):
    net = ap.constructions.square(n)
    lowered = ap.ReLUNetwork(net.weights, [*net.biases[:-1], net.biases[-1] - 4.0 ** -(n + 1) / 2])
    error = ap.sup_error_to_square(ap.trace(lowered, ap.Segment(0, 1), exact=True))
    assert error == Fraction(ap.error_lower_bound(curvature=2, length=1, pieces=2**n))


@given(st.integers(0, 10**6))
def test_no_network_is_below_the_bound(seed):
    net = network("generic", seed)
    first = ap.ReLUNetwork([*net.weights[:-1], net.weights[-1][:1]], [*net.biases[:-1], net.biases[-1][:1]])
    function = ap.trace(first, ap.Segment(-1, 1), exact=True)
    assert ap.sup_error_to_square(function) >= Fraction(ap.error_lower_bound(2, 2, 1)) / function.pieces**2


CURVES = {"cube": (lambda t: t**3, 1, 2, 6), "exponential": (np.exp, -1, 1, np.exp(-1)),
          "concave": (np.log, 1, 3, 1 / 9), "circle": (lambda t: -np.sqrt(1 - t**2), -0.5, 0.5, 1)}


@pytest.mark.parametrize("curve", CURVES)
@given(st.integers(0, 10**6), st.integers(1, 12))
def test_bound_holds_for_other_curves(curve, seed, p):
    """Chords between random points, each moved by half of its largest error: the best that these points allow."""
    f, a, b, curvature = CURVES[curve]
    ends = np.sort([a, *np.random.default_rng(seed).uniform(a, b, p - 1), b])
    worst = 0.0
    for u, v in pairwise(ends):
        t = np.linspace(u, v, 201)
        gap = np.interp(t, [u, v], f(np.array([u, v]))) - f(t)
        worst = max(worst, float(np.ptp(gap)) / 2)  # from samples: not more than the true error
    assert worst >= ap.error_lower_bound(curvature, b - a, p) * (1 - 1e-3)


@given(st.integers(0, 10**6))
def test_sup_error_is_that_of_many_samples(seed):
    function = ap.trace(network("generic", seed, widths=(4, 3)), ap.Segment(-1, 1))
    if function.values.shape[1] > 1:
        with pytest.raises(ValueError, match="2 outputs, expected 1"):
            ap.sup_error_to_square(function)
        return
    t = np.linspace(-1, 1, 4001)
    sampled = np.abs(function(t)[:, 0] - t**2).max()
    assert sampled <= ap.sup_error_to_square(function) * (1 + 1e-12)
    assert ap.sup_error_to_square(function) <= sampled + 0.02


@pytest.mark.parametrize("arguments", [(0, 1, 1), (2, -1, 1), (2, 1, 0), (np.nan, 1, 1), (2, 1, np.inf)])
def test_bad_arguments(arguments):
    with pytest.raises(ValueError, match="expected a finite number"):
        ap.error_lower_bound(*arguments)
