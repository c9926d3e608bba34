"""Numbers and names that are made without Sphinx are those of the built pages."""
import re

import pytest

from book.browser import HTML
from labels import labels
from pages import BOOK

LINK = re.compile(r'<a class="reference internal" href="([\w.]*)(?:#([\w-]+))?"[^>]*>(.*?)</a>', re.DOTALL)
pytestmark = pytest.mark.skipif(not HTML.exists(), reason="missing: the built book (make book)")


def test_references_say_what_the_pages_say():
    names, seen = labels(), 0
    for page in BOOK.glob("*.md"):
        article = (HTML / "book" / f"{page.stem}.html").read_text("utf8").split("<article")[1].split("</article")[0]
        for file, label, inside in LINK.findall(article):
            named = names.get(label.removeprefix("equation-")) if label else names.get(file.removesuffix(".html"))
            said = " ".join(re.sub("<[^>]*>", "", inside).split())
            own = f"`{said} <" in page.read_text("utf8")  # words of the author's choice
            if named and not own:
                seen += 1
                assert said == named.name or said.startswith(f"{named.name} ("), page
                assert named.page == (file.removesuffix(".html") or page.stem)
    assert seen > 300


def test_works_are_called_as_in_the_pages():
    text = "".join((HTML / "book" / f"{page.stem}.html").read_text("utf8") for page in BOOK.glob("*.md"))
    said = {re.sub("<[^>]*>", "", cite) for cite in re.findall(r'<span[^>]* id="id\d+">(.*?\])</span>', text)}
    said = {re.sub(r" \[(.*)\]", r" (\1)", cite) for cite in said if not cite.startswith("[")}
    assert len(said) > 30
    assert said <= {named.name for named in labels().values()}
