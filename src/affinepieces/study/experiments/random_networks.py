"""How many regions have random networks on a long segment?"""
from __future__ import annotations

from collections.abc import Iterator
from itertools import product
from typing import Any

from affinepieces.constructions import he_random
from affinepieces.pieces.count import count_many
from affinepieces.pieces.segment import Segment
from affinepieces.study.experiment import Experiment, Result
from affinepieces.study.tasks import generator, seeds

LINE = Segment(-1e6, 1e6)


def measure(width: int, depth: int, bias_std: float, seed: int) -> Result:
    """Regions and pieces on [-1e6, 1e6] of a network of He et al. (2015) with normal biases, and its neurons."""
    net = he_random([1, *[width] * depth, 1], generator(seed, "start"), bias_std=bias_std)
    counts = count_many([net], LINE)
    return {"regions": int(counts.regions[0]), "pieces": int(counts.pieces[0]), "neurons": width * depth}


def _cases(widths: tuple[int, ...], depths: tuple[int, ...], chosen: list[int]) -> Iterator[dict[str, Any]]:
    for width, depth, bias_std, seed in product(widths, depths, (0.1, 1.0), chosen):
        yield {"width": width, "depth": depth, "bias_std": bias_std, "seed": seed}


EXPERIMENT = Experiment(
    "random_networks", "How many regions have random networks on the whole line?", measure, {
        "quick": lambda: _cases((16,), (2, 4), seeds(2, 2)),
        "full": lambda: _cases((16, 32, 64, 128, 256), (2, 4, 8), seeds(8))})
