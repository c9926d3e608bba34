"""Marked intervals as zones between floats that are clear of every breakpoint; chunks whose zones meet are merged."""
from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from affinepieces.arithmetic.double_double import U
from affinepieces.pieces.certificate import Certificate
from affinepieces.pieces.level import Chunk, Found
from affinepieces.pieces.prepared import Floats


@dataclass(frozen=True)
class Zone:
    """An interval between floats, to be decided in numbers of so many words, and why."""

    low: float
    high: float
    words: int
    reason: str


def settled(chunks: Iterable[Chunk], a: float, b: float) -> Iterator[tuple[Found, list[Zone]]]:
    """Chunks of [a, b] from left to right with their zones; those that touch are merged.

    A chunk is given away only when the next one lies to the right of it by more than all errors, so that no zone, as
    wide as it may become with what lies further to the right, reaches back into it.
    """
    pending: tuple[Chunk, list[Zone]] | None = None
    for chunk in chunks:
        new = chunk, separated(chunk, a, b)
        if pending is not None:
            before, zones = pending
            if _extent(before, zones)[1] >= _extent(*new)[0]:
                both = Chunk(join([before.found, chunk.found]), (*before.marks, *chunk.marks), before.low, chunk.high)
                new = both, separated(both, a, b)
            else:
                yield before.found, zones
        pending = new
    if pending is not None:
        yield pending[0].found, pending[1]


def _extent(chunk: Chunk, zones: list[Zone]) -> tuple[float, float]:
    """Floats between which lies everything of a chunk, also if it is narrower than the errors of its ends."""
    low, high = _clear(chunk.found)
    ends = [chunk.low, chunk.high, *(end for zone in zones for end in (zone.low, zone.high))]
    return min([*ends, *low[:1].tolist()]), max([*ends, *high[-1:].tolist()])


def _clear(found: Found) -> tuple[Floats, Floats]:
    """Increasing floats on the left and on the right of every breakpoint, certainly clear of it."""
    margin = 8 * U * np.abs(found.t) + found.tau + 1e-300
    return np.minimum.accumulate((found.t - margin)[::-1])[::-1], np.maximum.accumulate(found.t + margin)


def separated(chunk: Chunk, a: float, b: float) -> list[Zone]:
    """The marks, widened until each end is a float clear of every breakpoint that was found, and merged."""
    zones: list[Zone] = []
    low, high = _clear(chunk.found) if chunk.marks else (np.empty(0), np.empty(0))
    for mark in sorted(chunk.marks, key=lambda mark: (mark.low, mark.high)):
        left, right = a + mark.low, a + mark.high
        left -= 16 * U * (abs(left) + abs(a)) + 1e-300
        right += 16 * U * (abs(right) + abs(a)) + 1e-300
        i = int(np.searchsorted(high, left))
        while i < len(low) and low[i] <= left:  # the breakpoint straddles the left end: take it in
            left = float(np.nextafter(low[i], -np.inf))
            i = int(np.searchsorted(high, left))
        k = int(np.searchsorted(low, right, side="right")) - 1
        while k >= 0 and high[k] >= right:
            right = float(np.nextafter(high[k], np.inf))
            k = int(np.searchsorted(low, right, side="right")) - 1
        zone = Zone(max(left, a), min(right, b), mark.words, mark.reason)
        if zones and zone.low <= zones[-1].high:
            last = zones[-1]
            zone = Zone(last.low, max(last.high, zone.high), max(last.words, zone.words), last.reason)
            zones.pop()
        zones.append(zone)
    return zones


def join(parts: Sequence[Found]) -> Found:
    """One after the other: where two parts meet nothing breaks, so that the sharper of the two slopes holds.

    A slope of which nothing is known, because it lies beside a zone, has the bound nan.
    """
    slopes, radii, patterns = [parts[0].slopes], [parts[0].slope_radius], [parts[0].patterns]
    for part in parts[1:]:
        skip = int(np.isnan(part.slope_radius[0]) or radii[-1][-1] <= part.slope_radius[0])
        if not skip:
            slopes[-1], radii[-1], patterns[-1] = slopes[-1][:-1], radii[-1][:-1], patterns[-1][:-1]
        if len(part.slopes) > skip:
            slopes.append(part.slopes[skip:])
            radii.append(part.slope_radius[skip:])
            patterns.append(part.patterns[skip:])
    names = ("t", "tau", "kink", "y", "y_radius")
    whole = {name: np.concatenate([getattr(part, name) for part in parts]) for name in names}
    (left, left_radius), (right, right_radius) = parts[0].ends, parts[-1].ends
    ends = np.concatenate([left[:1], right[1:]]), np.concatenate([left_radius[:1], right_radius[1:]])
    return Found(**whole, ends=ends, slopes=np.concatenate(slopes), slope_radius=np.concatenate(radii),
                 patterns=np.concatenate(patterns), certificate=sum((p.certificate for p in parts), Certificate()))


def noted(parts: Iterable[Found], note: Certificate) -> Iterator[Found]:
    """The parts, the certificate of the first with that of another level."""
    for part in parts:
        yield replace(part, certificate=part.certificate + note)
        note = Certificate()
