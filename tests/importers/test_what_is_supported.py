"""The table of what is supported, in the book, is that of the code."""
import operator
import re
from pathlib import Path

import pytest

from affinepieces.command import FORMATS
from affinepieces.importers.onnx.file import OPSETS
from affinepieces.importers.onnx.graph import ALWAYS, KNOWN, OPERATORS
from affinepieces.importers.torch.layers import MODULES
from affinepieces.importers.torch.table import ASKED, COMPUTED, FUNCTIONS, METHODS, MOVED

PAGE = (Path(__file__).resolve().parents[2] / "book" / "api.md").read_text("utf8")
PYTHON = {*(f for f in vars(operator).values() if callable(f)), abs, getattr}  # operators, not called by their names


def names(row):
    """The names in the last column of a row of the table."""
    line, = re.findall(rf"^\| {re.escape(row)}.*$", PAGE, re.MULTILINE)
    found = re.findall("`([^`]+)`", line.split("|")[3])
    assert len(found) == len(set(found))
    return set(found)


def functions():
    """Names of functions and methods of torch, those in place like the others."""
    return {name.strip("_") for name in METHODS} | {f.__name__.strip("_") for f in FUNCTIONS if f not in PYTHON}


def test_layers_of_torch():
    assert names("torch modules: layers") == {kind.__name__ for kind in MODULES}


def test_functions_of_torch():
    computing, moving = (names(f"torch modules: functions and methods that {what}") for what in ("compute", "move"))
    assert not computing & moving
    assert computing | moving == functions()
    assert set(COMPUTED) <= computing
    assert {*MOVED, *ASKED} <= moving


def test_operators_of_onnx():
    row = f"ONNX files, opset {OPSETS[0]} to {OPSETS[-1]} "
    assert names(row) == {*OPERATORS, *KNOWN, *ALWAYS}


@pytest.mark.parametrize("ending", FORMATS)
def test_files_of_the_command_line(ending):
    assert f"`{ending}`" in PAGE.split("### On the command line")[1]
