"""The table of statements is complete: every statement has its row, every name in a row exists."""
import ast
import re
from functools import cache
from pathlib import Path

import pytest
import yaml

import affinepieces as ap

ROOT = Path(__file__).resolve().parents[2]
ROWS = yaml.safe_load((ROOT / "book" / "statements.yml").read_text("utf8"))
FIDELITY = (ROOT / "book" / "fidelity.md").read_text("utf8")


@cache
def functions_in(file):
    tree = ast.parse((ROOT / "tests" / file).read_text("utf8"))
    return {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}


@cache
def titles_of(chapter):
    """Label -> title of every statement of a chapter."""
    text = (ROOT / "book" / f"{chapter}.md").read_text("utf8")
    return {label: title for title, label in re.findall(r"^`{3,}{prf:\w+} (.*)\n:label: (.*)$", text, re.M)}


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row["label"])
def test_every_name_exists(row):
    title = titles_of(row["chapter"])[row["label"]]
    assert row["provenance"].split(";")[0].split()[0] in title
    for name in row["functions"]:
        thing = ap
        for part in name.split("."):
            thing = getattr(thing, part)
    for test in row["tests"]:
        file, function = test.split("::")
        assert function in functions_in(file)


def test_every_statement_has_its_row():
    pages = sorted(path.stem for path in (ROOT / "book").glob("*.md"))
    stated = [label for page in pages for label in titles_of(page)]
    assert sorted(stated) == sorted(row["label"] for row in ROWS)


def test_every_claim_of_the_paper_has_its_row():
    """Or says in the table of fidelity.md why it cannot have one."""
    table = FIDELITY.split("| in the paper | what it says | here |")[1].split("##")[0]
    claims = dict(re.findall(r"^\| ([^|-][^|]*?) \|[^|]*\| ([^|]*) \|$", table, re.M))
    assert len(claims) > 8
    used = {row["paper"] for row in ROWS if "paper" in row}
    assert {claim for claim, here in claims.items() if not here.startswith("not checked: ")} <= used <= set(claims)
