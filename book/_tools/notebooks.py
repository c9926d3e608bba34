"""Write notebooks/*.ipynb from book/*.md, for JupyterLab; jupytext keeps the pairs in step from there.

JupyterLab shows the Markdown of a pair and saves it over the notebook, so edits that are in the notebook alone would
be lost there: such a notebook is put aside first.  Contents decide, not times; each notebook holds the digest of the
Markdown from which it was made.  `notebooks.py --remove` deletes the notebooks that hold no edits.

The names that the book gives to what a page refers to are in the metadata, for `labextensions/affinepieces-names`.
"""
from __future__ import annotations

import hashlib
import os
import re
import shutil
import sys
from datetime import datetime
from pathlib import Path

import jupytext
from ipykernel.ipkernel import IPythonKernel
from jupytext.combine import combine_inputs_with_outputs
from jupytext.config import load_jupytext_config
from nbformat import NotebookNode
from nbformat.reader import NotJSONError

from labels import labels
from pages import ROOT, chapters

MADE_FROM, NAMES = "affinepieces", "affinepieces_names"  # keys of the metadata of a notebook
FORMAT = "md:myst"


def digest(notebook: NotebookNode, page: Path) -> str:
    """Of the Markdown that the notebook gives; outputs do not count."""
    bare = NotebookNode({**notebook, "metadata": {**notebook.metadata, "jupytext": {}, "language_info": {}}})
    text = jupytext.writes(bare, fmt=FORMAT, config=load_jupytext_config(str(page)))
    return hashlib.sha256(text.encode()).hexdigest()


def read(target: Path) -> NotebookNode | None:
    """The notebook in a file, or None if the file holds none."""
    try:
        return jupytext.read(target, fmt="ipynb")
    except (NotJSONError, UnicodeDecodeError):
        return None


def write(page: Path, root: Path = ROOT) -> str:
    """Make the notebook of a page say what the page says; returns what to tell the reader, often nothing."""
    target = root / "notebooks" / f"{page.stem}.ipynb"
    notebook = jupytext.read(page, fmt=FORMAT, config=load_jupytext_config(str(page)))
    now, said = digest(notebook, page), ""
    if target.exists():
        there = read(target)
        if there and digest(there, page) == now:
            notebook = there
        elif there and digest(there, page) == there.metadata.get(MADE_FROM):
            notebook = combine_inputs_with_outputs(notebook, there, fmt=FORMAT)
        else:
            said = put_aside(page, target, changed=not there or there.metadata.get(MADE_FROM) != now)
    notebook.metadata |= {MADE_FROM: now, NAMES: names(page), "language_info": IPythonKernel.language_info}
    target.parent.mkdir(exist_ok=True)
    jupytext.write(notebook, target, fmt="ipynb")
    written = page.stat().st_mtime
    os.utime(target, (written - 1, written - 1))  # JupyterLab refuses a notebook much newer than its Markdown
    return said


def names(page: Path) -> dict[str, tuple[str, str]]:
    """Name, and notebook, page or address, of every label that stands in the page."""
    words, known = set(re.findall(r"[\w-]+", page.read_text("utf8"))), labels(page.parent)
    with_code = {chapter.stem for chapter in chapters(page.parent)}

    def place(where: str) -> str:
        if where.startswith("https:") or not where:
            return where
        return f"notebooks/{where}.ipynb" if where in with_code else f"book/{where}.md"

    return {label: (known[label].name, place(known[label].page)) for label in sorted(words & set(known))}


def put_aside(page: Path, target: Path, changed: bool) -> str:
    """Rename a notebook that holds edits.  changed: the page may hold other edits."""
    stem = f"{target.stem}.edited-{datetime.now():%Y-%m-%d-%H%M%S}"
    taken = len(list(target.parent.glob(f"{stem}*")))
    aside = target.rename(target.with_name(f"{stem}{f'-{taken}' * (taken > 0)}.ipynb"))
    notebook = read(aside)
    said = f"{target.name} held edits that {page.name} does not have: kept as notebooks/{aside.name}"
    if notebook is None:
        return f"{target.name} is not a notebook that can be read: kept as notebooks/{aside.name}"
    notebook.metadata["jupytext"] = {"formats": "ipynb"}  # not paired: saving it makes no page
    notebook.metadata.pop("language_info", None)  # jupytext would write it at every cell of the page
    jupytext.write(notebook, aside, fmt="ipynb")
    take = f"{Path(sys.executable).parent}/jupytext --to {FORMAT} --output {{}} notebooks/{aside.name}"
    if changed:
        said += (f"\n  {page.name} may have changed as well.  To compare:\n"
                 f"  {take.format('-')} | diff book/{page.name} -")
    return f"{said}\n  To replace the page by it:\n  {take.format(f'book/{page.name}')}"


def remove(root: Path = ROOT) -> list[str]:
    """Delete the notebooks that hold no edits, and the folder if nothing else is in it; what to tell the reader."""
    folder, kept = root / "notebooks", []
    for target in sorted(folder.glob("*.ipynb")):
        page, notebook = root / "book" / f"{target.stem}.md", read(target)
        known = [notebook.metadata.get(MADE_FROM)] if notebook else []
        if page.exists():
            known.append(digest(jupytext.read(page, fmt=FORMAT, config=load_jupytext_config(str(page))), page))
        if notebook and digest(notebook, page) in known:
            target.unlink()
        else:
            kept.append(f"kept notebooks/{target.name}: it holds edits")
    if folder.exists() and {path.name for path in folder.iterdir()} <= {".ipynb_checkpoints"}:
        shutil.rmtree(folder)
    return kept


def main() -> None:
    print("\n".join(filter(None, remove() if "--remove" in sys.argv else map(write, chapters()))))


if __name__ == "__main__":
    main()
