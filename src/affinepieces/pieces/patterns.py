"""Which neurons are active in each region, at float speed and proved.

A pattern is constant on a region, so one point inside of it decides.  Three levels, as for the count:
float64, then double-double, then rational arithmetic for the few regions that are in doubt or too thin.
"""
from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from affinepieces.arithmetic.double_double import U
from affinepieces.networks import ReLUNetwork
from affinepieces.pieces.certified import trace_certified
from affinepieces.pieces.exact import patterns_exact
from affinepieces.pieces.jumps import product
from affinepieces.pieces.kernels import SAFE, affine_double_double, points
from affinepieces.pieces.layers import Layer, prepare
from affinepieces.pieces.piecewise import PiecewiseAffine
from affinepieces.pieces.segment import Segment

Floats = NDArray[np.float64]
Booleans = NDArray[np.bool_]


def patterns_certified(net: ReLUNetwork, segment: Segment) -> Booleans:
    """(r, sum of hidden widths): which hidden neurons are active in each region; equal to `patterns_exact`.

    >>> from affinepieces.constructions import hat
    >>> patterns_certified(hat(), Segment(0, 1))
    array([[ True, False],
           [ True,  True]])
    """
    middle, inside = _midpoints(trace_certified(net, segment, kinks=False))
    layers, todo = prepare(net), np.flatnonzero(inside)
    known = np.zeros_like(inside)
    out = np.zeros((len(middle), sum(net.widths[1:-1])), np.bool_)
    for precise in (False, True) if layers else ():
        out[todo], known[todo] = _activity(layers or [], segment, middle[todo], precise)
        todo = todo[~known[todo]]
    for first, last in _runs(~known):
        low = middle[first - 1] if first > 0 else segment.a
        high = middle[last] if last < len(middle) else segment.b
        line = Segment(low, high, start=segment.start, direction=segment.direction)
        part = patterns_exact(net, line)[min(first, 1):]  # from inside the region before to inside the one after
        out[first:last] = part[:len(part) - (last < len(middle))]
    return out


def _midpoints(line: PiecewiseAffine) -> tuple[Floats, Booleans]:
    """A float in each region, and whether it certainly lies inside."""
    left, right = line.breakpoints[:-1], line.breakpoints[1:]
    middle = left + (right - left) / 2
    radius = np.zeros(len(left) + 1) if line.radius is None else line.radius
    margin = 8 * U * (np.abs(left) + np.abs(right)) + 1e-300
    return middle, np.asarray((middle - left > radius[:-1] + margin) & (right - middle > radius[1:] + margin))


def _activity(layers: Sequence[Layer], segment: Segment, t: Floats, precise: bool) -> tuple[Booleans, Booleans]:
    """Patterns at the points x(t), (n, sum of hidden widths), and whether each is certain, (n,)."""
    x, low, e = points(segment.start, segment.direction, t)
    if not precise:
        e = (e + np.abs(low).sum(axis=1)) * SAFE
    columns, certain = [np.zeros((len(t), 0), np.bool_)], np.ones(len(t), np.bool_)
    with np.errstate(over="ignore", invalid="ignore"):
        for layer in layers[:-1]:
            if precise:
                z, low, e = affine_double_double(layer.transposed, layer.bias, x, low, e, layer.norm)
            else:
                z, e = product(layer, x, e)
                z += layer.bias
                e = (e + 2 * U * (np.sqrt((z * z).sum(axis=1)) + layer.bias_norm)) * SAFE
                low = np.zeros_like(z)
            sure = (np.abs(z) > (e[:, None] + np.abs(low)) * SAFE) | (e == 0)[:, None]
            certain &= sure.all(axis=1)
            columns.append(z > 0)
            x, low = np.where(z > 0, z, 0.0), np.where(z > 0, low, 0.0)
            e = np.where(certain & ~columns[-1].any(axis=1), 0.0, e)  # what is off is exactly zero
    return np.concatenate(columns, axis=1), certain


def _runs(flags: Booleans) -> Iterator[tuple[int, int]]:
    """The maximal runs [first, last) of True."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], flags, [False]]))).tolist()
    return zip(edges[::2], edges[1::2], strict=True)
