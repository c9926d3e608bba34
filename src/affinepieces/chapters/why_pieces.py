"""Why pieces matter: networks that come near to x^2, built and trained, with their pieces and errors."""
from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from affinepieces.constructions import he_random, square
from affinepieces.descent.optimisers import Adam
from affinepieces.descent.runs import Run
from affinepieces.descent.training import train_many
from affinepieces.networks import ReLUNetwork
from affinepieces.pieces.count import trace
from affinepieces.study.tasks import UNIT
from affinepieces.theory.approximation import sup_error_to_square


def lowered_square(n: int) -> ReLUNetwork:
    """`square(n)` minus half of its largest error: 2^n pieces, as far above x^2 as below, by 4^-(n+1) / 2 on [0, 1].

    >>> pieces_and_error(lowered_square(3))
    (8, 0.001953125)
    """
    net = square(n)
    return ReLUNetwork(net.weights, [*net.biases[:-1], net.biases[-1] - 4.0 ** -(n + 1) / 2])


def fitted_to_square(shapes: Sequence[tuple[int, int]], seed: int, steps: int = 2000) -> list[ReLUNetwork]:
    """One network for each (width, hidden layers), fitted to x^2 at 129 points of [0, 1] by Adam in float64.

    The start has weights of He et al. (2015) and normal biases of standard deviation 1/2.
    """
    x = np.linspace(0, 1, 129)[:, None]
    starts = [he_random([1, *[width] * hidden, 1], np.random.default_rng([width, hidden, seed]), bias_std=0.5)
              for width, hidden in shapes]
    histories = train_many([Run(start, x, x**2, 2.0**-8, steps, optimiser=Adam()) for start in starts])
    return [history.networks[-1] for history in histories]


def pieces_and_error(net: ReLUNetwork) -> tuple[int, float]:
    """Number of pieces on [0, 1], and the largest distance to x^2 there."""
    function = trace(net, UNIT)
    return function.pieces, float(sup_error_to_square(function))
