"""How wrong is a computed gradient, and how wrong must it be?  Everything against rational arithmetic."""
from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from affinepieces.arithmetic.exact import ExactArray
from affinepieces.arithmetic.rounding import as_float64
from affinepieces.descent.gradients import Gradients, as_exact, checked, exact_rate, gradients, step, taped
from affinepieces.descent.machines import Exact, Machine, Rationals
from affinepieces.networks import ReLUNetwork

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class LayerArrays:
    """One float for each parameter.  weights, biases: arrays of the shapes of the parameters, layer by layer."""

    weights: tuple[Floats, ...]
    biases: tuple[Floats, ...]

    def entries(self) -> Floats:
        """All of them in one vector: for each layer the weights, then the biases."""
        return np.concatenate([p.ravel() for pair in zip(self.weights, self.biases, strict=True) for p in pair])

    def hidden_biases(self) -> Floats:
        """Those of the hidden biases in one vector."""
        return np.concatenate(self.biases[:-1]) if len(self.biases) > 1 else np.empty(0)


@dataclass(frozen=True, eq=False)
class RelativeErrors(LayerArrays):
    """Relative errors, entry by entry, and in the 2-norm of each array.

    0 where both numbers are 0, infinite where only the exact one is; nan where the computed one is nan.
    """

    weight_norms: Floats
    bias_norms: Floats


class Terms(Enum):
    """Into which terms a gradient is taken apart for its condition number."""

    SAMPLES = "samples"  # one term for each data point
    PATHS = "paths"  # one term for each path through the network from a number to the loss, and data point


@dataclass(frozen=True, eq=False)
class Perturbation:
    """Effective perturbation level of one step, parameter by parameter: |computed - exact| / |exact| of the update.

    step: of the whole step, with the rounding of p + update.  gradient: of the update -rate * g before that.
    """

    step: LayerArrays
    gradient: LayerArrays


def relative_error(computed: Gradients, exact: Gradients) -> RelativeErrors:
    """|computed - exact| / |exact|, in rational arithmetic, rounded once at the end.

    >>> import affinepieces as ap
    >>> x = np.linspace(0, 1, 4, dtype=np.float32)[:, None]
    >>> net = ap.constructions.hat()
    >>> errors = relative_error(gradients(net, x, x, ap.Rounded(ap.FLOAT32)), gradients(net, x, x, ap.Exact()))
    >>> bool(errors.entries().max() < 1e-6)
    True
    """
    weights = list(zip(computed.weights, map(as_exact, exact.weights), strict=True))
    biases = list(zip(computed.biases, map(as_exact, exact.biases), strict=True))
    return RelativeErrors(tuple(_entrywise(c, e) for c, e in weights), tuple(_entrywise(c, e) for c, e in biases),
                          np.array([_in_norm(c, e) for c, e in weights]), np.array([_in_norm(c, e) for c, e in biases]))


def condition_number(net: ReLUNetwork, x: ArrayLike, y: ArrayLike, terms: Terms = Terms.PATHS) -> LayerArrays:
    """sum |terms| / |sum| for every entry of the gradient of (1/m) sum_i |f(x_i) - y_i|^2.

    Each entry is a sum over the data points, and each of its terms is a sum over paths through the
    network; `terms` says which sum is meant.  With PATHS, the relative error of the computed gradient is
    at most gamma_n times this number (`theory.backpropagation`).  1 without cancellation, 0 where all
    terms vanish, infinite where they cancel.  Relative accuracy about 1e-12.
    Source: Higham (2002), Section 4.2.
    """
    columns = checked(net, x, y, Exact())
    tape = taped(net, *columns, Rationals())
    if terms is Terms.SAMPLES:
        activations = [abs(h.to_float()) for h in tape.activations]
        deltas = [abs(d.to_float()) for d in tape.deltas]
    elif terms is Terms.PATHS:
        activations, deltas = _absolute(net, *columns, tape.active)
    else:
        raise TypeError(f"terms is {terms!r}, expected Terms.SAMPLES or Terms.PATHS")
    pairs = list(zip(deltas, activations, strict=True))
    return LayerArrays(tuple(_over(d @ h.T, g) for (d, h), g in zip(pairs, tape.weights, strict=True)),
                       tuple(_over(d.sum(axis=1), g) for (d, _), g in zip(pairs, tape.biases, strict=True)))


def effective_perturbation(net: ReLUNetwork, x: ArrayLike, y: ArrayLike, learning_rate: float,
                           machine: Machine) -> Perturbation:
    """delta_eff of one step: how far the update that the machine makes is from the exact update.

    Exact update: -rate * (exact gradient), with the learning rate as the machine holds it.  An update
    that is lost altogether has level 1.
    Source: companion, chapter "Perturbed gradient descent"; the paper's Definition 2.3 assumes such a level.
    """
    rate = exact_rate(learning_rate, machine)
    made, exact = step(net, x, y, learning_rate, machine), gradients(net, x, y, Exact())
    found = relative_error(made.gradients, exact)
    whole = [tuple(_update_error(after, before, g.times(-rate)) for after, before, g in zip(*arrays, strict=True))
             for arrays in ((made.weights, net.weights, exact.weights), (made.biases, net.biases, exact.biases))]
    return Perturbation(LayerArrays(*whole), LayerArrays(found.weights, found.biases))


def flips(computed: Gradients, exact: Gradients) -> int:
    """At how many pairs of hidden neuron and data point the two machines disagree on the neuron's activity."""
    return sum(int(np.sum(a != b)) for a, b in zip(computed.active, exact.active, strict=True))


def _update_error(after: Any, before: Floats, exact: ExactArray) -> Floats:
    """|(after - before) - exact| / |exact|."""
    if not isinstance(after, ExactArray) and not np.isfinite(after).all():
        finite = np.isfinite(after)
        ratio = _update_error(np.where(finite, after, 0.0), before, exact)
        return np.where(finite, ratio, np.where(np.isnan(after), np.nan, np.inf))
    return (as_exact(after) - ExactArray.of(before) - exact).ratio(exact)


def _entrywise(computed: Any, exact: ExactArray) -> Floats:
    return _update_error(computed, np.zeros(exact.shape), exact)


def _in_norm(computed: Any, exact: ExactArray) -> float:
    """Relative error in the 2-norm; the norms themselves are taken in float64."""
    if not isinstance(computed, ExactArray) and not np.isfinite(computed).all():
        return float("nan") if np.isnan(computed).any() else float("inf")
    difference, size = as_exact(computed) - exact, np.linalg.norm(exact.to_float())
    error = np.linalg.norm(difference.to_float())
    return float(error / size) if size > 0 else (0.0 if error == 0 else float("inf"))


def _absolute(net: ReLUNetwork, x: Floats, y: Floats, active: Sequence[NDArray[np.bool_]]) -> tuple[
        list[Floats], list[Floats]]:
    """Activations and deltas with every number replaced by its modulus and every difference by a sum."""
    weights = [np.abs(as_float64(a, "weights")) for a in net.weights]
    biases = [np.abs(as_float64(b, "biases"))[:, None] for b in net.biases]
    activations = [np.abs(x)]
    for a, b, mask in zip(weights, biases, active, strict=False):
        activations.append(np.where(mask, a @ activations[-1] + b, 0))
    deltas = [2 * (weights[-1] @ activations[-1] + biases[-1] + np.abs(y)) / x.shape[1]]
    for a, mask in zip(weights[:0:-1], active[::-1], strict=True):
        deltas.append(np.where(mask, a.T @ deltas[-1], 0))
    return activations, deltas[::-1]


def _over(sums: Floats, exact: ExactArray) -> Floats:
    """sums / |exact|, 0 where both vanish."""
    size = np.abs(exact.to_float())
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(sums == 0, 0.0, sums / size)
