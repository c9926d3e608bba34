"""The index of the search is for the search page; the theme loads it with every page, to search while one types."""
import re
from pathlib import Path

SCRIPTS = r'\s*<script src="[./]*(_static/searchtools|_static/language_data|searchindex)\.js"></script>'


def write(app, error):
    if error or app.builder.name != "html":
        return
    for page in Path(app.outdir).rglob("*.html"):
        if page.name != "search.html":
            page.write_text(re.sub(SCRIPTS, "", page.read_text("utf8")), "utf8")


def setup(app):
    app.connect("build-finished", write)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
