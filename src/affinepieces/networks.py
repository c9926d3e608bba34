"""Which functions? Feed-forward ReLU networks with float parameters, as immutable values."""
from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping, Sequence, Set
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from affinepieces._arrays import float_array, float_dtype, shown
from affinepieces._files import path_of, store, stored
from affinepieces.values import Value

if TYPE_CHECKING:
    import torch

Array = NDArray[Any]


@dataclass(frozen=True, eq=False, init=False)
class ReLUNetwork(Value):
    """The network ((A_1, b_1), ..., (A_L, b_L)): ReLU between the layers, none after the last.

    weights: L arrays, A_j of shape (N_j, N_{j-1}).  biases: L arrays, b_j of shape (N_j,).
    float16, float32 and float64 are kept, bfloat16 and shorter formats become float32, integers and lists
    float64; layers of different formats are widened to the largest.  No number is changed.
    The arrays are copied and cannot be written to.
    Raises ValueError or TypeError, naming the layer, for anything that is not a network.
    Source: Section 2 of Karner, Kazeev, Petersen (2024).

    >>> hat = ReLUNetwork([[[1.0], [1.0]], [[2.0, -4.0]]], [[0.0, -0.5], [0.0]])
    >>> hat([[0.0], [0.5], [0.75]]).ravel()
    array([0. , 1. , 0.5])
    """

    weights: tuple[Array, ...]
    biases: tuple[Array, ...]

    def __init__(self, weights: Sequence[ArrayLike], biases: Sequence[ArrayLike]) -> None:
        for name, value in zip(("weights", "biases"), frozen_layers(weights, biases), strict=True):
            object.__setattr__(self, name, value)

    @property
    def dtype(self) -> np.dtype[Any]:
        """Format of all parameters."""
        return self.weights[0].dtype

    @property
    def widths(self) -> tuple[int, ...]:
        """(N_0, ..., N_L): input dimension, hidden widths, output dimension."""
        return (self.weights[0].shape[1], *(len(b) for b in self.biases))

    @property
    def layers(self) -> int:
        """L: number of affine maps; the network has L - 1 hidden layers."""
        return len(self.weights)

    @property
    def carried(self) -> tuple[None, ...]:
        """For each hidden layer which of its rows have no ReLU: None, for all have; see `Chain`."""
        return (None,) * (self.layers - 1)

    def __call__(self, x: ArrayLike) -> Array:
        """Realization R(Phi) at m points in the network's own format: (m, N_0) -> (m, N_L).

        x is rounded to the network's format first; OverflowError if it is beyond its range.
        """
        x = _rounded(float_array(x, "x"), self.dtype, "x")
        if x.ndim != 2 or x.shape[1] != self.widths[0]:
            raise ValueError(f"input of shape {x.shape}, expected (m, {self.widths[0]}): "
                             "one point a row")
        for a, b in zip(self.weights[:-1], self.biases[:-1], strict=True):
            x = np.maximum(x @ a.T + b, 0)
        return np.asarray(x @ self.weights[-1].T + self.biases[-1])

    def __repr__(self) -> str:
        widths = [str(n) for n in self.widths]
        short = [*widths[:4], "...", *widths[-3:]] if self.layers > 12 else widths
        layers = f"{self.layers} layers, " if self.layers > 12 else ""
        return f"ReLUNetwork({'-'.join(short)}, {layers}{self.dtype})"

    def astype(self, dtype: np.dtype[Any] | type | str) -> ReLUNetwork:
        """The network with every parameter rounded to float16, float32 or float64.

        Raises OverflowError, naming the layer, if a parameter leaves the range of the format.
        """
        wanted = float_dtype(dtype, "dtype", "for another format take round_network(net, format), for example with "
                             "BFLOAT16, which holds the result in float64")
        return ReLUNetwork([_rounded(a, wanted, f"weights[{j}]") for j, a in enumerate(self.weights)],
                           [_rounded(b, wanted, f"biases[{j}]") for j, b in enumerate(self.biases)])

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the parameters to an .npz file (no pickle), whole or not at all."""
        parameters = {f"weight_{j}": a for j, a in enumerate(self.weights)}
        parameters |= {f"bias_{j}": b for j, b in enumerate(self.biases)}
        store(path, parameters)

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> ReLUNetwork:
        """Read a network written by `save`.

        Raises OSError if the file cannot be opened, ValueError, naming it, if it holds anything else.
        """
        arrays = stored(path_of(path), "ReLUNetwork.save")
        layers = len(arrays) // 2
        expected = {f"{kind}_{j}" for kind in ("weight", "bias") for j in range(layers)}
        if set(arrays) != expected or not expected:
            raise ValueError(f"{path} holds {sorted(arrays)}, not the layers of a network: "
                             "give a file written by ReLUNetwork.save")
        try:
            return cls([arrays[f"weight_{j}"] for j in range(layers)], [arrays[f"bias_{j}"] for j in range(layers)])
        except (TypeError, ValueError) as error:
            raise ValueError(f"{path} holds no network: {error}") from error

    @classmethod
    def from_torch(cls, module: torch.nn.Module) -> ReLUNetwork:
        """The function of a torch.nn.Sequential of Linear and ReLU, with its exact parameters.

        Identity, Flatten(1, -1), and Dropout in eval mode are passed over; bfloat16 is widened to float32,
        which holds it exactly.  A ReLU after the last Linear becomes an identity layer.  A layer that is used
        several times counts each time.  Whatever may make the module another function is refused by name:
        subclasses with a forward of their own, hooks, parametrisations, wrappers, other layers.  Last, the
        network is compared with the module's own forward at a few points; rounding must explain the difference.
        Raises TypeError or ValueError, naming the layer and the remedy.
        """
        from affinepieces._torch import check_same_function, layers_of

        net = cls(*layers_of(module))
        check_same_function(module, net.weights, net.biases)
        return net

    def to_torch(self) -> torch.nn.Sequential:
        """A torch.nn.Sequential of Linear and ReLU with the same parameters and format."""
        from affinepieces._torch import module_of

        return module_of(self.weights, self.biases)


def frozen_layers(weights: Sequence[ArrayLike],
                  biases: Sequence[ArrayLike]) -> tuple[tuple[Array, ...], tuple[Array, ...]]:
    """The layers of a network in one format, copied and read-only; errors name what does not fit."""
    weights, biases = _layers(weights, "weights", "(N_j, N_{j-1})"), _layers(biases, "biases", "(N_j,)")
    if not weights:
        raise ValueError("empty network: give at least one weight matrix and one bias vector")
    if len(weights) != len(biases):
        raise ValueError(f"{len(weights)} weight matrices but {len(biases)} bias vectors: "
                         "give one of each for every layer")
    w = [_parameters(a, f"weights[{j}]") for j, a in enumerate(weights)]
    b = [_parameters(a, f"biases[{j}]") for j, a in enumerate(biases)]
    dtype = np.result_type(*w, *b)
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


def _parameters(values: ArrayLike, name: str) -> Array:
    array = float_array(values, name)
    if not np.all(np.isfinite(array)):
        where = tuple(int(i) for i in np.argwhere(~np.isfinite(array))[0])
        raise ValueError(f"{name}{list(where)} is {array[where]}: every parameter must be finite; "
                         "did the training diverge?")
    return array


def _rounded(array: Array, dtype: np.dtype[Any], name: str) -> Array:
    with np.errstate(over="ignore", invalid="ignore"):  # a signalling nan
        rounded = array.astype(dtype, copy=False)
    if np.any(overflown := np.isinf(rounded) & np.isfinite(array)):
        raise OverflowError(f"{name} holds {array[overflown][0]:g}, but the largest number of {dtype} is "
                            f"{np.finfo(dtype).max:g}: rescale, or take a wider format")
    return rounded


def _frozen(array: Array, dtype: np.dtype[Any]) -> Array:
    copy = np.array(array, dtype=dtype, order="C")
    copy.setflags(write=False)
    return copy


def _check_shapes(weights: Sequence[Array], biases: Sequence[Array]) -> None:
    for j, (a, b) in enumerate(zip(weights, biases, strict=True)):
        if a.ndim != 2 or 0 in a.shape:
            raise ValueError(f"weights[{j}] has shape {a.shape}, expected (N_{j + 1}, N_{j}) with "
                             "both at least 1")
        if b.shape != (a.shape[0],):
            raise ValueError(f"biases[{j}] has shape {b.shape}, expected ({a.shape[0]},) because "
                             f"weights[{j}] has shape {a.shape}")
        if j and a.shape[1] != len(biases[j - 1]):
            raise ValueError(f"weights[{j}] has shape {a.shape}, but the layer below has "
                             f"{len(biases[j - 1])} neurons: expected ({a.shape[0]}, {len(biases[j - 1])})")
