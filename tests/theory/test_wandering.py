"""The random walk of stochastically rounded updates."""
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import affinepieces as ap


@given(st.integers(-4000, 4000), st.integers(-6, 6))
def test_variance_is_that_of_the_two_neighbours(k, e):
    """Both outcomes with their probabilities, in fractions."""
    update, spacing = Fraction(k, 1024), Fraction(2) ** e
    low = update // spacing * spacing
    up = (update - low) / spacing
    mean = low * (1 - up) + (low + spacing) * up
    variance = (low - mean) ** 2 * (1 - up) + (low + spacing - mean) ** 2 * up
    assert mean == update
    assert ap.rounding_variance(float(update), float(spacing)) == pytest.approx(float(variance), rel=1e-12, abs=0)


@pytest.mark.parametrize("update", [2.0**-12, -(2.0**-7), 0.3 * 2**-5, 0.0, 2.0**-5])
def test_variance_is_that_of_the_package_s_own_rounding(update):
    fmt, b, draws = ap.fixed_point(2, 5), 0.375, 200_000
    rounded = ap.round_to(np.full(draws, b + update), fmt, ap.Stochastic(3))
    expected = float(ap.rounding_variance(update, fmt.spacing))
    spread = np.sqrt(max(expected, 0) * fmt.spacing**2 / draws)  # of the estimate, at most
    assert abs(rounded.mean() - (b + update)) <= 5 * np.sqrt(expected / draws)
    assert abs(rounded.var() - expected) <= 5 * spread


def test_a_walk_reaches_the_variance_when_it_should():
    fmt, update, width = ap.fixed_point(2, 6), 2.0**-10, 2.0**-4
    steps = round(ap.steps_to_wander(update, fmt.spacing, width))
    place = np.full(20_000, 0.5)
    for k in range(steps):
        place = ap.round_to(place + update * (-1) ** k, fmt, ap.Stochastic(k))
    assert place.var() == pytest.approx(width**2 / 12, rel=0.03)  # its own standard error is 0.01
    assert ap.steps_to_wander(0.0, 1.0, 1.0) == ap.steps_to_wander(2.0, 1.0, 1.0) == np.inf


@pytest.mark.parametrize(("call", "message"), [
    (lambda: ap.rounding_variance([0.1], 0), "spacing is 0, expected a finite number > 0"),
    (lambda: ap.rounding_variance([np.inf], 1.0), "update holds inf"),
    (lambda: ap.steps_to_wander(0.1, 1.0, -1.0), "width is -1")])
def test_bad_input(call, message):
    with pytest.raises(ValueError, match=message):
        call()
