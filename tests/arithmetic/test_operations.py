"""Rounded sums, products, quotients and matrix products against MPFR, Fractions and torch."""
from fractions import Fraction
from itertools import product

import numpy as np
import pytest
import torch

import affinepieces as ap
from affinepieces.arithmetic.truth import round_fraction
from arithmetic import hard_numbers
from arithmetic.hard_numbers import same, spread_out
from arithmetic.mpfr import entrywise, matmul

OPERATIONS = {"add": ap.add, "mul": ap.multiply, "div": ap.divide}
EDGES = (ap.Format("narrow", 5, -6, 6), ap.Format("flushing", 5, -6, 6, subnormals=False),
         ap.Format("saturating", 4, -3, 3, overflow=ap.Overflow.SATURATE), ap.E4M3)


@pytest.mark.parametrize("t", range(2, 54))
@pytest.mark.parametrize("operation", OPERATIONS)
def test_all_precisions_against_mpfr(operation, t):
    rng = np.random.default_rng([t, len(operation)])
    formats = [ap.wide(t)] if t == 53 else [ap.Format("narrow", t, -30, 30), ap.wide(t)]
    for fmt in formats:
        a, b = spread_out(fmt, rng, 400), spread_out(fmt, rng, 400)
        if operation == "div":
            b[b == 0] = 1.0
        assert same(OPERATIONS[operation](a, b, fmt), entrywise(operation, fmt, a, b))


@pytest.mark.parametrize("t", range(20, 53))
def test_near_ties_against_mpfr(t):
    """From t = 27 on float64 alone is wrong for most of these."""
    rng, fmt = np.random.default_rng(t), ap.wide(t)
    cases = {"add": hard_numbers.near_ties_of_sums(fmt, rng, 200),
             "mul": hard_numbers.near_ties_of_products(fmt, rng, 200),
             "div": hard_numbers.near_ties_of_quotients(fmt, rng, 200)}
    for operation, (a, b) in cases.items():
        expected = entrywise(operation, fmt, a, b)
        assert same(OPERATIONS[operation](a, b, fmt), expected), operation
        if t in (30, 40) and operation != "div":
            naive = ap.round_to(a + b if operation == "add" else a * b, fmt)
            assert not np.array_equal(naive, expected)


@pytest.mark.parametrize("t", [8, 24, 26, 27, 40, 52])
def test_products_too_small_for_float64_against_mpfr(t):
    """Ties among the subnormals, where float64 itself has lost bits."""
    rng, fmt = np.random.default_rng(t), ap.wide(t)
    a = np.ldexp(rng.integers(2 ** (t - 1), 2**t, 2000).astype(float), -540 - rng.integers(0, t, 2000))
    b = np.ldexp(rng.integers(2 ** (t - 1), 2**t, 2000).astype(float), -540 - rng.integers(0, t, 2000))
    assert same(ap.multiply(a, b, fmt), entrywise("mul", fmt, a, b))
    c = np.ldexp(b, 1040)
    assert same(ap.divide(a, c, fmt), entrywise("div", fmt, a, c))
    assert same(ap.matmul(a[:5, None], b[None, :5], fmt), matmul(a[:5, None], b[None, :5], fmt))


@pytest.mark.parametrize("fmt", EDGES, ids=str)
def test_small_formats_exhaustively_against_fractions(fmt):
    positive = [m * 2.0 ** (e - fmt.precision + 1) for e in range(fmt.emin, fmt.emax + 1)
                for m in range(2 ** (fmt.precision - 1), 2**fmt.precision)]
    positive += [m * fmt.spacing for m in range(1, 2 ** (fmt.precision - 1)) if fmt.subnormals]
    values = np.array([v for v in positive if v <= fmt.largest])
    values = np.concatenate([values, -values])[::3 if len(values) > 100 else 1]
    a, b = (np.array(column) for column in zip(*product(values, values), strict=True))
    for operation, exact in (("add", lambda p, q: p + q), ("mul", lambda p, q: p * q), ("div", lambda p, q: p / q)):
        expected = np.array([round_fraction(exact(Fraction(p), Fraction(q)), fmt) for p, q in zip(a, b, strict=True)])
        assert same(OPERATIONS[operation](a, b, fmt), expected)


def positive_numbers(fmt):
    grid = np.arange(fmt.spacing, fmt.largest + fmt.spacing, fmt.spacing)
    return grid[ap.representable(grid, fmt)]


@pytest.mark.parametrize("fmt", [ap.Format("narrow", t, -3, 3) for t in (2, 3, 5)], ids=lambda fmt: fmt.precision)
def test_differences_of_close_numbers_are_exact(fmt):
    """All pairs with y / 2 <= x <= 2 y; beyond that, or without subnormals, not all of them."""
    x, y = (v.ravel() for v in np.meshgrid(positive_numbers(fmt), positive_numbers(fmt)))
    close = (y / 2 <= x) & (x <= 2 * y)
    exact = x - y  # in float64 without rounding
    found = ap.subtract(x, y, fmt)
    assert np.array_equal(found[close], exact[close])
    assert not np.array_equal(found[~close], exact[~close])
    flushing = ap.Format("flushing", fmt.precision, -3, 3, subnormals=False)
    normal = close & (x >= fmt.smallest_normal) & (y >= fmt.smallest_normal)
    assert not np.array_equal(ap.subtract(x[normal], y[normal], flushing), exact[normal])


@pytest.mark.parametrize("t", [3, 4, 5, 6])
@pytest.mark.parametrize(("operation", "enough"), [("add", 1), ("mul", 0), ("div", 0)])
def test_rounding_twice(operation, enough, t):
    """Innocuous from q = 2 t + 1 bits on for sums, from 2 t for products and quotients; one bit less is too few."""
    significands = np.arange(2.0 ** (t - 1), 2.0**t)
    scaled = np.concatenate([significands * 2.0**-k for k in range(2 * t + 2)])
    a, b = (v.ravel() for v in np.meshgrid(significands, np.concatenate([scaled, -scaled])))
    once = OPERATIONS[operation](a, b, ap.wide(t))
    for q in range(2 * t - 1 + enough, 2 * t + 4):
        twice = ap.round_to(OPERATIONS[operation](a, b, ap.wide(q)), ap.wide(t))
        assert same(twice, once) == (q >= 2 * t + enough or (operation, t) == ("mul", 3))  # 3 bits: 5 are enough


@pytest.mark.parametrize("order", ap.Order)
@pytest.mark.parametrize("fmt", [ap.BFLOAT16, ap.FLOAT16, ap.FLOAT32, ap.wide(4), ap.wide(40)], ids=str)
def test_error_of_a_sum(fmt, order):
    """|computed - exact| <= gamma_k sum |s_i|, also where the sum cancels; k additions for a term."""
    rng, u = np.random.default_rng(fmt.precision), Fraction(1, 2**fmt.precision)
    for terms in rng.integers(2, 40, 200):
        summands = ap.round_to(rng.standard_normal(terms) * 2.0 ** rng.integers(-8, 8, terms), fmt)
        summands[-1] = ap.round_to(-summands[:-1].sum(), fmt) if rng.random() < 0.5 else summands[-1]
        exact = [Fraction(s) for s in summands]
        k = terms - 1 if order is ap.Order.SEQUENTIAL else (int(terms) - 1).bit_length()
        error = abs(Fraction(float(ap.dot(summands, np.ones(terms), fmt, order=order))) - sum(exact))
        if k * u < 1:
            assert error <= k * u / (1 - k * u) * sum(map(abs, exact))


@pytest.mark.parametrize(("order", "places"), [(ap.Order.SEQUENTIAL, [1, 2, 3]), (ap.Order.PAIRWISE, [1, 2, 4])])
def test_bound_of_a_sum_is_nearly_attained(order, places):
    """1 + u is a tie that goes to 1, three times over: an error of 3 u, for a bound of 3 u (1 + 3 u) / (1 - 3 u)."""
    fmt, terms = ap.BFLOAT16, np.zeros(4 if order is ap.Order.SEQUENTIAL else 8)
    terms[0], terms[places] = 1.0, fmt.unit_roundoff
    assert ap.dot(terms, np.ones(len(terms)), fmt, order=order) == 1.0
    assert terms.sum() - 1 == 3 * fmt.unit_roundoff


@pytest.mark.parametrize("fmt", [ap.FLOAT16, ap.BFLOAT16, ap.FLOAT32, ap.wide(30), ap.wide(8), ap.FLOAT64], ids=str)
def test_matrix_products_against_mpfr(fmt):
    rng = np.random.default_rng(fmt.precision)
    a, b = ap.round_to(rng.standard_normal((5, 9)), fmt), ap.round_to(rng.standard_normal((9, 17)), fmt)
    assert same(ap.matmul(a, b, fmt), matmul(a, b, fmt))
    assert ap.dot(a[0], b[:, 0], fmt) == ap.matmul(a, b, fmt)[0, 0]


@pytest.mark.parametrize(("fmt", "dtype"), [(ap.FLOAT16, torch.float16), (ap.BFLOAT16, torch.bfloat16),
                                            (ap.FLOAT32, torch.float32)], ids=str)
def test_matrix_products_against_torch(fmt, dtype):
    rng = np.random.default_rng(7)
    a, b = (ap.round_to(rng.standard_normal(shape) * 30, fmt) for shape in ((8, 64), (64, 33)))
    left, right = torch.from_numpy(a).to(dtype), torch.from_numpy(b).to(dtype)
    total = left[:, :1] * right[:1]
    for k in range(1, 64):
        total = total + left[:, k:k + 1] * right[k:k + 1]
    assert same(ap.matmul(a, b, fmt), total.double().numpy())


@pytest.mark.parametrize("depth", [1, 2, 3, 5, 8, 13, 64])
@pytest.mark.parametrize("fmt", [ap.BFLOAT16, ap.FLOAT32, ap.wide(40)], ids=str)
def test_pairwise_order(fmt, depth):
    rng = np.random.default_rng(depth)
    a, b = ap.round_to(rng.standard_normal((2, depth)), fmt), ap.round_to(rng.standard_normal((depth, 3)), fmt)

    def tree(terms):
        if len(terms) == 1:
            return terms[0]
        half = 1 << (len(terms) - 1).bit_length() - 1  # the largest power of two below the length
        return ap.add(tree(terms[:half]), tree(terms[half:]), fmt)

    expected = tree([ap.multiply(a[:, k:k + 1], b[k:k + 1], fmt) for k in range(depth)])
    assert same(ap.matmul(a, b, fmt, order=ap.Order.PAIRWISE), expected)


@pytest.mark.parametrize("order", ap.Order)
def test_stochastic_products_are_unbiased(order):
    rng = np.random.default_rng(11)
    a, b = (ap.round_to(rng.standard_normal(shape), ap.BFLOAT16) for shape in ((1, 20), (20, 1)))
    draws = np.array([ap.matmul(a, b, ap.BFLOAT16, ap.Stochastic(seed), order)[0, 0] for seed in range(4000)])
    exact = float((ap.ExactArray.of(a) @ ap.ExactArray.of(b)).to_float()[0, 0])
    assert draws.std() > 0
    assert abs(draws.mean() - exact) < 5 * draws.std() / np.sqrt(len(draws))
    again = ap.matmul(a, b, ap.BFLOAT16, ap.Stochastic(3), order)[0, 0]
    assert again == draws[3]


def test_overflow_and_nothing():
    assert ap.multiply([300.0, 300.0], [300.0, -300.0], ap.FLOAT16).tolist() == [np.inf, -np.inf]
    assert np.isnan(ap.multiply([448.0], [2.0], ap.E4M3))
    assert ap.multiply([448.0], [-2.0], ap.E4M3.with_overflow(ap.Overflow.SATURATE)) == -448
    assert ap.matmul([[60000.0, 60000.0, -60000.0]], [[1.0], [1.0], [1.0]], ap.FLOAT16) == np.inf
    assert np.isnan(ap.add([np.inf], [-np.inf], ap.FLOAT16))
    assert ap.subtract([1.0], [0.5], ap.FLOAT16) == 0.5


@pytest.mark.parametrize(("call", "message"), [
    (lambda: ap.matmul(np.ones((2, 3)), np.ones((2, 3)), ap.FLOAT16), r"a has shape \(2, 3\) and b has shape"),
    (lambda: ap.matmul(np.ones((2, 0)), np.ones((0, 3)), ap.FLOAT16), "not empty"),
    (lambda: ap.dot([1.0], [1.0, 2.0], ap.FLOAT16), r"expected twice \(k,\)"),
    (lambda: ap.matmul([[0.1]], [[1.0]], ap.FLOAT16), r"a\[0, 0\] is 0.1, not a number of float16: round it first"),
    (lambda: ap.add([1.0, 0.1], [1.0, 1.0], ap.BFLOAT16), r"a\[1\] is 0.1, not a number of bfloat16"),
    (lambda: ap.add([1.0], [1.0], ap.wide(30), ap.Stochastic(0)), "at most 26 bits"),
])
def test_bad_input(call, message):
    with pytest.raises(ValueError, match=message):
        call()
