"""Parameters out of and into torch modules; the only file of the package that imports torch."""
from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

Array = NDArray[Any]


def layers_of(module: nn.Module) -> tuple[list[Array], list[Array]]:
    """Weights and biases of a Sequential of Linear and ReLU, layer by layer."""
    weights: list[Array] = []
    biases: list[Array] = []
    after_relu = True
    for name, layer in _flat(module, ""):
        if isinstance(layer, nn.Linear):
            if not after_relu:
                raise ValueError(f"layer {name} is a second Linear without a ReLU between: their product is "
                                 "not exact in floats; put nn.ReLU() between or merge them yourself")
            weights.append(_array(layer.weight))
            biases.append(np.zeros(layer.out_features, weights[-1].dtype) if layer.bias is None
                          else _array(layer.bias))
            after_relu = False
        elif not weights:
            raise ValueError(f"layer {name} is a ReLU before the first Linear: start with nn.Linear")
        else:
            after_relu = True
    if weights and after_relu:  # a final ReLU: append the identity, so that nothing follows the last layer
        weights.append(np.eye(len(biases[-1]), dtype=weights[-1].dtype))
        biases.append(np.zeros(len(biases[-1]), dtype=weights[-1].dtype))
    return weights, biases


def _flat(module: nn.Module, name: str) -> Iterator[tuple[str, nn.Module]]:
    """The Linear and ReLU layers in order; anything that is not affine or ReLU is an error."""
    if isinstance(module, nn.Sequential):
        for key, child in module.named_children():
            yield from _flat(child, f"{name}.{key}".lstrip("."))
    elif isinstance(module, nn.Linear | nn.ReLU):
        yield name or "0", module
    elif isinstance(module, nn.Dropout) and module.training and module.p > 0:
        raise ValueError(f"layer {name} is Dropout in training mode, a random function: "
                         "call module.eval() first")
    elif not isinstance(module, nn.Identity | nn.Flatten | nn.Dropout):
        raise TypeError(f"layer {name or 'given'} is {type(module).__name__}, expected an nn.Sequential of "
                        "Linear and ReLU (Identity, Flatten, and Dropout in eval mode are passed over)")


def _array(parameter: torch.Tensor) -> Array:
    tensor = parameter.detach().cpu()
    return np.asarray((tensor.float() if tensor.dtype == torch.bfloat16 else tensor).numpy())


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
