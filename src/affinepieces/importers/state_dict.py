"""From the parameters of a torch module, without its functions, to a network of linear layers and ReLU."""
from __future__ import annotations

import os
import re
import zipfile
from collections.abc import Mapping, Sequence
from io import BytesIO
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from affinepieces import environment
from affinepieces._arrays import float_array, shown
from affinepieces._extras import wanted
from affinepieces.arguments import items
from affinepieces.importers.unsupported import UnsupportedError
from affinepieces.networks import ReLUNetwork

Array = NDArray[Any]
PICKLES = (".pt", ".pth")
POLICY = "policy.pth"  # in the archives of Stable-Baselines3
BUILD = "if it is part of the network, build the module, load the state dict into it, and take from_torch"


def from_state_dict(source: Mapping[str, Any] | str | os.PathLike[str],
                    layers: Sequence[str] | None = None) -> ReLUNetwork:
    """The network of linear layers whose parameters these are, with ReLU between them and none after the last.

    A state dict holds no functions: who calls this says that ReLU stands between the layers named.
    source: names and tensors or arrays, NAME.weight (N_j, N_{j-1}) and NAME.bias (N_j,); or a file: .safetensors,
    .pt or .pth of torch, or a .zip of Stable-Baselines3, of which the policy is read.
    layers: names in their order, such as ["net.0", "net.2"]; None: all that have a matrix NAME.weight, in the natural
    order of their names, net.2 before net.10, and anything else is refused.  A layer without bias has zeros.

    No number is changed.  Files are read without running any code in them.
    Raises OSError if a file cannot be opened, ImportError if what reads it is not installed, and ValueError, naming
    the file or the layer, for anything that is no such network.

    >>> from_state_dict({"net.0.weight": [[1.0], [1.0]], "net.0.bias": [0.0, -0.5], "net.2.weight": [[2.0, -4.0]]})
    ReLUNetwork(1-2-1, float64)
    """
    environment.check()
    if isinstance(source, Mapping):
        return _network(source, layers, "the state dict")
    if not isinstance(source, str | os.PathLike):
        raise TypeError(f"source is {shown(source)}, expected a mapping from names to tensors, or the name of a file; "
                        "for a torch module take from_torch(module)")
    path = Path(source)
    state = _read(path)
    try:
        return _network(state, layers, str(path))
    except TypeError as error:
        raise ValueError(f"{path} holds no layers of floats: {error}") from error


def _network(state: Mapping[str, Any], layers: Sequence[str] | None, where: str) -> ReLUNetwork:
    if inner := [key for key, value in state.items() if isinstance(value, Mapping)]:
        raise ValueError(f"{where} holds {_some(inner)}, mappings themselves, expected tensors: load it with "
                         f"torch.load(path, weights_only=True) and give the state dict inside, [{inner[0]!r}] perhaps")
    if isinstance(layers, str):
        raise TypeError(f"layers is {layers!r}, expected a sequence of names: [{layers!r}]")
    there = sorted((key.removesuffix(".weight") for key in map(str, state) if key.endswith(".weight")), key=_natural)
    names = _all_layers(state, there, where) if layers is None else items(layers, "layers", "names")
    if not names:
        raise ValueError(f"{where} has no layers, expected matrices NAME.weight; it holds {_some(state)}")
    weights, biases = [], []
    for name in names:
        if f"{name}.weight" not in state:
            raise ValueError(f"{where} has no layer {name!r}, expected one of {_some(there)}")
        weight = float_array(state[f"{name}.weight"], f"{name}.weight")
        if weight.ndim != 2:
            raise UnsupportedError(f"{name}.weight in {where} has shape {weight.shape}, expected a matrix: {BUILD}")
        weights.append(weight)
        biases.append(float_array(state[f"{name}.bias"], f"{name}.bias") if f"{name}.bias" in state
                      else np.zeros(len(weight), weight.dtype))
    _check_shapes(names, weights, biases, where)
    try:
        return ReLUNetwork(weights, biases)
    except ValueError as error:
        raise ValueError(f"the layers {_some(names)} of {where} are no network: {error}") from error


def _all_layers(state: Mapping[str, Any], there: Sequence[str], where: str) -> list[str]:
    matrices = [name for name in there if np.ndim(state[f"{name}.weight"]) == 2]
    read = {f"{name}.{kind}" for name in matrices for kind in ("weight", "bias")}
    if other := [key for key in state if key not in read]:
        raise UnsupportedError(f"{where} holds {_some(other)} besides linear layers: {BUILD}; if it is not, name the "
                               f"layers in their order, with layers=[...], among {_some(matrices)}")
    return matrices


def _check_shapes(names: Sequence[str], weights: Sequence[Array], biases: Sequence[Array], where: str) -> None:
    for j, (name, weight, bias) in enumerate(zip(names, weights, biases, strict=True)):
        if bias.shape != weight.shape[:1]:
            raise ValueError(f"{name}.bias in {where} has shape {bias.shape}, expected {weight.shape[:1]}, the rows of "
                             f"{name}.weight")
        if j and weight.shape[1] != len(weights[j - 1]):
            raise ValueError(f"{name}.weight in {where} has shape {weight.shape}, but {names[j - 1]} before it has "
                             f"{len(weights[j - 1])} outputs: name the layers in their order, with layers=[...]")


def _natural(name: str) -> list[Any]:
    """Numbers in names by their value."""
    return [(0, int(part), "") if part.isdigit() else (1, 0, part) for part in re.split(r"([0-9]+)", name)]


def _some(names: Any) -> str:
    listed = [str(name) for name in names]
    return (", ".join(map(repr, listed[:20])) or "nothing") + (f" and {len(listed) - 20} more" if listed[20:] else "")


def _read(path: Path) -> Mapping[str, Any]:
    ending = path.suffix.lower()
    with open(path, "rb") as file:
        if ending == ".safetensors":
            return _safetensors(file.read(), path)
        if ending in PICKLES:
            return _pickle(file, path)
        if ending == ".zip":
            return _archive(file, path)
    raise ValueError(f"{path} ends in {ending!r}, expected .safetensors, .pt or .pth of torch, or a .zip of "
                     "Stable-Baselines3: give such a file, or a mapping of names to arrays")


def _archive(file: IO[bytes], path: Path) -> Mapping[str, Any]:
    try:
        with zipfile.ZipFile(file) as archive:
            content = archive.read(POLICY)
    except Exception as error:  # zipfile and zlib raise many kinds
        raise ValueError(f"{path} is damaged, or no archive of Stable-Baselines3: expected a .zip with {POLICY} in it, "
                         "as model.save writes it") from error
    return _pickle(BytesIO(content), path)


def _pickle(file: IO[bytes], path: Path) -> Mapping[str, Any]:
    with wanted("torch"):
        import torch
    try:
        found = torch.load(file, map_location="cpu", weights_only=True)
    except Exception as error:  # torch, pickle and zipfile raise many kinds
        raise ValueError(f"{path} is damaged, or holds more than tensors, such as a whole module, which is not read "
                         "because loading it would run code: save the parameters alone, with "
                         "torch.save(module.state_dict(), path)") from error
    if not isinstance(found, Mapping):
        raise ValueError(f"{path} holds {shown(found)}, expected a state dict: save "
                         "torch.save(module.state_dict(), path)")
    return found


def _safetensors(content: bytes, path: Path) -> Mapping[str, Any]:
    with wanted("safetensors"):
        from safetensors import deserialize
    try:
        return {name: _tensor(entry) for name, entry in deserialize(content)}
    except Exception as error:  # of safetensors, and numpy for formats that it lacks
        raise ValueError(f"{path} is damaged, or no safetensors file of floats ({error}): write it with "
                         "safetensors.torch.save_file(module.state_dict(), path)") from error


def _tensor(entry: Mapping[str, Any]) -> Array:
    """bfloat16 is the upper half of float32."""
    data, shape = bytes(entry["data"]), entry["shape"]
    if entry["dtype"] == "BF16":
        return (np.frombuffer(data, "<u2").astype(np.uint32) << 16).view(np.float32).reshape(shape)
    formats = {"F16": "<f2", "F32": "<f4", "F64": "<f8", "I64": "<i8", "I32": "<i4", "I16": "<i2", "I8": "i1",
               "U8": "u1", "BOOL": "?"}
    if entry["dtype"] not in formats:
        raise ValueError(f"numbers of format {entry['dtype']}, expected one of BF16, {', '.join(formats)}")
    return np.frombuffer(data, formats[entry["dtype"]]).reshape(shape)
