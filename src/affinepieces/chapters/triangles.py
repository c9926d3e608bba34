"""Compositions of triangles with stored, that is rounded, parameters: how many pieces, and why."""
from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
from flint import fmpq
from numpy.typing import NDArray

from affinepieces.arithmetic.formats import Format
from affinepieces.arithmetic.rounding import round_network
from affinepieces.networks import ReLUNetwork
from affinepieces.study.experiments.triangles import FORMATS, triangles
from affinepieces.study.summaries import Summary


class Triangle(NamedTuple):
    """T(y) = up relu(y) - turn relu(y - peak), exactly as a layer stores it.

    >>> T = triangles_of(triangles([0.5]))[0]
    >>> T(fmpq(1, 4)), T(fmpq(1))
    (1/2, 0)
    """

    peak: Any
    up: Any
    turn: Any

    def __call__(self, y: Any) -> Any:
        """The value at a rational number y."""
        return (self.up * y if y > 0 else fmpq(0)) - (self.turn * (y - self.peak) if y > self.peak else 0)


def triangles_of(net: ReLUNetwork) -> list[Triangle]:
    """The layers of a composition of triangles: a sawtooth, or a network of `triangles`.

    ValueError unless 0 < peak < 1 and 0 < up < turn in every layer.
    """
    rows = [(-b[1], a[0, 0], -a[0, 1]) for b, a in zip(net.biases[:-1], net.weights[1:], strict=True)]
    found = [Triangle(*(fmpq(*float(v).as_integer_ratio()) for v in row)) for row in rows]
    for j, t in enumerate(found):
        if not (0 < t.peak < 1 and 0 < t.up < t.turn):
            raise ValueError(f"layer {j} has peak {t.peak}, slope {t.up} and turn {t.turn}: expected a peak between 0 "
                             "and 1 and slopes up, then down")
    return found


def doubling_layers(net: ReLUNetwork) -> int:
    """For how many layers the newest top lies above the next peak, and all older ones below it.

    Source: the hypothesis of prop-triangles.

    >>> doubling_layers(triangles([0.3, 0.6, 0.5]))
    3
    """
    return _followed(net)[0]


def predicted_pieces(net: ReLUNetwork) -> int:
    """The pieces on [0, 1] of a composition of triangles, from the heights of its n + 1 tops: no piece is looked at.

    ValueError where the hypothesis fails.  Source: prop-triangles.

    >>> from affinepieces.constructions import sawtooth
    >>> predicted_pieces(sawtooth(10, 0.5)), predicted_pieces(sawtooth(10, 0.4))
    (1024, 1280)
    """
    layers, cut = _followed(net)
    n = net.layers - 1
    if layers < n:
        raise ValueError(f"only {layers} of {n} layers double all laps: count with pieces_of_triangles")
    return int(2**n + sum(1 if i == 0 else 2 ** (i - 1) for i in cut))


def _followed(net: ReLUNetwork) -> tuple[int, set[int]]:
    """How many layers double, and which tops are cut off at 0 later on."""
    heights: list[Any] = [fmpq(1)]
    cut: set[int] = set()
    for j, t in enumerate(triangles_of(net)):
        if not heights[-1] > t.peak or any(v >= t.peak for v in heights[:-1]):
            return j, cut
        cut |= {i for i, v in enumerate(heights) if v < 0}
        heights = [*(t(v) for v in heights), t.up * t.peak]
    return net.layers - 1, cut


def pieces_of_triangles(net: ReLUNetwork) -> int:
    """The pieces on [0, 1] of a composition of triangles of any depth, by recursion over intervals of values.

    Pieces of the later layers on an interval are computed once, however often the earlier ones cover it.

    >>> pieces_of_triangles(triangles([0.5] * 60)) == 2**60
    True
    """
    layers = triangles_of(net)

    @cache
    def count(j: int, p: Any, q: Any) -> tuple[int, bool, bool]:
        """Pieces of layers j, j + 1, ... between values p < q; whether the function is constant at p, and at q."""
        if j == len(layers) or q <= 0:
            return 1, j < len(layers), j < len(layers)
        parts = [part(j, low, high) for low, high in pairwise(
            [p, *(c for c in (fmpq(0), layers[j].peak) if p < c < q), q])]
        joined = sum(a[2] and b[1] for a, b in pairwise(parts))  # two constant parts that meet are one
        return sum(pieces for pieces, _, _ in parts) - joined, parts[0][1], parts[-1][2]

    def part(j: int, low: Any, high: Any) -> tuple[int, bool, bool]:
        a, b = layers[j](low), layers[j](high)
        if a == b:
            return 1, True, True
        pieces, at_least, at_most = count(j + 1, min(a, b), max(a, b))
        return (pieces, at_least, at_most) if a < b else (pieces, at_most, at_least)

    return count(0, fmpq(0), fmpq(1))[0]


def random_triangles(n: int, spread: float, fmt: Format, rng: np.random.Generator) -> ReLUNetwork:
    """n triangles with peaks uniform on 1/2 +- spread, every parameter rounded to the format."""
    return round_network(triangles(rng.uniform(0.5 - spread, 0.5 + spread, n).tolist()), fmt)


class Compared(NamedTuple):
    """runs: how many; doubling: in how many the hypothesis holds; right: in how many of these the prediction is it."""

    runs: int
    doubling: int
    right: int


def predicted_study(table: Summary, name: str) -> Compared:
    """The predictions of prop-triangles against the counts of the study `triangles`, for a format of its columns."""
    doubling = right = 0
    for n, spread, seed, pieces in zip(*(table.rows(c) for c in ("n", "spread", "seed", name)), strict=True):
        # not by default_rng, so that a page that is re-run with other random numbers still finds the stored networks
        rng = np.random.Generator(np.random.PCG64([seed, *b"start"]))
        net = random_triangles(n, spread, FORMATS[name], rng)
        if doubling_layers(net) == n:
            doubling, right = doubling + 1, right + (predicted_pieces(net) == pieces)
    return Compared(len(table), doubling, right)


def relative_pieces(fmt: Format, depths: Sequence[int], spread: float, count: int,
                    rng: np.random.Generator) -> NDArray[np.float64]:
    """Pieces over 2^n of random triangles in a format, shape (count, len(depths)), by `pieces_of_triangles`."""
    return np.array([[pieces_of_triangles(random_triangles(n, spread, fmt, rng)) / 2**n for n in depths]
                     for _ in range(count)])
