"""A prepared network on a segment."""
from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import NDArray

from affinepieces.layers import Chain, Kind, Layered
from affinepieces.pieces import kernels
from affinepieces.pieces.prepared import Floats, Words, prepare
from affinepieces.pieces.segment import Segment

Fixed = tuple[Floats, Floats, NDArray[np.bool_]]
Carried = Sequence[NDArray[np.bool_] | None]
SMALL = 8  # layers up to this width are looked at for what coincides by construction


class Line:
    """A prepared network on a segment: its first preactivations are p + t q, in any number of words."""

    def __init__(self, net: Layered, segment: Segment) -> None:
        self.net, self.segment = net, segment
        prepared = prepare(net)
        self.layers, self.power = prepared.layers, prepared.power
        self.chained = not net.plain  # rows that are zero by construction are looked for
        self.compares = isinstance(net, Chain) and any(Kind.COMPARISON in layer for layer in net.kinds)
        self.carried: Carried = net.carried if not self.chained else [
            np.zeros(n, np.bool_) if mask is None else mask
            for mask, n in zip(net.carried, net.widths[1:-1], strict=True)]
        self._known: dict[int, tuple[Words, Words]] = {}
        self._fixed: dict[tuple[int, int], Fixed] = {}

    def first(self, t: Floats, words: int) -> Words:
        """First preactivations at points t: (n, N_1)."""
        p, q = self._coefficients(max(words, 2))
        z, low, e = kernels.on_line(*p[:2], p[2][0], *q[:2], q[2][0], t)
        return (z, low, e) if words > 1 else kernels.leading(z, low, e)

    def zero(self, points: int) -> NDArray[np.bool_] | None:
        """First preactivations that are zero by construction, at so many points: (points, N_1), or None."""
        if not self.chained:
            return None
        s = self.segment
        nothing = (s.start == 0) & (s.direction == 0) & (s.direction_low == 0)
        return np.repeat(self.layers[0].vanishing(nothing[None, :]), points, axis=0)

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
            return _fixed(_exactly(layer.rows()[..., None]), _exactly(layer.bias[:, None]), words)
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
                self._known[words] = layer.coefficients(start, direction, rest)
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
