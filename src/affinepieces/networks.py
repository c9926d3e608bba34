"""Which functions? Feed-forward ReLU networks with float parameters, as immutable values."""
from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

if TYPE_CHECKING:
    import torch

Array = NDArray[Any]
FLOATS = (np.dtype(np.float16), np.dtype(np.float32), np.dtype(np.float64))


@dataclass(frozen=True, eq=False, init=False)
class ReLUNetwork:
    """The network ((A_1, b_1), ..., (A_L, b_L)): ReLU between the layers, none after the last.

    weights: L arrays, A_j of shape (N_j, N_{j-1}).  biases: L arrays, b_j of shape (N_j,).
    float16, float32 and float64 are kept; layers of different formats are widened to the largest,
    and integers or lists become float64.  The arrays are copied and cannot be written to.
    Raises ValueError or TypeError, naming the layer, for anything that is not a network.
    Source: Section 2 of Karner, Kazeev, Petersen (2024).

    >>> hat = ReLUNetwork([[[1.0], [1.0]], [[2.0, -4.0]]], [[0.0, -0.5], [0.0]])
    >>> hat([[0.0], [0.5], [0.75]]).ravel()
    array([0. , 1. , 0.5])
    """

    weights: tuple[Array, ...]
    biases: tuple[Array, ...]

    def __init__(self, weights: Sequence[ArrayLike], biases: Sequence[ArrayLike]) -> None:
        if len(weights) == 0:
            raise ValueError("empty network: give at least one weight matrix and one bias vector")
        if len(weights) != len(biases):
            raise ValueError(f"{len(weights)} weight matrices but {len(biases)} bias vectors: "
                             "give one of each for every layer")
        w = [_as_float(a, f"weights[{j}]") for j, a in enumerate(weights)]
        b = [_as_float(a, f"biases[{j}]") for j, a in enumerate(biases)]
        dtype = np.result_type(*w, *b)
        object.__setattr__(self, "weights", tuple(_frozen(a, dtype) for a in w))
        object.__setattr__(self, "biases", tuple(_frozen(a, dtype) for a in b))
        _check_shapes(self.weights, self.biases)

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

    def __call__(self, x: ArrayLike) -> Array:
        """Realization R(Phi) at m points in the network's own format: (m, N_0) -> (m, N_L)."""
        x = np.asarray(x, dtype=self.dtype)
        if x.ndim != 2 or x.shape[1] != self.widths[0]:
            raise ValueError(f"input of shape {x.shape}, expected (m, {self.widths[0]}): "
                             "one point a row")
        for a, b in zip(self.weights[:-1], self.biases[:-1], strict=True):
            x = np.maximum(x @ a.T + b, 0)
        return np.asarray(x @ self.weights[-1].T + self.biases[-1])

    def __eq__(self, other: object) -> bool:
        """Same shapes, same format and equal parameters."""
        if not isinstance(other, ReLUNetwork):
            return NotImplemented
        return (self.widths == other.widths and self.dtype == other.dtype
                and all(np.array_equal(p, q) for p, q in
                        zip(self.weights + self.biases, other.weights + other.biases, strict=True)))

    def __hash__(self) -> int:
        # adding 0 turns -0.0 into 0.0, so equal networks have equal hashes
        return hash((self.dtype, self.widths, *((p + 0).tobytes() for p in self.weights + self.biases)))

    def __repr__(self) -> str:
        return f"ReLUNetwork({'-'.join(map(str, self.widths))}, {self.dtype})"

    def astype(self, dtype: np.dtype[Any] | type) -> ReLUNetwork:
        """The network with every parameter rounded to another float format."""
        return ReLUNetwork([a.astype(dtype) for a in self.weights], [b.astype(dtype) for b in self.biases])

    def save(self, path: str | Path) -> None:
        """Write the parameters to an .npz file (no pickle)."""
        parameters = {f"weight_{j}": a for j, a in enumerate(self.weights)}
        parameters |= {f"bias_{j}": b for j, b in enumerate(self.biases)}
        with open(path, "wb") as file:
            np.savez(file, allow_pickle=False, **parameters)

    @classmethod
    def load(cls, path: str | Path) -> ReLUNetwork:
        """Read a network written by `save`."""
        with np.load(path, allow_pickle=False) as file:
            layers = len(file.files) // 2
            expected = {f"{kind}_{j}" for kind in ("weight", "bias") for j in range(layers)}
            if set(file.files) != expected or not expected:
                raise ValueError(f"{path} holds {sorted(file.files)}, not the layers of a network: "
                                 "give a file written by ReLUNetwork.save")
            return cls([file[f"weight_{j}"] for j in range(layers)],
                       [file[f"bias_{j}"] for j in range(layers)])

    @classmethod
    def from_torch(cls, module: torch.nn.Module) -> ReLUNetwork:
        """The exact parameters of a torch.nn.Sequential of Linear and ReLU.

        Identity, Flatten, and Dropout in eval mode are passed over; bfloat16 is widened to float32,
        which holds it exactly.  A ReLU after the last Linear becomes an identity layer.
        """
        from affinepieces._torch import layers_of

        return cls(*layers_of(module))

    def to_torch(self) -> torch.nn.Sequential:
        """A torch.nn.Sequential of Linear and ReLU with the same parameters and format."""
        from affinepieces._torch import module_of

        return module_of(self.weights, self.biases)


def _as_float(values: ArrayLike, name: str) -> Array:
    array = np.asarray(values)
    if array.dtype.kind in "iub":
        exact = array.astype(object)
        array = array.astype(np.float64)
        if np.any(array.astype(object) != exact):
            raise ValueError(f"{name} holds integers that float64 cannot represent: "
                             "keep them below 2**53")
    if array.dtype not in FLOATS:
        raise TypeError(f"{name} has dtype {array.dtype}, expected float16, float32 or float64: "
                        "convert it first, for example with .astype(numpy.float64)")
    if not np.all(np.isfinite(array)):
        where = tuple(int(i) for i in np.argwhere(~np.isfinite(array))[0])
        raise ValueError(f"{name}{list(where)} is {array[where]}: every parameter must be finite; "
                         "did the training diverge?")
    return array


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
