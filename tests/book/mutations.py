"""Runs the tests that a statement lists while a function that it speaks of returns something else.

`python tests/book/mutations.py report.json [label ...]`: all rows of statements.yml, or those with these labels, in one
pytest session.  The report holds for every row and function which test noticed the change first, or None.
"""
from __future__ import annotations

import json
import os
import sys
from collections import defaultdict
from contextlib import contextmanager
from dataclasses import is_dataclass, replace
from fractions import Fraction
from functools import wraps
from pathlib import Path

import numpy as np
import pytest
import yaml
from _pytest.runner import runtestprotocol

import affinepieces as ap

ROOT = Path(__file__).resolve().parents[2]


def rows():
    return yaml.safe_load((ROOT / "book" / "statements.yml").read_text("utf8"))


def changed(value, change, field=""):
    """All numbers in the value, or in its field: counts plus an integer, the others times a float."""
    if isinstance(value, str | None | ap.Certificate):  # the last says what was counted, not what was found
        return value
    if isinstance(value, list | tuple):
        return type(value)(changed(v, change, field) for v in value)
    if field:
        return replace(value, **{field: changed(getattr(value, field), change)})
    if isinstance(value, ap.ExactArray):
        return ap.ExactArray.from_fractions(changed(value.fractions(), change))
    if is_dataclass(value):
        return replace(value, **{name: changed(getattr(value, name), change) for name in value.__dataclass_fields__})
    kind = getattr(value, "dtype", np.dtype(type(value))).kind
    if kind == "b" or (kind in "iu") != isinstance(change, int):
        return value
    if kind in "iu":
        return value + change
    return value * (Fraction(str(change)) if kind == "O" else change)


def found(name):
    """The public function of this name, and the field of its result that the rest of the name says."""
    thing, parts = ap, name.split(".")
    while parts and hasattr(thing, parts[0]):
        thing = getattr(thing, parts.pop(0))
    return thing, ".".join(parts)


def places(function):
    """Wherever package and tests hold the function: names of their modules, and tables that modules hold."""
    modules = [vars(module) for name, module in list(sys.modules.items()) if name.split(".")[0] == "affinepieces"
               or str(getattr(module, "__file__", "")).startswith(str(ROOT / "tests"))]
    tables = [value for space in modules for value in space.values() if type(value) is dict]
    return [(space, key) for space in modules + tables for key, value in list(space.items()) if value is function]


@contextmanager
def mutated(name, change):
    """Within it the function returns what `changed` makes of its result."""
    function, field = found(name)

    @wraps(function)
    def other(*arguments, **options):
        return changed(function(*arguments, **options), change, field)

    held = places(function)
    try:
        for space, key in held:
            space[key] = other
        yield
    finally:
        for space, key in held:
            space[key] = function


class Mutations:
    """A plugin that runs the listed tests of each row once for each of its mutations, until one notices."""

    def __init__(self, chosen):
        self.chosen, self.report, self.raised = chosen, {}, []

    def pytest_configure(self):
        """Few examples and no search for smaller ones, the same in every run: a change is noticed always or never."""
        from hypothesis import Phase, settings  # pytest wants to be the first to import it

        settings.register_profile("mutated", deadline=None, database=None, derandomize=True, max_examples=30,
                                  report_multiple_bugs=False, phases=(Phase.explicit, Phase.generate))
        settings.load_profile("mutated")

    def pytest_exception_interact(self, call):
        self.raised.append(call.excinfo.value)

    def failure(self, item, name, change):
        """What a test raises while the function is changed."""
        self.raised.clear()
        with mutated(name, change):
            runtestprotocol(item, log=False, nextitem=None)
        return self.raised[0] if self.raised else None

    def noticed(self, items, name, change):
        """The first test that fails by an assertion, and does not if nothing but the function's identity is changed."""
        nothing = type(change)(isinstance(change, float))  # + 0 or * 1.0
        for item in items:
            if isinstance(self.failure(item, name, change), AssertionError) and not self.failure(item, name, nothing):
                return item.nodeid
        return None

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session):
        if session.testsfailed:
            return None  # a file that could not be read: pytest says which
        tests = defaultdict(list)
        for item in session.items:
            tests[item.nodeid.split("[")[0].removeprefix("tests/")].append(item)
        for row in self.chosen:
            items = [item for test in row["tests"] for item in tests[test]]
            self.report[row["label"]] = {n: self.noticed(items, n, c) for n, c in row["mutate"].items()}
        return True


def main(report, *labels):
    os.chdir(ROOT)
    chosen = [row for row in rows() if isinstance(row.get("mutate"), dict) and (not labels or row["label"] in labels)]
    tests = dict.fromkeys(f"tests/{test}" for row in chosen for test in row["tests"])
    plugin = Mutations(chosen)
    code = pytest.main(["-q", "-o", "addopts=", "-p", "no:cacheprovider", *tests], plugins=[plugin])
    Path(report).write_text(json.dumps(plugin.report, indent=1))
    return code


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
