"""What the landing page computes: pieces of the two sawtooths under bias noise of a fixed width."""
from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from affinepieces.constructions import gentle_sawtooth, perturb_biases, sawtooth
from affinepieces.networks import ReLUNetwork
from affinepieces.pieces.count import count_many
from affinepieces.study.tasks import UNIT

TWINS = {"steep slopes, tall teeth": sawtooth, "gentle slopes, low teeth": gentle_sawtooth}


def pieces_under_noise(depths: Sequence[int], widths: Sequence[float],
                       draws: int) -> dict[str, dict[float, NDArray[np.int64]]]:
    """Pieces on [0, 1] with noise of each width in every hidden bias: twin -> width -> (draws, len(depths)).

    >>> found = pieces_under_noise([1, 2], [0.0], draws=1)
    >>> [by_width[0.0].tolist() for by_width in found.values()]
    [[[2, 5]], [[2, 5]]]
    """
    return {name: {w: np.transpose([_pieces(twin(n, 0.4), w, n, draws) for n in depths]) for w in widths}
            for name, twin in TWINS.items()}


def _pieces(net: ReLUNetwork, width: float, n: int, draws: int) -> NDArray[np.int64]:
    nets = [perturb_biases(net, width, np.random.default_rng([n, seed])) for seed in range(draws)]
    return count_many(nets, UNIT).pieces
