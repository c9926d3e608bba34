"""Where a walk through the graph of a module is, and what its operations are given.

Arrays that depend on the input are numpy arrays of ids; everything else is what torch itself computes.  Where torch
returns a view of its argument, so does numpy, so that what changes a tensor in place changes the same entries here.
"""
from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NoReturn

import numpy as np
import torch
from torch import nn

from affinepieces._torch.refusals import called
from affinepieces._torch.tensors import numpy_of
from affinepieces.importers.lowering import Ids, Numbers

LISTED = ("Linear, Conv1d, Conv2d, BatchNorm, max and average pooling, ReLU, LeakyReLU, PReLU, ReLU6, Hardtanh, abs, "
          "clamp, maximum, minimum, sums, means, constants, Flatten, reshape, cat, slices")


@dataclass
class Here:
    """Where in the module: the numbers so far, the module, and what the current operation is called."""

    numbers: Numbers
    module: nn.Module
    name: str = ""


def refuse(here: Here, what: str) -> NoReturn:
    """Say that an operation is not supported."""
    raise ValueError(f"{called(here.name)} is {what}, which is not supported: expected {LISTED}; if it comes last, "
                     "say with until=... where the function shall end before it")


def plain(value: Any) -> bool:
    """Whether nothing in the arguments depends on the input."""
    if isinstance(value, tuple | list):
        return all(map(plain, value))
    if isinstance(value, dict):
        return all(map(plain, value.values()))
    if isinstance(value, slice):
        return plain((value.start, value.stop, value.step))
    return not isinstance(value, np.ndarray)


def numbers_of(here: Here, value: Any) -> Any:
    """Numbers that do not depend on the input, in float64."""
    if isinstance(value, np.ndarray):
        raise ValueError(f"{called(here.name)} multiplies two tensors that both depend on the input, which is no "
                         "piecewise affine function: expected a constant")
    return np.asarray(numpy_of(value, here.name), np.float64) if isinstance(value, torch.Tensor) else np.float64(value)


def written(x: Ids, found: Ids, inplace: bool) -> Ids:
    """The result, put in place of the argument if that is wanted."""
    if inplace:
        x[...] = found
        return x
    return found


def in_place(rule: Callable[..., Ids]) -> Callable[..., Ids]:
    """The operation that writes its result over its argument."""

    def apply(here: Here, x: Any, *args: Any, **kwargs: Any) -> Ids:
        if plain(x):
            refuse(here, "a change of a parameter or a constant in place")
        return written(x, rule(here, x, *args, **kwargs), True)

    return apply


def each(value: Any, n: int) -> tuple[Any, ...]:
    """One value for all axes, or one for each."""
    return tuple(value) if isinstance(value, tuple | list | torch.Size) else (value,) * n
