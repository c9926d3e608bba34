"""Large counts: divided work is the same work, memory is bounded, and what would not fit is refused before."""
import subprocess
import sys

import numpy as np
import pytest

import affinepieces as ap
from affinepieces.pieces import level, size, whole
from affinepieces.pieces.certified import Search
from affinepieces.pieces.exact import patterns_exact
from affinepieces.pieces.level import Wanted
from families import FAMILIES, network, segment
from pieces.test_certified import assert_certified

UNIT = ap.Segment(0, 1)


@pytest.mark.parametrize("family", FAMILIES)
def test_divided_columns_give_the_same_answer(monkeypatch, family):
    """With a limit so small that every network is divided again and again, in every format and at every level."""
    monkeypatch.setattr(level, "LIMIT", 60)
    for seed in range(14):
        net = network(family, seed, input_dim=1 if family == "peaks" else (1, 3)[seed % 2],
                      widths=None if seed % 2 else (9, 8, 7, 6))
        assert_certified(net, segment(net.widths[0], seed))


@pytest.mark.parametrize("words", [1, 2, 4])
@pytest.mark.parametrize("parts", [2, 8])
def test_divided_at_every_level(monkeypatch, words, parts):
    monkeypatch.setattr(level, "LIMIT", 40 * words)
    monkeypatch.setattr(level, "PARTS", parts)
    for net in (ap.constructions.sawtooth(8), ap.constructions.sawtooth(7, 1 / 3), ap.constructions.square(7),
                ap.constructions.he_random([1, 20, 20, 20, 1], np.random.default_rng(0), bias_std=0.3)):
        search = Search.of(net, ap.Segment(-1, 1.25), Wanted(kinks=True))
        parts_found = list(search.parts(-1.0, 1.25, words))
        truth = ap.trace(net, ap.Segment(-1, 1.25), exact=True)
        assert 1 + sum(len(part.t) for part in parts_found) == truth.regions
        assert 1 + sum(int(part.kink.sum()) for part in parts_found) == truth.pieces


def test_patterns_of_divided_columns(monkeypatch):
    net = ap.constructions.he_random([2, 24, 24, 24, 1], np.random.default_rng(1), bias_std=0.3)
    line = ap.Segment.between([-2.0, 0.3], [1.7, -1.0])
    monkeypatch.setattr(level, "LIMIT", 500)
    assert np.array_equal(ap.activation_patterns(net, line), patterns_exact(net, line))


def test_memory_is_bounded():
    """Four million pieces within 250 MB beyond what an import takes; held together they would need 800 MB."""
    code = """import resource, affinepieces as ap
ap.count_pieces(ap.constructions.sawtooth(3), ap.Segment(0, 1))
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
assert ap.count_pieces(ap.constructions.sawtooth(22), ap.Segment(0, 1)) == 2**22
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert int(done.stdout) < 250_000


def test_what_would_not_fit_is_refused_with_an_estimate(monkeypatch):
    monkeypatch.setattr(size, "free_bytes", lambda: 1e6)
    monkeypatch.setattr(whole, "MANY", 2**10)
    net = ap.constructions.sawtooth(40)
    for call in (ap.trace, ap.activation_patterns):
        with pytest.raises(MemoryError, match=r"about 1\.1e\+12 regions are expected, .* GB are free: count them"):
            call(net, UNIT)
    assert ap.trace(ap.constructions.sawtooth(12), ap.Segment(0, 1 / 8)).regions == 2**9


@pytest.mark.parametrize("n", [5, 12, 25])
def test_estimate(n):
    search = Search.of(ap.constructions.sawtooth(n), UNIT, Wanted())
    assert size.estimated_regions(search, 0.0, 1.0) == pytest.approx(2**n, rel=0.01)
    random = ap.constructions.he_random([1, 16, 16, 1], np.random.default_rng(0), bias_std=1.0)
    assert size.estimated_regions(Search.of(random, UNIT, Wanted()), 0.0, 1.0) == ap.count_regions(random, UNIT)
