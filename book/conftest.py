"""Every code cell of every chapter is a test: book/*.md, run as the book build runs them.

`pytest book/02_networks_and_their_pieces.md` runs one chapter in a kernel.  With --book-cache a run that the book
build kept serves, if nothing that it depended on has changed, so that one execution serves the pages and the tests.
"""
from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from execute import ChapterError, Runs, execute
from pages import BOOK, chapters, code_cells


def pytest_addoption(parser):
    parser.addoption("--book-cache", action="store_true",
                     help="use the runs that the book build kept; run the chapters that have none or an old one")


def pytest_configure(config):
    if config.getoption("numprocesses", None) and config.getoption("dist", "no") not in ("loadfile", "loadscope"):
        raise pytest.UsageError("the cells of a chapter share a kernel: use -n N --dist loadfile")


def pytest_collect_file(file_path: Path, parent):
    here = file_path.parent == BOOK and file_path in chapters()
    return Chapter.from_parent(parent, path=file_path) if here else None


class Chapter(pytest.File):
    """A chapter; its outputs are not compared, its claims are asserted in its own cells."""

    failure: ChapterError | None = None

    def collect(self):
        for number, _, _ in code_cells(self.path.read_text("utf8")):
            cell = ChapterCell.from_parent(self, name=f"Cell {number}")
            cell.number = number
            yield cell

    def setup(self):
        if self.config.getoption("--book-cache") and Runs().kept(self.path):
            return
        try:
            asyncio.run(execute(self.path))
        except ChapterError as error:
            self.failure = error


class ChapterCell(pytest.Item):
    """Passes if the cell did; the cells behind one that failed were not run."""

    number: int

    def runtest(self):
        failure = self.parent.failure
        if failure and failure.cell == self.number:
            raise failure
        if failure and failure.cell < self.number:
            pytest.skip(f"cell {failure.cell} failed")

    def repr_failure(self, excinfo):
        return str(excinfo.value) if isinstance(excinfo.value, ChapterError) else super().repr_failure(excinfo)

    def reportinfo(self):
        return self.path, None, f"{self.path.name}::{self.name}"
