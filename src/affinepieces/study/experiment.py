"""An experiment: one question, the function that answers it for one setting, and the settings to ask it for."""
from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from affinepieces.arguments import integer, refuse

Settings = Mapping[str, Any]
Result = dict[str, Any]
PRESETS = ("quick", "full")


@dataclass(frozen=True)
class Experiment:
    """name: letters, digits and underscores.  question: one sentence.

    measure: called with the settings of a run by name; returns a dictionary of numbers, strings, None and lists of
    these.  It must be a function that worker processes can import, and depend on its arguments alone.
    presets: for each preset a function that yields the settings, dictionaries of numbers and strings.
    version: higher after every change that changes results; runs of another version have other names.

    >>> def halve(x):
    ...     return {"half": x / 2}
    >>> halving = Experiment("halving", "How much is half?", halve, {"quick": lambda: ({"x": x} for x in (1, 2))})
    >>> [case.settings for case in halving.cases("quick")]
    [{'x': 1}, {'x': 2}]
    """

    name: str
    question: str
    measure: Callable[..., Result]
    presets: Mapping[str, Callable[[], Iterable[Settings]]]
    version: int = 1

    def __post_init__(self) -> None:
        if not isinstance(self.name, str) or not self.name.isidentifier():
            refuse("name", self.name, "letters, digits and underscores", "it names a folder and a file", ValueError)
        if not callable(self.measure):
            refuse("measure", self.measure, "a function of the settings")
        integer(self.version, "version", 1)

    def cases(self, preset: str) -> Iterator[Case]:
        """The runs of a preset.  ValueError if there is no such preset."""
        if preset not in self.presets:
            refuse("preset", preset, f"one of {', '.join(self.presets)}", kind=ValueError)
        for settings in self.presets[preset]():
            yield Case(self, dict(settings))


@dataclass(frozen=True)
class Case:
    """One run of an experiment."""

    experiment: Experiment
    settings: Settings
    digest: str = field(init=False, default="")

    def __post_init__(self) -> None:
        named = {"experiment": self.experiment.name, "version": self.experiment.version, "settings": self.settings}
        object.__setattr__(self, "digest", hashlib.sha256(canonical(named)).hexdigest())


def canonical(value: Any) -> bytes:
    """The value as JSON, the same text for equal values; floats keep all their bits.

    Raises TypeError or ValueError for what JSON cannot hold, NaN and infinity among it.

    >>> canonical({"b": 0.1, "a": [1, None]})
    b'{"a":[1,null],"b":0.1}'
    """
    return json.dumps(value, sort_keys=True, separators=(",", ":"), allow_nan=False).encode()
