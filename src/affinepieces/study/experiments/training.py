"""Pieces, regions and slopes in the course of training, and the bounds beside them."""
from __future__ import annotations

from collections.abc import Iterator
from itertools import product
from typing import Any

import numpy as np

from affinepieces.arithmetic.formats import BFLOAT16, FLOAT32, FLOAT64
from affinepieces.arithmetic.rounding import round_network, round_to
from affinepieces.descent.machines import Rounded
from affinepieces.descent.runs import Run
from affinepieces.descent.training import train_many
from affinepieces.descent.updates import exact_update, perturbed_network
from affinepieces.networks import ReLUNetwork
from affinepieces.pieces.bounds import combinatorial_bound
from affinepieces.pieces.count import count_many
from affinepieces.study.experiment import Experiment, Result
from affinepieces.study.tasks import ONE_DIMENSIONAL, UNIT, generator, points, random_start, seeds
from affinepieces.theory.assumptions import preactivations
from affinepieces.theory.one_step import data_driven_bound, depth_budget_bound

FORMATS = {"float64": FLOAT64, "float32": FLOAT32, "bfloat16": BFLOAT16}
RATE, DELTA, DRAWS = 2.0**-6, 1.0, 4
BOUNDS = ("after", "data_driven", "depth_budget")
STARTS = ("he_biases", "uniform")  # both for the task "square"


def measure(task: str, start: str, depth: int, width: int, arithmetic: str, steps: int, seed: int) -> Result:
    """One run with every operation rounded; lists have an entry for each step in `recorded`: 0, 1, 10, 100, ...

    slopes: for each hidden layer the largest |slope| of a preactivation on [0, 1].
    In float64, at the first and the last of these steps, one perturbed step of Definition 2.3 with exact update and
    delta = 1 follows, `DRAWS` times: after is the mean number of regions, data_driven and depth_budget are the bounds
    of other draws.  combinatorial: the product of N_j + 1.
    """
    fmt = FORMATS[arithmetic]
    net = round_network(random_start(start, task, depth, width, seed), fmt).astype(np.float64)
    x, y = (round_to(values, fmt) for values in points(task, seed))
    record = [0, *(10**k for k in range(len(str(steps))))]
    run = Run(net, x, y, RATE, steps, Rounded(fmt), record, seed)
    history = train_many([run], workers=1)[0]
    counts = history.count(UNIT)
    ends = (history.networks[0], history.networks[-1]) if arithmetic == "float64" else ()
    bounds = [_bounds(net, x, y, seed) for net in ends]
    return {"run": run.digest(), "complete": history.complete, "recorded": history.steps.tolist(),
            "losses": history.losses.tolist(), "pieces": counts.pieces.tolist(), "regions": counts.regions.tolist(),
            "slopes": [_slopes(net) for net in history.networks], "neurons": sum(net.widths[1:-1]),
            "combinatorial": float(combinatorial_bound(net)),
            **{name: [b[name] for b in bounds] for name in BOUNDS}}


def _slopes(net: ReLUNetwork) -> list[float]:
    """The floats of certified traces; their bounds are far below what the study tells apart."""
    return [float(np.abs(z.slopes).max()) for z in preactivations(net, UNIT)]


def _bounds(net: ReLUNetwork, x: Any, y: Any, seed: int) -> dict[str, float]:
    update, rng = exact_update(net, x, y, RATE), generator(seed, "noise")
    first, second = ([perturbed_network(net, update, DELTA, rng) for _ in range(DRAWS)] for _ in range(2))
    return {"after": float(count_many(first, UNIT).regions.mean()),
            "data_driven": float(data_driven_bound(second, UNIT, update, DELTA)),
            "depth_budget": float(depth_budget_bound(second, UNIT, update, DELTA))}


def _cases(tasks: tuple[str, ...], shapes: tuple[tuple[int, int], ...], steps: int,
           chosen: list[int]) -> Iterator[dict[str, Any]]:
    for task, start, (depth, width), arithmetic, seed in product(tasks, STARTS, shapes, FORMATS, chosen):
        if task != "square" and start != STARTS[0]:
            continue
        yield {"task": task, "start": start, "depth": depth, "width": width, "arithmetic": arithmetic,
               "steps": steps, "seed": seed}


EXPERIMENT = Experiment(
    "training", "How do pieces, regions and slopes change in training, and what do the bounds say?", measure, {
        "quick": lambda: _cases(("square",), ((2, 8), (4, 8)), 100, seeds(1, 2)),
        "full": lambda: _cases(ONE_DIMENSIONAL, ((2, 16), (4, 16), (8, 16), (2, 32), (4, 32), (2, 64)), 1000,
                               seeds(5))}, version=2)
