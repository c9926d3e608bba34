"""A network made ready for certified counting: every row scaled to size 1, norms of the matrices bounded."""
from __future__ import annotations

import weakref
from abc import ABC, abstractmethod
from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from affinepieces._interrupts import check
from affinepieces.arithmetic.double_double import U
from affinepieces.layers import Layered
from affinepieces.pieces import kernels
from affinepieces.pieces.kernels import FLOOR, ROOT, SAFE, Activations
from affinepieces.sparse import SparseMatrix

Floats = NDArray[np.float64]
Booleans = NDArray[np.bool_]
Words = tuple[Floats, Any, Floats]  # leading words (R, N), the others as in `kernels.words`, errors (R,)
WORK = 2**25  # multiplications of words between two looks at the keyboard
KEPT = 16  # networks that stay prepared


class Layer(ABC):
    """An affine map W x + b, W of shape (N, M), as the levels of accuracy apply it to R points at once.

    bias: (N,).  absolute, bias_norm: upper bounds of the 2-norms of the matrix of the moduli of W, and of b.
    dropped: the same for entries that were too small to be kept.
    """

    shape: tuple[int, int]
    entries: int
    bias: Floats
    absolute: float
    bias_norm: float
    dropped: float

    @property
    @abstractmethod
    def norm(self) -> float:
        """At least the spectral norm of W."""

    @abstractmethod
    def rows(self) -> Floats:
        """W as an array (N, M)."""

    @abstractmethod
    def reads(self, columns: NDArray[np.integer]) -> NDArray[np.bool_]:
        """Whether W has any entry in each of these columns."""

    @property
    @abstractmethod
    def sparse(self) -> SparseMatrix:
        """W by its entries that are not zero."""

    @abstractmethod
    def vanishing(self, zero: Booleans) -> Booleans:
        """Which rows of W x + b are zero by construction, if these entries of x are: (R, M) -> (R, N)."""

    @abstractmethod
    def product(self, x: Floats) -> Floats:
        """x W^T for rows x, in float64."""

    @abstractmethod
    def terms(self, x: Floats) -> Any:
        """At most so many products that are not zero are added up in an entry of x W^T: (R,), or one number for all."""

    @abstractmethod
    def of_activations(self, held: Activations) -> tuple[Floats, Floats]:
        """W x + b in float64 and the errors of its rows."""

    @abstractmethod
    def _words(self, bias: Floats, x: Floats, low: Floats, e: Floats) -> Words:
        """W x + bias in as many words as x has."""

    @abstractmethod
    def coefficients(self, start: Floats, direction: Floats, rest: Floats) -> tuple[Words, Words]:
        """W start + b and W (direction + rest) in double-double; vectors as matrices of one row."""

    def sources(self, carried: Booleans | None) -> NDArray[np.int64]:
        """For each row the first one with the same weights and bias, among those that have a ReLU: (N,)."""
        out = np.arange(self.shape[0])
        if self.dropped:
            return out
        first: dict[bytes, int] = {}
        for k, row in enumerate(self.keys()):
            if carried is None or not carried[k]:
                out[k] = first.setdefault(row, k)
        return out

    @abstractmethod
    def keys(self) -> Iterator[bytes]:
        """What is the same for equal rows, weights and bias, alone."""

    def float64(self, x: Floats, e: Floats) -> tuple[Floats, Floats]:
        """x W^T for rows x with 2-norm errors e, and the errors of the result; exact zeros stay exact."""
        size = np.sqrt((x * x).sum(axis=1)) + ROOT
        error = self.norm * e + ((self.terms(x) + 2) * U * self.absolute + self.dropped) * size
        return self.product(x), np.where(x.any(axis=1) | (e != 0), error * SAFE + FLOOR, 0.0)

    def precise(self, x: Floats, low: Floats, e: Floats, bias: Floats | None = None) -> Words:
        """W x (+ bias) in as many words as x has, a part of the rows at a time."""
        words = 2 if low.ndim == 2 else low.shape[2] + 1
        rows = max(1, WORK // (max(self.entries, 1) * words**2))
        added = np.zeros(len(self.bias)) if bias is None else bias
        parts = []
        for first in range(0, len(x), rows):
            check()
            part = slice(first, first + rows)
            parts.append(self._words(added, x[part], low[part], e[part]))
        z, zlo, ze = parts[0] if len(parts) == 1 else (np.concatenate(column) for column in zip(*parts, strict=True))
        return z, zlo, ze


@dataclass(frozen=True)
class Dense(Layer):
    """squarings: how much work to spend on a sharp `norm`."""

    weights: Floats
    bias: Floats
    absolute: float  # the Frobenius norm
    bias_norm: float
    dropped: float
    squarings: int

    @property
    def shape(self) -> tuple[int, int]:  # type: ignore[override]
        """(N, M)."""
        return self.weights.shape

    @property
    def entries(self) -> int:  # type: ignore[override]
        """Numbers in the matrix."""
        return self.weights.size

    @cached_property
    def transposed(self) -> Floats:
        """(M, N), contiguous."""
        return np.ascontiguousarray(self.weights.T)

    @cached_property
    def norm(self) -> float:
        """The powers in float32, which is faster."""
        bound = self.absolute + self.dropped
        if self.squarings == 0 or not kernels.has_sharper_norm(*self.weights.shape, bound):
            return bound
        w = self.weights.astype(np.float32)
        power = w @ w.T if w.shape[0] <= w.shape[1] else w.T @ w
        for _ in range(self.squarings - 1):
            power = power @ power.T
        return float(kernels.spectral_norm(power, self.squarings, max(w.shape), 2.0**-24, bound))

    def rows(self) -> Floats:
        """As it is."""
        return self.weights

    def reads(self, columns: NDArray[np.integer]) -> NDArray[np.bool_]:
        """Entry by entry."""
        return np.asarray(self.weights[:, columns].any(axis=0))

    @cached_property
    def sparse(self) -> SparseMatrix:
        """Made when it is asked for."""
        rows, columns = np.nonzero(self.weights)
        start = np.searchsorted(rows, np.arange(self.shape[0] + 1))
        return SparseMatrix(start, columns, self.weights[rows, columns], self.shape[1])

    def keys(self) -> Iterator[bytes]:
        """All numbers."""
        for row in np.column_stack([self.weights, self.bias]) + 0.0:
            yield row.tobytes()

    def vanishing(self, zero: Booleans) -> Booleans:
        """Up to the first entry that is not zero."""
        return np.asarray(kernels.vanishing_dense(self.weights, self.bias, zero)) & (self.dropped == 0)

    def product(self, x: Floats) -> Floats:
        """By BLAS."""
        return np.asarray(x @ self.weights.T)

    def terms(self, x: Floats) -> Any:
        """As many as x has entries."""
        return np.count_nonzero(x, axis=1)

    def of_activations(self, held: Activations) -> tuple[Floats, Floats]:
        """The sizes of the rows are known already."""
        z = self.product(held.x)
        return z, kernels.finish_affine(z, self.bias, held.e, held.weight, self.norm, self.absolute, self.bias_norm,
                                        self.dropped, self.shape[1])

    def coefficients(self, start: Floats, direction: Floats, rest: Floats) -> tuple[Words, Words]:
        """Both in one call."""
        found: tuple[Words, Words] = kernels.line_coefficients(self.transposed, self.bias, start, direction, rest,
                                                               self.dropped)
        return found

    def _words(self, bias: Floats, x: Floats, low: Floats, e: Floats) -> Words:
        kernel = kernels.affine_double_double if low.ndim == 2 else kernels.affine_words
        found: Words = kernel(self.transposed, bias, x, low, e, self.norm, self.dropped)
        return found


@dataclass(frozen=True)
class Sparse(Layer):
    """A matrix with few entries."""

    matrix: SparseMatrix
    bias: Floats
    absolute: float
    bias_norm: float
    dropped: float

    @property
    def shape(self) -> tuple[int, int]:  # type: ignore[override]
        """(N, M)."""
        return self.matrix.shape

    @property
    def entries(self) -> int:  # type: ignore[override]
        """Numbers that are stored."""
        return self.matrix.size

    @cached_property
    def longest(self) -> int:
        """The most entries in a row."""
        return int(np.diff(self.matrix.start).max())

    @property
    def norm(self) -> float:
        """That of the moduli."""
        return self.absolute + self.dropped

    def rows(self) -> Floats:
        """With all zeros."""
        return self.matrix.dense()

    def reads(self, columns: NDArray[np.integer]) -> NDArray[np.bool_]:
        """Whether a column is among those of the entries."""
        return np.isin(columns, self.matrix.columns[self.matrix.values != 0])

    @property
    def sparse(self) -> SparseMatrix:
        """As it is."""
        return self.matrix

    def keys(self) -> Iterator[bytes]:
        """Where entries are, and all numbers."""
        m = self.matrix
        for first, last, b in zip(m.start[:-1].tolist(), m.start[1:].tolist(), self.bias.tolist(), strict=True):
            yield m.columns[first:last].tobytes() + (np.append(m.values[first:last], b) + 0.0).tobytes()

    def vanishing(self, zero: Booleans) -> Booleans:
        """Up to the first entry that is not zero."""
        m = self.matrix
        return np.asarray(kernels.vanishing_sparse(m.start, m.columns, m.values, self.bias, zero)) & (self.dropped == 0)

    def product(self, x: Floats) -> Floats:
        """Row by row."""
        return self.matrix.product(x)

    def terms(self, x: Floats) -> Any:
        """As many as the longest row has."""
        return self.longest

    def of_activations(self, held: Activations) -> tuple[Floats, Floats]:
        """A row adds up as many terms as it has entries."""
        z = self.product(held.x)
        return z, kernels.finish_sparse(z, self.bias, held.x, held.e, self.longest, self.norm, self.bias_norm,
                                        self.dropped)

    def coefficients(self, start: Floats, direction: Floats, rest: Floats) -> tuple[Words, Words]:
        """One after the other."""
        zero = np.zeros(1)
        return (self._words(self.bias, start, np.zeros_like(start), zero),
                self._words(np.zeros_like(self.bias), direction, rest, zero))

    def _words(self, bias: Floats, x: Floats, low: Floats, e: Floats) -> Words:
        rest = low[..., None] if low.ndim == 2 else low
        z, zlo, ze = kernels.sparse_words(self.matrix.start, self.matrix.columns, self.matrix.values, bias, x, rest, e,
                                          self.norm, self.dropped)
        return z, zlo[..., 0] if low.ndim == 2 else zlo, ze


@dataclass(frozen=True)
class Prepared:
    """The layers of a network, and the power of two by which its output is multiplied."""

    layers: tuple[Layer, ...]
    power: int

    @cached_property
    def packed(self) -> tuple[Floats, Floats, Floats, NDArray[np.int64]]:
        """All layers, which are dense, as `kernels.count_prepared` takes them."""
        dense = [layer for layer in self.layers if isinstance(layer, Dense)]
        return (np.concatenate([layer.transposed.ravel() for layer in dense]),
                np.concatenate([layer.bias for layer in dense]),
                np.array([(layer.norm, layer.absolute, layer.bias_norm, layer.dropped) for layer in dense]),
                np.array([dense[0].shape[1], *(layer.shape[0] for layer in dense)]))


_prepared: OrderedDict[int, tuple[weakref.ref[Layered], Prepared]] = OrderedDict()


def prepare(net: Layered) -> Prepared:
    """The layers in float64, each row multiplied by the power of two that brings its weights to size 1.

    ReLU commutes with that, and nothing is rounded.  The last networks are remembered: they cannot change.
    """
    known = _prepared.get(id(net))
    if known is not None and known[0]() is net:
        return known[1]
    found = _prepare(net)
    _prepared[id(net)] = weakref.ref(net), found
    while len(_prepared) > KEPT:
        _prepared.popitem(last=False)
    return found


def _prepare(net: Layered) -> Prepared:
    below = np.zeros(net.widths[0], np.int64)
    squarings = 0 if net.layers <= 4 else 1 if net.layers * max(net.widths) < 1000 else 2
    layers: list[Layer] = []
    for j, (a, b) in enumerate(zip(net.weights, net.biases, strict=True)):
        last, bias = j == net.layers - 1, b.astype(np.float64)
        if isinstance(a, SparseMatrix):
            values, bias, below, absolute, bias_norm, dropped = kernels.scale_sparse(
                a.start, a.columns, a.values.astype(np.float64), bias, below, last)
            layers.append(Sparse(a.with_values(values), bias, absolute, bias_norm, dropped))
        else:
            weights, bias, below, absolute, bias_norm, dropped = kernels.scale_rows(
                a.astype(np.float64), bias, below, last)
            layers.append(Dense(weights, bias, absolute, bias_norm, dropped, squarings))
    return Prepared(tuple(layers), int(below[0]))
