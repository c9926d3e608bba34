"""Which functions? Feed-forward ReLU networks with float parameters, as immutable values."""
from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from affinepieces._arrays import float_array, float_dtype
from affinepieces._files import path_of, store, stored
from affinepieces.layers import Layered, frozen_layers

if TYPE_CHECKING:
    import torch

Array = NDArray[Any]


@dataclass(frozen=True, eq=False, init=False)
class ReLUNetwork(Layered):
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

    def below(self) -> list[Layered]:
        """For each hidden layer the network whose outputs are its preactivations."""
        return [ReLUNetwork(self.weights[:j], self.biases[:j]) for j in range(1, self.layers)]

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


def _rounded(array: Array, dtype: np.dtype[Any], name: str) -> Array:
    with np.errstate(over="ignore", invalid="ignore"):  # a signalling nan
        rounded = array.astype(dtype, copy=False)
    if np.any(overflown := np.isinf(rounded) & np.isfinite(array)):
        raise OverflowError(f"{name} holds {array[overflown][0]:g}, but the largest number of {dtype} is "
                            f"{np.finfo(dtype).max:g}: rescale, or take a wider format")
    return rounded
