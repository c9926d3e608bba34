"""Small repositories with small chapters, for the tests of the tools around the chapters."""
import shutil
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
HEAD = """---
jupytext:
  text_representation:
    extension: .md
    format_name: myst
kernelspec:
  display_name: Python 3
  language: python
  name: python3
---

# A chapter
"""


def chapter(*cells):
    return HEAD + "".join(f"\n```{{code-cell}}\n{cell}\n```\n" for cell in cells)


def repository(root, **pages):
    """Pages of the given code cells below root/book; their paths."""
    (root / "book").mkdir(exist_ok=True)
    paths = [root / "book" / f"{name}.md" for name in pages]
    for path, cells in zip(paths, pages.values(), strict=True):
        path.write_text(chapter(*cells), "utf8")
    return paths


def with_tools(root):
    """A copy of the tools around the chapters, which work on the repository in which they lie."""
    shutil.copytree(ROOT / "book" / "_tools", root / "book" / "_tools", ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("book/conftest.py", "_config.yml", "jupytext.toml", "pyproject.toml"):
        shutil.copy(ROOT / name, root / name)
