"""Gradients and steps: one specification, every machine behind one call."""
from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from affinepieces._arrays import exact_array
from affinepieces._interrupts import patiently
from affinepieces.arguments import choice, instance, network, number
from affinepieces.arithmetic.exact import ExactArray
from affinepieces.arithmetic.formats import Format
from affinepieces.arithmetic.kernels import training
from affinepieces.arithmetic.rounding import representable, require, round_to
from affinepieces.descent.arithmetics import arithmetic_of
from affinepieces.descent.machines import Exact, Grain, Machine, Mixed, Part, Rounded, format_of, machine_of, part_of
from affinepieces.descent.optimisers import (
    GradientDescent,
    Optimiser,
    OptimiserState,
    optimiser_of,
    slots_of,
    update,
)
from affinepieces.descent.results import Gradients, Step
from affinepieces.descent.specification import STAGES, Loss, Tape, backpropagate, staged
from affinepieces.networks import ReLUNetwork
from affinepieces.parameters import flatten, layers_of, split
from affinepieces.values import sealed

Array = NDArray[Any]
UPDATE = 1 << 60  # random numbers of the update begin here
BEGINNING = OptimiserState()
MOST_POINTS = 2**24  # the kernels divide by this number in float32 without rounding it


def gradients(net: ReLUNetwork, x: ArrayLike, y: ArrayLike, machine: Machine,
              loss: Loss = Loss.SQUARED_ERROR) -> Gradients:
    """Gradient of the loss, computed as `descent.specification` says.

    x: data points, (m, N_0).  y: labels, (m, N_L); for the cross-entropy each row >= 0 with sum 1.
    machine: `Native(dtype)`, `Rounded(format)`, `Exact()` or a `Mixed` of these.
    Parameters and data must be numbers of the machine's format, so that all machines differentiate the
    same function; raises ValueError otherwise.
    With the cross-entropy, exact means: exponentials, logarithms and quotients with relative errors below 2^-256.

    >>> import affinepieces as ap
    >>> x = np.linspace(0, 1, 5)[:, None]
    >>> gradients(ap.constructions.square(2), x, x**2, Exact()).loss  # it interpolates at these points
    Fraction(0, 1)
    """
    net = network(net)
    return computed(net, *checked(net, x, y, machine, loss), machine, loss, 1.0)


def step(net: ReLUNetwork, x: ArrayLike, y: ArrayLike, learning_rate: float, machine: Machine,
         optimiser: Optimiser = GradientDescent(), loss: Loss = Loss.SQUARED_ERROR,  # noqa: B008  (a value)
         state: OptimiserState | None = None) -> Step:
    """One step of an optimiser, gradient and update in the machine's arithmetic, as `descent.optimisers` says.

    learning_rate: finite and > 0, not rounded to 0 in the format of the update.
    state: that of the step before; None: the first step.

    >>> import affinepieces as ap
    >>> x = np.array([[0.5], [1.0]])
    >>> step(ap.constructions.hat(), x, x, 0.125, Exact()).biases[1].fractions()
    array([Fraction(1, 16)], dtype=object)
    """
    net, rate = network(net), rounded_rate(learning_rate, machine)
    optimiser = optimiser_of(optimiser, format_of(machine))
    found = computed(net, *checked(net, x, y, machine, loss), machine, loss, 1.0)
    own = part_of(machine, Part.UPDATE)
    do: Any = arithmetic_of(own, UPDATE, isinstance(machine, Mixed))
    given = instance(BEGINNING if state is None else state, OptimiserState, "state")
    p, g = _joined(net, isinstance(own, Exact)), _joined(found, isinstance(own, Exact))
    with quiet():
        slots = [[do.array(slot)] for slot in given.slots or [np.zeros(p.shape)] * slots_of(optimiser)]
        check_slots(slots, optimiser, p.shape[0])
        (moved,), _, kept = update(do, optimiser, [do.array(p)], [g], slots, rate, given.updates + 1)
    new = OptimiserState._of(given.updates + 1, tuple([_held(slot) for (slot,) in kept]), given.scale, given.finite)
    after = _held(moved)
    if isinstance(own, Rounded):
        after = sealed(after.astype(np.float64))
    parts: Any = split(after, net.widths)
    if isinstance(own, Exact):
        parts = [tuple(map(ExactArray.from_fractions, arrays)) for arrays in parts]
    return Step._of(*parts, found, new)


def _joined(arrays: Any, exact: bool) -> Any:
    """All parameters as one vector: exact, or as they are."""
    parts = [p for pair in layers_of(arrays) for p in pair]
    if exact or isinstance(parts[0], ExactArray):
        return ExactArray.from_fractions(np.concatenate([as_exact(p).fractions().ravel() for p in parts]))
    return np.concatenate([p.ravel() for p in parts])


def _held(slot: Any) -> Any:
    return sealed(slot.fractions() if isinstance(slot, ExactArray) else slot)


def computed(net: Any, x: Array, y: Array, machine: Machine, loss: Loss, scale: float) -> Gradients:
    """The gradient times a scale, for data in columns, already checked."""
    if isinstance(machine, Rounded) and machine.grain is Grain.OPERATION and loss is Loss.SQUARED_ERROR:
        flat, value, hidden = fused(flatten(net, machine.carrier), np.array(net.widths), x, y, machine, scale)
        active = tuple([sealed(~(h <= 0)) for h in hidden])
        return Gradients._of(*split(sealed(np.asarray(flat, np.float64)), net.widths), float(value), active)
    with quiet():
        tape = taped(net, x, y, machine, loss, scale)
    value = tape.loss.fractions()[0] if isinstance(tape.loss, ExactArray) else float(tape.loss[0])
    return Gradients._of(*map(sealed, (tape.weights, tape.biases)), value, sealed(tape.active))


def fused(flat: Array, widths: Array, x: Array, y: Array, machine: Rounded, scale: float) -> tuple[Array, Any, Any]:
    """Gradient, loss and hidden activations out of the kernel."""
    (f, careful, seed, start), dtype = machine.kernel, machine.carrier
    found: tuple[Array, Any, Any] = patiently(
        3 * flat.size * x.shape[1], training.gradient, widths, flat, x.astype(dtype, copy=False),
        y.astype(dtype, copy=False), f, careful, seed, start, *machine.sums, scale)
    return found


def taped(net: Any, x: Array, y: Array, machine: Machine, loss: Loss = Loss.SQUARED_ERROR,
          scale: float = 1.0) -> Tape[Any]:
    """All that one pass computes, stage by stage, for data in columns."""
    if not isinstance(machine, Mixed):
        do: Any = arithmetic_of(machine)
        return backpropagate(do, [do.array(a) for a in net.weights], [do.array(b) for b in net.biases],
                             do.array(x), do.array(y), x.shape[1], loss, scale)
    machines = [machine.of(part) for part in STAGES]
    known = {m: arithmetic_of(m, foreign=True) for m in machines}  # equal machines go on with their random numbers
    parts = {part: known[m] for part, m in zip(STAGES, machines, strict=True)}
    return staged(lambda part, layer, *numbers: STAGES[part](parts[part], *numbers),
                  [a.astype(np.float64) for a in net.weights], [b.astype(np.float64) for b in net.biases],
                  x, y, x.shape[1], loss, scale)


def quiet() -> np.errstate:
    """What leaves the range of a format is a result, and no reason for a warning."""
    return np.errstate(over="ignore", invalid="ignore", under="ignore", divide="ignore")


def rounded_rate(learning_rate: float, machine: Machine, name: str = "learning_rate") -> float:
    """The learning rate as the machine holds it."""
    fmt = format_of(machine)
    rate = float(round_to(float(number(learning_rate, name, above=0)), fmt))
    if not (np.isfinite(rate) and rate > 0):
        raise ValueError(f"{name} {learning_rate} becomes {rate} in {fmt}: take one within the range of the format")
    return rate


def as_exact(values: Any) -> ExactArray:
    """An array of any machine as exact numbers."""
    return values if isinstance(values, ExactArray) else ExactArray.of(values)


def exact_rate(learning_rate: float, machine: Machine) -> Fraction:
    """The learning rate that the machine uses, exactly."""
    return Fraction(rounded_rate(learning_rate, machine))


def checked(net: ReLUNetwork, x: ArrayLike, y: ArrayLike, machine: Machine,
            loss: Loss = Loss.SQUARED_ERROR) -> tuple[Array, Array]:
    """Data as columns; everything is checked to be in the machine's formats."""
    columns, machine = [], machine_of(machine)
    for name, values, width in (("x", x, net.widths[0]), ("y", y, net.widths[-1])):
        array = exact_array(values, name)
        if array.ndim != 2 or array.shape[1] != width or not len(array):
            hint = f"; for one label a point write {name}[:, None]" if array.ndim == 1 and width == 1 else ""
            raise ValueError(f"{name} has shape {array.shape}, expected (m, {width}): one point a row{hint}")
        if not np.isfinite(array).all():
            raise ValueError(f"{name} holds {array[~np.isfinite(array)][0]}: data must be finite")
        columns.append(array.T.copy())
    if columns[0].shape[1] != columns[1].shape[1]:
        raise ValueError(f"x has {columns[0].shape[1]} points and y has {columns[1].shape[1]}: give one label a point")
    if columns[0].shape[1] > MOST_POINTS and any(isinstance(part_of(machine, part), Rounded) for part in STAGES):
        raise ValueError(f"x has {columns[0].shape[1]} points, {machine!r} takes at most {MOST_POINTS}: give fewer")
    if choice(loss, Loss, "loss") is Loss.CROSS_ENTROPY:
        _check_shares(columns[1])
    _check_formats(net, columns[0], columns[1], machine)
    return columns[0], columns[1]


def check_slots(slots: Any, optimiser: Optimiser, size: int) -> None:
    """ValueError unless the slots of a state are those of the optimiser at this network."""
    found = [s[0].shape[0] for s in slots]
    if found != [size] * slots_of(optimiser):
        raise ValueError(f"state has slots of {found} numbers, but {optimiser} keeps {slots_of(optimiser)} of {size} "
                         "for this network: give the state of the step before, of the same run")


def _check_shares(y: Array) -> None:
    if len(y) == 1:
        raise ValueError("the cross-entropy needs two outputs at least, the network has one: give it one for each "
                         "class, or take Loss.SQUARED_ERROR")
    sums = [sum(map(Fraction, column)) for column in y.T.tolist()]
    wrong = [i for i, total in enumerate(sums) if total != 1 or y[:, i].min() < 0]
    if wrong:
        raise ValueError(f"y[{wrong[0]}] is {y[:, wrong[0]].tolist()}, expected shares >= 0 that sum to exactly 1: for "
                         "a class k write numpy.eye(classes)[k]")


def _check_formats(net: ReLUNetwork, x: Array, y: Array, machine: Machine) -> None:
    formats = [format_of(machine, part) for part in (Part.UPDATE, Part.FORWARD, Part.RESIDUAL)]
    if all(fmt.carrier is np.float64 for fmt in formats):
        return
    given = [flatten(net, np.float64), x.ravel(), y.ravel()]
    if not isinstance(machine, Mixed):
        given, formats = [np.concatenate(given)], formats[:1]
    if not all(representable(values, fmt).all() for values, fmt in zip(given, formats, strict=True)):
        _complain(net, x, y, *(format_of(machine, part) for part in (Part.UPDATE, Part.FORWARD, Part.RESIDUAL)))


def _complain(net: ReLUNetwork, x: Array, y: Array, fmt: Format, of_x: Format, of_y: Format) -> None:
    """Name the first number that does not belong to its format."""
    for name, arrays in (("weights", net.weights), ("biases", net.biases)):
        for j, array in enumerate(arrays):
            require(exact_array(array, name), fmt, f"{name}[{j}]")
    require(x.T, of_x, "x")
    require(y.T, of_y, "y")
