"""Chains of layers: rows without ReLU, held against an independent walk with Fractions."""
import itertools
from fractions import Fraction

import numpy as np
import pytest
from scipy.sparse import csr_array

import affinepieces as ap
import oracle
from affinepieces.chapters.networks import larger_of_pairs
from affinepieces.layers import Chain, Kind
from affinepieces.sparse import SparseMatrix
from oracle import _affine

UNIT = ap.Segment(-1, 2)


def chain(seed):
    """A random chain, often degenerate: small integers, zero biases, rows that repeat, two affine maps in a row."""
    rng = np.random.default_rng([14, seed])
    depth, dims = int(rng.integers(1, 5)), int(rng.integers(1, 3))
    widths = [dims, *rng.integers(1, 6, depth).tolist(), int(rng.integers(1, 3))]
    weights = [rng.standard_normal((n, m)) for m, n in itertools.pairwise(widths)]
    biases = [rng.standard_normal(n) * rng.integers(0, 2) for n in widths[1:]]
    if seed % 3 == 0:
        weights, biases = [np.round(w) for w in weights], [np.round(b) for b in biases]
    if seed % 5 == 0:
        for w, b in zip(weights[:-1], biases[:-1], strict=True):
            w[-1], b[-1] = w[0], b[0]
    kinds = [[list(Kind)[int(k)] for k in rng.choice(3, n, p=(0.4, 0.2, 0.4))] for n in widths[1:-1]]
    if seed % 7 == 0:
        kinds[0] = [Kind.CARRIED] * len(kinds[0])
    line = UNIT if dims == 1 else ap.Segment(-2, 2.5, start=rng.standard_normal(2), direction=rng.standard_normal(2))
    return Chain(weights, biases, kinds), line


def step(net, line, t):
    """Pattern, slope and end of the region that begins at t."""
    v = [Fraction(float(s)) + t * Fraction(float(d)) for s, d in zip(line.start, line.direction, strict=True)]
    d = [Fraction(float(x)) for x in line.direction]
    pattern, end = [], Fraction(line.b)
    for a, b, kinds in zip(net.weights[:-1], net.biases[:-1], net.kinds, strict=True):
        z, dz = _affine(a, b, v, d)
        on = [kind is Kind.CARRIED or p > 0 or (p == 0 and q > 0) for p, q, kind in zip(z, dz, kinds, strict=True)]
        for p, q, kind in zip(z, dz, kinds, strict=True):
            if kind is not Kind.CARRIED and q != 0 and -p / q > 0:
                end = min(end, t - p / q)
        pattern += [o for o, kind in zip(on, kinds, strict=True) if kind is not Kind.CARRIED]
        v = [p if o else Fraction(0) for p, o in zip(z, on, strict=True)]
        d = [q if o else Fraction(0) for q, o in zip(dz, on, strict=True)]
    return pattern, _affine(net.weights[-1], net.biases[-1], v, d)[1], end


def walk(net, line):
    """(boundaries of regions, patterns, pieces), by definition."""
    t, steps = Fraction(line.a), []
    while t < line.b:
        pattern, slope, end = step(net, line, t)
        steps.append((t, pattern, slope))
        t = end
    kept = [steps[0], *(right for left, right in itertools.pairwise(steps) if left[1] != right[1])]
    kinks = sum(left[2] != right[2] for left, right in itertools.pairwise(steps))
    return [s[0] for s in kept[1:]], [s[1] for s in kept], kinks + 1


@pytest.mark.parametrize("first", range(0, 400, 40))
def test_random_chains(first):
    for seed in range(first, first + 40):
        net, line = chain(seed)
        boundaries, patterns, pieces = walk(net, line)
        exact = ap.trace(net, line, exact=True)
        assert exact.breakpoints[1:-1].tolist() == boundaries
        assert (exact.regions, exact.pieces) == (len(boundaries) + 1, pieces)
        assert ap.count_regions(net, line) == len(boundaries) + 1
        assert ap.count_pieces(net, line) == pieces
        assert ap.activation_patterns(net, line).tolist() == patterns
        function = ap.trace(net, line)
        assert (function.regions, function.pieces) == (len(boundaries) + 1, pieces)
        assert np.all(np.abs(function.breakpoints - exact.breakpoints.astype(float)) <= function.radius + 1e-15)


def test_counting_many_chains():
    nets, lines = zip(*(chain(seed) for seed in range(60)), strict=True)
    counts = ap.count_many(nets, lines)
    assert counts.pieces.tolist() == [ap.count_pieces(net, line) for net, line in zip(nets, lines, strict=True)]


def test_a_network_is_the_chain_without_carried_rows():
    net = ap.constructions.gentle_sawtooth(8, 0.4)
    same = Chain(net.weights, net.biases, [[Kind.NEURON] * 2] * 8)
    assert ap.count_many([net, same], ap.Segment(0, 1)).pieces.tolist() == [320, 320]


def test_pieces_do_not_depend_on_an_affine_map_that_is_split():
    rng = np.random.default_rng(3)
    for seed in range(20):
        net = ap.constructions.he_random([1, 5, 5, 1], np.random.default_rng(seed), bias_std=0.5)
        order, powers = rng.permutation(5), 2.0 ** rng.integers(-3, 4, 5)
        mixed = np.diag(powers)[order]  # first this, then its inverse: exact
        weights = [net.weights[0], mixed, net.weights[1] @ np.linalg.inv(mixed), net.weights[2]]
        biases = [net.biases[0], np.zeros(5), *net.biases[1:]]
        kinds = [[Kind.NEURON] * 5, [Kind.CARRIED] * 5, [Kind.NEURON] * 5]
        split = Chain(weights, biases, kinds)
        counts = ap.count_many([net, split], UNIT)
        assert counts.regions[0] == counts.regions[1]
        assert counts.pieces[0] == counts.pieces[1]


@pytest.mark.parametrize(("kinds", "message"), [
    ([[Kind.NEURON]], r"kinds have lengths \[1\], expected \[2\]"),
    ([["relu", "relu"]], "kinds holds 'relu', expected one of Kind.NEURON"),
    (["xy"], "kinds is .*, expected a sequence for each layer"), (None, "kinds is None, expected a sequence")])
def test_bad_chains(kinds, message):
    with pytest.raises((TypeError, ValueError), match=message):
        Chain([[[1.0], [1.0]], [[1.0, 1.0]]], [[0.0, 0.0], [0.0]], kinds)


@pytest.mark.parametrize("seed", range(60))
def test_what_is_measured_of_neurons_leaves_out_comparisons_and_carried_rows(seed):
    net, line = chain(seed)
    patterns = np.array(walk(net, line)[1])
    kinds = [kind for layer in net.kinds for kind in layer if kind is not Kind.CARRIED]
    layers = [j for j, layer in enumerate(net.kinds) for kind in layer if kind is not Kind.CARRIED]
    mine = [[k for k, (kind, j) in enumerate(zip(kinds, layers, strict=True)) if kind is Kind.NEURON and j == depth]
            for depth in range(len(net.kinds))]
    mine = [columns for columns in mine if columns]
    changes = [(patterns[1:, c] != patterns[:-1, c]).sum(axis=0).tolist() for c in mine]
    assert [v.tolist() for v in ap.sign_changes(net, line)] == changes
    assert [v.tolist() for v in ap.dead_neurons(net, line)] == [(~patterns[:, c].any(axis=0)).tolist() for c in mine]
    exact = [z.total_variation for z in ap.preactivations(net, line, exact=True)]
    for total, bound in zip(exact, ap.variations(net, line), strict=True):
        assert all(v <= Fraction(float(w)) for v, w in zip(total, bound, strict=True))
        assert np.allclose(total.astype(float), bound, rtol=1e-8)


def test_rows_of_a_sparse_matrix():
    dense = np.array([[0.0, 2.0, 0.0], [0.0, 0.0, 0.0], [1.0, 0.0, 3.0]])
    matrix = SparseMatrix.of(csr_array(dense))
    assert np.array_equal(matrix.of_rows(np.array([True, False, True])).dense(), dense[[0, 2]])


@pytest.mark.parametrize("seed", range(100))
def test_sparse_layers_count_as_dense_ones(seed):
    net, line = chain(seed)
    rng = np.random.default_rng(seed)
    weights = [w * (rng.random(w.shape) < 0.6) for w in net.weights]
    dense, sparse = (Chain(w, net.biases, net.kinds) for w in (weights, [csr_array(w) for w in weights]))
    assert trace_of(dense, line) == trace_of(sparse, line)
    x = line.at(np.linspace(line.a, line.b, 5))
    assert np.allclose(dense(x), sparse(x), rtol=1e-12, atol=1e-12)
    assert ap.trace(sparse, line, exact=True) == ap.trace(dense, line, exact=True)


def trace_of(net, line):
    found = ap.trace(net, line)
    return found.regions, found.pieces, found.kinks.tolist(), ap.activation_patterns(net, line).tolist()


@pytest.mark.parametrize("seed", range(60))
def test_maxima_that_all_change_their_order_at_one_point_or_nearly(seed):
    """Forty numbers in pairs, most of which are equal at one point: exactly, or up to the rounding of their biases."""
    rng = np.random.default_rng([15, seed])
    tie, slopes = (0.0, 0.5, 0.3)[seed % 3], rng.standard_normal((40, 1))
    if seed % 2:
        slopes = np.round(4 * slopes)
    heights = np.repeat(rng.standard_normal(20), 2) + (rng.random(40) < 0.1) * 1e-3
    net = ap.ReLUNetwork([slopes, np.ones((1, 40))], [heights - tie * slopes[:, 0], np.zeros(1)])
    pairs = larger_of_pairs(net, rng.standard_normal(20))
    found, exact = ap.trace(pairs, UNIT), ap.trace(pairs, UNIT, exact=True)
    assert (found.regions, found.pieces, found.kinks.tolist()) == (exact.regions, exact.pieces, exact.kinks.tolist())
    oracle.assert_encloses(found.values, found.value_radius, exact.values)
    oracle.assert_encloses(found.slopes, found.slope_radius, exact.slopes)
    oracle.assert_encloses(found.breakpoints[:, None], found.radius, exact.breakpoints[:, None])


@pytest.mark.parametrize("seed", range(40))
def test_carried_rows_cut_no_region(seed):
    net, line = chain(seed)
    assert ap.count_pieces(net, line) <= ap.count_regions(net, line) <= ap.combinatorial_bound(net)
