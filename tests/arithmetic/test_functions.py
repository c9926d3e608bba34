"""Exponential, logarithm and square root: rounded once against MPFR, enclosed against Fractions."""
from fractions import Fraction

import gmpy2
import numpy as np
import pytest

import affinepieces as ap
from affinepieces.arithmetic.functions import PRECISION, divided, enclosed, rounded_function
from affinepieces.arithmetic.kernels import elementwise
from affinepieces.arithmetic.operations import carrier, kernel_arguments
from arithmetic.hard_numbers import same, spread_out
from arithmetic.mpfr import entrywise

ROUNDINGS = [ap.NEAREST, *ap.Toward]


@pytest.mark.parametrize("rounding", ROUNDINGS, ids=str)
@pytest.mark.parametrize("t", [2, 3, 8, 11, 24, 26, 27, 40, 52])
def test_exponential_and_logarithm_against_mpfr(t, rounding):
    rng = np.random.default_rng(t)
    for fmt in (ap.Format("narrow", t, -30, 30), ap.wide(t)):
        x = ap.round_to(rng.standard_normal(60) * 2.0 ** rng.integers(-30, 5, 60), fmt)
        x = np.concatenate([x, [0.0, fmt.spacing, -fmt.spacing, 1.0]])
        assert same(rounded_function("exp", x, fmt, rounding), entrywise("exp", fmt, x, rounding=rounding))
        positive = np.abs(spread_out(fmt, rng, 60))
        positive = np.concatenate([positive[positive > 0], [1.0]])
        found = rounded_function("log", positive, fmt, rounding)
        assert np.array_equal(found, entrywise("log", fmt, positive, rounding=rounding))


@pytest.mark.parametrize("fmt", [ap.FLOAT16, ap.FLOAT32, ap.FLOAT64, ap.E4M3], ids=str)
def test_what_lies_beyond(fmt):
    with np.errstate(all="ignore"):
        x = np.array([-1e30, -2000.0, -np.inf, np.nan])
        assert same(rounded_function("exp", x, fmt, ap.NEAREST), [0.0, 0.0, 0.0, np.nan])
        assert rounded_function("exp", x[:1], fmt, ap.Toward.UP)[0] == fmt.spacing
        assert same(rounded_function("log", np.array([0.0, -1.0]), fmt, ap.NEAREST)[1:], [np.nan])


def test_random_bits_decide_between_the_neighbours():
    x = np.full(20_000, -0.3)
    found = rounded_function("exp", x, ap.BFLOAT16, ap.Stochastic(1))
    low, high = (float(ap.round_to(np.exp(-0.3), ap.BFLOAT16, way)) for way in (ap.Toward.DOWN, ap.Toward.UP))
    assert set(found) == {low, high}
    share = (np.exp(-0.3) - low) / (high - low)
    assert abs(np.mean(found == high) - share) < 5 * np.sqrt(share * (1 - share) / len(x))


@pytest.mark.parametrize("rounding", ROUNDINGS, ids=str)
@pytest.mark.parametrize("t", [2, 3, 8, 11, 24, 25, 26, 27, 40, 52, 53])
def test_square_roots_against_mpfr(t, rounding):
    rng = np.random.default_rng(t)
    for fmt in (ap.Format("narrow", t, -30, 30), ap.wide(t)) if t < 53 else (ap.FLOAT64,):
        x = np.abs(spread_out(fmt, rng, 400))
        roots = ap.round_to(rng.integers(2 ** (t // 2), 2 ** (t // 2 + 1), 100).astype(float), fmt)
        squares = ap.round_to(roots**2, fmt)
        beside = [ap.round_to(squares * (1 + share), fmt) for share in (2.0**-t, -(2.0**-t))]
        x = np.concatenate([x, squares, *beside])
        *how, counter = kernel_arguments(fmt, rounding)
        found = elementwise.sqrt(x.astype(carrier(fmt, rounding)), *how, counter)
        assert same(found, entrywise("sqrt", fmt, x, rounding=rounding))


def test_enclosed_values_are_as_close_as_they_say():
    rng, bound = np.random.default_rng(0), Fraction(1, 2**PRECISION)
    for _ in range(40):
        x, y = (Fraction(int(rng.integers(1, 10**9)), int(rng.integers(1, 10**9))) for _ in range(2))
        root = enclosed("sqrt", x)
        assert (root * (1 - bound)) ** 2 <= x <= (root * (1 + bound)) ** 2
        assert abs(divided(x, y) * y - x) <= bound * x
        assert abs(divided(-x, y) * y + x) <= bound * x
        with gmpy2.context(precision=400):
            for name, call in (("exp", gmpy2.exp), ("log", gmpy2.log)):
                value = call(gmpy2.mpq(x))
                truth = Fraction(int(gmpy2.mpq(value).numerator), int(gmpy2.mpq(value).denominator))
                assert abs(enclosed(name, x) - truth) <= 2 * bound * abs(truth)
    assert enclosed("sqrt", Fraction(9, 4)) == Fraction(3, 2)
    assert enclosed("log", Fraction(1)) == enclosed("sqrt", Fraction(0)) == 0
    assert divided(Fraction(0), Fraction(3)) == 0
    with pytest.raises(OverflowError, match="rescale the network, so that its outputs differ by less"):
        enclosed("exp", Fraction(10**7))
