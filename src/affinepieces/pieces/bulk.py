"""Counting in bulk: small networks, grouped by architecture, a chunk at a time in compiled code that holds no lock.

What that does not decide with certainty is left to `certified`, for one network at a time.
"""
from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from affinepieces import environment
from affinepieces._interrupts import check
from affinepieces.layers import Layered
from affinepieces.pieces import kernels
from affinepieces.pieces.certified import first_level
from affinepieces.pieces.prepared import prepare
from affinepieces.pieces.segment import Segment

LAYER = 2**12  # weights between two hidden layers; where there are more, the products of numpy are faster
SHALLOW = 8  # layers up to which most networks are decided in one pass
LENGTH = 128  # pairs in a chunk, which take some hundredths of a second, and at most a few tenths
NUMBERS = 2**18  # parameters and coordinates in a chunk of networks with many of them
DOUBLE_DOUBLE = np.zeros((1, 0))  # see `kernels.count_each`


@dataclass(frozen=True)
class Chunk:
    """Networks of one architecture and format, with a segment each, and which pairs of all they are."""

    pairs: list[int]
    nets: list[Layered]
    segments: list[Segment]


def is_small(net: Layered) -> bool:
    """Whether its products are as fast in compiled code as in numpy."""
    return net.plain and max((m * n for m, n in pairwise(net.widths[1:-1])), default=0) <= LAYER


def counted_alone(net: Layered, segment: Segment) -> tuple[int, int]:
    """Regions and pieces of a small and shallow network, proved, in one call; zeros where that is not certain."""
    segment.check(net)
    if net.layers > SHALLOW or not is_small(net):
        return 0, 0
    environment.check()
    found: tuple[int, int] = kernels.count_prepared(*prepare(net).packed, *segment.packed,
                                                    None if first_level(net.widths) == 1 else DOUBLE_DOUBLE)
    return found


def chunks(nets: Sequence[Layered], segments: Sequence[Segment]) -> list[Chunk]:
    """The pairs whose networks are small, in chunks.

    Raises ValueError for the first network that takes inputs of another dimension than its segment has.
    """
    groups: dict[Any, list[int]] = {}
    for i, (net, segment) in enumerate(zip(nets, segments, strict=True)):
        if not is_small(net):
            continue
        key = (net.dtype, len(segment.start), *[a.shape for a in net.weights])
        groups.setdefault(key, []).append(i)
    found = []
    for group in groups.values():
        net, segment = nets[group[0]], segments[group[0]]
        segment.check(net)
        numbers = sum(a.size for a in (*net.weights, *net.biases)) + 3 * segment.dim
        if numbers <= NUMBERS:
            length = min(LENGTH, NUMBERS // numbers)
            parts = [group[first:first + length] for first in range(0, len(group), length)]
            found += [Chunk(part, [nets[i] for i in part], [segments[i] for i in part]) for part in parts]
    return found


def counted(chunk: Chunk) -> NDArray[np.int64]:
    """(m, 2): regions and pieces of each pair, proved; zeros where the first level of accuracy is not enough."""
    check()
    environment.check()
    nets, network = _distinct(chunk.nets)
    segments, segment = _distinct(chunk.segments)
    widths = nets[0].widths
    parameters = _joined([a for net in nets for a in (*net.weights, *net.biases)], nets[0].dtype)
    lines = _joined([v for s in segments for v in (s.start, s.direction, s.direction_low)], np.dtype(np.float64))
    found: NDArray[np.int64] = kernels.count_each(
        parameters.reshape(len(nets), -1), network, np.array(widths), np.array([(s.a, s.b) for s in segments]),
        lines.reshape(len(segments), 3, -1), segment, None if first_level(widths) == 1 else DOUBLE_DOUBLE)
    return found


def _distinct(items: Sequence[Any]) -> tuple[list[Any], NDArray[np.int64]]:
    """Every object once, and which of these stands at each place."""
    known = {id(item): item for item in items}
    index = {name: row for row, name in enumerate(known)}
    return list(known.values()), np.array([index[id(item)] for item in items], np.int64)


def _joined(arrays: Iterable[Any], dtype: np.dtype[Any]) -> NDArray[np.float64]:
    """All entries one after the other, as float64; several times as fast as `np.concatenate` for small arrays."""
    return np.frombuffer(bytearray().join(arrays), dtype).astype(np.float64)
