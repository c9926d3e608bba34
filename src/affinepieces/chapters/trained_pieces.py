"""Pieces in training: the zigzag under plain descent, and what the stored runs of random starts and of digits say."""
from __future__ import annotations

from collections.abc import Sequence
from functools import cache

import numpy as np
from numpy.typing import NDArray

from affinepieces.descent.runs import Run
from affinepieces.descent.training import train_many
from affinepieces.networks import ReLUNetwork
from affinepieces.study.comparisons import Comparison, by_block, paired
from affinepieces.study.experiments.training import RATE
from affinepieces.study.summaries import Summary, summary
from affinepieces.study.tasks import UNIT, noisy_labels, points, random_start

Floats = NDArray[np.float64]
Counts = NDArray[np.int64]
Shape = tuple[int, int]  # hidden layers, width

TASKS = ("square", "kink", "sine", "random")
SHAPES: tuple[Shape, ...] = ((2, 16), (4, 16), (2, 32), (8, 16), (4, 32), (2, 64))
RECORDED = (0, 1, 10, 100, 1000)  # steps of the stored runs
BOUNDED = (0, 1000)  # steps that have bounds
LABELS = {0.0: "true labels", 0.5: "half shuffled", 1.0: "all shuffled"}


@cache
def _table(name: str) -> Summary:
    return summary(name)


def stored(task: str, shape: Shape, start: str = "he_biases", arithmetic: str = "float64") -> Summary:
    """The thirty runs of one setting of the experiment `training`."""
    return _table("training").where(task=task, depth=shape[0], width=shape[1], start=start, arithmetic=arithmetic)


def pieces_along_descent(net: ReLUNetwork, noise: float, rate: float, record: Sequence[int],
                         seeds: Sequence[int]) -> Counts:
    """Pieces on [0, 1] after the steps of `record`, shape (len(seeds), len(record)).

    Plain descent in float64 that starts at `net`, on 32 random points; the labels are its own values with normal noise.

    >>> from affinepieces.constructions import gentle_sawtooth
    >>> pieces_along_descent(gentle_sawtooth(4, 0.4), 0.01, 2.0**-12, [0, 1], seeds=[0, 1]).shape
    (2, 2)
    """
    runs = [Run(net, *noisy_labels(net, noise, seed), rate, record[-1], record=record, seed=seed) for seed in seeds]
    return np.array([history.count(UNIT).pieces for history in train_many(runs, workers=1)])


def pieces_after(step: int) -> dict[str, list[Counts]]:
    """Of random starts in float64: task -> for each of `SHAPES` the pieces of its runs after this step."""
    k = RECORDED.index(step)
    return {task: [stored(task, shape)["pieces"][:, k] for shape in SHAPES] for task in TASKS}


def pieces_per_neuron(step: int) -> Floats:
    """Medians over the runs after this step, one for each task and shape, shape (4, 6)."""
    neurons = np.prod(SHAPES, axis=1)
    return np.array([[np.median(runs) for runs in by_shape] for by_shape in pieces_after(step).values()]) / neurons


def growth(task: str, shape: Shape) -> tuple[float, list[float]]:
    """Pieces after 1000 steps over pieces at the start: the median of the runs, and the medians of six blocks."""
    runs = stored(task, shape)
    ratio = runs["pieces"][:, -1] / runs["pieces"][:, 0]
    return float(np.median(ratio)), [float(np.median(block)) for block, in by_block(runs["seed"], ratio)]


def bounds_after(task: str, step: int) -> dict[str, list[Floats]]:
    """One perturbed step with delta = 1 from the network after `step`, 0 or 1000: for each of `SHAPES` the runs.

    after: mean number of regions.  depth_budget, data_driven, combinatorial: the bounds for it.
    """
    k, runs = BOUNDED.index(step), [stored(task, shape) for shape in SHAPES]
    found = {name: [some[name][:, k] for some in runs] for name in ("after", "depth_budget", "data_driven")}
    return {**found, "combinatorial": [some["combinatorial"] for some in runs]}


def vacuous(task: str, step: int) -> float:
    """Share of the runs of all shapes in which the data-driven bound is above the product of N_j + 1."""
    found = bounds_after(task, step)
    pairs = zip(found["data_driven"], found["combinatorial"], strict=True)
    return float(np.mean([driven > product for driven, product in pairs]))


def rounded_beside_float64(arithmetic: str, start: str, task: str) -> Comparison:
    """Pieces after 1000 steps with every operation rounded to nearest, paired with float64: 180 runs of six shapes."""
    sides = [[stored(task, shape, start, a) for shape in SHAPES] for a in (arithmetic, "float64")]
    rounded, control = (np.concatenate([runs["pieces"][:, -1] for runs in side]) for side in sides)
    return paired(rounded, control, np.concatenate([runs["seed"] for runs in sides[0]]))


def digit_runs(depth: int, shuffled: float) -> Summary:
    """The thirty classifiers of digits with so many layers of width 32 and this share of labels shuffled."""
    return _table("digits").where(depth=depth, random_labels=shuffled)


def regions_between_images(depth: int) -> dict[str, Floats]:
    """Kind of labels -> mean regions between two images, shape (runs, steps)."""
    return {label: digit_runs(depth, shuffled)["regions"] for shuffled, label in LABELS.items()}


def beside_true_labels(depth: int, shuffled: float) -> Comparison:
    """Regions between images after the last step, with shuffled labels beside true ones from the same start."""
    true, other = (digit_runs(depth, share) for share in (0.0, shuffled))
    return paired(other["regions"][:, -1], true["regions"][:, -1], true["seed"])


def patterns(net: ReLUNetwork, x: Floats) -> NDArray[np.bool_]:
    """Which hidden neurons are active at which of the points x, shape (D, neurons), as float64 computes it."""
    active, z = [], np.asarray(x, np.float64)
    for weights, bias in zip(net.weights[:-1], net.biases[:-1], strict=True):
        z = np.maximum(z @ weights.T + bias, 0)
        active.append(z > 0)
    return np.concatenate(active, axis=1)


def settling(task: str, shape: Shape, after: Sequence[int], seeds: Sequence[int]) -> tuple[Floats, Floats]:
    """What ten steps change, after the steps of `after`, as means over the seeds; both of shape (len(after),).

    First, the share of pairs (data point, hidden neuron) that switch between active and not.  Second, the distance
    that the parameters move.
    """
    switched, moved = np.zeros((2, len(after)))
    ends = [(k, k + 10) for k in after]
    for seed in seeds:
        net, (x, y) = random_start("he_biases", task, *shape, seed), points(task, seed)
        record = sorted({k for pair in ends for k in pair})
        history = train_many([Run(net, x, y, RATE, record[-1], record=record, seed=seed)], workers=1)[0]
        at = dict(zip(record, history.networks, strict=True))
        switched += [np.mean(patterns(at[i], x) != patterns(at[j], x)) for i, j in ends]
        moved += [_distance(at[i], at[j]) for i, j in ends]
    return switched / len(seeds), moved / len(seeds)


def _distance(a: ReLUNetwork, b: ReLUNetwork) -> float:
    pairs = zip((*a.weights, *a.biases), (*b.weights, *b.biases), strict=True)
    return float(np.sqrt(sum(np.sum((p - q) ** 2) for p, q in pairs)))
