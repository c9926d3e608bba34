"""Forward pass, loss and backward pass: the order of all operations, in one place; that of updates is in `optimisers`.

Every machine does this, in its own arithmetic.  Points are columns: x has shape (N_0, m), y (N_L, m).
The derivative of the ReLU at 0 is 0.  S is the scale of the loss, a power of two, usually 1::

    forward     z^(j) = (A_j x^(j-1)) + b_j             products summed over k = 1, ..., N_{j-1}, then the bias
                x^(j) = relu(z^(j))
    residual    of (1/m) sum_i |f(x_i) - y_i|^2:
                r = z^(L) - y,  loss = (sum r^2) / m
                d^(L) = (2 S r) / m                     2 S r is exact, or too large
                of the cross-entropy, -(1/m) sum_ic y_ic log softmax(f(x_i))_c:
                s = z^(L) - (maximum of each column),  e = exp(s),  T = sum of each column of e
                r = e / T - y,  loss = (sum y (log(T) - s)) / m
                d^(L) = (S r) / m                       S r is exact, or too large
    backward    d^(j-1) = A_j^T d^(j) where z^(j-1) > 0, else 0
    gradient    of A_j: d^(j) x^(j-1)^T                 products summed over the data points
                of b_j: sum of d^(j)                    over the data points
    update      see `optimisers`

The stages forward 1, ..., forward L, residual, backward L, ..., backward 2, gradient 1, ..., gradient L, update follow
each other in this order, and so do the random numbers of stochastic rounding.
"""
from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Generic, Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from affinepieces.descent.machines import Part
from affinepieces.values import Choice

T = TypeVar("T")
Mask = NDArray[np.bool_]


class Loss(Choice):
    """What is minimised: a mean over the data points."""

    SQUARED_ERROR = "squared error"  # |f(x) - y|^2
    CROSS_ENTROPY = "cross-entropy"  # -sum_c y_c log softmax(f(x))_c, for rows y >= 0 that sum to 1


class Arithmetic(Protocol[T]):
    """What a machine must be able to do with its arrays."""

    def take(self, a: Any) -> T:
        """Numbers of any machine as its own: rounded to nearest if they are not in its format."""
        ...

    def matmul(self, a: T, b: T) -> T:
        """Matrix product."""
        ...

    def transpose(self, a: T) -> T:
        """Transposed matrix."""
        ...

    def add_column(self, a: T, b: T) -> T:
        """The vector b added to every column of a."""
        ...

    def subtract(self, a: T, b: T) -> T:
        """Difference."""
        ...

    def add(self, a: T, b: T) -> T:
        """Sum."""
        ...

    def multiply(self, a: T, b: T) -> T:
        """Product, entry by entry."""
        ...

    def quotient(self, a: T, b: T) -> T:
        """Quotient, entry by entry."""
        ...

    def times(self, a: T, power: float) -> T:
        """Every entry times a power of two: exact, or too large or too small."""
        ...

    def divide(self, a: T, m: int) -> T:
        """Every entry over an integer."""
        ...

    def number(self, value: float) -> float:
        """The nearest number of the machine."""
        ...

    def scale(self, a: T, factor: float) -> T:
        """Every entry times a number of the machine."""
        ...

    def over(self, a: T, divisor: float) -> T:
        """Every entry over a number of the machine."""
        ...

    def shift(self, a: T, term: float) -> T:
        """Every entry plus a number of the machine."""
        ...

    def sqrt(self, a: T) -> T:
        """Square root of every entry."""
        ...

    def exp(self, a: T) -> T:
        """Exponential of every entry."""
        ...

    def log(self, a: T) -> T:
        """Natural logarithm of every entry."""
        ...

    def largest(self, a: T) -> T:
        """The largest entry of each column, in every row of it."""
        ...

    def column_sums(self, a: T) -> T:
        """The sum of each column, in every row of it."""
        ...

    def row_sums(self, a: T) -> T:
        """Vector of the sums over the columns."""
        ...

    def total(self, a: T) -> T:
        """Sum of all entries, row by row, as a vector of length 1."""
        ...

    def active(self, z: T) -> Mask:
        """Where z > 0, or not a number."""
        ...

    def keep(self, a: T, mask: Mask) -> T:
        """Zero where the mask is False."""
        ...


@dataclass(frozen=True)
class Tape(Generic[T]):
    """Everything that one pass forward and backward computes."""

    activations: tuple[T, ...]  # x^(0), ..., x^(L-1)
    active: tuple[Mask, ...]  # of the hidden layers
    residual: T
    loss: T
    deltas: tuple[T, ...]  # d^(1), ..., d^(L)
    weights: tuple[T, ...]  # the gradient
    biases: tuple[T, ...]


def forward(do: Arithmetic[T], a: T, b: T, h: T) -> tuple[T, T, Mask]:
    """z = A h + b, relu(z), and where it is active."""
    z = do.add_column(do.matmul(do.take(a), do.take(h)), do.take(b))
    mask = do.active(z)
    return z, do.keep(z, mask), mask


def residual(do: Arithmetic[T], z: T, y: T, points: int, loss: Loss, scale: float) -> tuple[T, T, T]:
    """r, the loss, and the delta of the last layer."""
    z, y = do.take(z), do.take(y)
    if loss is Loss.CROSS_ENTROPY:
        s = do.subtract(z, do.largest(z))
        e = do.exp(s)
        total = do.column_sums(e)
        r = do.subtract(do.quotient(e, total), y)
        terms = do.multiply(y, do.subtract(do.log(total), s))
        return r, do.divide(do.total(terms), points), do.divide(do.times(r, scale), points)
    r = do.subtract(z, y)
    return r, do.divide(do.total(do.multiply(r, r)), points), do.divide(do.times(r, 2 * scale), points)


def backward(do: Arithmetic[T], a: T, delta: T, mask: Mask) -> T:
    """The delta of the layer below."""
    return do.keep(do.matmul(do.transpose(do.take(a)), do.take(delta)), mask)


def gradient(do: Arithmetic[T], delta: T, h: T) -> tuple[T, T]:
    """The gradients of the weights and of the biases of one layer."""
    delta = do.take(delta)
    return do.matmul(delta, do.transpose(do.take(h))), do.row_sums(delta)


STAGES: dict[Part, Callable[..., Any]] = {
    Part.FORWARD: forward, Part.RESIDUAL: residual, Part.BACKWARD: backward, Part.GRADIENT: gradient}


def backpropagate(do: Arithmetic[T], weights: Sequence[T], biases: Sequence[T], x: T, y: T, points: int,
                  loss: Loss = Loss.SQUARED_ERROR, scale: float = 1.0) -> Tape[T]:
    """Loss and gradient at the given parameters, every stage in one arithmetic."""
    return staged(lambda part, layer, *numbers: STAGES[part](do, *numbers), weights, biases, x, y, points, loss, scale)


def staged(run: Callable[..., Any], weights: Sequence[T], biases: Sequence[T], x: T, y: T, points: int,
           loss: Loss = Loss.SQUARED_ERROR, scale: float = 1.0) -> Tape[T]:
    """The stages in their order; run(part, layer, *numbers) is what STAGES[part] makes of the numbers.

    scale: a power of two, by which the gradient, not the loss, is multiplied.
    """
    last = len(weights)
    activations, active, z = [x], [], x
    for j, (a, b) in enumerate(zip(weights, biases, strict=True), 1):
        z, kept, mask = run(Part.FORWARD, j, a, b, activations[-1])
        if j < last:
            active.append(mask)
            activations.append(kept)
    r, value, delta = run(Part.RESIDUAL, last, z, y, points, loss, scale)
    deltas = [delta]
    for j in range(last, 1, -1):
        deltas.append(run(Part.BACKWARD, j, weights[j - 1], deltas[-1], active[j - 2]))
    deltas.reverse()
    pairs = [run(Part.GRADIENT, j, d, h) for j, (d, h) in enumerate(zip(deltas, activations, strict=True), 1)]
    return Tape(tuple(activations), tuple(active), r, value, tuple(deltas),
                tuple([w for w, _ in pairs]), tuple([b for _, b in pairs]))
