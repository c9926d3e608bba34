"""Check a certificate: `python check.py FILE` prints accepted, with the counts, or rejected, with the first reason.
Network, domain and patterns are read; all else is computed anew, in integers.  A form (a, b, c) is a s + b t + c times
some positive number, a point (x, y, w) is (x / w, y / w), and a segment is checked as the strip of width 1 above it."""
import json
import re
import sys
from math import gcd
from pathlib import Path
from typing import Any

NUMBER, ROW, PRIME = "(0|-?[1-9][0-9]*)", "(0|-?[1-9][0-9]*)( (0|[1-9][0-9]*):(0|-?[1-9][0-9]*))*", 2**128 - 159

def _need(holds: object, reason: str) -> None:
    if not holds:
        raise ValueError(reason)

def _alike(p: str, q: str) -> int:  # how many characters two texts begin with alike
    return next((k for k, (u, v) in enumerate(zip(p, q, strict=False)) if u != v), min(len(p), len(q)))

def _numbers(value: Any, form: str, name: str) -> Any:
    for i, text in enumerate(value if type(value) is list and value else [None]):
        _need(type(text) is str and re.fullmatch(form, text), f"{name}[{i}]: expected a text of the form {form}")
    return ([int(word) for word in re.findall("-?[0-9]+", text)] for text in value)

def _layer(v: Any, width: int, name: str) -> tuple[int, list[Any]]:  # the bias is the weight of the last form, 1
    rows = zip(v["rows"], _numbers(v["rows"], "(relu )?" * (name != "domain") + ROW, f"{name}.rows"), strict=True)
    layer = [("r" in text, [*zip([-1, *row[1::2]], row[::2], strict=True)]) for text, row in rows]
    _need(type(v["bits"]) is int and 0 <= v["bits"] <= 1074 and all(c < width for _, row in layer for c, _ in row),
          f"{name}: expected bits from 0 to 1074, and columns below {width} in all rows")
    return v["bits"], layer

def _left(p: Any, q: Any, r: Any) -> Any:  # positive where r lies to the left of the line from p to q, 0 on it
    return r[0] * (p[1] * q[2] - p[2] * q[1]) + r[1] * (p[2] * q[0] - p[0] * q[2]) + r[2] * (p[0] * q[1] - p[1] * q[0])

def _clip(corners: list[Any], form: Any) -> list[Any]:  # the part of a convex polygon where the form is not negative
    heights, kept = [form[0] * x + form[1] * y + form[2] * w for x, y, w in corners], list[Any]()
    for p, q, u, v in zip(corners, corners[1:] + corners[:1], heights, heights[1:] + heights[:1], strict=True):
        kept += [p] * (u >= 0)
        if u < 0 < v or v < 0 < u:
            cut = [abs(v) * m + abs(u) * n for m, n in zip(p, q, strict=True)]
            kept.append(tuple(m // gcd(*cut) for m in cut))
    return kept if len(kept) > 2 else []

def _through(layer: Any, bits: int, pattern: Any, forms: Any, corners: list[Any]) -> tuple[list[Any], list[Any]]:
    out = list[Any]()  # forms after the layer, None for 0, and then the part of the polygon where the pattern is right
    for relu, row in layer:
        z = tuple(map(sum, zip(*[(w * f[0], w * f[1], w * f[2]) for c, w in row if (f := forms[c])], strict=True)))
        out.append(z if not relu or next(pattern) == "1" else None)
        if relu:
            corners = _clip(corners, z if out[-1] else [-v for v in z]) if any(z) or not out[-1] else []
    return [*out, (0, 0, forms[-1][2] << bits)], corners

def _regions(layers: list[Any], patterns: Any, polygon: list[Any]) -> Any:
    path = [([(1, 0, 0), (0, 1, 0), (0, 0, 1)], polygon)]  # before each layer; neighbours in the list share a part
    for i, pattern in enumerate(patterns):
        del path[sum(start <= _alike(patterns[i - 1], pattern) for start, _, _ in layers):]
        for start, bits, layer in layers[len(path) - 1:]:
            path.append(_through(layer, bits, iter(pattern[start:]), *path[-1]))
        _need(path[-1][1] and (i == 0 or patterns[i - 1] < pattern), f"patterns[{i}]: no region, or not in order")
        yield path[-1]

def _expected(network: Any, domain: Any, patterns: Any) -> dict[str, Any]:
    layers, neurons, flat = list[Any](), list[Any](), len(domain["corners"]) == 2
    ends = [*_numbers(domain["corners"], NUMBER if flat else f"{NUMBER} {NUMBER}", "domain.corners")]
    for j, value in enumerate([domain, *network], -1):
        below, name = (len(layers[-1][2]), f"network[{j}]") if layers else (2 - flat, "domain")
        layers.append((len(neurons), *_layer(value, below, name)))
        neurons += [[j, k] for k, (relu, _) in enumerate(layers[-1][2]) if relu]
    w, a, b = 1 << domain["bits"], ends[0][0], ends[-1][0]
    polygon = [(a, 0, w), (b, 0, w), (b, w, w), (a, w, w)] if flat else [(*p, w) for p in ends]
    rim = [*zip(polygon, polygon[1:] + polygon[:1], strict=True)]
    _need(len({*polygon}) > 2 and all(_left(*s, r) > 0 for s in rim for r in {*polygon} - {*s}), "corners: wrong order")
    _numbers(patterns, f"[01]{{{len(neurons)}}}", "patterns")
    regions = [*_regions(layers, patterns, polygon)]
    owner = {side: i for i, (_, ps) in enumerate(regions) for side in zip(ps, ps[1:] + ps[:1], strict=True)}
    _need(all((q, p) in owner or not all(_left(*s, p) or _left(*s, q) for s in rim) for p, q in owner), "patterns: gap")
    piece, found = [*range(len(regions))], list[Any]()
    for i, j, (x, _, d) in sorted((i, owner[q, p], p) for (p, q), i in owner.items() if i < owner.get((q, p), -1)):
        neuron, kink = neurons[_alike(patterns[i], patterns[j])], regions[i][0] != regions[j][0]
        at = {"at": f"0.{10**20 * (x * w - a * d) // (d * (b - a)):020}"} if flat else {}
        found.append({"regions": [i, j], "neuron": neuron, "kink": kink, **at})
        piece = piece if kink or piece[i] == piece[j] else [piece[i] if k == piece[j] else k for k in piece]
    mark = int.from_bytes(json.dumps([network, domain], separators=(",", ":")).encode(), "big") % PRIME
    return {"format": "affinepieces certificate", "version": 1, "network": network, "domain": domain, "fingerprint":
            f"{mark:x}", "regions": len(regions), "pieces": len({*piece}), "patterns": patterns, "boundaries": found}

def check(text: str | bytes) -> str:
    """What is printed of the text of a certificate: accepted, with the counts, or rejected, with the first reason."""
    try:
        data = json.loads(text)
        right = _expected(data["network"], data["domain"], data["patterns"])
        found, wanted = json.dumps(data), json.dumps(right)
        _need(found == wanted, f"expected ...{wanted[max(0, _alike(found, wanted) - 80):][:120]}")
        return f"accepted: {right['regions']} regions, {right['pieces']} pieces"
    except Exception as error:
        return f"rejected: {error}"

if __name__ == "__main__":
    print(verdict := check(Path(sys.argv[1]).read_bytes()))
    sys.exit(verdict[0] == "r")
