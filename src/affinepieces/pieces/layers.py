"""A network made ready for certified counting: every neuron scaled to size 1, norms of the matrices bounded."""
from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from affinepieces.networks import ReLUNetwork

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Layer:
    """transposed: W^T of shape (M, N); norm >= its spectral norm; frobenius, bias_norm: of W and b."""

    transposed: Floats
    bias: Floats
    norm: float
    frobenius: float
    bias_norm: float


def prepare(net: ReLUNetwork) -> list[Layer] | None:
    """The layers in float64 with each neuron multiplied by a power of two that brings its weights to size 1.

    None where float64 cannot hold the multiplied parameters exactly.
    """
    below = np.zeros(net.widths[0], np.int64)
    layers = []
    for j, (a, b) in enumerate(zip(net.weights, net.biases, strict=True)):
        w = np.column_stack([a, b]).astype(np.float64)
        exponents = np.frexp(w)[1] - np.append(below, 0)
        largest = np.where(w != 0, exponents, -10_000).max(axis=1)
        own = np.where((largest > -10_000) & (j < net.layers - 1), largest, 0)
        shift = -own[:, None] - np.append(below, 0)
        with np.errstate(over="ignore", under="ignore"):
            scaled = np.ldexp(w, shift)
            exact = np.array_equal(np.ldexp(scaled, -shift), w)
        if not (exact and np.isfinite(scaled).all()):
            return None
        layers.append(_layer(scaled[:, :-1], scaled[:, -1]))
        below = -own
    return layers


def _layer(w: Floats, b: Floats) -> Layer:
    with np.errstate(over="ignore"):
        frobenius = float(np.sqrt((w * w).sum())) * (1 + 1e-12)
        bias_norm = float(np.sqrt((b * b).sum())) * (1 + 1e-12)
    return Layer(np.ascontiguousarray(w.T), np.ascontiguousarray(b), _spectral_bound(w, frobenius), frobenius, bias_norm)


def _spectral_bound(w: Floats, frobenius: float) -> float:
    """|W| <= (trace of (W^T W)^4)^(1/8) = Frobenius norm of (W^T W)^2 to the power 1/4, and what rounding may hide."""
    if min(w.shape) <= 2:
        return frobenius
    gram = w @ w.T if w.shape[0] <= w.shape[1] else w.T @ w
    square = gram @ gram.T
    value = float(np.sqrt((square * square).sum()))
    bound = (value + 1e-10 * frobenius**4) ** 0.25 * (1 + 1e-12)
    return min(bound, frobenius) if bound == bound else frobenius

