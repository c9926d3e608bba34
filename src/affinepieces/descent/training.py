"""Training: many steps, as a function of a frozen description."""
from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache
from typing import Any, NamedTuple, cast

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits
from tqdm import tqdm

from affinepieces import environment
from affinepieces._interrupts import Stop, deferred
from affinepieces.arguments import instance, integer, items
from affinepieces.arithmetic.exact import ExactArray
from affinepieces.arithmetic.rounding import Stochastic, round_to
from affinepieces.arithmetic.truth import round_exact
from affinepieces.descent.arithmetics import Floats, arithmetic_of
from affinepieces.descent.gradients import UPDATE, computed, fused, quiet, rounded_rate
from affinepieces.descent.history import History
from affinepieces.descent.machines import Grain, Machine, Mixed, Native, Part, Rounded, format_of, part_of
from affinepieces.descent.optimisers import OptimiserState, slots_of, update
from affinepieces.descent.runs import Run
from affinepieces.descent.specification import Loss, backpropagate
from affinepieces.networks import ReLUNetwork
from affinepieces.parameters import Parameters, flatten, hidden_bias_positions, layers_of, split
from affinepieces.values import sealed

Array = NDArray[Any]
# (runs side by side, step, machine, parameters (runs, p), scale of the loss) -> losses (runs,), gradients (runs, p)
Gradient = Callable[[Sequence[Run], int, Machine, Array, float], tuple[Array, Array]]
LONG_PRODUCT = 2**21  # multiplications in a layer from which on native runs gain from threads
LONG_KERNEL = 2**15  # parameters times points from which on rounded runs do; three times as many in native formats
TOGETHER = 2**13  # most numbers in a layer of all the runs that advance together; more do not stay in the cache


def train(run: Run) -> History:
    """The history of one run.  The same run gives the same history, bit for bit, whatever the number of threads.

    Each step is that of `affinepieces.step`, with noise, batches and scaling as the run says.
    Training that diverges ends with the last finite network, and `diverged_at` names the step.  An interrupt from
    the keyboard ends it too, after the step: the history so far is returned, is not `complete`, and
    `train(history.rest())` goes on with the numbers that the whole run would have had.  A second one raises.

    >>> import affinepieces as ap
    >>> x = np.linspace(0, 1, 9)[:, None]
    >>> net = ap.constructions.he_random([1, 8, 8, 1], np.random.default_rng(0), bias_std=0.5)
    >>> history = train(Run(net, x, x**2, 2**-5, 200, record=[0, 100]))
    >>> history.steps.tolist(), history.complete, bool(history.losses[-1] < history.losses[0] / 10)
    ([0, 100, 200], True, True)
    """
    remedy = "for many runs use train_many" if isinstance(run, list) else ""
    return train_many([instance(run, Run, "run", remedy)], workers=1)[0]


def train_many(runs: Sequence[Run], workers: int | None = None) -> list[History]:
    """The histories of many runs, equal to those of `train`, bit for bit.

    Small runs in native arithmetic that differ only in their start and seed advance together, which is several times
    faster.  workers: how many threads work, None: one for each processor; the results do not depend on it.
    An interrupt from the keyboard ends all runs.
    """
    environment.check()
    runs = [instance(run, Run, f"runs[{i}]") for i, run in enumerate(items(runs, "runs", "runs"))]
    processors = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    workers = integer(processors if workers is None else workers, "workers", 1)
    batches = [(_Batch([runs[i] for i in indices]), indices) for indices in _together(runs)]
    total = sum(batch.run.steps - batch.run.first for batch, _ in batches)
    with (deferred() as stop, threadpool_limits(1, "blas"), tqdm(total=total, delay=3, leave=False) as bar,
          ThreadPoolExecutor(workers) as pool):
        aside = [pool.submit(batch.finish, stop, bar) for batch, _ in batches if workers > 1 and batch.long]
        for batch, _ in batches:
            if workers == 1 or not batch.long:
                batch.finish(stop, bar)
        for done in aside:
            done.result()
    histories = {i: history for batch, indices in batches
                 for i, history in zip(indices, batch.histories(), strict=True)}
    return [histories[i] for i in range(len(runs))]


class Held(NamedTuple):
    """Where runs that advance together are."""

    step: int
    rows: NDArray[np.int64]  # which runs
    flat: Array  # their parameters (runs, p)
    slots: tuple[Array, ...]  # of the optimiser, each (runs, p)
    updates: int  # made by the optimiser
    scale: float  # of the loss
    finite: int  # gradients in a row


@dataclass(frozen=True)
class Record:
    """One run at one step."""

    flat: Array
    loss: float
    updates: Array  # of the hidden biases


class _Batch:
    """Runs that advance together."""

    def __init__(self, runs: Sequence[Run]) -> None:
        self.runs, self.run, self.gradient = runs, runs[0], _gradient_of(runs[0])
        self.hidden, self.wanted = hidden_bias_positions(self.run.start.widths), frozenset(self.run.record)
        self.records: list[dict[int, Record]] = [{} for _ in runs]
        self.diverged: list[int | None] = [None] * len(runs)
        self.ends = [OptimiserState()] * len(runs)
        own, self.same = part_of(self.run.machine, Part.UPDATE), None
        if not isinstance(own, Rounded) or not isinstance(own.rounding, Stochastic):
            self.same = arithmetic_of(own, UPDATE, isinstance(self.run.machine, Mixed))
        self.rates = cache(lambda rate: rounded_rate(rate, self.run.machine))
        self.held = self._begin()

    @property
    def long(self) -> bool:
        """Whether operations take so long that threads do not stand in each other's way."""
        points, widths = self.run.batch or len(self.run.x), self.run.start.widths
        if isinstance(self.run.machine, Native):
            return max(widths)**2 * points >= LONG_PRODUCT
        machine = part_of(self.run.machine, Part.FORWARD)
        native = isinstance(machine, Rounded) and machine.kernel[0] is None
        return _is_fused(self.run) and self.held.flat.size * points >= LONG_KERNEL * (3 if native else 1)

    def _begin(self) -> Held:
        dtype, run = _dtype(self.run), self.run
        flat = np.stack([flatten(r.start, dtype) for r in self.runs])
        initial = OptimiserState(scale=run.scaling.scale if run.scaling is not None else 1.0)
        states = [r.state if r.state is not None else initial for r in self.runs]
        slots = [np.stack(rows).astype(dtype) for rows in zip(*(s.slots for s in states), strict=True)]
        slots = slots or [np.zeros_like(flat) for _ in range(slots_of(run.optimiser))]
        return Held(run.first, np.arange(len(self.runs)), flat, tuple(slots), states[0].updates, states[0].scale,
                    states[0].finite)

    def finish(self, stop: Stop, bar: Any) -> None:
        """All steps that are still to be made, unless they shall stop."""
        environment.check()
        with quiet():
            while not stop.asked and self.held.step < self.run.steps and len(self.held.rows):
                self.advance()
                bar.update()

    def advance(self) -> None:
        """One step of all runs; those that diverge with it leave."""
        held = self.held
        losses, moves, after = self.next()
        if held.step in self.wanted:
            self.keep(losses, moves, slice(None))
        fine = np.isfinite(after.flat)
        if not fine.all():
            finite: Any = fine.all(axis=1)
            self.keep(losses, moves, ~finite)
            for i in held.rows[~finite].tolist():
                self.diverged[i] = held.step + 1
            after = after._replace(rows=after.rows[finite], flat=after.flat[finite],
                                   slots=tuple([s[finite] for s in after.slots]))
        self.held = after

    def next(self) -> tuple[Array, Array, Held]:
        """Losses, what is subtracted before noise, and where the runs are after the next step."""
        held, run, k = self.held, self.run, self.held.step
        runs = [self.runs[i] for i in held.rows.tolist()]
        machine = runs[0].machine_at(k)
        losses, gradient = self.gradient(runs, k, machine, held.flat, held.scale)
        scale, finite = held.scale, held.finite
        if run.scaling is not None:
            is_finite = bool(np.isfinite(gradient).all())
            scale, finite = run.scaling.after(held.scale, held.finite, is_finite)
            if run.scaling.dynamic and not is_finite:
                after = held._replace(step=k + 1, scale=scale, finite=finite)
                return losses, np.zeros_like(gradient), after
        do = self.same or arithmetic_of(part_of(machine, Part.UPDATE), UPDATE, isinstance(machine, Mixed))
        (flat,), (u,), slots = update(do, run.optimiser, [held.flat], [gradient], [[s] for s in held.slots],
                                      self.rates(run.rate(k)), held.updates + 1, held.scale,
                                      lambda moves: [self._shaken(do, moves[0], runs, k)])
        return losses, u, Held(k + 1, held.rows, flat, tuple([s for (s,) in slots]), held.updates + 1, scale, finite)

    def _shaken(self, do: Any, moves: Array, runs: Sequence[Run], k: int) -> Array:
        """The moves with noise on those of the hidden biases."""
        if self.run.noise is None:
            return moves
        shaken, noise = moves.copy(), cast(Any, self.run.noise)
        noisy = [noise.on(row, r.generator(k)) for row, r in
                 zip(moves[:, self.hidden].astype(np.float64), runs, strict=True)]
        shaken[:, self.hidden] = round_to(noisy, do.format)
        return shaken

    def keep(self, losses: Array, moves: Array, which: Any) -> None:
        """Record the state before the step."""
        held = self.held
        rows, number = held.rows[which], np.arange(len(held.rows))[which]
        for i, row in zip(rows.tolist(), number.tolist(), strict=True):
            updates = 0.0 - moves[row, self.hidden].astype(np.float64)
            self.records[i][held.step] = Record(held.flat[row], float(losses[row]), updates)
            slots = tuple([sealed(s[row].copy()) for s in held.slots])
            self.ends[i] = OptimiserState._of(held.updates, slots, held.scale, held.finite)

    def histories(self) -> Iterator[History]:
        """What was recorded, with the state as it is now."""
        if len(self.held.rows):
            with quiet():
                losses, moves, _ = self.next()
            self.keep(losses, moves, slice(None))
        return map(_history, self.runs, self.records, self.ends, self.diverged)


def _history(run: Run, records: dict[int, Record], end: OptimiserState, diverged: int | None) -> History:
    own, cuts = part_of(run.machine, Part.UPDATE), np.cumsum(run.start.widths[1:-1])[:-1]
    dtype = own.dtype if isinstance(own, Native) else np.float64
    networks = tuple([ReLUNetwork(*split(r.flat.astype(dtype), run.start.widths)) for r in records.values()])
    updates = tuple([tuple(np.split(r.updates, cuts)) if run.start.layers > 1 else () for r in records.values()])
    losses = np.array([r.loss for r in records.values()])
    return History._of(run, sealed(np.array(list(records), np.int64)), sealed(losses), networks, sealed(updates), end,
                       diverged)


def _gradient_of(run: Run) -> Gradient:
    """What computes losses and gradients."""
    if isinstance(run.machine, Native):
        return _stacked(run, run.machine)
    if _is_fused(run):
        return _compiled(run)
    return _staged(run)


def _stacked(run: Run, machine: Native) -> Gradient:
    """Native arithmetic; the runs are stacked along the first axis."""
    do, widths = Floats(machine.dtype), run.start.widths
    x, y = (np.ascontiguousarray(values.T, do.dtype) for values in (run.x, run.y))

    def gradient(runs: Sequence[Run], k: int, machine: Machine, flat: Array, scale: float) -> tuple[Array, Array]:
        xs, ys = x, y
        if run.batch is not None:
            xs, ys = (np.stack([values[:, r.points(k)] for r in runs]) for values in (x, y))
        tape = backpropagate(do, *split(flat, widths), xs, ys, xs.shape[-1], run.loss, scale)
        return tape.loss[:, 0], np.concatenate([p.reshape(len(runs), -1) for pair in layers_of(tape) for p in pair],
                                               axis=1)

    return gradient


def _is_fused(run: Run) -> bool:
    """Whether one kernel computes the gradient: all its parts are rounded alike, operation by operation."""
    parts = {part_of(run.machine, part) for part in Part if part is not Part.UPDATE}
    machine = next(iter(parts))
    return len(parts) == 1 and run.loss is Loss.SQUARED_ERROR and isinstance(machine, Rounded) \
        and machine.grain is Grain.OPERATION


def _compiled(run: Run) -> Gradient:
    """Every operation rounded: one run alone."""
    machine = cast(Rounded, part_of(run.machine, Part.FORWARD))
    do: Any = arithmetic_of(machine, foreign=isinstance(run.machine, Mixed))
    x, y = (np.ascontiguousarray(values.T, machine.carrier) for values in (run.x, run.y))
    widths = np.array(run.start.widths)

    def gradient(runs: Sequence[Run], k: int, machine: Machine, flat: Array, scale: float) -> tuple[Array, Array]:
        chosen = runs[0].points(k)
        xs, ys = (x, y) if run.batch is None else (np.ascontiguousarray(values[:, chosen]) for values in (x, y))
        found, loss, _ = fused(do.take(flat[0]), widths, xs, ys, cast(Rounded, part_of(machine, Part.FORWARD)), scale)
        return np.array([loss]), found[None]

    return gradient


def _staged(run: Run) -> Gradient:
    """Stage by stage: one run alone, and no faster than `step`."""
    fmt = format_of(run.machine)

    def gradient(runs: Sequence[Run], k: int, machine: Machine, flat: Array, scale: float) -> tuple[Array, Array]:
        chosen = runs[0].points(k)
        net = Parameters._of(*split(flat[0], run.start.widths))
        x, y = (np.ascontiguousarray(values[chosen].T) for values in (run.x, run.y))
        found = computed(net, x, y, machine, run.loss, scale)
        parts = [round_exact(p, fmt) if isinstance(p, ExactArray) else p for pair in layers_of(found) for p in pair]
        return np.array([float(found.loss)]), np.concatenate([p.ravel() for p in parts])[None]

    return gradient


def _together(runs: Sequence[Run]) -> Iterator[list[int]]:
    """Indices of runs that advance together."""
    groups: dict[Any, list[int]] = {}
    for i, run in enumerate(runs):
        alone = None if isinstance(run.machine, Native) and run.scaling is None else i
        groups.setdefault((alone, run.start.widths, run.shared()), []).append(i)
    for indices in groups.values():
        run = runs[indices[0]]
        size = max(1, TOGETHER // (max(run.start.widths) * (run.batch or len(run.x))))
        yield from (indices[at:at + size] for at in range(0, len(indices), size))


def _dtype(run: Run) -> Any:
    """In which the parameters are held."""
    own = part_of(run.machine, Part.UPDATE)
    return own.dtype.type if isinstance(own, Native) else cast(Rounded, own).carrier
