"""What the error bounds leave open, in rational arithmetic: signs at vertices, and whether two maps are the same."""
from __future__ import annotations

from collections.abc import Callable
from math import gcd, lcm

import numpy as np
from flint import fmpz
from numpy.typing import NDArray

from affinepieces._interrupts import check
from affinepieces.layers import Layered
from affinepieces.pieces.exact import Row, layer_of, neurons_of, relu
from affinepieces.pieces.plane.polygon import Line, Polygon

Place = tuple[int, int, int]  # (s, t) = (p / h, q / h)
Named = tuple[int, int, NDArray[np.bool_]]  # of a line: layer and row, and the pattern of the layers below
MOST = 4096  # forms that are remembered


class Doubts:
    """The network on a plane in integers: vertices are where two lines meet, lines where a neuron vanishes."""

    def __init__(self, net: Layered, polygon: Polygon) -> None:
        self.net = net
        self._axes = _integers(polygon)
        self._sides = polygon.sides
        self._rows: dict[int, tuple[int, Row]] = {}  # of a vertex: the layer, and its input
        self._forms: dict[bytes, list[Row]] = {}
        self._places: dict[int, Place] = {}
        self._layers: dict[int, Callable[[list[Row]], list[Row]]] = {}

    def signs(self, layer: int, vertices: list[int], lines: list[list[Named]]) -> NDArray[np.int8]:
        """(n, N): of the neurons of a layer at vertices, each given by its two lines; zero in rows that are carried."""
        known = [self._rows.get(v) or (0, self._input(self.place(v, pair)))
                 for v, pair in zip(vertices, lines, strict=True)]
        rows = [row for _, row in known]
        for j in range(layer):
            late = [i for i, (first, _) in enumerate(known) if first <= j]
            passed = relu(self._affine(j, [rows[i] for i in late]), neurons_of(self.net, j))
            for i, row in zip(late, passed, strict=True):
                rows[i] = row
        self._rows.update(zip(vertices, ((layer, row) for row in rows), strict=True))
        neurons = neurons_of(self.net, layer)
        out = np.zeros((len(rows), self.net.widths[layer + 1]), np.int8)
        for i, row in enumerate(self._affine(layer, rows)):
            out[i, neurons] = [(row[k] > 0) - (row[k] < 0) for k in neurons]
        return out

    def place(self, vertex: int, pair: list[Named]) -> Place:
        """Where two lines meet."""
        if vertex not in self._places:
            (a, b, c), (d, e, f) = (self._line(*line) for line in pair)
            p, q, h = b * f - c * e, c * d - a * f, a * e - b * d
            common = gcd(p, q, h) * (1 if h > 0 else -1)
            self._places[vertex] = p // common, q // common, h // common
        return self._places[vertex]

    def output(self, pattern: NDArray[np.bool_]) -> list[Row]:
        """Rows of the coefficients of s, of t and of 1 of the function where the pattern holds, all times their last
        entry in the third."""
        return self._form(self.net.layers - 1, pattern)

    def same(self, pattern: NDArray[np.bool_], other: NDArray[np.bool_]) -> bool:
        """Whether the function has the same affine map where these patterns hold."""
        left, right = self.output(pattern), self.output(other)
        h, g = left[2][-1], right[2][-1]
        return all(u * g == v * h for one, two in zip(left, right, strict=True)
                   for u, v in zip(one[:-1], two[:-1], strict=True))

    def _line(self, layer: int, row: int, pattern: NDArray[np.bool_]) -> Line:
        if layer < 0:
            return self._sides[row]
        a, b, c = (int(form[row]) for form in self._form(layer, pattern))
        common = gcd(a, b, c)
        return a // common, b // common, c // common

    def _form(self, layer: int, pattern: NDArray[np.bool_]) -> list[Row]:
        """The preactivations of a layer where the layers below have this pattern, (rows of all hidden layers,)."""
        below = sum(self.net.widths[1:layer + 1])
        key = layer.to_bytes(4, "little") + np.packbits(pattern[:below]).tobytes()
        if key not in self._forms:
            check()
            rows = self._axes if layer == 0 else [_masked(row, pattern[below - self.net.widths[layer]:below])
                                                  for row in self._form(layer - 1, pattern)]
            if len(self._forms) >= MOST:
                self._forms.clear()
            self._forms[key] = self._affine(layer, rows)
        return self._forms[key]

    def _affine(self, layer: int, rows: list[Row]) -> list[Row]:
        if layer not in self._layers:
            self._layers[layer] = layer_of(self.net.weights[layer], self.net.biases[layer])
        return self._layers[layer](rows) if rows else []

    def _input(self, place: Place) -> Row:
        p, q, h = map(fmpz, place)
        return [p * d + q * e + h * o for d, e, o in zip(*self._axes, strict=True)]


def _integers(polygon: Polygon) -> list[Row]:
    """Rows h (x, 1) of the two directions, which are no points: 0 at the end, and of the origin."""
    origin, first, second = polygon.plane.exact
    scale = lcm(*(v.denominator for v in (*origin, *first, *second)))
    directions = [[fmpz(int(v * scale)) for v in axis] + [fmpz(0)] for axis in (first, second)]
    return [*directions, [fmpz(int(v * scale)) for v in origin] + [fmpz(scale)]]


def _masked(row: Row, active: NDArray[np.bool_]) -> Row:
    """Zero where a row is not active, except in what stands at the end."""
    n = len(active)
    return [v if on else fmpz(0) for v, on in zip(row[:n], active.tolist(), strict=True)] + row[n:]
