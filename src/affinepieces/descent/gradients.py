"""Gradients and steps of gradient descent: one specification, three machines behind one call."""
from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from affinepieces.arithmetic.exact import ExactArray
from affinepieces.arithmetic.formats import FLOAT64, Format
from affinepieces.arithmetic.kernels import training
from affinepieces.arithmetic.operations import carrier, kernel_arguments
from affinepieces.arithmetic.rounding import as_float64, representable, require, round_to
from affinepieces.descent.machines import Exact, Floats, Grain, Machine, Native, Rationals, Rounded, RoundedTensors
from affinepieces.descent.specification import Mask, Tape, backpropagate, descend
from affinepieces.networks import ReLUNetwork

Array = NDArray[Any]
UPDATE = 1 << 60  # random numbers of the update begin here


@dataclass(frozen=True, eq=False)
class Gradients:
    """Gradient of the loss (1/m) sum_i |f(x_i) - y_i|^2 at a network.

    weights, biases: for each layer arrays of the shapes of the parameters; of the dtype of a native
    machine, float64 from a rounded one, `ExactArray` from the exact one.  Overflow shows as inf or nan.
    loss: a float, or a Fraction from the exact machine.
    active: for each hidden layer booleans (N_j, m), which neurons the machine saw active at which point.
    """

    weights: tuple[Any, ...]
    biases: tuple[Any, ...]
    loss: Any
    active: tuple[Mask, ...]


@dataclass(frozen=True, eq=False)
class Step:
    """The parameters after one step of gradient descent, as the machine holds them, and the gradient it used."""

    weights: tuple[Any, ...]
    biases: tuple[Any, ...]
    gradients: Gradients

    def network(self) -> ReLUNetwork:
        """The network after the step, in the dtype of a native machine, otherwise in float64.

        Raises FloatingPointError if a parameter is not finite, TypeError for an exact step.
        """
        if isinstance(self.weights[0], ExactArray):
            raise TypeError("the parameters after an exact step are rational numbers, in general not floats: "
                            "use .weights and .biases, for example .biases[0].fractions()")
        for j, (a, b) in enumerate(zip(self.weights, self.biases, strict=True)):
            if not (np.isfinite(a).all() and np.isfinite(b).all()):
                raise FloatingPointError(f"layer {j} has parameters that are not finite after the step, the loss was "
                                         f"{self.gradients.loss}: take a smaller learning rate or a wider format")
        return ReLUNetwork(self.weights, self.biases)


def gradients(net: ReLUNetwork, x: ArrayLike, y: ArrayLike, machine: Machine) -> Gradients:
    """Gradient of the mean squared error, computed as `descent.specification` says.

    x: data points, (m, N_0).  y: labels, (m, N_L).  machine: `Native(dtype)`, `Rounded(format)` or `Exact()`.
    Parameters and data must be numbers of the machine's format, so that all machines differentiate the
    same function; raises ValueError otherwise.

    >>> import affinepieces as ap
    >>> x = np.linspace(0, 1, 5)[:, None]
    >>> gradients(ap.constructions.square(2), x, x**2, Exact()).loss  # it interpolates at these points
    Fraction(0, 1)
    """
    data = checked(net, x, y, machine)
    if isinstance(machine, Rounded) and machine.grain is Grain.OPERATION:
        return _found(net, *_compiled(net, *data, machine))
    do: Any = _arithmetic(machine)
    with np.errstate(over="ignore", invalid="ignore", under="ignore"):
        tape = taped(net, *data, do)
    loss = tape.loss.fractions()[0] if isinstance(tape.loss, ExactArray) else float(tape.loss[0])
    return Gradients(tape.weights, tape.biases, loss, tape.active)


def step(net: ReLUNetwork, x: ArrayLike, y: ArrayLike, learning_rate: float, machine: Machine) -> Step:
    """One step of gradient descent, gradient and update in the machine's arithmetic.

    The learning rate is rounded to the machine's format first.

    >>> import affinepieces as ap
    >>> x = np.array([[0.5], [1.0]])
    >>> step(ap.constructions.hat(), x, x, 0.125, Exact()).biases[1].fractions()
    array([Fraction(1, 16)], dtype=object)
    """
    rate = rounded_rate(learning_rate, machine)
    if isinstance(machine, Rounded) and machine.grain is Grain.OPERATION:
        f, careful, seed, start = kernel_arguments(machine.format, machine.rounding)
        dtype = carrier(machine.format, machine.rounding)
        flat, loss, hidden = _compiled(net, *checked(net, x, y, machine), machine)
        moved = training.descend(flatten(net, dtype), flat, dtype(rate), f, careful, seed, start + UPDATE)
        return Step(*split(np.asarray(moved, np.float64), net.widths), _found(net, flat, loss, hidden))
    found, do = gradients(net, x, y, machine), _arithmetic(machine, UPDATE)
    with np.errstate(over="ignore", invalid="ignore", under="ignore"):
        return Step(tuple(descend(do, do.array(a), g, rate) for a, g in zip(net.weights, found.weights, strict=True)),
                    tuple(descend(do, do.array(b), g, rate) for b, g in zip(net.biases, found.biases, strict=True)),
                    found)


def taped(net: ReLUNetwork, x: Array, y: Array, do: Any) -> Tape[Any]:
    """All that one pass computes, for data in columns."""
    return backpropagate(do, [do.array(a) for a in net.weights], [do.array(b) for b in net.biases],
                         do.array(x), do.array(y), x.shape[1])


def rounded_rate(learning_rate: float, machine: Machine) -> float:
    """The learning rate as the machine holds it."""
    if not (np.isfinite(learning_rate) and learning_rate > 0):
        raise ValueError(f"learning_rate is {learning_rate}, expected a finite number > 0")
    rate = float(round_to(float(learning_rate), format_of(machine)))
    if not (np.isfinite(rate) and rate > 0):
        raise ValueError(f"learning_rate {learning_rate} becomes {rate} in {format_of(machine)}: "
                         "take one within the range of the format")
    return rate


def format_of(machine: Machine) -> Format:
    """The format of the machine's numbers; float64 for the exact machine, which starts from float64."""
    return FLOAT64 if isinstance(machine, Exact) else machine.format


def as_exact(values: Any) -> ExactArray:
    """An array of any machine as exact numbers."""
    return values if isinstance(values, ExactArray) else ExactArray.of(values)


def exact_rate(learning_rate: float, machine: Machine) -> Fraction:
    """The learning rate that the machine uses, exactly."""
    return Fraction(rounded_rate(learning_rate, machine))


def flatten(net: ReLUNetwork | Gradients | Step, dtype: Any) -> Array:
    """All parameters in one array: for each layer the weights row by row, then the biases."""
    pairs = zip(net.weights, net.biases, strict=True)
    return np.concatenate([p.ravel() for pair in pairs for p in pair]).astype(dtype)


def split(flat: Array, widths: Sequence[int]) -> tuple[tuple[Array, ...], tuple[Array, ...]]:
    """Weights and biases as views of a flat array, or of a stack of them: its last axis holds the parameters."""
    weights, biases, at = [], [], 0
    for m, n in pairwise(widths):
        weights.append(flat[..., at:at + n * m].reshape(*flat.shape[:-1], n, m))
        biases.append(flat[..., at + n * m:at + n * (m + 1)])
        at += n * (m + 1)
    return tuple(weights), tuple(biases)


def _arithmetic(machine: Machine, start: int = 0) -> Any:
    if isinstance(machine, Exact):
        return Rationals()
    if isinstance(machine, Native):
        return Floats(machine.dtype)
    if machine.grain is Grain.TENSOR:
        return RoundedTensors(machine, start)
    raise TypeError(f"{machine!r} is compiled")


def checked(net: ReLUNetwork, x: ArrayLike, y: ArrayLike, machine: Machine) -> tuple[Array, Array]:
    """Data as columns; everything is checked to be in the machine's format."""
    if not isinstance(machine, Native | Rounded | Exact):
        raise TypeError(f"machine is {machine!r}, expected Native(dtype), Rounded(format) or Exact()")
    columns, fmt = [], format_of(machine)
    for name, values, width in (("x", x, net.widths[0]), ("y", y, net.widths[-1])):
        array = as_float64(values, name)
        if array.ndim != 2 or array.shape[1] != width or not len(array):
            hint = f"; for one label a point write {name}[:, None]" if array.ndim == 1 and width == 1 else ""
            raise ValueError(f"{name} has shape {array.shape}, expected (m, {width}): one point a row{hint}")
        if not np.isfinite(array).all():
            raise ValueError(f"{name} holds {array[~np.isfinite(array)][0]}: data must be finite")
        columns.append(array.T.copy())
    if columns[0].shape[1] != columns[1].shape[1]:
        raise ValueError(f"x has {columns[0].shape[1]} points and y has {columns[1].shape[1]}: give one label a point")
    if fmt != FLOAT64:
        everything = [flatten(net, np.float64), columns[0].ravel(), columns[1].ravel()]
        if not representable(np.concatenate(everything), fmt).all():
            _complain(net, columns[0], columns[1], fmt)
    return columns[0], columns[1]


def _complain(net: ReLUNetwork, x: Array, y: Array, fmt: Format) -> None:
    """Name the first number that does not belong to the format."""
    for name, arrays in (("weights", net.weights), ("biases", net.biases)):
        for j, array in enumerate(arrays):
            require(as_float64(array, name), fmt, f"{name}[{j}]")
    require(x.T, fmt, "x")
    require(y.T, fmt, "y")


def _compiled(net: ReLUNetwork, x: Array, y: Array, machine: Rounded) -> tuple[Array, Any, list[Array]]:
    f, careful, seed, start = kernel_arguments(machine.format, machine.rounding)
    dtype = carrier(machine.format, machine.rounding)
    flat, loss, hidden = training.gradient(np.array(net.widths), flatten(net, dtype), x.astype(dtype), y.astype(dtype),
                                           f, careful, seed, start, machine.order.flag)
    return flat, loss, hidden


def _found(net: ReLUNetwork, flat: Array, loss: Any, hidden: list[Array]) -> Gradients:
    """What the kernel found."""
    return Gradients(*split(np.asarray(flat, np.float64), net.widths), float(loss), tuple(~(h <= 0) for h in hidden))
