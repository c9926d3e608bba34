"""For the search page: a script with the statements, which `find_statements.js` searches by their numbers and names."""
import json
import re
from pathlib import Path

import yaml
from built_pages import article, static

TITLE = re.compile(r"(?P<name>\w+ [\d.]+)\s*\((?P<title>.*)\)")
NUMBER = re.compile(r"(Theorem|Lemma|Proposition|Corollary|Definition) [\d.]+")


def statement(app, row):
    """A row of statements.yml with the number and title that its page shows."""
    page = f"book/{row['chapter']}"
    box = article(app.builder.get_outfilename(page)).find(id=row["label"])
    shown = TITLE.fullmatch(box.find(class_="admonition-title").get_text(" ", strip=True))
    title, _, origin = shown["title"].rpartition(" · ")
    paper = row.get("paper", "")
    return {"name": shown["name"], "title": title or row["says"].capitalize(), "says": row["says"],
            "origin": origin or shown["title"], "paper": paper if NUMBER.fullmatch(paper) else "",
            "own": not row["provenance"].startswith("paper"), "page": article_title(app, page),
            "address": f"{page}.html#{row['label']}"}


def article_title(app, page):
    number = app.env.toc_secnumbers.get(page, {}).get("", ())
    return ". ".join([*map(str, number), app.env.titles[page].astext()])


def write(app, error):
    if error or app.builder.name != "html":
        return
    rows = yaml.safe_load(Path(app.srcdir, "book", "statements.yml").read_text("utf8"))
    listed = json.dumps([statement(app, row) for row in rows], ensure_ascii=False)
    static(app, "statements.js").write_text(f"window.statements = {listed};\n", "utf8")


def load(app, pagename, templatename, context, doctree):
    if pagename == "search":
        app.add_js_file("statements.js", loading_method="defer")
        app.add_js_file("find_statements.js", loading_method="defer")


def setup(app):
    app.connect("html-page-context", load)
    app.connect("build-finished", write)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
