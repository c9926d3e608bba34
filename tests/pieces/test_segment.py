"""Segments: exact ends, clear errors."""
from dataclasses import FrozenInstanceError
from fractions import Fraction

import numpy as np
import pytest
import torch

import affinepieces as ap


@pytest.mark.parametrize(("make", "message"), [
    (lambda: ap.Segment(1, 1), r"\[1, 1\] is empty or a point: give a < b"),
    (lambda: ap.Segment(2, 1), "give a < b"),
    (lambda: ap.Segment(0, float("inf")), "b is inf, expected a finite number"),
    (lambda: ap.Segment(float("nan"), 1), "a is nan"),
    (lambda: ap.Segment(0, Fraction(1, 3)), r"b is Fraction\(1, 3\), not a float64"),
    (lambda: ap.Segment(0, 1, start=[0, 0], direction=[0, 0]), "direction is zero"),
    (lambda: ap.Segment(0, 1, start=[0, 0], direction=[1]), r"start has shape \(2,\) and direction \(1,\)"),
    (lambda: ap.Segment(0, 1, start=[0, np.nan], direction=[1, 1]), "start holds nan"),
    (lambda: ap.Segment(0, 1, start=[0, 0]), "give both start and direction"),
    (lambda: ap.Segment(0, 1, start=[[0]], direction=[[1]]), r"shape \(1, 1\), expected \(N_0,\)"),
    (lambda: ap.Segment.between([-1e308], [1e308]), "y - x exceeds the largest float64"),
    (lambda: ap.Segment(-1e308, 1e308), "longer than the largest float64"),
    (lambda: ap.Segment.between([0.5], [0.5]), "the same point"),
    (lambda: ap.Segment(0, 2**53 + 1), "b is 9007199254740993"),
    (lambda: ap.Segment(0, 1).at(2.0), r"for one point write \[t\]"),
    (lambda: ap.Segment(0, 1).at([np.inf]), "expected finite numbers"),
    (lambda: ap.Segment.between([0.0], [0.0, 1.0]), "must be equal"),
])
def test_bad_segments(make, message):
    with pytest.raises(ValueError, match=message):
        make()


def test_wrong_input_dimension():
    net = ap.constructions.product(2)
    with pytest.raises(ValueError, match=r"inputs of dimension 2, the segment lies in dimension 1: give start"):
        ap.count_pieces(net, ap.Segment(0, 1))


def test_torch_modules_are_networks():
    module = ap.constructions.sawtooth(5).to_torch()
    assert ap.count_regions(module, ap.Segment(0, 1)) == 32
    assert ap.count_many(iter([module, module]), ap.Segment(0, 1)).pieces.tolist() == [32, 32]


@pytest.mark.parametrize("value", ["0", b"0", None, True, [0.0], object(), 1j])
def test_what_is_no_number_is_refused_by_name(value):
    with pytest.raises((TypeError, ValueError), match=r"^a |^a is"):
        ap.Segment(value, 1)


def test_between_goes_through_both_points():
    line = ap.Segment.between([1.0, 2.0], [3.0, -1.0])
    assert line.at([0.0, 1.0]).tolist() == [[1.0, 2.0], [3.0, -1.0]]
    assert line.length == 1


def test_segments_do_not_change():
    with pytest.raises(FrozenInstanceError):
        ap.Segment(0, 1).a = 2


@pytest.mark.parametrize("dim", [1, 5, 784])
def test_between_any_two_points_is_exact(dim):
    """x + t (y - x) as rational numbers, whatever the floats; and the count is that of rational arithmetic."""
    for seed in range(20):
        rng = np.random.default_rng([dim, seed])
        x, y = rng.normal(size=(2, dim)) * 10.0 ** rng.integers(-200, 200, (2, dim)) ** (seed % 2)
        line = ap.Segment.between(x, y)
        for s, d, e, u, v in zip(line.start, line.direction, line.direction_low, x, y, strict=True):
            assert Fraction(s) == Fraction(u)
            assert Fraction(d) + Fraction(e) == Fraction(v) - Fraction(u)
        assert np.array_equal(line.at([0.0, 1.0]), [x, y])
        if seed < 3:
            net = ap.constructions.he_random([dim, 6, 5, 1], rng, bias_std=0.5)
            assert ap.count_regions(net, line) == ap.trace(net, line, exact=True).regions


def test_images_and_tensors_make_segments():
    rng = np.random.default_rng(0)
    first, second = rng.integers(0, 256, (2, 64))
    assert ap.Segment.between(first / 255, second / 255).dim == 64
    x, y = torch.rand(2, 64, requires_grad=True)
    line = ap.Segment.between(x, y)
    assert line.at([1.0])[0].tolist() == y.tolist()
    assert ap.Segment.between(x.to(torch.bfloat16), y.to(torch.bfloat16)).dim == 64


def test_part_of_a_segment_lies_on_it():
    line = ap.Segment.between([0.1, 0.2], [0.3, 1e-9])
    assert np.array_equal(line.part(0.25, 0.5).at([0.25, 0.5]), line.at([0.25, 0.5]))
