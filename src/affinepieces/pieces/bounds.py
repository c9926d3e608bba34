"""How many regions could there be at all?"""
from __future__ import annotations

from math import prod

from affinepieces.arguments import network
from affinepieces.networks import ReLUNetwork


def combinatorial_bound(net: ReLUNetwork) -> int:
    """regions(Phi, Omega) <= product of (N_j + 1) over the hidden layers, on every segment.

    In a region of the layers below, each neuron is affine along the segment and has at most one zero.
    Source: Montufar et al. (2014), Telgarsky (2015), in one dimension.

    >>> from affinepieces.constructions import sawtooth
    >>> combinatorial_bound(sawtooth(3))
    27
    """
    return prod(n + 1 for n in network(net).widths[1:-1])
