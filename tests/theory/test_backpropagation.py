"""The bound on the error of a computed gradient: it holds for every entry, and it is not far off."""
import numpy as np
import pytest

import affinepieces as ap
from affinepieces.theory.backpropagation import gamma, roundings

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


def test_number_of_roundings_is_attained():
    """Fractions that count: every operation adds one rounding to the deepest of its operands, products add them up."""
    widths, m = (2, 3, 4, 2), 5
    forward = [0]
    for below in widths[:-1]:
        forward.append(forward[-1] + 1 + (below - 1) + 1)
    delta = forward[-1] + 1 + 1
    expected_w, expected_b = [], []
    for j in range(len(widths) - 1, 0, -1):
        expected_w.append(delta + forward[j - 1] + 1 + (m - 1))
        expected_b.append(delta + m - 1)
        delta = delta + 1 + (widths[j] - 1)
    assert roundings(widths, m) == (expected_w[::-1], expected_b[::-1])


def test_gamma():
    assert gamma(0, ap.FLOAT32) == 0
    assert gamma(2**24, ap.FLOAT32) == np.inf
    with pytest.raises(ValueError, match="n is -1, expected an integer >= 0"):
        gamma(-1, ap.FLOAT32)
