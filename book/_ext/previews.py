"""Previews: for each page a script with what its links lead to; `previews.js` fetches it when a link is looked at.

A preview is a statement, an exercise, an equation, a figure or an entry of the bibliography, as it stands in its page.
It is a script and not JSON because pages that are opened as files may load nothing else.
"""
import copy
import json
from posixpath import dirname, join, normpath, relpath

from built_pages import articles, static

TARGETS = ("div.proof[id]", "div.exercise[id]", "div.math[id]", "div.citation[id]", "figure[id]")
LINKS = 'a.reference.internal[href*="#"]'


def preview(target, home, page):
    """HTML of a target in page `home`, to stand in `page`: no id twice, nothing to click, pictures found."""
    shown = copy.copy(target)
    for extra in shown.select("a.headerlink, button"):
        extra.decompose()
    for link in shown.find_all("a"):
        link.unwrap()
    for part in [shown, *shown.find_all(id=True)]:
        del part["id"]
    for image in shown.find_all("img"):
        image["src"] = relpath(join(dirname(home), image["src"]), dirname(page))
    return str(shown)


def previews(pages):
    """Page -> {address as it stands in a link of the page: HTML}."""
    targets = {(page, target["id"]): target for page, article in pages.items()
               for target in article.select(", ".join(TARGETS))}
    found = {page: {} for page in pages}
    for page, article in pages.items():
        for address in {link["href"] for link in article.select(LINKS)}:
            file, anchor = address.split("#")
            home = normpath(join(dirname(page), file)).removesuffix(".html") if file else page
            if (home, anchor) in targets:
                found[page][address] = preview(targets[home, anchor], home, page)
    return found


def write(app, error):
    if error or app.builder.name != "html":
        return
    for page, found in previews(articles(app)).items():
        shown = json.dumps(dict(sorted(found.items())), ensure_ascii=False)
        static(app, f"previews/{page}.js").write_text(f"window.previews = {shown};\n", "utf8")


def load(app, pagename, templatename, context, doctree):
    if doctree:
        app.add_js_file("previews.js", loading_method="defer", **{"data-mathjax": app.config.mathjax_path})


def setup(app):
    app.connect("html-page-context", load)
    app.connect("build-finished", write)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
