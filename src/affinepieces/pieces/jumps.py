"""Does the slope of the output change at a breakpoint? Decided from the paths that lead there, not from the slopes.

At a breakpoint where exactly one neuron changes its sign, the output's slope jumps by a multiple of
W_L D ... D W e_k, a product over the active neurons of the layers above.  It does not matter how short
the neighbouring pieces are, and a jump that is zero because nobody listens is exactly zero.
"""
from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from affinepieces.arithmetic.double_double import U
from affinepieces.pieces import kernels
from affinepieces.pieces.kernels import DOUBT, ROOT, SAFE
from affinepieces.pieces.line import Line
from affinepieces.pieces.prepared import Floats, Layer


def slope_jumps(line: Line, z: Floats, e: Floats, birth: NDArray[np.int32]) -> NDArray[np.int8]:
    """(n,): 1 where the slope changes, 0 where it does not, DOUBT where float64 cannot tell.

    z: (n, N_1) first preactivations at points within the error bars of n certified breakpoints, e: (n,) errors.
    birth: (n, 2) layer (from 0) and index of the neuron that changes its sign there.
    """
    layers, n = line.layers, len(z)
    jump, error = np.zeros((n, layers[0].shape[1])), np.zeros(n)
    known = Known.nothing(jump.shape)
    zero = line.zero(n)  # zero on both sides, by construction
    flat = zero  # zero on the side where the neuron of the breakpoint is off
    lost, on = np.zeros(n, np.bool_), np.zeros(z.shape, np.bool_)
    for j, layer in enumerate(layers):
        if j > 0:
            z, e = layer.float64(np.where(on, z, 0.0), e)
            z += layer.bias
            e = (e + 2 * U * (np.sqrt((z * z).sum(axis=1)) + ROOT + layer.bias_norm) + layer.dropped) * SAFE
            if line.chained:
                zero, flat = layer.vanishing(zero), layer.vanishing(flat)
        v, error = layer.float64(jump, error)
        known = known.after(layer)
        if j == len(layers) - 1:
            break
        own = np.flatnonzero(birth[:, 0] == j)
        rows = line.carried[j]
        passed = np.zeros(z.shape[1], np.bool_) if rows is None else rows
        nothing = np.zeros(z.shape, np.bool_) if zero is None else zero
        on, certain = ((z > 0) & ~nothing) | passed, (np.abs(z) > e[:, None]) | passed | nothing
        if line.chained:  # zero on one side, so that on the other the sign is that of the jump
            rises = flat & ~certain & (np.abs(v) > error[:, None])
            on, certain = np.where(rises, v > 0, on), certain | rises
        certain[own, birth[own, 1]] = True
        lost |= ~certain.all(axis=1) & (birth[:, 0] <= j)
        off = certain & ~on
        jump = np.where(on, v, 0.0)
        jump[own] = 0.0
        jump[own, birth[own, 1]] = 1.0
        error[own], off[own, birth[own, 1]] = 0.0, False
        known = known.kept(~off, own, birth[own, 1])
        error[known.silent.all(axis=1)] = 0.0
        if line.chained:
            zero, flat = np.where(passed, zero, off), np.where(passed, flat, off | flat)
            flat[own, birth[own, 1]] = True
    size = np.abs(v).max(axis=1)
    out = np.where(size > error, 1, np.where(known.silent.all(axis=1), 0, DOUBT))
    return np.where(lost | ~np.isfinite(error), DOUBT, out).astype(np.int8)


@dataclass(frozen=True)
class Known:
    """Jumps as sums of at most two quantities, see `kernels.combined`: what cancels in them is zero without rounding.

    So the loser of a maximum is silent: y + relu(x - y) with x > y adds the jump of y, and takes it away again.
    names, shares: (n, N, 2).  used: names below this are taken.
    """

    names: NDArray[np.int64]
    shares: Floats
    used: int

    @classmethod
    def nothing(cls, shape: tuple[int, ...]) -> Known:
        """No jump anywhere."""
        return cls(np.full((*shape, 2), -1), np.zeros((*shape, 2)), 0)

    @property
    def silent(self) -> NDArray[np.bool_]:
        """(n, N): which jumps are zero by construction."""
        return np.asarray((self.names < 0).all(axis=2))

    def after(self, layer: Layer) -> Known:
        """Behind an affine map."""
        w = layer.sparse
        if layer.dropped:
            return Known(np.stack([np.arange(w.shape[0]) + self.used, np.full(w.shape[0], -1)], axis=1)[None].repeat(
                len(self.names), axis=0), np.ones((len(self.names), w.shape[0], 2)), self.used + w.shape[0])
        names, shares = kernels.combined(w.start, w.columns, w.values, self.names, self.shares, self.used)
        return Known(names, shares, self.used + w.shape[0])

    def kept(self, on: NDArray[np.bool_], own: NDArray[np.integer], neuron: NDArray[np.integer]) -> Known:
        """Behind a ReLU; rows `own` begin here, with a jump of 1 in one neuron."""
        names = np.where(on[..., None], self.names, -1)
        names[own] = -1
        names[own, neuron, 0] = self.used
        shares = self.shares.copy()
        shares[own, neuron, 0] = 1.0
        return Known(names, shares, self.used + 1)
