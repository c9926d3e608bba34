"""A training run: its description, as a product of independent choices."""
from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from affinepieces.arguments import instance, integer, items, network, refuse
from affinepieces.arithmetic.rounding import Stochastic
from affinepieces.descent.describing import digest
from affinepieces.descent.gradients import check_slots, checked, rounded_rate
from affinepieces.descent.machines import Exact, Machine, Mixed, Native, Part, Rounded, format_of, machine_of, part_of
from affinepieces.descent.noise import Noise, noise_of
from affinepieces.descent.optimisers import GradientDescent, Optimiser, OptimiserState, optimiser_of
from affinepieces.descent.scaling import LossScaling, scaling_of
from affinepieces.descent.specification import Loss
from affinepieces.networks import ReLUNetwork
from affinepieces.values import Value, sealed

Floats = NDArray[np.float64]
NOISE, ROUNDING, BATCHES = 23, 34, 45  # keep the random numbers apart from each other, and from default_rng(seed)


@dataclass(frozen=True, eq=False)
class Run(Value):
    """Everything that decides what happens in training: `train` is a function of it, without other inputs.

    start: the network at the beginning, in numbers of the format in which the machine keeps its parameters.
    x, y: data points (m, N_0) and labels (m, N_L), in numbers of the machine's formats; copied, and cannot be written
    to.
    learning_rate: finite and > 0, or such a number for each step, one after the other; rounded to the format.
    steps: the run ends after this step.
    machine: `Native(dtype)`, `Rounded(format)`, or a `Mixed` of these and `Exact()`; the update is not exact.
    record: after which steps to record; the last state is recorded in any case.
    seed: of all random numbers, an integer >= 0.  Each step has its own, which depend on `seed`, on the step and, for
    stochastic rounding, on the seed given there.
    first: how many steps led to `start`; a run that continues another goes on counting.
    noise: on the updates of the hidden biases: `Perturbed(delta)`, Definition 2.3 of the paper, or
    `UniformNoise(width)`.
    optimiser: `GradientDescent()`, `Momentum()`, `Adam()`, `AdamW()`.
    loss: see `Loss`.
    batch: how many data points each step sees, None: all.  In each epoch they come in a new random order, `points(k)`;
    the last batch of an epoch has the points that are left.
    scaling: `LossScaling(scale)` for formats of narrow range.
    state: of the optimiser after `first` steps, from a history; None at the beginning.
    Raises ValueError or TypeError, naming the value, for anything else.  Runs with equal fields are equal.
    Source: paper, Section 2, for gradient descent with noise; the others: companion.

    >>> import affinepieces as ap
    >>> Run(ap.constructions.hat(), [[0.25]], [[1.0]], 0.125, 10, record=range(0, 11, 5)).record
    (0, 5, 10)
    """

    start: ReLUNetwork
    x: Any
    y: Any
    learning_rate: Any
    steps: int
    machine: Machine = Native()  # noqa: RUF009  (these are values that cannot change)
    record: Sequence[int] = ()
    seed: int = 0
    first: int = 0
    noise: Noise | None = None
    optimiser: Optimiser = GradientDescent()  # noqa: RUF009
    loss: Loss = Loss.SQUARED_ERROR
    batch: int | None = None
    scaling: LossScaling | None = None
    state: OptimiserState | None = None

    def __post_init__(self) -> None:
        machine_of(self.machine)
        if isinstance(part_of(self.machine, Part.UPDATE), Exact):
            refuse("machine", self.machine, "one whose update is not exact", "numbers of an exact run grow without "
                   "end; for exact gradients write Mixed(Exact(), update=Native())")
        object.__setattr__(self, "start", network(self.start, "start"))
        for name, least in (("first", 0), ("steps", 0), ("seed", 0)):
            object.__setattr__(self, name, integer(getattr(self, name), name, least))
        integer(self.steps, "steps", self.first)
        record = {integer(k, f"record[{i}]", self.first, self.steps)
                  for i, k in enumerate(items(self.record, "record", "integers, the steps to record"))}
        object.__setattr__(self, "record", tuple(sorted(record)))
        object.__setattr__(self, "learning_rate", self._rates())
        noise_of(self.noise)
        optimiser_of(self.optimiser, format_of(self.machine))
        scaling_of(self.scaling, format_of(self.machine, Part.BACKWARD))
        columns = checked(self.start, self.x, self.y, self.machine, self.loss)
        for name, values in zip(("x", "y"), columns, strict=True):
            object.__setattr__(self, name, sealed(values.T.copy()))
        if self.batch is not None:
            remedy = f"there are {len(self.x)} data points; for all of them leave batch out"
            object.__setattr__(self, "batch", integer(self.batch, "batch", 1, len(self.x), remedy))
        if self.state is not None:
            slots = instance(self.state, OptimiserState, "state").slots
            check_slots([[s] for s in slots], self.optimiser, sum(p.size for p in (*self.start.weights,
                                                                                   *self.start.biases)))

    def _rates(self) -> Any:
        if isinstance(self.learning_rate, str) or not isinstance(self.learning_rate, Sequence | np.ndarray):
            rounded_rate(cast(float, self.learning_rate), self.machine)
            return float(self.learning_rate)
        rates = items(self.learning_rate, "learning_rate", "numbers, one for each step")
        if len(rates) < self.steps:
            raise ValueError(f"learning_rate has {len(rates)} numbers for {self.steps} steps: give one for each step, "
                             "or one number")
        for k, rate in enumerate(rates):
            rounded_rate(rate, self.machine, f"learning_rate[{k}]")
        return sealed(np.array(rates, np.float64))

    def __repr__(self) -> str:
        steps = f"{self.steps} steps" if self.first == 0 else f"steps {self.first} to {self.steps}"
        rate = self.learning_rate if isinstance(self.learning_rate, float) else "by step"
        named = (("noise", None), ("optimiser", GradientDescent()), ("loss", Loss.SQUARED_ERROR), ("batch", None),
                 ("scaling", None), ("seed", 0))
        others = [f", {name}={getattr(self, name)}" for name, usual in named if getattr(self, name) != usual]
        return (f"Run({self.start!r}, {len(self.x)} points, learning_rate={rate}, {steps}, "
                f"{self.machine!r}{''.join(others)})")

    def digest(self) -> str:
        """A name of 64 hexadecimal digits: the same for equal runs on every machine, in every process and version."""
        return digest(self)

    def rate(self, step: int) -> float:
        """The learning rate with which the network after `step` makes the next step; at the end, the last one."""
        if isinstance(self.learning_rate, float):
            return self.learning_rate
        return float(self.learning_rate[min(step, len(self.learning_rate) - 1)])

    def machine_at(self, step: int) -> Machine:
        """The machine with the random numbers of this step.

        Without noise, batches and scaling, `affinepieces.step(net, run.x, run.y, run.rate(k), run.machine_at(k),
        run.optimiser, run.loss, state)` leads from the network after step k to the network after step k + 1.
        """
        if not isinstance(self.machine, Mixed):
            return cast(Machine, self._seeded(self.machine, step))
        parts: dict[str, Any] = {p.value: self._seeded(getattr(self.machine, p.value), step) for p in Part}
        return Mixed(self._seeded(self.machine.usual, step), **parts)

    def _seeded(self, machine: Any, step: int) -> Any:
        if not isinstance(machine, Rounded) or not isinstance(machine.rounding, Stochastic):
            return machine
        words = np.random.SeedSequence(self.seed, spawn_key=(ROUNDING, machine.rounding.seed, step))
        return replace(machine, rounding=replace(machine.rounding, seed=int(words.generate_state(1, np.uint64)[0])))

    def generator(self, step: int) -> np.random.Generator:
        """The random numbers of the noise that lead from the network after `step` to the next."""
        return np.random.default_rng(np.random.SeedSequence(self.seed, spawn_key=(NOISE, step)))

    def points(self, step: int) -> NDArray[np.int64] | slice:
        """Which data points the network after `step` sees: all, or a batch of the permutation of this epoch.

        >>> import affinepieces as ap
        >>> run = Run(ap.constructions.hat(), [[0.25], [0.5], [0.75]], [[1.0]] * 3, 0.125, 10, batch=2)
        >>> sorted(int(i) for k in (4, 5) for i in run.points(k))
        [0, 1, 2]
        """
        if self.batch is None:
            return slice(None)
        each = -(-len(self.x) // self.batch)
        epoch, at = divmod(step, each)
        rng = np.random.default_rng(np.random.SeedSequence(self.seed, spawn_key=(BATCHES, epoch)))
        return rng.permutation(len(self.x))[at * self.batch:(at + 1) * self.batch]

    def shared(self) -> tuple[Any, ...]:
        """What runs have in common that differ only in their start, seed and state."""
        rates = self.learning_rate if isinstance(self.learning_rate, float) else self.learning_rate.tobytes()
        updates = self.state.updates if self.state is not None else 0
        return (self.x.shape, self.x.tobytes(), self.y.tobytes(), rates, self.steps, self.machine, self.record,
                self.first, self.noise, self.optimiser, self.loss, self.batch, updates)
