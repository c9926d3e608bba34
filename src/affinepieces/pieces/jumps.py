"""Does the slope of the output change at a breakpoint? Decided from the paths that lead there, not from the slopes.

At a breakpoint where exactly one neuron changes its sign, the output's slope jumps by a multiple of
W_L D ... D W e_k, a product over the active neurons of the layers above.  It does not matter how short
the neighbouring pieces are, and a jump that is zero because nobody listens is exactly zero.
"""
from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from affinepieces.arithmetic.double_double import U
from affinepieces.pieces.kernels import DOUBT, ROOT, SAFE
from affinepieces.pieces.line import Carried
from affinepieces.pieces.prepared import Layer

Floats = NDArray[np.float64]


def slope_jumps(layers: Sequence[Layer], carried: Carried, z: Floats, e: Floats,
                birth: NDArray[np.int32]) -> NDArray[np.int8]:
    """(n,): 1 where the slope changes, 0 where it does not, DOUBT where float64 cannot tell.

    carried: for each hidden layer which rows have no ReLU, None where all have.
    z: (n, N_1) first preactivations at points within the error bars of n certified breakpoints, e: (n,) errors.
    birth: (n, 2) layer (from 0) and index of the neuron that changes its sign there.
    """
    n = len(z)
    jump, error = np.zeros((n, layers[0].shape[1])), np.zeros(n)
    lost, on = np.zeros(n, np.bool_), np.zeros(z.shape, np.bool_)
    for j, layer in enumerate(layers):
        if j > 0:
            z, e = layer.float64(np.where(on, z, 0.0), e)
            z += layer.bias
            e = (e + 2 * U * (np.sqrt((z * z).sum(axis=1)) + ROOT + layer.bias_norm) + layer.dropped) * SAFE
        v, error = layer.float64(jump, error)
        if j == len(layers) - 1:
            break
        own = np.flatnonzero(birth[:, 0] == j)
        rows = carried[j]
        passed = np.zeros(z.shape[1], np.bool_) if rows is None else rows
        on, certain = (z > 0) | passed, (np.abs(z) > e[:, None]) | passed
        certain[own, birth[own, 1]] = True
        lost |= ~certain.all(axis=1) & (birth[:, 0] <= j)
        jump = np.where(on, v, 0.0)
        jump[own] = 0.0
        jump[own, birth[own, 1]] = 1.0
        error[own] = 0.0
    size = np.abs(v).max(axis=1)
    out = np.where(size > error, 1, np.where((size == 0) & (error == 0), 0, DOUBT))
    return np.where(lost | ~np.isfinite(error), DOUBT, out).astype(np.int8)
