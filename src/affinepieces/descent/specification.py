"""Forward pass, loss, backward pass and update: the order of all operations, in one place.

Every machine does this, in its own arithmetic.  Points are columns: x has shape (N_0, m), y (N_L, m).
The loss is (1/m) sum_i |f(x_i) - y_i|^2, and the derivative of the ReLU at 0 is 0.

    z^(j) = (A_j x^(j-1)) + b_j             products summed over k = 1, ..., N_{j-1}, then the bias
    x^(j) = relu(z^(j))
    r = z^(L) - y,  loss = (sum r^2) / m
    d^(L) = (2 r) / m                       2 r is exact
    gradient of A_j = d^(j) x^(j-1)^T       products summed over the data points
    gradient of b_j = sum of d^(j)          over the data points
    d^(j-1) = A_j^T d^(j) where z^(j-1) > 0, else 0
    p - (learning rate * gradient)          for every parameter p
"""
from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

T = TypeVar("T")
Mask = NDArray[np.bool_]


class Arithmetic(Protocol[T]):
    """What a machine must be able to do with its arrays."""

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

    def square(self, a: T) -> T:
        """Entrywise square."""
        ...

    def double(self, a: T) -> T:
        """Twice a."""
        ...

    def divide(self, a: T, m: int) -> T:
        """Every entry over an integer."""
        ...

    def scale(self, a: T, factor: float) -> T:
        """Every entry times a number of the machine."""
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


def backpropagate(do: Arithmetic[T], weights: Sequence[T], biases: Sequence[T], x: T, y: T, points: int) -> Tape[T]:
    """Loss and gradient at the given parameters."""
    activations, active, z = [x], [], x
    for j, (a, b) in enumerate(zip(weights, biases, strict=True)):
        z = do.add_column(do.matmul(a, activations[-1]), b)
        if j < len(weights) - 1:
            active.append(do.active(z))
            activations.append(do.keep(z, active[-1]))
    residual = do.subtract(z, y)
    loss = do.divide(do.total(do.square(residual)), points)
    deltas = [do.divide(do.double(residual), points)]
    for a, mask in zip(weights[:0:-1], active[::-1], strict=True):
        deltas.append(do.keep(do.matmul(do.transpose(a), deltas[-1]), mask))
    deltas.reverse()
    return Tape(tuple(activations), tuple(active), residual, loss, tuple(deltas),
                tuple(do.matmul(d, do.transpose(h)) for d, h in zip(deltas, activations, strict=True)),
                tuple(do.row_sums(d) for d in deltas))


def descend(do: Arithmetic[T], parameter: T, gradient: T, learning_rate: float) -> T:
    """One update of one array of parameters."""
    return do.subtract(parameter, do.scale(gradient, learning_rate))
