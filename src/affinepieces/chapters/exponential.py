"""Exponentially many: regions of random networks, and the twins under noise of a fixed width."""
from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from affinepieces.constructions import he_random, perturb_biases
from affinepieces.networks import ReLUNetwork
from affinepieces.pieces.count import count_many
from affinepieces.pieces.segment import Segment
from affinepieces.study.tasks import UNIT

WIDE = Segment(-5, 5)
Counts = NDArray[np.int64]


def regions_of_random(width: int, depths: Sequence[int], seeds: int, bias_std: float = 1.0) -> Counts:
    """Regions on [-5, 5] of random networks with one input and one output, (seeds, len(depths)).

    Weights as in He et al. (2015), biases normal with mean 0.
    """
    nets = [he_random([1, *[width] * depth, 1], np.random.default_rng([width, depth, seed]), bias_std)
            for seed in range(seeds) for depth in depths]
    return count_many(nets, WIDE).regions.reshape(seeds, len(depths))


def under_noise(net: ReLUNetwork, width: float, draws: int) -> list[ReLUNetwork]:
    """Copies with noise in all hidden biases, uniform on [-width/2, width/2].

    Draw number i is the same noise for every network of the same widths.
    """
    return [perturb_biases(net, width, np.random.default_rng([3, draw])) for draw in range(draws)]


def pieces(nets: Sequence[ReLUNetwork]) -> Counts:
    """On [0, 1], (len(nets),)."""
    return count_many(nets, UNIT).pieces
