"""Assumptions (A) and (B) of Theorem 3.4, measured on a given network: exactly, without sampling.

(A): the bias updates that are not zero have a bounded mean reciprocal, and neurons whose update is zero change
no sign on the segment.  (B): preactivations have bounded slopes.  The assumptions are the paper's
(Karner, Kazeev, Petersen 2024); that they are computed from the activation regions is the companion's.
"""
from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from math import inf, nextafter
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from affinepieces._interrupts import interruptible
from affinepieces.arguments import instance, network, piecewise
from affinepieces.arithmetic.exact import quotient
from affinepieces.descent.errors import hidden_updates
from affinepieces.layers import Layered
from affinepieces.networks import ReLUNetwork
from affinepieces.parameters import Parameters
from affinepieces.pieces.count import activation_patterns, trace
from affinepieces.pieces.kernels import FLOOR, SAFE, affine_double_double
from affinepieces.pieces.piecewise import PiecewiseAffine
from affinepieces.pieces.segment import Segment
from affinepieces.pieces.whole import switching, trace_certified

Floats = NDArray[np.float64]
Booleans = NDArray[np.bool_]
Updates = Parameters | Sequence[ArrayLike]
SHARP = 1e-9  # relative, of `variations`
ACCURACY = 1e-12  # relative, of `max_slope` where it is not decided by rational arithmetic


def preactivations(net: Layered, segment: Segment, *, exact: bool = False) -> list[PiecewiseAffine]:
    """t -> z^(j)(t) in R^(N_j) for each hidden layer j, on the regions of the layers below it.

    L - 1 functions; in a `Chain`, of its neurons, for each layer that has any.
    Without its bias, h_{j,k} = z_{j,k} - b_{j,k} has the same slopes and total variation.
    Numbers and `exact` are those of `trace`.
    Source: paper, Section 2 (setting).

    >>> from affinepieces.constructions import sawtooth
    >>> [z.regions for z in preactivations(sawtooth(3), Segment(0, 1))]
    [1, 2, 4]
    """
    return [trace(part, segment, exact=exact) for part in _on_segment(net, segment).below()]


def variations(net: Layered, segment: Segment) -> list[Floats]:
    """V(h_{j,k}), the total variation of each preactivation: one array of shape (N_j,) for each hidden layer.

    From above: `total_variation` and the bound of its error, both of `trace`; exact where nothing was rounded, and inf
    where the function leaves float64.
    Source: paper, proof idea of Lemma 3.1 (bounded variation); the measured form is the companion's.

    >>> from affinepieces.constructions import sawtooth
    >>> variations(sawtooth(3), Segment(0, 1))
    [array([1., 1.]), array([2., 2.]), array([4., 4.])]
    """
    net = _on_segment(net, segment)
    with interruptible():
        return [_variation(part, segment) for part in net.below()]


def _variation(net: Layered, segment: Segment) -> Floats:
    """Total variation of the outputs from above, sharp in comparison with their size."""
    for words in (1, 4):
        z = trace_certified(net, segment, words)
        with np.errstate(over="ignore", invalid="ignore"):
            size = z.total_variation + np.abs(z.values).max(axis=0)
        if np.all(z.variation_radius <= SHARP * size):
            return np.asarray(z.variation_bound, np.float64)
    exact = trace(net, segment, exact=True).total_variation.tolist()
    return np.array([nextafter(quotient(v.numerator, v.denominator), inf) if v else 0.0 for v in exact])


def mean_reciprocal(updates: Updates) -> float:
    """Assumption (A): p = (1/M) sum of 1 / |Delta_b| over the M bias updates of hidden neurons that are not zero.

    updates: `Parameters`, whose hidden biases are meant, or one array for each hidden layer.
    Returns 0.0 if there is none but zeros (M = 0), so that M p is the sum in every case; inf only where a reciprocal
    exceeds float64.
    Raises ValueError for updates that are not finite.
    Source: paper, assumption (A).

    >>> mean_reciprocal([[0.5, 0.0], [-0.25]])
    3.0
    """
    size = np.abs(_nonzero(updates))
    with np.errstate(over="ignore", divide="ignore"):
        return float(np.mean(1 / size)) if len(size) else 0.0


def nonzero_updates(updates: Updates) -> int:
    """M: how many bias updates of hidden neurons are not zero.

    updates: `Parameters`, whose hidden biases are meant, or one array for each hidden layer.
    Raises ValueError for updates that are not finite.
    Source: paper, assumption (A).

    >>> nonzero_updates([[0.5, 0.0], [-0.25]])
    2
    """
    return len(_nonzero(updates))


def sign_changes(net: Layered, segment: Segment) -> list[NDArray[np.int64]]:
    """At how many t inside the segment each hidden neuron's activity differs left and right of t.

    One array of shape (N_j,) for each hidden layer, in a `Chain` for the neurons of each layer that has any;
    integers, proved as the count of regions is.
    Touching zero is no change.
    Source: companion.

    >>> from affinepieces.constructions import sawtooth
    >>> sign_changes(sawtooth(3), Segment(0, 1))
    [array([0, 1]), array([0, 2]), array([0, 4])]
    """
    net = _on_segment(net, segment)
    patterns = activation_patterns(net, segment)
    return _by_layer(net, np.count_nonzero(patterns[1:] != patterns[:-1], axis=0))


def dead_neurons(net: Layered, segment: Segment) -> list[Booleans]:
    """Which hidden neurons have the output zero on the whole segment; one array of shape (N_j,) for each layer.

    Proved as the count of regions is.
    Source: paper, assumption (A); on a segment: companion.

    >>> dead_neurons(ReLUNetwork([[[1.0], [-1.0]], [[1.0, 1.0]]], [[0.0, 0.0], [0.0]]), Segment(0, 1))
    [array([False,  True])]
    """
    net = _on_segment(net, segment)
    return _by_layer(net, ~np.any(activation_patterns(net, segment), axis=0, keepdims=True)[0])


def revived_neurons(before: ReLUNetwork, after: ReLUNetwork, segment: Segment) -> int:
    """How many hidden neurons are dead on the segment before an update and not after it: (A) wants none.

    Raises ValueError if the networks have different widths.
    Source: paper, assumption (A), "dead neurons stay dead"; on a segment: companion.

    >>> from affinepieces.constructions import sawtooth
    >>> silent = ReLUNetwork(sawtooth(2).weights, [[0.0, -1.0], [0.0, -1.0], [0.0]])
    >>> revived_neurons(silent, sawtooth(2), Segment(0, 1))
    1
    """
    before, after = network(before, "before"), network(after, "after")
    if before.widths != after.widths:
        raise ValueError(f"networks of widths {before.widths} and {after.widths}: give one network before and after")
    pairs = zip(dead_neurons(before, segment), dead_neurons(after, segment), strict=True)
    return sum(int(np.count_nonzero(then & ~now)) for then, now in pairs)


def zero_update_crossings(net: ReLUNetwork, segment: Segment, updates: Updates) -> int:
    """Sign changes on the segment of the neurons whose bias update is zero: the second half of (A) wants none.

    net: the network after the update.  updates: `Parameters`, or one array of shape (N_j,) for each hidden layer.
    Raises ValueError where the updates do not fit the network or are not finite.
    Source: paper, assumption (A) (dead neurons stay dead); form: companion.

    >>> from affinepieces.constructions import sawtooth
    >>> zero_update_crossings(sawtooth(3), Segment(0, 1), [[0.1, 0.1], [0.1, 0.0], [0.0, 0.0]])
    6
    """
    net = on_segment(net, segment)
    arrays = check_updates(net, updates)
    return sum(int(n[u == 0].sum()) for n, u in zip(sign_changes(net, segment), arrays, strict=True))


def max_slope(net: ReLUNetwork, segment: Segment) -> float:
    """Assumption (B): C = max over the segment and all hidden neurons of |dz_{j,k}/dt|.

    The slope is constant on each region, a product of the weights of the neurons that are active there.
    Returns C with a relative error of at most 1e-12 (proved; rational arithmetic where double-double is not
    enough), inf only beyond float64, and 0.0 without hidden layers.
    Source: paper, assumption (B); computation: companion.

    >>> from affinepieces.constructions import sawtooth
    >>> max_slope(sawtooth(4), Segment(0, 1))
    8.0
    """
    net = on_segment(net, segment)
    patterns = np.split(activation_patterns(net, segment), np.cumsum(net.widths[1:-1]), axis=1)[:-1]
    slope, error = _slope_double_double(net, segment, patterns)
    if error <= ACCURACY * slope:
        return slope
    largest = _slope_exact(net, segment, patterns)
    try:
        return float(largest)
    except OverflowError:
        return float("inf")


def _on_segment(net: Layered, segment: Segment) -> Layered:
    """The network or chain, if it can be evaluated on the segment."""
    found = piecewise(net)
    instance(segment, Segment, "segment", "make one with affinepieces.Segment(a, b)").check(found)
    return found


def on_segment(net: ReLUNetwork, segment: Segment) -> ReLUNetwork:
    """The network, if it can be evaluated on the segment."""
    found = network(net)
    instance(segment, Segment, "segment", "make one with affinepieces.Segment(a, b)").check(found)
    return found


def check_updates(net: ReLUNetwork, updates: Updates) -> list[Floats]:
    """The updates in float64; ValueError unless they are finite and of shape (N_j,), one for each hidden layer."""
    arrays = hidden_updates(updates)
    shapes, expected = [u.shape for u in arrays], [(n,) for n in net.widths[1:-1]]
    if shapes != expected:
        raise ValueError(f"updates have shapes {shapes}, expected {expected}: one array for each hidden layer, "
                         "without the output layer")
    return arrays


def _slope_double_double(net: ReLUNetwork, segment: Segment, patterns: list[Booleans]) -> tuple[float, float]:
    """max |dz/dt| and a bound of its error (inf in case of overflow)."""
    slope, least, most = 0.0, 0.0, 0.0
    rows = len(patterns[0]) if patterns else 0
    x, low = np.tile(segment.direction, (rows, 1)), np.tile(segment.direction_low, (rows, 1))
    e = np.zeros(rows)
    with np.errstate(over="ignore", invalid="ignore"):
        for a, active in zip(net.weights[:-1], patterns, strict=True):
            weights = a.T.astype(np.float64, order="C")
            norm = float(np.linalg.norm(weights)) * SAFE + FLOOR
            z, low, e = affine_double_double(weights, np.zeros(len(a)), x, low, e, norm, 0.0)
            size, error = np.abs(z).max(axis=1), e * SAFE + np.abs(low).max(axis=1)
            if not np.all(np.isfinite(size + error)):
                return slope, np.inf
            slope = max(slope, float(size.max()))
            least, most = max(least, float((size - error).max())), max(most, float((size + error).max()))
            x, low = np.where(active, z, 0.0), np.where(active, low, 0.0)
    return slope, most - least


def _slope_exact(net: ReLUNetwork, segment: Segment, patterns: list[Booleans]) -> Fraction:
    """max |dz/dt| as a rational number."""
    rows = np.unique(np.concatenate(patterns, axis=1), axis=0)
    largest, direction = Fraction(0), _fractions(segment.direction) + _fractions(segment.direction_low)
    x = np.tile(direction, (len(rows), 1))
    for a, active in zip(net.weights[:-1], np.split(rows, np.cumsum(net.widths[1:-1]), axis=1)[:-1], strict=True):
        z = x @ _fractions(a).T
        largest = max(largest, np.abs(z).max())
        x = z * active
    return largest


def _by_layer(net: Layered, values: NDArray[Any]) -> list[NDArray[Any]]:
    """One array for each hidden layer that has neurons, out of one for all rows that switch."""
    if net.layers == 1:
        return []
    neurons = np.concatenate(net.neurons)[switching(net)]
    ends = np.cumsum([np.count_nonzero(rows) for rows in net.neurons])[:-1]
    return [part for part in np.split(values[neurons], ends) if len(part)]


def _fractions(array: NDArray[Any]) -> NDArray[Any]:
    flat = np.array([*map(Fraction, array.astype(np.float64).ravel().tolist()), None], dtype=object)[:-1]
    return np.asarray(flat.reshape(array.shape))


def _nonzero(updates: Updates) -> Floats:
    """All updates that are not zero, in one array."""
    flat = np.concatenate([np.zeros(0), *hidden_updates(updates)])
    return np.asarray(flat[flat != 0])
