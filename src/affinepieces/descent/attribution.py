"""Where the error of a gradient or of a step comes from: an exact split into what each stage contributes."""
from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from affinepieces.arguments import instance, items, network, refuse
from affinepieces.descent.arithmetics import Rationals, arithmetic_of
from affinepieces.descent.gradients import UPDATE, as_exact, checked, rounded_rate
from affinepieces.descent.machines import Exact, Machine, Mixed, Part, Uniform, machine_of
from affinepieces.descent.optimisers import GradientDescent, update
from affinepieces.descent.specification import STAGES, staged
from affinepieces.networks import ReLUNetwork
from affinepieces.parameters import Parameters, layers_of
from affinepieces.values import Choice, Value

Stage = tuple[Part, int]


class Replacing(Choice):
    """In which order the stages of the exact pass are replaced by rounded ones."""

    FORWARD = "forward"  # the first stage first: later stages are exact, on inputs that are wrong already
    REVERSE = "reverse"  # the last stage first: it is rounded, on inputs that are still exact


@dataclass(frozen=True, eq=False)
class Attribution(Value):
    """Computed minus exact gradient, or parameters after a step, as a sum of exact parts: one for each stage.

    stages: names in the order of computation, for example "forward 2" or "update".
    difference: computed minus exact, in rational numbers.
    forward, reverse: for each stage its part, if stages are replaced from the first on, or from the last.
    Source: companion, chapter "Backpropagation".
    """

    stages: tuple[str, ...]
    difference: Parameters
    forward: tuple[Parameters, ...]
    reverse: tuple[Parameters, ...]

    def __post_init__(self) -> None:
        names = items(self.stages, "stages", "names of stages")
        for i, name in enumerate(names):
            instance(name, str, f"stages[{i}]")
        instance(self.difference, Parameters, "difference")
        for order in ("forward", "reverse"):
            parts = items(getattr(self, order), order, "Parameters, one for each stage")
            for i, part in enumerate(parts):
                instance(part, Parameters, f"{order}[{i}]")
            if len(parts) != len(names):
                raise ValueError(f"{order} has length {len(parts)}, but there are {len(names)} stages: "
                                 "give one part for each")
        super().__post_init__()

    def parts(self, replacing: Replacing) -> tuple[Parameters, ...]:
        """Those of one order."""
        return self.forward if instance(replacing, Replacing, "replacing") is Replacing.FORWARD else self.reverse

    def shares(self, replacing: Replacing = Replacing.FORWARD, *, hidden_biases: bool = False) -> NDArray[np.float64]:
        """For each stage <part, difference> / |difference|^2: they sum to 1, and are negative where a part helps.

        hidden_biases: of these entries alone.  All zero where nothing is wrong.
        """
        parts, total = self.parts(replacing), _numbers(self.difference, hidden_biases)
        size = sum((v * v for v in total), Fraction(0))
        if not size:
            return np.zeros(len(self.stages))
        return np.array([float(sum((u * v for u, v in zip(_numbers(part, hidden_biases), total, strict=True)),
                                   Fraction(0)) / size) for part in parts])

    def __repr__(self) -> str:
        worst = int(np.argmax(self.shares()))
        return f"Attribution({len(self.stages)} stages, largest share {self.shares()[worst]:.2g}: {self.stages[worst]})"

    def _repr_html_(self) -> str:
        """A table of shares."""
        rows = "".join(f"<tr><td>{name}</td><td>{a:.3f}</td><td>{b:.3f}</td></tr>" for name, a, b in zip(
            self.stages, self.shares(), self.shares(Replacing.REVERSE), strict=True))
        return f"<table><tr><th>stage</th><th>forward order</th><th>reverse order</th></tr>{rows}</table>"


def attribute(net: ReLUNetwork, x: ArrayLike, y: ArrayLike, machine: Machine,
              learning_rate: float | None = None) -> Attribution:
    """The error of the gradient that a machine computes, or of its step, split exactly among the stages.

    The stages are those of `descent.specification`: forward 1, ..., forward L, residual, backward L, ..., backward 2,
    gradient 1, ..., gradient L, and for a step the update.  A hybrid pass computes some stages in the machine's
    arithmetic and the others in rational numbers; what enters a rounded stage is rounded to nearest first, and that
    belongs to the stage.  Replacing one stage after the other leads from the exact gradient to the computed one, and
    the differences of neighbouring passes are the parts: they sum to computed minus exact, as fractions.  The split
    depends on the order in which the stages are replaced, so both orders are given.
    x: data points, (m, N_0).  y: labels, (m, N_L).  machine: `Rounded(format)` or `Native(dtype)`.
    learning_rate: if given, the parameters after one step are compared instead of the gradients.
    Raises FloatingPointError where a stage leaves the range of the format, ValueError or TypeError as `gradients` does.
    Source: companion, chapter "Backpropagation".

    >>> import affinepieces as ap
    >>> x = ap.round_to(np.linspace(0, 1, 9)[:, None], ap.BFLOAT16)
    >>> net = ap.round_network(ap.constructions.sawtooth(2, peak=0.4), ap.BFLOAT16)
    >>> found = attribute(net, x, x, ap.Rounded(ap.BFLOAT16))
    >>> len(found.stages), float(found.shares().sum())
    (9, 1.0)
    """
    net = network(net)
    own = machine_of(machine)
    if isinstance(own, Exact | Mixed):
        remedy = "it makes no errors" if isinstance(own, Exact) else "attribute its machines one by one"
        refuse("machine", own, "Rounded(format) or Native(dtype)", remedy)
    hybrids = _Hybrids(net, *checked(net, x, y, own), own,
                       None if learning_rate is None else rounded_rate(learning_rate, machine))
    order = hybrids.order
    forward = [hybrids.result(frozenset(order[:k])) for k in range(len(order) + 1)]
    reverse = [forward[0], *(hybrids.result(frozenset(order[k:])) for k in range(len(order) - 1, 0, -1)), forward[-1]]
    names = tuple([part.value if part in (Part.RESIDUAL, Part.UPDATE) else f"{part.value} {layer}"
                   for part, layer in order])
    return Attribution(names, _minus(forward[-1], forward[0]), tuple(map(_minus, forward[1:], forward[:-1])),
                       tuple(map(_minus, reverse[1:], reverse[:-1]))[::-1])


class _Hybrids:
    """Passes whose stages are rounded or exact; a stage with the same inputs is computed once."""

    def __init__(self, net: ReLUNetwork, x: Any, y: Any, machine: Uniform, rate: float | None) -> None:
        self.net, self.rate, self.points = net, rate, x.shape[1]
        self.exact, self.rounded = Rationals(), arithmetic_of(machine)
        self.update = arithmetic_of(machine, UPDATE)
        self.begins: dict[Stage, int] = {}  # position of the first random number, in the order of the stages
        self.known: dict[Any, Any] = {}
        self.x, self.y = self.rounded.array(x), self.rounded.array(y)
        self.weights = [self.rounded.array(a) for a in net.weights]
        self.biases = [self.rounded.array(b) for b in net.biases]
        self.chosen: Any = _Everything()
        self.order: list[Stage] = []
        self._pass()
        self.order = list(self.begins)

    def result(self, rounded: Any) -> Parameters:
        """Gradient or parameters where these stages are rounded, as exact numbers."""
        self.chosen = rounded
        return Parameters(*(tuple([as_exact(a) for a in arrays]) for arrays in self._pass()))

    def _pass(self) -> tuple[Sequence[Any], Sequence[Any]]:
        with np.errstate(over="ignore", invalid="ignore", under="ignore"):
            tape = staged(self._run, self.weights, self.biases, self.x, self.y, self.points)
            if self.rate is None:
                return tape.weights, tape.biases
            flat = tuple([p for pair in zip(self.weights, self.biases, strict=True) for p in pair])
            moves = tuple([g for pair in layers_of(tape) for g in pair])
            moved = self._run(Part.UPDATE, len(self.weights), flat, moves, self.rate)
            return moved[::2], moved[1::2]

    def _run(self, part: Part, layer: int, *numbers: Any) -> Any:
        stage = part, layer
        rounded = stage in self.chosen
        key = (part.value, layer, rounded, *[tuple(map(id, v)) if isinstance(v, tuple) else id(v) for v in numbers])
        if key not in self.known:
            do: Any = (self.update if part is Part.UPDATE else self.rounded) if rounded else self.exact
            if rounded:
                do.counter = self.begins.setdefault(stage, do.counter)  # only machines that round have one
            found = _descend(do, *numbers) if part is Part.UPDATE else STAGES[part](do, *numbers)
            _require_finite(found, part, layer)
            self.known[key] = numbers, found  # the numbers stay alive, so that their ids stay theirs
        return self.known[key][1]


def _descend(do: Any, parameters: tuple[Any, ...], gradients: tuple[Any, ...], rate: float) -> list[Any]:
    return update(do, GradientDescent(), list(parameters), list(gradients), (), rate, 1)[0]


class _Everything:
    def __contains__(self, stage: Stage) -> bool:
        return True


def _require_finite(found: Any, part: Part, layer: int) -> None:
    for array in found if isinstance(found, tuple | list) else [found]:
        if isinstance(array, np.ndarray) and not np.isfinite(array).all():
            raise FloatingPointError(f"{part.value} {layer} has a result that is not finite: an infinite error has no "
                                     "parts; take a format with a wider range, or scale the data")


def _minus(a: Parameters, b: Parameters) -> Parameters:
    return Parameters(*(tuple([u - v for u, v in zip(*arrays, strict=True)])
                        for arrays in ((a.weights, b.weights), (a.biases, b.biases))))


def _numbers(parameters: Parameters, hidden_biases: bool) -> list[Fraction]:
    arrays = list(parameters.biases[:-1])
    if not hidden_biases:
        arrays = [p for pair in layers_of(parameters) for p in pair]
    return [v for array in arrays for v in as_exact(array).fractions().ravel()]
