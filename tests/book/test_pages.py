"""Code cells are found at their lines; what a merge leaves behind is found in every source of the book."""
import re

import pytest

import pages
from book.chapters import chapter

MARKED = [f"{7 * '<'} HEAD", 7 * "=", f"{7 * '>'} branch", f"{7 * '|'} 1f4ef50"]  # not to be found in this file


@pytest.mark.parametrize("page", pages.chapters(), ids=lambda page: page.stem)
def test_cells_stand_where_they_are_said_to_stand(page):
    text = page.read_text("utf8")
    cells = list(pages.code_cells(text))
    assert [number for number, _, _ in cells] == list(range(len(re.findall("^```{code-cell}", text, re.M))))
    for _, line, source in cells:
        assert "\n".join(text.splitlines()[line - 1:]).startswith(source)


def test_a_cell_like_the_prose_before_it():
    text = chapter("x = 1", "x").replace("# A chapter", "x = 1 and x")
    assert [text.splitlines()[line - 1] for _, line, _ in pages.code_cells(text)] == ["x = 1", "x"]


def test_no_markers_in_the_book():
    assert pages.conflicts() == []


@pytest.mark.parametrize("marker", MARKED)
@pytest.mark.parametrize("file", [
    "book/a.md", "book/statements.yml", "book/references.bib", "book/_tools/package.json", "book/_static/custom.css",
    "results/bench.json", "_config.yml", "_toc.yml", "README.md", "jupytext.toml", "notebooks/a.ipynb"])
def test_markers_are_found_with_file_and_line(tmp_path, file, marker):
    path = tmp_path / file
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"one\n{marker}\n", "utf8")
    assert pages.conflicts(tmp_path) == [f"{file}:2: marker of a merge conflict: {marker}"]


@pytest.mark.parametrize("marker", MARKED)
def test_markers_in_a_cell_of_a_notebook(tmp_path, marker):
    (tmp_path / "notebooks").mkdir()
    (tmp_path / "notebooks" / "a.ipynb").write_text(f'  "source": [\n   "{marker}\\n",\n   "b"', "utf8")
    assert [line.split(": ")[0] for line in pages.conflicts(tmp_path)] == ["notebooks/a.ipynb:2"]


@pytest.mark.parametrize("line", ["========", "<<<<<<", "a ======= b", ">>> f()", "| ======= |", "=======x"])
def test_other_lines_are_no_markers(tmp_path, line):
    (tmp_path / "book").mkdir()
    (tmp_path / "book" / "a.md").write_text(line, "utf8")
    assert pages.conflicts(tmp_path) == []
