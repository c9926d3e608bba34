"""Assumption (A): how large updates are by the stored runs and on the sawtooth, and whether dead neurons stay dead."""
from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import cache
from statistics import NormalDist
from typing import Any

import numpy as np
from numpy.typing import NDArray

from affinepieces.constructions import gentle_sawtooth, he_random, sawtooth
from affinepieces.descent.gradients import gradients
from affinepieces.descent.machines import Native
from affinepieces.descent.noise import Perturbed
from affinepieces.descent.runs import Run
from affinepieces.descent.training import train_many
from affinepieces.descent.updates import exact_update
from affinepieces.networks import ReLUNetwork
from affinepieces.pieces.segment import Segment
from affinepieces.study.comparisons import by_block
from affinepieces.study.summaries import Summary, summary
from affinepieces.study.tasks import UNIT, generator, noisy_labels
from affinepieces.theory.assumptions import mean_reciprocal, zero_update_crossings

Floats = NDArray[np.float64]
STARTS = {"uniform": "uniform", "he_biases": "He, normal biases", "he": "He, biases 0"}
TASKS = ("square", "sine", "kink", "random", "digits")
DEPTHS, WIDTHS = (2, 4, 8, 12, 20), (4, 16, 64, 256)
PEAK, NOISE = 0.4, 0.1  # of the sawtooths, and the standard deviation of the noise in their labels
PAIRS = (*((task, "he_biases") for task in TASKS), ("square", "he"), ("square", "uniform"))  # that were run
TWINS = {"gentle": gentle_sawtooth, "steep": sawtooth}
SEGMENTS = (UNIT, Segment(-1, 2))
NORMAL = NormalDist()


@cache
def runs() -> Summary:
    """The stored runs."""
    return summary("updates")


def stored(name: str, k: int = 0, **settings: Any) -> Floats:
    """A column at the start (k = 0), after 10 or after 100 steps (k = 1, 2), of the runs that came so far."""
    return np.array([row[k] for row in runs().where(**settings).rows(name) if row and len(row) > k])


def reciprocals(start: str, depth: int, width: int, task: str = "square", k: int = 0) -> Floats:
    """p of the runs of thirty seeds, relative to the learning rate; without those in which no bias moves."""
    found = stored("reciprocal", k, start=start, depth=depth, width=width, task=task)
    return found[found > 0]


def slope_of_medians(x: Sequence[float], which: Iterable[dict[str, Any]]) -> tuple[float, list[float]]:
    """Slope of the median of log2 p against x: of all runs, and of each of the six blocks of seeds.

    which: the settings of the runs for each x.
    """
    medians = []
    for settings in which:
        found = runs().where(**settings)
        p = np.array([row[0] for row in found.rows("reciprocal")])
        blocks = by_block(found["seed"][p > 0], np.log2(p[p > 0]))
        medians.append([np.median(np.concatenate([block for block, in blocks])), *(np.median(b) for b, in blocks)])
    first, *blocks = np.polyfit(x, np.array(medians), 1)[0].tolist()
    return first, blocks


def bits_per_layer(start: str, width: int, task: str = "square") -> tuple[float, list[float]]:
    """By how many bits p grows with each further layer."""
    return slope_of_medians(DEPTHS, [{"start": start, "width": width, "task": task, "depth": d} for d in DEPTHS])


def power_of_width(task: str, depth: int) -> tuple[float, list[float]]:
    """The exponent of the width in p, with He's weights and normal biases."""
    x = np.log2(WIDTHS).tolist()
    return slope_of_medians(x, [{"start": "he_biases", "width": w, "task": task, "depth": depth} for w in WIDTHS])


def sizes_by_layer(start: str, depth: int, width: int) -> Floats:
    """|Delta_b| by the number of hidden layers above: (depth, 3), quantiles at 5, 50, 95 percent, medians of runs."""
    rows = [row[0] for row in runs().where(task="square", start=start, depth=depth, width=width).rows("quantiles")]
    logs = [np.median([row[j] for row in rows if row[j]], axis=0) for j in reversed(range(depth))]
    return np.asarray(2.0 ** np.array(logs))


def sawtooth_updates(twin: str, n: int, seeds: Iterable[int]) -> Floats:
    """|Delta_b| of the hidden biases, (seeds, n, 2), relative to the learning rate; other labels for each seed.

    twin: "gentle" or "steep".  The labels are its own values at 32 random points, with normal noise.

    >>> sawtooth_updates("gentle", 3, [0, 1]).shape
    (2, 3, 2)
    """
    net = TWINS[twin](n, PEAK)
    return np.array([np.abs(exact_update(net, *noisy_labels(net, NOISE, seed), 1.0).biases[:-1]) for seed in seeds])


def sawtooth_reciprocals(twin: str, n: int, seeds: Iterable[int]) -> Floats:
    """p for each seed of `sawtooth_updates`."""
    return np.array([mean_reciprocal(list(layers)) for layers in sawtooth_updates(twin, n, seeds)])


def sawtooth_quantiles(twin: str, n: int, seeds: Iterable[int]) -> Floats:
    """As `sizes_by_layer`, of the updates of a layer for all seeds."""
    found = sawtooth_updates(twin, n, seeds)
    return np.quantile(found, (0.05, 0.5, 0.95), axis=(0, 2)).T[::-1]


def derivatives(net: ReLUNetwork, x: float) -> list[Floats]:
    """df(x)/db for each hidden layer, (N_j,), in float64; one input and one output.

    It is the derivative of the loss |f(x) - y|^2 where the residual is 1/2.

    >>> derivatives(gentle_sawtooth(1, 0.5), 0.75)
    [array([ 2., -4.])]
    """
    point = np.array([[x]])
    return list(gradients(net, point, net(point) - 0.5, Native()).biases[:-1])


def second_moments(widths: Sequence[int], variances: Sequence[float]) -> list[float]:
    """E (df/db)^2 for each hidden layer of a random network, by the proposition of this chapter.

    widths: (N_0, ..., N_L).  variances: of the weights of each layer, L of them.

    >>> second_moments([1, 8, 8, 1], [2, 2 / 8, 2 / 8])
    [0.125, 0.125]
    """
    found = [variances[-1] / 2]
    for width, variance in zip(widths[-2:1:-1], variances[-2:0:-1], strict=True):
        found.append(found[-1] * width * variance / 2)
    return found[::-1]


def uniform_network(half: float, depth: int, width: int, seed: int) -> ReLUNetwork:
    """Weights and biases uniform on +-half / sqrt(fan in); one input, one output."""
    widths, rng = [1, *[width] * depth, 1], generator(seed, "uniform")
    ends = [half / np.sqrt(n) for n in widths[:-1]]
    return ReLUNetwork([rng.uniform(-c, c, (m, n)) for c, m, n in zip(ends, widths[1:], widths, strict=False)],
                       [rng.uniform(-c, c, m) for c, m in zip(ends, widths[1:], strict=True)])


def mean_squares(half: float, depth: int, width: int, seeds: int) -> Floats:
    """(df/db)^2 at 1/2, mean over the neurons of each hidden layer and over so many of `uniform_network`: (depth,)."""
    nets = (uniform_network(half, depth, width, seed) for seed in range(seeds))
    return np.asarray(np.mean([[np.mean(layer**2) for layer in derivatives(net, 0.5)] for net in nets], axis=0))


def means_of_reciprocals(sizes: Sequence[int], seeds: int) -> Floats:
    """Means of 1/|X| of so many normal numbers, (seeds, len(sizes))."""
    return np.array([[mean_reciprocal([np.random.default_rng([seed, size]).standard_normal(size)]) for size in sizes]
                     for seed in range(seeds)])


def factor_of_normal_numbers() -> float:
    """The median of |X| over its quantile at 5 percent, for a normal X."""
    return NORMAL.inv_cdf(0.75) / NORMAL.inv_cdf(0.525)


def factor_of_stored(start: str) -> float:
    """The same for the updates of a layer, median over the layers of 120 stored runs."""
    found = runs().where(task="square", start=start, depth=[4, 8], width=[64, 256])
    logs = [q for row in found.rows("quantiles") for q in row[0] if q]
    return float(2 ** np.median([middle - low for low, middle, _ in logs]))


def factor_of_sawtooth(draws: int) -> float:
    """The same for the gentle sawtooth at fixed points, median over its biases; fresh noise in the labels each draw."""
    net = gentle_sawtooth(10, PEAK)
    x = noisy_labels(net, NOISE, 0)[0]
    rng = np.random.default_rng(11)
    found = [gradients(net, x, net(x) + NOISE * rng.standard_normal(x.shape), Native()).biases[:-1]
             for _ in range(draws)]
    low, middle = np.quantile(np.abs([np.concatenate(biases) for biases in found]), (0.05, 0.5), axis=0)
    return float(np.median(middle / low))


def zero_shares() -> dict[tuple[str, str], float]:
    """Share of updates that are zero, by task and start: median of runs of 4 and 8 layers of width 16 and 64."""
    return {(task, start): float(np.median(stored("zero", task=task, start=start, depth=[4, 8], width=[16, 64])))
            for task, start in PAIRS}


def without_any_update(start: str, depth: int, width: int) -> float:
    """Share of runs in which no hidden bias has an update at the start."""
    return float(np.mean(stored("moving", task="square", start=start, depth=depth, width=width) == 0))


def along_training(task: str, start: str) -> dict[str, float]:
    """After 100 steps beside the start, over all shapes: runs, shares in which p is larger and the loss less, medians.

    Runs that did not come so far, or in which no bias moves, are left out.
    """
    found = runs().where(task=task, start=start)
    rows = [(p[2] / p[0], loss[2] / loss[0]) for p, loss in zip(found.rows("reciprocal"), found.rows("losses"),
                                                               strict=True) if len(p) == 3 and min(p) > 0]
    p, loss = np.array(rows).T
    return {"runs": len(rows), "larger": float(np.mean(p > 1)), "less": float(np.mean(loss < 1)),
            "p": float(np.median(p)), "loss": float(np.median(loss))}


def revived(start: str, k: int) -> float:
    """Mean share of hidden neurons, in percent, that are dead on [0, 1] before a step and not after it."""
    found = runs().where(start=start, task="square", width=[16, 64])
    return float(100 * np.mean([row[k] / (d * w) for row, d, w in zip(
        found.rows("revived"), found["depth"], found["width"], strict=True) if len(row) > k]))


def crossings(steps: Sequence[int], seeds: int) -> NDArray[np.int64]:
    """Sign changes, after each of these steps, of neurons that got no update: (seeds, steps, 2), on `SEGMENTS`.

    Perturbed training, delta = 0.1, of 4 layers of width 16, to fit x^2 at 64 points of [0, 1].
    """
    x, record = np.linspace(0, 1, 64)[:, None], sorted({k + i for k in steps for i in (0, 1)})
    histories = train_many([
        Run(he_random([1, 16, 16, 16, 16, 1], np.random.default_rng([16, 5, seed]), 0.1), x, x**2, 1 / 16,
            record[-1], record=record, seed=seed, noise=Perturbed(0.1)) for seed in range(seeds)])
    places = [record.index(k) for k in steps]
    return np.array([[[zero_update_crossings(h.networks[i + 1], s, h.updates[i]) for s in SEGMENTS] for i in places]
                     for h in histories])
