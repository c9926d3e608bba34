"""Ways around the theorem: descent in peaks alone, planted regions, exact descent."""
from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from affinepieces._extras import wanted
from affinepieces.arithmetic.exact import ExactArray
from affinepieces.arithmetic.formats import BFLOAT16, FLOAT64, Format
from affinepieces.arithmetic.rounding import Stochastic, round_network, round_to
from affinepieces.constructions import gentle_sawtooth, perturb_biases
from affinepieces.descent.arithmetics import Rationals
from affinepieces.descent.gradients import gradients
from affinepieces.descent.machines import Exact, Machine, Mixed, Native, Rounded
from affinepieces.descent.runs import Run
from affinepieces.descent.specification import backpropagate
from affinepieces.descent.training import train, train_many
from affinepieces.networks import ReLUNetwork
from affinepieces.parameters import layers_of
from affinepieces.pieces.count import count_many
from affinepieces.study.tasks import UNIT, noisy_labels, points, random_start

Array = NDArray[np.float64]
DEPTH, PEAK, RATE = 10, 0.4, 2.0**-8  # the running example, and how chapter 14 trains it
RECORD = (0, 1, 4, 16, 64)


def gentle_triangles(theta: Array) -> ReLUNetwork:
    """theta = (peaks, scale, shift): scale times a composition of n triangles with these peaks, plus shift.

    As in the gentle sawtooth the outputs of hidden layer j, counted from 0, are divided by 2^j.

    >>> start = gentle_triangles(np.array([0.4] * 10 + [2.0**-9, 0.0]))
    >>> all(np.array_equal(a, b) for a, b in zip(start.weights, gentle_sawtooth(10, 0.4).weights))
    True
    """
    peaks, scale, shift = theta[:-2], theta[-2], theta[-1]
    n, powers = len(peaks), 2.0 ** -np.arange(len(peaks))
    up, turn = _slopes(peaks)
    rows = np.stack([up, -turn], axis=1) * np.append(np.full(n - 1, 0.5), scale / powers[-1])[:, None]
    weights = [np.ones((2, 1)), *(np.tile(row, (2, 1)) for row in rows[:-1]), rows[-1:]]
    return ReLUNetwork(weights, [*np.stack([0 * peaks, -peaks * powers], axis=1), np.array([shift])])


def pulled_back(theta: Array, gradient: Any) -> Array:
    """The derivatives by peaks, scale and shift, from those by the weights and biases of `gentle_triangles(theta)`."""
    peaks, scale = theta[:-2], theta[-2]
    n, powers = len(peaks), 2.0 ** -np.arange(len(peaks))
    factors = np.append(np.full(n - 1, 0.5), scale / powers[-1])
    by_row = np.array([g.sum(axis=0) for g in gradient.weights[1:]])
    by_up, by_turn = -1 / peaks**2, -1 / peaks**2 + 1 / (1 - peaks) ** 2
    by_peak = factors * (by_row[:, 0] * by_up - by_row[:, 1] * by_turn)
    by_peak -= powers * np.array([b[1] for b in gradient.biases[:-1]])
    up, turn = _slopes(peaks)
    by_scale = (by_row[-1, 0] * up[-1] - by_row[-1, 1] * turn[-1]) / powers[-1]
    return np.concatenate([by_peak, [by_scale, gradient.biases[-1][0]]])


def _slopes(peaks: Array) -> tuple[Array, Array]:
    return 1 / peaks, 1 / peaks + 1 / (1 - peaks)


def descend_in_peaks(x: Array, y: Array, fmt: Format, record: Sequence[int] = RECORD) -> list[ReLUNetwork]:
    """Gradient descent on theta alone, from the running example: the networks at the recorded steps.

    Weights and biases are made from theta at each step and rounded to the format; every operation of their gradient is
    rounded, then the derivatives by theta and the new theta.
    """
    theta = np.asarray(round_to(np.array([PEAK] * DEPTH + [2.0 ** (1 - DEPTH), 0.0]), fmt))
    machine: Machine = Native() if fmt == FLOAT64 else Rounded(fmt)
    found = []
    for step in range(record[-1] + 1):
        net = round_network(gentle_triangles(theta), fmt)
        if step in record:
            found.append(net)
        move = RATE * np.asarray(round_to(pulled_back(theta, gradients(net, x, y, machine)), fmt))
        theta = np.asarray(round_to(theta - move, fmt))
    return found


def descend_freely(x: Array, y: Array, machine: Machine, record: Sequence[int] = RECORD) -> list[ReLUNetwork]:
    """Gradient descent on all weights and biases, from the running example: the networks at the recorded steps."""
    run = Run(gentle_sawtooth(DEPTH, PEAK), x, y, RATE, record[-1], machine, record)
    return list(train(run).networks)


class Runs(NamedTuple):
    """pieces, loss: shape (seeds, recorded steps)."""

    pieces: NDArray[np.int64]
    loss: Array


def same_start(seeds: Iterable[int]) -> dict[str, Runs]:
    """The running example, trained in four ways on the same data for each seed."""
    ways: dict[str, Callable[[Array, Array], list[ReLUNetwork]]] = {
        "free": lambda x, y: descend_freely(x, y, Native()),
        "exact": lambda x, y: descend_freely(x, y, Mixed(Exact(), update=Native())),
        "peaks": lambda x, y: descend_in_peaks(x, y, FLOAT64),
        "bfloat16": lambda x, y: descend_in_peaks(round_to(x, BFLOAT16), round_to(y, BFLOAT16), BFLOAT16)}
    data = [noisy_labels(gentle_sawtooth(DEPTH, PEAK), 0.1, seed) for seed in seeds]
    return {name: _measured([train_so(x, y) for x, y in data], data) for name, train_so in ways.items()}


def _measured(runs: list[list[ReLUNetwork]], data: list[tuple[Array, Array]]) -> Runs:
    pieces = [count_many(nets, UNIT).pieces for nets in runs]
    loss = [[np.mean((net(x) - y) ** 2) for net in nets] for nets, (x, y) in zip(runs, data, strict=True)]
    return Runs(np.array(pieces), np.array(loss))


def after_noise(width: float, draws: int, rng: np.random.Generator) -> dict[str, NDArray[np.int64]]:
    """Pieces of the running example with noise, uniform on +- width / 2, on each hidden bias, or on each peak."""
    net = gentle_sawtooth(DEPTH, PEAK)
    peaks = PEAK + rng.uniform(-width / 2, width / 2, (draws, DEPTH))
    tied = [gentle_triangles(np.append(row, [2.0 ** (1 - DEPTH), 0.0])) for row in peaks]
    return {"biases": count_many([perturb_biases(net, width, rng) for _ in range(draws)], UNIT).pieces,
            "peaks": count_many(tied, UNIT).pieces}


def bits_of_exact_descent(net: ReLUNetwork, x: Array, y: Array, rate: float, steps: int) -> list[int]:
    """Bits of the longest denominator of a parameter, at the start and after each step, with nothing rounded.

    x: (D, N_0), y: (D, N_L), floats.
    """
    do = Rationals()
    layers = [do.array(p) for pair in layers_of(net) for p in pair]
    found = [_longest(layers)]
    for _ in range(steps):
        tape: Any = backpropagate(do, layers[::2], layers[1::2], do.array(x.T), do.array(y.T), len(x))
        moves = [do.scale(g, rate) for pair in layers_of(tape) for g in pair]
        layers = [do.subtract(p, u) for p, u in zip(layers, moves, strict=True)]
        found.append(_longest(layers))
    return found


def _longest(layers: list[ExactArray]) -> int:
    return max(int(v.denominator).bit_length() for p in layers for v in p.fractions().ravel())


class Batch(NamedTuple):
    """Networks of one shape, and the data (x, y) of each."""

    networks: list[ReLUNetwork]
    data: list[tuple[Array, Array]]


def random_batch(seeds: Iterable[int], depth: int, width: int) -> Batch:
    """Random networks, and 32 points of sin(2 pi x) for each."""
    chosen = list(seeds)
    return Batch([random_start("he_biases", "sine", depth, width, s) for s in chosen],
                 [points("sine", s) for s in chosen])


def planted(batch: Batch, weight: float, steps: int = 200, rate: float = 0.01) -> Batch:
    """The networks after steps of Adam in float64 on the loss plus weight times the penalty, all at once in torch.

    The penalty is the mean over the neurons of (mean of z / standard deviation of z)^2, over the data.
    """
    with wanted("torch"):
        import torch
    nets, (x, y) = batch.networks, (torch.tensor(np.array(v)) for v in zip(*batch.data, strict=True))
    layers = [torch.tensor(np.array(p), requires_grad=True)
              for p in zip(*([p for pair in layers_of(net) for p in pair] for net in nets), strict=True)]
    optimiser, neurons = torch.optim.Adam(layers, lr=rate), sum(nets[0].widths[1:-1])
    with threadpool_limits(1):  # the products are small
        for _ in range(steps):
            h, penalty = x, torch.zeros(())
            for a, b in zip(layers[:-2:2], layers[1:-2:2], strict=True):
                z = h @ a.transpose(1, 2) + b[:, None]
                penalty = penalty + (z.mean(1) ** 2 / (z.var(1) + 1e-6)).clamp(max=100).sum() / neurons
                h = torch.relu(z)
            loss = ((h @ layers[-2].transpose(1, 2) + layers[-1][:, None] - y) ** 2).mean((1, 2)).sum()
            optimiser.zero_grad()
            (loss + weight * penalty).backward()  # type: ignore[no-untyped-call]
            optimiser.step()
    arrays = [[p[i].detach().numpy() for p in layers] for i in range(len(nets))]
    return Batch([ReLUNetwork(p[::2], p[1::2]) for p in arrays], batch.data)


def plain_and_planted(depths: Sequence[int], width: int, seeds: Iterable[int]) -> dict[int, tuple[Batch, Batch]]:
    """For each depth random networks after training without and with the penalty, of weight 0.05."""
    starts = {depth: random_batch(seeds, depth, width) for depth in depths}
    return {depth: (planted(start, 0.0), planted(start, 0.05)) for depth, start in starts.items()}


def regions(networks: Sequence[ReLUNetwork]) -> NDArray[np.int64]:
    """Activation regions on [0, 1], one count a network."""
    return np.asarray(count_many(networks, UNIT).regions)


def after_planting(batch: Batch, steps: int = 200, rate: float = 2.0**-4) -> dict[str, NDArray[np.int64]]:
    """Regions of the batch, of its networks rounded to bfloat16, and after steps of descent from there, no penalty.

    The descent is in float64 or with every operation rounded to bfloat16, to nearest and stochastically.
    """
    found = {"planted": regions(batch.networks)}
    starts = [round_network(net, BFLOAT16) for net in batch.networks]
    found["rounded"] = regions(starts)
    for name, machine in {"float64": Rounded(FLOAT64), "bfloat16": Rounded(BFLOAT16),
                          "stochastic": Rounded(BFLOAT16, Stochastic(0))}.items():
        runs = [Run(net, round_to(x, BFLOAT16), round_to(y, BFLOAT16), rate, steps, machine, seed=i)
                for i, (net, (x, y)) in enumerate(zip(starts, batch.data, strict=True))]
        found[name] = regions([history.networks[-1] for history in train_many(runs)])
    return found
