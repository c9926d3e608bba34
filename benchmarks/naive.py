"""The yardstick: activation regions by plain float64 propagation, without any guarantee, and the floor below it."""
from __future__ import annotations

import numpy as np

from affinepieces import ReLUNetwork


def naive_breakpoints(net: ReLUNetwork, a: float, b: float, sizes: list[int] | None = None) -> np.ndarray:
    """Sorted breakpoints on [a, b]: find sign changes between neighbours, insert zeros, relu, next layer.

    sizes: receives the number of columns that reach each layer.
    """
    t = np.array([a, b])
    x = t[:, None]
    for w, c in zip(net.weights[:-1], net.biases[:-1], strict=True):
        if sizes is not None:
            sizes.append(len(t))
        z = x @ w.T + c
        off = z < 0
        i, k = np.nonzero(off[:-1] != off[1:])
        left, right = z[i, k], z[i + 1, k]
        share = left / (left - right)
        new = t[i] + share * (t[i + 1] - t[i])
        t, order = np.unique(np.concatenate([t, new]), return_index=True)
        x = np.maximum(np.concatenate([z, z[i] + share[:, None] * (z[i + 1] - z[i])])[order], 0)
    if sizes is not None:
        sizes.append(len(t))
    return t


def floor_pass(net: ReLUNetwork, columns: list[np.ndarray]) -> None:
    """A plain forward pass in which layer j sees only the columns that exist when it is reached."""
    for x, w, c in zip(columns, net.weights, net.biases, strict=True):
        np.maximum(x @ w.T + c, 0)
