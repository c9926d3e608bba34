"""The head of each page: a description and what a link to it looks like elsewhere; a link to the repository.

The addresses of the book (`html.baseurl`) and of its repository (`repository.url`) stand in _config.yml alone;
without them nothing is said that needs them.
"""
import re
from html import escape
from pathlib import Path
from posixpath import dirname, join, relpath
from textwrap import shorten

from docutils import nodes

FIGURE = "fig-landing"
LONGEST = 240  # characters of a description


def description(doctree):
    """The first paragraph in plain words, as many of its sentences as are shown elsewhere."""
    paragraph = next((node for section in doctree.findall(nodes.section) for node in section.children
                      if isinstance(node, nodes.paragraph)), None)
    text = " ".join(paragraph.astext().replace("^2", "²").split()) if paragraph else ""
    sentences = re.match(rf".{{,{LONGEST}}}[.?](?= |$)", text)
    return sentences[0] if sentences else shorten(text, LONGEST, placeholder=" …")


def picture(app):
    """Where the figure of the landing page lies in the book: in pixels, others draw nothing else."""
    landing = app.env.get_doctree(app.config.root_doc)
    pixels = [image["uri"] for figure in landing.findall(nodes.figure) if FIGURE in figure["ids"]
              for image in figure.findall(nodes.image) if image["uri"].endswith(".png")]
    if not pixels:
        return None
    app.builder.images[pixels[0]] = app.env.images[pixels[0]][1]  # so that it is copied
    return join(app.builder.imagedir, app.builder.images[pixels[0]])


def address(app, place, target):
    """Of a file of the book: absolute if the book has a base address, otherwise as seen from a page at `place`."""
    base = app.config.html_baseurl
    return join(base, target) if base else relpath(target, dirname(place) or ".")


def meta(app, place, pagename, doctree):
    """(attribute, name, content) of each tag of a page that stands at `place`."""
    says, landing = description(doctree), pagename == app.config.root_doc
    yield "name", "description", says
    yield "property", "og:type", "website" if landing else "article"
    yield "property", "og:site_name", app.config.html_title
    yield "property", "og:title", app.env.titles[pagename].astext()
    yield "property", "og:description", says
    if image := picture(app):
        yield "property", "og:image", address(app, place, image)
    if app.config.html_baseurl:
        yield "property", "og:url", address(app, place, f"{pagename}.html")


def written(*page):
    return "\n".join(f'<meta {kind}="{name}" content="{escape(content)}" />'
                     for kind, name, content in meta(*page) if content)


def describe(app, pagename, templatename, context, doctree):
    if doctree:
        context["metatags"] += written(app, pagename, pagename, doctree)


FRONT_DOOR = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8" />
<title>{title}</title>
<meta http-equiv="Refresh" content="0; url={landing}" />
{tags}
</head>
<body><p><a href="{landing}">{title}</a></p></body>
</html>
"""


def open_front_door(app, error):
    """The address of the book itself leads to its landing page and is described like it."""
    if error or app.builder.name != "html":
        return
    landing = app.config.root_doc
    tags = written(app, "index", landing, app.env.get_doctree(landing))
    page = FRONT_DOOR.format(title=escape(app.config.html_title), landing=f"{landing}.html", tags=tags)
    Path(app.outdir, "index.html").write_text(page, "utf8")


def show_repository(app, config):
    options = config.html_theme_options
    options["use_repository_button"] = bool(options.get("repository_url"))


def draw_icon(app, pagename, templatename, context, doctree):
    """The icons of providers are not among those that the pages have."""
    for button in context.get("header_buttons", []):
        if button.get("label") == "source-repository-button":
            button["icon"] = "fa-solid fa-code-branch"


def setup(app):
    app.connect("config-inited", show_repository)
    app.connect("html-page-context", describe)
    app.connect("html-page-context", draw_icon, priority=900)
    app.connect("build-finished", open_front_door, priority=400)  # before a bare redirection takes the place
    return {"parallel_read_safe": True, "parallel_write_safe": True}
