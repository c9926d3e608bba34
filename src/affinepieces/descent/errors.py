"""How wrong is a computed gradient, and how wrong must it be?  Everything against rational arithmetic."""
from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from affinepieces._arrays import exact_array
from affinepieces.arguments import choice, instance, items, network
from affinepieces.arithmetic.exact import ExactArray
from affinepieces.descent.arithmetics import Rationals
from affinepieces.descent.gradients import as_exact, checked, exact_rate, gradients, step, taped
from affinepieces.descent.machines import Exact, Machine
from affinepieces.descent.results import Gradients, Step, kind_of
from affinepieces.descent.specification import backpropagate
from affinepieces.networks import ReLUNetwork
from affinepieces.parameters import Parameters
from affinepieces.values import Choice, Value

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False, repr=False)
class RelativeErrors(Parameters):
    """Relative errors, entry by entry, and in the 2-norm of each array.

    0 where both numbers are 0, infinite where only the exact one is; nan where the computed one is nan.
    """

    weight_norms: Floats
    bias_norms: Floats


class Terms(Choice):
    """Into which terms a gradient is taken apart for its condition number."""

    SAMPLES = "samples"  # one term for each data point
    RESIDUALS = "residuals"  # two terms for each data point and output: what f(x) contributes, and what y does
    PATHS = "paths"  # one term for each path through the network from a number to the loss, and data point


@dataclass(frozen=True, eq=False)
class Perturbation(Value):
    """Effective perturbation level of one step, parameter by parameter: |computed - exact| / |exact| of the update.

    step: of the whole step, with the rounding of p + update.  gradient: of the update -rate * g before that.
    """

    step: Parameters
    gradient: Parameters


def relative_error(computed: Gradients, exact: Gradients) -> RelativeErrors:
    """|computed - exact| / |exact|, in rational arithmetic, rounded once at the end.

    computed: from any machine.  exact: from `Exact()`, at a network of the same shape and equally many points.
    Raises TypeError or ValueError for anything else.

    >>> import affinepieces as ap
    >>> x = np.linspace(0, 1, 4, dtype=np.float32)[:, None]
    >>> net = ap.constructions.hat()
    >>> errors = relative_error(gradients(net, x, x, ap.Rounded(ap.FLOAT32)), gradients(net, x, x, ap.Exact()))
    >>> bool(errors.entries().max() < 1e-6)
    True
    """
    _check_pair(computed, exact)
    weights = list(zip(computed.weights, exact.weights, strict=True))
    biases = list(zip(computed.biases, exact.biases, strict=True))
    return RelativeErrors(tuple(_entrywise(c, e) for c, e in weights), tuple(_entrywise(c, e) for c, e in biases),
                          np.array([_in_norm(c, e) for c, e in weights]), np.array([_in_norm(c, e) for c, e in biases]))


def condition_number(net: ReLUNetwork, x: ArrayLike, y: ArrayLike, terms: Terms = Terms.PATHS) -> Parameters:
    """sum |terms| / |sum| for every entry of the gradient of (1/m) sum_i |f(x_i) - y_i|^2.

    Each entry is a sum over the data points, each of its terms is proportional to the residuals f(x) - y,
    and each residual is a sum over paths through the network; `terms` says how far the sum is taken apart.
    The number grows from SAMPLES over RESIDUALS to PATHS.  With RESIDUALS, it is by how much relative errors of the
    outputs f(x) can grow if nothing else is rounded; with PATHS, the relative error of the computed gradient
    is at most gamma_n times this number (`theory.backpropagation`).  1 without cancellation, 0 where all
    terms vanish, infinite where they cancel.  Relative accuracy about 1e-12.
    Source: Higham (2002), Section 4.2; the three kinds of terms: companion.

    >>> import affinepieces as ap
    >>> data = ap.constructions.square(2), [[0.625]], [[0.625**2]]  # f(x) = 0.40625, y = 0.390625
    >>> float(condition_number(*data, Terms.RESIDUALS).biases[-1][0])  # (f(x) + y) / (f(x) - y)
    51.0
    """
    net = network(net)
    columns = checked(net, x, y, Exact())
    tape = taped(net, *columns, Exact())
    if choice(terms, Terms, "terms") is Terms.SAMPLES:
        activations = [abs(h.to_float()) for h in tape.activations]
        deltas = [abs(d.to_float()) for d in tape.deltas]
    elif terms is Terms.RESIDUALS:
        activations = [abs(h.to_float()) for h in tape.activations]
        deltas = _uncancelled(net, *columns, tape.residual)
    else:
        activations, deltas = _absolute(net, *columns, tape.active)
    pairs = list(zip(deltas, activations, strict=True))
    return Parameters(tuple(_over(d @ h.T, g) for (d, h), g in zip(pairs, tape.weights, strict=True)),
                       tuple(_over(d.sum(axis=1), g) for (d, _), g in zip(pairs, tape.biases, strict=True)))


def residual_condition(net: ReLUNetwork, x: ArrayLike, y: ArrayLike) -> Floats:
    """(|f(x)| + |y|) / |f(x) - y| for each data point and output, (m, N_L): the condition number of the residual.

    By how much a relative error of f(x), or of y, can grow in the difference.  1 without cancellation, infinite where
    the network interpolates.  Each rounded once.
    Source: Higham (2002), Section 1.7.

    >>> import affinepieces as ap
    >>> residual_condition(ap.constructions.square(2), [[0.625]], [[0.625**2]])  # f(x) = 0.40625, y = 0.390625
    array([[51.]])
    """
    net = network(net)
    columns = checked(net, x, y, Exact())
    residual, labels = taped(net, *columns, Exact()).residual, ExactArray.of(columns[1])
    size = ExactArray.from_fractions(abs((residual + labels).fractions()) + abs(labels.fractions()))
    return np.ascontiguousarray(size.ratio(residual).T)


def effective_perturbation(net: ReLUNetwork, x: ArrayLike, y: ArrayLike, learning_rate: float,
                           machine: Machine) -> Perturbation:
    """delta_eff of one step: how far the update that the machine makes is from the exact update.

    Exact update: -rate * (exact gradient), with the learning rate as the machine holds it.  An update
    that is lost altogether has level 1.
    Source: companion, chapter "Perturbed gradient descent"; the paper's Definition 2.3 assumes such a level.
    """
    net, rate = network(net), exact_rate(learning_rate, machine)
    made, exact = step(net, x, y, learning_rate, machine), gradients(net, x, y, Exact())
    found = relative_error(made.gradients, exact)
    whole = [tuple(_update_error(after, before, g.times(-rate)) for after, before, g in zip(*arrays, strict=True))
             for arrays in ((made.weights, net.weights, exact.weights), (made.biases, net.biases, exact.biases))]
    return Perturbation(Parameters(*whole), Parameters(found.weights, found.biases))


def flips(computed: Gradients, exact: Gradients) -> int:
    """At how many pairs of hidden neuron and data point the two machines disagree on the neuron's activity.

    Arguments and errors are those of `relative_error`.
    """
    _check_pair(computed, exact)
    for name, value in (("computed", computed), ("exact", exact)):
        if len(value.active) != len(value.weights) - 1:
            raise ValueError(f"{name} is {value!r} and does not know which neurons were active: compute it with "
                             "gradients(net, x, y, machine)")
    return sum(int(np.sum(a != b)) for a, b in zip(computed.active, exact.active, strict=True))


def hidden_updates(updates: Parameters | Sequence[ArrayLike]) -> list[Floats]:
    """The updates of the hidden biases, one array for each hidden layer, in float64.

    updates: `Parameters`, whose hidden biases are meant, or one array of shape (N_j,) for each hidden layer.
    Raises TypeError or ValueError for anything else, and for updates that are not finite.
    """
    given = updates.biases[:-1] if isinstance(updates, Parameters) else items(
        updates, "updates", "arrays, one for each hidden layer, or Parameters")
    arrays = [exact_array(u, f"updates[{j}]") for j, u in enumerate(given)]
    for j, array in enumerate(arrays):
        if array.ndim != 1:
            raise ValueError(f"updates[{j}] has shape {array.shape}, expected (N_{j + 1},): "
                             "give one array for each hidden layer")
        if not np.isfinite(array).all():
            raise ValueError(f"updates[{j}] holds {array[~np.isfinite(array)][0]}: every update must be finite; "
                             "did the training diverge?")
    return arrays


def _check_pair(computed: Gradients, exact: Gradients) -> None:
    """A gradient, and the exact one that belongs to it."""
    for name, value in (("computed", computed), ("exact", exact)):
        instance(value, Gradients, name, f"write {name}.gradients" if isinstance(value, Step) else "")
    if kind_of(exact) != "exact":
        raise ValueError(f"exact is {exact!r}, not from rational arithmetic: " + (
            "swap the arguments" if kind_of(computed) == "exact" else "compute it with gradients(net, x, y, Exact())"))
    known = bool(computed.active and exact.active)
    if _shapes(computed, known) != _shapes(exact, known):
        raise ValueError(f"computed is {computed!r} and exact is {exact!r}: give gradients at one network and the "
                         "same points")


def _shapes(found: Gradients, with_points: bool) -> list[tuple[int, ...]]:
    return [a.shape for a in (*found.weights, *found.biases, *(found.active if with_points else ()))]


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


def _uncancelled(net: ReLUNetwork, x: Floats, y: Floats, residual: ExactArray) -> list[Floats]:
    """Moduli of the deltas that residuals of size |f(x)| + |y| send back, output by output, summed over the outputs."""
    do, output = Rationals(), residual + ExactArray.of(y)
    size = np.abs(output.to_float()) + np.abs(y)
    sums = [np.zeros((n, x.shape[1])) for n in net.widths[1:]]
    for k in range(len(y)):
        alone = np.where(np.arange(len(y))[:, None] == k, size, 0.0)
        tape = backpropagate(do, [do.array(a) for a in net.weights], [do.array(b) for b in net.biases],
                             do.array(x), output - do.array(alone), x.shape[1])
        sums = [s + abs(d.to_float()) for s, d in zip(sums, tape.deltas, strict=True)]
    return sums


def _absolute(net: ReLUNetwork, x: Floats, y: Floats, active: Sequence[NDArray[np.bool_]]) -> tuple[
        list[Floats], list[Floats]]:
    """Activations and deltas with every number replaced by its modulus and every difference by a sum."""
    weights = [np.abs(exact_array(a, "weights")) for a in net.weights]
    biases = [np.abs(exact_array(b, "biases"))[:, None] for b in net.biases]
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
