"""How deep doubling can go: the budget beside fresh draws, noise and rounding against depth, rescaled twins."""
from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from affinepieces.arithmetic.formats import Format, fixed_point, wide
from affinepieces.arithmetic.rounding import round_network, round_to
from affinepieces.chapters.one_step import WIDE, after_step, configuration, noisy_biases
from affinepieces.constructions import gentle_sawtooth, rescale, sawtooth
from affinepieces.descent.errors import relative_error
from affinepieces.descent.gradients import gradients
from affinepieces.descent.machines import Exact, Rounded
from affinepieces.descent.updates import exact_update, perturbed_network
from affinepieces.networks import ReLUNetwork
from affinepieces.pieces.count import count_many, count_pieces
from affinepieces.study.summaries import summary
from affinepieces.study.tasks import UNIT, noisy_labels
from affinepieces.theory.one_step import data_driven_bound, depth_budget_bound

Floats = NDArray[np.float64]
PEAK = 0.4
TWINS = {"gentle": gentle_sawtooth, "steep": sawtooth}
NEVER = 20.0  # above every log2 of a level at which half of the pieces can be gone
TEETH = 2.0**-9  # height of those of the gentle sawtooth of ten layers
GRID = np.linspace(0, 1, 4097)[:, None]


def twins_against_depth(width: float, depths: Sequence[int], draws: int) -> dict[str, tuple[NDArray[np.int64], Floats]]:
    """For both twins: regions after noise of this width in every hidden bias, (draws, len(depths)), and depth budgets.

    The budgets come from draws of their own, as many again.
    """
    found = {}
    for name, twin in TWINS.items():
        regions, budgets = [], []
        for n in depths:
            nets = noisy_biases(twin(n, PEAK), width, 2 * draws)
            regions.append(count_many(nets[:draws], UNIT).regions)
            budgets.append(depth_budget_bound(nets[draws:], UNIT, [np.full(2, width)] * n, 0.5))
        found[name] = np.transpose(regions), np.array(budgets)
    return found


def budget_and_regions(seed: int, draws: int = 40) -> tuple[float, float, float, float]:
    """Depth budget and data-driven bound of a `configuration`, and mean regions with their standard error.

    The bounds and the regions come from two independent sets of draws.
    """
    net, update, delta = configuration(seed)
    nets, moves = after_step(net, update, delta, 2 * draws), update.biases[:-1]
    regions = count_many(nets[:draws], WIDE).regions
    return (depth_budget_bound(nets[draws:], WIDE, moves, delta), data_driven_bound(nets[draws:], WIDE, moves, delta),
            float(regions.mean()), float(regions.std(ddof=1) / np.sqrt(draws)))


def half_gone(kind: str, n: int, twin: str) -> Floats:
    """log2 of the noise at which half of the pieces are gone, for each stored run; `NEVER` where they never are.

    kind: "noise", the width of noise in every hidden bias; "delta", the level of one perturbed step.
    twin: "gentle" or "steep".
    """
    more = {"labels": 0.01} if kind == "delta" else {}
    values = summary(kind).where(n=int(n), start=f"{twin} {PEAK}", **more).rows("half")
    return np.array([NEVER if v is None else v if kind == "delta" else -v for v in values])


def pieces_when_rounded(twin: str, n: int, bits: Sequence[int], fixed: bool) -> list[int]:
    """Pieces of the network whose parameters are rounded: to multiples of 2^-bits, or to so many significant bits."""
    formats: list[Format] = [fixed_point(3, b) if fixed else wide(b) for b in bits]
    return [count_pieces(round_network(TWINS[twin](n, PEAK), fmt), UNIT) for fmt in formats]


def errors_of_gradient(twin: str, n: int, fmt: Format, seed: int) -> Floats:
    """Relative errors of all entries of the gradient, every operation rounded.

    32 random points; the labels are x^2 for the steep sawtooth, scaled down with its teeth for the gentle one.
    """
    x = round_to(np.random.default_rng([8, seed]).random((32, 1)), fmt)
    labels = round_to(x**2, fmt) * (2.0 ** (1 - n) if twin == "gentle" else 1.0)
    data = round_network(TWINS[twin](n, PEAK), fmt), x, labels
    return relative_error(gradients(*data, Rounded(fmt)), gradients(*data, Exact())).entries()


def rescaled(exponent: float) -> ReLUNetwork:
    """The gentle sawtooth with hidden layer j, from 0, scaled so that it is 2^-(exponent j) of that of its steep twin.

    exponent 1: the gentle sawtooth itself; the powers of two are rounded.
    """
    return rescale(gentle_sawtooth(10, PEAK), [2.0 ** (j - round(exponent * j)) for j in range(10)])


def rate_for_change(net: ReLUNetwork, x: Floats, y: Floats, change: float) -> float:
    """The learning rate, to one part in a thousand, at which the exact step changes the function by `change`."""
    before, low, high = net(GRID), -60.0, 10.0
    while high - low > 1e-3:
        middle = (low + high) / 2
        after = perturbed_network(net, exact_update(net, x, y, 2.0**middle), 0.0, np.random.default_rng(0))
        low, high = (middle, high) if np.abs(after(GRID) - before).max() < change else (low, middle)
    return float(2.0**low)


def bounds_of_rescalings(exponents: Sequence[float], seed: int, draws: int = 20) -> Floats:
    """Shape (len(exponents), 3): data-driven bound, depth budget, mean regions after one step with delta = 1.

    Each step is so long that without perturbation it changes the function by half the height of its teeth.
    """
    x, y = noisy_labels(gentle_sawtooth(10, PEAK), 0.01, seed)
    rows = []
    for net in map(rescaled, exponents):
        update = exact_update(net, x, y, rate_for_change(net, x, y, TEETH / 2))
        nets, moves = after_step(net, update, 1.0, draws), update.biases[:-1]
        rows.append((data_driven_bound(nets, UNIT, moves, 1.0), depth_budget_bound(nets, UNIT, moves, 1.0),
                     float(count_many(nets, UNIT).regions.mean())))
    return np.array(rows)
