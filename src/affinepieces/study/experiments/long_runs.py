"""Long runs: rounding to nearest stands still, stochastic rounding wanders."""
from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import product
from typing import Any

import numpy as np

from affinepieces.arithmetic.formats import Format, fixed_point
from affinepieces.arithmetic.rounding import Stochastic, round_network, round_to
from affinepieces.descent.gradients import fused, gradients
from affinepieces.descent.machines import Machine, Mixed, Rounded
from affinepieces.descent.noise import Perturbed
from affinepieces.descent.runs import Run
from affinepieces.descent.training import train_many
from affinepieces.networks import ReLUNetwork
from affinepieces.parameters import flatten, split
from affinepieces.pieces.count import count_many
from affinepieces.study.experiment import Experiment, Result
from affinepieces.study.experiments.precision import CONTROL, format_named
from affinepieces.study.tasks import UNIT, constructed, generator, noisy_labels, seeds

NOISE = 0.01
RECORD = (0, 1000, 2000, 5000, 10000, 20000)
POWERS = tuple(2**k for k in range(6, 15))


def measure(format: str, rate: int, seed: int) -> Result:
    """Pieces of the gentle sawtooth of 10 layers along 20 000 steps, after each of `RECORD`.

    Every operation rounded to nearest, or stochastically; only the update rounded stochastically; float64; perturbed
    descent in float64 with delta = 1, where the format has 24 bits.
    """
    fmt, ideal = format_named(format), constructed("gentle 0.4", 10)
    net = round_network(ideal, fmt).astype(np.float64)
    x, y = (round_to(values, fmt) for values in noisy_labels(ideal, NOISE, seed))
    stochastic = Rounded(fmt, Stochastic(seed))
    machines: dict[str, Machine] = {"nearest": Rounded(fmt), "stochastic": stochastic,
                                    "update": Mixed(CONTROL, update=stochastic), "control": CONTROL}
    runs = {name: Run(net, x, y, 2.0**rate, RECORD[-1], machine, RECORD, seed) for name, machine in machines.items()}
    if format == "24":
        runs["perturbed"] = Run(net, x, y, 2.0**rate, RECORD[-1], CONTROL, RECORD, seed, noise=Perturbed(1.0))
    found: Result = {}
    for name, run in runs.items():
        history = train_many([run], workers=1)[0]
        found[name] = history.count(UNIT).pieces.tolist()
        found[f"{name}_loss"] = float(history.losses[-1])
    return found


def measure_wandering(bits: int, n: int, rate: int, seed: int) -> Result:
    """Parameters kept in fixed point with a spacing of 2^-bits, gradients in float64, after 0 and each of `POWERS`.

    measured: pieces where b - rate * gradient is rounded stochastically.  nearest and control: where it is rounded
    to nearest, and not at all.
    predicted: pieces of the start after a random walk of as many steps in which a parameter jumps by +-2^-bits with
    the probability |Delta| 2^bits that stochastic rounding gives it, without drift, Delta being the first update;
    known before any training.
    """
    fmt, ideal = fixed_point(3, bits), constructed("gentle 0.4", n)
    net = round_network(ideal, fmt).astype(np.float64)
    x, y = noisy_labels(ideal, NOISE, seed)
    return {"predicted": _walk(net, x, y, 2.0**rate, fmt, seed).tolist(),
            "measured": _kept(net, x, y, 2.0**rate, lambda p, k: round_to(p, fmt, Stochastic(seed * POWERS[-1] + k))),
            "nearest": _kept(net, x, y, 2.0**rate, lambda p, k: round_to(p, fmt)),
            "control": _kept(net, x, y, 2.0**rate, lambda p, k: p)}


def _kept(net: ReLUNetwork, x: Any, y: Any, rate: float, keep: Callable[[Any, int], Any]) -> list[int]:
    """Pieces along gradient descent in float64 whose parameters are kept as `keep` says."""
    place, nets = flatten(net, np.float64), [net]
    widths, columns = np.array(net.widths), (x.T.copy(), y.T.copy())
    for k in range(1, POWERS[-1] + 1):
        place = keep(place - rate * fused(place, widths, *columns, CONTROL, 1.0)[0], k)
        if k in POWERS:
            nets.append(ReLUNetwork(*split(place, net.widths)))
    return list(count_many(nets, UNIT).pieces.tolist())


def _walk(net: ReLUNetwork, x: Any, y: Any, rate: float, fmt: Format, seed: int) -> Any:
    rng, spacing = generator(seed, "walk"), fmt.spacing
    update = rate * flatten(gradients(net, x, y, CONTROL), np.float64)
    jumps = np.abs(update) / spacing  # expected, in one step
    nets, place, made = [net], flatten(net, np.float64), 0
    for steps in POWERS:
        up, down = rng.poisson((steps - made) * jumps / 2, (2, len(jumps)))
        place, made = place + spacing * (up - down), steps
        nets.append(ReLUNetwork(*split(place, net.widths)))
    return count_many(nets, UNIT).pieces


def _cases(formats: tuple[str, ...], chosen: list[int]) -> Iterator[dict[str, Any]]:
    for name, seed in product(formats, chosen):
        yield {"format": name, "rate": -12, "seed": seed}


def _wandering(bits: tuple[int, ...], problems: tuple[tuple[int, int], ...],
               chosen: list[int]) -> Iterator[dict[str, Any]]:
    for (n, rate), spacing, seed in product(problems, bits, chosen):
        yield {"bits": spacing, "n": n, "rate": rate, "seed": seed}


EXPERIMENT = Experiment(
    "long_runs", "What do 20 000 steps leave, to nearest, stochastically, in float64?", measure, {
        "quick": lambda: _cases(("8",), seeds(1, 1)),
        "full": lambda: _cases(("6", "8", "11", "14", "24"), seeds(7))})
WANDERING = Experiment(
    "wandering", "When does stochastic rounding of the update alone take half of the pieces?", measure_wandering, {
        "quick": lambda: _wandering((8,), ((6, -10),), seeds(1, 1)),
        "full": lambda: _wandering((4, 6, 8, 10, 12, 14), ((8, -12), (10, -12), (8, -10), (6, -12)), seeds(3))})
