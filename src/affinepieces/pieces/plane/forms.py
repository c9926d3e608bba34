"""The affine forms that a layer is in each cell, in any number of words, with bounds of their errors."""
from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from affinepieces.arithmetic.double_double import U
from affinepieces.pieces.kernels import FLOOR, SAFE
from affinepieces.pieces.level import norms
from affinepieces.pieces.plane.polygon import Plane
from affinepieces.pieces.prepared import Booleans, Floats, Layer

VAGUE = 2.0**-30  # an error of this size, relative to the forms of a cell, is too large ...
MANY = 1 / 16  # ... if so many forms have it


@dataclass(frozen=True)
class Forms:
    """Coefficients of s, of t and of 1 of N rows in C cells.

    high: (C, 3, N); low: the other words, (C, 3, N, words - 1), or (C, 3, N) for two words, or None for one.
    errors: (C, 3), of the sum of the words (2-norm over the rows).
    zero: (C, N), which rows are zero by construction, or None where nobody asks.
    """

    high: Floats
    low: Floats | None
    errors: Floats
    zero: Booleans | None = None

    @classmethod
    def of(cls, plane: Plane, words: int, zeros: bool) -> Forms:
        """The inputs, in the one cell that there is at first; zeros: whether to keep what is zero by construction."""
        high = np.stack([plane.first, plane.second, plane.origin])[None]
        rest = np.stack([plane.first_low, plane.second_low, np.zeros(plane.dim)])[None]
        zero = np.asarray(~(high.any(axis=1) | rest.any(axis=1))) if zeros else None
        if words == 1:
            return cls(high, None, norms(rest[0])[None], zero)
        low = np.zeros((*high.shape, words - 1))
        low[..., 0] = rest
        return cls(high, low[..., 0] if words == 2 else low, np.zeros((1, 3)), zero)

    @property
    def words(self) -> int:
        """Of each number."""
        return 1 if self.low is None else 2 if self.low.ndim == 3 else self.low.shape[3] + 1

    def through(self, layer: Layer) -> Forms:
        """The preactivations of a layer that reads these."""
        with np.errstate(over="ignore", invalid="ignore", under="ignore"):
            found = self._once(layer) if self.low is None else self._precisely(layer, self.low)
        return found if self.zero is None else replace(found, zero=layer.vanishing(self.zero))

    def _once(self, layer: Layer) -> Forms:
        cells, _, m = self.high.shape
        z, error = layer.float64(self.high.reshape(3 * cells, m), self.errors.ravel())
        z, error = z.reshape(cells, 3, -1), error.reshape(cells, 3)
        if layer.bias.any() or layer.dropped:
            z[:, 2] += layer.bias
            error[:, 2] = SAFE * (error[:, 2] + U * norms(z[:, 2]) + layer.dropped) + FLOOR
        return Forms(z, None, error)

    def _precisely(self, layer: Layer, low: Floats) -> Forms:
        """Directions have no bias."""
        n, words = layer.shape[0], low.shape[3:]
        high, rest, errors = np.empty((len(self.high), 3, n)), np.empty((len(low), 3, n, *words)), self.errors.copy()
        for i, bias in enumerate((None, None, layer.bias)):
            x, x_low = np.ascontiguousarray(self.high[:, i]), np.ascontiguousarray(low[:, i])
            high[:, i], rest[:, i], errors[:, i] = layer.precise(x, x_low, self.errors[:, i].copy(), bias)
        return Forms(high, rest, errors)

    def leading(self) -> tuple[Floats, Floats]:
        """The first words alone, and their errors; what is exactly zero stays so."""
        if self.low is None:
            return self.high, self.errors
        tails = np.abs(self.low).reshape(*self.high.shape[:2], -1).sum(axis=2)
        inexact = (self.errors != 0) | (tails != 0)
        return self.high, np.where(inexact, SAFE * (self.errors + tails) + FLOOR, 0.0)

    def after(self, cells: NDArray[np.int64], active: Booleans) -> Forms:
        """The outputs of the layer in parts of these cells, where these rows (parts, N) are not set to zero."""
        low = self.low
        if low is not None:
            low = np.where(active[:, None, :, None] if low.ndim == 4 else active[:, None, :], low[cells], 0.0)
        zero = None if self.zero is None else self.zero[cells] | ~active
        return Forms(np.where(active[:, None, :], self.high[cells], 0.0), low, self.errors[cells], zero)

    @property
    def vague(self) -> bool:
        """Whether more words are wanted."""
        with np.errstate(over="ignore", invalid="ignore"):
            size = np.sqrt((self.high * self.high).sum(axis=2))
            return float(np.mean(~(self.errors <= VAGUE * size))) > MANY
