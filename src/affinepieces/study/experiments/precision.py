"""Networks with exponentially many pieces, trained with every operation rounded, beside float64 from the same start."""
from __future__ import annotations

from collections.abc import Iterator
from itertools import product
from typing import Any

import numpy as np

from affinepieces.arithmetic.formats import BFLOAT16, FLOAT16, FLOAT32, FLOAT64, Format, fixed_point, wide
from affinepieces.arithmetic.rounding import Stochastic, round_network, round_to
from affinepieces.descent.history import History
from affinepieces.descent.machines import Machine, Mixed, Rounded
from affinepieces.descent.runs import Run
from affinepieces.descent.training import train_many
from affinepieces.study.experiment import Experiment, Result
from affinepieces.study.tasks import UNIT, constructed, noisy_labels, random_start, seeds

NAMED = {"bfloat16": BFLOAT16, "float16": FLOAT16, "float32": FLOAT32}
FIXED = tuple(f"fixed {bits}" for bits in (10, 12, 14, 18))
DEPTH, STEPS, NOISE = 10, 200, 0.1
STARTS = ("gentle 0.4", "steep 0.4", "gentle 0.3", "square", "random")
CONTROL = Rounded(FLOAT64)  # the same operations in the same order


def format_named(name: str) -> Format:
    """bfloat16, float16, float32; a number of significand bits, with the range of float64; or "fixed 8", multiples of
    2^-8 below 8."""
    if name.startswith("fixed"):
        return fixed_point(3, int(name.partition(" ")[2]))
    return NAMED[name] if name in NAMED else wide(int(name))


def measure(start: str, format: str, rate: int, seed: int) -> Result:
    """Pieces before and after 200 steps: rounded to nearest, rounded stochastically, and in float64.

    All three start at the same network, rounded to the format, and see the same data.  rate: log2 of the learning
    rate.  lost: share of the updates of hidden biases, not zero, that the rounded sum loses, at the first, the middle
    and the last step.
    """
    fmt = format_named(format)
    ideal = random_start("he_biases", "square", 4, 16, seed) if start == "random" else constructed(start, DEPTH)
    net = round_network(ideal, fmt).astype(np.float64)
    x, y = (round_to(values, fmt) for values in noisy_labels(ideal, NOISE, seed))
    machines: dict[str, Machine] = {"nearest": Rounded(fmt), "stochastic": Rounded(fmt, Stochastic(seed)),
                                    "control": CONTROL}
    record = [0, 1, STEPS // 2, STEPS // 2 + 1, STEPS - 1]
    found: Result = {}
    for name, machine in machines.items():
        run = Run(net, x, y, 2.0**rate, STEPS, machine, record, seed)
        history = train_many([run], workers=1)[0]
        counts = history.count(UNIT).pieces
        found |= {"start_pieces": int(counts[0]), name: int(counts[-1]), f"{name}_loss": _finite(history.losses[-1]),
                  f"{name}_lost": _lost(history), f"{name}_complete": history.complete}
    return found


def _finite(x: float) -> float | None:
    return float(x) if np.isfinite(x) else None


def _lost(history: History) -> list[float] | None:
    """Shares of the updates that are not zero and leave the hidden bias as it is."""
    if not history.complete:
        return None
    shares = []
    for i in (0, 2, 4):
        before, after = (np.concatenate(history.networks[k].biases[:-1]) for k in (i, i + 1))
        moving = np.concatenate(history.updates[i]) != 0
        shares.append(float(np.mean((before == after)[moving])) if moving.any() else 0.0)
    return shares


PARTS: dict[str, dict[str, bool]] = {
    "forward": {"forward": True, "residual": True}, "backward": {"backward": True}, "gradient": {"gradient": True},
    "update": {"update": True}, "all": {}, "none": {}}


def ablated(part: str, fmt: Format, stochastic: bool, seed: int) -> Machine:
    """Only this part rounded to the format, everything else in float64; "all" and "none"."""
    rounded = Rounded(fmt, Stochastic(seed)) if stochastic else Rounded(fmt)
    if part == "all":
        return rounded
    return Mixed(CONTROL, **dict.fromkeys(PARTS[part], rounded)) if part != "none" else CONTROL


def measure_parts(format: str, stochastic: int, rate: int, seed: int) -> Result:
    """Pieces and loss after 200 steps from the gentle sawtooth, with one part of each step rounded alone."""
    fmt, ideal = format_named(format), constructed("gentle 0.4", DEPTH)
    net = round_network(ideal, fmt).astype(np.float64)
    x, y = (round_to(values, fmt) for values in noisy_labels(ideal, NOISE, seed))
    found: Result = {}
    for part in PARTS:
        run = Run(net, x, y, 2.0**rate, STEPS, ablated(part, fmt, bool(stochastic), seed), (0,), seed)
        history = train_many([run], workers=1)[0]
        counts = history.count(UNIT).pieces
        found |= {"start_pieces": int(counts[0]), part: int(counts[-1]), f"{part}_loss": _finite(history.losses[-1])}
    return found


def _cases(starts: tuple[str, ...], formats: tuple[str, ...], rates: tuple[int, ...],
           chosen: list[int]) -> Iterator[dict[str, Any]]:
    for start, name, rate, seed in product(starts, formats, rates, chosen):
        yield {"start": start, "format": name, "rate": rate, "seed": seed}


def _full() -> Iterator[dict[str, Any]]:
    yield from _cases(("gentle 0.4",), ("3", "5", "8", "11", "16", "24"), (-8,), seeds(40))
    yield from _cases(("gentle 0.4",), ("3", "5", "8", "11", "16", "24", *NAMED), (-10, -12), seeds(16))
    yield from _cases(("gentle 0.4",), tuple(NAMED), (-8,), seeds(16))
    yield from _cases(("gentle 0.4",), FIXED, (-8,), seeds(16))
    yield from _cases(STARTS[1:], ("3", "5", "8", "11", "16", "24"), (-8,), seeds(16))


def _part_cases(formats: tuple[str, ...], chosen: list[int]) -> Iterator[dict[str, Any]]:
    for name, stochastic, seed in product(formats, (0, 1), chosen):
        yield {"format": name, "stochastic": stochastic, "rate": -8, "seed": seed}


EXPERIMENT = Experiment(
    "precision", "How many pieces survive 200 steps with every operation rounded, and how many in float64?", measure, {
        "quick": lambda: _cases(STARTS[:1], ("3", "8"), (-8,), seeds(2, 2)), "full": _full})
ABLATION = Experiment(
    "ablation", "Which part of the rounded step changes the number of pieces?", measure_parts, {
        "quick": lambda: _part_cases(("3",), seeds(1, 2)), "full": lambda: _part_cases(("3", "5", "8"), seeds(8))})
