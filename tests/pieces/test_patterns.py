"""Certified activation patterns against exact ones, on the networks on which signs go wrong."""
import numpy as np
import pytest

import affinepieces as ap
from affinepieces.pieces import certified
from affinepieces.pieces.exact import patterns_exact
from families import FAMILIES, network, segment


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("family", FAMILIES)
def test_equal_to_the_exact_patterns(family, dtype):
    for seed in range(20):
        dim = 1 if family == "peaks" else (1, 2, 64)[seed % 3]
        net = network(family, seed, dtype, dim, None if seed % 2 else (10, 9, 8))
        line = segment(net.widths[0], seed)
        assert np.array_equal(ap.activation_patterns(net, line), patterns_exact(net, line))


def test_signs_that_float64_gets_wrong(monkeypatch):
    """z = (w' - w) x - c with neighbouring floats w, w' is far below the rounding of its terms."""
    w, line = 1 / 3, ap.Segment(0, 1)
    monkeypatch.setattr(certified, "layers_exact", None)
    for crossing in np.linspace(0.05, 0.95, 19):
        c = crossing * (np.nextafter(w, 1) - w)
        net = ap.ReLUNetwork([[[w], [np.nextafter(w, 1)]], [[-1.0, 1.0]], [[1.0]]], [[1.0, 1.0], [-c], [0.0]])
        assert ap.activation_patterns(net, line).tolist() == [[True, True, False], [True, True, True]]


@pytest.mark.parametrize("bias", [1e-30, 0.0])
def test_above_a_dead_layer_everything_is_exact(monkeypatch, bias):
    net = ap.constructions.he_random([1, 20, 20, 20, 1], np.random.default_rng(0), bias_std=1.0)
    dead = ap.ReLUNetwork(net.weights, [net.biases[0], np.full(20, -1e3), np.full(20, bias), net.biases[3]])
    monkeypatch.setattr(certified, "layers_exact", None)
    found = ap.activation_patterns(dead, ap.Segment(-1, 1))
    assert not found[:, 20:40].any()
    assert np.all(found[:, 40:] == (bias > 0))


def test_only_what_is_in_doubt_is_decided_exactly(monkeypatch):
    net = ap.constructions.he_random([1, 20, 20, 20, 1], np.random.default_rng(0), bias_std=1.0)
    line = ap.Segment(-2, 2)
    truth = patterns_exact(net, line)
    monkeypatch.setattr(certified, "layers_exact", None)
    assert np.array_equal(ap.activation_patterns(net, line), truth)


def test_without_hidden_layers():
    assert ap.activation_patterns(ap.ReLUNetwork([[[1.0]]], [[0.0]]), ap.Segment(0, 1)).shape == (1, 0)
