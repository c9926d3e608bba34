"""Which functions can be counted? A chain of layers, each an affine map and a ReLU in some of its rows.

Everything piecewise affine that people use lowers to a chain without rounding any number.  Two affine maps in a row, an
input mean, a batch norm are layers whose rows are all carried along; max(a, b) = b + relu(a - b) compares two rows; a
residual branch is carried in rows of its own; LeakyReLU is relu(z) + s (z - relu(z)), in two carried layers.
Pieces are those of the function, so they do not depend on how it was lowered.  Regions are cut by neurons and by
comparisons, wherever one of them changes its sign.
"""
from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from affinepieces._arrays import float_array
from affinepieces.networks import ReLUNetwork, frozen_layers
from affinepieces.values import Choice, Value

Array = NDArray[Any]


class Kind(Choice):
    """What a row of a hidden layer is."""

    NEURON = "neuron"  # a ReLU of the network
    COMPARISON = "comparison"  # a ReLU that decides which of two numbers is larger
    CARRIED = "carried"  # passed on unchanged


@dataclass(frozen=True, eq=False, init=False)
class Chain(Value):
    """z = A_j x + b_j, then in hidden layers relu(z) in the rows that are neurons or comparisons, z in the others.

    weights, biases: as for `ReLUNetwork`.  kinds: for each hidden layer a sequence of `Kind`, one for each row.
    names: for each layer what it was in the model that it comes from, for people.
    Raises ValueError or TypeError, naming the layer, for anything that is no chain.

    >>> absolute = Chain([[[1.0], [1.0]], [[2.0, -1.0]]], [[0.0, 0.0], [0.0]], [[Kind.NEURON, Kind.CARRIED]])
    >>> absolute([[-3.0], [2.0]]).ravel()
    array([3., 2.])
    """

    weights: tuple[Array, ...]
    biases: tuple[Array, ...]
    kinds: tuple[tuple[Kind, ...], ...]
    names: tuple[str, ...]

    def __init__(self, weights: Sequence[ArrayLike], biases: Sequence[ArrayLike], kinds: Sequence[Sequence[Kind]],
                 names: Sequence[str] = ()) -> None:
        w, b = frozen_layers(weights, biases)
        rows = tuple(tuple(Kind(kind) for kind in layer) for layer in kinds)
        expected = [len(c) for c in b[:-1]]
        if [len(layer) for layer in rows] != expected:
            raise ValueError(f"kinds have lengths {[len(layer) for layer in rows]}, expected {expected}: one kind for "
                             "each row of each hidden layer")
        called = tuple(map(str, names)) or tuple(f"layer {j + 1}" for j in range(len(w)))
        if len(called) != len(w):
            raise ValueError(f"{len(called)} names for {len(w)} layers: give one for each, or none")
        for name, value in (("weights", w), ("biases", b), ("kinds", rows), ("names", called)):
            object.__setattr__(self, name, value)

    dtype, widths, layers = ReLUNetwork.dtype, ReLUNetwork.widths, ReLUNetwork.layers

    @cached_property
    def carried(self) -> tuple[NDArray[np.bool_] | None, ...]:
        """For each hidden layer which rows have no ReLU; None where all have."""
        masks = [np.array([kind is Kind.CARRIED for kind in layer]) for layer in self.kinds]
        return tuple(mask if mask.any() else None for mask in masks)

    def __call__(self, x: ArrayLike) -> Array:
        """The function at m points in the chain's own format: (m, N_0) -> (m, N_L)."""
        x = float_array(x, "x").astype(self.dtype)
        if x.ndim != 2 or x.shape[1] != self.widths[0]:
            raise ValueError(f"input of shape {x.shape}, expected (m, {self.widths[0]}): one point a row")
        for a, b, carried in zip(self.weights[:-1], self.biases[:-1], self.carried, strict=True):
            z = x @ a.T + b
            x = np.maximum(z, 0) if carried is None else np.where(carried | (z > 0), z, 0)
        return np.asarray(x @ self.weights[-1].T + self.biases[-1])

    def __repr__(self) -> str:
        neurons, comparisons = (sum(layer.count(kind) for layer in self.kinds)
                                for kind in (Kind.NEURON, Kind.COMPARISON))
        compared = f", {comparisons} comparisons" if comparisons else ""
        return (f"Chain({self.widths[0]} inputs, {self.layers} layers, {neurons} neurons{compared}, "
                f"{self.widths[-1]} outputs, {self.dtype})")


Network = ReLUNetwork | Chain
