"""What a training run has recorded."""
from __future__ import annotations

import html
import json
import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from affinepieces._files import path_of, store, stored
from affinepieces.arguments import instance, integer, items
from affinepieces.descent.describing import described, rebuilt
from affinepieces.descent.optimisers import OptimiserState
from affinepieces.descent.runs import Run
from affinepieces.networks import ReLUNetwork
from affinepieces.parameters import flatten, split
from affinepieces.pieces.count import Counts, count_many
from affinepieces.pieces.segment import Segment
from affinepieces.values import Value

Floats = NDArray[np.float64]
VERSION = 1  # of the files
MOST_ROWS = 12  # of the table of a history


@dataclass(frozen=True, eq=False)
class History(Value):
    """What `train` recorded, in the order of the steps.

    steps: (n,), after which steps; the last is the last state of the run.
    losses: (n,), the loss of each network as the machine computed it, infinite where it overflowed.
    networks: n networks, in the dtype of a native update, otherwise in float64.
    updates: for each network one array for each hidden layer, what the optimiser adds to its biases in the next step,
    in float64: before noise, and before the sum is rounded.  Zero where the step is left out by `LossScaling`.
    state: of the optimiser at the end.
    diverged_at: the step after which a parameter was not finite; the run ends before it, with the last finite
    network.  None if that did not happen.
    """

    run: Run
    steps: NDArray[np.int64]
    losses: Floats
    networks: tuple[ReLUNetwork, ...]
    updates: tuple[tuple[Floats, ...], ...]
    state: OptimiserState = OptimiserState()  # noqa: RUF009  (a value that cannot change)
    diverged_at: int | None = None

    def __post_init__(self) -> None:
        instance(self.run, Run, "run")
        instance(self.state, OptimiserState, "state")
        for name in ("steps", "losses"):
            instance(getattr(self, name), np.ndarray, name)
        for name, kind in (("networks", ReLUNetwork), ("updates", Sequence)):
            held = items(getattr(self, name), name, "one for each step")
            if len(held) != len(self.steps):
                raise ValueError(f"{name} has length {len(held)}, but there are {len(self.steps)} steps: "
                                 "give one for each")
            for i, value in enumerate(held):
                instance(value, kind, f"{name}[{i}]")
        if self.diverged_at is not None:
            integer(self.diverged_at, "diverged_at", 1)
        super().__post_init__()

    def __repr__(self) -> str:
        end = f", diverged at {self.diverged_at}" if self.diverged_at is not None else ""
        last = f"step {self.steps[-1]}, loss {self.losses[-1]:.6g}"
        return f"History({self.run!r}, {len(self.steps)} records, {last}{end})"

    def _repr_html_(self) -> str:
        """A table of steps and losses; of many the first and the last."""
        rows = [f"<tr><td>{k}</td><td>{loss:.6g}</td></tr>" for k, loss in zip(self.steps, self.losses, strict=True)]
        if len(rows) > MOST_ROWS:
            rows[MOST_ROWS // 2:len(rows) - MOST_ROWS // 2] = ["<tr><td>...</td><td>...</td></tr>"]
        return (f"<table><caption>{html.escape(repr(self))}</caption><tr><th>step</th><th>loss</th></tr>"
                f"{''.join(rows)}</table>")

    @property
    def complete(self) -> bool:
        """Whether all steps were made: the run was not interrupted and did not diverge."""
        return bool(self.steps[-1] == self.run.steps)

    def count(self, segment: Segment) -> Counts:
        """Regions and pieces of the recorded networks on a segment, two arrays of proved integers, shape (n,)."""
        return count_many(self.networks, segment)

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the history with its run to an .npz file (no pickle), whole or not at all."""
        arrays: dict[str, NDArray[Any]] = {}
        held = {name: described(getattr(self, name), arrays) for name in ("run", "state", "diverged_at")}
        text = json.dumps({"version": VERSION, **held})
        store(path, {"description": np.frombuffer(text.encode(), np.uint8), "steps": self.steps, "losses": self.losses,
                     "parameters": np.stack([flatten(net) for net in self.networks]),
                     "updates": np.stack([np.concatenate([np.zeros(0), *u]) for u in self.updates]), **arrays})

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> History:
        """Read a history written by `save`.

        Raises OSError if the file cannot be opened, ValueError, naming it, if it holds anything else.
        """
        arrays = stored(path_of(path), "History.save")
        try:
            text = json.loads(arrays.pop("description").tobytes())
            if text["version"] > VERSION:
                raise ValueError(f"it has version {text['version']}, this package reads up to {VERSION}: update it")
            run = rebuilt(text["run"], arrays, {"Run": Run})
            widths = run.start.widths
            networks = tuple([ReLUNetwork(*split(flat, widths)) for flat in arrays["parameters"]])
            cuts = np.cumsum(widths[1:-1])[:-1]
            updates = tuple([tuple(np.split(u, cuts)) if run.start.layers > 1 else () for u in arrays["updates"]])
            return cls(run, arrays["steps"], arrays["losses"], networks, updates,
                       rebuilt(text["state"], arrays, {}), text["diverged_at"])
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise ValueError(f"{path} holds no history ({type(error).__name__}: {error}): give a file written by "
                             "History.save") from error

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
                             f"with first={last}, the state of this history, and more steps")
        return replace(self.run, start=self.networks[-1], first=last, state=self.state,
                       record=[k for k in self.run.record if k > last])
