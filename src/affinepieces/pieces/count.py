"""The questions asked of a network on a segment: how many regions, how many pieces, which ones."""
from __future__ import annotations

import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from affinepieces._interrupts import deferred
from affinepieces.networks import ReLUNetwork
from affinepieces.pieces.certified import NARROW, trace_certified
from affinepieces.pieces.exact import trace_exact
from affinepieces.pieces.patterns import patterns_certified
from affinepieces.pieces.piecewise import PiecewiseAffine
from affinepieces.pieces.segment import Segment


class Counts(NamedTuple):
    """Regions and pieces of m pairs of network and segment, arrays of shape (m,)."""

    regions: NDArray[np.int64]
    pieces: NDArray[np.int64]


def count_pieces(net: ReLUNetwork, segment: Segment) -> int:
    """pieces(R(Phi), Omega): the least number of intervals that partition the segment with R(Phi) affine on each.

    A proved integer: the parameters are exact binary numbers, and every decision is made with a
    rigorous error bound or in rational arithmetic.  For an output of several coordinates all must
    be affine at once.  Never more than `count_regions`.

    >>> from affinepieces.constructions import square
    >>> count_pieces(square(4), Segment(0, 1))
    16
    """
    return trace_certified(net, segment).pieces


def count_regions(net: ReLUNetwork, segment: Segment) -> int:
    """regions(Phi, Omega): 1 + the number of interior points where a hidden neuron's activity changes.

    A neuron is active where its preactivation is positive; touching zero is no change.  Proved, as
    `count_pieces` is.

    >>> from affinepieces.constructions import square
    >>> count_regions(square(4), Segment(0, 1))
    16
    """
    return trace_certified(net, segment, kinks=False).regions


def count_many(nets: ReLUNetwork | Sequence[ReLUNetwork], segments: Segment | Sequence[Segment]) -> Counts:
    """Regions and pieces of many networks on one segment, of one network on many, or pair by pair; on all cores.

    >>> from affinepieces.constructions import sawtooth
    >>> count_many([sawtooth(n) for n in (1, 2, 3)], Segment(0, 1)).pieces
    array([2, 4, 8])
    """
    m = len(nets) if not isinstance(nets, ReLUNetwork) else len(segments) if not isinstance(segments, Segment) else 1
    left = [nets] * m if isinstance(nets, ReLUNetwork) else list(nets)
    right = [segments] * m if isinstance(segments, Segment) else list(segments)
    if len(left) != len(right):
        raise ValueError(f"{len(left)} networks and {len(right)} segments: give one of either, or equally many")
    # Threads pay only for long counts outside of matrix products: wide networks keep all cores busy as they
    # are, and short counts hold the interpreter's lock most of the time.
    narrow = [max(net.widths) <= NARROW for net in left]
    workers = (os.cpu_count() or 1) if narrow and all(narrow) and sum(net.layers for net in left) > 12 * m else 1
    pairs = []
    with deferred() as stop, ThreadPoolExecutor(workers) as pool:
        try:
            traces = (pool.map if workers > 1 else map)(trace_certified, left, right)
            for f in tqdm(traces, total=m, delay=3, leave=False):
                pairs.append((f.regions, f.pieces))
                if stop.is_set():
                    raise KeyboardInterrupt
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise
    table = np.array(pairs, dtype=np.int64).reshape(m, 2)
    return Counts(table[:, 0], table[:, 1])


def trace(net: ReLUNetwork, segment: Segment, *, exact: bool = False) -> PiecewiseAffine:
    """R(Phi) along the segment: breakpoints of the activation regions, values there, slopes between.

    The regions and the kinks, and so the pieces, are proved.  The numbers are float64: each breakpoint
    lies within `radius` of its float, and `certificate` tells how the decisions were made.
    exact=True gives every number as a Fraction.

    >>> from affinepieces.constructions import hat
    >>> trace(hat(), Segment(0, 1)).slopes.ravel()
    array([ 2., -2.])
    """
    return trace_exact(net, segment) if exact else trace_certified(net, segment)


def activation_patterns(net: ReLUNetwork, segment: Segment) -> NDArray[np.bool_]:
    """Which hidden neurons are active in each region, proved: (regions, N_1 + ... + N_{L-1}), layer after layer.

    >>> from affinepieces.constructions import hat
    >>> activation_patterns(hat(), Segment(0, 1))
    array([[ True, False],
           [ True,  True]])
    """
    return patterns_certified(net, segment)
