"""A network made ready for certified counting: every neuron scaled to size 1, norms of the matrices bounded."""
from __future__ import annotations

import weakref
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from affinepieces._interrupts import check
from affinepieces.arithmetic.double_double import U
from affinepieces.layers import Layered
from affinepieces.pieces import kernels
from affinepieces.pieces.kernels import FLOOR, ROOT, SAFE
from affinepieces.pieces.segment import Segment

Floats = NDArray[np.float64]
Words = tuple[Floats, Any, Floats]  # leading words (R, N), the others as in `kernels.words`, errors (R,)
Fixed = tuple[Floats, Floats, NDArray[np.bool_]]
Carried = Sequence[NDArray[np.bool_] | None]
SMALL = 8  # layers up to this width are looked at for what coincides by construction
WORK = 2**25  # multiplications of words between two looks at the keyboard
KEPT = 16  # networks that stay prepared


@dataclass(frozen=True)
class Layer:
    """weights: (N, M), bias: (N,).  frobenius, bias_norm: upper bounds of their 2-norms.  dropped: the same for
    entries that were too small to be kept.  squarings: how much work to spend on a sharp `norm`."""

    weights: Floats
    bias: Floats
    frobenius: float
    bias_norm: float
    dropped: float
    squarings: int

    @cached_property
    def transposed(self) -> Floats:
        """(M, N), contiguous."""
        return np.ascontiguousarray(self.weights.T)

    @cached_property
    def norm(self) -> float:
        """At least the spectral norm; the powers in float32, which is faster."""
        bound = self.frobenius + self.dropped
        if self.squarings == 0 or not kernels.has_sharper_norm(*self.weights.shape, bound):
            return bound
        w = self.weights.astype(np.float32)
        power = w @ w.T if w.shape[0] <= w.shape[1] else w.T @ w
        for _ in range(self.squarings - 1):
            power = power @ power.T
        return float(kernels.spectral_norm(power, self.squarings, max(w.shape), 2.0**-24, bound))

    def float64(self, x: Floats, e: Floats) -> tuple[Floats, Floats]:
        """x W^T for rows x with 2-norm errors e, and the errors of the result; exact zeros stay exact."""
        terms = np.count_nonzero(x, axis=1)
        size = np.sqrt((x * x).sum(axis=1)) + ROOT
        error = self.norm * e + ((terms + 2) * U * self.frobenius + self.dropped) * size
        return x @ self.weights.T, np.where((terms > 0) | (e > 0), error * SAFE + FLOOR, 0.0)

    def precise(self, x: Floats, low: Floats, e: Floats, bias: Floats | None = None) -> Words:
        """W x (+ bias) in as many words as x has, a part of the rows at a time."""
        kernel = kernels.affine_double_double if low.ndim == 2 else kernels.affine_words
        words = 2 if low.ndim == 2 else low.shape[2] + 1
        rows = max(1, WORK // (self.weights.size * words**2))
        added = np.zeros(len(self.bias)) if bias is None else bias
        parts = []
        for first in range(0, len(x), rows):
            check()
            part = slice(first, first + rows)
            parts.append(kernel(self.transposed, added, x[part], low[part], e[part], self.norm, self.dropped))
        z, zlo, ze = parts[0] if len(parts) == 1 else (np.concatenate(column) for column in zip(*parts, strict=True))
        return z, zlo, ze


@dataclass(frozen=True)
class Prepared:
    """The layers of a network, and the power of two by which its output is multiplied."""

    layers: tuple[Layer, ...]
    power: int


_prepared: OrderedDict[int, tuple[weakref.ref[Layered], Prepared]] = OrderedDict()


def prepare(net: Layered) -> Prepared:
    """The layers in float64, each hidden neuron multiplied by the power of two that brings its weights to size 1.

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
    layers = []
    for j, (a, b) in enumerate(zip(net.weights, net.biases, strict=True)):
        weights, bias, below, frobenius, bias_norm, dropped = kernels.scale_rows(
            a.astype(np.float64), b.astype(np.float64), below, j == net.layers - 1)
        layers.append(Layer(weights, bias, frobenius, bias_norm, dropped, squarings))
    return Prepared(tuple(layers), int(below[0]))


class Line:
    """A prepared network on a segment: its first preactivations are p + t q, in any number of words."""

    def __init__(self, net: Layered, segment: Segment) -> None:
        self.net, self.segment = net, segment
        prepared = prepare(net)
        self.layers, self.power = prepared.layers, prepared.power
        self.carried: Carried = net.carried
        self._known: dict[int, tuple[Words, Words]] = {}
        self._fixed: dict[tuple[int, int], Fixed] = {}

    def first(self, t: Floats, words: int) -> Words:
        """First preactivations at points t: (n, N_1)."""
        p, q = self._coefficients(max(words, 2))
        z, low, e = kernels.on_line(*p[:2], p[2][0], *q[:2], q[2][0], t)
        return (z, low, e) if words > 1 else kernels.leading(z, low, e)

    def fixed(self, depth: int, words: int) -> Fixed:
        """All preactivations of a layer where one of its neurons vanishes, if they are functions of each other.

        Row k belongs to neuron k: values in words, and whether they are exact.  So it is where the rows of a layer
        are multiples of one row, as in the first layer, and in every layer of a sawtooth.
        """
        key = depth, words
        if key not in self._fixed:
            self._fixed[key] = self._fixed_at(depth, words)
        return self._fixed[key]

    def _fixed_at(self, depth: int, words: int) -> Fixed:
        layer = self.layers[depth]
        n = len(layer.bias)
        if n > SMALL or layer.dropped:
            return _unknown(n, words)
        if depth > 0:
            return _fixed(_exactly(layer.weights[..., None]), _exactly(layer.bias[:, None]), words)
        (p, plow, ep), (q, qlow, eq) = self._coefficients(words)
        if ep[0] > 0 or eq[0] > 0:
            return _unknown(n, words)
        return _fixed([[v] for v in _exactly(_stack(q[0], qlow[0]))], _exactly(_stack(p[0], plow[0])), words)

    def slopes(self, words: int) -> Words:
        """Their slopes: (1, N_1)."""
        _, q = self._coefficients(max(words, 2))
        return q if words > 1 else kernels.leading(*q)

    def _coefficients(self, words: int) -> tuple[Words, Words]:
        if words not in self._known:
            s, zero, layer = self.segment, np.zeros(1), self.layers[0]
            start, direction, rest = s.start[None, :], s.direction[None, :], s.direction_low[None, :]
            if words == 2:
                self._known[words] = kernels.line_coefficients(layer.transposed, layer.bias, start, direction, rest,
                                                               layer.dropped)
            else:
                none, low = np.zeros((*start.shape, words - 1)), np.zeros((*start.shape, words - 1))
                low[..., 0] = rest
                p = layer.precise(start, none, zero, layer.bias)
                self._known[words] = p, layer.precise(direction, low, zero)
        return self._known[words]


def _stack(z: Floats, low: Floats) -> Floats:
    """All words along the last axis."""
    return np.concatenate([z[:, None], low.reshape(len(z), -1)], axis=1)


def _exactly(words: Floats) -> Any:
    """Sums along the last axis, as Fractions in nested lists."""
    if words.ndim == 1:
        return sum(map(Fraction, words.tolist()), Fraction(0))
    return [_exactly(part) for part in words]


def _fixed(rows: list[list[Fraction]], bias: list[Fraction], words: int) -> Fixed:
    """See `Line.fixed`."""
    n = len(bias)
    z, low, known = _unknown(n, words)
    for k, row in enumerate(rows):
        pivot = next((j for j, v in enumerate(row) if v != 0), None)
        if pivot is None:
            continue
        ratios = [other[pivot] / row[pivot] for other in rows]
        values = [b - ratio * bias[k] for b, ratio in zip(bias, ratios, strict=True)]
        split = [_split(v, words) for v in values]
        known[k] = all(v == ratio * u for other, ratio in zip(rows, ratios, strict=True)
                       for u, v in zip(row, other, strict=True)) and None not in split
        if known[k]:
            z[k], low[k] = np.array(split)[:, 0], np.array(split)[:, 1:]
    return z, low, known


def _unknown(n: int, words: int) -> Fixed:
    return np.zeros((n, n)), np.zeros((n, n, words - 1)), np.zeros(n, np.bool_)


def _split(value: Fraction, words: int) -> list[float] | None:
    """A rational number as a sum of floats, if it is one."""
    out = []
    for _ in range(words):
        out.append(float(value))
        value -= Fraction(out[-1])
    return out if value == 0 else None
