"""Certified counts against exact ones, on the networks on which float counts go wrong; and their laws."""
import os
import signal
from fractions import Fraction

import numpy as np
import pytest
import torch
from hypothesis import example, given
from hypothesis import strategies as st

import affinepieces as ap
from affinepieces.pieces.certified import Search
from affinepieces.pieces.exact import patterns_exact, trace_exact
from affinepieces.pieces.level import Pass, Wanted
from affinepieces.pieces.line import Line
from families import FAMILIES, network, segment
from oracle import assert_encloses

UNIT = ap.Segment(0, 1)


def assert_certified(net, line):
    """Counts, kinks and the enclosures of all numbers are those of rational arithmetic."""
    found, truth = ap.trace(net, line), trace_exact(net, line)
    assert (found.regions, found.pieces) == (truth.regions, truth.pieces)
    assert (ap.count_regions(net, line), ap.count_pieces(net, line)) == (truth.regions, truth.pieces)
    assert np.array_equal(found.kinks, truth.kinks)
    assert_encloses(found.breakpoints[:, None], found.radius, truth.breakpoints[:, None])
    assert_encloses(found.values, found.value_radius, truth.values)
    assert_encloses(found.slopes, found.slope_radius, truth.slopes)
    assert np.array_equal(ap.activation_patterns(net, line), patterns_exact(net, line))


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
@pytest.mark.parametrize("family", FAMILIES)
def test_many_networks(family, dtype):
    for seed in range(24):  # 11 families, 3 formats: 792 networks
        dim = 1 if family == "peaks" else (1, 2, 64)[seed % 3]
        widths = None if seed % 2 else (16, 12, 9)
        net = network(family, seed, dtype, dim, widths)
        assert_certified(net, segment(net.widths[0], seed))


@given(st.sampled_from(FAMILIES), st.integers(0, 10**6), st.sampled_from([1, 2, 64]))
@example("one_ulp", 1047, 1)  # weights of an interpolation that were not normalised sorted wrongly
def test_any_network(family, seed, dim):
    net = network(family, seed, input_dim=1 if family == "peaks" else dim)
    assert_certified(net, segment(net.widths[0], seed))


@pytest.mark.parametrize("n", [8, 9, 10])
def test_trained_square_networks(n):
    generator = torch.Generator().manual_seed(n)
    model, x = ap.constructions.square(n).astype(np.float32).to_torch(), torch.linspace(0, 1, 257)[:, None]
    y = x**2 + 0.05 * torch.randn(x.shape, generator=generator)
    optimiser = torch.optim.SGD(model.parameters(), lr=1e-3)
    for step in range(1000):
        optimiser.zero_grad()
        ((model(x) - y) ** 2).mean().backward()
        optimiser.step()
        if step in (0, 10, 999):
            assert_certified(ap.ReLUNetwork.from_torch(model), UNIT)


@pytest.mark.parametrize(("widths", "level"), [
    ([8] * 3, "double_double"), ([64] * 3, "float64"), ([64] * 6, "float64"), ([64] * 30, "double_double"),
    ([300], "float64"), ([1024, 30], "float64"), ([1] * 5, "double_double")])
def test_random_networks_of_all_shapes(widths, level):
    net = ap.constructions.he_random([1, *widths, 1], np.random.default_rng(3), bias_std=1.0)
    line = ap.Segment(-1, 1)
    assert_certified(net, line)
    assert getattr(ap.trace(net, line).certificate, level) > 0


@pytest.mark.parametrize("n", [16, 18])
def test_deep_sawtooth_needs_no_rational_arithmetic(n):
    function = ap.trace(ap.constructions.sawtooth(n), UNIT)
    assert function.regions == function.pieces == 2**n
    assert function.certificate.exact == 0


def test_what_coincides_is_decided_exactly():
    net = network("repeated", 0, widths=(16, 16))
    function = ap.trace(net, ap.Segment(-3, 3))
    assert function.certificate.float64 > 0
    assert function.certificate.exact > 0


def test_a_layer_that_is_off_hides_everything_below():
    net = ap.constructions.he_random([1, 20, 20, 20, 1], np.random.default_rng(0), bias_std=1.0)
    dead = ap.ReLUNetwork(net.weights, [*net.biases[:2], np.full(20, -1e3), net.biases[3]])
    function = ap.trace(dead, ap.Segment(-1, 1))
    assert function.pieces == 1 < function.regions
    assert function.certificate.exact == 0


@pytest.mark.parametrize("words", [1, 2, 4, 8])
@pytest.mark.parametrize("family", ["generic", "one_ulp", "integers", "zero_bias", "repeated", "scaled"])
def test_error_bounds_hold_everywhere(family, words):
    """The invariant of the kernels, at random points between the columns, against rational arithmetic."""
    for seed in range(8):
        net, rng = network(family, seed, widths=(7, 6, 5)), np.random.default_rng(seed)
        line = segment(1, 0)
        run = Pass(Line(net, line), line.a, line.b, words, Wanted())
        for depth in range(net.layers - 1):
            run._hidden(depth)
            found, held = run.place, run.held
            for i in rng.integers(0, len(found.t) - 1, 4):
                share = Fraction(int(rng.integers(0, 9)), 8)
                t = [Fraction(line.a) + _exactly(found.t, found.tlo, k) for k in (i, i + 1)]
                truth = _hidden_output(run.line.layers[:depth + 1], (1 - share) * t[0] + share * t[1])
                square = Fraction(0)
                for k, exact in enumerate(truth):
                    a, b = (_exactly(held.x, held.xlo, (j, k)) for j in (i, i + 1))
                    square += ((1 - share) * a + share * b - exact) ** 2
                # a column may be off its place by eta, where the layer has a slope of at most a few hundred
                bound = max(held.e[i], held.e[i + 1]) + 1e3 * max(found.eta[i], found.eta[i + 1])
                assert square <= Fraction(float(bound)) ** 2
            run._affine(run.line.layers[depth + 1])


def _exactly(array, low, index):
    rest = 0 if low is None else sum(map(Fraction, np.atleast_1d(low[index]).tolist()))
    return Fraction(float(array[index])) + rest


def _hidden_output(layers, t):
    x = [t]
    for layer in layers:
        rows = zip(layer.weights.tolist(), layer.bias.tolist(), strict=True)
        z = [sum((Fraction(w) * v for w, v in zip(row, x, strict=True)), Fraction(c)) for row, c in rows]
        x = [max(v, Fraction(0)) for v in z]
    return x


@pytest.mark.parametrize("words", [1, 2, 4, 8, 16])
@pytest.mark.parametrize("family", FAMILIES)
def test_every_level_alone(family, words):
    """Whatever the first level, the answer is the same."""
    for seed in range(12):
        net = network(family, seed, input_dim=1 if family == "peaks" else (1, 3)[seed % 2])
        line = segment(net.widths[0], seed)
        search = Search.of(net, line, Wanted(kinks=True, patterns=True))
        parts = list(search.parts(line.a, line.b, words))
        truth = trace_exact(net, line)
        assert np.array_equal(np.concatenate([part.kink for part in parts]), truth.kinks)
        patterns = [parts[0].patterns[:1], *(part.patterns[1:] for part in parts)]
        assert np.array_equal(np.concatenate(patterns), patterns_exact(net, line))


@given(st.sampled_from(FAMILIES), st.integers(0, 10**6))
def test_laws(family, seed):
    net = network(family, seed)
    line = segment(1, seed)
    regions, pieces = ap.count_regions(net, line), ap.count_pieces(net, line)
    assert 1 <= pieces <= regions <= ap.combinatorial_bound(net)
    order = [np.random.default_rng(seed).permutation(n) for n in net.widths[1:-1]]
    before, after = [slice(None), *order], [*order, slice(None)]
    shuffled = ap.ReLUNetwork([a[i][:, k] for a, i, k in zip(net.weights, after, before, strict=True)],
                              [b[i] for b, i in zip(net.biases, after, strict=True)])
    mirror = ap.Segment(-line.b, -line.a, start=line.start, direction=-line.direction)
    twins = [(shuffled, line), (net, mirror)]
    if family not in ("subnormal", "huge"):
        factors = [2.0 ** ((seed + j) % 7 - 3) for j in range(net.layers - 1)]
        twins.append((ap.constructions.rescale(net, factors), line))
    for other, where in twins:
        assert (ap.count_regions(other, where), ap.count_pieces(other, where)) == (regions, pieces)


@given(st.sampled_from(FAMILIES), st.integers(0, 10**6), st.sampled_from([-1.0, 0.0, 1 / 3, 2.5]))
@example("repeated", 603007, -1.0)  # a zone computed in float64 missed the breakpoint that it was made for
def test_splitting_the_segment(family, seed, cut):
    net = network(family, seed)
    whole = trace_exact(net, ap.Segment(-3, 3))
    parts = ap.count_regions(net, ap.Segment(-3, cut)) + ap.count_regions(net, ap.Segment(cut, 3))
    assert parts == whole.regions + (Fraction(cut) not in whole.breakpoints.tolist())


def test_count_many_pairs_and_repeats():
    nets = [ap.constructions.sawtooth(n) for n in (3, 14, 15)]
    halves = [ap.Segment(0, 0.5), UNIT, ap.Segment(0, 0.25)]
    assert ap.count_many(nets, UNIT).pieces.tolist() == [8, 2**14, 2**15]
    assert ap.count_many(nets, halves).pieces.tolist() == [4, 2**14, 2**13]
    assert ap.count_many(nets[0], halves).regions.tolist() == [4, 8, 2]
    assert ap.count_many(nets[0], UNIT).pieces.tolist() == [8]
    assert ap.count_many([], UNIT).pieces.tolist() == []
    with pytest.raises(ValueError, match="3 networks and 2 segments: give one of either, or equally many"):
        ap.count_many(nets, halves[:2])


@pytest.mark.parametrize("net", [ap.constructions.sawtooth(4, 1 / 3), ap.constructions.sawtooth(16)],
                         ids=["alone", "in threads"])
def test_count_many_can_be_interrupted(monkeypatch, net):
    """By the keyboard, once: it ends after the network, as KeyboardInterrupt and never as an error of compiled code."""
    before, counted = signal.signal(signal.SIGINT, signal.default_int_handler), []

    def interrupted(*arguments):
        counted.append(arguments)
        if len(counted) == 3:
            os.kill(os.getpid(), signal.SIGINT)
        return search(*arguments)

    search = Search.of
    monkeypatch.setattr(Search, "of", interrupted)
    try:
        with pytest.raises(KeyboardInterrupt):
            ap.count_many([net] * 500, UNIT)
        assert 3 <= len(counted) < 20
        assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    finally:
        signal.signal(signal.SIGINT, before)
