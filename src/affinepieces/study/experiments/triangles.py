"""A composition of triangles has 2^n pieces, whatever the peaks; have the networks with rounded parameters?"""
from __future__ import annotations

from collections.abc import Iterator
from itertools import product
from typing import Any

import numpy as np

from affinepieces.arithmetic.formats import BFLOAT16, FLOAT16, FLOAT32, FLOAT64
from affinepieces.arithmetic.rounding import round_network
from affinepieces.networks import ReLUNetwork
from affinepieces.pieces.count import count_pieces
from affinepieces.study.experiment import Experiment, Result
from affinepieces.study.tasks import UNIT, generator, seeds

FORMATS = {"float64": FLOAT64, "float32": FLOAT32, "float16": FLOAT16, "bfloat16": BFLOAT16}


def measure(n: int, spread: float, seed: int) -> Result:
    """Pieces of n triangles with peaks uniform on 1/2 +- spread, whose parameters are rounded to each format."""
    net = triangles(generator(seed, "start").uniform(0.5 - spread, 0.5 + spread, n).tolist())
    return {name: count_pieces(round_network(net, fmt), UNIT) for name, fmt in FORMATS.items()}


def triangles(peaks: list[float]) -> ReLUNetwork:
    """The triangles with these peaks, one after the other: the sawtooth of `constructions` where all are equal."""
    rows = [(1 / a, -(1 / a + 1 / (1 - a))) for a in peaks]
    weights = [[[1.0], [1.0]], *[[[up, turn], [up, turn]] for up, turn in rows[:-1]], [list(rows[-1])]]
    return ReLUNetwork([np.array(w) for w in weights], [np.array([0.0, -a]) for a in peaks] + [np.zeros(1)])


def _cases(depths: tuple[int, ...], chosen: list[int]) -> Iterator[dict[str, Any]]:
    for n, spread, seed in product(depths, (0.1, 0.4), chosen):
        yield {"n": n, "spread": spread, "seed": seed}


EXPERIMENT = Experiment(
    "triangles", "Do compositions of triangles keep their 2^n pieces when their parameters are rounded?", measure, {
        "quick": lambda: _cases((4,), seeds(2, 2)), "full": lambda: _cases((2, 4, 6, 8, 10, 12), seeds(8))})
