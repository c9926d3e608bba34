"""Rounding beside the model: errors of single steps, averages over stochastic rounding, slopes and zeros of the study.

Two networks: "random", four hidden layers of width 16 that learn x^2 at 64 points, and "gentle", the gentle sawtooth
with labels of its own and noise of 0.01 at 32 points.
"""
from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from affinepieces.arithmetic.formats import BFLOAT16, FLOAT16, FLOAT32, Format, wide
from affinepieces.arithmetic.rounding import Stochastic, round_network, round_to
from affinepieces.chapters.perturbed import random_network
from affinepieces.constructions import gentle_sawtooth
from affinepieces.descent.gradients import step
from affinepieces.descent.history import History
from affinepieces.descent.machines import Machine, Rounded, format_of
from affinepieces.descent.runs import Run
from affinepieces.descent.training import train_many
from affinepieces.descent.updates import exact_update
from affinepieces.networks import ReLUNetwork
from affinepieces.study.summaries import summary
from affinepieces.study.tasks import UNIT, noisy_labels
from affinepieces.theory.assumptions import max_slope, variations

Floats = NDArray[np.float64]
NETWORKS = ("random", "gentle")
MACHINES = {"float32": Rounded(FLOAT32), "float16": Rounded(FLOAT16), "bfloat16": Rounded(BFLOAT16),
            "bfloat16, stochastic": Rounded(BFLOAT16, Stochastic(0))}
STEPS = 100
NOISE, RATES = 0.01, {"random": 2.0**-4, "gentle": 2.0**-10}
SHAPES = ((2, 16), (4, 16), (8, 16), (2, 32), (4, 32), (2, 64))  # of the stored runs: hidden layers, width


def problem(network: str, seed: int) -> tuple[ReLUNetwork, Floats, Floats]:
    """The network before training, points (D, 1) and labels (D, 1), in float64."""
    if network == "random":
        x = np.linspace(0, 1, 64)[:, None]
        return random_network(seed), x, x**2
    net = gentle_sawtooth(10, 0.4)
    return net, *noisy_labels(net, NOISE, seed)


def trained(network: str, machine: Rounded, seeds: Iterable[int], record: Sequence[int] = (STEPS,)) -> list[History]:
    """Runs with network, data and every operation rounded, and the networks at the recorded steps.

    Runs that diverge are left out.
    """
    runs, fmt = [], machine.format
    for seed in seeds:
        net, x, y = problem(network, seed)
        runs.append(Run(round_network(net, fmt), round_to(x, fmt), round_to(y, fmt), RATES[network], record[-1],
                        machine, record, seed))
    return [history for history in train_many(runs, workers=1) if history.complete]


@dataclass(frozen=True)
class Errors:
    """What one step does to the hidden biases whose exact update is not zero; five arrays of shape (M,).

    neuron: which hidden neurons these are, counted from 0.  exact: the exact update.
    error: the difference of the stored biases minus the exact update.
    gradient: the update that the machine has computed before it adds it, minus the exact update.
    last_place: distance of two numbers of the format at the stored bias.
    """

    neuron: NDArray[np.intp]
    exact: Floats
    error: Floats
    gradient: Floats
    last_place: Floats

    @property
    def theta(self) -> Floats:
        """The noise of the model: error over exact update; -1 exactly where the update is lost."""
        return self.error / self.exact

    @property
    def places(self) -> Floats:
        """The error in units of the last place."""
        return self.error / self.last_place

    @property
    def computed(self) -> Floats:
        """Computed over exact update, without the last operation."""
        return 1 + self.gradient / self.exact


def hidden(biases: Sequence[ArrayLike]) -> Floats:
    """The hidden biases in one array."""
    return np.concatenate([np.asarray(b, np.float64) for b in biases[:-1]])


def last_places(values: Floats, fmt: Format) -> Floats:
    """Distance of two numbers of the format at these values.

    >>> last_places(np.array([1.0, -3.0]), BFLOAT16) * 2**7
    array([1., 2.])
    """
    exponent = np.where(values == 0, fmt.emin, np.maximum(np.frexp(values)[1] - 1, fmt.emin))
    return np.asarray(np.ldexp(1.0, exponent - fmt.precision + 1))


def errors_of_step(net: ReLUNetwork, run: Run, machine: Machine) -> Errors:
    """Errors of one step of a machine, at the data and with the rate of a run."""
    exact = exact_update(net, run.x, run.y, run.learning_rate).hidden_biases()
    made = step(net, run.x, run.y, run.learning_rate, machine)
    before, after, gradient = map(hidden, (net.biases, made.biases, made.gradients.biases))
    moves = np.flatnonzero(exact)
    return Errors(moves, exact[moves], (after - before - exact)[moves], (-run.learning_rate * gradient - exact)[moves],
                  last_places(after, format_of(machine))[moves])


def errors_of_steps(network: str, machine: Rounded, seeds: Iterable[int], after: int = STEPS) -> list[Errors]:
    """Of one run for each seed, the step that follows so many steps."""
    return [errors_of_step(h.networks[-1], h.run, h.run.machine_at(after))
            for h in trained(network, machine, seeds, (after,))]


def pooled(steps: Sequence[Errors], name: str) -> Floats:
    """A field or property of `Errors`, of all steps in one array."""
    return np.concatenate([getattr(one, name) for one in steps])


def matching(theta: Floats) -> float:
    """The delta for which uniform noise has the same 90 percent quantile of |Theta|."""
    return float(np.quantile(np.abs(theta), 0.9) / 0.9)


def same_sign(values: ArrayLike) -> float:
    """Share of the pairs that have the same sign; nan for fewer than two values.

    >>> round(same_sign([1.0, 2.0, -1.0]), 3), same_sign([-1.0, -1.0])
    (0.333, 1.0)
    """
    s = np.sign(np.asarray(values, np.float64))
    pairs = len(s) * (len(s) - 1)
    return float((1 + (s.sum() ** 2 - s @ s) / pairs) / 2) if pairs else float("nan")


def same_sign_in_steps(steps: Sequence[Errors], name: str = "theta") -> tuple[float, float, float]:
    """How often two neurons of one step agree in sign, its standard error, and how often independent ones would.

    name: what has the sign, "theta" or "gradient".  Independent signs, negative with the probability s, agree with the
    probability s^2 + (1 - s)^2; s is the share over all steps.  Mean of the steps with two neurons or more.
    """
    signs = [getattr(one, name) * (np.sign(one.exact) if name == "gradient" else 1) for one in steps]
    shares = np.array([same_sign(values) for values in signs if len(values) > 1])
    negative = float(np.mean(np.concatenate(signs) < 0))
    error = float(shares.std() / np.sqrt(len(shares) - 1)) if len(shares) > 1 else float("inf")
    return float(shares.mean()), error, negative**2 + (1 - negative) ** 2


class Claims(NamedTuple):
    """What the model claims, measured on many steps.

    delta: see `matching`.  slope: of log |error| against log |update|, 1 in the model.  tiny: share of the |Theta| that
    are at most delta/10, 0.1 in the model.  negative: share of the Theta, 1/2 in the model.  lost: share of Theta = -1.
    same, independent: as `same_sign_in_steps`, 1/2 in the model.
    """

    delta: float
    slope: float
    tiny: float
    negative: float
    lost: float
    same: float
    independent: float


def claims(steps: Sequence[Errors]) -> Claims:
    """The claims of the model, measured on all steps together."""
    theta, exact, error = (pooled(steps, name) for name in ("theta", "exact", "error"))
    wrong = error != 0
    slope = np.polyfit(np.log(np.abs(exact[wrong])), np.log(np.abs(error[wrong])), 1)[0]
    same, _, independent = same_sign_in_steps(steps)
    delta = matching(theta)
    return Claims(delta, float(slope), float(np.mean(np.abs(theta) <= delta / 10)), float(np.mean(theta < 0)),
                  float(np.mean(theta == -1)), same, independent)


class Averages(NamedTuple):
    """Medians over the biases: |Theta| to nearest; stochastically, the share that is lost, and the mean over draws."""

    nearest: float
    lost: float
    mean: float


def averaged(network: str, seeds: Iterable[int], draws: int) -> Averages:
    """The step after `STEPS` steps in bfloat16, once to nearest and so often stochastically, always from one network.

    mean: the median over all biases of their mean Theta.
    """
    nearest, lost, means = [], [], []
    for history in trained(network, MACHINES["bfloat16"], seeds):
        net, run = history.networks[-1], history.run
        exact, before = exact_update(net, run.x, run.y, run.learning_rate).hidden_biases(), hidden(net.biases)
        machines = [MACHINES["bfloat16"], *(Rounded(BFLOAT16, Stochastic(draw)) for draw in range(draws))]
        moved = np.array([hidden(step(net, run.x, run.y, run.learning_rate, m).biases) - before for m in machines])
        first, *others = moved[:, exact != 0] / exact[exact != 0] - 1
        nearest.append(np.abs(first))
        lost.append(np.mean(np.array(others) == -1))
        means.append(np.mean(others, axis=0))
    return Averages(float(np.median(np.concatenate(nearest))), float(np.mean(lost)),
                    float(np.median(np.concatenate(means))))


def right_signs(bits: int, seeds: Iterable[int]) -> float:
    """Share of the biases of the gentle sawtooth whose computed update has the right sign, with so many bits.

    The step is the first one.
    """
    machine = Rounded(wide(bits))
    return float(np.mean(pooled([errors_of_step(h.networks[-1], h.run, machine)
                                 for h in trained("gentle", machine, seeds, (0,))], "computed") > 0))


def ranges_in_last_places(net: ReLUNetwork, fmt: Format) -> Floats:
    """Variation on [0, 1] of each hidden neuron over the last place of its bias, for the network rounded to a format.

    Neurons whose bias is zero are left out.
    """
    net = round_network(net, fmt)
    biases = hidden(net.biases)
    ranges = np.concatenate(variations(net, UNIT)) / last_places(biases, fmt)
    return np.asarray(ranges[biases != 0], np.float64)


def slopes_in_training(machine: Rounded, record: Sequence[int], seeds: Iterable[int]) -> Floats:
    """Largest slope of a preactivation of the gentle sawtooth at the recorded steps, (seeds, len(record))."""
    return np.array([[max_slope(net, UNIT) for net in h.networks] for h in trained("gentle", machine, seeds, record)])


def slopes_by_layer(start: str, when: int, depth: int = 4, width: int = 32, task: str = "square") -> Floats:
    """Largest slopes of the preactivations of stored runs in float64, (depth, runs).

    start: "he_biases" or "uniform".  when: 0 at the start, -1 after 1000 steps.
    """
    runs = summary("training").where(start=start, task=task, depth=depth, width=width, arithmetic="float64")
    return np.array([row[when] for row in runs.rows("slopes")]).T


def largest_slope(start: str) -> float:
    """Of all shapes and runs that learn x^2, after training."""
    return max(float(slopes_by_layer(start, -1, *shape).max()) for shape in SHAPES)


def fastest_growth(task: str) -> float:
    """By how much training multiplies the slope of the layer that grows most: median of runs, largest of the shapes.

    He's start.
    """
    growths = []
    for shape in SHAPES:
        before, after = (slopes_by_layer("he_biases", when, *shape, task) for when in (0, -1))
        growths.append(float(np.median((after / before).max(axis=0))))
    return max(growths)


def zeros_asked(fmt: str) -> tuple[float, float]:
    """Share of the recorded steps at which some preactivation is exactly 0 at a data point, in a neuron that lives.

    Smallest and largest mean over the tasks, of the stored runs in a format.
    """
    runs = summary("zeros").where(format=fmt)
    shares = [float(np.mean(runs.where(task=task)["asked"])) for task in runs.values("task")]
    return min(shares), max(shares)
