"""The three questions asked of a network on a segment: how many regions, how many pieces, which ones."""
from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from affinepieces.networks import ReLUNetwork
from affinepieces.pieces.exact import patterns_exact, regions_exact, trace_exact
from affinepieces.pieces.piecewise import PiecewiseAffine
from affinepieces.pieces.segment import Segment


def count_pieces(net: ReLUNetwork, segment: Segment) -> int:
    """pieces(R(Phi), Omega): the least number of intervals that partition the segment with R(Phi) affine on each.

    A proved integer: the parameters are exact binary numbers and so is every decision.  For an
    output of several coordinates all must be affine at once.  Never more than `count_regions`.

    >>> from affinepieces.constructions import square
    >>> count_pieces(square(4), Segment(0, 1))
    16
    """
    return trace_exact(net, segment).pieces


def count_regions(net: ReLUNetwork, segment: Segment) -> int:
    """regions(Phi, Omega): 1 + the number of interior points where a hidden neuron's activity changes.

    A neuron is active where its preactivation is positive; touching zero is no change.

    >>> from affinepieces.constructions import square
    >>> count_regions(square(4), Segment(0, 1))
    16
    """
    return len(regions_exact(net, segment)[-1]) - 1


def trace(net: ReLUNetwork, segment: Segment, *, exact: bool = False) -> PiecewiseAffine:
    """R(Phi) along the segment: breakpoints of the activation regions, values there, slopes between.

    exact=True gives every number as a Fraction; otherwise each is rounded to the nearest float64.
    The kinks, and so `regions` and `pieces`, are exact in both cases.

    >>> from affinepieces.constructions import hat
    >>> trace(hat(), Segment(0, 1)).slopes.ravel()
    array([ 2., -2.])
    """
    function = trace_exact(net, segment)
    if exact:
        return function
    return PiecewiseAffine(function.breakpoints.astype(np.float64), function.values.astype(np.float64), function.kinks)


def activation_patterns(net: ReLUNetwork, segment: Segment) -> NDArray[np.bool_]:
    """Which hidden neurons are active in each region: (regions, N_1 + ... + N_{L-1}), layer after layer.

    >>> from affinepieces.constructions import hat
    >>> activation_patterns(hat(), Segment(0, 1))
    array([[ True, False],
           [ True,  True]])
    """
    return patterns_exact(net, segment)
