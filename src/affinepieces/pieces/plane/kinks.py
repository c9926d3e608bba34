"""Does the affine map of the function change across an edge?"""
from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from affinepieces._interrupts import check
from affinepieces.arithmetic.double_double import U
from affinepieces.pieces.kernels import FLOOR, SAFE
from affinepieces.pieces.plane.cutting import Cutting
from affinepieces.pieces.prepared import Floats

Integers = NDArray[np.int64]
Booleans = NDArray[np.bool_]
AT_ONCE = 2**15  # edges whose jumps are followed together


def kinks(cutting: Cutting, maps: tuple[Floats, Floats], sides: Integers, cuts: Integers) -> Booleans:
    """Decided for all edges: (E,).

    maps: coefficients (C, 3, m) of the outputs in each cell, and their errors (C, 3).  sides: (E, 2), the two cells;
    cuts: (E, 2), layer and row of the neuron that changes there.  First by the difference of the maps; then by the
    jump of the neuron alone, which layers in which nothing active reads it make zero; then in rational arithmetic.
    """
    found, doubt = _by_difference(maps, sides)
    clear = doubt[_only_one_changes(cutting, sides[doubt], cuts[doubt])]
    jumps = np.zeros(len(sides), np.int8)
    for part in np.split(clear, range(AT_ONCE, len(clear), AT_ONCE)):
        jumps[part] = _by_jump(cutting, cutting.patterns[sides[part, 0]], cuts[part])
    found |= jumps > 0
    for i in doubt[jumps[doubt] == 0].tolist():
        check()
        left, right = cutting.patterns[sides[i]]
        found[i] = not cutting.doubts.same(left, right)
        cutting.exact += 1
    return found


def _by_difference(maps: tuple[Floats, Floats], sides: Integers) -> tuple[Booleans, Integers]:
    """Where the maps differ for certain, and the other edges."""
    g, e = maps
    found = np.zeros(len(sides), np.bool_)
    with np.errstate(over="ignore", invalid="ignore"):
        for i in range(3):
            one, two = g[sides[:, 0], i], g[sides[:, 1], i]
            size = np.sqrt(((one - two)**2).sum(axis=1))
            rounded = 4 * U * (np.abs(one) + np.abs(two)).sum(axis=1)
            found |= size > SAFE * (e[sides[:, 0], i] + e[sides[:, 1], i] + rounded) + FLOOR
    return found, np.flatnonzero(~found)


def _only_one_changes(cutting: Cutting, sides: Integers, cuts: Integers) -> Booleans:
    """Whether the patterns of the two cells differ in nothing but the neuron that made the edge."""
    out = np.zeros(len(sides), np.bool_)
    for first in range(0, len(sides), AT_ONCE):
        part = slice(first, first + AT_ONCE)
        left, right = cutting.patterns[sides[part, 0]], cutting.patterns[sides[part, 1]]
        out[part] = (left != right).sum(axis=1) == 1
    return out


def _by_jump(cutting: Cutting, patterns: Booleans, cuts: Integers) -> NDArray[np.int8]:
    """1 where the jump of the map is not zero, -1 where it is zero, 0 in doubt.

    The neuron's preactivation has a factor that carries on to the outputs, the same on both sides: it starts as 1, and
    passes through the layers above as an input would, without biases and with the pattern that holds on both sides.
    """
    widths, out = cutting.net.widths, np.zeros(len(cuts), np.int8)
    ends = np.cumsum([0, *widths[1:-1]])
    for layer in np.unique(cuts[:, 0]).tolist():
        own = np.flatnonzero(cuts[:, 0] == layer)
        x, e = np.zeros((len(own), widths[layer + 1])), np.zeros(len(own))
        x[np.arange(len(own)), cuts[own, 1]] = 1.0
        with np.errstate(over="ignore", invalid="ignore", under="ignore"):
            for j in range(layer + 1, cutting.net.layers):
                x, e = cutting.layers[j].float64(x, e)
                if j < cutting.net.layers - 1:
                    active = patterns[own, ends[j]:ends[j + 1]]
                    x, e = np.where(active, x, 0.0), np.where(active.any(axis=1), e, 0.0)
            size = np.sqrt((x * x).sum(axis=1))
        out[own] = np.where(size > SAFE * e + FLOOR, 1, np.where((e == 0) & ~x.any(axis=1), -1, 0))
    return out
