"""Numbers and points that a user gives: taken exactly, or refused."""
from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from affinepieces._arrays import exact_array

Floats = NDArray[np.float64]


def number(value: Any, name: str) -> float:
    """One finite number."""
    number = exact_array(value, name)
    if number.ndim != 0 or isinstance(value, bool | np.bool_):
        raise TypeError(f"{name} is {value!r}, expected one number")
    if not np.isfinite(number):
        raise ValueError(f"{name} is {value}, expected a finite number")
    return float(number)


def vector(values: ArrayLike, name: str) -> Floats:
    """A point of shape (N_0,), read-only."""
    vector = exact_array(values, name).copy()
    if vector.ndim != 1 or vector.size == 0:
        raise ValueError(f"{name} has shape {vector.shape}, expected (N_0,)")
    if not np.all(np.isfinite(vector)):
        raise ValueError(f"{name} holds {vector[~np.isfinite(vector)][0]}: every entry must be finite")
    vector.setflags(write=False)
    return vector


def difference(end: Floats, start: Floats, name: str) -> tuple[Floats, Floats]:
    """end - start, exactly, as the sum of two float64 arrays."""
    with np.errstate(over="ignore", invalid="ignore"):
        high = end - start
        back = high - end
        low = (end - (high - back)) + (-start - back)  # two_sum: exact unless it overflows
    if not np.all(np.isfinite(high) & np.isfinite(low)):
        raise ValueError(f"{name} exceeds the largest float64: scale the inputs")
    return high, low
