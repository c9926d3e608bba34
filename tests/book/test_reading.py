"""The chapters can be read to the end: short, little code, each with the same parts in the same order."""
import re
from math import ceil
from pathlib import Path

import jupytext
import pytest

BOOK = Path(__file__).resolve().parents[2] / "book"
CHAPTERS = sorted(BOOK.glob("[0-9][0-9]_*.md"))
STATED = r"`{3,}{prf:(theorem|lemma|proposition|corollary)}"
each_chapter = pytest.mark.parametrize("path", CHAPTERS, ids=lambda path: path.stem)


def code(path):
    return [cell.source for cell in jupytext.read(path, fmt="md:myst").cells if cell.cell_type == "code"]


def prose(path):
    """The page without its front matter and its code cells."""
    text = re.sub(r"\A---\n.*?\n---\n", "", path.read_text("utf8"), flags=re.S)
    return re.sub(r"^```\{code-cell\}.*?^```\n", "", text, flags=re.S | re.M)


def visible(text):
    """Without proofs and solutions, which are folded."""
    text = re.sub(r"^(`{3,})\{admonition\} Proof.*?^\1\n", "", text, flags=re.S | re.M)
    return re.sub(r"^`{4}\{solution-start\}.*?^`{4}\{solution-end\}\n`{4}\n", "", text, flags=re.S | re.M)


def lines(cells):
    return sum(bool(line.strip()) for cell in cells for line in cell.splitlines())


@each_chapter
def test_short_and_with_little_code(path):
    words, cells = len(prose(path).split()), code(path)
    assert words <= 2600
    assert len(cells) <= 16
    assert lines(cells) <= 6 * words / 100
    assert max(len(cell.splitlines()) for cell in cells) <= 25


@each_chapter
def test_what_a_chapter_begins_with(path):
    text = prose(path)
    start = text[:text.index("\n## ")]
    needs = re.search(r"^\*\*You need\*\*: .+\. \*\*Reading time\*\*: about (\d+) minutes\.$", start, re.M)
    assert needs, "a line that says what the reader needs and how long it takes"
    minutes = int(needs[1])
    assert minutes == 5 * ceil(len(visible(text).split()) / 130 / 5)
    page = path.read_text("utf8")
    assert "figure:\n    caption:" in page[:page.index("\n## ")], "the finding in one figure"


@each_chapter
def test_what_a_chapter_ends_with(path):
    headings = re.findall(r"^## (.*)$", prose(path), re.M)
    assert headings[-4:] == ["Rule of thumb", "Exercises", "Further reading", "Where this lives"]
    text = prose(path)
    exercises = re.findall(r"^```\{exercise\} (.*)$", text, re.M)
    assert 2 <= len(exercises) <= 4
    assert sum(title.startswith("Guess first") for title in exercises) == 1
    assert text.count("{solution-start}") == len(exercises)
    assert "{cite:t}" in text.split("## Further reading")[1]


@each_chapter
def test_each_statement_says_whether_it_is_attained(path):
    """Between a theorem and the next statement or heading: a paragraph that begins with the question."""
    parts = re.split(rf"^(?={STATED}|`{{3,}}{{prf:definition}}|#+ )", prose(path), flags=re.M)
    for part in parts:
        if part and re.match(STATED, part):
            assert re.search(r"^\*\*Attained\?\*\* ", part, re.M), part.splitlines()[0]
