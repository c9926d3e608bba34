"""A chapter as a notebook that any program can show: its directives and roles become ordinary Markdown.

There is no way back from it to the page, so these notebooks are for taking along; `make live` edits the pages.
`readable.py FOLDER [REPOSITORY]` writes them all.
"""
from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from pathlib import Path

import jupytext
import nbformat
from ipykernel.ipkernel import IPythonKernel
from jupytext.config import load_jupytext_config
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_markdown_cell

from labels import KINDS, Named, labels
from notebooks import FORMAT
from pages import chapters

FENCE = re.compile(r"^(`{3,})\{([\w:-]+)\} *(.*)$")
ROLE = re.compile(r"\{(doc|prf:ref|numref|eq|ref|cite:t|cite:p)\}`([^`]+)`")
INSTALL = """\
import importlib.util

if importlib.util.find_spec("affinepieces") is None:  # as on Colab
    !git clone --quiet --depth 1 {repository} affinepieces-book
    %pip install --quiet "./affinepieces-book[torch,book,study]"
    %cd affinepieces-book/book"""


def readable(page: Path, repository: str = "") -> NotebookNode:
    """The notebook of a page.  repository: where a reader without the package gets it."""
    notebook = jupytext.read(page, fmt=FORMAT, config=load_jupytext_config(str(page)))
    words, cells = Words(page), []
    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            cell.source = words.cell(cell.source)
        elif words.solving or {"hide-input", "remove-input"} & set(cell.metadata.get("tags", [])):
            cell.metadata["jupyter"] = {"source_hidden": True}
        if cell.source:
            cells.append(cell)
        if figure := cell.metadata.pop("mystnb", {}).get("figure"):
            cells.append(new_markdown_cell(words.caption(**figure)))
    if repository:
        cells.insert(1, new_code_cell(INSTALL.format(repository=repository)))
    notebook.metadata = NotebookNode(kernelspec=notebook.metadata.kernelspec,
                                     language_info=IPythonKernel.language_info)
    notebook.cells = cells
    for number, cell in enumerate(cells):
        cell["id"] = f"cell-{number}"  # the same in every build
    return notebook


class Words:
    """The Markdown of a page, told in ordinary Markdown."""

    def __init__(self, page: Path) -> None:
        self.page, self.names = page.stem, labels(page.parent)
        self.notebooks = {chapter.stem for chapter in chapters(page.parent)}
        self.solving = ""  # the exercise, between the cells in which its solution begins and ends

    def cell(self, source: str) -> str:
        before = [f"```{{solution-start}} {self.solving}", "```", ""] if self.solving else []
        told = "\n".join(self.blocks([*before, *source.split("\n")])).strip()
        if told.count("<details>") > told.count("</details>"):
            told += "\n\n</details>"
        return re.sub(r"<details>\n<summary>[^<]*</summary>\s*</details>", "", told).strip()  # nothing in it

    def caption(self, caption: str = "", name: str = "") -> str:
        number = f"**{self.names[name].name}** " if name in self.names else ""
        return self.inline(number + caption)

    def blocks(self, lines: list[str]) -> Iterator[str]:
        at = 0
        while at < len(lines):
            line = lines[at]
            if line.startswith("```"):
                end = closing(lines, at)
                opened = FENCE.match(line)
                yield from self.directive(opened, lines[at + 1:end]) if opened else lines[at:end + 1]
                at = end
            elif target := re.fullmatch(r"\(([\w-]+)\)=", line):
                yield f'<a id="{target[1]}"></a>'
                yield ""
            elif equation := re.fullmatch(r"(.*)\$\$ \(([\w-]+)\)", line):
                yield rf"{equation[1]}\tag{{{self.names[equation[2]].name.strip('()')}}}"
                yield "$$"
            else:
                yield self.inline(line)
            at += 1

    def directive(self, opened: re.Match, inside: list[str]) -> Iterator[str]:
        kind, title = opened[2], opened[3]
        options = dict(re.findall(r"^:(\w+): *(.*)$", "\n".join(inside), re.MULTILINE))
        text = list(self.blocks([line for line in inside if not re.match(r":\w+:", line)]))
        if kind in KINDS:
            label = options["label"]
            words = f" ({title})" if title else ""
            yield from (f'<a id="{label}"></a>', "", f"> **{self.names[label].name}**{words}", ">")
            yield from (f"> {line}".rstrip() for line in on_one_line("\n".join(text).strip()).split("\n"))
        elif kind == "admonition":
            yield from ("<details>", f"<summary>{title}</summary>", "", *text, "", "</details>")
        elif kind == "solution-start":
            self.solving = title
            yield from ("<details>", f"<summary>Solution to {self.names[title].name}</summary>")
        elif kind == "solution-end":
            self.solving = ""
            yield "</details>"
        else:
            raise ValueError(f"{self.page}: no ordinary Markdown for the directive {kind}; give it one in readable.py")

    def inline(self, line: str) -> str:
        return ROLE.sub(lambda role: self.role(role[1], role[2]), line)

    def role(self, role: str, text: str) -> str:
        if role.startswith("cite"):
            works = [self.names[key.strip()] for key in text.split(",")]
            if role == "cite:t":
                return " and ".join(self.link(work, work.name) for work in works)
            links = [self.link(work, re.sub(r" \((.+)\)$", r", \1", work.name)) for work in works]
            return f"({'; '.join(links)})"
        words, label = re.fullmatch(r"(?:(.*) <)?(.*?)>?", text).groups()
        named = self.names[label]
        return self.link(named, words or named.name, "" if role == "doc" else f"#{label}")

    def link(self, named: Named, words: str, anchor: str = "") -> str:
        if named.page.startswith("https:"):
            return f"[{words}]({named.page})"
        if named.page == self.page:
            return f"[{words}]({anchor})" if anchor else words
        return f"[{words}]({named.page}.ipynb{anchor})" if named.page in self.notebooks else words


def closing(lines: list[str], at: int) -> int:
    """The line that closes the fence which is opened at a line."""
    fence = re.match("`+", lines[at])[0]
    return next(i for i in range(at + 1, len(lines)) if lines[i].rstrip() == fence)


def on_one_line(text: str) -> str:
    """Formulas on lines of their own on one line each: in a quotation the marks of the lines would get into them."""
    return re.sub(r"\$\$.*?\$\$", lambda formula: " ".join(formula[0].split("\n")), text, flags=re.DOTALL)


def write(folder: Path, repository: str = "") -> None:
    """The notebooks of all pages with code."""
    folder.mkdir(exist_ok=True)
    for page in chapters():
        nbformat.write(readable(page, repository), folder / f"{page.stem}.ipynb")


if __name__ == "__main__":
    write(Path(sys.argv[1]), *sys.argv[2:])
