"""Last guard of a conversion: the network is compared with the module's own forward pass."""
from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from affinepieces._torch.layers import leaves
from affinepieces._torch.refusals import called
from affinepieces._torch.tensors import numpy_of

Floats = NDArray[np.float64]
SCALES = (0, 2**-20, 2**-8, 2**-4, 0.25, 0.5, 1, 1, 1, 1, 2, 4, 8, 16, 64, 4096)  # of the points, one a row
CHANGED = "was a class of torch changed?  Build ReLUNetwork(weights, biases) if the parameters alone are meant"
OWN = 2.0**-52  # what the comparison itself loses in an operation of float64


@dataclass(frozen=True)
class Arithmetic:
    """How far an operation of the module may be from exact: relative errors, and an absolute one for underflow.

    Results are faithful, within one spacing of the exact one, in any order of summation, fused or not.
    operand: of an entry as the product takes it.  term: of a product or a partial sum.
    result: of a sum when it is written.  tiny: of any operation, also if subnormal numbers are flushed.
    largest: finite number; beyond it the module overflows.
    """

    operand: float
    term: float
    result: float
    tiny: float
    largest: float

    @classmethod
    def of(cls, tensor: torch.Tensor) -> Arithmetic:
        """Of a module with parameters like this one: half formats add in float32 on a CPU, elsewhere perhaps not."""
        info, half = torch.finfo(tensor.dtype), tensor.dtype in (torch.float16, torch.bfloat16)
        term = torch.finfo(torch.float32).eps if half and tensor.device.type == "cpu" else info.eps
        operand = 2.0**-7 if tensor.dtype == torch.float32 and _coarse() else 0.0
        tiny = info.smallest_normal if tensor.dtype != torch.float16 else info.eps * info.smallest_normal
        return cls(operand, term, info.eps, tiny, info.max)

    def growth(self, terms: int) -> float:
        """Relative to the sum of the moduli, the error of a dot product of so many terms, a bias, and our own."""
        theirs = (terms + 2) * np.log1p(self.term) + 3 * np.log1p(self.result) + 2 * np.log1p(self.operand)
        return float(np.expm1(theirs) + np.expm1((terms + 2) * np.log1p(OWN)))


def check_same_function(module: nn.Module, weights: Sequence[Any], biases: Sequence[Any]) -> None:
    """Raise ValueError if rounding cannot explain how the module's own forward differs from the network.

    Compared at a few fixed points of all sizes: every layer at the values that reach it, then the whole.
    The module's gradients and the states of random numbers stay as they are.
    """
    like = next(layer.weight for _, layer in leaves(module) if isinstance(layer, nn.Linear))
    x = torch.tensor(_points(weights[0].shape[1]), dtype=like.dtype, device=like.device)
    arithmetic, cuda = Arithmetic.of(like), [like.device] if like.is_cuda else []
    with torch.no_grad(), torch.random.fork_rng(cuda), torch.autocast(like.device.type, enabled=False):
        _compare_layers(module, x, weights, biases, arithmetic)
        expected, radius = _network(_floats(x), weights, biases, arithmetic)
        _compare(_forward(module, x, ""), expected, radius, "")


def _compare_layers(module: nn.Module, x: torch.Tensor, weights: Sequence[Any], biases: Sequence[Any],
                    arithmetic: Arithmetic) -> None:
    values, maps = x.clone(), iter(zip(weights, biases, strict=True))
    for name, layer in leaves(module):
        before, values = _floats(values), _forward(layer, values, name)
        exact = np.zeros_like(before)
        if isinstance(layer, nn.Linear):
            expected, radius = _affine(before, exact, *next(maps), arithmetic)
        else:
            expected, radius = np.maximum(before, 0) if isinstance(layer, nn.ReLU) else before, exact + arithmetic.tiny
        _compare(values, expected, radius, name)


def _points(dim: int) -> Floats:
    directions = np.random.default_rng(20240501).standard_normal((len(SCALES), dim))
    return np.asarray(SCALES)[:, None] * directions


def _forward(module: nn.Module, x: torch.Tensor, name: str) -> torch.Tensor:
    try:
        found = module(x)
    except Exception as error:  # whatever a layer raises
        raise ValueError(f"{called(name)} cannot be evaluated at values of shape {tuple(x.shape)}: {error}") from error
    if not isinstance(found, torch.Tensor):
        raise ValueError(f"{called(name)} returns a {type(found).__name__}, expected a tensor: {CHANGED}")
    return found


def _floats(x: torch.Tensor) -> Floats:
    return numpy_of(x, "a value of the module").astype(np.float64)  # a copy: a layer may write into its input


def _affine(x: Floats, error: Floats, weight: Any, bias: Any, arithmetic: Arithmetic) -> tuple[Floats, Floats]:
    """A x + b at points x, and how far a Linear may be from that at points within `error` of x; inf if it may overflow.

    Running error analysis: Higham (2002), Section 3.3; the bound for a sum in any order: Section 4.2.
    """
    matrix, shift, terms = weight.astype(np.float64).T, bias.astype(np.float64), weight.shape[1]
    with np.errstate(all="ignore"):
        moduli = np.abs(x) + error
        size = moduli @ np.abs(matrix) + np.abs(shift)
        flushed = np.abs(matrix).sum(axis=0) + moduli.sum(axis=1, keepdims=True) + 2 * terms + 4
        # the factor covers the rounding of the bound itself
        radius = 1.001 * (error @ np.abs(matrix) + arithmetic.growth(terms) * size + arithmetic.tiny * flushed)
        radius[~(size + radius < arithmetic.largest).all(axis=1)] = np.inf
        return x @ matrix + shift, radius


def _network(x: Floats, weights: Sequence[Any], biases: Sequence[Any], arithmetic: Arithmetic) -> tuple[Floats, Floats]:
    x, error = _affine(x, np.zeros_like(x), weights[0], biases[0], arithmetic)
    for weight, bias in zip(weights[1:], biases[1:], strict=True):
        x, error = _affine(np.maximum(x, 0), error, weight, bias, arithmetic)
    return x, error


def _compare(tensor: torch.Tensor, expected: Floats, radius: Floats, name: str) -> None:
    found = _floats(tensor)
    if found.shape != expected.shape:
        raise ValueError(f"{called(name)} returns shape {found.shape}, expected {expected.shape}: {CHANGED}")
    with np.errstate(invalid="ignore"):
        wrong = np.isfinite(radius) & np.isfinite(expected) & ~(np.abs(found - expected) <= radius)
    if wrong.any():
        i, j = (int(k) for k in np.argwhere(wrong)[0])
        raise ValueError(f"{called(name)} is another function than its class says: output {j} at test point {i} is "
                         f"{found[i, j]:.9g} instead of {expected[i, j]:.9g}, and rounding explains a difference of "
                         f"{radius[i, j]:.1e} at most: {CHANGED}")


def _coarse() -> bool:
    """Whether torch may take the operands of float32 products in a shorter format, such as TF32 or bfloat16."""
    try:
        return torch.get_float32_matmul_precision() != "highest"
    except RuntimeError:  # set for one backend alone: may be any
        return True
