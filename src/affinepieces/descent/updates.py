"""One update of perturbed gradient descent: the exact update, and a draw of the network after it."""
from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from affinepieces.arguments import generator, instance, network
from affinepieces.arithmetic.exact import ExactArray
from affinepieces.descent.gradients import exact_rate, gradients
from affinepieces.descent.machines import Exact
from affinepieces.descent.noise import Perturbed
from affinepieces.networks import ReLUNetwork
from affinepieces.parameters import Parameters

Floats = NDArray[np.float64]
SMALLEST = 2.0**-1074


def exact_update(net: ReLUNetwork, x: ArrayLike, y: ArrayLike, learning_rate: float) -> Parameters:
    """The update -learning_rate * gradient of the loss (1/m) sum_i |f(x_i) - y_i|^2, without any rounding error.

    Computed in rational arithmetic, each entry rounded once to float64; an entry is zero exactly where the
    exact update is zero, because one that is too small for float64 becomes its smallest number.
    x: data points, (m, N_0).  y: labels, (m, N_L).  learning_rate: finite and > 0, taken as the float64 that it is.
    Raises ValueError for other arguments, OverflowError if an entry exceeds float64.
    Source: paper, Definition 2.3.

    >>> import affinepieces as ap
    >>> exact_update(ap.constructions.hat(), [[0.5], [1.0]], [[0.5], [1.0]], 0.125).hidden_biases()
    array([ 0.125, -0.5  ])
    """
    net, rate = network(net), exact_rate(learning_rate, Exact())
    found = gradients(net, x, y, Exact())
    return Parameters(tuple(_rounded_once(g.times(-rate)) for g in found.weights),
                       tuple(_rounded_once(g.times(-rate)) for g in found.biases))


def perturbed_network(net: ReLUNetwork, update: Parameters, delta: float, rng: np.random.Generator) -> ReLUNetwork:
    """One draw of the network after a perturbed update, in float64.

    Weights and output biases move by their update, each hidden bias b by Delta_b (1 + Theta), Theta independent
    and uniform on [-delta, delta].  Where Delta_b is zero nothing moves, whatever delta.
    update: for example from `exact_update`.  delta: finite and >= 0.
    Raises ValueError for other arguments, and where the update does not fit or leaves float64.
    Source: paper, Definition 2.3; form of the noise: companion.

    >>> import affinepieces as ap
    >>> net = ap.constructions.hat()
    >>> update = exact_update(net, [[0.5], [1.0]], [[0.5], [1.0]], 0.125)
    >>> perturbed_network(net, update, 0.0, np.random.default_rng(0)).biases[0]
    array([ 0.125, -1.   ])
    >>> perturbed_network(net, update, 0.1, np.random.default_rng(0)).biases[0].round(4)
    array([ 0.1284, -0.977 ])
    """
    net, noise = network(net), Perturbed(delta)
    instance(update, Parameters, "update", "compute it with exact_update(net, x, y, learning_rate)")
    generator(rng)
    for name, given, parameters in (("weights", update.weights, net.weights), ("biases", update.biases, net.biases)):
        found, expected = [u.shape for u in given], [p.shape for p in parameters]
        if found != expected:
            raise ValueError(f"{name} of the update have shapes {found}, those of the network {expected}: "
                             "compute the update at this network")
    moves = [*(noise.on(u, rng) for u in update.biases[:-1]), update.biases[-1]]
    return ReLUNetwork([a.astype(np.float64) + u for a, u in zip(net.weights, update.weights, strict=True)],
                       [b.astype(np.float64) + u for b, u in zip(net.biases, moves, strict=True)])


def _rounded_once(update: ExactArray) -> Floats:
    rounded = update.to_float()
    if not np.isfinite(rounded).all():
        raise OverflowError("an entry of the update exceeds float64: take a smaller learning rate, or rescale the data")
    signs = np.array([(v > 0) - (v < 0) for v in update.numerators.entries()]).reshape(update.shape)
    return np.where(rounded == 0, signs * SMALLEST, rounded)
