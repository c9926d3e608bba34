"""The constructions realise their functions exactly."""
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import affinepieces as ap
from affinepieces import constructions as c
from families import network

UNIT = ap.Segment(0, 1)


def test_hat_and_sawtooth_are_compositions():
    x = np.arange(129)[:, None] / 128
    y = x
    for n in range(1, 6):
        y = np.minimum(2 * y, 2 - 2 * y)
        assert np.array_equal(c.sawtooth(n)(x), y)
    assert c.hat() == c.sawtooth(1)


@pytest.mark.parametrize("n", [1, 4, 9])
def test_square_interpolates_and_lies_above(n):
    function = ap.trace(c.square(n), UNIT, exact=True)
    t = function.breakpoints
    assert t.tolist() == [Fraction(k, 2**n) for k in range(2**n + 1)]
    assert np.array_equal(function.values[:, 0], t**2)


def test_product_error_attains_its_bound():
    x, y = (v.ravel() for v in np.meshgrid(*[np.arange(65) / 64] * 2))
    for n in range(1, 8):
        error = np.abs(c.product(n)(np.column_stack([x, y]))[:, 0] - x * y)
        assert error.max() == (2 * 4.0 ** -(n + 1) if n < 7 else 0)  # 7: every (x + y) / 2 is a breakpoint


@given(st.integers(0, 10**6))
def test_rescale_keeps_the_function_and_divides_back(seed):
    net = network("generic", seed)
    rng = np.random.default_rng(seed)
    factors = [2.0 ** rng.integers(-20, 20, n) for n in net.widths[1:-1]]
    twin = c.rescale(net, factors)
    assert c.rescale(twin, [1 / f for f in factors]) == net
    x = np.linspace(-3, 3, 20)[:, None]
    assert np.array_equal(twin(x), net(x))


def test_rescaled_sawtooth_has_slopes_at_most_one():
    n = 6
    twin = c.rescale(c.sawtooth(n), [2.0**-j for j in range(n)])
    assert all(a.tolist() == [[1, -2], [1, -2]] for a in twin.weights[1:-1])
    assert ap.count_pieces(twin, UNIT) == 2**n


@pytest.mark.parametrize("peak", [0.5, 0.4, 0.3, 0.7])
def test_gentle_sawtooth_is_the_sawtooth_scaled_down(peak):
    n, x = 7, np.linspace(0, 1, 1000)[:, None]
    gentle, steep = c.gentle_sawtooth(n, peak), c.sawtooth(n, peak)
    assert np.array_equal(gentle(x) * 2.0 ** (n - 1), steep(x))
    assert ap.count_regions(gentle, UNIT) == ap.count_regions(steep, UNIT)
    slopes = ap.max_slope(gentle, UNIT), ap.max_slope(steep, UNIT)
    assert slopes == pytest.approx([(1 / (2 * min(peak, 1 - peak))) ** (n - 1), min(peak, 1 - peak) ** (1 - n)])


@pytest.mark.parametrize(("make", "message"), [
    (lambda: c.sawtooth(0), "n is 0, expected an integer >= 1"),
    (lambda: c.square(0), "n is 0"),
    (lambda: c.square(501), "n is 501, expected an integer from 1 to 500: .*4.-n is not exact"),
    (lambda: c.hat(1.0), "strictly between 0 and 1"),
    (lambda: c.rescale(c.hat(), []), "0 factors for 1 hidden layers"),
    (lambda: c.rescale(c.hat(), [3.0]), "not a positive power of two"),
    (lambda: c.rescale(c.hat(), [[1.0, 2.0, 4.0]]), r"shape \(3,\), expected a number or shape \(2,\)"),
    (lambda: c.rescale(c.hat().astype(np.float16), [2.0**40]), "leaves the range of float16"),
    (lambda: c.he_random([3], np.random.default_rng(0)), r"widths are \[3\], expected at least two"),
    (lambda: c.perturb_biases(c.hat(), -1.0, np.random.default_rng(0)), "width is -1.0, expected a finite number >= 0"),
])
def test_bad_arguments(make, message):
    with pytest.raises(ValueError, match=message):
        make()


def test_random_networks_come_from_their_generator():
    nets = [c.he_random([1, 64, 64, 1], np.random.default_rng(7), 1.0) for _ in range(2)]
    assert nets[0] == nets[1]
    assert abs(nets[0].weights[1].std() - np.sqrt(2 / 64)) < 0.01


def test_perturbed_biases_stay_within_the_noise():
    net = network("generic", 2)
    noisy = c.perturb_biases(net, 0.5, np.random.default_rng(0))
    moves = np.concatenate([p - q for p, q in zip(noisy.biases[:-1], net.biases[:-1], strict=True)])
    assert 0 < np.abs(moves).max() <= 0.25
    assert c.perturb_biases(net, 0.0, np.random.default_rng(0)) == net
