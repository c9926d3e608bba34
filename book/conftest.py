"""Every code cell of every chapter is a test: book/*.md, handed to nbval without a detour over .ipynb.

`pytest book/02_networks_and_their_pieces.md` runs one chapter in a kernel.  With --book-cache the run
that the book build stored is replayed, so that one execution serves the pages and the tests.
"""
from __future__ import annotations

import os
from collections import defaultdict
from pathlib import Path

import jupytext
import pytest
from nbval.plugin import IPyNbCell, IPyNbFile, find_comment_markers, find_metadata_tags

BOOK = Path(__file__).parent
CACHE = BOOK.parent / "_build" / ".jupyter_cache"

os.environ.setdefault("MPLBACKEND", "module://matplotlib_inline.backend_inline")
os.environ.setdefault("AFFINEPIECES_FRAMES", "1")


def pytest_addoption(parser):
    parser.addoption("--book-cache", action="store_true",
                     help="replay the chapters from the cache of the book build; run those that are not in it")


def pytest_configure(config):
    if config.getoption("numprocesses", None) and config.getoption("dist", "no") not in ("loadfile", "loadscope"):
        raise pytest.UsageError("the cells of a chapter share a kernel: use -n N --dist loadfile")


def pytest_collect_file(file_path: Path, parent):
    page = file_path.suffix == ".md" and file_path.parent == BOOK
    if page and "kernelspec:" in file_path.read_text(encoding="utf8")[:1000]:
        return Chapter.from_parent(parent, path=file_path)
    return None


class Replay:
    """Answers nbval, cell by cell, from an executed notebook."""

    def __init__(self, notebook):
        self.cells = iter([c for c in notebook.cells if c.cell_type == "code"])
        self.messages, self.count = [], 0

    def execute_cell_input(self, source, allow_stdin=None):
        cell = next(self.cells)
        assert cell.source.strip() == source.strip(), "cache and chapter differ: run make book"
        self.count += 1
        head = {"msg_id": str(self.count)}
        contents = [dict(out) for out in cell.outputs]
        self.messages = [{"msg_type": out.pop("output_type"), "parent_header": head, "content": out}
                         for out in contents]
        self.messages.append({"msg_type": "status", "parent_header": head, "content": {"execution_state": "idle"}})
        return head["msg_id"]

    def get_message(self, stream, timeout=None):
        return self.messages.pop(0)

    def await_idle(self, msg_id, timeout):
        self.messages.clear()

    def is_alive(self):
        return True

    def await_reply(self, msg_id, timeout=None): ...

    def interrupt(self): ...

    def stop(self): ...


def cached_run(notebook):
    """The stored execution of this code, or None."""
    from jupyter_cache import get_cache

    if not CACHE.exists():
        return None
    cache = get_cache(CACHE)
    try:
        return cache.get_cache_bundle(cache.match_cache_notebook(notebook).pk).nb
    except KeyError:
        return None


class Chapter(IPyNbFile):
    """A chapter; its outputs are not compared, its claims are asserted in its own cells."""

    failed: int | None = None

    def collect(self):
        self.nb = jupytext.read(self.path, fmt="md:myst")
        for n, cell in enumerate(c for c in self.nb.cells if c.cell_type == "code"):
            options = defaultdict(bool, find_metadata_tags(cell.metadata))
            options.update(find_comment_markers(cell.source))
            yield ChapterCell.from_parent(self, name=f"Cell {n}", cell_num=n, cell=cell, options=options)

    def setup(self):
        run = cached_run(self.nb) if self.config.getoption("--book-cache") else None
        if run is None:
            super().setup()
        else:
            self.kernel = Replay(run)


class ChapterCell(IPyNbCell):
    def runtest(self):
        if self.parent.failed is not None:
            pytest.skip(f"cell {self.parent.failed} failed")
        try:
            super().runtest()
        except Exception:
            self.parent.failed = self.cell_num
            raise
