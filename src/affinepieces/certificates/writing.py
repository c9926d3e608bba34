"""What a certificate holds: network and domain as integers, and what was counted, region by region.

A layer is {"bits": k, "rows": [...]}, and a row is "relu 5 0:3 7:-4" for max(0, 5 + 3 x_0 - 4 x_7) with all numbers
over 2^k.  The domain is such a layer too, from its one or two parameters into the input space, and its corners.
"""
from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from affinepieces._files import path_of, replaced
from affinepieces.layers import Layered
from affinepieces.pieces.plane.polygon import Polygon
from affinepieces.pieces.plane.subdivision import Subdivision
from affinepieces.pieces.segment import Segment
from affinepieces.sparse import SparseMatrix

Domain = Segment | Polygon
Json = dict[str, Any]
Row = tuple[Fraction, list[tuple[int, Fraction]]]  # bias, and (column, weight) where it is not 0
FORMAT, VERSION, PRIME, DIGITS = "affinepieces certificate", 1, 2**128 - 159, 20


@dataclass(frozen=True)
class Boundary:
    """Of two regions, numbered as in the count."""

    left: int
    right: int
    kink: bool
    more: Json


def certificate_of(net: Layered, domain: Domain) -> Json:
    """All that a certificate holds; the network is counted for it.

    >>> from affinepieces.constructions import hat
    >>> certificate_of(hat(), Segment(0, 1))["boundaries"]
    [{'regions': [0, 1], 'neuron': [0, 1], 'kink': True, 'at': '0.50000000000000000000'}]
    """
    from affinepieces.pieces.count import activation_patterns, trace

    if isinstance(domain, Polygon):
        return of_subdivision(net, trace(net, domain))
    function, exact = trace(net, domain), trace(net, domain, exact=True)
    a, b = Fraction(domain.a), Fraction(domain.b)
    shares = [f"0.{(t - a) * 10**DIGITS // (b - a):0{DIGITS}}" for t in exact.breakpoints[1:-1].tolist()]
    boundaries = [Boundary(i, i + 1, kink, {"at": at})
                  for i, (kink, at) in enumerate(zip(function.kinks.tolist(), shares, strict=True))]
    return _assembled(net, domain, activation_patterns(net, domain), function.pieces, boundaries)


def of_subdivision(net: Layered, found: Subdivision) -> Json:
    """All that the certificate of a count on a polygon holds."""
    inner = (found.sides >= 0).all(axis=1)
    boundaries = [Boundary(i, j, kink, {}) for (i, j), kink in zip(found.sides[inner].tolist(),
                                                                   found.kinks[inner].tolist(), strict=True)]
    return _assembled(net, found.polygon, found.patterns, found.pieces, boundaries)


def text_of(net: Layered, domain: Domain) -> str:
    """The text of the certificate; each of its entries begins a line."""
    entries = certificate_of(net, domain).items()
    return "{\n" + ",\n".join(f"{json.dumps(key)}:{_compact(value)}" for key, value in entries) + "\n}\n"


def write(path: Any, net: Layered, domain: Domain) -> None:
    """Count, and write the certificate, whole or not at all."""
    name = path_of(path)
    text = text_of(net, domain)
    with replaced(name) as file:
        file.write(text.encode())


def fingerprint(network: Sequence[Json], domain: Json) -> str:
    """Of the question: the bytes of its text are the digits of a number to the base 256, taken modulo a prime."""
    return f"{int.from_bytes(_compact([network, domain]).encode(), 'big') % PRIME:x}"


def network_of(net: Layered) -> list[Json]:
    """The layers of a network."""
    relus = [np.ones(n, np.bool_) if c is None else ~c for c, n in zip(net.carried, net.widths[1:-1], strict=True)]
    relus.append(np.zeros(net.widths[-1], np.bool_))
    return [_layer(_rows(a, b), relu) for a, b, relu in zip(net.weights, net.biases, relus, strict=True)]


def domain_of(domain: Domain) -> Json:
    """The layer that takes parameters into the input space, and the corners of the domain."""
    if isinstance(domain, Polygon):
        origin, *directions = domain.plane.exact
        corners: list[tuple[Fraction, ...]] = [*domain.exact]
    else:
        origin = [Fraction(v) for v in domain.start.tolist()]
        directions = [[Fraction(d) + Fraction(e) for d, e in zip(domain.direction.tolist(),
                                                                 domain.direction_low.tolist(), strict=True)]]
        corners = [(Fraction(domain.a),), (Fraction(domain.b),)]
    rows = [(o, [(k, d) for k, d in enumerate(ds) if d]) for o, *ds in zip(origin, *directions, strict=True)]
    bits = max(_bits(rows), *(v.denominator.bit_length() - 1 for corner in corners for v in corner))
    return {**_layer(rows, np.zeros(len(rows), np.bool_), bits),
            "corners": [" ".join(str(int(v * 2**bits)) for v in corner) for corner in corners]}


def about(network: Sequence[Json], net: Layered, name: Any) -> str:
    """"" if a certificate's network is this one, and why it is rejected otherwise."""
    right = network_of(net)
    if len(network) != len(right):
        return f"rejected: network has {len(network)} layers, but {name} has {len(right)}"
    for j, (layer, model) in enumerate(zip(network, right, strict=True)):
        if layer != model:
            rows = [k for k, pair in enumerate(zip(layer["rows"], model["rows"], strict=False)) if pair[0] != pair[1]]
            where = f".rows[{rows[0]}]" if rows and layer["bits"] == model["bits"] else ""
            return f"rejected: network[{j}]{where} is not that of {name}"
    return ""


def _compact(value: Any) -> str:
    return json.dumps(value, separators=(",", ":"))


def _rows(a: Any, b: NDArray[Any]) -> list[Row]:
    """Of an affine map, dense or sparse."""
    if isinstance(a, SparseMatrix):
        cuts = a.start.tolist()
        columns, values = a.columns.tolist(), a.values.astype(np.float64).tolist()
        entries: Iterator[Iterable[tuple[int, float]]] = (zip(columns[i:j], values[i:j], strict=True)
                                                          for i, j in pairwise(cuts))
    else:
        entries = map(enumerate, a.astype(np.float64).tolist())
    return [(Fraction(c), [(k, Fraction(v)) for k, v in row if v])
            for c, row in zip(b.astype(np.float64).tolist(), entries, strict=True)]


def _bits(rows: Sequence[Row]) -> int:
    """Binary digits after the point that hold all numbers."""
    return max(v.denominator.bit_length() - 1 for bias, entries in rows for v in (bias, *(v for _, v in entries)))


def _layer(rows: Sequence[Row], relu: NDArray[np.bool_], bits: int | None = None) -> Json:
    bits = _bits(rows) if bits is None else bits
    texts = [" ".join([str(int(bias * 2**bits)), *(f"{k}:{int(v * 2**bits)}" for k, v in entries)])
             for bias, entries in rows]
    marked = [f"relu {text}" if on else text for text, on in zip(texts, relu.tolist(), strict=True)]
    return {"bits": bits, "rows": marked}


def _assembled(net: Layered, domain: Domain, active: NDArray[np.bool_], pieces: int,
               boundaries: Sequence[Boundary]) -> Json:
    """Regions in the order of their patterns, boundaries in that of their regions."""
    network, where, patterns = network_of(net), domain_of(domain), _texts(active)
    order = sorted(range(len(patterns)), key=patterns.__getitem__)
    place = {region: k for k, region in enumerate(order)}
    neurons = [[j, k] for j, carried in enumerate(net.carried) for k in range(net.widths[j + 1])
               if carried is None or not carried[k]]
    entries = [{"regions": sorted([place[one.left], place[one.right]]),
                "neuron": neurons[int(np.argmax(active[one.left] != active[one.right]))], "kink": one.kink, **one.more}
               for one in boundaries]
    return {"format": FORMAT, "version": VERSION, "network": network, "domain": where,
            "fingerprint": fingerprint(network, where), "regions": len(patterns), "pieces": pieces,
            "patterns": [patterns[r] for r in order],
            "boundaries": sorted(entries, key=lambda entry: entry["regions"])}


def _texts(patterns: NDArray[np.bool_]) -> list[str]:
    return ["".join(row) for row in np.where(patterns, "1", "0").tolist()]
