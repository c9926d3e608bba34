"""Theorem 3.4: how many regions can be expected after one perturbed step?

The perturbed step leaves the hidden biases at b + Delta_b (1 + Theta), with Theta independent for each neuron and
uniform on [-delta, delta]: where Delta_b is not zero the bias is uniform on an interval of length
2 delta |Delta_b|.  The new weights may be random too, but independent of Theta.  The polynomial bound is the
paper's (Karner, Kazeev, Petersen 2024); constants, data-driven form and depth budget are the companion's.
"""
from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from affinepieces.arguments import integer, networks, number
from affinepieces.descent.noise import check_delta
from affinepieces.networks import ReLUNetwork
from affinepieces.pieces.segment import Segment
from affinepieces.theory.assumptions import (
    Updates,
    check_updates,
    mean_reciprocal,
    nonzero_updates,
    on_segment,
    sign_changes,
    variations,
)

Floats = NDArray[np.float64]


def expected_regions_bound(slope: float, length: float, updates: Updates, delta: float) -> float:
    """E regions <= 1 + C |Omega| M p / (2 delta), where M p is the sum of 1 / |Delta_b| over Delta_b != 0.

    Hypotheses: (A) neurons with zero update change no sign on the segment after the step, (B) |dz_{j,k}/dt| <= C
    for all hidden neurons of every possible network after the step.
    slope: C >= 0, in units of z per unit of t.  length: |Omega| > 0.  updates: `Parameters`, or one array for each
    hidden layer, in units of z; a list that holds the output layer too gives a larger number than need be.
    delta: relative perturbation, finite and >= 0; delta = 0 gives inf, unless every update is zero.
    Raises ValueError for other arguments.
    Source: paper, Theorem 3.4; constants: companion.

    >>> expected_regions_bound(slope=1.0, length=1.0, updates=[[0.5, 0.0], [-0.25]], delta=0.5)
    7.0
    """
    return polynomial_bound(slope, length, 1, max(1, nonzero_updates(updates)), mean_reciprocal(updates), delta)


def polynomial_bound(slope: float, length: float, hidden_layers: int, width: int, mean_reciprocal: float,
                     delta: float) -> float:
    """E regions <= 1 + C |Omega| (L - 1) N p / (2 delta): linear in depth, and in width if p does not grow.

    With p of order N it is quadratic in N.  Hypotheses, `slope`, `length` and `delta` as in `expected_regions_bound`.
    hidden_layers: L - 1 >= 0.  width: N >= 1.  mean_reciprocal: p >= 0, per unit of z; with p = 0 the bound is 1.
    Raises ValueError for other arguments.
    Source: paper, Theorem 3.4; constants: companion.

    >>> polynomial_bound(slope=1.0, length=1.0, hidden_layers=3, width=10, mean_reciprocal=10.0, delta=0.5)
    301.0
    """
    check_delta(delta)
    number(slope, "slope", least=0, finite=False)
    number(length, "length", above=0, remedy="the length of the segment")
    integer(hidden_layers, "hidden_layers", 0)
    integer(width, "width", 1)
    number(mean_reciprocal, "mean_reciprocal", least=0, finite=False)
    if mean_reciprocal == 0 or hidden_layers == 0:
        return 1.0
    if delta == 0:
        return np.inf
    return 1.0 if slope == 0 else float(1 + slope * length * hidden_layers * width * mean_reciprocal / (2 * delta))


def data_driven_bound(nets: Sequence[ReLUNetwork], segment: Segment, updates: Updates,
                      delta: float) -> float:
    """E regions <= 1 + sum over Delta_b != 0 of E V(h_{j,k}) / (2 delta |Delta_b|)
                      + sum over Delta_b = 0 of E[sign changes of z_{j,k}].

    Nothing is assumed.  The expectations are means over `nets`, independent draws of the network after the step,
    so the bound has a sampling error: that of the mean of `data_driven_terms`.
    Arguments, units and errors are those of `data_driven_terms`.
    Source: companion, from the paper's Lemma 3.1.

    >>> from affinepieces.constructions import sawtooth
    >>> data_driven_bound([sawtooth(2)], Segment(0, 1), [[0.5, 0.5], [0.5, 0.5]], delta=1.0)
    7.0
    """
    return float(np.mean(data_driven_terms(nets, segment, updates, delta)))


def data_driven_terms(nets: Sequence[ReLUNetwork], segment: Segment, updates: Updates,
                      delta: float) -> Floats:
    """The quantity whose expectation is the data-driven bound, for each network: shape (number of draws,).

    Given all but the noise of a neuron, Lemma 3.1 bounds the expected zeros of h_{j,k} + b by V(h_{j,k}) over
    the length of the noise; every new boundary of a region is such a zero.
    nets: at least one, after the step.  updates: before the perturbation, `Parameters` or one array of shape (N_j,)
    for each hidden layer.  delta: finite and >= 0; delta = 0 gives inf, unless every update is zero.
    Raises ValueError for other arguments.
    Source: companion.

    >>> from affinepieces.constructions import sawtooth
    >>> data_driven_terms([sawtooth(1), sawtooth(1)], Segment(0, 1), [[0.5, 0.0]], delta=1.0)
    array([3., 3.])
    """
    nets, lengths = _draws(nets, segment, updates, delta)
    with np.errstate(over="ignore"):
        return np.array([1 + sum(layer.sum() for layer in _crossings(net, segment, lengths)) for net in nets],
                        dtype=np.float64)


def depth_budget_bound(nets: Sequence[ReLUNetwork], segment: Segment, updates: Updates,
                       delta: float) -> float:
    """E regions <= r_{L-1}, with r_0 = 1 and r_j = r_{j-1} + sum_k min( c_{j,k}, r_{j-1} ),

    where c_{j,k} = E V(h_{j,k}) / (2 delta |Delta_b|), or E[sign changes of z_{j,k}] for a neuron with zero update.
    Nothing is assumed.  The bound is finite for every delta and every update, and never above the data-driven
    bound 1 + sum of all c_{j,k} nor the combinatorial one; for delta = 0 the c_{j,k} of non-zero updates are infinite.
    Proof: let R_j be the number of regions after layer j, and Z_k the number of cuts, points inside a region of the
    layers below at which neuron k of layer j changes sign, so that R_j <= R_{j-1} + sum of Z_k.  A region is cut at
    most once by one neuron, Z_k <= R_{j-1}.  A cut is a sign change, so E Z_k <= c_{j,k} for zero updates; it is
    a zero, so E Z_k <= c_{j,k} for the others, by Lemma 3.1 given all but the neuron's own noise.  Hence
    E Z_k <= min(c_{j,k}, E R_{j-1}), which grows with E R_{j-1}, and induction over j gives E R_j <= r_j.
    Arguments and errors as in `data_driven_terms`; the expectations in c_{j,k} are means over `nets`.  The minima
    are concave in them, so for few networks the result is too small on average: compare with independent draws.
    Source: companion, beyond the paper.

    >>> from affinepieces.constructions import sawtooth
    >>> depth_budget_bound([sawtooth(3)], Segment(0, 1), [[1.0, 1.0]] * 3, delta=0.0)  # (2 + 1)^3
    27.0
    >>> depth_budget_bound([sawtooth(3)], Segment(0, 1), [[0.0, 0.0]] * 3, delta=0.0)  # 1 + 1 + 2 + 4
    8.0
    """
    nets, lengths = _draws(nets, segment, updates, delta)
    layers = zip(*(_crossings(net, segment, lengths) for net in nets), strict=True)
    regions = 1.0
    for layer in layers:
        with np.errstate(over="ignore"):
            crossings = np.mean(layer, axis=0)
        regions += float(np.minimum(crossings, regions).sum())
    return regions


def doublings_bound(slope: float, length: float, moving: int, noise: float) -> float:
    """E regions doubles in each of the first j hidden layers only if j <= 1 + log2( N C |Omega| / l ).

    Hypotheses: the second half of (A), and (B), as in `expected_regions_bound`; at most N neurons of each hidden
    layer have an update that is not zero, and the noise of each of them is at least l long.
    slope: C >= 0, length: |Omega| > 0.  moving: N >= 0.  noise: l > 0, the least 2 delta |Delta_b|, finite,
    in units of z.  0.0 where no layer can double.  Raises ValueError for other arguments.
    Source: companion, beyond the paper.

    >>> doublings_bound(slope=1.0, length=1.0, moving=2, noise=2.0**-7)
    9.0
    """
    number(slope, "slope", least=0)
    number(moving, "moving", least=0)
    number(length, "length", above=0)
    number(noise, "noise", above=0)
    added = moving * slope * length / noise  # at most so many regions by each layer
    return float(1 + np.log2(added)) if added >= 1 else 0.0


def _crossings(net: ReLUNetwork, segment: Segment, lengths: Sequence[Floats]) -> list[Floats]:
    """For each neuron V over the length of its noise, or its sign changes where its update is zero."""
    still = [np.isnan(length) for length in lengths]
    found = [_ratio(v, length) for v, length in zip(variations(net, segment), lengths, strict=True)]
    if not any(zero.any() for zero in still):
        return found
    changes = sign_changes(net, segment)
    return [np.where(zero, n, ratio) for zero, n, ratio in zip(still, changes, found, strict=True)]


def _draws(nets: Sequence[ReLUNetwork], segment: Segment, updates: Updates, delta: float) -> tuple[
        list[ReLUNetwork], list[Floats]]:
    """The networks, and 2 delta |Delta_b| for each hidden layer, nan where the update is zero."""
    given, delta = networks(nets), check_delta(delta)
    for net in given:
        on_segment(net, segment)
        arrays = check_updates(net, updates)
    with np.errstate(over="ignore"):
        return given, [np.where(u == 0, np.nan, 2 * delta * np.abs(u)) for u in arrays]


def _ratio(variation: Floats, length: Floats) -> Floats:
    """V over the length of the noise; inf where there is no noise."""
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        return np.asarray(np.where(length > 0, variation / length, np.inf))
