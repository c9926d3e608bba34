"""What the labels, pages and references of the book are called: "Theorem 8.1", "One step", "Hanin and Rolnick (2019)".

Sphinx knows this too, but only after a build; notebooks are made without one.  A test compares the two.
"""
from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from pybtex.database import Person, parse_file

from pages import BOOK

KINDS = {"prf:theorem": "Theorem", "prf:lemma": "Lemma", "prf:proposition": "Proposition",
         "prf:corollary": "Corollary", "prf:definition": "Definition", "exercise": "Exercise"}
NUMBERED = re.compile(r"^`{3,}\{(?P<kind>prf:\w+|exercise)\}(?P<title>.*)\n:label: (?P<label>\S+)$"
                      r"|\$\$ \((?P<equation>[\w-]+)\)$|^    name: (?P<figure>[\w-]+)$", re.MULTILINE)


@dataclass(frozen=True)
class Named:
    """page: stem of the file, or the address of a work; name: as a reference says it."""

    page: str
    name: str
    title: str = ""


@cache
def labels(book: Path = BOOK) -> dict[str, Named]:
    """Label, stem of a page or key of a work -> what it is called."""
    found = works(book / "references.bib") if (book / "references.bib").exists() else {}
    elsewhere: Counter[str] = Counter()
    for page in in_order(book):
        text = page.read_text("utf8")
        found[page.stem] = Named(page.stem, title(text) or page.stem)
        found |= numbered(text, page.stem, elsewhere)
    return found


def in_order(book: Path) -> list[Path]:
    """The pages as the table of contents lists them, and then the others."""
    contents = book.parent / "_toc.yml"
    listed = re.findall(r"(?:file|root): book/(\S+)", contents.read_text("utf8")) if contents.exists() else []
    return sorted(book.glob("*.md"), key=lambda page: (
        listed.index(page.stem) if page.stem in listed else len(listed), page.stem))


def title(text: str) -> str:
    match = re.search(r"^# (.+)$", text, re.MULTILINE)
    return match[1] if match else ""


def numbered(text: str, page: str, elsewhere: Counter[str]) -> dict[str, Named]:
    """What is numbered in a page and has a label; chapter 8 counts 8.1, 8.2, the other pages 1, 2 together.

    elsewhere: the counts of the pages before that are no chapters; equations are counted in each page anew.
    """
    chapter = re.match(r"(\d\d)_", page)
    prefix, own, found = f"{int(chapter[1])}." if chapter else "", Counter(), {}
    for match in NUMBERED.finditer(text):
        kind = KINDS[match["kind"]] if match["kind"] else "Fig." if match["figure"] else ""
        counts = own if chapter or not kind else elsewhere
        counts[kind] += 1
        number = f"{prefix}{counts[kind]}"
        label = match["label"] or match["figure"] or match["equation"]
        found[label] = Named(page, f"{kind} {number}" if kind else f"({number})", (match["title"] or "").strip())
    return found


def works(file: Path) -> dict[str, Named]:
    """The works that the book cites, by their keys."""
    found = {}
    for key, entry in parse_file(str(file)).entries.items():
        fields, names = entry.fields, [family(person) for person in entry.persons.get("author", [])]
        who = f"{names[0]} et al." if len(names) > 2 else " and ".join(names)
        address = (f"https://doi.org/{fields['doi']}" if "doi" in fields else fields.get("url") or (
            f"https://arxiv.org/abs/{fields['eprint']}" if "eprint" in fields else ""))
        found[key] = Named(address, f"{who} ({fields['year']})")
    return found


def family(person: Person) -> str:
    return " ".join(str(part) for part in (*person.rich_prelast_names, *person.rich_last_names))
