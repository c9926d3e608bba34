"""The sources of the book: its pages, their code cells, and what must not be left in them."""
from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import jupytext

ROOT = Path(__file__).resolve().parents[2]
BOOK = ROOT / "book"
SOURCES = ("*.toml", "*.yml", "*.md", "*.txt", "book/**/*.*", "results/**/*.*", "notebooks/**/*.ipynb")
TEXTS = {".md", ".yml", ".yaml", ".bib", ".json", ".ipynb", ".toml", ".txt", ".css", ".js", ".svg", ".py"}
MARKER = re.compile(r'^\s*"?(<{7}|\|{7}|={7}|>{7})(?=[\s"\\]|$)')  # a line of a notebook begins with a quote


def chapters(book: Path = BOOK) -> list[Path]:
    """The pages that hold code, in order."""
    return [page for page in sorted(book.glob("*.md")) if "kernelspec:" in page.read_text("utf8")[:1000]]


def code_cells(text: str) -> Iterator[tuple[int, int, str]]:
    """(number, line of the page at which it begins, source) of every code cell of a page."""
    code = [cell.source for cell in jupytext.reads(text, fmt="md:myst").cells if cell.cell_type == "code"]
    at = 0
    for number, source in enumerate(code):
        at = text.index(source, text.index("```{code-cell}", at))
        yield number, text.count("\n", 0, at) + 1, source
        at += len(source)


def conflicts(root: Path = ROOT) -> list[str]:
    """Where a merge left its markers in the sources of the book, as file:line: text."""
    found = []
    for file in sorted({file for pattern in SOURCES for file in root.glob(pattern)}):
        if file.suffix in TEXTS and file.is_file() and "vendor" not in file.parts:
            for number, line in enumerate(file.read_text("utf8").splitlines(), 1):
                if MARKER.match(line):
                    found.append(f"{file.relative_to(root)}:{number}: marker of a merge conflict: {line.strip()[:60]}")
    return found
