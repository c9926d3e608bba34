"""Runs as text: a name that is the same everywhere, and files without pickle."""
from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from affinepieces.arithmetic.formats import Format, Overflow
from affinepieces.arithmetic.operations import Order
from affinepieces.arithmetic.rounding import Nearest, Stochastic, Toward
from affinepieces.descent.machines import Exact, Grain, Mixed, Native, Rounded
from affinepieces.descent.noise import Perturbed, UniformNoise
from affinepieces.descent.optimisers import Adam, AdamW, GradientDescent, Momentum, OptimiserState
from affinepieces.descent.scaling import LossScaling
from affinepieces.descent.specification import Loss
from affinepieces.networks import ReLUNetwork
from affinepieces.values import Choice, Value, bits_of

Arrays = dict[str, NDArray[Any]]
VALUES: dict[str, Any] = {cls.__name__: cls for cls in (
    Adam, AdamW, Exact, Format, GradientDescent, LossScaling, Mixed, Momentum, Native, Nearest, OptimiserState,
    Perturbed, ReLUNetwork, Rounded, Stochastic, UniformNoise)}
CHOICES: dict[str, Any] = {cls.__name__: cls for cls in (Grain, Loss, Order, Overflow, Toward)}


def digest(value: Value) -> str:
    """64 hexadecimal digits: the SHA-256 of what `described` says, with every array as the SHA-256 of its numbers.

    Fields that have their default values, and the names of formats, do not count: a field that is added later, with
    a default, leaves all names as they are.
    """
    text = json.dumps(described(value, None), sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def described(value: Any, arrays: Arrays | None) -> Any:
    """The value as JSON can hold it; its arrays go into `arrays` by name, or without it are named by their numbers."""
    if value is None or isinstance(value, bool | int | str):
        return value
    if isinstance(value, float):
        return {"float": (value + 0.0).hex()}
    if isinstance(value, tuple):
        return [described(v, arrays) for v in value]
    if isinstance(value, Choice):
        return {"choice": f"{type(value).__name__}.{value.name}"}
    if isinstance(value, np.dtype):
        return {"dtype": value.name}
    if isinstance(value, np.ndarray):
        return {"array": _kept(value, arrays)}
    skipped = ("name",) if isinstance(value, Format) and arrays is None else ()
    held = {field.name: getattr(value, field.name) for field in fields(value) if field.name not in skipped}
    usual = {field.name: field.default for field in fields(value)}
    return {"kind": type(value).__name__, **{name: described(v, arrays) for name, v in held.items()
                                             if type(v) is not type(usual[name]) or v != usual[name]}}


def rebuilt(text: Any, arrays: Arrays, more: dict[str, Any]) -> Any:
    """The value that was described.  more: other kinds of values by name.  KeyError, TypeError or ValueError if none
    was."""
    if isinstance(text, list):
        return tuple([rebuilt(v, arrays, more) for v in text])
    if not isinstance(text, dict):
        return text
    if "kind" in text:
        given = {name: rebuilt(v, arrays, more) for name, v in text.items() if name != "kind"}
        return (VALUES | more)[text["kind"]](**given)
    (kind, held), = text.items()
    if kind == "choice":
        name, _, member = held.partition(".")
        return CHOICES[name][member]
    makers: dict[str, Callable[[str], Any]] = {"float": float.fromhex, "dtype": np.dtype, "array": arrays.__getitem__}
    return makers[kind](held)


def _kept(array: NDArray[Any], arrays: Arrays | None) -> str:
    if array.dtype == object:
        raise TypeError("arrays of Fractions are not stored: only the state of an exact step holds them")
    if arrays is None:
        return hashlib.sha256(f"{array.dtype.name} {array.shape}".encode() + bits_of(array)).hexdigest()
    name = f"array_{len(arrays)}"
    arrays[name] = array
    return name
