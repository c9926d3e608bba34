"""Counts in bulk are those of one network at a time, on any number of threads, in bounded memory."""
import os
import tracemalloc

import numpy as np
import pytest

import affinepieces as ap
import campaign
from affinepieces.pieces import bulk, count
from affinepieces.pieces.exact import trace_exact
from families import FAMILIES, network, segment

UNIT = ap.Segment(0, 1)
SHAPES = [(16, 16, 16, 16), (12, 9), (5, 4, 3), (9,)]
EXTREME = [np.inf, 1e200, 1e-200, 5e-324, 1e-310, -1e308, 0.0]  # the first stands for a number of ordinary size


def snapshots(number, seed=0, dtype=np.float64):
    """Along a training run: small steps away from random networks 1-16-16-16-16-1."""
    rng, nets = np.random.default_rng(seed), []
    for k in range(number):
        if k % 100 == 0:
            net = ap.constructions.he_random([1, 16, 16, 16, 16, 1], rng, bias_std=0.3)
            arrays = [*net.weights, *net.biases]
        moved = [(a + 1e-3 * rng.standard_normal(a.shape)).astype(dtype) for a in arrays]
        nets.append(ap.ReLUNetwork(moved[:5], moved[5:]))
    return nets


def degenerate(shape, seed):
    """Layers that are constant, off, equal, of small integers, one step of the format apart, or of any size."""
    rng = np.random.default_rng([len(shape), seed])
    w, b = campaign.parameters(ap.constructions.he_random([1, *shape, 1], rng, bias_std=0.5))
    for _ in range(int(rng.integers(1, 3))):
        j, kind = int(rng.integers(len(shape))), int(rng.integers(7))
        if kind == 0:
            w[j] = np.zeros_like(w[j])
        elif kind == 1:
            b[j] = np.full_like(b[j], -1e3)
        elif kind == 2:
            w[j][:], b[j][:] = w[j][0], b[j][0]
        elif kind == 3:
            w[j], b[j] = np.round(2 * np.clip(w[j], -4, 4)), np.round(2 * b[j])
        elif kind == 4:
            w[j][-1], b[j][-1] = w[j][0], np.nextafter(b[j][0], rng.choice([-np.inf, np.inf]))
        elif kind == 5:
            b[j] = np.zeros_like(b[j])
        else:
            size = float(rng.choice(EXTREME))
            w[j].flat[rng.integers(w[j].size)] = size if size < np.inf else 1.0
    return ap.ReLUNetwork(w, b)


def hard_pairs(seeds):
    """Networks of every kind that is difficult, several of each architecture, each with a segment."""
    for seed in seeds:
        for shape in SHAPES:
            yield degenerate(shape, seed), UNIT if seed % 2 else segment(1, seed)
            for dim, family in enumerate(FAMILIES):
                dim = 1 if family == "peaks" else 1 + (dim + seed) % 3
                net = network(family, seed, (np.float64, np.float32)[seed % 2], dim, shape)
                yield net, UNIT if dim == 1 and seed % 3 == 0 else segment(dim, seed)
        for i, family in enumerate(campaign.FAMILIES):
            yield family(np.random.default_rng([seed, i]))
    yield from ((net, UNIT) for net in snapshots(5 * len(seeds), min(seeds)))


def differences(pairs):
    """Where the counts of many differ from those of one at a time; how many were decided in bulk."""
    nets, lines = map(list, zip(*pairs, strict=True))
    found = ap.count_many(nets, lines)
    decided = sum(np.count_nonzero(bulk.counted(chunk)[:, 0]) for chunk in bulk.chunks(nets, lines))
    pairs = zip(nets, lines, found.regions.tolist(), found.pieces.tolist(), strict=True)
    return [(i, regions, pieces) for i, (net, line, regions, pieces) in enumerate(pairs)
            if (regions, pieces) != count._count(net, line)], decided


def test_many_are_counted_as_one_at_a_time():
    wrong, decided = differences(hard_pairs(range(30)))  # 1950 networks
    assert wrong == []
    assert decided > 1000


def test_what_is_decided_is_what_rational_arithmetic_says():
    nets, lines = map(list, zip(*hard_pairs(range(1000, 1004)), strict=True))
    decided = 0
    for chunk in bulk.chunks(nets, lines):
        for net, line, (regions, pieces) in zip(chunk.nets, chunk.segments, bulk.counted(chunk).tolist(), strict=True):
            if regions:
                truth = trace_exact(net, line)
                assert (regions, pieces) == (truth.regions, truth.pieces)
                decided += 1
    assert decided > 60


def test_the_same_on_any_number_of_threads_and_in_chunks_of_any_length(monkeypatch):
    nets, lines = map(list, zip(*hard_pairs(range(60, 64)), strict=True))
    expected = ap.count_many(nets, lines)
    for cores, length in ((1, 128), (2, 1), (3, 7)):
        monkeypatch.setattr(os, "cpu_count", lambda cores=cores: cores)
        monkeypatch.setattr(bulk, "LENGTH", length)
        assert ap.count_many(nets, lines) == expected


def test_snapshots_are_decided_in_bulk(monkeypatch):
    """No network is left to the path for one at a time, in any float format."""
    nets = [net for dtype in (np.float64, np.float32, np.float16) for net in snapshots(100, 1, dtype)]
    expected = [count._count(net, UNIT) for net in nets]
    monkeypatch.delattr(count, "_count")
    found = ap.count_many(nets, UNIT)
    assert list(zip(found.regions.tolist(), found.pieces.tolist(), strict=True)) == expected


def test_large_networks_are_left_to_the_products_of_numpy():
    wide = ap.constructions.he_random([1, 80, 80, 1], np.random.default_rng(0), bias_std=1.0)
    many_inputs = ap.constructions.he_random([20000, 16, 1], np.random.default_rng(0), bias_std=1.0)
    line = ap.Segment.between(*np.random.default_rng(0).random((2, 20000)))
    assert bulk.chunks([wide, many_inputs], [UNIT, line]) == []
    found = ap.count_many([wide, many_inputs], [UNIT, line])
    assert found.pieces.tolist() == [ap.count_pieces(wide, UNIT), ap.count_pieces(many_inputs, line)]


def test_many_regions_are_given_back():
    """A count that takes long goes to the path that can be interrupted."""
    deep = ap.constructions.sawtooth(15)
    chunk, = bulk.chunks([deep], [UNIT])
    assert bulk.counted(chunk).tolist() == [[0, 0]]
    assert ap.count_many([deep], UNIT).pieces.tolist() == [2**15]


def test_a_network_that_does_not_fit_its_segment_is_refused():
    flat = ap.constructions.he_random([2, 8, 1], np.random.default_rng(0), bias_std=1.0)
    with pytest.raises(ValueError, match="the network takes inputs of dimension 2, the segment lies in dimension 1"):
        ap.count_many([*snapshots(3), flat], UNIT)


def test_memory_does_not_grow_with_the_number_of_networks():
    nets = snapshots(bulk.LENGTH) * 100  # 90 MB if all of them were made ready at once
    ap.count_many(nets[:2], UNIT)
    tracemalloc.start()
    try:
        ap.count_many(nets, UNIT)
        assert tracemalloc.get_traced_memory()[1] < 2e7
    finally:
        tracemalloc.stop()
