"""Assumption (A): how small are the bias updates, and do dead neurons stay dead?"""
from __future__ import annotations

from collections.abc import Iterator
from itertools import product
from typing import Any

import numpy as np

from affinepieces.descent.history import History
from affinepieces.descent.runs import Run
from affinepieces.descent.training import train_many
from affinepieces.study.experiment import Experiment, Result
from affinepieces.study.tasks import ONE_DIMENSIONAL, UNIT, points, random_start, seeds
from affinepieces.theory.assumptions import mean_reciprocal, nonzero_updates, revived_neurons

STEPS = (0, 10, 100)  # updates are looked at after these
LEVELS = (0.05, 0.5, 0.95)
RATE = 2.0**-6
STARTS = ("he_biases", "he", "uniform")  # all of them for the task "square"
LARGEST = 2048  # neurons of a network


def measure(task: str, start: str, depth: int, width: int, seed: int) -> Result:
    """Sizes of the hidden bias updates, relative to the learning rate, of one run in float64.

    Lists have an entry for each of `STEPS`, and in them, where it says so, for each hidden layer.
    zero: share of updates that are zero.  reciprocal: p of assumption (A).  moving: how many updates are not zero.
    quantiles: log2 of quantiles of |Delta_b| at `LEVELS`, for each layer, None where all are zero.
    revived: hidden neurons that are dead on [0, 1] before a step and not after it, proved; None for digits.
    """
    net = random_start(start, task, depth, width, seed)
    record = sorted({k + i for k in STEPS for i in (0, 1)})
    run = Run(net, *points(task, seed), RATE, record[-1], record=record, seed=seed)
    history = train_many([run], workers=1)[0]
    at = {int(k): i for i, k in enumerate(history.steps)}
    steps = [at[k] for k in STEPS if k in at and k + 1 in at]
    sizes = [[np.abs(layer) / RATE for layer in history.updates[i]] for i in steps]
    return {"run": run.digest(), "complete": history.complete, "losses": [float(history.losses[i]) for i in steps],
            "zero": [float(np.mean(np.concatenate(s) == 0)) for s in sizes],
            "reciprocal": [float(mean_reciprocal(s)) for s in sizes],
            "moving": [int(nonzero_updates(s)) for s in sizes],
            "quantiles": [[_quantiles(layer) for layer in s] for s in sizes],
            "revived": None if task == "digits" else [_revived(history, i) for i in steps]}


def _quantiles(sizes: Any) -> list[float] | None:
    positive = sizes[sizes > 0]
    return np.quantile(np.log2(positive), LEVELS).tolist() if len(positive) else None


def _revived(history: History, i: int) -> int:
    return int(revived_neurons(history.networks[i], history.networks[i + 1], UNIT))


def _cases(tasks: tuple[str, ...], depths: tuple[int, ...], widths: tuple[int, ...],
           chosen: list[int]) -> Iterator[dict[str, Any]]:
    for task, start, depth, width, seed in product(tasks, STARTS, depths, widths, chosen):
        if depth * width <= LARGEST and (task == "square" or start == STARTS[0]):
            yield {"task": task, "start": start, "depth": depth, "width": width, "seed": seed}


EXPERIMENT = Experiment(
    "updates", "How large are the bias updates, and do dead neurons stay dead?", measure, {
        "quick": lambda: _cases(("square",), (2, 4), (4, 16), seeds(2, 2)),
        "full": lambda: _cases((*ONE_DIMENSIONAL, "digits"), (2, 4, 8, 12, 20), (4, 16, 64, 256), seeds(5))})
