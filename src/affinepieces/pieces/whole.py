"""All of a function at once: its breakpoints, values, slopes, or the activation patterns of its regions."""
from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from affinepieces.layers import Layered
from affinepieces.pieces.certified import Search, followed
from affinepieces.pieces.level import Found, Wanted
from affinepieces.pieces.piecewise import PiecewiseAffine
from affinepieces.pieces.segment import Segment
from affinepieces.pieces.size import refuse_if_too_large
from affinepieces.pieces.zones import join

MANY = 2**18  # regions from which on it is asked whether memory will hold all


def trace_certified(net: Layered, segment: Segment, words: int = 1) -> PiecewiseAffine:
    """R(Phi) along the segment in float64, with proved regions and kinks, and bounds of all errors.

    words: of the numbers in the first attempt, at least; more make the bounds sharper.
    """
    parts = _all_parts(net, segment, Wanted(kinks=True, values=True), 32 * (4 + 2 * net.widths[-1]), words)
    found = join(parts)
    ends, end_radius = found.ends
    return PiecewiseAffine(
        np.concatenate([[segment.a], found.t, [segment.b]]), np.concatenate([ends[:1], found.y, ends[1:]]), found.kink,
        found.slopes, np.concatenate([[0.0], found.tau, [0.0]]),
        np.concatenate([end_radius[:1], found.y_radius, end_radius[1:]]), found.slope_radius,
        replace(found.certificate, net=net, domain=segment))


def patterns(net: Layered, segment: Segment) -> NDArray[np.bool_]:
    """(regions, hidden neurons): which of them are active, from the certified signs."""
    every = join(_all_parts(net, segment, Wanted(patterns=True), 4 * sum(net.widths[1:-1]) + 64)).patterns
    return every if all(c is None for c in net.carried) else every[:, switching(net)]


def switching(net: Layered) -> NDArray[np.bool_]:
    """Which rows of the hidden layers, one after the other, have a ReLU."""
    rows = zip(net.carried, net.widths[1:-1], strict=True)
    return np.concatenate([np.ones(0, np.bool_), *(np.ones(n, np.bool_) if c is None else ~c for c, n in rows)])


def _all_parts(net: Layered, segment: Segment, wanted: Wanted, bytes_each: int, words: int = 1) -> list[Found]:
    """Every part of the segment; MemoryError where they would not fit."""
    search = Search.of(net, segment, wanted)
    parts, held, asked = [], 0, False
    for part in followed(search.parts(segment.a, segment.b, max(words, search.words)), segment):
        parts.append(part)
        held += len(part.t)
        if held > MANY and not asked:
            refuse_if_too_large(search, segment.a, segment.b, bytes_each)
            asked = True
    return parts
