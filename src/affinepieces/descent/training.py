"""Training: many steps of gradient descent, as a function of a frozen description."""
from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from threading import Event
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from affinepieces._interrupts import deferred
from affinepieces.arithmetic.kernels import training as kernels
from affinepieces.arithmetic.operations import carrier, kernel_arguments
from affinepieces.descent.gradients import UPDATE, checked, flatten, rounded_rate, split, step
from affinepieces.descent.machines import Floats, Grain, Native, Rounded
from affinepieces.descent.runs import History, Run
from affinepieces.descent.specification import backpropagate, descend
from affinepieces.descent.updates import Perturbed, noisy
from affinepieces.networks import ReLUNetwork

Array = NDArray[Any]
# (runs side by side, step, their parameters (runs, p)) -> losses (runs,), gradients, parameters after the next step
Advance = Callable[[Sequence[Run], int, Array], tuple[Array, Array, Array]]
TOGETHER = 2**13  # most numbers in a layer of all the runs that advance together; more do not stay in the cache


def train(run: Run) -> History:
    """The history of one run.  The same run gives the same history, bit for bit.

    Each step is that of `affinepieces.step`, or of `perturbed_network` with the gradient in float64.
    Training that diverges ends with the last finite network, and `diverged_at` names the step.  An interrupt from
    the keyboard ends it too, after the step: the history so far is returned, is not `complete`, and
    `train(history.rest())` goes on with the numbers that the whole run would have had.  A second one raises.

    >>> import affinepieces as ap
    >>> x = np.linspace(0, 1, 9)[:, None]
    >>> net = ap.constructions.he_random([1, 8, 8, 1], np.random.default_rng(0), bias_std=0.5)
    >>> history = train(Run(net, x, x**2, 2**-5, 200, Native(), record=[0, 100]))
    >>> history.steps.tolist(), history.complete, bool(history.losses[-1] < history.losses[0] / 10)
    ([0, 100, 200], True, True)
    """
    return train_many([run])[0]


def train_many(runs: Sequence[Run]) -> list[History]:
    """The histories of many runs, equal to those of `train`.

    Small runs in native arithmetic or with perturbation that differ only in their start and seed advance
    together, which is several times faster.  An interrupt from the keyboard ends all runs.
    """
    batches = [(_Batch([runs[i] for i in indices]), indices) for indices in _together(runs)]
    with deferred() as stop:
        for batch, _ in batches:
            for _ in tqdm(batch.remaining(stop), total=batch.run.steps - batch.run.first, delay=3, leave=False):
                batch.advance()
    histories = {i: history for batch, indices in batches
                 for i, history in zip(indices, batch.histories(), strict=True)}
    return [histories[i] for i in range(len(runs))]


class _Batch:
    """Runs that advance together."""

    def __init__(self, runs: Sequence[Run]) -> None:
        self.runs, self.run, self.next = runs, runs[0], _advance(runs[0])
        starts = np.stack([flatten(run.start, _dtype(run)) for run in runs])
        self.state = (self.run.first, np.arange(len(runs)), starts)  # step, which runs, their parameters
        self.hidden, self.wanted = _hidden_biases(self.run), frozenset(self.run.record)
        self.records: list[dict[int, tuple[Array, float, Array]]] = [{} for _ in runs]
        self.diverged: list[int | None] = [None] * len(runs)

    def remaining(self, stop: Event) -> Iterator[int]:
        """The steps that are still to be made, unless they shall stop."""
        while not stop.is_set() and self.state[0] < self.run.steps and len(self.state[1]):
            yield self.state[0]

    def advance(self) -> None:
        """One step of all runs; those that diverge with it leave."""
        k, rows, flat = self.state
        losses, gradients, after = self.next([self.runs[i] for i in rows.tolist()], k, flat)
        finite = np.isfinite(after).all(axis=1)
        if k in self.wanted:
            self.keep(k, rows, flat, losses, gradients)
        if not finite.all():
            self.keep(k, rows[~finite], flat[~finite], losses[~finite], gradients[~finite])
            for i in rows[~finite].tolist():
                self.diverged[i] = k + 1
            rows, after = rows[finite], after[finite]
        self.state = (k + 1, rows, after)

    def keep(self, k: int, rows: Array, flat: Array, losses: Array, gradients: Array) -> None:
        """Record the state after step k."""
        for row, i in enumerate(rows.tolist()):
            self.records[i][k] = (flat[row], float(losses[row]), gradients[row, self.hidden])

    def histories(self) -> Iterator[History]:
        """What was recorded, with the state as it is now."""
        k, rows, flat = self.state
        if len(rows):
            losses, gradients, _ = self.next([self.runs[i] for i in rows.tolist()], k, flat)
            self.keep(k, rows, flat, losses, gradients)
        return map(_history, self.runs, self.records, self.diverged)


def _history(run: Run, records: dict[int, tuple[Array, float, Array]], diverged: int | None) -> History:
    dtype = run.method.dtype if isinstance(run.method, Native) else np.float64
    rate, cuts = rounded_rate(run.learning_rate, run.machine(run.first)), np.cumsum(run.start.widths[1:-1])[:-1]
    networks, updates = [], []
    for flat, _, gradient in records.values():
        networks.append(ReLUNetwork(*split(flat.astype(dtype), run.start.widths)))
        with np.errstate(over="ignore", invalid="ignore"):
            moves = 0.0 - rate * gradient.astype(np.float64)
        updates.append(tuple(np.split(moves, cuts)) if run.start.layers > 1 else ())
    return History(run, np.array(list(records), np.int64), np.array([loss for _, loss, _ in records.values()]),
                   tuple(networks), tuple(updates), diverged)


def _advance(run: Run) -> Advance:
    if not isinstance(run.method, Rounded):
        return _stacked(run)
    return _compiled(run, run.method) if run.method.grain is Grain.OPERATION else _tensors(run)


def _stacked(run: Run) -> Advance:
    """Native arithmetic; the runs are stacked along the first axis."""
    do, rate, widths = Floats(_dtype(run)), rounded_rate(run.learning_rate, run.machine(run.first)), run.start.widths
    x, y = map(do.array, checked(run.start, run.x, run.y, run.machine(run.first)))
    hidden, delta = _hidden_biases(run), run.method.delta if isinstance(run.method, Perturbed) else None

    def advance(runs: Sequence[Run], k: int, flat: Array) -> tuple[Array, Array, Array]:
        with np.errstate(over="ignore", invalid="ignore", under="ignore"):
            tape = backpropagate(do, *split(flat, widths), x, y, len(run.x))
            gradient = np.concatenate([p.reshape(len(runs), -1) for pair in zip(tape.weights, tape.biases, strict=True)
                                       for p in pair], axis=1)
            if delta is None:
                return tape.loss[:, 0], gradient, descend(do, flat, gradient, rate)
            moves = -rate * gradient
            moves[:, hidden] = [noisy(u, delta, r.generator(k)) for u, r in zip(moves[:, hidden], runs, strict=True)]
            return tape.loss[:, 0], gradient, flat + moves

    return advance


def _compiled(run: Run, method: Rounded) -> Advance:
    """Every operation rounded: one run alone."""
    dtype, widths = _dtype(run), np.array(run.start.widths)
    x, y = (columns.astype(dtype) for columns in checked(run.start, run.x, run.y, method))
    rate, pairwise = dtype(rounded_rate(run.learning_rate, method)), method.order.flag

    def advance(runs: Sequence[Run], k: int, flat: Array) -> tuple[Array, Array, Array]:
        rounding = cast(Rounded, runs[0].machine(k)).rounding
        f, careful, seed, start = kernel_arguments(method.format, rounding)
        gradient, loss, _ = kernels.gradient(widths, flat[0], x, y, f, careful, seed, start, pairwise)
        after = kernels.descend(flat[0], gradient, rate, f, careful, seed, start + UPDATE)
        return np.array([loss]), gradient[None], after[None]

    return advance


def _tensors(run: Run) -> Advance:
    """Every array rounded: one run alone, and no faster than `step`."""

    def advance(runs: Sequence[Run], k: int, flat: Array) -> tuple[Array, Array, Array]:
        net = ReLUNetwork(*split(flat[0], run.start.widths))
        made = step(net, run.x, run.y, run.learning_rate, runs[0].machine(k))
        found = made.gradients
        return np.array([found.loss]), flatten(found, np.float64)[None], flatten(made, np.float64)[None]

    return advance


def _together(runs: Sequence[Run]) -> Iterator[list[int]]:
    """Indices of runs that advance together."""
    groups: dict[Any, list[int]] = {}
    for i, run in enumerate(runs):
        alone = i if isinstance(run.method, Rounded) else None
        groups.setdefault((alone, run.start.widths, run.shared()), []).append(i)
    for indices in groups.values():
        run = runs[indices[0]]
        size = max(1, TOGETHER // (max(run.start.widths) * len(run.x)))
        yield from (indices[at:at + size] for at in range(0, len(indices), size))


def _dtype(run: Run) -> Any:
    """In which the parameters are held."""
    if isinstance(run.method, Native):
        return np.dtype(run.method.dtype).type
    if isinstance(run.method, Rounded) and run.method.grain is Grain.OPERATION:
        return carrier(run.method.format, run.method.rounding)
    return np.float64


def _hidden_biases(run: Run) -> Array:
    """Where the hidden biases are in the flat parameters."""
    size = flatten(run.start, np.float64).size
    return np.concatenate([np.zeros(0, np.int64), *split(np.arange(size), run.start.widths)[1][:-1]])
