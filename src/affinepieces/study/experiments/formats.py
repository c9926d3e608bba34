"""Random networks trained in narrow formats: what does the damage, and how often is the derivative at 0 asked for?"""
from __future__ import annotations

from collections.abc import Iterator
from itertools import product
from typing import Any

import numpy as np

from affinepieces.arithmetic.formats import BFLOAT16, FLOAT16, FLOAT32, FLOAT64, Format
from affinepieces.arithmetic.operations import add, matmul
from affinepieces.arithmetic.rounding import Stochastic, round_network, round_to
from affinepieces.descent.machines import Machine, Mixed, Rounded
from affinepieces.descent.optimisers import GradientDescent
from affinepieces.descent.runs import Run
from affinepieces.descent.training import train_many
from affinepieces.networks import ReLUNetwork
from affinepieces.study.experiment import Experiment, Result
from affinepieces.study.experiments.precision import CONTROL
from affinepieces.study.tasks import ONE_DIMENSIONAL, UNIT, points, random_start, seeds

STEPS, RATE = 1000, 2.0**-6
FORMATS = {"bfloat16": BFLOAT16, "float16": FLOAT16, "float32": FLOAT32, "float64": FLOAT64}


def measure_updates(task: str, format: str, seed: int) -> Result:
    """Loss, pieces and regions after 1000 steps, with rounding in all parts, in the update alone, in all but it.

    stochastic: the update alone rounded stochastically.  compensated: everything rounded, with Kahan's compensation.
    The losses are those of the last network in float64, so that they can be compared.
    """
    fmt = FORMATS[format]
    net = round_network(random_start("he_biases", task, 4, 16, seed), fmt).astype(np.float64)
    x, y = (round_to(values, fmt) for values in points(task, seed))
    rounded = Rounded(fmt)
    machines: dict[str, Machine] = {
        "none": CONTROL, "all": rounded, "compensated": rounded, "update": Mixed(CONTROL, update=rounded),
        "gradient": Mixed(rounded, update=CONTROL),
        "stochastic": Mixed(CONTROL, update=Rounded(fmt, Stochastic(seed)))}
    found: Result = {}
    for name, machine in machines.items():
        optimiser = GradientDescent(compensated=name == "compensated")
        run = Run(net, x, y, RATE, STEPS, machine, (0,), seed, optimiser=optimiser)
        history = train_many([run], workers=1)[0]
        counts = history.count(UNIT)
        found |= {f"{name}_loss": float(np.mean((history.networks[-1](x) - y) ** 2)),
                  f"{name}_pieces": int(counts.pieces[-1]), f"{name}_regions": int(counts.regions[-1])}
    return found


def measure_zeros(task: str, format: str, seed: int) -> Result:
    """How many preactivations at the data are exactly 0, as the machine computes them, along 1000 steps.

    asked: share of 21 recorded steps at which there is at least one, in a neuron that is not zero at all data;
    share: of all preactivations.
    """
    fmt = FORMATS[format]
    net = round_network(random_start("he_biases", task, 4, 16, seed), fmt).astype(np.float64)
    x, y = (round_to(values, fmt) for values in points(task, seed))
    run = Run(net, x, y, RATE, STEPS, Rounded(fmt), tuple(range(0, STEPS + 1, 50)), seed)
    history = train_many([run], workers=1)[0]
    zeros = [_zeros(network, x, fmt) for network in history.networks]
    return {"asked": float(np.mean([z > 0 for z in zeros])), "share": float(np.mean(zeros))}


def _zeros(net: ReLUNetwork, x: Any, fmt: Format) -> float:
    """Share of hidden preactivations that are 0 as the machine computes them, dead neurons left out."""
    columns, found = np.asarray(x, np.float64).T, []
    for weights, bias in zip(net.weights[:-1], net.biases[:-1], strict=True):
        z = add(matmul(weights, columns, fmt), np.broadcast_to(bias[:, None], (len(bias), columns.shape[1])), fmt)
        found.append((z == 0) & (z != 0).any(axis=1)[:, None])
        columns = np.maximum(z, 0)
    return float(np.mean(np.concatenate(found)))


def _cases(tasks: tuple[str, ...], formats: tuple[str, ...], chosen: list[int]) -> Iterator[dict[str, Any]]:
    for task, name, seed in product(tasks, formats, chosen):
        yield {"task": task, "format": name, "seed": seed}


UPDATES = Experiment(
    "rounded_updates", "Does rounding the update do the damage, or rounding the gradient?", measure_updates, {
        "quick": lambda: _cases(("square",), ("bfloat16",), seeds(1, 1)),
        "full": lambda: _cases(ONE_DIMENSIONAL, ("bfloat16", "float16"), seeds(6))})
ZEROS = Experiment(
    "zeros", "How often is a preactivation exactly zero at a data point?", measure_zeros, {
        "quick": lambda: _cases(("square",), ("bfloat16", "float32"), seeds(1, 1)),
        "full": lambda: _cases(ONE_DIMENSIONAL, tuple(FORMATS), seeds(6))})
