"""A training run: its description before, its history after."""
from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from affinepieces.arithmetic.rounding import Stochastic
from affinepieces.descent.gradients import checked, rounded_rate
from affinepieces.descent.machines import Native, Rounded
from affinepieces.descent.updates import Perturbed
from affinepieces.networks import ReLUNetwork
from affinepieces.pieces.count import Counts, count_many
from affinepieces.pieces.segment import Segment

Floats = NDArray[np.float64]
Method = Native | Rounded | Perturbed
NOISE, ROUNDING = 23, 34  # keep the random numbers apart from each other, and from default_rng(seed)


@dataclass(frozen=True, eq=False)
class Run:
    """Everything that decides what happens in training: `train` is a function of it, without other inputs.

    start: the network at the beginning, in numbers of the method's format.
    x, y: data points (m, N_0) and labels (m, N_L); copied, and cannot be written to.
    learning_rate: finite and > 0; rounded to the method's format.
    steps: the run ends after this step.
    method: `Native(dtype)`, `Rounded(format)` or `Perturbed(delta)`.
    record: after which steps to record; the last state is recorded in any case.
    seed: of all random numbers, an integer >= 0.  Each step has its own, which depend on `seed`, on the step and, for
    stochastic rounding, on the seed given there.
    first: how many steps led to `start`; a run that continues another goes on counting.
    Raises ValueError or TypeError, naming the value, for anything else.  Runs with equal fields are equal.

    >>> import affinepieces as ap
    >>> Run(ap.constructions.hat(), [[0.25]], [[1.0]], 0.125, 10, Native(), record=range(0, 11, 5)).record
    (0, 5, 10)
    """

    start: ReLUNetwork
    x: Any
    y: Any
    learning_rate: float
    steps: int
    method: Method
    record: Sequence[int] = ()
    seed: int = 0
    first: int = 0

    def __post_init__(self) -> None:
        if not isinstance(self.method, Native | Rounded | Perturbed):
            raise TypeError(f"method is {self.method!r}, expected Native(dtype), Rounded(format) or Perturbed(delta)")
        for name, least in (("first", 0), ("steps", self.first), ("seed", 0)):
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, int | np.integer) or value < least:
                raise ValueError(f"{name} is {value!r}, expected an integer >= {least}")
            object.__setattr__(self, name, int(value))
        wrong = [k for k in self.record if not (isinstance(k, int | np.integer) and self.first <= k <= self.steps)]
        if wrong:
            raise ValueError(f"record holds {wrong[0]!r}, expected integers from {self.first} to {self.steps}")
        object.__setattr__(self, "record", tuple(sorted({int(k) for k in self.record})))
        machine = self.machine(self.first)
        rounded_rate(self.learning_rate, machine)
        for name, columns in zip(("x", "y"), checked(self.start, self.x, self.y, machine), strict=True):
            rows = columns.T.copy()
            rows.setflags(write=False)
            object.__setattr__(self, name, rows)

    def machine(self, step: int) -> Native | Rounded:
        """What computes the gradient at `step`, and for a `Native` or `Rounded` method makes the next step.

        `affinepieces.step(net, run.x, run.y, run.learning_rate, run.machine(k))` leads from the network after step k
        to the network after step k + 1.
        """
        if isinstance(self.method, Perturbed):
            return Native()
        if not isinstance(self.method, Rounded) or not isinstance(self.method.rounding, Stochastic):
            return self.method
        words = np.random.SeedSequence(self.seed, spawn_key=(ROUNDING, self.method.rounding.seed, step))
        own = Stochastic(int(words.generate_state(1, np.uint64)[0]), self.method.rounding.start)
        return replace(self.method, rounding=own)

    def generator(self, step: int) -> np.random.Generator:
        """The random numbers of `Perturbed` that lead from the network after `step` to the next."""
        return np.random.default_rng(np.random.SeedSequence(self.seed, spawn_key=(NOISE, step)))

    def __eq__(self, other: object) -> bool:
        """All fields are equal, the data bit by bit."""
        return isinstance(other, Run) and (self.start, self.seed, self.shared()) == (
            other.start, other.seed, other.shared())

    def __hash__(self) -> int:
        return hash((self.start, self.seed, self.shared()))

    def shared(self) -> tuple[Any, ...]:
        """What runs have in common that differ only in their start and seed."""
        return (self.x.shape, self.x.tobytes(), self.y.tobytes(), self.learning_rate, self.steps, self.method,
                self.record, self.first)


@dataclass(frozen=True, eq=False)
class History:
    """What `train` recorded, in the order of the steps.

    steps: (n,), after which steps; the last is the last state of the run.
    losses: (n,), the loss of each network as the machine computed it, infinite where it overflowed.
    networks: n networks, in the dtype of a native method, otherwise in float64.
    updates: for each network one array for each hidden layer, -rate * (computed gradient) of its biases in
    float64: what the next step adds, before rounding or perturbation.
    diverged_at: the step after which a parameter was not finite; the run ends before it, with the last finite
    network.  None if that did not happen.
    """

    run: Run
    steps: NDArray[np.int64]
    losses: Floats
    networks: tuple[ReLUNetwork, ...]
    updates: tuple[tuple[Floats, ...], ...]
    diverged_at: int | None = None

    @property
    def complete(self) -> bool:
        """Whether all steps were made: the run was not interrupted and did not diverge."""
        return bool(self.steps[-1] == self.run.steps)

    def count(self, segment: Segment) -> Counts:
        """Regions and pieces of the recorded networks on a segment, two arrays of proved integers, shape (n,)."""
        return count_many(self.networks, segment)

    def rest(self) -> Run:
        """The run that continues an interrupted one: it makes and records what the whole run would have.

        Raises ValueError if the run is complete, FloatingPointError if it diverged.
        """
        last = int(self.steps[-1])
        if self.diverged_at is not None:
            raise FloatingPointError(f"a parameter was not finite after step {self.diverged_at}: nothing to continue; "
                                     "take a smaller learning rate or a wider format")
        if self.complete:
            raise ValueError(f"all {last} steps are made: to go on, make a Run that starts at networks[-1] "
                             f"with first={last} and more steps")
        return replace(self.run, start=self.networks[-1], first=last, record=[k for k in self.run.record if k > last])
