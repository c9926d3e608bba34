"""Which functions can be counted? A chain of layers, each an affine map and a ReLU in some of its rows.

Everything piecewise affine that people use lowers to a chain without rounding any number.  Two affine maps in a row, an
input mean, a batch norm are layers whose rows are all carried along; max(a, b) = b + relu(a - b) compares two rows; a
residual branch is carried in rows of its own; LeakyReLU is relu(z) + s (z - relu(z)), in two carried layers.
Pieces are those of the function, so they do not depend on how it was lowered.  Regions are cut by neurons and by
comparisons, wherever one of them changes its sign.
"""
from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence, Set
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from affinepieces._arrays import float_array, shown
from affinepieces.sparse import SparseMatrix
from affinepieces.values import Choice, Value

Array = NDArray[Any]


class Kind(Choice):
    """What a row of a hidden layer is."""

    NEURON = "neuron"  # a ReLU of the network
    COMPARISON = "comparison"  # a ReLU that decides which of two numbers is larger
    CARRIED = "carried"  # passed on unchanged


class Layered(Value):
    """What every counter reads: affine maps (A_j, b_j), and which rows of the hidden layers have no ReLU."""

    weights: tuple[Any, ...]
    biases: tuple[Array, ...]

    @property
    def dtype(self) -> np.dtype[Any]:
        """Format of all parameters."""
        found: np.dtype[Any] = self.weights[0].dtype
        return found

    @cached_property
    def widths(self) -> tuple[int, ...]:
        """(N_0, ..., N_L): input dimension, hidden widths, output dimension."""
        return (self.weights[0].shape[1], *(len(b) for b in self.biases))

    @property
    def layers(self) -> int:
        """L: number of affine maps; the network has L - 1 hidden layers."""
        return len(self.weights)

    @property
    def carried(self) -> tuple[NDArray[np.bool_] | None, ...]:
        """For each hidden layer which rows have no ReLU, (N_j,); None where all have one."""
        return (None,) * (self.layers - 1)

    @cached_property
    def plain(self) -> bool:
        """Whether all rows of the hidden layers have a ReLU, and all matrices are dense."""
        return all(rows is None for rows in self.carried) and not any(isinstance(a, SparseMatrix) for a in self.weights)

    @property
    def neurons(self) -> tuple[NDArray[np.bool_], ...]:
        """For each hidden layer which rows are neurons, (N_j,)."""
        return tuple(np.ones(n, np.bool_) for n in self.widths[1:-1])

    def below(self) -> list[Layered]:
        """For each hidden layer that has neurons the function whose outputs are their preactivations."""
        raise NotImplementedError


@dataclass(frozen=True, eq=False, init=False)
class Chain(Layered):
    """z = A_j x + b_j, then in hidden layers relu(z) in the rows that are neurons or comparisons, z in the others.

    weights, biases: as for `ReLUNetwork`; matrices may be sparse, those of scipy.sparse or `SparseMatrix`.
    kinds: for each hidden layer a sequence of `Kind`, one for each row.
    names: for each layer, the last one too, what its rows are in the model that they come from, for people.
    Raises ValueError or TypeError, naming the layer, for anything that is no chain.

    >>> absolute = Chain([[[1.0], [1.0]], [[2.0, -1.0]]], [[0.0, 0.0], [0.0]], [[Kind.NEURON, Kind.CARRIED]])
    >>> absolute([[-3.0], [2.0]]).ravel()
    array([3., 2.])
    """

    weights: tuple[Array | SparseMatrix, ...]
    biases: tuple[Array, ...]
    kinds: tuple[tuple[Kind, ...], ...]
    names: tuple[tuple[str, ...], ...]

    def __init__(self, weights: Sequence[Any], biases: Sequence[ArrayLike], kinds: Sequence[Sequence[Kind]],
                 names: Sequence[Sequence[str]] = ()) -> None:
        w, b = frozen_layers(weights, biases)
        rows = tuple(tuple(_kind(kind) for kind in layer) for layer in _rows(kinds, "kinds", "kinds"))
        expected = [len(c) for c in b[:-1]]
        if [len(layer) for layer in rows] != expected:
            raise ValueError(f"kinds have lengths {[len(layer) for layer in rows]}, expected {expected}: one kind for "
                             "each row of each hidden layer")
        called = tuple(tuple(map(str, layer)) for layer in _rows(names, "names", "names")) or tuple(
            tuple(f"layer{j + 1}[{k}]" for k in range(len(c))) for j, c in enumerate(b))
        if [len(layer) for layer in called] != [len(c) for c in b]:
            raise ValueError(f"names have lengths {[len(layer) for layer in called]}, expected "
                             f"{[len(c) for c in b]}: one name for each row of each layer, or none at all")
        for name, value in (("weights", w), ("biases", b), ("kinds", rows), ("names", called)):
            object.__setattr__(self, name, value)

    @cached_property
    def carried(self) -> tuple[NDArray[np.bool_] | None, ...]:
        """For each hidden layer which rows have no ReLU; None where all have."""
        masks = [np.array([kind is Kind.CARRIED for kind in layer]) for layer in self.kinds]
        return tuple(mask if mask.any() else None for mask in masks)

    @property
    def neurons(self) -> tuple[NDArray[np.bool_], ...]:
        """For each hidden layer which rows are neurons, (N_j,)."""
        return tuple(np.array([kind is Kind.NEURON for kind in layer]) for layer in self.kinds)

    def below(self) -> list[Layered]:
        """For each hidden layer that has neurons the function whose outputs are their preactivations."""
        return [Chain([*self.weights[:j], _of_rows(self.weights[j], rows)], [*self.biases[:j], self.biases[j][rows]],
                      self.kinds[:j]) for j, rows in enumerate(self.neurons) if rows.any()]

    def __call__(self, x: ArrayLike) -> Array:
        """The function at m points in the chain's own format: (m, N_0) -> (m, N_L)."""
        x = float_array(x, "x").astype(self.dtype)
        if x.ndim != 2 or x.shape[1] != self.widths[0]:
            raise ValueError(f"input of shape {x.shape}, expected (m, {self.widths[0]}): one point a row")
        for a, b, carried in zip(self.weights[:-1], self.biases[:-1], self.carried, strict=True):
            z = product(a, x) + b
            x = np.maximum(z, 0) if carried is None else np.where(carried | (z > 0), z, 0)
        return np.asarray(product(self.weights[-1], x) + self.biases[-1])

    def __repr__(self) -> str:
        neurons, comparisons = (sum(layer.count(kind) for layer in self.kinds)
                                for kind in (Kind.NEURON, Kind.COMPARISON))
        compared = f", {comparisons} comparisons" if comparisons else ""
        return (f"Chain({self.widths[0]} inputs, {self.layers} layers, {neurons} neurons{compared}, "
                f"{self.widths[-1]} outputs, {self.dtype})")


def _of_rows(a: Any, rows: NDArray[np.bool_]) -> Any:
    return a.of_rows(rows) if isinstance(a, SparseMatrix) else a[rows]


def product(a: Any, x: Array) -> Array:
    """A x for each row x: (r, m) -> (r, n)."""
    return a.product(x) if isinstance(a, SparseMatrix) else np.asarray(x @ a.T)


def frozen_layers(weights: Sequence[Any],
                  biases: Sequence[ArrayLike]) -> tuple[tuple[Any, ...], tuple[Array, ...]]:
    """The layers of a network in one format, copied and read-only; errors name what does not fit."""
    weights, biases = _layers(weights, "weights", "(N_j, N_{j-1})"), _layers(biases, "biases", "(N_j,)")
    if not weights:
        raise ValueError("empty network: give at least one weight matrix and one bias vector")
    if len(weights) != len(biases):
        raise ValueError(f"{len(weights)} weight matrices but {len(biases)} bias vectors: "
                         "give one of each for every layer")
    w = [_matrix(a, f"weights[{j}]") for j, a in enumerate(weights)]
    b = [_parameters(a, f"biases[{j}]") for j, a in enumerate(biases)]
    dtype = np.result_type(*(a.dtype for a in (*w, *b)))
    frozen = tuple(_frozen(a, dtype) for a in w), tuple(_frozen(a, dtype) for a in b)
    _check_shapes(*frozen)
    return frozen


def _layers(values: Any, name: str, shape: str) -> list[Any]:
    listed = None
    if isinstance(values, Iterable) and not isinstance(values, str | bytes | Mapping | Set | Callable):  # a module
        with suppress(TypeError):  # an array without dimensions
            listed = list(values)
    if listed is None:
        raise TypeError(f"{name} is {shown(values)}, expected a sequence of arrays of shape {shape}, one for each "
                        "layer; for a torch module take ReLUNetwork.from_torch(module)")
    return listed


def _rows(values: Any, name: str, what: str) -> list[list[Any]]:
    """For each layer a list with something for each row."""
    one_each = isinstance(values, Sequence) and all(
        isinstance(layer, Sequence | np.ndarray) and not isinstance(layer, str | bytes) for layer in values)
    if not one_each or isinstance(values, str | bytes):
        raise TypeError(f"{name} is {shown(values)}, expected a sequence for each layer, of {what} for its rows")
    return [list(layer) for layer in values]


def _kind(value: Any) -> Kind:
    try:
        return Kind(value)
    except ValueError as error:
        raise ValueError(f"kinds holds {shown(value)}, expected one of {', '.join(map(str, Kind))}") from error


def _matrix(values: Any, name: str) -> Any:
    """A matrix, dense or sparse."""
    if not isinstance(values, SparseMatrix) and not hasattr(values, "tocsr"):
        return _parameters(values, name)
    sparse = values if isinstance(values, SparseMatrix) else SparseMatrix.of(values)
    _parameters(sparse.values, f"{name}.values")
    return sparse


def _parameters(values: ArrayLike, name: str) -> Array:
    array = float_array(values, name)
    if not np.all(np.isfinite(array)):
        where = tuple(int(i) for i in np.argwhere(~np.isfinite(array))[0])
        raise ValueError(f"{name}{list(where)} is {array[where]}: every parameter must be finite; "
                         "did the training diverge?")
    return array


def _frozen(array: Any, dtype: np.dtype[Any]) -> Any:
    if isinstance(array, SparseMatrix):
        return array.astype(dtype)
    copy = np.array(array, dtype=dtype, order="C")
    copy.setflags(write=False)
    return copy


def _check_shapes(weights: Sequence[Any], biases: Sequence[Array]) -> None:
    for j, (a, b) in enumerate(zip(weights, biases, strict=True)):
        if len(a.shape) != 2 or 0 in a.shape:
            raise ValueError(f"weights[{j}] has shape {a.shape}, expected (N_{j + 1}, N_{j}) with "
                             "both at least 1")
        if b.shape != (a.shape[0],):
            raise ValueError(f"biases[{j}] has shape {b.shape}, expected ({a.shape[0]},) because "
                             f"weights[{j}] has shape {a.shape}")
        if j and a.shape[1] != len(biases[j - 1]):
            raise ValueError(f"weights[{j}] has shape {a.shape}, but the layer below has "
                             f"{len(biases[j - 1])} neurons: expected ({a.shape[0]}, {len(biases[j - 1])})")
