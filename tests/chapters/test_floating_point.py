"""What the chapter "Floating point" and the page "Formats in detail" compute, on cases that are known by hand."""
from fractions import Fraction

import numpy as np
import pytest

import affinepieces as ap
from affinepieces.chapters import floating_point as chapter
from affinepieces.constructions import gentle_sawtooth, hat, rescale, sawtooth

TINY = ap.Format("tiny", 3, -2, 2)


def test_random_sums_are_numbers_of_the_format_with_all_condition_numbers():
    rows = chapter.random_sums(ap.BFLOAT16, 300, 32, np.random.default_rng(1))
    assert ap.representable(rows, ap.BFLOAT16).all()
    condition, _ = chapter.condition_and_error(rows, ap.BFLOAT16)
    assert 1 <= condition.min() < 4
    assert condition.max() > 10 / ap.BFLOAT16.unit_roundoff
    exact = [sum(map(Fraction, row)) for row in rows[:5].tolist()]
    moduli = [sum(map(Fraction, row)) for row in abs(rows[:5]).tolist()]
    assert condition[:5] == pytest.approx([float(a / abs(s)) for a, s in zip(moduli, exact, strict=True)])


def test_three_factors_by_hand():
    """1 + 1 + 1: partial sums 2 and 3, both with the spacing 4 u."""
    u = ap.BFLOAT16.unit_roundoff
    signs, size, one = chapter.why_below_the_bound(np.ones((1, 3)), ap.BFLOAT16)
    assert (signs, size) == pytest.approx((2**-0.5, np.sqrt((4 + 9) / 2) / 3))
    assert one * np.sqrt((4 + 9) / 2) * u == pytest.approx(4 * u / 12**0.5)


def test_twins_have_the_same_rounding_errors_and_pieces():
    gentle, steep = gentle_sawtooth(6, 0.4), sawtooth(6, 0.4)
    for fmt in (ap.wide(4), ap.BFLOAT16):
        ratios = chapter.rounding_ratios(gentle, fmt)
        assert np.array_equal(ratios, chapter.rounding_ratios(steep, fmt))
        assert ratios.min() < 1 < ratios.max()
    thirds = ap.ReLUNetwork([3 * a for a in steep.weights], steep.biases)
    assert not np.array_equal(chapter.rounding_ratios(thirds, ap.BFLOAT16), chapter.rounding_ratios(steep, ap.BFLOAT16))


def test_only_powers_of_two_commute_with_rounding():
    fmt = ap.wide(4)
    x = np.arange(8.0, 16.0)
    commutes = [factor for factor in np.arange(1.0, 65.0)
                if np.array_equal(ap.round_to(factor * x, fmt), factor * ap.round_to(x, fmt))]
    assert commutes == [1, 2, 4, 8, 16, 32, 64]


def test_distance_of_the_rounded_hat():
    """With two bits 2.5 becomes 2, -25/6 becomes -4 and 0.4 becomes 0.375: farthest at x = 1, -1/2 for 0."""
    assert chapter.distance_when_rounded(hat(0.4), [2, 53]) == pytest.approx([0.5, 0], abs=1e-15)
    assert chapter.distance_when_rounded(rescale(hat(0.4), [0.5]), [2]) == pytest.approx([0.5])


def test_the_same_term_added():
    nearest, stochastic = chapter.same_term_added(1.0, 300, ap.BFLOAT16, runs=3, seed=0)
    assert nearest[[0, 256, 300]].tolist() == [0, 256, 256]
    assert stochastic.shape == (3, 301)
    assert (stochastic[:, 256] == 256).all()
    assert stochastic[:, -1].max() > 256


def test_numbers_and_pairs_of_a_tiny_format():
    numbers = chapter.nonnegative_numbers(TINY)
    assert numbers.tolist() == [*np.arange(4) / 16, *(k * 2.0**e for e in range(-4, 1) for k in range(4, 8))]
    flushing = ap.Format("flushing", 3, -2, 2, subnormals=False)
    assert chapter.nonnegative_numbers(flushing).tolist() == [0.0, *numbers[4:]]
    left, right = chapter.all_pairs(TINY)
    assert len(left) == (2 * len(numbers) - 1) * (2 * len(numbers) - 2)
    assert 0 not in right


def test_wrong_results_of_rounding_twice():
    wrong = chapter.wrong_by_precision(ap.multiply, 4)
    assert list(wrong) == [5, 6, 7, 8, 9, 10]
    assert wrong[7] > 0 == wrong[8]


def test_stored_bits_and_table():
    fields, text = chapter.stored_bits(1 / 3, (ap.FLOAT16, ap.E5M2))
    assert fields[ap.E5M2] == ("0", "01101", "01")
    assert text == ["0.33325", "0.3125"]
    assert chapter.table_of_formats((ap.BFLOAT16,)).splitlines()[-1].startswith("| bfloat16 | 8 | -126 | 127 | ")
