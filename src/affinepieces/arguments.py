"""Arguments, checked once and alike: errors name the argument, its value, what was expected, and the remedy.

What has the wrong kind is a TypeError, what has the right kind and a wrong value a ValueError.
Wherever numbers or networks come in, the processor's mode is looked at too.
"""
from __future__ import annotations

import sys
from collections.abc import Iterable
from enum import Enum
from numbers import Integral, Number, Real
from typing import Any, NoReturn, TypeVar

import numpy as np

from affinepieces import environment
from affinepieces.layers import Layered
from affinepieces.networks import ReLUNetwork

T = TypeVar("T")
E = TypeVar("E", bound=Enum)
LONGEST = 100  # of a value that is shown


def network(value: Any, name: str = "net") -> ReLUNetwork:
    """The network; a torch module is converted by `ReLUNetwork.from_torch`."""
    environment.check()
    if isinstance(value, ReLUNetwork):
        return value
    if _is_module(value):
        return ReLUNetwork.from_torch(value)
    refuse(name, value, "a ReLUNetwork or a torch module", "make one with ReLUNetwork(weights, biases)")


def piecewise(value: Any, name: str = "net") -> Layered:
    """A network or a chain of layers; a torch module is converted by `ReLUNetwork.from_torch`, or by `from_torch`."""
    if isinstance(value, Layered) or not _is_module(value):
        return value if isinstance(value, Layered) else network(value, name)
    return module(value)


def module(value: Any, input_shape: Any = None) -> Layered:
    """A torch module as a network of Linear and ReLU if it is one, and otherwise as a chain of layers."""
    from affinepieces.importers.torch.module import from_torch

    try:
        return network(value)
    except (TypeError, ValueError):
        return from_torch(value, input_shape)


def networks(value: Any, name: str = "nets") -> list[ReLUNetwork]:
    """At least one network, as a list."""
    found = [network(v, f"{name}[{i}]") for i, v in enumerate(items(value, name, "networks"))]
    if not found:
        raise ValueError(f"{name} is empty, expected at least one network")
    return found


def instance(value: Any, kind: type[T], name: str, remedy: str = "") -> T:
    """The value, if it is of this kind.

    >>> instance(0, np.random.Generator, "rng", "write numpy.random.default_rng(0)")
    Traceback (most recent call last):
    TypeError: rng is 0, expected a Generator: write numpy.random.default_rng(0)
    """
    if isinstance(value, kind):
        return value
    refuse(name, value, f"{'an' if kind.__name__[0] in 'AEIO' else 'a'} {kind.__name__}", remedy)


def generator(value: Any, name: str = "rng") -> np.random.Generator:
    """A source of random numbers."""
    seed = value if isinstance(value, int) and not isinstance(value, bool) else 0
    return instance(value, np.random.Generator, name, f"write numpy.random.default_rng({seed})")


def choice(value: Any, kind: type[E], name: str) -> E:
    """The member of an enumeration."""
    if isinstance(value, kind):
        return value
    *others, last = map(str, kind)
    refuse(name, value, f"{', '.join(others)} or {last}")


def items(value: Any, name: str, what: str) -> list[Any]:
    """The items of a sequence or of another iterable; strings, dictionaries and torch modules are none."""
    single = isinstance(value, str | bytes | dict) or _is_module(value) or getattr(value, "shape", None) == ()
    if isinstance(value, Iterable) and not single:
        return list(value)
    refuse(name, value, f"a sequence of {what}")


def integer(value: Any, name: str, least: int, most: int | None = None, remedy: str = "") -> int:
    """An integer in a range, as a Python int; booleans are none.

    >>> integer(True, "steps", 1)
    Traceback (most recent call last):
    TypeError: steps is True, expected an integer >= 1
    """
    expected = f"an integer >= {least}" if most is None else f"an integer from {least} to {most}"
    if not _counts_as(value, Integral):
        refuse(name, value, expected, remedy)
    if value < least or (most is not None and value > most):
        refuse(name, value, expected, remedy, ValueError)
    return int(value)


def number(value: Any, name: str, *, least: float | None = None, above: float | None = None, finite: bool = True,
           remedy: str = "") -> Any:
    """The real number, one of numpy as that of Python: >= least or > above, and finite unless infinity makes sense.

    >>> number("0.1", "learning_rate", above=0)
    Traceback (most recent call last):
    TypeError: learning_rate is '0.1', expected a finite number > 0
    """
    environment.check()
    if isinstance(value, np.generic):
        value = value.item()  # numpy would round the limits to its dtype
    real = type(value) is float or _counts_as(value, Real)
    if real and value == value and (least is None or value >= least) and (above is None or value > above) and (
            not finite or abs(value) <= sys.float_info.max):
        return value
    limit = f" >= {least}" if least is not None else f" > {above}" if above is not None else ""
    refuse(name, value, f"a {'finite ' if finite else ''}number{limit}", remedy, ValueError if real else TypeError)


def refuse(name: str, value: Any, expected: str, remedy: str = "", kind: type[Exception] = TypeError) -> NoReturn:
    """Raise the error: TypeError for something of another kind, ValueError for a wrong one of the right kind."""
    raise kind(_message(name, value, expected, remedy))


def _counts_as(value: Any, kind: type[Any]) -> bool:
    return isinstance(value, kind) and not isinstance(value, bool)


def _is_module(value: Any) -> bool:
    """Somebody who has a torch module has imported torch."""
    torch = sys.modules.get("torch.nn")
    return torch is not None and isinstance(value, torch.Module)


def _message(name: str, value: Any, expected: str, remedy: str) -> str:
    shown = str(value) if isinstance(value, Number) else repr(value)
    if len(shown) > LONGEST or "\n" in shown:
        shown = f"of type {type(value).__name__}"
    return f"{name} is {shown}, expected {expected}{': ' if remedy else ''}{remedy}"
