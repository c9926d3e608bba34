"""Directed rounding, few random bits, wider accumulators and fixed point against MPFR and Fractions."""
from fractions import Fraction
from math import floor

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import affinepieces as ap
from affinepieces.arithmetic.truth import neighbours, round_fraction
from arithmetic import hard_numbers
from arithmetic.hard_numbers import same, spread_out
from arithmetic.mpfr import entrywise, matmul
from arithmetic.test_operations import EDGES, OPERATIONS
from arithmetic.test_rounding import FORMATS, TINY, around

EXACT = {"add": lambda p, q: p + q, "mul": lambda p, q: p * q, "div": lambda p, q: p / q}


@pytest.mark.parametrize("rounding", ap.Toward)
@pytest.mark.parametrize("t", [*range(2, 53, 3), 26, 27, 52])
def test_all_precisions_against_mpfr(t, rounding):
    rng = np.random.default_rng(t)
    for fmt in (ap.Format("narrow", t, -30, 30), ap.wide(t)):
        x = np.concatenate([spread_out(fmt, rng, 200), rng.standard_normal(200) * 2.0 ** rng.integers(-40, 40, 200)])
        assert same(ap.round_to(x, fmt, rounding), entrywise("plus", fmt, x, rounding=rounding))
        for operation, call in OPERATIONS.items():
            a, b = spread_out(fmt, rng, 400), spread_out(fmt, rng, 400)
            b[b == 0] = 1.0 if operation == "div" else 0.0
            assert same(call(a, b, fmt, rounding), entrywise(operation, fmt, a, b, rounding=rounding)), operation


@pytest.mark.parametrize("rounding", ap.Toward)
@pytest.mark.parametrize("t", [20, 26, 27, 33, 40, 52])
def test_results_next_to_a_number_against_mpfr(t, rounding):
    """Sums with a number far too small to be seen, products and quotients that are nearly representable."""
    rng, fmt = np.random.default_rng(t), ap.wide(t)
    a = ap.round_to(rng.standard_normal(200), fmt)
    cases = {"add": (a, ap.round_to(rng.standard_normal(200) * 2.0 ** -rng.integers(20, 900, 200), fmt)),
             "mul": hard_numbers.near_ties_of_products(fmt, rng, 200),
             "div": hard_numbers.near_ties_of_quotients(fmt, rng, 200)}
    for operation, (left, right) in cases.items():
        for sign in (1, -1):
            assert same(OPERATIONS[operation](left, sign * right, fmt, rounding),
                        entrywise(operation, fmt, left, sign * right, rounding=rounding)), operation


@pytest.mark.parametrize("rounding", ap.Toward)
@pytest.mark.parametrize("t", [8, 24, 26, 27, 52])
def test_products_too_small_for_float64_against_mpfr(t, rounding):
    rng, fmt = np.random.default_rng(t), ap.wide(t)
    exponents = rng.integers(0, t + 20, (2, 2000))
    a, b = (np.ldexp(rng.integers(2 ** (t - 1), 2**t, 2000).astype(float), -540 - e) for e in exponents)
    a[:200] *= -1
    assert same(ap.multiply(a, b, fmt, rounding), entrywise("mul", fmt, a, b, rounding=rounding))
    tiny = np.full(4, fmt.spacing)
    signs = np.array([1.0, -1.0, 1.0, -1.0]), np.array([1.0, 1.0, -1.0, -1.0])
    small, other = tiny * signs[0], tiny * signs[1]
    assert same(ap.multiply(small, other, fmt, rounding), entrywise("mul", fmt, small, other, rounding=rounding))
    large = np.ldexp(b, 1040)
    for top, bottom in ((a, large), (small, fmt.largest * signs[1])):
        assert same(ap.divide(top, bottom, fmt, rounding), entrywise("div", fmt, top, bottom, rounding=rounding))
    assert same(ap.matmul(a[:5, None], b[None, :5], fmt, rounding), matmul(a[:5, None], b[None, :5], fmt, rounding))


@pytest.mark.parametrize("rounding", ap.Toward)
@pytest.mark.parametrize("fmt", [ap.FLOAT16, ap.BFLOAT16, ap.TF32, ap.FLOAT32, ap.wide(30), ap.wide(8)], ids=str)
def test_matrix_products_against_mpfr(fmt, rounding):
    rng = np.random.default_rng(fmt.precision)
    a, b = ap.round_to(rng.standard_normal((5, 9)), fmt), ap.round_to(rng.standard_normal((9, 17)), fmt)
    assert same(ap.matmul(a, b, fmt, rounding), matmul(a, b, fmt, rounding))


@pytest.mark.parametrize("rounding", ap.Toward)
def test_small_formats_exhaustively_against_fractions(rounding):
    for fmt in TINY:
        points = around(np.arange(0, 2.0 ** (fmt.emax + 2), fmt.spacing / 8))
        points[points == 0] = 0.0
        expected = np.array([round_fraction(Fraction(x), fmt, rounding) for x in points])
        assert same(ap.round_to(points, fmt, rounding), expected)
    for fmt in EDGES:
        grid = np.arange(fmt.spacing, fmt.largest + fmt.spacing, fmt.spacing)
        values = grid[ap.representable(grid, fmt)][::1 + len(grid) // 100]
        a, b = (v.ravel() for v in np.meshgrid(values, np.concatenate([values, -values])))
        for operation, exact in EXACT.items():
            rows = zip(map(Fraction, a), map(Fraction, b), strict=True)
            expected = np.array([round_fraction(exact(p, q), fmt, rounding) for p, q in rows])
            found = OPERATIONS[operation](a, b, fmt, rounding)
            if operation == "add" and rounding is ap.Toward.DOWN:
                found, expected = found + 0.0, expected + 0.0  # x - x is -0 downwards, which no Fraction shows
            assert same(found, expected), (fmt, operation)


@given(FORMATS, st.floats(allow_nan=False, allow_infinity=False), st.sampled_from(ap.Toward))
def test_any_format_against_fractions(fmt, x, rounding):
    assert same(ap.round_to([x + 0.0], fmt, rounding), np.array([round_fraction(Fraction(x), fmt, rounding)]))


@given(FORMATS, st.floats(allow_nan=False))
def test_up_is_down_of_the_opposite(fmt, x):
    up, down = (ap.round_to([y], fmt, way) for y, way in ((x, ap.Toward.UP), (-x, ap.Toward.DOWN)))
    assert same(up, -down)
    assert same(ap.round_to([x], fmt, ap.Toward.ZERO), ap.round_to([x], fmt, ap.Toward.DOWN if x > 0 else ap.Toward.UP))


def test_infinities_and_nothing():
    with np.errstate(all="ignore"):
        for way in ap.Toward:
            assert ap.round_to(np.inf, ap.FLOAT16, way) == np.inf
            assert np.isnan(ap.round_to(np.nan, ap.FLOAT16, way))
            assert ap.add([np.inf], [1.0], ap.FLOAT16, way) == np.inf
            assert np.isnan(ap.add([np.inf], [-np.inf], ap.FLOAT16, way))
            assert ap.divide([1.0], [0.0], ap.FLOAT16, way) == np.inf
            assert ap.multiply([-np.inf], [2.0], ap.wide(40), way) == -np.inf
    top = ap.wide(40).largest
    assert ap.multiply([top], [2.0], ap.wide(40), ap.Toward.ZERO) == top
    assert ap.add([top], [top], ap.wide(40), ap.Toward.UP) == np.inf


@pytest.mark.parametrize("bits", [1, 2, 3, 7, 42, 51])
def test_few_random_bits_round_the_probability_down(bits):
    fmt, n = ap.FLOAT16, 100_000
    for share in (0.3, 0.49, 0.999):
        x = 1 + share * 2.0**-10
        up = ap.round_to(np.full(n, x), fmt, ap.Stochastic(3, bits=bits)) > 1
        expected = floor(share * 2.0**bits) / 2.0**bits
        assert abs(up.mean() - expected) <= 5 * np.sqrt(expected * (1 - expected) / n)
    x = spread_out(fmt, np.random.default_rng(0), 500)
    assert same(ap.round_to(x, fmt, ap.Stochastic(3, bits=bits)), x)


def test_all_random_bits_are_the_first_of_many():
    x = np.random.default_rng(0).standard_normal(1000)
    full = ap.round_to(x, ap.BFLOAT16, ap.Stochastic(1))
    assert same(ap.round_to(x, ap.BFLOAT16, ap.Stochastic(1, bits=45)), full)
    few = ap.round_to(x, ap.BFLOAT16, ap.Stochastic(1, bits=3))
    assert np.all(np.abs(few) <= np.abs(full))  # the same bits, less those not drawn
    assert all(Fraction(y) in neighbours(Fraction(v), ap.BFLOAT16) for v, y in zip(x, few, strict=True))


@pytest.mark.parametrize("order", ap.Order)
@pytest.mark.parametrize("rounding", [ap.NEAREST, *ap.Toward], ids=str)
@pytest.mark.parametrize(("fmt", "wider"), [(ap.BFLOAT16, ap.FLOAT32), (ap.FLOAT16, ap.FLOAT32), (ap.E4M3, ap.FLOAT16),
                                            (ap.FLOAT32, ap.FLOAT64), (ap.BFLOAT16, ap.wide(30)),
                                            (ap.wide(8), ap.wide(12))], ids=str)
def test_accumulators(fmt, wider, rounding, order):
    rng = np.random.default_rng(5)
    a, b = (ap.round_to(rng.standard_normal(shape), fmt) for shape in ((4, 33), (33, 5)))
    sums = ap.matmul(a, b, wider, order=order)
    assert same(ap.matmul(a, b, fmt, rounding, order, wider), ap.round_to(sums, fmt, rounding))
    assert not same(ap.matmul(a, b, fmt, rounding, order, wider), ap.matmul(a, b, fmt, rounding, order))


def test_accumulators_that_are_not_wider():
    for wider in (ap.FLOAT16, ap.BFLOAT16, ap.E4M3):
        with pytest.raises(ValueError, match="not wider than bfloat16: take one that holds all numbers"):
            ap.dot([1.0], [1.0], ap.BFLOAT16, accumulator=wider)
        with pytest.raises(ValueError, match="not wider than bfloat16"):
            ap.Rounded(ap.BFLOAT16, accumulator=wider)


@pytest.mark.parametrize(("whole", "fraction"), [(1, 1), (3, 4), (1, 20), (20, 6), (1, 51), (40, 0)])
def test_fixed_point(whole, fraction):
    """Rounding of x 2^f to an integer, ties to even, and saturation."""
    fmt, rng = ap.fixed_point(whole, fraction), np.random.default_rng(whole)
    top = 2.0**whole - 2.0**-fraction
    x = np.concatenate([rng.standard_normal(500) * 2.0 ** rng.integers(-fraction - 2, whole + 3, 500),
                        (rng.integers(-50, 50, 100) + 0.5) * 2.0**-fraction, [top, -top, 2.0**whole]])
    assert same(ap.round_to(x, fmt), np.clip(np.rint(x * 2.0**fraction) / 2.0**fraction, -top, top))
    assert fmt.largest == top
    assert fmt.spacing == 2.0**-fraction
    down = np.clip(np.floor(x * 2.0**fraction) / 2.0**fraction, -top, top)
    assert np.array_equal(ap.round_to(x, fmt, ap.Toward.DOWN), down)


@pytest.mark.parametrize(("call", "message"), [
    (lambda: ap.fixed_point(0, 4), "integer_bits is 0, expected an integer from 1 to 1023"),
    (lambda: ap.fixed_point(30, 30), "30 and 30, together 60: take 2 to 52 bits"),
    (lambda: ap.Stochastic(1, bits=0), "bits is 0, expected an integer from 1 to 51"),
    (lambda: ap.Format("f", 4, 3, 2), "emax is 2, expected an integer from 3 to 1023"),
])
def test_bad_input(call, message):
    with pytest.raises(ValueError, match=message):
        call()
