"""One perturbed step: draws of it, what each layer adds, and where the proof of Theorem 3.4 loses."""
from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import count
from typing import Any

import numpy as np
from numpy.typing import NDArray

from affinepieces.constructions import he_random
from affinepieces.descent.updates import exact_update, perturbed_network
from affinepieces.networks import ReLUNetwork
from affinepieces.parameters import Parameters
from affinepieces.pieces.count import count_many
from affinepieces.pieces.piecewise import PiecewiseAffine
from affinepieces.pieces.segment import Segment
from affinepieces.theory.assumptions import (
    max_slope,
    mean_reciprocal,
    preactivations,
    sign_changes,
    variations,
    zero_update_crossings,
)
from affinepieces.theory.crossings import expected_crossings
from affinepieces.theory.one_step import (
    data_driven_bound,
    data_driven_terms,
    expected_regions_bound,
    polynomial_bound,
)

Floats = NDArray[np.float64]
WIDE = Segment(-1, 1)
POINTS = np.linspace(-1, 1, 33)[:, None]
RATE = 2.0**-4


def random_problem(depth: int, width: int, seed: int) -> tuple[ReLUNetwork, Parameters]:
    """A random network, weights as in He et al. (2015), and its exact update for fitting x^2 on [-1, 1].

    >>> net, update = random_problem(3, 8, 0)
    >>> net.widths, update.hidden_biases().shape
    ((1, 8, 8, 8, 1), (24,))
    """
    shape, rng = [1, *[width] * depth, 1], np.random.default_rng([depth, width, seed])
    net = he_random(shape, rng, bias_std=0.5)
    return net, exact_update(net, POINTS, POINTS**2, RATE)


def first_without_zeros(depth: int, width: int) -> int:
    """The first seed of `random_problem` for which no hidden update is zero."""
    return next(seed for seed in count() if random_problem(depth, width, seed)[1].hidden_biases().all())


def after_step(net: ReLUNetwork, update: Parameters, delta: float, draws: int) -> list[ReLUNetwork]:
    """So many independent draws of the network after one perturbed step; the same ones at each call."""
    return [perturbed_network(net, update, delta, np.random.default_rng(seed)) for seed in range(draws)]


def only_biases(net: ReLUNetwork, moves: Sequence[NDArray[Any]]) -> Parameters:
    """An update of the hidden biases, and of nothing else.  moves: for each hidden layer (N_j,)."""
    return Parameters(tuple(0 * a for a in net.weights), (*moves, 0 * net.biases[-1]))


def noisy_biases(net: ReLUNetwork, width: float, draws: int) -> list[ReLUNetwork]:
    """The network after a step that leaves its hidden biases where they are, up to noise of this width.

    It starts one update of that length below and takes the update with delta = 1/2.
    """
    before = ReLUNetwork(net.weights, [*(b - width for b in net.biases[:-1]), net.biases[-1]])
    return after_step(before, only_biases(before, [np.full(len(b), width) for b in net.biases[:-1]]), 0.5, draws)


def added_by_layer(net: ReLUNetwork, width: float, draws: int, segment: Segment) -> tuple[Floats, Floats, Floats]:
    """For each hidden layer, means over draws of `noisy_biases`: three arrays of shape (L - 1,).

    Regions that doubling would add: N_j times those of the layers below.  Regions that Lemma 3.1 allows: the sum over
    the neurons of V / width.  Regions that the layer adds.
    """
    nets = noisy_biases(net, width, draws)
    added = np.mean([[layer.sum() for layer in sign_changes(n, segment)] for n in nets], axis=0)
    below = 1 + np.concatenate([[0.0], np.cumsum(added)[:-1]])
    allowed = np.mean([[v.sum() / width for v in variations(n, segment)] for n in nets], axis=0)
    return np.array(net.widths[1:-1]) * below, allowed, added


def regions_and_bounds(net: ReLUNetwork, update: Parameters, deltas: Sequence[float], draws: int,
                       segment: Segment) -> tuple[NDArray[np.int64], dict[str, Floats]]:
    """Regions after a perturbed step, shape (len(deltas), draws), and the bounds for each level of perturbation."""
    nets, moves = [after_step(net, update, delta, draws) for delta in deltas], update.biases[:-1]
    slopes = [np.mean([max_slope(n, segment) for n in several]) for several in nets]
    pairs = list(zip(nets, deltas, strict=True))
    bounds = {"Theorem 3.4": [expected_regions_bound(float(c), segment.length, moves, d)
                              for c, d in zip(slopes, deltas, strict=True)],
              "data-driven": [data_driven_bound(several, segment, moves, d) for several, d in pairs]}
    return (np.array([count_many(several, segment).regions for several in nets]),
            {name: np.array(values) for name, values in bounds.items()})


def crossings_given_the_rest(after: ReLUNetwork, before: ReLUNetwork, moves: Sequence[Floats], delta: float,
                             segment: Segment) -> float:
    """1 and, for each neuron, the expected crossings of its bias given all other noise: Lemma 3.1 as an identity."""
    total = 1.0
    for z, b, old, move in zip(preactivations(after, segment), after.biases, before.biases, moves, strict=False):
        for k in np.flatnonzero(move):
            h = PiecewiseAffine(z.breakpoints, z.values[:, [k]] - b[k], z.kinks)
            total += float(expected_crossings(h, 2 * delta * abs(move[k]), old[k] + move[k]))
    return total


def standard_errors(gaps: Floats) -> float:
    """Mean over its standard error."""
    return float(gaps.mean() / (gaps.std(ddof=1) / np.sqrt(len(gaps))))


def steps_of_the_proof(seed: int, draws: int = 20) -> tuple[float, ...] | None:
    """Measured mean, data-driven bound, with C |Omega| for V, with (L - 1) N for M; 4 layers of width 8, delta = 1.

    None where a neuron without update changes its activity: then the second half of (A) does not hold.
    """
    net, update = random_problem(4, 8, seed)
    moves, nets = update.biases[:-1], after_step(net, update, 1.0, draws)
    if any(zero_update_crossings(n, WIDE, moves) for n in nets):
        return None
    slope, p = float(np.mean([max_slope(n, WIDE) for n in nets])), mean_reciprocal(moves)
    return (float(count_many(nets, WIDE).regions.mean()), data_driven_bound(nets, WIDE, moves, 1.0),
            expected_regions_bound(slope, WIDE.length, moves, 1.0),
            polynomial_bound(slope, WIDE.length, 4, 8, p, 1.0))


def ladder_of_the_proof(seeds: Sequence[int], keep: int) -> dict[str, Floats]:
    """The first `keep` networks of these seeds to which the theorem applies: label -> (keep,) numbers."""
    rows = [row for row in map(steps_of_the_proof, seeds) if row][:keep]
    return dict(zip(("measured", "data-driven", "$C|\\Omega|$ for $V$", "$(L-1)N$ for $M$"),
                    np.array(rows).T, strict=True))


def noise_and_range(seed: int) -> tuple[Floats, float]:
    """Noise over the range of h for each updated neuron, and the largest share of one neuron in the sum of 1/|Delta|.

    4 layers of width 8, delta = 1.
    """
    net, update = random_problem(4, 8, seed)
    ranges = np.concatenate([np.ptp(z.values, axis=0) for z in preactivations(net, WIDE)])
    moved = (update.hidden_biases() != 0) & (ranges > 0)
    sizes = np.abs(update.hidden_biases()[moved])
    return 2 * sizes / ranges[moved], float((1 / sizes).max() / (1 / sizes).sum())


def with_carriers(layers: int, width: int) -> tuple[ReLUNetwork, Parameters]:
    """In each layer neuron 0 carries t with zero update, and the others read it and move by -1/2."""
    read = np.eye(width)[[0] * width]
    net = ReLUNetwork([np.ones((width, 1)), *[read] * (layers - 1), read[:1]],
                      [np.zeros(width)] * layers + [np.zeros(1)])
    return net, only_biases(net, [-0.5 * (np.arange(width) > 0)] * layers)


def configuration(seed: int) -> tuple[ReLUNetwork, Parameters, float]:
    """A random network, an update and a delta; every other time the exact update, else a random one, half with zeros.

    2 to 8 hidden layers of width 2 to 32, delta from 1e-6 to 1.
    """
    rng = np.random.default_rng([8, seed])
    depth, width = int(rng.integers(2, 9)), int(2 ** rng.uniform(1, 5.04))
    net, update = random_problem(depth, width, seed)
    if seed % 2:
        size, zeros = 10.0 ** rng.uniform(-3, 1), rng.choice([0.0, 0.5])
        update = only_biases(net, [size * rng.standard_normal(width) * (rng.random(width) >= zeros)
                                   for _ in range(depth)])
    return net, update, 10.0 ** rng.uniform(-6, 0)


def checked(seed: int, draws: int = 25) -> Mapping[str, float]:
    """A `configuration` after its step: the regions' excess over the data-driven bound, in standard errors; ratios.

    ratio: data-driven bound over mean regions.  constants: data-driven bound over that with constants, nan where the
    second half of (A) does not hold.
    """
    net, update, delta = configuration(seed)
    moves, nets = update.biases[:-1], after_step(net, update, delta, draws)
    regions, terms = count_many(nets, WIDE).regions, data_driven_terms(nets, WIDE, moves, delta)
    gaps = regions - terms
    constants = np.nan
    if not any(zero_update_crossings(n, WIDE, moves) for n in nets):
        slope = float(np.mean([max_slope(n, WIDE) for n in nets]))
        constants = terms.mean() / expected_regions_bound(slope, WIDE.length, moves, delta)
    return {"excess": standard_errors(gaps) if np.ptp(gaps) else np.sign(gaps[0]) * np.inf if gaps[0] else 0.0,
            "ratio": float(terms.mean() / regions.mean()), "constants": float(constants)}
