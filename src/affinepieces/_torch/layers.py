"""A Sequential of Linear and ReLU as weights and biases, and back."""
from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from affinepieces._torch.refusals import accepted_class, called, refuse_changed_calls
from affinepieces._torch.tensors import parameter_of

Array = NDArray[Any]


def layers_of(module: nn.Module) -> tuple[list[Array], list[Array]]:
    """Weights and biases of a Sequential of Linear and ReLU, layer by layer."""
    weights: list[Array] = []
    biases: list[Array] = []
    tensors: list[tuple[str, torch.Tensor]] = []
    after_relu = True
    for name, layer in leaves(module):
        if isinstance(layer, nn.Linear):
            if not after_relu:
                raise ValueError(f"{called(name)} is a second Linear without a ReLU between: their product is "
                                 "not exact in floats; put nn.ReLU() between or merge them yourself")
            weights.append(parameter_of(layer.weight, f"the weight of {called(name)}"))
            biases.append(np.zeros(len(weights[-1]), weights[-1].dtype) if layer.bias is None
                          else parameter_of(layer.bias, f"the bias of {called(name)}"))
            tensors += [(name, tensor) for tensor in (layer.weight, layer.bias) if tensor is not None]
            after_relu = False
        elif isinstance(layer, nn.ReLU) and not weights:
            raise ValueError(f"{called(name)} is a ReLU before the first Linear: start with nn.Linear")
        elif isinstance(layer, nn.ReLU):
            after_relu = True
    _require_one_format(tensors)
    if weights and after_relu:  # a final ReLU: append the identity, so that nothing follows the last layer
        weights.append(np.eye(len(biases[-1]), dtype=weights[-1].dtype))
        biases.append(np.zeros(len(biases[-1]), dtype=weights[-1].dtype))
    return weights, biases


def leaves(module: nn.Module, name: str = "", inside: tuple[int, ...] = ()) -> Iterator[tuple[str, nn.Module]]:
    """The layers in the order of evaluation; whatever may be another function than its class says is an error."""
    kind = accepted_class(module, name)
    refuse_changed_calls(module, name)
    if kind is nn.Dropout and module.training and module.p != 0:
        raise ValueError(f"{called(name)} is Dropout in training mode, a random function: call module.eval() first")
    if kind is nn.Flatten and not {module.start_dim, module.end_dim} <= {1, -1}:
        raise ValueError(f"{called(name)} is {module}, which changes inputs of shape (m, N_0): "
                         "only Flatten(1, -1), the default, passes them on")
    if kind is not nn.Sequential:
        yield name, module
        return
    if id(module) in inside:
        raise ValueError(f"{called(name)} contains itself: no forward pass of it ends")
    for key, child in module._modules.items():  # named_children() would skip an object that comes again
        yield from leaves(child, f"{name}.{key}".lstrip("."), (*inside, id(module)))  # type: ignore[arg-type]


def _require_one_format(tensors: Sequence[tuple[str, torch.Tensor]]) -> None:
    """As torch, which computes no forward pass with two formats or on two devices."""
    for name, tensor in tensors:
        first_name, first = tensors[0]
        if (tensor.dtype, tensor.device) != (first.dtype, first.device):
            raise ValueError(f"{called(name)} holds {tensor.dtype} on {tensor.device}, but {called(first_name)} "
                             f"{first.dtype} on {first.device}, with which torch computes no forward pass: "
                             "convert the whole module, for example with module.double()")


def module_of(weights: Sequence[Array], biases: Sequence[Array]) -> nn.Sequential:
    """A Sequential of Linear and ReLU with these parameters."""
    layers: list[nn.Module] = []
    for a, b in zip(weights, biases, strict=True):
        linear = nn.Linear(a.shape[1], a.shape[0], dtype=torch.from_numpy(a.copy()).dtype)
        with torch.no_grad():
            linear.weight.copy_(torch.from_numpy(a.copy()))
            linear.bias.copy_(torch.from_numpy(b.copy()))
        layers += [linear, nn.ReLU()]
    return nn.Sequential(*layers[:-1])
