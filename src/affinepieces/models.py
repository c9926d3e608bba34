"""Models in files: how the commands read them."""
from __future__ import annotations

import argparse
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

import affinepieces as ap
from affinepieces.arguments import integer
from affinepieces.layers import Layered
from affinepieces.sparse import SparseMatrix

OUTPUT: dict[str, Any] = {"metavar": "K", "type": int, "help": "only the K-th output, from 1 on"}


@dataclass(frozen=True)
class Format:
    """A kind of file: what it is called, which function of the package reads it, and with which options."""

    kind: str
    load: Callable[..., Layered]
    options: tuple[str, ...] = ()


STATE_DICT = Format("state dict", lambda path, **more: ap.from_state_dict(path, **more), ("layers",))
FORMATS = {  # the functions are loaded when they are called: each needs its own packages
    ".onnx": Format("ONNX model", lambda path, **more: ap.from_onnx(path, **more), ("until", "input_shape")),
    ".nnet": Format(".nnet network", lambda path, **more: ap.from_nnet(path, **more), ("normalise",)),
    ".npz": Format("network written by ReLUNetwork.save", lambda path: ap.ReLUNetwork.load(path)),
    **dict.fromkeys((".safetensors", ".pt", ".pth", ".zip"), STATE_DICT)}
OPTIONS = {"until": "--until", "input_shape": "--input-shape", "normalise": "--no-normalise", "layers": "--layers"}


def add_options(parser: argparse.ArgumentParser) -> None:
    """How a model is read, and what is printed."""
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument("--until", metavar="NAME", help="of a .onnx file: tensor or node where the network ends")
    parser.add_argument("--input-shape", metavar="N,N", type=_integers, help="of a .onnx file: shape of the input")
    parser.add_argument("--no-normalise", dest="normalise", action="store_const", const=False,
                        help="of a .nnet file: the layers alone, without its means and ranges")
    parser.add_argument("--layers", metavar="NAME,NAME", type=lambda names: names.split(","),
                        help="of a state dict: the linear layers in their order, with ReLU between them")


def format_of(path: Path) -> Format:
    """By the ending of its name; ValueError for others."""
    if path.suffix.lower() not in FORMATS:
        raise ValueError(f"MODEL is {path}, expected a file that ends in {', '.join(FORMATS)}")
    return FORMATS[path.suffix.lower()]


def model_of(given: argparse.Namespace) -> Layered:
    """The model, read with the options that its file takes."""
    form = format_of(given.model)
    options = {name: value for name in OPTIONS if (value := getattr(given, name)) is not None}
    for name in options:
        if name not in form.options:
            fits = ", ".join(ending for ending, other in FORMATS.items() if name in other.options)
            raise ValueError(f"{OPTIONS[name]} is given and MODEL is {given.model}, expected a file that ends in "
                             f"{fits}: leave it out")
    return form.load(given.model, **options)


def net_of(given: argparse.Namespace) -> Layered:
    """The model, or one of its outputs."""
    net = model_of(given)
    return net if given.output is None else _one_output(net, given.output)


def _one_output(net: Layered, k: int) -> Layered:
    """The network without its other outputs."""
    row = integer(k, "--output", 1, net.widths[-1]) - 1
    last: Any = net.weights[-1]
    if isinstance(last, SparseMatrix):
        entries = slice(*last.start[row:row + 2].tolist())
        start = np.array([0, entries.stop - entries.start])
        one: Any = SparseMatrix(start, last.columns[entries], last.values[entries], last.width)
    else:
        one = last[row:row + 1]
    weights, biases = [*net.weights[:-1], one], [*net.biases[:-1], net.biases[-1][row:row + 1]]
    return ap.Chain(weights, biases, net.kinds) if isinstance(net, ap.Chain) else ap.ReLUNetwork(weights, biases)


def _integers(text: str) -> tuple[int, ...]:
    try:
        return tuple(int(word) for word in text.split(","))
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"it is {text!r}, expected integers with commas between: 3,32,32") from error
