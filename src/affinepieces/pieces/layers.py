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
    """weights: (N, M), bias: (N,).  frobenius, bias_norm: upper bounds of their 2-norms.  sharp: whether `norm` is."""

    weights: Floats
    bias: Floats
    frobenius: float
    bias_norm: float
    sharp: bool

    @cached_property
    def transposed(self) -> Floats:
        """(M, N), contiguous."""
        return np.ascontiguousarray(self.weights.T)

    @cached_property
    def norm(self) -> float:
        """At least the spectral norm; if `sharp` the fourth root of |(W W^T)^2|, and what rounding may hide."""
        w = self.weights
        if not self.sharp or min(w.shape) <= 2:
            return self.frobenius
        gram = w @ w.T if w.shape[0] <= w.shape[1] else w.T @ w
        square = gram @ gram.T
        bound = (np.sqrt(np.vdot(square, square)) + 1e-10 * self.frobenius**4) ** 0.25 * (1 + 1e-12)
        return float(bound) if bound < self.frobenius else self.frobenius


def prepare(net: ReLUNetwork) -> list[Layer] | None:
    """The layers in float64, each hidden neuron multiplied by the power of two that brings its weights to size 1.

    ReLU commutes with that, and nothing is rounded.  None where float64 cannot hold the result.
    """
    below = np.ones(net.widths[0])
    layers = []
    for j, (a, b) in enumerate(zip(net.weights, net.biases, strict=True)):
        scaled = scale_rows(a.astype(np.float64), b.astype(np.float64), below, j == net.layers - 1)
        weights, bias, below, frobenius, bias_norm, exact = scaled
        if not exact:
            return None
        layers.append(Layer(weights, bias, frobenius, bias_norm, sharp=net.layers > 4))
    return layers
