"""Segments: exact ends, clear errors."""
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
    (lambda: ap.Segment(0, Fraction(1, 3)), r"not a float64: give float\(b\)"),
    (lambda: ap.Segment(0, 1, start=[0, 0], direction=[0, 0]), "direction is zero"),
    (lambda: ap.Segment(0, 1, start=[0, 0], direction=[1]), r"start has shape \(2,\) and direction \(1,\)"),
    (lambda: ap.Segment(0, 1, start=[0, np.nan], direction=[1, 1]), "start holds nan"),
    (lambda: ap.Segment(0, 1, start=[0, 0]), "give both start and direction"),
    (lambda: ap.Segment(0, 1, start=[[0]], direction=[[1]]), r"shape \(1, 1\), expected \(N_0,\)"),
    (lambda: ap.Segment.between([0.1], [1e20]), "not exact in float64"),
    (lambda: ap.Segment.between([0.0], [0.0, 1.0]), "must be equal"),
])
def test_bad_segments(make, message):
    with pytest.raises(ValueError, match=message):
        make()


def test_wrong_input_dimension():
    net = ap.constructions.product(2)
    with pytest.raises(ValueError, match=r"inputs of dimension 2, the segment lies in dimension 1: give start"):
        ap.count_pieces(net, ap.Segment(0, 1))


def test_torch_modules_are_not_networks():
    with pytest.raises(TypeError, match=r"got Linear: convert a torch module with ReLUNetwork.from_torch"):
        ap.count_regions(torch.nn.Linear(1, 1), ap.Segment(0, 1))


def test_between_goes_through_both_points():
    line = ap.Segment.between([1.0, 2.0], [3.0, -1.0])
    assert line.at([0.0, 1.0]).tolist() == [[1.0, 2.0], [3.0, -1.0]]
    assert line.length == 1


def test_segments_do_not_change():
    with pytest.raises(AttributeError, match="make a new one"):
        ap.Segment(0, 1).a = 2
