"""Does the slope of the output change at a breakpoint? Decided from the paths that lead there, not from the slopes.

At a breakpoint where exactly one neuron changes its sign, the output's slope jumps by a multiple of
W_L D ... D W e_k, a product over the active neurons of the layers above.  It does not matter how short
the neighbouring pieces are, and a jump that is zero because nobody listens is exactly zero.
"""
from __future__ import annotations

from dataclasses import dataclass
from typing import Any

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
    if line.compares:
        return _followed(line, z, e, birth, True)
    out = _followed(line, z, e, birth, False)  # nothing is likely to cancel
    left = np.flatnonzero(out == DOUBT)
    if len(left):
        out[left] = _followed(line, z[left], e[left], birth[left], True)
    return out


def _followed(line: Line, z: Floats, e: Floats, birth: NDArray[np.int32], cancelling: bool) -> NDArray[np.int8]:
    """The same, with or without a look at what cancels."""
    out = np.full(len(z), DOUBT, np.int8)
    ways = Ways.begun(line, z, e, birth, cancelling)
    for depth, layer in enumerate(line.layers[:-1]):
        if depth > 0:
            ways.affine(layer)
        out[ways.relu(line, depth)] = 0
        if not len(ways.index):
            return out
    last = line.layers[-1]
    v, error = last.float64(ways.jump, ways.error)
    size = np.abs(v).max(axis=1)
    silent = ways.known.after(last).silent.all(axis=1) if ways.known else np.zeros(len(v), np.bool_)
    found = np.where(size > error, 1, np.where(silent, 0, DOUBT))
    out[ways.index] = np.where(np.isfinite(error), found, DOUBT)
    return out


@dataclass
class Ways:
    """The breakpoints that are not decided yet, and what has come of them behind the layers so far.

    index: (n,), which they are.  birth: (n, 2).  z, e: values and their errors.  jump, error: the same for their jumps,
    per unit of the neuron that switches on at the breakpoint.  on: (n, N), which rows the last ReLU has passed on.
    known: what the jumps consist of, or None.  In chains, zero: which rows are zero on both sides by construction;
    flat: on the side where that neuron is off.
    """

    index: NDArray[np.int64]
    birth: NDArray[np.int32]
    z: Floats
    e: Floats
    jump: Floats
    error: Floats
    on: NDArray[np.bool_]
    known: Known | None
    zero: Any
    flat: Any

    @classmethod
    def begun(cls, line: Line, z: Floats, e: Floats, birth: NDArray[np.int32], cancelling: bool) -> Ways:
        """Before the first ReLU."""
        n, zero = len(z), line.zero(len(z))
        nothing = np.zeros(z.shape)
        return cls(np.arange(n), birth, z, e, nothing, np.zeros(n), nothing > 0,
                   Known.nothing(z.shape) if cancelling else None, zero, zero)

    def affine(self, layer: Layer) -> None:
        """An affine map."""
        self.z, e = layer.float64(np.where(self.on, self.z, 0.0), self.e)
        self.z += layer.bias
        self.e = (e + 2 * U * (np.sqrt((self.z * self.z).sum(axis=1)) + ROOT + layer.bias_norm)
                  + layer.dropped) * SAFE
        if self.zero is not None:
            self.zero, self.flat = layer.vanishing(self.zero), layer.vanishing(self.flat)
        self.jump, self.error = layer.float64(self.jump, self.error)
        self.known = self.known and self.known.after(layer)

    def relu(self, line: Line, depth: int) -> NDArray[np.int64]:
        """The ReLU of a layer.  Returns which breakpoints come to nothing here; only what is open stays."""
        own = np.flatnonzero(self.birth[:, 0] == depth)
        born, carried = (own, self.birth[own, 1]), line.carried[depth]
        on, certain = self.z > 0, np.abs(self.z) > self.e[:, None]
        if self.zero is not None:
            on, certain = on & ~self.zero, certain | self.zero
            # zero on one side, so that on the other the sign is that of the jump
            rises = self.flat & ~certain & (np.abs(self.jump) > self.error[:, None])
            on, certain = np.where(rises, self.jump > 0, on), certain | rises
        if carried is not None:
            on, certain = on | carried, certain | carried
        certain[born] = True
        lost = ~certain.all(axis=1) & (self.birth[:, 0] <= depth)
        off = certain & ~on
        off[born] = False
        self.on, self.jump = on, np.where(on, self.jump, 0.0)
        self.jump[own], self.error[own] = 0.0, 0.0
        self.jump[born] = 1.0
        if self.zero is not None and carried is not None:
            self.zero, self.flat = np.where(carried, self.zero, off), np.where(carried, self.flat, off | self.flat)
            self.flat[born] = True
        self.known = self.known and self.known.kept(~off, *born)
        silent = self.known.silent.all(axis=1) if self.known else np.zeros(len(self.z), np.bool_)
        done = self.index[silent & ~lost & (self.birth[:, 0] <= depth)]
        self._only(~(lost | silent & (self.birth[:, 0] <= depth)))
        return done

    def _only(self, rows: NDArray[np.bool_]) -> None:
        if not rows.all():
            for name in ("index", "birth", "z", "e", "jump", "error", "on", "zero", "flat"):
                value = getattr(self, name)
                setattr(self, name, value if value is None else value[rows])
            self.known = self.known and Known(self.known.names[rows], self.known.shares[rows], self.known.used)


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
