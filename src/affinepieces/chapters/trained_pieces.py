"""Pieces in training: the zigzag under plain descent, and what the stored runs of random starts and of digits say."""
from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from affinepieces.arithmetic.formats import FLOAT64
from affinepieces.chapters.depth_budget import TEETH
from affinepieces.chapters.precision import corrected
from affinepieces.constructions import gentle_sawtooth
from affinepieces.descent.machines import Rounded
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
Setting = tuple[str, str, str]  # arithmetic, start, task

TASKS = ("square", "kink", "sine", "random")
SHAPES: tuple[Shape, ...] = ((2, 16), (4, 16), (2, 32), (8, 16), (4, 32), (2, 64))
RECORDED = (0, 1, 10, 100, 1000)  # steps of the stored runs
BOUNDED = (0, 1000)  # steps that have bounds
SETTINGS = ((-8, 0.1), (-8, 0.01), (-12, 0.1), (-12, 0.01))  # of the zigzag: log2 of the rate, noise of the labels
STARTS = {"He": "he_biases", "uniform": "uniform"}
STEPS = (0, 1, 3, 10, 30, 100, 300, 1000)
DOUBLE = Rounded(FLOAT64)
LABELS = {0.0: "true labels", 0.5: "half shuffled", 1.0: "all shuffled"}


@cache
def _table(name: str) -> Summary:
    return summary(name)


def stored(task: str, shape: Shape, start: str = "he_biases", arithmetic: str = "float64") -> Summary:
    """The thirty runs of one setting of the experiment `training`."""
    return _table("training").where(task=task, depth=shape[0], width=shape[1], start=start, arithmetic=arithmetic)


class Descents(NamedTuple):
    """Runs from one network: pieces on [0, 1] and the distance of all parameters from the start, (seeds, steps)."""

    pieces: Counts
    distance: Floats

    def medians(self) -> Floats:
        """Over the seeds, of pieces and of distance; shape (2, steps)."""
        return np.asarray(np.median([self.pieces, self.distance], axis=1))


def descents(net: ReLUNetwork, noise: float, rate: float, record: Sequence[int], seeds: Iterable[int]) -> Descents:
    """After the steps of `record`: plain descent in float64 on 32 random points.

    The labels are the values of `net` itself with normal noise.

    >>> from affinepieces.constructions import gentle_sawtooth
    >>> descents(gentle_sawtooth(4, 0.4), 0.01, 2.0**-12, [0, 1], seeds=[0, 1]).pieces.shape
    (2, 2)
    """
    runs = [Run(net, *noisy_labels(net, noise, seed), rate, record[-1], DOUBLE, record, seed) for seed in seeds]
    histories = train_many(runs, workers=1)
    return Descents(np.array([history.count(UNIT).pieces for history in histories]),
                    np.array([[_distance(net, after) for after in history.networks] for history in histories]))


def zigzag_in_training(seeds: Iterable[int]) -> dict[tuple[int, float], Descents]:
    """(log2 of the rate, noise of the labels) -> descents from the gentle sawtooth, after `STEPS`.

    Distances are in heights of its teeth.
    """
    net, found = gentle_sawtooth(10, 0.4), {}
    for rate, noise in SETTINGS:
        pieces, distance = descents(net, noise, 2.0**rate, STEPS, seeds)
        found[rate, noise] = Descents(pieces, distance / TEETH)
    return found


def after_equal_time(seeds: Iterable[int]) -> dict[int, Counts]:
    """log2 of the rate -> pieces of the gentle sawtooth when rate times steps is 1/4, labels of noise 0.1."""
    net = gentle_sawtooth(10, 0.4)
    return {rate: descents(net, 0.1, 2.0**rate, [0, 2 ** (-2 - rate)], seeds).pieces[:, -1] for rate in (-12, -10, -8)}


def pieces_along(task: str, shape: Shape, start: str = "he_biases") -> Counts:
    """Of random starts in float64 at the steps of `RECORDED`, shape (30, 5)."""
    return np.asarray(stored(task, shape, start)["pieces"])


def pieces_after(step: int) -> dict[str, list[Counts]]:
    """Of random starts in float64: task -> for each of `SHAPES` the pieces of its runs after this step."""
    k = RECORDED.index(step)
    return {task: [stored(task, shape)["pieces"][:, k] for shape in SHAPES] for task in TASKS}


def pieces_per_neuron(step: int) -> Floats:
    """Medians over the runs after this step, one for each task and shape, shape (4, 6)."""
    neurons = np.prod(SHAPES, axis=1)
    medians = [[np.median(runs) for runs in by_shape] for by_shape in pieces_after(step).values()]
    return np.asarray(np.array(medians) / neurons)


def growth(task: str, shape: Shape) -> tuple[float, list[float]]:
    """Pieces after 1000 steps over pieces at the start: the median of the runs, and the medians of six blocks."""
    runs = stored(task, shape)
    ratio = runs["pieces"][:, -1] / runs["pieces"][:, 0]
    return float(np.median(ratio)), [float(np.median(block)) for block, in by_block(runs["seed"], ratio)]


def growths() -> dict[str, list[tuple[float, list[float]]]]:
    """task -> `growth` for each of `SHAPES`."""
    return {task: [growth(task, shape) for shape in SHAPES] for task in TASKS}


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


def rounded_beside_float64(arithmetic: str, start: str, task: str, step: int = 1000) -> Comparison:
    """Pieces after this step with start, data and every operation rounded to nearest, paired with float64.

    180 runs of six shapes.
    """
    k = RECORDED.index(step)
    sides = [[stored(task, shape, start, a) for shape in SHAPES] for a in (arithmetic, "float64")]
    rounded, control = (np.concatenate([runs["pieces"][:, k] for runs in side]) for side in sides)
    return paired(rounded, control, np.concatenate([runs["seed"] for runs in sides[0]]))


def rounded_pairs() -> tuple[dict[Setting, Comparison], dict[Setting, float]]:
    """(arithmetic, start, task) -> comparison with float64, and its corrected p-value.

    "He" with all tasks, "uniform" with x^2; float32 and bfloat16.
    """
    keys = [(arithmetic, "He", task) for arithmetic in ("float32", "bfloat16") for task in TASKS]
    keys += [(arithmetic, "uniform", "square") for arithmetic in ("float32", "bfloat16")]
    found = {key: rounded_beside_float64(key[0], STARTS[key[1]], key[2]) for key in keys}
    return found, corrected(found)


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
    that the parameters move.  He's weights with normal biases, float64.
    """
    switched, moved = np.zeros((2, len(after)))
    ends = [(k, k + 10) for k in after]
    for seed in seeds:
        net, (x, y) = random_start("he_biases", task, *shape, seed), points(task, seed)
        record = sorted({k for pair in ends for k in pair})
        history = train_many([Run(net, x, y, RATE, record[-1], DOUBLE, record, seed)], workers=1)[0]
        at = dict(zip(record, history.networks, strict=True))
        switched += [np.mean(patterns(at[i], x) != patterns(at[j], x)) for i, j in ends]
        moved += [_distance(at[i], at[j]) for i, j in ends]
    return switched / len(seeds), moved / len(seeds)


def _distance(a: ReLUNetwork, b: ReLUNetwork) -> float:
    pairs = zip((*a.weights, *a.biases), (*b.weights, *b.biases), strict=True)
    return float(np.sqrt(sum(np.sum((p - q) ** 2) for p, q in pairs)))
