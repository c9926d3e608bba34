"""What the chapter "Backpropagation in floating point" computes.

A problem is a network with data points x, (D, 1), and labels y, (D, 1), all of them numbers of one format.
"""
from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import torch
from numpy.typing import NDArray

from affinepieces.arithmetic.exact import ExactArray
from affinepieces.arithmetic.formats import Format, wide
from affinepieces.arithmetic.operations import add, matmul
from affinepieces.arithmetic.rounding import round_network, round_to
from affinepieces.constructions import he_random
from affinepieces.descent.attribution import Replacing, attribute
from affinepieces.descent.errors import Terms, condition_number, effective_perturbation, flips, relative_error
from affinepieces.descent.gradients import gradients
from affinepieces.descent.history import History
from affinepieces.descent.machines import Exact, Machine, Rounded
from affinepieces.descent.optimisers import Adam
from affinepieces.descent.results import Gradients
from affinepieces.descent.runs import Run
from affinepieces.descent.training import train_many
from affinepieces.networks import ReLUNetwork
from affinepieces.parameters import layers_of
from affinepieces.theory.backpropagation import gradient_error_bound

Floats = NDArray[np.float64]
Labels = Callable[[Floats], Floats]
Problem = tuple[ReLUNetwork, Floats, Floats]


def problem(net: ReLUNetwork, labels: Labels, fmt: Format, points: Floats) -> Problem:
    """Network, points and labels(points), all rounded to the format.  points: (D,)."""
    x = np.asarray(round_to(points[:, None], fmt))
    return round_network(net, fmt), x, np.asarray(round_to(labels(x), fmt))


def uniform_points(seed: int, count: int = 64) -> Floats:
    """Random points of [0, 1], (count,)."""
    return np.random.default_rng(seed).uniform(0, 1, count)


def problems(nets: Sequence[ReLUNetwork], labels: Labels, fmt: Format) -> list[Problem]:
    """One problem for each network, each with its own 64 random points."""
    return [problem(net, labels, fmt, uniform_points(seed)) for seed, net in enumerate(nets)]


def random_network(width: int, hidden: int, seed: int) -> ReLUNetwork:
    """He weights and biases of standard deviation 1/2, one input and one output."""
    rng = np.random.default_rng([width, hidden, seed])
    return he_random([1] + [width] * hidden + [1], rng, bias_std=0.5)


def entries(exact: Gradients) -> Floats:
    """All entries of a gradient of `Exact()`, layer by layer, weights first."""
    return np.concatenate([p.to_float().ravel() for pair in layers_of(exact) for p in pair])


def gradient_errors(data: Problem, fmt: Format, machine: Machine | None = None) -> Floats:
    """Relative errors of all gradient entries that are not zero, every operation rounded to the format."""
    exact = gradients(*data, Exact())
    computed = gradients(*data, Rounded(fmt) if machine is None else machine)
    return np.asarray(relative_error(computed, exact).entries()[entries(exact) != 0])


def errors_by_bits(nets: Sequence[ReLUNetwork], labels: Labels, bits: Sequence[int]) -> Floats:
    """Median error of the gradient in so many bits, (len(nets), len(bits)); each network has its own 64 points."""
    return np.transpose([[np.median(gradient_errors(data, wide(p))) for data in problems(nets, labels, wide(p))]
                         for p in bits])


def quantiles_by_layers(build: Callable[[int], ReLUNetwork], labels: Callable[[int], Labels], layers: Sequence[int],
                        fmt: Format, points: Floats) -> Floats:
    """Errors of the gradient of build(n), labelled by labels(n): 10, 50, 90, 100 % of the entries, (len(layers), 4)."""
    return np.array([np.quantile(gradient_errors(problem(build(n), labels(n), fmt, points), fmt), (0.1, 0.5, 0.9, 1))
                     for n in layers])


def bits_per_layer(build: Callable[[int], ReLUNetwork], labels: Callable[[int], Labels], few: int, many: int,
                   fmt: Format, points: Floats) -> float:
    """How many bits of the median entry each hidden layer costs, between so few and so many of them."""
    first, last = quantiles_by_layers(build, labels, (few, many), fmt, points)[:, 1]
    return float(np.log2(last / first) / (many - few))


def preactivations(net: ReLUNetwork, x: Floats, fmt: Format) -> list[Floats]:
    """Computed preactivations of every layer, (D, N_j), every operation rounded; the last one is the output."""
    found: list[Floats] = []
    for weights, biases in zip(net.weights, net.biases, strict=True):
        products = matmul(np.maximum(found[-1], 0) if found else x, weights.T, fmt)
        found.append(np.asarray(add(products, np.broadcast_to(biases, products.shape), fmt)))
    return found


def zero_preactivations(net: ReLUNetwork, fmt: Format, points: Floats) -> float:
    """Share of the hidden preactivations that are computed as exactly 0."""
    x = np.asarray(round_to(points[:, None], fmt))
    return float(np.mean([z == 0 for z in preactivations(round_network(net, fmt), x, fmt)[:-1]]))


def output_errors(net: ReLUNetwork, x: Floats, fmt: Format) -> Floats:
    """|computed f(x) - f(x)| / |f(x)| at every point, (D,).  net, x: of the format."""
    exact = ExactArray.of(x)
    for j, (weights, biases) in enumerate(zip(net.weights, net.biases, strict=True)):
        exact = exact @ ExactArray.of(weights.T) + ExactArray.of(np.broadcast_to(biases, (len(x), len(biases))))
        exact = exact.where(exact.positive()) if j < net.layers - 1 else exact
    return (ExactArray.of(preactivations(net, x, fmt)[-1]) - exact).ratio(exact).ravel()


def errors_and_conditions(several: Sequence[Problem], fmt: Format) -> tuple[float, float, float, float]:
    """Error of the outputs, condition number of the residuals, error of the gradient, condition number over all paths.

    Medians over points or entries, then over the problems.
    """
    rows = []
    for data in several:
        alive = entries(gradients(*data, Exact())) != 0
        residuals, paths = (condition_number(*data, terms).entries()[alive] for terms in (Terms.RESIDUALS, Terms.PATHS))
        rows.append([np.median(v) for v in (output_errors(data[0], data[1], fmt), residuals,
                                            gradient_errors(data, fmt), paths)])
    output, residual, gradient, path = np.median(rows, axis=0).tolist()
    return output, residual, gradient, path


def bound_and_error(data: Problem, fmt: Format) -> tuple[Floats, Floats]:
    """gamma_nu kappa and the relative error of all entries that are not zero.  Raises ValueError if a neuron flips."""
    exact, computed = gradients(*data, Exact()), gradients(*data, Rounded(fmt))
    if flips(computed, exact):
        raise ValueError(f"{flips(computed, exact)} neurons flip in {fmt}: the bound does not apply")
    alive = entries(exact) != 0
    bound = gradient_error_bound(*data, fmt).entries()
    return bound[alive], np.asarray(relative_error(computed, exact).entries()[alive])


def shares_by_part(data: Problem, fmt: Format) -> Floats:
    """Shares of the error made in the first and the second half of the forward pass, residual, backward pass, sums.

    (2, 5): stages replaced from the first on, and from the last on.
    """
    found, layers = attribute(*data, Rounded(fmt)), data[0].layers
    ends = np.cumsum([0, layers // 2, layers - layers // 2, 1, layers - 1])
    return np.array([np.add.reduceat(found.shares(order), ends) for order in Replacing])


def fitted_networks(labels: Labels, seeds: int, steps: int = 4000) -> list[ReLUNetwork]:
    """Four hidden layers of width 16, trained on 32 points by Adam in float64."""
    x = np.linspace(0, 1, 32)[:, None]
    starts = [he_random([1, *[16] * 4, 1], np.random.default_rng([17, seed]), bias_std=0.5) for seed in range(seeds)]
    runs = [Run(start, x, labels(x), 2**-8, steps, optimiser=Adam()) for start in starts]
    return [history.networks[-1] for history in train_many(runs)]


def runs_in_formats(formats: Sequence[Format], steps: Sequence[int], seeds: int, rate: float = 1 / 16) -> dict[
        str, list[History]]:
    """Format -> gradient descent on x^2, all in that format; four hidden layers of width 16, recorded at the steps."""
    points, found = np.linspace(0, 1, 64), {}
    for fmt in formats:
        starts = [he_random([1, *[16] * 4, 1], np.random.default_rng([16, 5, seed]), bias_std=0.1)
                  for seed in range(seeds)]
        found[fmt.name] = train_many([Run(*problem(start, np.square, fmt, points), rate, steps[-1], Rounded(fmt),
                                          record=steps) for start in starts])
    return found


def along_training(history: History) -> Floats:
    """At every recorded step: loss, gradient error, effective level (medians), updates lost, errors >= 1 (shares)."""
    run, rows = history.run, []
    for net in history.networks:
        exact = gradients(net, run.x, run.y, Exact())
        found = relative_error(gradients(net, run.x, run.y, run.machine), exact).entries()[entries(exact) != 0]
        level = effective_perturbation(net, run.x, run.y, run.learning_rate, run.machine).step.hidden_biases()
        moved = level[level > 0]
        rows.append((float(exact.loss), np.median(found), np.median(moved), np.mean(moved == 1), np.mean(found >= 1)))
    return np.array(rows)


def errors_of_torch(data: Problem) -> Floats:
    """As `gradient_errors`, of torch's autograd with bfloat16 tensors."""
    net, x, y = data
    model = net.to_torch().bfloat16()
    points, labels = (torch.tensor(v).bfloat16() for v in (x, y))
    ((model(points) - labels) ** 2).mean().backward()
    layers = [layer for layer in model if isinstance(layer, torch.nn.Linear)]
    weights, biases = (tuple([getattr(layer, name).grad.double().numpy() for layer in layers])
                       for name in ("weight", "bias"))
    exact = gradients(*data, Exact())
    errors = relative_error(Gradients(weights, biases, loss=None, active=()), exact).entries()
    return np.asarray(errors[entries(exact) != 0])
