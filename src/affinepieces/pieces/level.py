"""One level of accuracy on one interval: all breakpoints at once, layer by layer, and the zones that stay in doubt."""
from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from copy import copy
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from affinepieces._interrupts import check
from affinepieces.arithmetic.double_double import U
from affinepieces.pieces import kernels
from affinepieces.pieces.certificate import EXACT, Certificate, name_of
from affinepieces.pieces.jumps import slope_jumps
from affinepieces.pieces.kernels import Activations, Place
from affinepieces.pieces.line import Line
from affinepieces.pieces.prepared import Floats, Layer

Booleans = NDArray[np.bool_]
ROOM = 4096  # zones that one pass may mark
LIMIT = 2**21  # numbers in a layer of one pass; where there are more the columns are divided
PARTS = 8  # into so many parts
COINCIDENCE = 4  # words from which on a doubt without large errors is taken for an exact coincidence
VAGUE = 2.0**-20  # errors beyond this share of the values call for more words


class Wanted(NamedTuple):
    """What shall be found besides the breakpoints."""

    kinks: bool = False
    values: bool = False
    patterns: bool = False


@dataclass(frozen=True)
class Found:
    """Interior breakpoints of an open interval, in order, and what lies between them.

    t: (r,) floats.  tau: (r,) bounds of their errors.  kink: (r,) booleans.  y: (r, N_L) values at the breakpoints,
    y_radius: (r,) bounds of their errors (2-norm).  ends: values at the ends and their bounds, as y and y_radius.
    slopes: (r + 1, N_L) between the breakpoints, slope_radius: (r + 1,).  patterns: (r + 1, hidden neurons).
    What was not wanted is empty.
    """

    t: Floats
    tau: Floats
    kink: Booleans
    y: Floats
    y_radius: Floats
    ends: tuple[Floats, Floats]
    slopes: Floats
    slope_radius: Floats
    patterns: Booleans
    certificate: Certificate = Certificate()  # noqa: RUF009  (a value that cannot change)

    def part(self, start: int, stop: int) -> Found:
        """Breakpoints start to stop - 1, and the intervals beside them."""
        at, between = slice(start, stop), slice(start, stop + 1)
        return Found(self.t[at], self.tau[at], self.kink[at], self.y[at], self.y_radius[at], self.ends,
                     self.slopes[between], self.slope_radius[between], self.patterns[between])


@dataclass(frozen=True)
class Mark:
    """An interval, counted from the left end of the pass, that numbers of so many words shall decide, and why."""

    low: float
    high: float
    words: int
    reason: str


@dataclass(frozen=True)
class Chunk:
    """What one pass found between two of its columns, or between the ends of its interval.

    low, high: floats; what is found and marked lies between, and the breakpoints at low and high are not both in it.
    """

    found: Found
    marks: tuple[Mark, ...]
    low: float
    high: float


class Pass:
    """All breakpoints of an interval in numbers of so many words.  Points are counted from its left end.

    Where a layer has too many columns they are divided, and each part goes through the layers above alone.  A part
    has one more column on its left, so that it sees both sides of the first that is its own.
    """

    def __init__(self, line: Line, a: float, b: float, words: int, wanted: Wanted) -> None:
        self.line, self.a, self.b, self.words = line, a, b, words
        self.zones, self.used, self.decided = np.empty((ROOM, 2)), np.zeros(2, np.int64), 0
        self.depth, self.own, self.last = 0, 0, True  # next layer; where the own part begins; whether it ends at b
        self.z, self.zlo, self.e = line.first(np.array([a, b]), words)
        self.place = Place(*kernels.ends_of(a, b, np.zeros(2 if words <= 2 else (2, words - 1)), words))
        self.zero: Any = line.zero(2)
        self.held: Any = None  # the activations below the next layer
        self.zs: Any = np.zeros_like(self.z) if words > 2 else None  # exact values at breakpoints that are sharp
        self.zslow: Any = np.zeros_like(self.zlo) if words > 2 else None
        self.kinks, self.values, self.patterned = wanted
        self.slope: Any = line.slopes(words) if self.values else None
        self.patterns = np.zeros((1, 0), np.bool_)
        self.width = b - a  # rounded

    def chunks(self, among: Callable[[list[Pass]], Iterable[Pass]] = iter) -> Iterator[Chunk]:
        """What is found, from left to right; `among` chooses which of the parts are worked on."""
        layers = self.line.layers
        with np.errstate(over="ignore", invalid="ignore", under="ignore"):
            while self.depth < len(layers) - 1:
                check()
                if self.depth > 0:
                    self._affine(layers[self.depth])
                self._hidden(self.depth)
                self.depth += 1
                zones, marks = self.used > min(ROOM, 8 + len(self.place.t) // 4)
                if not self.held.e.max() < np.inf or zones or (marks and self._vague(self.held.e)):
                    self.e = self.held.e
                    yield self._hindered()
                    return
                if self.held.x.size > LIMIT // self.words and len(self.place.t) >= 4 * PARTS:
                    parts = self._divided()
                    del self.held, self.place, self.z, self.zlo, self.zs, self.zslow, self.zero
                    for part in among(parts):
                        yield from part.chunks(among)
                    return
            if self.depth > 0:
                self._affine(layers[-1])
            yield self._chunk() if self.e.max() < np.inf else self._hindered()

    def _hidden(self, depth: int) -> None:
        self.decided += self.z.size
        fixed = None if self.zs is None else self.line.fixed(depth, self.words)
        held, place, parent, on = kernels.hidden_layer(self.z, self.zlo, self.e, self.zs, self.zslow, fixed,
                                                       self.line.carried[depth], self.zero, tuple(self.place),
                                                       depth, self.zones, self.used, self.values or self.patterned)
        self.held, self.place = Activations(*held), Place(*place)
        self.own = int(np.searchsorted(parent, self.own)) if self.own else 0
        between = parent[:-1]
        if self.patterned:
            self.patterns = np.concatenate([self.patterns[between], on], axis=1)
        if self.values:
            s, low, e = self.slope
            mask = on if low is None or low.ndim == 2 else on[..., None]
            low = None if low is None else np.where(mask, low[between], 0.0)
            self.slope = np.where(on, s[between], 0.0), low, np.where(on.any(axis=1), e[between], 0.0)

    def _affine(self, layer: Layer) -> None:
        x = self.held
        if self.words > 1:
            self.z, self.zlo, self.e = layer.precise(x.x, x.xlo, x.e, layer.bias)
        else:
            (self.z, self.e), self.zlo = layer.of_activations(x), None
        if x.zero is not None:
            self.zero = layer.vanishing(x.zero)
        if self.zs is not None:
            self.zs, self.zslow, lost = layer.precise(x.xs, x.xslow, np.zeros(len(x.e)), layer.bias)
            self.place = self.place._replace(sharp=self.place.sharp & (lost == 0))
        if self.values:
            s, low, e = self.slope
            if self.words > 1:
                self.slope = layer.precise(s, low, e)
            else:
                s, e = layer.float64(s, e)
                self.slope = s, None, e

    def _divided(self) -> list[Pass]:
        """Parts with equally many columns of their own."""
        edges = np.linspace(self.own, len(self.place.t) - 1, PARTS + 1).astype(int).tolist()
        return [self._part(first, last) for first, last in pairwise(edges)]

    def _part(self, first: int, last: int) -> Pass:
        """Columns first to last - 1, with one more on either side."""
        part = copy(self)
        begin = max(first - 1, 0)
        at, between = slice(begin, last + 1), slice(begin, last)
        part.held = Activations(*(None if v is None else v[at] for v in self.held))
        part.place = Place(*(v[at] for v in self.place))
        if self.values:
            s, slow, e = self.slope
            part.slope = s[between], None if slow is None else slow[between], e[between]
        if self.patterned:
            part.patterns = self.patterns[between]
        part.own, part.last = first - begin, self.last and last == len(self.place.t) - 1
        low, high = part.place.t[0], part.place.t[-1]
        zones = self.zones[:self.used[0]]
        zones = zones[(zones[:, 1] >= low) & (zones[:, 0] <= high)]
        part.zones, part.used = np.empty((ROOM, 2)), np.full(2, len(zones))
        part.zones[:len(zones)] = zones
        if first > 0:
            self.decided = part.decided = 0  # counted in the leftmost part
        return part

    def _hindered(self) -> Chunk:
        """Everything is marked for more words; how many, if the errors grow as they did."""
        layer = f"in layer {self.depth} of {len(self.line.layers)}" if self.depth else "in the only layer"
        words, reason = 2 * self.words, "too many signs in doubt"
        if self._vague(self.e):
            reason = "errors as large as the values"
            while words < self.words * len(self.line.layers) / max(self.depth, 1):
                words *= 2
        elif self.words >= COINCIDENCE:
            words = EXACT
        return self._marked(words, f"{name_of(self.words)} left {layer}: {reason}")

    def _vague(self, e: Floats) -> bool:
        """Whether errors are as large as values."""
        return bool(np.median(e) > VAGUE * np.median(np.abs(self.z).max(axis=1)))

    def _marked(self, words: int, reason: str) -> Chunk:
        """Nothing found, and everything that is the own part marked."""
        c, (low, high) = self.place, self._range()
        n = self.line.layers[-1].shape[0] if self.values else 0
        neurons = sum(self.line.net.widths[1:-1]) if self.patterned else 0
        inner = min(self.own, 1)  # the column where the own part begins, so that the intervals beside are told apart
        t, _ = _sum(self.a, c.t[[self.own]], c.tlo[[self.own]])
        nothing = Found(t[:inner], c.tau[[self.own]][:inner], np.zeros(inner, np.bool_), np.zeros((inner, n)),
                        np.zeros(inner), (np.full((2, n), np.nan), np.full(2, np.inf)), np.zeros((inner + 1, n)),
                        np.full(inner + 1, np.nan), np.zeros((inner + 1, neurons), np.bool_),
                        Certificate.of(self.words, self.decided))
        mark = Mark(float(c.t[self.own] - c.tau[self.own]), float(c.t[-1] + c.tau[-1]), words, reason)
        return Chunk(nothing, (mark,), low, high)

    def _range(self) -> tuple[float, float]:
        """Floats between which, for certain, lies the own part but for the breakpoints at its ends."""
        if self.own == 0 and self.last:
            return self.a, self.b
        ends = [self.own, -1]
        t, rounded = _sum(self.a, self.place.t[ends], self.place.tlo[ends])
        off = rounded + self.place.tau[ends] + 64 * U * np.abs(t) + 1e-300
        return (self.a if self.own == 0 else float(t[0] + off[0])), (self.b if self.last else float(t[1] - off[1]))

    def _chunk(self) -> Chunk:
        c = self.place
        kink, doubt = self._kinks()
        t, rounded = _sum(self.a, c.t[1:-1], c.tlo[1:-1])
        tau = (c.tau[1:-1] + rounded) * kernels.SAFE
        values, value_radius, slopes, slope_radius = self._values()
        ends = values[::len(values) - 1], value_radius[::len(values) - 1]
        found = Found(t, tau, kink, values[1:-1], value_radius[1:-1], ends, slopes, slope_radius, self.patterns,
                      Certificate.of(self.words, self.decided))
        if self.own > 1:
            found = replace(found.part(self.own - 1, len(t)), certificate=found.certificate)
        low, high = self._range()
        if not self.used[0] and not len(doubt):
            return Chunk(found, (), low, high)
        marked = [*self.zones[:self.used[0]].tolist(),
                  *zip((c.t - c.tau)[doubt].tolist(), (c.t + c.tau)[doubt].tolist(), strict=True)]
        words = 2 * self.words if self.words < COINCIDENCE else EXACT
        begin, end = float(c.t[self.own] - c.tau[self.own]), float(c.t[-1])
        marks = tuple(Mark(u, v, words, f"{name_of(self.words)}: an interval in doubt")
                      for u, v in (self._ordered(u, v) for u, v in marked) if v >= begin and u <= end)
        return Chunk(found, marks, low, high)

    def _ordered(self, u: float, v: float) -> tuple[float, float]:
        return (min(u, v), max(u, v)) if u == u and v == v else (0.0, self.width)

    def _values(self) -> tuple[Floats, Floats, Floats, Floats]:
        """Values at the columns and slopes between them, in the network's own scale, with their bounds."""
        n = len(self.place.t)
        if not self.values:
            return np.zeros((n, 0)), np.zeros(n), np.zeros((n - 1, 0)), np.zeros(n - 1)
        tau, power = self.place.tau, -self.line.power
        s, slow, se = self.slope
        slopes, slope_radius = unscaled(s, slow, se, power)
        steep = norms(s) + _tails(slow) + se
        either = np.maximum(np.concatenate([steep[:1], steep]), np.concatenate([steep, steep[-1:]]))
        off = np.where(tau > 0, tau * either, 0.0)
        values, value_radius = unscaled(self.z, self.zlo, (self.e + off) * kernels.SAFE, power)
        return values, value_radius, slopes, slope_radius

    def _kinks(self) -> tuple[Booleans, NDArray[np.int64]]:
        """Whether the slope changes at each interior column, and the columns where that is in doubt."""
        c = self.place
        if not self.kinks or len(c.t) == 2:
            return np.zeros(len(c.t) - 2, np.bool_), np.zeros(0, np.int64)
        zlo = np.zeros_like(self.z) if self.zlo is None else self.zlo
        state = kernels.kinks(self.z, zlo, self.e, c.t, c.tlo, c.eta, self._clear_of_zones(), c.dark)
        self.decided += len(state)
        doubt = np.flatnonzero(state == kernels.DOUBT)
        if len(doubt) and self.words == 1:  # in float64 each column belongs to exactly one neuron
            *hidden, last = self.line.layers
            newest = doubt[c.birth[doubt + 1, 0] == len(hidden) - 1]
            if not last.dropped:
                state[newest] = last.reads(c.birth[newest + 1, 1])
                doubt = np.flatnonzero(state == kernels.DOUBT)
            together = max(1, LIMIT // (4 * max(self.line.net.widths)))  # which bounds the memory
            for few in np.split(doubt, range(together, len(doubt), together)):
                z, e = self._first_again(c.t[few + 1])
                state[few] = slope_jumps(self.line, z, e, c.birth[few + 1])
            doubt = np.flatnonzero(state == kernels.DOUBT)
        return state == 1, doubt + 1

    def _first_again(self, t: Floats) -> tuple[Floats, Floats]:
        """First preactivations at points of the interval, in float64, with their errors."""
        z, _, e = self.line.first(np.array([self.a, self.b]), 1)
        share = (t / self.width)[:, None]
        error = e.max() + 16 * U * (norms(z).sum() + kernels.ROOT)
        return (1 - share) * z[0] + share * z[1], np.full(len(t), error * kernels.SAFE + kernels.FLOOR)

    def _clear_of_zones(self) -> Floats:
        """tau, enlarged at the columns in a zone so that outside of t +- tau the output is affine between columns."""
        t, tau = self.place.t, np.asarray(self.place.tau)
        if not self.used[0]:
            return tau
        wider = tau.copy()
        for low, high in self.zones[:self.used[0]].tolist():
            inside = slice(max(int(np.searchsorted(t, low)) - 1, 0), int(np.searchsorted(t, high)) + 1)
            near = np.maximum(t[inside] - low, high - t[inside])
            touched = (t[inside] + tau[inside] >= low) & (t[inside] - tau[inside] <= high)
            wider[inside] = np.where(touched, np.maximum(wider[inside], near), wider[inside])
        return wider


def _sum(a: float, t: Floats, low: Floats) -> tuple[Floats, Floats]:
    """a + t + low in float64, and a bound of what was rounded away."""
    rest = low if low.ndim == 1 else low[:, ::-1].sum(axis=1)
    s = a + t
    v = s - a
    error = (a - (s - v)) + (t - v) + rest
    rounded = s + error
    lost = np.abs((s - rounded) + error) + 4 * U * np.abs(error)
    return rounded, np.where(error == 0, 0.0, lost * kernels.SAFE + 1e-323)


def unscaled(x: Floats, low: Any, e: Floats, power: int) -> tuple[Floats, Floats]:
    """x 2^power in one word, and a bound of its error."""
    if low is None:
        value, lost = x, np.zeros(len(x))
    else:
        rest = low if low.ndim == 2 else low[..., ::-1].sum(axis=2)
        value = x + rest
        lost = norms(np.where(rest == 0, 0.0, 2 * U * value)) + 4 * U * norms(rest)
    scaled = np.asarray(np.ldexp(value, power))
    radius = np.ldexp((e + lost) * kernels.SAFE, power)
    radius = np.where(e + lost == 0, 0.0, radius * kernels.SAFE + 1e-323)
    inexact = np.ldexp(scaled, -power) != value
    radius += np.where(inexact.any(axis=1), 1e-320, 0.0)
    known = np.isfinite(scaled).all(axis=1) & ~np.isnan(radius)
    return np.asarray(scaled, np.float64), np.asarray(np.where(known, radius, np.inf))


def norms(x: Floats) -> Floats:
    """2-norms of rows, rounded up."""
    return np.asarray((np.sqrt((x * x).sum(axis=1)) + np.where(x.any(axis=1), kernels.ROOT, 0.0)) * kernels.SAFE)


def _tails(low: Any) -> Any:
    return 0.0 if low is None else np.abs(low).reshape(len(low), -1).sum(axis=1)
