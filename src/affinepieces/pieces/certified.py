"""Counts at float speed that are proved: float64, then more words, then rational arithmetic for what is in doubt.

The levels share one algorithm (`kernels`, `level`), which marks the intervals of the segment where it cannot decide.
Outside of them its list of breakpoints is complete and correct; inside, the next level works on that interval alone.
The last level, `exact`, decides everything.  Intervals with very many breakpoints are cut, and worked through one
after the other, so that memory does not grow with their number.
"""
from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

import numpy as np
from tqdm import tqdm

from affinepieces import environment
from affinepieces._interrupts import check
from affinepieces.arithmetic.double_double import U
from affinepieces.layers import Layered
from affinepieces.pieces.certificate import EXACT, MOST, Certificate
from affinepieces.pieces.exact import floats, kinks_exact, layers_exact, patterns_between, slopes_exact
from affinepieces.pieces.level import Found, Pass, Wanted
from affinepieces.pieces.line import Line
from affinepieces.pieces.prepared import Floats
from affinepieces.pieces.segment import Segment
from affinepieces.pieces.zones import Zone, noted, settled

BAR = "{percentage:3.0f}% of the segment |{bar}| {elapsed}<{remaining}"
PATIENCE = 3.0  # seconds without a progress bar
NARROW = 8  # up to this width matrix products in float64 are no faster than in double-double


def first_level(widths: tuple[int, ...]) -> int:
    """Words of the numbers in the first attempt at a network with these widths."""
    return 2 if max(widths[1:]) <= NARROW else 1


@dataclass(frozen=True)
class Search:
    """What shall be found about a network on a segment."""

    line: Line
    wanted: Wanted

    @classmethod
    def of(cls, net: Layered, segment: Segment, wanted: Wanted) -> Search:
        """Raises where the network does not fit the segment, or the processor does not compute as it should."""
        segment.check(net)
        environment.check()
        with np.errstate(over="ignore", under="ignore", invalid="ignore"):
            return cls(Line(net, segment), wanted)

    @property
    def words(self) -> int:
        """Of the first level."""
        return first_level(self.line.net.widths)

    def parts(self, a: float, b: float, words: int) -> Iterator[Found]:
        """Everything between a and b from left to right, in parts that meet where nothing breaks."""
        check()
        if words > MOST:
            yield self.exact(a, b)
            return
        chunks = Pass(self.line, a, b, words, self.wanted).chunks()
        for found, zones in settled(chunks, a, b):
            yield from self._finished(found, zones, a, b)

    def _finished(self, found: Found, zones: list[Zone], a: float, b: float) -> Iterator[Found]:
        """What was found, with the next level for what was not."""
        if len(zones) > 8 + len(found.t) // 8:
            zones = [Zone(zones[0].low, zones[-1].high, max(zone.words for zone in zones), zones[0].reason)]
        if not zones:
            yield found
            return
        start, note = 0, found.certificate
        for zone in zones:
            note += Certificate(notes=((zone.reason, 1),))
            if zone.low > a:
                yield replace(found.part(start, int(np.searchsorted(found.t, zone.low))), certificate=note)
                note = Certificate()
            yield from noted(self.parts(zone.low, zone.high, zone.words), note)
            note, start = Certificate(), int(np.searchsorted(found.t, zone.high, side="right"))
        if zones[-1].high < b:
            yield replace(found.part(start, len(found.t)), certificate=note)

    def exact(self, a: float, b: float) -> Found:
        """In rational arithmetic."""
        net, line = self.line.net, self.line.segment.part(a, b)
        decided = 0
        for rows, width in zip(layers_exact(net, line), (*net.widths[1:-1], 0), strict=True):
            decided += len(rows) * width
        t = floats(rows, -2, -1)[:, 0]
        y, slopes = np.zeros((len(t), 0)), np.zeros((len(t) - 1, 0))
        if self.wanted.values:
            y, slopes = floats(rows, 0, net.widths[-1]), slopes_exact(rows)
        patterns = np.zeros((len(t) - 1, 0), np.bool_)
        if self.wanted.patterns:
            patterns = patterns_between(net, line, rows)
        y_radius, at = _once_rounded(y), slice(1, -1)
        return Found(t[at], 2 * U * np.abs(t[at]) + 1e-323, kinks_exact(rows), y[at], y_radius[at],
                     (y[[0, -1]], y_radius[[0, -1]]), slopes, _once_rounded(slopes), patterns,
                     Certificate.of(EXACT, decided))


def _once_rounded(x: Floats) -> Floats:
    """Bounds of the errors of rows that were rounded once (2-norm)."""
    with np.errstate(over="ignore"):
        radius = np.abs(2 * U * x).sum(axis=1) + 1e-323 * x.any(axis=1) + 1e-323
    return np.where(np.isfinite(x).all(axis=1), radius, np.inf)


def followed(parts: Iterable[Found], segment: Segment) -> Iterator[Found]:
    """The parts, with a progress bar where they take long."""
    begin, bar = time.perf_counter(), None
    try:
        for part in parts:
            if bar is None and time.perf_counter() - begin > PATIENCE:
                bar = tqdm(total=1.0, leave=False, bar_format=BAR)
            if bar is not None and len(part.t):
                bar.update((part.t[-1] - segment.a) / segment.length - bar.n)
            yield part
    finally:  # also before an error is shown
        if bar is not None:
            bar.close()
