"""Counts at float speed that are proved: float64, then double-double, then rational arithmetic for what is in doubt.

The levels share one algorithm (`kernels`), which marks the intervals of the segment where it cannot
decide.  Outside of them its list of breakpoints is complete and correct; inside, the next level
counts on that interval alone.  The last level, `exact`, decides everything.
"""
from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from affinepieces.arithmetic.double_double import U
from affinepieces.networks import ReLUNetwork
from affinepieces.pieces import kernels
from affinepieces.pieces.exact import floats, kinks_exact, layers_exact
from affinepieces.pieces.jumps import slope_jumps
from affinepieces.pieces.layers import Layer, prepare
from affinepieces.pieces.piecewise import Certificate, PiecewiseAffine
from affinepieces.pieces.segment import Segment

Floats = NDArray[np.float64]
FLOAT64, DOUBLE_DOUBLE, EXACT = 0, 1, 2
NARROW = 8  # up to this width matrix products in float64 are no faster than in double-double
ROOM = 4096  # zones that one pass may mark


@dataclass(frozen=True)
class Found:
    """Interior breakpoints of an open interval, in order, and how they were decided.

    t: (r,) floats.  tau: (r,) bounds of their errors.  kink: (r,) booleans.  y: (r, N_L) values.
    ends: (2, N_L) values at the ends.
    """

    t: Floats
    tau: Floats
    kink: NDArray[np.bool_]
    y: Floats
    ends: Floats
    certificate: Certificate


def trace_certified(net: ReLUNetwork, segment: Segment, *, kinks: bool = True) -> PiecewiseAffine:
    """R(Phi) along the segment in float64, with proved regions and, if `kinks`, proved kinks."""
    segment.check(net)
    layers = prepare(net)
    level = EXACT if layers is None else DOUBLE_DOUBLE if max(net.widths) <= NARROW else FLOAT64
    found = _Problem(net, segment, layers or [], kinks).solve(segment.a, segment.b, level)
    breakpoints = np.concatenate([[segment.a], found.t, [segment.b]])
    values = np.concatenate([found.ends[:1], found.y, found.ends[1:]])
    radius = np.concatenate([[0.0], found.tau, [0.0]])
    return PiecewiseAffine(breakpoints, values, found.kink, radius, found.certificate)


@dataclass(frozen=True)
class _Problem:
    net: ReLUNetwork
    segment: Segment
    layers: list[Layer]
    kinks: bool

    def solve(self, a: float, b: float, level: int) -> Found:
        """Everything between a and b, starting at a level."""
        if level == EXACT:
            return self._exact(a, b)
        run = _Pass(self, a, b, level == DOUBLE_DOUBLE).run()
        if run is None:
            return self.solve(a, b, level + 1)
        found, zones = run
        if not zones:
            return found
        if len(zones) > 8 + len(found.t) // 8:
            return self.solve(a, b, level + 1)
        inner = [(low, high, self.solve(low, high, level + 1)) for low, high in tqdm(zones, delay=3, leave=False)]
        return _splice(found, inner)

    def _exact(self, a: float, b: float) -> Found:
        line = Segment(a, b, start=self.segment.start, direction=self.segment.direction)
        decided = 0
        for rows, width in zip(layers_exact(self.net, line), (*self.net.widths[1:-1], 0), strict=True):
            decided += len(rows) * width
        t, y = floats(rows, -2, -1)[:, 0], floats(rows, 0, self.net.widths[-1])
        return Found(t[1:-1], 2 * U * np.abs(t[1:-1]) + 1e-323, kinks_exact(rows), y[1:-1], y[[0, -1]],
                     Certificate(exact=decided))


class _Pass:
    """One level on one interval."""

    def __init__(self, problem: _Problem, a: float, b: float, precise: bool) -> None:
        self.problem, self.precise = problem, precise
        self.zones, self.used = np.empty((ROOM, 2)), np.zeros(1, np.int64)
        self.decided = 0
        self.t = np.array([a, b])
        self.tlo, self.eta, self.tau = np.zeros(2), np.zeros(2), np.zeros(2)
        self.dark = np.zeros(2, np.bool_)
        self.x, self.lo, self.e = self._points(self.t)
        self.birth = np.full((2, 2), -1, np.int32)
        self.weight = (self.x.shape[1] + 4) * np.sqrt((self.x**2).sum(axis=1)) * kernels.SAFE

    def run(self) -> tuple[Found, list[tuple[float, float]]] | None:
        """What was found, and the zones in doubt; None where too much is in doubt."""
        *hidden, last = self.problem.layers
        with np.errstate(over="ignore", invalid="ignore"):
            for depth, layer in enumerate(hidden):
                self._hidden(layer, depth)
                if not self.e.max() < np.inf or self.used[0] > min(ROOM, 8 + len(self.t) // 4):
                    return None
            y, ylo, e = self._affine(last)
        if not e.max() < np.inf:
            return None
        ylo = np.zeros_like(y) if ylo is None else ylo
        a, b = self.t[0], self.t[-1]
        inside = slice(1, -1)
        kink, doubt = self._kinks(y, ylo, e)
        level = "double_double" if self.precise else "float64"
        found = Found(self.t[inside], self.tau[inside] + np.abs(self.tlo[inside]), kink, y[inside] + ylo[inside],
                      y[[0, -1]], Certificate(**{level: self.decided}))
        marked = [*self.zones[:self.used[0]].tolist(),
                  *zip((self.t - self.tau)[doubt].tolist(), (self.t + self.tau)[doubt].tolist(), strict=True)]
        return found, _separate(marked, found, a, b) if marked else []

    def _kinks(self, y: Floats, ylo: Floats, e: Floats) -> tuple[NDArray[np.bool_], NDArray[np.int64]]:
        """Whether the slope changes at each interior column, and the columns where that is in doubt."""
        if not self.problem.kinks or len(self.t) == 2:
            return np.zeros(len(self.t) - 2, np.bool_), np.zeros(0, np.int64)
        state = kernels.kinks(y, ylo, e, self.t, self.tlo, self.eta, self._clear_of_zones(), self.dark)
        self.decided += len(state)
        doubt = np.flatnonzero(state == kernels.DOUBT)
        if len(doubt) and not self.precise:  # in float64 each column belongs to exactly one neuron
            *hidden, last = self.problem.layers
            newest = doubt[self.birth[doubt + 1, 0] == len(hidden) - 1]
            state[newest] = last.weights[:, self.birth[newest + 1, 1]].any(axis=0)
            doubt = np.flatnonzero(state == kernels.DOUBT)
            at = doubt + 1
            x, _, e = self._points(self.t[at])
            state[doubt] = slope_jumps(self.problem.layers, x, e, self.birth[at])
            doubt = np.flatnonzero(state == kernels.DOUBT)
        return state == 1, doubt + 1

    def _clear_of_zones(self) -> Floats:
        """tau, enlarged at the columns in a zone so that outside of t +- tau the output is affine between columns."""
        tau = self.tau.copy()
        for low, high in self.zones[:self.used[0]].tolist():
            inside = slice(max(int(np.searchsorted(self.t, low)) - 1, 0), int(np.searchsorted(self.t, high)) + 1)
            near = np.maximum(self.t[inside] - low, high - self.t[inside])
            touched = (self.t[inside] + self.tau[inside] >= low) & (self.t[inside] - self.tau[inside] <= high)
            tau[inside] = np.where(touched, np.maximum(tau[inside], near), tau[inside])
        return tau

    def _points(self, t: Floats) -> tuple[Floats, Floats, Floats]:
        x, lo, e = kernels.points(self.problem.segment.start, self.problem.segment.direction, t)
        if not self.precise:
            e = e + U * np.abs(x).sum(axis=1) + kernels.FLOOR
        return x, lo, e

    def _affine(self, layer: Layer) -> tuple[Floats, Floats | None, Floats]:
        if self.precise:
            z, zlo, e = kernels.affine_double_double(layer.transposed, layer.bias, self.x, self.lo, self.e, layer.norm)
            return z, zlo, e
        z = self.x @ layer.weights.T
        e = kernels.finish_affine(z, layer.bias, self.e, self.weight, layer.norm, layer.frobenius, layer.bias_norm,
                                  layer.weights.shape[1])
        return z, None, e

    def _hidden(self, layer: Layer, depth: int) -> None:
        z, zlo, e = self._affine(layer)
        (self.x, self.lo, self.e, self.t, self.tlo, self.eta, self.tau, self.dark, self.birth,
         self.weight) = kernels.hidden_layer(z, zlo, e, self.t, self.tlo, self.eta, self.tau, self.dark, self.birth,
                                             depth, self.zones, self.used)
        self.decided += z.size


def _separate(marked: list[Any], found: Found, a: float, b: float) -> list[tuple[float, float]]:
    """The marked intervals widened until each end is a float clear of every breakpoint, and merged."""
    margin = 8 * U * np.abs(found.t) + found.tau + 1e-300
    low, high = found.t - margin, np.maximum.accumulate(found.t + margin)
    low = np.minimum.accumulate(low[::-1])[::-1]
    zones: list[tuple[float, float]] = []
    for left, right in sorted((min(u, v), max(u, v)) if u == u and v == v else (a, b) for u, v in marked):
        left -= 16 * U * abs(left) + 1e-300
        right += 16 * U * abs(right) + 1e-300
        i = int(np.searchsorted(high, left))
        while i < len(low) and low[i] <= left:  # the breakpoint straddles the left end: take it in
            left = float(np.nextafter(low[i], -np.inf))
            i = int(np.searchsorted(high, left))
        k = int(np.searchsorted(low, right, side="right")) - 1
        while k >= 0 and high[k] >= right:
            right = float(np.nextafter(high[k], np.inf))
            k = int(np.searchsorted(low, right, side="right")) - 1
        left, right = max(left, a), min(right, b)
        if zones and left <= zones[-1][1]:
            zones[-1] = (zones[-1][0], max(right, zones[-1][1]))
        else:
            zones.append((left, right))
    return zones


def _splice(found: Found, inner: list[tuple[float, float, Found]]) -> Found:
    """The breakpoints outside of the zones, and inside of them those of the next level."""
    parts: list[Found] = []
    start, certificate = 0, found.certificate
    for low, high, part in inner:
        stop = int(np.searchsorted(found.t, low))
        parts += [_slice(found, start, stop), part]
        start = int(np.searchsorted(found.t, high, side="right"))
        certificate = certificate + part.certificate
    parts.append(_slice(found, start, len(found.t)))
    join = {name: np.concatenate([getattr(part, name) for part in parts]) for name in ("t", "tau", "kink", "y")}
    return Found(**join, ends=found.ends, certificate=certificate)


def _slice(found: Found, start: int, stop: int) -> Found:
    part = slice(start, stop)
    return Found(found.t[part], found.tau[part], found.kink[part], found.y[part], found.ends, Certificate())
