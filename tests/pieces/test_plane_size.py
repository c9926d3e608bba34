"""Polygons with more regions than memory holds are refused, with the remedy."""
import numpy as np
import pytest

import affinepieces as ap
from affinepieces.pieces.plane import cutting


def test_too_many_regions_are_refused(monkeypatch):
    net = ap.constructions.he_random([2, 16, 16, 1], np.random.default_rng(0), bias_std=1.0)
    monkeypatch.setattr(cutting, "LARGE", 1000)
    monkeypatch.setattr(cutting, "free_bytes", lambda: 10_000)
    with pytest.raises(MemoryError, match=r"regions of 1 hidden layers need .* GB .*take a smaller polygon"):
        ap.count_regions(net, ap.Polygon.square())
