"""The chapters are canonical MyST notebooks, all in the table of contents, and use public names only."""
import re
from pathlib import Path

import jupytext
import pytest
import yaml
from jupytext.config import load_jupytext_config

import affinepieces as ap

ROOT = Path(__file__).resolve().parents[2]
PAGES = sorted((ROOT / "book").glob("*.md"))
CHAPTERS = [page for page in PAGES if "kernelspec:" in page.read_text("utf8")[:1000]]


@pytest.mark.parametrize("path", CHAPTERS, ids=lambda path: path.stem)
def test_markdown_and_notebook_are_the_same(path, tmp_path):
    text = path.read_text("utf8")
    config = load_jupytext_config(str(path))
    notebook = jupytext.reads(text, fmt="md:myst", config=config)
    jupytext.write(notebook, tmp_path / "pair.ipynb", fmt="ipynb", config=config)
    pair = jupytext.read(tmp_path / "pair.ipynb", fmt="ipynb", config=config)
    pair.metadata["jupytext"] = notebook.metadata["jupytext"]
    assert jupytext.writes(pair, fmt="md:myst", config=config).rstrip() == text.rstrip()


def test_every_page_is_in_the_table_of_contents():
    toc = yaml.safe_load((ROOT / "_toc.yml").read_text("utf8"))
    files = {toc["root"], *(chapter["file"] for part in toc["parts"] for chapter in part["chapters"])}
    assert {f"book/{page.stem}" for page in PAGES} == files


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.stem)
def test_names_of_the_package_exist(path):
    for chain in set(re.findall(r"\bap\.([\w.]*\w)", path.read_text("utf8"))):
        thing = ap
        for name in chain.split("."):
            if name == "name":  # a placeholder in running text
                break
            thing = getattr(thing, name)


@pytest.mark.parametrize("path", CHAPTERS, ids=lambda path: path.stem)
def test_cells_are_small_and_something_is_asserted(path):
    cells = [cell.source for cell in jupytext.read(path, fmt="md:myst").cells if cell.cell_type == "code"]
    assert max(len(cell.splitlines()) for cell in cells) <= 30
    assert max(len(line) for cell in cells for line in cell.splitlines()) <= 88
    assert any("assert" in cell for cell in cells)
