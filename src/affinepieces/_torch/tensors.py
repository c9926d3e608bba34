"""Numbers out of torch tensors."""
from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

Array = NDArray[Any]
FORMATS = (torch.float16, torch.bfloat16, torch.float32, torch.float64)


def numpy_of(tensor: Any, name: str) -> Array:
    """The entries as numpy holds them; bfloat16 and 8-bit floats, which numpy lacks, become float32, which holds them.

    The tensor may require gradients and lie on any device; the array may share its memory.
    Raises TypeError, naming the argument, for a tensor whose numbers cannot be read.
    """
    if remedy := _unreadable(tensor):
        raise TypeError(f"{name} is a {remedy}")
    try:
        values = tensor.detach()
        if values.is_floating_point() and values.itemsize <= 2 and values.dtype != torch.float16:
            values = values.to(torch.float32)
        return np.asarray(values.resolve_conj().resolve_neg().cpu().numpy())
    except (RuntimeError, TypeError) as error:
        raise TypeError(f"{name} is a {type(tensor).__name__} of {tensor.dtype}, which numpy cannot read: "
                        f"{error}") from error


def parameter_of(tensor: Any, name: str) -> Array:
    """The entries of a parameter with which a Linear of torch computes; anything unusual is refused."""
    if type(tensor) not in (torch.Tensor, nn.Parameter):
        raise TypeError(f"{name} is a {type(tensor).__name__}, which may compute in its own way, expected an "
                        "nn.Parameter: build ReLUNetwork(weights, biases) from the numbers you mean")
    array = numpy_of(tensor, name)
    if tensor.dtype not in FORMATS:
        remedy = "module.to(torch.bfloat16), which holds the same numbers" if "float8" in str(tensor.dtype) else \
            "them to one of these first"
        raise TypeError(f"{name} has dtype {tensor.dtype}, expected float16, bfloat16, float32 or float64: "
                        f"convert {remedy}")
    return array


def _unreadable(tensor: Any) -> str | None:
    if tensor.is_meta:
        return "meta tensor, which has a shape but no numbers: load the parameters first, with module.to_empty(" \
            "device='cpu') and load_state_dict"
    if getattr(tensor, "is_quantized", False):  # torch is about to drop them
        return "quantised tensor, whose layer rounds its results: take .dequantize() if its numbers alone are meant"
    if tensor.layout is not torch.strided or tensor.is_nested:
        return f"tensor of layout {tensor.layout}, expected a dense one: take .to_dense()"
    return None
