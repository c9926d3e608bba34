"""The questions asked of a network on a segment or a polygon: how many regions, how many pieces, which ones."""
from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, TypeVar, overload

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from affinepieces import arguments
from affinepieces._interrupts import check, deferred, interruptible
from affinepieces.layers import Layered
from affinepieces.pieces.bulk import chunks, counted, counted_alone
from affinepieces.pieces.certified import NARROW, Search, followed
from affinepieces.pieces.exact import trace_exact
from affinepieces.pieces.level import Wanted
from affinepieces.pieces.piecewise import PiecewiseAffine
from affinepieces.pieces.plane import exact as exact_plane
from affinepieces.pieces.plane import whole as plane
from affinepieces.pieces.plane.polygon import Polygon
from affinepieces.pieces.plane.subdivision import Subdivision
from affinepieces.pieces.segment import Segment
from affinepieces.pieces.whole import patterns, trace_certified
from affinepieces.values import Value

T = TypeVar("T")
R = TypeVar("R")
KINKS = Wanted(kinks=True)


@dataclass(frozen=True, eq=False)
class Counts(Value):
    """Regions and pieces of m pairs of network and segment, arrays of shape (m,)."""

    regions: NDArray[np.int64]
    pieces: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.regions)

    def _repr_html_(self) -> str:
        rows = "".join(f"<tr><td>{i}</td><td>{r}</td><td>{p}</td></tr>"
                       for i, (r, p) in enumerate(zip(self.regions[:20], self.pieces[:20], strict=True)))
        more = f"<tr><td colspan=3>{len(self) - 20} more</td></tr>" if len(self) > 20 else ""
        return f"<table><tr><th></th><th>regions</th><th>pieces</th></tr>{rows}{more}</table>"


def count_pieces(net: Layered, domain: Segment | Polygon) -> int:
    """pieces(R(Phi), Omega): the least number of intervals that partition the segment with R(Phi) affine on each.

    On a polygon: the number of pieces after activation regions that touch along an edge, and on which R(Phi) is the
    same affine map, have been joined.
    A proved integer: the parameters are exact binary numbers, and every decision is made with a
    rigorous error bound or in rational arithmetic.  For an output of several coordinates all must
    be affine at once.  Never more than `count_regions`.  On a segment memory does not grow with the number of pieces.

    >>> from affinepieces.constructions import square
    >>> count_pieces(square(4), Segment(0, 1))
    16
    >>> from affinepieces import ReLUNetwork
    >>> pyramid = ReLUNetwork([[[1, 0], [-1, 0], [0, 1], [0, -1]], [[1, 1, 1, 1]]], [[0, 0, 0, 0], [0]])
    >>> count_pieces(pyramid, Polygon.square())
    4
    """
    return _count(net, domain, KINKS)[1]


def count_regions(net: Layered, domain: Segment | Polygon) -> int:
    """regions(Phi, Omega): 1 + the number of interior points where a hidden neuron's activity changes.

    A neuron is active where its preactivation is positive; touching zero is no change.  On a polygon: the number of
    activation patterns that hold inside of some triangle.  Proved, as `count_pieces` is.

    >>> from affinepieces.constructions import square
    >>> count_regions(square(4), Segment(0, 1))
    16
    >>> from affinepieces import ReLUNetwork
    >>> count_regions(ReLUNetwork([[[1, 0], [0, 1], [1, 1]], [[1, 1, 1]]], [[0, 0, 0], [0]]), Polygon.square())
    6
    """
    return _count(net, domain, Wanted())[0]


def count_many(nets: Layered | Iterable[Layered], segments: Segment | Iterable[Segment]) -> Counts:
    """Regions and pieces of many networks on one segment, of one network on many, or pair by pair; on all cores.

    Proved, as `count_pieces` is.  Small networks are fastest, tens of thousands a second, where many have the same
    widths and format.  For polygons call `count_regions` and `count_pieces`.

    >>> from affinepieces.constructions import sawtooth
    >>> count_many([sawtooth(n) for n in (1, 2, 3)], Segment(0, 1)).pieces
    array([2, 4, 8])
    """
    left, right = _pairs(nets, segments)
    small, table = chunks(left, right), np.zeros((len(left), 2), np.int64)
    with deferred(), tqdm(total=len(left), delay=3, leave=False, disable=len(left) == 1) as bar:
        for chunk, found in zip(small, _each(counted, small), strict=True):
            table[chunk.pairs] = found
            bar.update(np.count_nonzero(found[:, 0]))
        rest = np.flatnonzero(table[:, 0] == 0).tolist()
        threads = _long_and_narrow([left[i] for i in rest])
        for i, pair in zip(rest, _each(lambda i: _count(left[i], right[i]), rest, threads), strict=True):
            table[i] = pair
            bar.update()
    return Counts(table[:, 0].copy(), table[:, 1].copy())


@overload
def trace(net: Layered, domain: Segment, *, exact: bool = False) -> PiecewiseAffine: ...
@overload
def trace(net: Layered, domain: Polygon, *, exact: bool = False) -> Subdivision: ...
def trace(net: Layered, domain: Segment | Polygon, *, exact: bool = False) -> PiecewiseAffine | Subdivision:
    """R(Phi) along the segment: breakpoints of the activation regions, values there, slopes between.

    On a polygon: the activation regions, convex polygons, their common edges, values at the vertices, and the affine
    map of each region.
    The regions and the kinks, and so the pieces, are proved.  The numbers are float64 with proved bounds of their
    errors: each true breakpoint or vertex lies within `radius` of its floats, the function there within `value_radius`
    of `values`, slopes within `slope_radius`, maps within `map_radius`; `certificate` tells how the decisions were
    made.
    exact=True gives every number as a Fraction.
    Raises MemoryError, before the work, where so many regions are expected that memory would not hold them.

    >>> from affinepieces.constructions import hat
    >>> trace(hat(), Segment(0, 1)).slopes.ravel()
    array([ 2., -2.])
    >>> from affinepieces import ReLUNetwork
    >>> ridge = ReLUNetwork([[[1, 1]], [[2]]], [[-1], [0]])
    >>> trace(ridge, Polygon.rectangle(0, 1, 0, 1), exact=True).maps[:, 0].tolist()
    [[Fraction(0, 1), Fraction(0, 1), Fraction(0, 1)], [Fraction(2, 1), Fraction(2, 1), Fraction(-2, 1)]]
    """
    net, domain = arguments.piecewise(net), _domain(domain)
    if not isinstance(exact, bool | np.bool_):
        raise TypeError(f"exact is {exact!r}, expected True or False")
    with interruptible():
        if isinstance(domain, Polygon):
            return exact_plane.trace_exact(net, domain) if exact else plane.trace_certified(net, domain)
        return trace_exact(net, domain) if exact else trace_certified(net, domain)


def activation_patterns(net: Layered, domain: Segment | Polygon) -> NDArray[np.bool_]:
    """Which hidden neurons are active in each region, proved: (regions, N_1 + ... + N_{L-1}), layer after layer.

    On a segment in its direction, on a polygon in lexicographic order, as in `trace`.
    Raises MemoryError as `trace` does.

    >>> from affinepieces.constructions import hat
    >>> activation_patterns(hat(), Segment(0, 1))
    array([[ True, False],
           [ True,  True]])
    """
    net, domain = arguments.piecewise(net), _domain(domain)
    with interruptible():
        if isinstance(domain, Polygon):
            return plane.patterns(net, domain)
        return patterns(net, domain)


def _each(work: Callable[[T], R], items: Sequence[T], threads: bool = True) -> Iterator[R]:
    """work(item) for one item after the other, on all cores if that is more than one; nothing new is begun after an
    interrupt."""
    workers = min(os.cpu_count() or 1, len(items)) if threads else 1
    if workers <= 1:
        for item in items:
            yield work(item)
            check()
        return
    with ThreadPoolExecutor(workers) as pool:
        try:
            for found in pool.map(work, items):
                yield found
                check()
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise


def _long_and_narrow(nets: Sequence[Layered]) -> bool:
    """Threads pay only for long counts outside of matrix products: wide networks keep all cores busy as they are, and
    short counts hold the interpreter's lock most of the time."""
    return all(max(net.widths) <= NARROW for net in nets) and sum(net.layers for net in nets) > 12 * len(nets)


def _count(net: Layered, domain: Segment | Polygon, wanted: Wanted = KINKS) -> tuple[int, int]:
    """Regions and pieces, part by part."""
    net, domain = arguments.piecewise(net), _domain(domain)
    regions = pieces = 1
    with interruptible():
        if isinstance(domain, Polygon):
            return plane.count(net, domain, wanted.kinks)
        at_once = counted_alone(net, domain)
        if at_once[0]:
            return at_once
        search = Search.of(net, domain, wanted)
        for part in followed(search.parts(domain.a, domain.b, search.words), domain):
            regions += len(part.t)
            pieces += int(np.count_nonzero(part.kink))
    return regions, pieces


def _pairs(nets: Any, segments: Any) -> tuple[list[Layered], list[Segment]]:
    """As many networks as segments."""
    one_net, one_segment = not _is_several(nets), not _is_several(segments)
    left = [arguments.piecewise(net, "nets" if one_net else f"nets[{i}]")
            for i, net in enumerate([nets] if one_net else arguments.items(nets, "nets", "networks"))]
    right = [_segment(s, "segments" if one_segment else f"segments[{i}]")
             for i, s in enumerate([segments] if one_segment else arguments.items(segments, "segments", "segments"))]
    if one_net:
        left *= len(right)
    if one_segment:
        right *= len(left)
    if len(left) != len(right):
        raise ValueError(f"{len(left)} networks and {len(right)} segments: give one of either, or equally many")
    return left, right


def _is_several(value: Any) -> bool:
    """A torch module can be iterated over too, but is one network."""
    return isinstance(value, Iterable) and not hasattr(value, "forward") and not isinstance(value, str | dict)


def _segment(value: Any, name: str) -> Segment:
    remedy = "count_many counts on segments; on each polygon call count_regions or count_pieces" if isinstance(
        value, Polygon) else "make one with Segment(a, b) or Segment.between(x, y)"
    found: Segment = arguments.instance(value, Segment, name, remedy)
    return found


def _domain(value: Any) -> Segment | Polygon:
    if isinstance(value, Segment | Polygon):
        return value
    arguments.refuse("domain", value, "a Segment or a Polygon", "make one with Segment(a, b) or Segment.between(x, y), "
                     "or with Polygon(corners)")
