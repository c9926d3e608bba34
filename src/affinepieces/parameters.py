"""Weights and biases together: of a network, a gradient, an update, an error; flat, and layer by layer."""
from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from affinepieces.arguments import instance, items
from affinepieces.arithmetic.exact import ExactArray
from affinepieces.values import Value

Array = NDArray[Any]


@dataclass(frozen=True, eq=False)
class Parameters(Value):
    """One number for each parameter of a network: an update, an error, a share.

    weights: for each layer (N_j, N_{j-1}).  biases: for each layer (N_j,).  Arrays of numpy, or each an `ExactArray`.

    >>> Parameters([np.array([[1.0, -2.0]])], [np.array([3.0])]).entries()
    array([ 1., -2.,  3.])
    """

    weights: tuple[Any, ...]
    biases: tuple[Any, ...]

    def __post_init__(self) -> None:
        check_layers(self)
        super().__post_init__()

    def __repr__(self) -> str:
        entries = self.entries()
        return f"{type(self).__name__}({shape_of(self)}, {entries.min():.3g} to {entries.max():.3g})"

    def entries(self) -> Array:
        """All of them in one vector: for each layer the weights row by row, then the biases; exact ones rounded."""
        return flatten(self)

    def hidden_biases(self) -> Array:
        """Those of the hidden biases in one vector."""
        hidden = [_floats(b) for b in self.biases[:-1]]
        return np.concatenate(hidden) if hidden else np.empty(0)


def flatten(arrays: Any, dtype: Any = None) -> Array:
    """All parameters of anything that has weights and biases, in one array, in the order of `Parameters.entries`."""
    flat = np.concatenate([_floats(p).ravel() for pair in layers_of(arrays) for p in pair])
    return flat if dtype is None else flat.astype(dtype)


def split(flat: Array, widths: Sequence[int]) -> tuple[tuple[Array, ...], tuple[Array, ...]]:
    """Weights and biases as views of a flat array, or of a stack of them: its last axis holds the parameters."""
    weights, biases, at = [], [], 0
    for m, n in pairwise(widths):
        weights.append(flat[..., at:at + n * m].reshape(*flat.shape[:-1], n, m))
        biases.append(flat[..., at + n * m:at + n * (m + 1)])
        at += n * (m + 1)
    return tuple(weights), tuple(biases)


def hidden_bias_positions(widths: Sequence[int]) -> NDArray[np.int64]:
    """Where the hidden biases are in the flat parameters of a network of these widths."""
    size = sum(n * (m + 1) for m, n in pairwise(widths))
    return np.concatenate([np.zeros(0, np.int64), *split(np.arange(size), widths)[1][:-1]])


def layers_of(arrays: Any) -> list[tuple[Any, Any]]:
    """Weights and biases of each layer."""
    return list(zip(arrays.weights, arrays.biases, strict=True))


def check_layers(arrays: Any) -> None:
    """TypeError or ValueError unless weights and biases, of a value that is being made, are arrays that fit."""
    for name, ndim, expected in (("weights", 2, "(N_j, N_{j-1})"), ("biases", 1, "(N_j,)")):
        layers = tuple(items(getattr(arrays, name), name, "arrays, one for each layer"))
        object.__setattr__(arrays, name, layers)
        for j, array in enumerate(layers):
            if not isinstance(array, np.ndarray | ExactArray):
                instance(array, np.ndarray, f"{name}[{j}]", "give an array of numpy or an ExactArray")
            if len(array.shape) != ndim:
                raise ValueError(f"{name}[{j}] has shape {array.shape}, expected {expected}")
    shapes = [a.shape[0] for a in arrays.weights], [b.shape[0] for b in arrays.biases]
    if shapes[0] != shapes[1] or not shapes[0]:
        raise ValueError(f"weights have {shapes[0]} rows and biases {shapes[1]} entries: give equally many, "
                         "for one layer at least")


def shape_of(arrays: Any) -> str:
    """Widths of the layers, as those of a network are shown, from anything that has weights and biases."""
    return "-".join(map(str, (arrays.weights[0].shape[1], *(b.shape[0] for b in arrays.biases))))


def _floats(array: Any) -> Array:
    return array.to_float() if isinstance(array, ExactArray) else np.asarray(array)
