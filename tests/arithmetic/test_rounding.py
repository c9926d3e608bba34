"""Rounding of arrays against Fractions, MPFR, torch and gfloat; laws of stochastic rounding."""
from concurrent.futures import ThreadPoolExecutor
from fractions import Fraction

import gfloat
import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

import affinepieces as ap
from affinepieces.arithmetic.rounding import NEAREST
from affinepieces.arithmetic.truth import neighbours, round_fraction
from arithmetic.hard_numbers import NAMED, same, spread_out
from arithmetic.mpfr import entrywise
from arithmetic.test_formats import PEERS

TINY = [ap.Format("tiny", t, emin, emax, subnormals, overflow)
        for t in (2, 3, 4) for emin, emax in ((-2, 1), (0, 3)) for subnormals in (True, False)
        for overflow in ap.Overflow]
FORMATS = st.builds(ap.Format, st.just("any"), st.integers(2, 52), st.integers(-1022, 0), st.integers(0, 1023),
                    st.booleans(), st.sampled_from(ap.Overflow))


def around(values):
    """The values, the middles of neighbours, and the floats next to all of them."""
    values = np.unique(np.concatenate([values, -values]))
    with np.errstate(over="ignore"):
        points = np.concatenate([values, (values[1:] + values[:-1]) / 2, values * 1.5])
        return np.concatenate([points, np.nextafter(points, np.inf), np.nextafter(points, -np.inf)])


@pytest.mark.parametrize("fmt", TINY, ids=lambda f: f"{f.precision}{f.emin}{f.emax}{f.subnormals}{f.overflow.name}")
def test_tiny_formats_exhaustively_against_fractions(fmt):
    grid = np.arange(0, 2.0 ** (fmt.emax + 2), fmt.spacing / 8)
    points = around(grid)
    expected = np.array([round_fraction(Fraction(x), fmt) for x in points])
    points[points == 0] = 0.0
    assert same(ap.round_to(points, fmt), expected)


@pytest.mark.parametrize("t", range(2, 8))
def test_relative_error_of_one_rounding(t):
    """At most u / (1 + u) for normal numbers, and this much at 1 + u and nowhere between the powers of two."""
    fmt, u = ap.Format("tiny", t, -3, 3), Fraction(1, 2**t)
    points = np.unique(np.concatenate([around(np.arange(1, 2 ** (t + 4)) * 2.0 ** (-t - 3) * s) for s in (1, 8)]))
    points = points[(np.abs(points) >= fmt.smallest_normal) & (np.abs(ap.round_to(points, fmt)) <= fmt.largest)]
    errors = [abs(Fraction(r) - Fraction(x)) / abs(Fraction(x)) for x, r in
              zip(points, ap.round_to(points, fmt), strict=True)]
    assert max(errors) == u / (1 + u)
    attained = {abs(x) for x, error in zip(points, errors, strict=True) if error == u / (1 + u)}
    assert attained == {2.0**e * (1 + float(u)) for e in range(-3, 4) if 2.0**e < points.max()}


@given(FORMATS, st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=1))
def test_any_format_against_fractions(fmt, values):
    points = np.array(values) + 0.0
    assert same(ap.round_to(points, fmt), np.array([round_fraction(Fraction(x), fmt) for x in points]))


@pytest.mark.parametrize("t", range(2, 53))
def test_all_precisions_against_mpfr(t):
    rng = np.random.default_rng(t)
    for fmt in (ap.Format("narrow", t, -20, 20), ap.wide(t)):
        values = spread_out(fmt, rng, 200)
        with np.errstate(over="ignore"):
            middle = values + np.spacing(values) * 2.0 ** (52 - t) * rng.choice([0.5, -0.5, 0.49], 200)
        points = np.concatenate([values, middle, np.nextafter(middle, np.inf), np.nextafter(middle, -np.inf),
                                 fmt.spacing * rng.integers(0, 8, 50) / 4])
        assert same(ap.round_to(points, fmt), entrywise("plus", fmt, points))


@pytest.mark.parametrize(("fmt", "dtype"), [(ap.FLOAT16, torch.float16), (ap.BFLOAT16, torch.bfloat16),
                                            (ap.E4M3.with_overflow(ap.Overflow.SATURATE), torch.float8_e4m3fn),
                                            (ap.E5M2, torch.float8_e5m2)], ids=str)
def test_against_torch(fmt, dtype):
    x = np.random.default_rng(0).integers(0, 2**32, 100_000, dtype=np.uint32).view(np.float32)
    x = np.concatenate([x, np.linspace(-600, 600, 9601, dtype=np.float32), np.float32([np.inf, -np.inf, np.nan])])
    expected = torch.from_numpy(x).to(dtype).double().numpy()
    assert same(ap.round_to(x, fmt), expected)


@pytest.mark.parametrize("fmt", [ap.FLOAT16, ap.E4M3, ap.E4M3.with_overflow(ap.Overflow.SATURATE), ap.E5M2], ids=str)
def test_against_gfloat(fmt):
    x = np.random.default_rng(1).standard_normal(2000) * 2.0 ** np.random.default_rng(2).integers(-26, 18, 2000)
    saturate = fmt.overflow is ap.Overflow.SATURATE
    expected = gfloat.round_ndarray(PEERS[fmt.name], x, sat=saturate)
    assert same(ap.round_to(x, fmt), expected)


@given(FORMATS, st.floats(allow_nan=False), st.floats(allow_nan=False))
def test_rounding_is_monotone_and_idempotent(fmt, x, y):
    low, high = (ap.round_to(v, fmt) for v in sorted((x, y)))
    assert not low > high
    assert np.isnan(low) or ap.round_to(low, fmt) == low or not np.isfinite(low)


def test_odd_inputs():
    payload = np.array([0x7FFFFFFFFFFFFFFF, 0x7FF0000000000001, 0xFFFFFFFFFFFFFFFF], np.uint64).view(np.float64)
    assert np.isnan(ap.round_to(payload, ap.BFLOAT16)).all()
    assert ap.round_to(np.zeros((0, 3)), ap.BFLOAT16).shape == (0, 3)
    assert ap.round_to(np.ones((2, 3))[:, ::2], ap.FLOAT16).shape == (2, 2)
    assert ap.round_to(3, ap.E4M3) == 3.0
    with pytest.raises(TypeError, match="dtype complex128, expected"):
        ap.round_to(1j, ap.FLOAT16)
    with pytest.raises(ValueError, match=r"beyond 2\*\*53"):
        ap.round_to([2**53 + 1], ap.FLOAT16)
    with pytest.raises(TypeError, match="rounding is 'up', expected NEAREST"):
        ap.round_to(1.0, ap.FLOAT16, "up")
    with pytest.raises(ValueError, match="seed is -1, expected an integer >= 0"):
        ap.Stochastic(-1)


def test_networks():
    net = ap.constructions.he_random([1, 8, 1], np.random.default_rng(0), bias_std=1.0)
    rounded = ap.round_network(net, ap.BFLOAT16)
    assert np.array_equal(rounded.weights[1], ap.round_to(net.weights[1], ap.BFLOAT16))
    assert ap.round_network(rounded, ap.BFLOAT16) == rounded
    with pytest.raises(OverflowError, match="largest number of float16 is 65504"):
        ap.round_network(ap.ReLUNetwork([[[1e6]]], [[0.0]]), ap.FLOAT16)


@pytest.mark.parametrize("fmt", [*NAMED, ap.E4M3, ap.wide(20), ap.wide(50)], ids=str)
def test_stochastic_rounding_keeps_numbers_and_takes_neighbours(fmt):
    rng = np.random.default_rng(3)
    numbers = spread_out(fmt, rng, 500)
    numbers = numbers[np.abs(numbers) <= fmt.largest]
    assert same(ap.round_to(numbers, fmt, ap.Stochastic(1)), numbers)
    x = numbers * (1 + rng.random(len(numbers)) * 2.0**-fmt.precision)
    x = x[np.abs(x) < fmt.largest]
    found = ap.round_to(x, fmt, ap.Stochastic(2))
    assert all(Fraction(y) in neighbours(Fraction(v), fmt) for v, y in zip(x, found, strict=True))
    assert np.array_equal(np.signbit(found), np.signbit(x))


@pytest.mark.parametrize("share", [2.0**-7, 0.25, 0.5, 0.7, 1 - 2.0**-9])
@pytest.mark.parametrize("where", [1.0, 2.0**-14, 2.0**-24, -3.0],
                         ids=["normal", "smallest normal", "subnormal", "< 0"])
def test_stochastic_rounding_is_unbiased(where, share):
    fmt, n = ap.FLOAT16, 200_000
    spacing = max(np.spacing(np.float16(abs(where))), fmt.spacing)
    x = where + np.sign(where) * share * float(spacing)
    up = ap.round_to(np.full(n, x), fmt, ap.Stochastic(17)) != where
    assert abs(up.mean() - share) < 5 * np.sqrt(share * (1 - share) / n)


def test_stochastic_rounding_is_unbiased_below_the_smallest_number():
    x = 2.0**-24 / 8
    up = ap.round_to(np.full(100_000, x), ap.FLOAT16, ap.Stochastic(5)) > 0
    assert abs(up.mean() - 1 / 8) < 5 * np.sqrt(7 / 64 / 1e5)


def test_stochastic_rounding_does_not_depend_on_the_division_of_work():
    x = np.random.default_rng(0).standard_normal(100_003)
    whole = ap.round_to(x, ap.BFLOAT16, ap.Stochastic(9))
    starts = range(0, len(x), 7919)
    for workers in (1, 4):
        with ThreadPoolExecutor(workers) as pool:
            parts = pool.map(lambda s: ap.round_to(x[s:s + 7919], ap.BFLOAT16, ap.Stochastic(9, start=s)), starts)
            assert np.array_equal(np.concatenate(list(parts)), whole)
    assert not np.array_equal(whole, ap.round_to(x, ap.BFLOAT16, ap.Stochastic(10)))


def test_random_bits_of_neighbours_are_independent():
    """Ones per bit, pairs of positions, pairs of seeds: all within the statistical limit."""
    x, n = np.full(2**16, 1.5), 2**16
    one = ap.Format("two bits", 2, -2, 2)
    draws = np.array([ap.round_to(x + 0.25, one, ap.Stochastic(seed)) > 1.75 for seed in range(8)])
    limit = 5 / np.sqrt(n) / 2
    assert np.all(np.abs(draws.mean(axis=1) - 0.5) < limit)
    assert np.all(np.abs((draws[:, 1:] == draws[:, :-1]).mean(axis=1) - 0.5) < limit)
    assert np.all(np.abs((draws[1:] == draws[:-1]).mean(axis=1) - 0.5) < limit)


def test_generator_gives_the_seed():
    a, b = (ap.Stochastic(np.random.default_rng(4)) for _ in range(2))
    assert a == b != ap.Stochastic(np.random.default_rng(5))
    assert NEAREST == ap.NEAREST
