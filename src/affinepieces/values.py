"""Values: what is equal when it holds the same, hashes alike in every process, and travels between processes."""
from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import fields
from enum import Enum
from fractions import Fraction
from functools import cache
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

_names: Callable[[Any], tuple[str, ...]] = cache(lambda cls: tuple(field.name for field in fields(cls)))
PLAIN = frozenset({type(None), bool, int, float, str, Fraction})


class Value:
    """Base of frozen dataclasses, declared with eq=False, that are equal exactly if all their fields are.

    Fields hold numbers, strings, choices, dtypes, arrays of numbers or of Fractions, other values, and tuples of
    these; anything else is refused when the value is made.  Arrays are copied unless they are read-only already.
    Arrays are equal if their dtypes, shapes and numbers are.  NaN equals NaN, and -0.0 equals 0.0, as their hashes do.
    The hash does not depend on the process.  A copy is the value itself; what comes out of pickle is read-only again.

    >>> from dataclasses import dataclass
    >>> @dataclass(frozen=True, eq=False)
    ... class Sample(Value):
    ...     numbers: np.ndarray
    >>> Sample(np.array([0.0, np.nan])) == Sample(np.array([-0.0, np.nan]))
    True
    >>> Sample(np.array([1.0])).numbers.flags.writeable
    False
    """

    __slots__ = ()

    def __post_init__(self) -> None:
        for name in _names(type(self)):
            given = getattr(self, name)
            kept = frozen(given, f"{name} of a {type(self).__name__}")
            if kept is not given:
                object.__setattr__(self, name, kept)

    @classmethod
    def _of(cls, *held: Any) -> Self:
        """Of fields that are known to be right, and whose arrays are read-only: nothing is checked or copied."""
        value = object.__new__(cls)
        for name, field in zip(_names(cls), held, strict=True):
            object.__setattr__(value, name, field)
        return value

    def _parts(self) -> tuple[Any, ...]:
        """What decides equality: the fields, unless a class says otherwise."""
        return tuple(getattr(self, name) for name in _names(type(self)))

    def __eq__(self, other: object) -> bool:
        if self is other:
            return True
        if type(self) is not type(other):
            return NotImplemented
        return _same(self._parts(), other._parts())

    def __hash__(self) -> int:
        return digest(self)

    def __copy__(self) -> Self:
        return self

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        return self

    def __reduce__(self) -> tuple[Any, ...]:
        return _restored, (type(self), tuple(getattr(self, name) for name in _names(type(self))))


class Choice(Enum):
    """Base of enumerations whose members have the same hash in every process."""

    def __hash__(self) -> int:
        return digest(self)


def digest(value: Any) -> int:
    """64 bits that are the same in every process, and for equal values."""
    found = hashlib.sha256()
    for chunk in _chunks(value):
        found.update(len(chunk).to_bytes(8, "little"))
        found.update(chunk)
    return int.from_bytes(found.digest()[:8], "little", signed=True)


def frozen(value: Any, name: str) -> Any:
    """The same, unchangeable: arrays read-only, lists as tuples, numbers of numpy as those of Python.

    Raises TypeError, with the name, for what a `Value` cannot hold.
    """
    kind = type(value)
    if kind is tuple or kind is list:
        return tuple([frozen(v, name) for v in value])
    if isinstance(value, np.ndarray):
        return value if _unchangeable(value) else sealed(np.array(_numbers(value, name)))
    if kind in PLAIN or isinstance(value, Value | Enum | np.dtype):
        return value
    if isinstance(value, np.bool_ | np.integer | np.float16 | np.float32 | np.float64):
        return value.item()
    raise TypeError(f"{name} is {value!r} of type {kind.__name__}, expected numbers, arrays of numbers, or values")


def sealed(value: Any) -> Any:
    """The same arrays, which can no longer be written to: for arrays that nobody else holds."""
    if isinstance(value, np.ndarray):
        value.setflags(write=False)
    elif isinstance(value, tuple):
        for v in value:
            sealed(v)
    return value


def _restored(cls: type[Value], state: tuple[Any, ...]) -> Value:
    return cls._of(*map(sealed, state))


def _unchangeable(array: NDArray[Any]) -> bool:
    """Neither the array nor what it is a view of can be written to."""
    return not array.flags.writeable and (
        array.base is None or (isinstance(array.base, np.ndarray) and not array.base.flags.writeable))


def _numbers(array: NDArray[Any], name: str) -> NDArray[Any]:
    """The array, if its entries are numbers that can be compared bit by bit, or Fractions."""
    if array.dtype.kind not in "biufO" or array.dtype.itemsize > 8:
        raise TypeError(f"{name} has dtype {array.dtype}, expected booleans, integers, floats of at most 64 bits, "
                        "or fractions.Fraction in an array of dtype object")
    return array


def _same(a: Any, b: Any) -> bool:
    """Whether two values, or fields of values, are equal."""
    if a is b:
        return True
    if type(a) in PLAIN:
        return type(b) is type(a) and bool(a == b or (a != a and b != b))
    if isinstance(a, np.ndarray):
        return (isinstance(b, np.ndarray) and a.dtype.name == b.dtype.name and a.shape == b.shape
                and (_same(tuple(a.flat), tuple(b.flat)) if a.dtype == object else bits_of(a) == bits_of(b)))
    if type(a) is tuple:
        return type(b) is tuple and len(a) == len(b) and all(map(_same, a, b))
    return type(a) is type(b) and bool(a == b)


def _chunks(value: Any) -> Iterator[bytes]:
    """The value as a sequence of bytes, the same for equal values."""
    if isinstance(value, Value):
        yield type(value).__qualname__.encode()
        yield from _chunks(value._parts())
    elif isinstance(value, tuple):
        yield f"tuple {len(value)}".encode()
        for v in value:
            yield from _chunks(v)
    elif isinstance(value, np.ndarray):
        yield f"{_numbers(value, 'an array').dtype.name} {value.shape}".encode()
        yield from _chunks(tuple(value.ravel().tolist())) if value.dtype == object else (bits_of(value),)
    elif isinstance(value, Enum):
        yield f"{type(value).__qualname__}.{value.name}".encode()
    elif isinstance(value, float):
        yield b"float" + bits_of(np.array(value, np.float64))
    elif isinstance(value, int | Fraction) and not isinstance(value, bool):
        yield f"{value.numerator:x}/{value.denominator:x}".encode()  # decimal digits would be limited to 4300
    elif type(value) in PLAIN or isinstance(value, np.dtype):
        yield f"{type(value).__name__} {value}".encode()
    else:
        raise TypeError(f"a {type(value).__name__} cannot be compared with others: {value!r}")


def bits_of(array: NDArray[Any]) -> bytes:
    """The numbers in memory, little-endian, with one pattern for both zeros and one for every NaN.

    On integers, because floating-point operations might flush subnormal numbers to zero.
    """
    small = array.astype(array.dtype.newbyteorder("<"), order="C")
    if small.dtype.kind == "f":
        bits = small.reshape(-1).view(f"<u{small.dtype.itemsize}")
        infinity = np.array(np.inf, small.dtype).view(bits.dtype)
        sign = bits.dtype.type(1 << (8 * small.dtype.itemsize - 1))
        bits[bits == sign] = 0
        bits[(bits & ~sign) > infinity] = infinity + 1
    return small.tobytes()
