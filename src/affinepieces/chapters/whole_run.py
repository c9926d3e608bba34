"""Whole runs of perturbed gradient descent: what they maintain, when they stand still, what one step would allow."""
from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.stats import binomtest

from affinepieces.chapters.one_step import after_step
from affinepieces.descent.history import History
from affinepieces.descent.noise import Perturbed
from affinepieces.descent.runs import Run
from affinepieces.descent.training import train_many
from affinepieces.descent.updates import exact_update
from affinepieces.networks import ReLUNetwork
from affinepieces.pieces.count import count_many
from affinepieces.study.tasks import UNIT, noisy_labels
from affinepieces.theory.one_step import data_driven_bound, depth_budget_bound

Floats = NDArray[np.float64]
NOISE = 0.1  # of labels: standard deviation


class Runs(NamedTuple):
    """Several runs at the same steps.  Arrays of shape (runs, steps); after a run has diverged 0 and False."""

    regions: NDArray[np.int64]
    pieces: NDArray[np.int64]
    still: NDArray[np.bool_]
    histories: list[History]


def silent(net: ReLUNetwork, x: Floats) -> bool:
    """Whether no neuron of the last hidden layer is active at any data point.

    Then no weight and no hidden bias has a gradient.  x: (D, N_0).

    >>> from affinepieces.constructions import hat
    >>> silent(hat(), np.array([[-0.5], [0.0]])), silent(hat(), np.array([[0.25]]))
    (True, False)
    """
    h: Any = np.asarray(x).T
    for a, b in zip(net.weights[:-1], net.biases[:-1], strict=False):
        h = np.maximum(a @ h + b[:, None], 0)
    return not h.any()


def follow(net: ReLUNetwork, delta: float, rate: float, steps: Sequence[int], labels: Sequence[int]) -> Runs:
    """Perturbed gradient descent from the network, one run for each of the seeds in `labels`, counted after the steps.

    Two runs with the same seed have the same 32 points and noisy labels; the perturbations are always others.  A run is
    counted until it stands still: then its regions and pieces stay as they are.
    """
    data = {seed: noisy_labels(net, NOISE, seed) for seed in labels}
    histories = train_many([Run(net, *data[seed], rate, max(steps), record=list(steps), seed=i,
                                noise=Perturbed(delta)) for i, seed in enumerate(labels)])
    still = np.zeros((len(labels), len(steps)), bool)
    last = np.full((len(labels), len(steps)), -1)  # where in `moving` the network is that has the counts
    moving: list[ReLUNetwork] = []
    for i, history in enumerate(histories):
        known = dict(zip(history.steps.tolist(), history.networks, strict=True))
        for j, step in enumerate(steps):
            if j and still[i, j - 1]:
                still[i, j], last[i, j] = True, last[i, j - 1]
            elif step in known:
                still[i, j], last[i, j] = silent(known[step], history.run.x), len(moving)
                moving.append(known[step])
    counts = count_many(moving, UNIT)
    regions, pieces = (np.append(values, 0)[last] for values in (counts.regions, counts.pieces))
    return Runs(regions, pieces, still, histories)


def upper_mean(values: NDArray[Any]) -> float:
    """Mean and four standard errors, which the expectation hardly exceeds.

    >>> upper_mean(np.array([1, 1, 3, 3]))  # 2, and 4 times 1 / sqrt(4)
    4.0
    """
    return float(values.mean() + 4 * values.std() / np.sqrt(len(values)))


def maintained(counts: NDArray[np.int64], least: float) -> NDArray[np.int64]:
    """How many runs have had at least so many after each of the steps up to this one.  counts: (runs, steps).

    >>> maintained(np.array([[5, 5, 1], [5, 1, 5]]), least=2).tolist()
    [2, 1, 0]
    """
    return np.asarray(np.logical_and.accumulate(counts >= least, axis=1).sum(axis=0))


def limits(hits: Sequence[int] | NDArray[np.int64], trials: int) -> Floats:
    """Shares and their 95 percent limits after Clopper and Pearson, (3, len(hits)).

    >>> limits([0], 100).round(3).tolist()
    [[0.0], [0.0], [0.036]]
    """
    intervals = [binomtest(int(h), trials).proportion_ci(0.95, "exact") for h in hits]
    return np.array([[h / trials for h in hits], [i.low for i in intervals], [i.high for i in intervals]])


def first_step_bounds(net: ReLUNetwork, delta: float, rate: float, label: int, draws: int) -> tuple[float, float]:
    """Depth budget and data-driven bound of the regions after the first step, estimated from draws of their own."""
    update = exact_update(net, *noisy_labels(net, NOISE, label), rate)
    arguments = after_step(net, update, delta, draws), UNIT, update.biases[:-1], delta
    return depth_budget_bound(*arguments), data_driven_bound(*arguments)
