"""Perturbed gradient descent: what an update may do to the biases, (A) and (B) measured, and training with noise."""
from __future__ import annotations

from collections.abc import Sequence
from itertools import count
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from affinepieces.chapters.one_step import after_step
from affinepieces.constructions import he_random
from affinepieces.descent.gradients import gradients
from affinepieces.descent.machines import Native
from affinepieces.descent.noise import Perturbed
from affinepieces.descent.runs import Run
from affinepieces.descent.training import train_many
from affinepieces.descent.updates import exact_update, perturbed_network
from affinepieces.networks import ReLUNetwork
from affinepieces.parameters import Parameters
from affinepieces.pieces.count import count_many
from affinepieces.study.tasks import UNIT, noisy_labels
from affinepieces.theory.assumptions import max_slope, mean_reciprocal, nonzero_updates, zero_update_crossings
from affinepieces.theory.fit import residual_lower_bound

Floats = NDArray[np.float64]
RATE = 2.0**-8
NOISE = 0.1  # of labels: standard deviation


def step_towards_noise(net: ReLUNetwork, seed: int) -> Parameters:
    """The exact update for 32 random points of [0, 1], labelled with the network's own values and normal noise."""
    return exact_update(net, *noisy_labels(net, NOISE, seed), RATE)


def random_network(seed: int) -> ReLUNetwork:
    """Four hidden layers of width 16, weights as in He et al. (2015), biases of standard deviation 0.1."""
    return he_random([1, 16, 16, 16, 16, 1], np.random.default_rng([16, 5, seed]), 0.1)


def random_with_sign_changes() -> ReLUNetwork:
    """The first `random_network` in which neurons without update change their sign on [0, 1] after it.

    The update is that for x^2 at 64 points, perturbed with delta = 1.
    """
    x = np.linspace(0, 1, 64)[:, None]
    nets = (random_network(seed) for seed in count())
    return next(net for net in nets if assumptions(net, x, x**2, 1.0, 1)[3])


def interval_ends(update: Parameters, delta: float) -> list[Floats]:
    """For each hidden layer (N_j, 2): the least and the largest change of each bias in a perturbed update.

    >>> interval_ends(Parameters((np.ones((1, 1)),) * 2, (np.array([-0.5]), np.zeros(1))), delta=2.0)
    [array([[-1.5,  0.5]])]
    """
    return [np.sort(np.outer(moves, [1 - delta, 1 + delta]), axis=1) for moves in update.biases[:-1]]


def median_draw(net: ReLUNetwork, update: Parameters, delta: float, draws: int) -> tuple[ReLUNetwork, int]:
    """Of so many draws of the perturbed update the one with the (lower) median number of pieces on [0, 1]; and it."""
    nets = after_step(net, update, delta, draws)
    pieces = count_many(nets, UNIT).pieces
    middle = int(np.argsort(pieces, kind="stable")[(draws - 1) // 2])
    return nets[middle], int(pieces[middle])


def assumptions(net: ReLUNetwork, x: ArrayLike, y: ArrayLike, delta: float,
                draws: int) -> tuple[int, float, float, int]:
    """What (A) and (B) ask for on [0, 1], for one update: M, p, C, and sign changes of neurons without update.

    The last two are the largest of so many draws of the network after the update.
    """
    update = exact_update(net, x, y, RATE)
    nets = after_step(net, update, delta, draws)
    return (nonzero_updates(update), mean_reciprocal(update), max(max_slope(n, UNIT) for n in nets),
            max(zero_update_crossings(n, UNIT, update) for n in nets))


def sensitivities(net: ReLUNetwork, x: Floats) -> Floats:
    """max_i |df(x_i)/db| for each hidden bias, (hidden neurons,), in float64.  x: (D, 1); one output.

    df/db is the derivative of the loss |f(x_i) - y|^2 by b where the residual is 1/2.
    """
    each = [gradients(net, [point], net([point]) - 0.5, Native()).biases[:-1] for point in x]
    return np.asarray(np.abs([np.concatenate(biases) for biases in each]).max(axis=0))


def residual_and_bound(net: ReLUNetwork, x: Floats, y: Floats) -> tuple[float, float]:
    """The mean residual before the step, and what (A) with the measured p asks for at least."""
    update = exact_update(net, x, y, RATE)
    moved = update.hidden_biases() != 0
    bound = residual_lower_bound(RATE, mean_reciprocal(update), float(sensitivities(net, x)[moved].mean()))
    return float(np.abs(net(x) - y).mean()), bound


def pieces_in_training(net: ReLUNetwork, scale: float, noise: float, delta: float, recorded: Sequence[int],
                       seeds: Sequence[int]) -> NDArray[np.int64]:
    """Pieces on [0, 1] at the recorded steps, (len(seeds), len(recorded)); other points and noise for each seed.

    The labels are the values of the network, times `scale`, with normal noise of standard deviation `noise`.
    """
    runs = []
    for seed in seeds:
        x, y = noisy_labels(net, noise, seed)
        runs.append(Run(net, x, y + (scale - 1) * net(x), RATE, max(recorded), record=list(recorded), seed=seed,
                        noise=Perturbed(delta)))
    return np.array([history.count(UNIT).pieces for history in train_many(runs)])


def drawn_noise(net: ReLUNetwork, update: Parameters, delta: float, draws: int,
                rng: np.random.Generator) -> tuple[Floats, Floats]:
    """Theta of the biases that have an update, (draws, M), and the moves of the others, (draws, hidden neurons - M).

    Read off from the networks after the update.
    """
    start, moves = np.concatenate(net.biases[:-1]), update.hidden_biases()
    nets = [perturbed_network(net, update, delta, rng) for _ in range(draws)]
    gone = np.array([np.concatenate(n.biases[:-1]) for n in nets]) - start
    return gone[:, moves != 0] / moves[moves != 0] - 1, gone[:, moves == 0]


def distance_to_uniform(values: NDArray[Any], low: float, high: float) -> float:
    """Kolmogorov's distance: the largest gap between the distribution functions.

    >>> distance_to_uniform(np.array([0.25, 0.75]), 0, 1)
    0.25
    """
    at, n = np.clip((np.sort(values) - low) / (high - low), 0, 1), len(values)
    return float(max((at - np.arange(n) / n).max(), (np.arange(1, n + 1) / n - at).max()))
