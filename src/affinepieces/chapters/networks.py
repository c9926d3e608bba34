"""Networks and their pieces: a small network, the ends of all pieces, counting with a tolerance, a classifier."""
from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from affinepieces.layers import Chain, Kind
from affinepieces.networks import ReLUNetwork
from affinepieces.pieces.count import trace
from affinepieces.study.tasks import UNIT

Floats = NDArray[np.float64]


def small_network(bias: float = -1.0) -> ReLUNetwork:
    """Two hidden layers of 3 and 2 neurons; bias: of the first neuron.

    >>> import affinepieces as ap
    >>> segment = ap.Segment(-3, 3)
    >>> ap.count_regions(small_network(), segment), ap.count_pieces(small_network(), segment)
    (7, 5)
    """
    return ReLUNetwork([[[-1.5], [2.0], [3.0]], [[1.5, 0.25, 0.75], [0.75, 0.0, -0.5]], [[-0.75, 0.75]]],
                       [[bias, -1.0, 1.5], [-0.25, -1.0], [1.25]])


def ends_of_pieces(net: ReLUNetwork) -> NDArray[Any]:
    """0, all kinks on (0, 1) in order, and 1, as fractions: (pieces + 1,).

    >>> from affinepieces.constructions import sawtooth
    >>> [str(end) for end in ends_of_pieces(sawtooth(2))]
    ['0', '1/4', '1/2', '3/4', '1']
    """
    function = trace(net, UNIT, exact=True)
    return np.asarray(function.breakpoints[np.concatenate([[True], function.kinks, [True]])])


def counted_with(tolerances: Sequence[float], net: ReLUNetwork) -> list[int]:
    """Pieces on [0, 1] as a program would count them that keeps floats, one number for each tolerance.

    It is given the true breakpoints, rounded to float64, and the values there; it computes the slopes between
    neighbours that differ, and counts the changes of slope above the tolerance.
    """
    function = trace(net, UNIT)
    length = np.diff(function.breakpoints)
    slopes = np.diff(function.values[:, 0])[length > 0] / length[length > 0]
    return [1 + int(np.sum(np.abs(np.diff(slopes)) > tolerance)) for tolerance in tolerances]


def neurons_twice(net: ReLUNetwork, count: int) -> ReLUNetwork:
    """The same function with the first neurons of the first hidden layer doubled, each with half of its weight.

    >>> neurons_twice(small_network(), 2)
    ReLUNetwork(1-5-2-1, float64)
    """
    (first, second, *rest), (biases, *others) = net.weights, net.biases
    halves = np.array(second)
    halves[:, :count] /= 2
    return ReLUNetwork([np.vstack([first, first[:count]]), np.hstack([halves, halves[:, :count]]), *rest],
                       [np.concatenate([biases, biases[:count]]), *others])


def rounded_to_integers(net: ReLUNetwork) -> ReLUNetwork:
    """All parameters doubled, and rounded to integers.

    >>> rounded_to_integers(small_network()).weights[0].ravel()
    array([-3.,  4.,  6.])
    """
    return ReLUNetwork([np.round(2 * a) for a in net.weights], [np.round(2 * b) for b in net.biases])


def larger_of_pairs(net: ReLUNetwork, outer: Floats) -> Chain:
    """The larger of each two neighbours in the first hidden layer, of even width 2 n, weighted with `outer`, (n,).

    >>> net = ReLUNetwork([[[1.0], [-1.0]], [[1.0, 1.0]]], [[0.0, 0.0], [0.0]])
    >>> larger_of_pairs(net, np.ones(1))([[-3.0], [2.0]]).ravel()
    array([3., 2.])
    """
    neurons = len(net.biases[0])
    n, eye = neurons // 2, np.eye(neurons)
    compared = np.concatenate([eye[0::2] - eye[1::2], eye[1::2]])
    winners = np.concatenate([np.eye(n), np.eye(n)], axis=1)
    return Chain([net.weights[0], compared, winners, outer[None, :]],
                 [net.biases[0], np.zeros(2 * n), np.zeros(n), np.zeros(1)],
                 [[Kind.NEURON] * neurons, [Kind.COMPARISON] * n + [Kind.CARRIED] * n, [Kind.CARRIED] * n])


def train_classifier(images: Floats, digits: NDArray[np.int64], seed: int, epochs: int = 6) -> torch.nn.Sequential:
    """A torch model with two hidden layers of width 64, trained by Adam with cross-entropy on images, (D, 64)."""
    torch.manual_seed(seed)
    model = torch.nn.Sequential(
        torch.nn.Linear(64, 64), torch.nn.ReLU(), torch.nn.Linear(64, 64), torch.nn.ReLU(), torch.nn.Linear(64, 10))
    x, y = torch.tensor(images, dtype=torch.float32), torch.tensor(digits)
    optimiser = torch.optim.Adam(model.parameters(), lr=0.005)
    for _ in range(epochs):
        for batch in torch.split(torch.randperm(len(x)), 64):
            optimiser.zero_grad()
            torch.nn.functional.cross_entropy(model(x[batch]), y[batch]).backward()  # type: ignore[no-untyped-call]
            optimiser.step()
    return model
