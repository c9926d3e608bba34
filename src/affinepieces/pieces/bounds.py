"""How many regions could there be at all?"""
from __future__ import annotations

from math import prod

import numpy as np

from affinepieces.arguments import piecewise
from affinepieces.layers import Layered


def combinatorial_bound(net: Layered) -> int:
    """regions(Phi, Omega) <= product of (N_j + 1) over the hidden layers, on every segment.

    N_j: how many neurons, and in a `Chain` comparisons, layer j has; carried rows cut no region.
    In a region of the layers below, each neuron is affine along the segment and has at most one zero.
    Source: Montufar et al. (2014), Telgarsky (2015), in one dimension.

    >>> from affinepieces.constructions import sawtooth
    >>> combinatorial_bound(sawtooth(3))
    27
    """
    found = piecewise(net)
    return prod(n + 1 if carried is None else int(np.count_nonzero(~carried)) + 1
                for n, carried in zip(found.widths[1:-1], found.carried, strict=True))
