"""make live loses no edits, whichever of a pair holds them; make clean neither.  Saving changes the edited lines."""
import asyncio
import difflib
import json
import os
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import jupytext
import nbformat
import pytest
from ipykernel.ipkernel import IPythonKernel
from jupyter_client.kernelspec import KernelSpecManager
from jupytext import AsyncTextFileContentsManager

import live
import notebooks
from book.chapters import chapter
from pages import chapters

ROOT = Path(__file__).resolve().parents[2]


class Pair:
    """A chapter in a repository of its own, with the notebook that make live made."""

    def __init__(self, root):
        self.root, self.page = root, root / "book" / "a.md"
        self.page.parent.mkdir()
        shutil.copy(ROOT / "jupytext.toml", root)
        self.page.write_text(chapter("first = 1", "second = 2"), "utf8")
        self.notebook = root / "notebooks" / "a.ipynb"
        assert notebooks.write(self.page, root) == ""

    def edit_page(self):
        self.page.write_text(self.page.read_text("utf8").replace("first = 1", "first = 'page'"), "utf8")

    def edit_notebook(self):
        content = nbformat.read(self.notebook, 4)
        content.cells[-1].source = "second = 'notebook'"
        nbformat.write(content, self.notebook)

    def live(self):
        return notebooks.write(self.page, self.root)

    def aside(self):
        return list(self.notebook.parent.glob("a.edited-*.ipynb"))

    def code(self, path=None):
        return [cell.source for cell in jupytext.read(path or self.notebook).cells if cell.cell_type == "code"]


@pytest.fixture(params=["page older", "page newer"])
def pair(tmp_path, request):
    pair = Pair(tmp_path)
    pair.touch = lambda: os.utime(pair.page, (0, 0) if request.param == "page older" else None)
    return pair


def test_nothing_edited(pair):
    pair.touch()
    assert pair.live() == ""
    assert pair.code() == ["first = 1", "second = 2"]
    assert pair.aside() == []


def test_page_edited(pair):
    pair.edit_page()
    pair.touch()
    assert pair.live() == ""
    assert pair.code() == ["first = 'page'", "second = 2"]
    assert pair.aside() == []


def test_notebook_edited(pair):
    pair.edit_notebook()
    pair.touch()
    said = pair.live()
    assert pair.code() == ["first = 1", "second = 2"] == pair.code(pair.page)
    [aside] = pair.aside()
    assert pair.code(aside) == ["first = 1", "second = 'notebook'"]
    assert "a.ipynb held edits that a.md does not have" in said
    assert aside.name in said
    assert "compare" not in said


def test_both_edited(pair):
    pair.edit_page()
    pair.edit_notebook()
    pair.touch()
    said = pair.live()
    assert pair.code() == ["first = 'page'", "second = 2"] == pair.code(pair.page)
    [aside] = pair.aside()
    assert pair.code(aside) == ["first = 1", "second = 'notebook'"]
    assert "a.md may have changed as well" in said


def test_both_edited_alike(pair):
    pair.edit_notebook()
    pair.page.write_text(chapter("first = 1", "second = 'notebook'"), "utf8")
    pair.touch()
    assert pair.live() == ""
    pair.edit_page()
    assert pair.live() == ""
    assert pair.aside() == []


def test_outputs_are_no_edits_and_stay(pair):
    content = nbformat.read(pair.notebook, 4)
    content.cells[-1].outputs = [nbformat.v4.new_output("stream", text="shown")]
    nbformat.write(content, pair.notebook)
    for edit in (pair.touch, pair.edit_page):
        edit()
        assert pair.live() == ""
        assert nbformat.read(pair.notebook, 4).cells[-1].outputs[0].text == "shown"
    assert pair.aside() == []


def test_edits_of_the_same_second_are_all_kept(pair):
    for n in range(3):
        content = nbformat.read(pair.notebook, 4)
        content.cells[-1].source = f"edit {n}"
        nbformat.write(content, pair.notebook)
        pair.live()
    assert sorted(pair.code(path)[-1] for path in pair.aside()) == ["edit 0", "edit 1", "edit 2"]


def test_words_and_tags_are_edits_too(pair):
    for change in (lambda cell: cell.update(source="# Other words"), lambda cell: cell.metadata.update(tags=["x"])):
        content = nbformat.read(pair.notebook, 4)
        change(content.cells[0])
        nbformat.write(content, pair.notebook)
        assert "held edits" in pair.live()


def test_a_file_that_is_no_notebook_is_kept(pair):
    pair.notebook.write_text("<<<<<<< mine", "utf8")
    assert "not a notebook that can be read" in pair.live()
    assert [path.read_text("utf8") for path in pair.aside()] == ["<<<<<<< mine"]
    assert pair.code() == ["first = 1", "second = 2"]


def test_the_printed_commands_do_what_they_say(pair):
    pair.edit_page()
    pair.edit_notebook()
    compare, take = [line for line in pair.live().splitlines() if "jupytext --to" in line]
    done = subprocess.run(compare, shell=True, cwd=pair.root, capture_output=True, text=True)
    lines = {line for line in done.stdout.splitlines() if line[0] in "<>" and "_version:" not in line}
    assert lines == {"< first = 'page'", "> first = 1", "< second = 2", "> second = 'notebook'"}
    subprocess.run(shlex.split(take), cwd=pair.root, check=True, capture_output=True)
    assert pair.page.read_text("utf8").rstrip() == chapter("first = 1", "second = 'notebook'").rstrip()
    assert pair.live() == ""
    assert pair.code() == ["first = 1", "second = 'notebook'"]


@pytest.mark.parametrize("edits", [[], ["page"], ["notebook"], ["page", "notebook"]], ids="+".join)
def test_jupyterlab_opens_and_saves_what_make_live_leaves(pair, edits):
    for edited in edits:
        getattr(pair, f"edit_{edited}")()
    pair.touch()
    pair.live()
    expected, lab = pair.code(), AsyncTextFileContentsManager(root_dir=str(pair.root))
    model = asyncio.run(lab.get("notebooks/a.ipynb", type="notebook"))
    assert [cell.source for cell in model["content"].cells if cell.cell_type == "code"] == expected
    model["content"].cells[-1].source = "saved"
    asyncio.run(lab.save(model, "notebooks/a.ipynb"))
    assert pair.code() == pair.code(pair.page) == [expected[0], "saved"]
    for aside in pair.aside():
        name = f"notebooks/{aside.name}"
        asyncio.run(lab.save(asyncio.run(lab.get(name, type="notebook")), name))
    assert [path.name for path in pair.page.parent.iterdir()] == ["a.md"]  # what was put aside makes no page
    assert pair.live() == ""


def test_clean_removes_only_what_holds_no_edits(pair):
    assert notebooks.remove(pair.root) == []
    assert not pair.notebook.parent.exists()
    assert notebooks.remove(pair.root) == []
    pair.live()
    pair.edit_notebook()
    assert notebooks.remove(pair.root) == ["kept notebooks/a.ipynb: it holds edits"]
    assert pair.code() == ["first = 1", "second = 'notebook'"]
    pair.live()
    [aside] = pair.aside()
    assert notebooks.remove(pair.root) == [f"kept notebooks/{aside.name}: it holds edits"]


def changes(before, after):
    return [line for line in difflib.ndiff(before.splitlines(), after.splitlines()) if line[0] in "+-"]


@pytest.fixture(params=chapters(), ids=lambda page: page.stem)
def real(tmp_path, request):
    """A chapter of the book in a repository of its own, with its notebook."""
    (tmp_path / "book").mkdir()
    for name in ("jupytext.toml", "book/references.bib", f"book/{request.param.name}"):
        shutil.copy(ROOT / name, tmp_path / name)
    page = tmp_path / "book" / request.param.name
    assert notebooks.write(page, tmp_path) == ""
    return page


def test_saving_in_jupyterlab_changes_what_was_edited_only(real):
    lab = AsyncTextFileContentsManager(root_dir=str(real.parents[1]))
    lab.register_pre_save_hook(live.on_save)
    before, name = real.read_text("utf8"), f"notebooks/{real.stem}.ipynb"
    model = asyncio.run(lab.get(name, type="notebook"))
    metadata, spec = model["content"].metadata, KernelSpecManager().get_kernel_spec("python3")
    assert metadata.kernelspec == {"name": "python3", "display_name": spec.display_name, "language": spec.language}
    assert metadata.language_info == IPythonKernel.language_info  # JupyterLab sets both, and calls a change unsaved
    for cell in model["content"].cells:
        cell.metadata |= {"jupyter": {"source_hidden": True}, "trusted": True, "collapsed": True}
    asyncio.run(lab.save(model, name))
    assert changes(before, real.read_text("utf8")) == []
    model["content"].cells[0].source += "\nOne line more."
    asyncio.run(lab.save(model, name))
    assert changes(before, real.read_text("utf8")) == ["+ One line more."]


def test_saving_in_vs_code_changes_what_was_edited_only(real):
    settings = json.loads((ROOT / ".vscode" / "settings.json").read_text("utf8"))
    before, notebook = real.read_text("utf8"), real.parents[1] / "notebooks" / f"{real.stem}.ipynb"
    content = nbformat.read(notebook, 4)
    content.cells[0].source += "\nOne line more."
    nbformat.write(content, notebook)
    os.utime(real, (0, 0))
    subprocess.run([sys.executable, "-m", "jupytext", *settings["jupytextSync.syncArgs"], notebook], check=True,
                   capture_output=True)
    assert changes(before, real.read_text("utf8")) == ["+ One line more."]


def test_vs_code_is_told_what_opens_the_chapters():
    settings, wanted = (json.loads((ROOT / ".vscode" / f"{name}.json").read_text("utf8"))
                        for name in ("settings", "extensions"))
    assert settings["workbench.editorAssociations"] == {"**/book/*.md": "jupytextSync.pairedNotebookEditor"}
    assert {"caenrigen.jupytext-sync", "ms-toolsai.jupyter"} <= set(wanted["recommendations"])


def test_root_is_let_in():
    assert "--allow-root" in live.options(root=True)
    assert "--allow-root" not in live.options(root=False)
    assert "--ServerApp.ip=127.0.0.1" in live.options(root=False)


def test_the_names_come_with_the_notebook():
    assert notebooks.names(ROOT / "book" / "08_one_step.md").items() >= {
        "thm-one-step": ("Theorem 8.2", "notebooks/08_one_step.ipynb"),
        "lem-crossing": ("Lemma 7.1", "notebooks/07_crossing_lemma.ipynb"),
        "HaninRolnick2019": ("Hanin and Rolnick (2019)", "")}.items()
