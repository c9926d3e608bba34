"""Remedies of low-precision training, each beside float64 from the same start: what do they buy back?"""
from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import product
from typing import Any

import numpy as np

from affinepieces.arithmetic.formats import FLOAT16, FLOAT32, Format
from affinepieces.arithmetic.rounding import Stochastic, round_network, round_to
from affinepieces.descent.attribution import attribute
from affinepieces.descent.history import History
from affinepieces.descent.machines import Machine, Mixed, Rounded
from affinepieces.descent.optimisers import Adam, GradientDescent, Momentum
from affinepieces.descent.runs import Run
from affinepieces.descent.scaling import LossScaling
from affinepieces.descent.training import train_many
from affinepieces.networks import ReLUNetwork
from affinepieces.parameters import flatten
from affinepieces.study.experiment import Experiment, Result
from affinepieces.study.experiments.precision import CONTROL, NAMED
from affinepieces.study.tasks import UNIT, constructed, noisy_labels, points, random_start, seeds

TASKS = {"gentle": (4000, 2.0**-10), "random": (1000, 2.0**-6)}  # steps, learning rate
SLOWER = {"momentum": 1 / 8, "adam": 1 / 16}  # they make larger steps at the same rate
EPSILON = 2.0**-13  # of Adam: float16 has no room for torch's 1e-8

REMEDIES: dict[str, Callable[[Format, int], tuple[Machine, dict[str, Any]]]] = {
    "nearest": lambda fmt, seed: (Rounded(fmt), {}),
    "accumulator": lambda fmt, seed: (Rounded(fmt, accumulator=FLOAT32), {}),
    "scaling": lambda fmt, seed: (Rounded(fmt), {"scaling": LossScaling(2.0**10)} if fmt == FLOAT16 else {}),
    "momentum": lambda fmt, seed: (Rounded(fmt), {"optimiser": Momentum()}),
    "adam": lambda fmt, seed: (Rounded(fmt), {"optimiser": Adam(epsilon=EPSILON)}),
    "batches": lambda fmt, seed: (Rounded(fmt), {"batch": 8}),
    "compensated": lambda fmt, seed: (Rounded(fmt), {"optimiser": GradientDescent(compensated=True)}),
    "master": lambda fmt, seed: (Mixed(Rounded(fmt), update=Rounded(FLOAT32)), {}),
    "stochastic_update": lambda fmt, seed: (Mixed(Rounded(fmt), update=Rounded(fmt, Stochastic(seed))), {}),
    "stochastic": lambda fmt, seed: (Rounded(fmt, Stochastic(seed)), {})}


def task(start: str, fmt: Format, seed: int) -> tuple[ReLUNetwork, Any, Any]:
    """Network and data, rounded to the format.

    start: "gentle", the gentle sawtooth with its own values and noise of 0.01 as labels; "random", 4 layers of width
    16 from He's weights, to learn a sine.
    """
    ideal = constructed("gentle 0.4", 10) if start == "gentle" else random_start("he_biases", "sine", 4, 16, seed)
    data = noisy_labels(ideal, 0.01, seed) if start == "gentle" else points("sine", seed)
    x, y = (round_to(values, fmt) for values in data)
    return round_network(ideal, fmt).astype(np.float64), x, y


def measure(start: str, format: str, remedy: str, seed: int) -> Result:
    """Pieces, loss and distance travelled: rounded with a remedy, and in float64 from the same start.

    The control has the remedy's optimiser and batches.  loss: of the last step, on the data of that step; distance:
    Euclidean, of all parameters, from the start.
    shares: of the error of the first step, what the stages of the same kind contribute, in the order of `STAGES`; for
    machines with one arithmetic, None for the others.
    """
    fmt = NAMED[format]
    net, x, y = task(start, fmt, seed)
    steps, rate = TASKS[start]
    machine, choices = REMEDIES[remedy](fmt, seed)
    run = Run(net, x, y, rate * SLOWER.get(remedy, 1), steps, machine, (0, steps), seed, **choices)
    found: Result = {}
    for name, each in (("rounded", run), ("control", replace(run, machine=CONTROL, scaling=None,
                                                            optimiser=replace(run.optimiser, compensated=False)))):
        history = train_many([each], workers=1)[0]
        counts = history.count(UNIT).pieces
        found |= {"start_pieces": int(counts[0]), f"{name}_pieces": int(counts[-1]), f"{name}_loss": _loss(history),
                  f"{name}_distance": _distance(history), f"{name}_complete": history.complete}
    return found | {"shares": None if isinstance(machine, Mixed) else _shares(net, x, y, machine, rate)}


STAGES = ("forward", "residual", "backward", "gradient", "update")


def _shares(net: ReLUNetwork, x: Any, y: Any, machine: Machine, rate: float) -> list[float]:
    found = attribute(net, x, y, machine, rate)
    shares = found.shares()
    return [float(sum(s for s, name in zip(shares, found.stages, strict=True) if name.startswith(stage)))
            for stage in STAGES]


def _loss(history: History) -> float | None:
    last = float(history.losses[-1])
    return last if np.isfinite(last) else None


def _distance(history: History) -> float:
    first, last = (flatten(history.networks[k]) for k in (0, -1))
    return float(np.linalg.norm(last - first))


def _cases(formats: tuple[str, ...], remedies: tuple[str, ...], chosen: list[int]) -> Iterator[dict[str, Any]]:
    for start, name, remedy, seed in product(TASKS, formats, remedies, chosen):
        if remedy != "scaling" or name == "float16":
            yield {"start": start, "format": name, "remedy": remedy, "seed": seed}


EXPERIMENT = Experiment(
    "optimisers", "Which remedy buys back what rounding takes, learning or pieces?", measure, {
        "quick": lambda: _cases(("bfloat16",), ("nearest", "master"), seeds(1, 2)),
        "full": lambda: _cases(("bfloat16", "float16"), tuple(REMEDIES), seeds(8))})
