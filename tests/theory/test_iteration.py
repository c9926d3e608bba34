"""The full iteration: independent steps with two possible numbers of pieces nearly attain the bounds."""
import numpy as np
import pytest

import affinepieces as ap
from affinepieces.theory.iteration import (
    expected_error_bound,
    expected_share,
    maintain_probability,
    maximum_probability,
)


@pytest.mark.parametrize("bound", [1.0, 2.0, 30.0, 900.0])
@pytest.mark.parametrize("steps", [1, 3, 50])
def test_two_valued_iterates(bound, steps):
    m = 1000.0
    p = (bound - 1) / (m - 1)  # P(m pieces), otherwise 1 piece: the expectation is `bound`
    assert 1 - (1 - p) ** steps <= maximum_probability(bound, m, steps)
    assert p**steps <= maintain_probability(bound, m, steps)
    assert p <= expected_share(bound, m)


def test_two_valued_iterates_attain_the_bounds():
    m, bound = 1e12, 1e6
    p = (bound - 1) / (m - 1)
    assert maintain_probability(bound, m, 4) == pytest.approx(p**4, rel=1e-5)
    assert expected_share(bound, m) == pytest.approx(p, rel=1e-5)
    assert maximum_probability(bound, m, 4) == pytest.approx(1 - (1 - p) ** 4, rel=1e-5)


def test_error_bound_is_below_every_mixture():
    rng = np.random.default_rng(0)
    for _ in range(50):
        pieces = rng.integers(1, 10 ** rng.integers(1, 6), 20)
        errors = [ap.error_lower_bound(2.0, 3.0, p) for p in pieces]
        assert expected_error_bound(2.0, 3.0, pieces.mean()) <= np.mean(errors) * (1 + 1e-12)
    assert expected_error_bound(2.0, 3.0, 7) == ap.error_lower_bound(2.0, 3.0, 7)


def test_no_bound_says_nothing():
    assert expected_share(np.inf, 10) == expected_share(20, 10) == 1.0
    assert maximum_probability(np.inf, 10, 3) == maintain_probability(np.inf, 10, 3) == 1.0
    assert maximum_probability(20, 10, 3) == maintain_probability(20, 10, 3) == 1.0
    assert expected_error_bound(1.0, 1.0, np.inf) == 0.0


@pytest.mark.parametrize("statement", [maximum_probability, maintain_probability])
def test_bad_arguments(statement):
    for arguments, message in (((0.5, 10, 1), "bound is 0.5, expected a number >= 1"), ((np.nan, 10, 1), "is nan"),
                               ((2, 0, 1), "pieces is 0"), ((2, np.inf, 1), "pieces is inf, expected a finite"),
                               ((2, 10, 0), "steps is 0, expected an integer >= 1")):
        with pytest.raises(ValueError, match=message):
            statement(*arguments)
    for steps in (1.5, True):
        with pytest.raises(TypeError, match=f"steps is {steps}, expected an integer"):
            statement(2, 10, steps)


@pytest.mark.parametrize("arguments", [(0, 1, 2), (1, -1, 2), (1, 1, 0.5), (1, 1, np.nan), (0, 1, np.inf)])
def test_bad_arguments_of_the_error_bound(arguments):
    with pytest.raises(ValueError, match="expected a finite number"):
        expected_error_bound(*arguments)
