"""A network made ready for certified counting: every neuron scaled to size 1, norms of the matrices bounded."""
from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from affinepieces.networks import ReLUNetwork
from affinepieces.pieces.kernels import scale_rows

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Layer:
    """weights: (N, M), bias: (N,).  frobenius, bias_norm: upper bounds of their 2-norms.  squarings: how much
    work to spend on a sharp `norm`."""

    weights: Floats
    bias: Floats
    frobenius: float
    bias_norm: float
    squarings: int

    @cached_property
    def transposed(self) -> Floats:
        """(M, N), contiguous."""
        return np.ascontiguousarray(self.weights.T)

    @cached_property
    def norm(self) -> float:
        """At least the spectral norm: a root of the Frobenius norm of W W^T or its square.

        In float32, which is faster: with n the larger dimension, its rounding changes the power by less
        than 4 (n + 8) 2^-24 |W|_F^degree in the Frobenius norm.
        """
        bound = self.frobenius
        if self.squarings == 0 or min(self.weights.shape) <= 2 or not 1e-3 < bound < 1e6:
            return bound
        w = self.weights.astype(np.float32)
        power = w @ w.T if w.shape[0] <= w.shape[1] else w.T @ w
        for _ in range(self.squarings - 1):
            power = power @ power.T
        degree = 2**self.squarings
        slack = 4 * (max(w.shape) + 8) * 2.0**-24 * bound**degree
        sharper = (float(np.linalg.norm(power.astype(np.float64))) + slack) ** (1 / degree) * (1 + 1e-12)
        return float(min(sharper, bound))


def prepare(net: ReLUNetwork) -> list[Layer] | None:
    """The layers in float64, each hidden neuron multiplied by the power of two that brings its weights to size 1.

    ReLU commutes with that, and nothing is rounded.  None where float64 cannot hold the result.
    """
    below = np.ones(net.widths[0])
    squarings = 0 if net.layers <= 4 else 1 if net.layers * max(net.widths) < 1000 else 2
    layers = []
    for j, (a, b) in enumerate(zip(net.weights, net.biases, strict=True)):
        scaled = scale_rows(a.astype(np.float64), b.astype(np.float64), below, j == net.layers - 1)
        weights, bias, below, frobenius, bias_norm, exact = scaled
        if not exact:
            return None
        layers.append(Layer(weights, bias, frobenius, bias_norm, squarings))
    return layers
