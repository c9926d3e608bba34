"""Certified counts along somebody else's training loop."""
from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from affinepieces import arguments, environment
from affinepieces.arguments import instance, integer
from affinepieces.layers import Layered
from affinepieces.pieces.count import Counts, count_many
from affinepieces.pieces.segment import Segment

if TYPE_CHECKING:
    import torch
    from matplotlib.axes import Axes


@contextmanager
def evaluating(module: Any) -> Iterator[None]:
    """The module in eval mode, and afterwards each of its parts as it was."""
    parts = [(m, m.training) for m in module.modules()] if hasattr(module, "modules") else []
    for part, _ in parts:
        part.training = False
    try:
        yield
    finally:
        for part, training in parts:
            part.training = training


class Watch:
    """Counts regions and pieces on a segment while a torch module is trained, as often as it is called.

    segment: in the module's input space.  every: only each so many calls count; the first always does.
    input_shape: of one input without the batch, as for `from_torch`, if the module does not begin with a Linear.
    Call it with the module after each step of the optimiser, or let `follow` do so.  What is counted is the function
    of the parameters as they are stored, in eval mode, also where the forward pass runs in another format under
    autocast, or Dropout is at work.
    seconds: what counting has cost so far.
    Raises TypeError or ValueError as `from_torch` does, for modules that are not piecewise affine.

    >>> import torch
    >>> module = torch.nn.Sequential(torch.nn.Linear(1, 8), torch.nn.ReLU(), torch.nn.Linear(8, 1))
    >>> watch, descent = Watch(Segment(-1, 1)), torch.optim.SGD(module.parameters(), 0.1)
    >>> for _ in range(3):
    ...     module(torch.ones(1, 1)).sum().backward()
    ...     descent.step()
    ...     watch(module)
    >>> watch.steps.tolist(), bool((watch.pieces <= watch.regions).all())
    ([1, 2, 3], True)
    """

    def __init__(self, segment: Segment, every: int = 1, input_shape: Sequence[int] | None = None) -> None:
        environment.check()
        self.input_shape = input_shape
        self.segment, self.every = instance(segment, Segment, "segment"), integer(every, "every", 1)
        self.calls, self.seconds = 0, 0.0
        self._found: list[tuple[int, int, int]] = []

    def __call__(self, module: torch.nn.Module | Layered) -> None:
        """One more step has been made."""
        self.calls += 1
        if (self.calls - 1) % self.every:
            return
        begin = time.perf_counter()
        net = self._network(module)
        found = count_many([net], self.segment)
        self._found.append((self.calls, int(found.regions[0]), int(found.pieces[0])))
        self.seconds += time.perf_counter() - begin

    def follow(self, optimizer: torch.optim.Optimizer, module: torch.nn.Module) -> Any:
        """From now on the watch is called after each step of the optimizer; `.remove()` of what is returned ends that.

        >>> import torch
        >>> module = torch.nn.Sequential(torch.nn.Linear(1, 8), torch.nn.ReLU(), torch.nn.Linear(8, 1))
        >>> watch, descent = Watch(Segment(-1, 1)), torch.optim.SGD(module.parameters(), 0.1)
        >>> handle = watch.follow(descent, module)
        >>> descent.step(); descent.step(); len(watch.counts)
        2
        """
        if not hasattr(optimizer, "register_step_post_hook"):
            raise TypeError(f"optimizer is {optimizer!r}, expected a torch.optim.Optimizer: call the watch with the "
                            "module after each step instead")
        self._network(module)
        return optimizer.register_step_post_hook(lambda *_: self(module))

    def _network(self, module: Any) -> Layered:
        with evaluating(module):
            if hasattr(module, "forward"):
                return arguments.module(module, self.input_shape)
            return arguments.piecewise(module, "module")

    @property
    def steps(self) -> NDArray[np.int64]:
        """(n,): after which calls was counted."""
        return self._column(0)

    @property
    def regions(self) -> NDArray[np.int64]:
        """(n,): proved."""
        return self._column(1)

    @property
    def pieces(self) -> NDArray[np.int64]:
        """(n,): proved."""
        return self._column(2)

    @property
    def counts(self) -> Counts:
        """Regions and pieces together."""
        return Counts(self.regions, self.pieces)

    def _column(self, k: int) -> NDArray[np.int64]:
        return np.array([row[k] for row in self._found], np.int64)

    def plot(self, ax: Axes | None = None) -> Axes:
        """Regions and pieces against the steps; returns the matplotlib axes."""
        from affinepieces.figures.watched import draw

        axes: Axes = draw(self, ax)
        return axes

    def __repr__(self) -> str:
        last = f", last {self.regions[-1]} regions, {self.pieces[-1]} pieces" if self._found else ""
        return f"Watch({self.segment!r}, {self.calls} steps, {len(self._found)} counts{last}, {self.seconds:.2g} s)"
