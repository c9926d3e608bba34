"""The full iteration: runs with two possible numbers of pieces attain the bounds; exact in rational arithmetic."""
from fractions import Fraction
from itertools import product

import numpy as np
import pytest

import affinepieces as ap
from affinepieces.theory.iteration import (
    expected_error_bound,
    expected_share,
    maintain_probability,
    maximum_probability,
    maximum_probability_given_past,
)

CASES = [(1, 7), (2, 3), (11, 41), (30, 1000), (900, 1000), (10**6, 10**12)]


def two_valued(bound, m):
    """P(m pieces), otherwise 1 piece, such that the expectation is `bound`."""
    return Fraction(bound - 1, m - 1)


@pytest.mark.parametrize(("bound", "m"), CASES)
@pytest.mark.parametrize("steps", [1, 3, 50])
def test_independent_steps_attain_the_bounds(bound, m, steps):
    q = two_valued(bound, m)
    assert 1 + q * (m - 1) == bound
    assert expected_share(bound, m) == pytest.approx(float(q), rel=1e-15)
    assert maintain_probability(bound, m, steps) == pytest.approx(float(q**steps), rel=1e-13)
    assert maximum_probability_given_past(bound, m, steps) == pytest.approx(float(1 - (1 - q) ** steps), rel=1e-13)


@pytest.mark.parametrize(("bound", "m"), CASES)
def test_steps_that_exclude_each_other_attain_the_union(bound, m):
    """One step, chosen at random out of the first K, has m pieces: each has them with the same probability q."""
    q = two_valued(bound, m)
    for steps in (1, 2, 5):
        assert maximum_probability(bound, m, steps) == pytest.approx(float(min(1, steps * q)), rel=1e-15)
        assert maximum_probability_given_past(bound, m, steps) <= maximum_probability(bound, m, steps)


@pytest.mark.parametrize("seed", range(40))
def test_no_process_exceeds_the_bounds(seed):
    """Random processes of three steps with values 1, 5 and 9, all 27 histories enumerated."""
    rng, values, steps = np.random.default_rng(seed), np.array([1, 5, 9]), 3
    law, probability = {}, {(): 1.0}
    for k in range(steps):
        for past in list(product(values, repeat=k)):
            law[past] = rng.dirichlet(np.full(3, 0.5))
            for value, share in zip(values, law[past], strict=True):
                probability[(*past, value)] = probability[past] * share
    histories = {h: p for h, p in probability.items() if len(h) == steps}
    worst = max(values @ share for share in law.values())  # whatever the past
    average = max(sum(p * h[k] for h, p in histories.items()) for k in range(steps))
    for m in (5, 9):
        many = {h: [value >= m for value in h] for h in histories}
        assert sum(p * np.mean(many[h]) for h, p in histories.items()) <= expected_share(average, m) + 1e-12
        ever = sum(p for h, p in histories.items() if any(many[h]))
        assert ever <= maximum_probability(average, m, steps) + 1e-12
        assert ever <= maximum_probability_given_past(worst, m, steps) + 1e-12
        assert sum(p for h, p in histories.items() if all(many[h])) <= maintain_probability(worst, m, steps) + 1e-12


def test_a_bound_on_average_does_not_limit_maintaining():
    """One coin for all steps: the expectation is B after each, and m pieces are maintained with probability q."""
    q = float(two_valued(11, 101))
    assert maintain_probability(11, 101, 10) < q / 10**6
    assert maximum_probability_given_past(11, 101, 1) == pytest.approx(q)


def mean_and_median(pieces, weights):
    """Exact error bounds of a distribution of pieces: those of the theorem, E e and P(e >= threshold), worst case."""
    errors = np.array([ap.error_lower_bound(2.0, 3.0, p) for p in pieces])
    bound = expected_error_bound(2.0, 3.0, float(weights @ pieces))
    return weights @ errors / bound, weights[errors >= bound / 4].sum()


def test_error_bound_is_below_every_mixture():
    rng = np.random.default_rng(0)
    for _ in range(200):
        pieces, weights = rng.integers(1, 10 ** rng.integers(1, 6), 20), rng.dirichlet(np.full(20, 0.3))
        mean, at_least = mean_and_median(pieces, weights)
        assert mean >= 1 - 1e-12
        assert at_least >= 0.5
    assert expected_error_bound(2.0, 3.0, 7) == ap.error_lower_bound(2.0, 3.0, 7)  # attained where p is constant


def test_half_of_the_draws_is_attained():
    """m pieces as often as the mean B allows: for m = 2B + 1 just over half of the draws has the theorem's error."""
    for bound in (2, 10, 1000):
        shares = []
        for m in np.linspace(bound + 1, 2 * bound + 1, 21).astype(int).tolist():
            rich = float(two_valued(bound, m))
            shares.append(mean_and_median(np.array([1, m]), np.array([1 - rich, rich]))[1])
        assert 0.5 < min(shares) == shares[-1] <= 0.5 + 1 / bound


def carriers(hidden, width):
    """Neuron 0 carries t; the others read it, their perturbed biases are uniform on [-1, 0]; their mean is t^2 / 2."""
    read, mean = np.eye(width)[[0] * width], np.where(np.arange(width) > 0, 2 / (width - 1), 0)
    net = ap.ReLUNetwork([np.ones((width, 1)), *[read] * (hidden - 1), mean[None]],
                         [np.zeros(width)] * hidden + [np.zeros(1)])
    biases = (*[-0.5 * (np.arange(width) > 0)] * hidden, np.zeros(1))
    return net, ap.Parameters(tuple(0 * a for a in net.weights), biases)


def step_bound(hidden, width):
    """The corollary for `carriers`: C = 1, mean reciprocal 2, delta = 1."""
    return expected_error_bound(2, 1, ap.polynomial_bound(1, 1, hidden, width, 2, 1))


def test_errors_after_a_perturbed_step():
    """Both assumptions hold, and the errors to x^2 are on average at least what the corollary says."""
    for hidden, width in ((1, 2), (2, 5), (6, 5), (1, 33)):
        net, update = carriers(hidden, width)
        draws = [ap.perturbed_network(net, update, 1.0, np.random.default_rng(seed)) for seed in range(20)]
        assert ap.mean_reciprocal(update.biases[:-1]) == 2
        assert all(ap.max_slope(drawn, ap.Segment(0, 1)) == 1 for drawn in draws)
        assert not any(ap.zero_update_crossings(drawn, ap.Segment(0, 1), update.biases[:-1]) for drawn in draws)
        errors = [ap.sup_error_to_square(ap.trace(drawn, ap.Segment(0, 1))) for drawn in draws]
        assert np.mean(errors) >= step_bound(hidden, width)


def test_the_error_after_a_step_is_attained_by_one_piece():
    """No bias moves and no neuron switches: B = 1 for every depth, and t - 1/8 is as near to t^2 as one piece is."""
    for hidden in (1, 4, 9):
        line = ap.ReLUNetwork([[[1.0]]] * (hidden + 1), [[0.0]] * hidden + [[-0.125]])
        assert ap.zero_update_crossings(line, ap.Segment(0, 1), [[0.0]] * hidden) == 0
        bound = ap.expected_regions_bound(1, 1, [[0.0]] * hidden, 1)
        assert ap.sup_error_to_square(ap.trace(line, ap.Segment(0, 1))) == expected_error_bound(2, 1, bound)


def test_the_error_after_a_step_falls_like_the_square_of_the_depth():
    """Never like rho^L: ten times the layers, at least one hundredth of the bound."""
    ratios = [step_bound(10 * hidden, 8) / step_bound(hidden, 8) for hidden in (1, 10, 100)]
    assert min(ratios) > 1 / 100
    assert ratios[-1] == pytest.approx(1 / 100, rel=0.01)


def test_no_bound_says_nothing():
    assert expected_share(np.inf, 10) == expected_share(20, 10) == expected_share(1, 1) == 1.0
    for statement in (maximum_probability, maximum_probability_given_past, maintain_probability):
        assert [statement(bound, 10, 3) for bound in (np.inf, 20, 10)] == [1.0] * 3
        assert statement(1, 10, 3) == 0.0  # one piece on average is one piece always
    assert expected_error_bound(1.0, 1.0, np.inf) == 0.0


@pytest.mark.parametrize("statement", [maximum_probability, maximum_probability_given_past, maintain_probability])
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
    with pytest.raises(ValueError, match=r"expected a (finite )?number"):
        expected_error_bound(*arguments)
