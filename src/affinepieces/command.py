"""affinepieces count | regions | trace | info MODEL: the pieces of a model in a file, between two of its inputs."""
from __future__ import annotations

import argparse
import json
import re
import time
from collections.abc import Callable, Iterator, Sequence
from math import prod
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

import affinepieces as ap
from affinepieces._arrays import exact_array
from affinepieces._extras import wanted
from affinepieces.arguments import integer
from affinepieces.importers.unsupported import UnsupportedError
from affinepieces.layers import Kind, Layered
from affinepieces.models import FORMATS, OUTPUT, add_options, format_of, model_of, net_of
from affinepieces.sparse import SparseMatrix

Parser = argparse.ArgumentParser
SHOWN = 3  # names of the model in one line


def add_parsers(commands: argparse._SubParsersAction[Parser]) -> None:
    """Add the commands about models to those of the package."""
    for name, what, call in (("count", "how many pieces and regions are there on a segment", count),
                             ("regions", "for each region its ends and its number of active neurons", regions),
                             ("trace", "breakpoints on a segment, and a picture", trace),
                             ("info", "what is in the file, and what of it is not supported", info)):
        parser = commands.add_parser(name, help=what, description=f"{what[0].upper()}{what[1:]}.")
        parser.add_argument("model", metavar="MODEL", type=Path, help=", ".join(FORMATS))
        add_options(parser)
        if name != "info":
            parser.add_argument("--from", dest="start", metavar="POINT", help="a .npy file, or numbers: 0.5,-1")
            parser.add_argument("--to", dest="end", metavar="POINT", help="the same for the other end")
            parser.add_argument("--random", metavar="SEED", type=int,
                                help="instead: the segment between two random points of the unit cube")
            parser.add_argument("--output", **OUTPUT)
        if name == "trace":
            parser.add_argument("--plot", metavar="FILE", type=Path, help="save a picture, for example f.png or f.svg")
            parser.add_argument("--certificate", metavar="FILE", type=Path,
                                help="save what proves the count, for affinepieces check FILE")
        parser.set_defaults(call=call)


def count(given: argparse.Namespace) -> int:
    """Pieces and regions."""
    net, segment = _problem(given)
    begin = time.perf_counter()
    found = ap.count_many(net, segment)
    _report(given, begin, int(found.regions[0]), int(found.pieces[0]))
    return 0


def regions(given: argparse.Namespace) -> int:
    """Each region: from where to where, and how many neurons are active in it."""
    net, segment = _problem(given)
    begin = time.perf_counter()
    function = ap.trace(net, segment)
    active = ap.activation_patterns(net, segment)[:, _neurons(net)].sum(axis=1)
    lines = list(zip(function.breakpoints[:-1].tolist(), function.breakpoints[1:].tolist(), active.tolist(),
                     strict=True))
    if given.json:
        _report(given, begin, function.regions, function.pieces,
                list=[{"from": a, "to": b, "active": n} for a, b, n in lines])
        return 0
    for a, b, n in lines:
        print(f"{a!r} {b!r} {n}")
    return 0


def trace(given: argparse.Namespace) -> int:
    """Breakpoints, and a picture."""
    save = _picture(given.plot) if given.plot else None
    if given.certificate:
        _folder_of(given.certificate, "--certificate")
    net, segment = _problem(given)
    begin = time.perf_counter()
    function = ap.trace(net, segment)
    if save:
        save(function)
    if given.certificate and function.certificate:
        function.certificate.save(given.certificate)
    _report(given, begin, function.regions, function.pieces, **_breakpoints(function) if given.json else {})
    if save and not given.json:
        print(f"the picture is {given.plot}")
    if given.certificate and not given.json:
        print(f"the certificate is {given.certificate}")
    return 0


def info(given: argparse.Namespace) -> int:
    """What is in the file."""
    kind = format_of(given.model).kind
    try:
        net = model_of(given)
    except UnsupportedError as error:
        if given.json:
            _print_json(given, kind=kind, supported=False, unsupported=list(error.operators), error=str(error))
        else:
            print("\n".join([kind, *(f"not supported: {operator}" for operator in error.operators)]))
        raise
    layers, shape = list(_layers(net)), _shape(given, net)
    total = {key: sum(layer[key] for layer in layers) for key in ("neurons", "comparisons", "carried", "entries")}
    sparse = sum(layer["entries"] for layer in layers if layer["sparse"])
    if given.json:
        _print_json(given, kind=kind, supported=True, input_shape=shape, inputs=net.widths[0], outputs=net.widths[-1],
                    format=str(net.dtype), layers=layers, **total, sparse_entries=sparse)
        return 0
    print(f"{kind}: {_plural(net.widths[0], 'input')}, of shape {tuple(shape)}, "
          f"{_plural(net.widths[-1], 'output')}, {net.dtype}")
    for j, layer in enumerate(layers, 1):
        rows = ", ".join(f"{layer[key]} {key}" for key in ("neurons", "comparisons", "carried") if layer[key])
        more = f" and {len(layer['names']) - SHOWN} more" if len(layer["names"]) > SHOWN else ""
        print(f"layer {j}: {layer['inputs']} -> {layer['width']}{': ' if rows else ''}{rows}; {layer['entries']} "
              f"entries{', sparse' if layer['sparse'] else ''}; {', '.join(layer['names'][:SHOWN])}{more}")
    print(f"in all: {net.layers} layers, {total['neurons']} neurons, {total['comparisons']} comparisons, "
          f"{total['carried']} carried rows, {total['entries']} entries, {sparse} of them in sparse matrices")
    return 0


def _problem(given: argparse.Namespace) -> tuple[Layered, ap.Segment]:
    """The network and the segment."""
    ends = (given.start is not None, given.end is not None)
    if given.random is not None if any(ends) else given.random is None:
        raise ValueError(f"the segment is given {'twice' if any(ends) else 'nowhere'}, expected --from POINT --to "
                         "POINT, or --random SEED")
    if any(ends) and not all(ends):
        raise ValueError(f"--{'to' if ends[0] else 'from'} is missing, expected both ends of the segment")
    points = [_point(text, name) for text, name in ((given.start, "--from"), (given.end, "--to")) if any(ends)]
    net = net_of(given)
    if not any(ends):
        rng = np.random.default_rng(integer(given.random, "--random", 0))
        points = list(rng.uniform(size=(2, net.widths[0])))
    for point, name in zip(points, ("--from", "--to"), strict=True):
        if point.size != net.widths[0]:
            raise ValueError(f"{name} has {point.size} numbers, in shape {point.shape}, expected {net.widths[0]}, as "
                             "many as an input of the model has")
    return net, ap.Segment.between(*(point.ravel() for point in points))


def _point(text: str, name: str) -> NDArray[np.float64]:
    """Numbers of a file or of the command line."""
    if not text.endswith(".npy"):
        try:
            return np.array([float(word) for word in text.split(",")])
        except ValueError as error:
            raise ValueError(f"{name} is {text!r}, expected the name of a .npy file, or numbers with commas between: "
                             "0.5,-1") from error
    with open(text, "rb") as file:
        try:
            values = np.lib.format.read_array(file, allow_pickle=False)
        except Exception as error:  # numpy raises many kinds
            raise ValueError(f"{name} is {text}, which is damaged, or no .npy file of numbers alone ({error}): write "
                             "it with numpy.save") from error
    return exact_array(values, f"{name}, {text},")


def _kinds(net: Layered) -> Sequence[Sequence[Kind]]:
    """What each row of each hidden layer is."""
    return net.kinds if isinstance(net, ap.Chain) else [[Kind.NEURON] * n for n in net.widths[1:-1]]


def _neurons(net: Layered) -> NDArray[np.bool_]:
    """Which columns of the activation patterns are neurons, and no comparisons."""
    return np.array([kind is Kind.NEURON for layer in _kinds(net) for kind in layer if kind is not Kind.CARRIED],
                    np.bool_)


def _layers(net: Layered) -> Iterator[dict[str, Any]]:
    """For each layer its size, what its rows are, and where they come from."""
    names = net.names if isinstance(net, ap.Chain) else [[f"layer{j + 1}[0]"] for j in range(net.layers)]
    for a, rows, named in zip(net.weights, [*_kinds(net), []], names, strict=True):
        stems = dict.fromkeys(re.sub(r"\[\d+\]$", "", name) for name in named)
        stems.pop("carried", None)
        sparse = isinstance(a, SparseMatrix)
        yield {"inputs": a.shape[1], "width": a.shape[0], "neurons": rows.count(Kind.NEURON),
               "comparisons": rows.count(Kind.COMPARISON), "carried": rows.count(Kind.CARRIED),
               "entries": a.size if sparse else int(np.count_nonzero(a)), "sparse": sparse,
               "names": [*stems]}


def _shape(given: argparse.Namespace, net: Layered) -> list[int]:
    """Of the input, as the file has it."""
    if format_of(given.model).kind != "ONNX model":
        return [net.widths[0]]
    from affinepieces.importers.onnx.file import read_graph, read_model

    shape = list(read_graph(read_model(given.model), given.until, given.input_shape).shape)
    assert prod(shape) == net.widths[0]
    return shape


def _breakpoints(function: ap.PiecewiseAffine) -> dict[str, Any]:
    """For JSON: where regions end, how exactly that is known, and where the slope changes."""
    radius = np.zeros(function.regions + 1) if function.radius is None else function.radius
    return {"breakpoints": function.breakpoints.tolist(), "kinks": function.kinks.tolist(),
            "radius": [r if r < np.inf else None for r in radius.tolist()]}


def _picture(path: Path) -> Callable[[ap.PiecewiseAffine], None]:
    """What saves the picture; raises before the work where that will not be possible."""
    with wanted("book"):
        from matplotlib.figure import Figure
    figure = Figure()
    axes = figure.subplots()
    endings = sorted(figure.canvas.get_supported_filetypes())
    if path.suffix.lower().removeprefix(".") not in endings:
        raise ValueError(f"--plot is {path}, expected a file that ends in .{', .'.join(endings)}")
    _folder_of(path, "--plot")

    def save(function: ap.PiecewiseAffine) -> None:
        function.plot(axes)
        figure.savefig(path)

    return save


def _folder_of(path: Path, name: str) -> None:
    if not path.parent.is_dir():
        raise FileNotFoundError(f"{name} is {path}, but there is no folder {path.parent}: make it first")


def _report(given: argparse.Namespace, begin: float, regions: int, pieces: int, **more: Any) -> None:
    """The result for people, or as JSON."""
    seconds = round(time.perf_counter() - begin, 3)
    if given.json:
        ends = {"from": given.start, "to": given.end} if given.random is None else {"random": given.random}
        _print_json(given, segment=ends, regions=regions, pieces=pieces, seconds=seconds, **more)
    else:
        print(f"{_plural(pieces, 'piece')}, {_plural(regions, 'region')} ({seconds:.2f} s)")


def _print_json(given: argparse.Namespace, **found: Any) -> None:
    print(json.dumps({"model": str(given.model), **found, "version": ap.__version__}))


def _plural(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"
