"""The crossing lemma: preactivations without their bias, both sides of the identity, and the twins layer by layer."""
from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from affinepieces.constructions import he_random
from affinepieces.networks import ReLUNetwork
from affinepieces.pieces.count import count_many, count_regions, trace
from affinepieces.pieces.piecewise import PiecewiseAffine
from affinepieces.pieces.segment import Segment
from affinepieces.theory.crossings import count_crossings, crossings_bound, expected_crossings

Array = NDArray[Any]
DRAWS = 100_000


def preactivation(net: ReLUNetwork, j: int, k: int, segment: Segment, *, exact: bool = False) -> PiecewiseAffine:
    """h of neuron k (counted from 1) of layer j along the segment: its preactivation without its bias.

    >>> from affinepieces.constructions import sawtooth
    >>> preactivation(sawtooth(4), 4, 1, Segment(0, 1)).total_variation  # the sawtooth of three layers
    array([8.])
    """
    return trace(ReLUNetwork([*net.weights[:j - 1], net.weights[j - 1][[k - 1]]],
                             [*net.biases[:j - 1], np.zeros(1)]), segment, exact=exact)


def random_network() -> ReLUNetwork:
    """Three hidden layers of width 12, weights as in He et al. (2015), normal biases of standard deviation 1."""
    return he_random([1, 12, 12, 12, 1], np.random.default_rng(43), bias_std=1.0)


def polygon(values: ArrayLike) -> PiecewiseAffine:
    """The function with these values at 0, 1, 2, ..., in between affine.

    >>> polygon([0, 1, 0]).total_variation
    array([2.])
    """
    y = np.asarray(values, dtype=float)[:, None]
    return PiecewiseAffine(np.arange(len(y)) * 1.0, y, np.ones(len(y) - 2, bool))


def random_polygon(rng: np.random.Generator) -> PiecewiseAffine:
    """3 to 59 pieces, a quarter of them flat, with steps of a size of 0.1, 1 or 10."""
    steps = rng.standard_normal(rng.integers(3, 60)) * 10.0 ** rng.integers(-1, 2)
    steps[1:][rng.random(len(steps) - 1) < 0.25] = 0.0
    return polygon(np.cumsum(steps))


def crossings_at_levels(h: PiecewiseAffine) -> tuple[Array, NDArray[np.int64]]:
    """N(s), the number of t with h(t) = s: it is counts[i] for edges[i] < s < edges[i + 1].

    >>> edges, counts = crossings_at_levels(polygon([0, 2, 1]))
    >>> edges.tolist(), counts.tolist()
    ([0.0, 1.0, 2.0], [1, 2])
    """
    edges = np.unique(h.values[:, 0])
    return edges, count_crossings(h, -(edges[1:] + edges[:-1]) / 2)


def average_over_levels(h: PiecewiseAffine, low: Any, high: Any) -> Any:
    """The mean of N(s) for s uniform on [low, high]: counts of crossings only.  A Fraction if all is exact."""
    cuts = sorted({low, high, *(y for y in h.values[:, 0] if low < y < high)})
    return sum(int(count_crossings(h, [-(u + v) / 2])[0]) * (v - u) for u, v in pairwise(cuts)) / (high - low)


def drawn(h: PiecewiseAffine, width: float, seed: Any, centre: float = 0.0) -> tuple[NDArray[np.int64], float, float]:
    """Crossings for random biases of this width around the centre, (DRAWS,); their expectation; the bound V / l."""
    b = centre + width * np.random.default_rng(seed).uniform(-0.5, 0.5, DRAWS)
    return count_crossings(h, b), float(expected_crossings(h, width, centre)), float(crossings_bound(h, width))


def in_standard_errors(counts: NDArray[np.int64], expected: float) -> float:
    """Mean of the counts minus what is expected; where all counts agree the error is taken for 1 / n, not for 0."""
    error = max(counts.std() / np.sqrt(len(counts)), 1 / len(counts))
    return float((counts.mean() - expected) / error)


def random_test(seed: int) -> tuple[float, float]:
    """Deviations of the mean from the identity and from the bound, in standard errors, for one `random_polygon`."""
    rng = np.random.default_rng([7, seed])
    h = random_polygon(rng)
    width, centre = np.ptp(h.values) * rng.uniform(0.1, 1.5), -rng.choice(h.values[:, 0])
    counts, expected, bound = drawn(h, width, [8, seed], centre)
    return in_standard_errors(counts, expected), in_standard_errors(counts, bound)


def neuron_by_layer(net: ReLUNetwork, k: int, width: float,
                    segment: Segment) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Expected crossings of neuron k (from 1) of each hidden layer under noise of its bias, and the bounds V / l."""
    hs = [preactivation(net, j, k, segment) for j in range(1, net.layers)]
    expected = [expected_crossings(h, width, b[k - 1]) for h, b in zip(hs, net.biases, strict=False)]
    return np.array(expected), np.array([crossings_bound(h, width) for h in hs])


def regions_added(net: ReLUNetwork, j: int, width: float, draws: int, seed: int,
                  segment: Segment) -> NDArray[np.int64]:
    """Regions that layer j adds when its biases receive noise of this width, (draws,): certified counts."""
    rng, ones = np.random.default_rng(seed), np.ones((1, net.widths[j]))
    below = ReLUNetwork([*net.weights[:j - 1], np.ones((1, net.widths[j - 1]))], [*net.biases[:j - 1], [0.0]])
    nets = [ReLUNetwork([*net.weights[:j], ones], [*net.biases[:j - 1], net.biases[j - 1] + noise, [0.0]])
            for noise in rng.uniform(-width / 2, width / 2, (draws, net.widths[j]))]
    return np.asarray(count_many(nets, segment).regions - count_regions(below, segment))


def layer_by_neuron(net: ReLUNetwork, j: int, width: float,
                    segment: Segment) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """For each neuron of layer j, (N_j,): expected crossings under noise of its bias, and the bound V / l."""
    hs = [preactivation(net, j, k, segment) for k in range(1, net.widths[j] + 1)]
    expected = [expected_crossings(h, width, b) for h, b in zip(hs, net.biases[j - 1], strict=True)]
    return np.array(expected), np.array([crossings_bound(h, width) for h in hs])
