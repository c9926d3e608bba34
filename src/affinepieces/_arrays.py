"""Real numbers, however they are held, as float arrays: no number is changed, and what cannot be read is named."""
from __future__ import annotations

import reprlib
import sys
from decimal import Decimal
from numbers import Real
from typing import Any

import numpy as np
from numpy.typing import NDArray

from affinepieces import environment

Array = NDArray[Any]
FLOAT64 = np.dtype(np.float64)
FLOATS = (np.dtype(np.float16), np.dtype(np.float32), FLOAT64)


def exact_array(values: Any, name: str) -> NDArray[np.float64]:
    """Real numbers of any shape in float64, finite or not, without changing one of them.

    values: anything that `float_array` reads.  name: the argument, for the errors.
    The result may share its memory with `values`: copy it before writing to it or freezing it.
    Raises TypeError for what is not an array of real numbers, ValueError for a number that is no float64.

    >>> exact_array([[1, 0.5]], "x")
    array([[1. , 0.5]])
    >>> exact_array(2**53 + 1, "x")
    Traceback (most recent call last):
    ValueError: x is 9007199254740993, beyond 2**53 and not a float64: round it first, with float()
    """
    plain = type(values) is np.ndarray and values.dtype is FLOAT64 and values.flags.c_contiguous
    if plain or type(values) is float:  # at once, because every step of training passes here several times
        environment.check()
        return np.asarray(values)
    array = float_array(values, name)
    with np.errstate(invalid="ignore"):  # a signalling nan
        return np.ascontiguousarray(array, np.float64).reshape(array.shape)


def float_array(values: Any, name: str) -> Array:
    """Real numbers of any shape in float16, float32 or float64, without changing one of them.

    These three formats are kept.  bfloat16 and the 8-bit formats, from torch or ml_dtypes, become float32;
    integers, booleans (0 and 1), longdouble, Fraction, Decimal and lists of Python numbers become float64
    where it holds them.  torch tensors may require gradients and lie on any device.

    >>> from fractions import Fraction
    >>> float_array([Fraction(1, 4), 2], "x")
    array([0.25, 2.  ])
    """
    environment.check()  # widening alone would turn subnormal numbers into zeros
    array = _read(values, name)
    native = array.dtype.newbyteorder("=") if array.dtype.kind == "f" else array.dtype
    if native in FLOATS:
        return array.astype(native, copy=False)
    if array.dtype.kind in "iub":
        return _integers(array, name)
    if array.dtype.kind == "O" or array.dtype == np.longdouble:
        return _one_by_one(array, name)
    if np.can_cast(array.dtype, np.float32):  # the formats of ml_dtypes, which are known by this alone
        return array.astype(np.float32)
    example = f" ({shown(str(array.ravel()[0]))}, for example)" if array.dtype.kind in "UST" and array.size else ""
    remedy = "take .real or .imag" if array.dtype.kind == "c" else "convert it first, with numpy.float64(...)"
    raise TypeError(f"{name} has dtype {array.dtype}{example}, expected float16, float32 or float64: {remedy}")


def _read(values: Any, name: str) -> Array:
    """As numpy holds them, integers beside floats not yet rounded."""
    plain = _without_wrappers(values, name)
    try:
        array = np.asarray(plain)
        if isinstance(plain, list) and array.dtype == np.float64 and np.any(np.abs(array) >= 2**53):
            objects = np.array(plain, dtype=object)  # numpy has rounded integers that stand beside floats
            array = objects if any(isinstance(v, int | np.integer) for v in objects.ravel()) else array
    except Exception as error:  # whatever `__array__` of another library raises
        kind = ValueError if isinstance(error, ValueError) else TypeError
        raise kind(f"{name} is {shown(values)}, which numpy cannot read as an array of numbers: "
                   f"{error}") from error
    return array


def _without_wrappers(values: Any, name: str) -> Any:
    """Tensors and masked arrays, also inside lists, as plain arrays."""
    if isinstance(values, list | tuple):
        return [v if type(v) is float else _without_wrappers(v, name) for v in values]
    if isinstance(values, np.ma.MaskedArray):
        if np.ma.is_masked(values):
            raise ValueError(f"{name} has masked entries, which are no numbers: give them values with .filled(...), "
                             "or leave them out with .compressed()")
        return np.ma.getdata(values)
    if isinstance(values, getattr(sys.modules.get("torch"), "Tensor", ())):  # who has a tensor has imported torch
        from affinepieces._torch import numpy_of

        return numpy_of(values, name)
    return values


def _integers(array: Array, name: str) -> Array:
    floats = array.astype(np.float64)
    if array.dtype.itemsize == 8:
        for at in np.argwhere((array > 2**53) | (array < -(2**53))):
            _as_float(int(array[tuple(at)]), name, at)
    return floats


def _one_by_one(array: Array, name: str) -> Array:
    entries = [_as_float(array[at], name, at) for at in np.ndindex(array.shape)]
    return np.array(entries, np.float64).reshape(array.shape)


def _as_float(value: Any, name: str, at: Any) -> float:
    """A number as a float if it is one; Python compares numbers of different types exactly."""
    where = f"{name}[{', '.join(str(int(i)) for i in at)}]" if len(at) else name
    number = value.item() if isinstance(value, np.generic) else value
    if not isinstance(number, Real | Decimal):
        raise TypeError(f"{where} is {shown(value)}, expected a real number")
    try:
        nearest = float(number)
        if nearest == number or nearest != nearest:
            return nearest
    except (OverflowError, ValueError):  # beyond the range of float64; a signalling nan of Decimal
        pass
    beyond = "beyond 2**53 and " if isinstance(number, int) else ""
    raise ValueError(f"{where} is {shown(number)}, {beyond}not a float64: round it first, with float()")


def shown(value: Any) -> str:
    """A short repr on one line, for errors."""
    return " ".join(reprlib.repr(value).split())


def float_dtype(value: Any, name: str, remedy: str) -> np.dtype[Any]:
    """float16, float32 or float64 as a dtype of numpy, from any of its names; those of torch have the same names."""
    torch = sys.modules.get("torch")
    try:
        found = np.dtype(str(value).removeprefix("torch.") if torch and isinstance(value, torch.dtype) else value)
    except (TypeError, ValueError):
        found = None
    if value is None or found is None or found not in FLOATS:  # for numpy, None is float64
        raise TypeError(f"{name} is {value!r}, expected float16, float32 or float64: {remedy}")
    return found
