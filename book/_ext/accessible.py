"""What the theme and the extensions write in a way that a screen reader gets wrong, put right.

tests/book/test_accessibility.py checks every page; a repair that a newer version makes needless can go.
"""
from pathlib import Path

from docutils import nodes

FIELD = 'class="btn search-button-field search-button__button pst-js-only" title="Search"'
REPAIRS = (
    # What is read out is not the words that are seen, so it cannot be called by them.
    ('<summary aria-label="Toggle hidden content">', "<summary>"),
    (f'{FIELD} aria-label="Search"', FIELD),
    # A list must consist of list items.
    ('role="doc-biblioentry"', 'role="listitem"'),
    # The title of the book and the search button belong to no landmark.
    ('<div id="pst-primary-sidebar" class', '<div id="pst-primary-sidebar" role="region" aria-label="Sidebar" class'),
)


# The theme lets the keyboard scroll wide code, but not where it was folded when the page was opened.
SCROLL = """document.addEventListener("DOMContentLoaded", () => {
  const sized = new ResizeObserver((seen) => seen.forEach(({ target }) => {
    target.tabIndex = target.scrollWidth > target.clientWidth ? 0 : -1;
  }));
  document.querySelectorAll("article pre").forEach((code) => sized.observe(code));
});"""


def drop_empty_heads(app, doctree):
    """Markdown has no table without a header row: one that says nothing is not announced."""
    for head in list(doctree.findall(nodes.thead)):
        if not head.astext().strip():
            head.parent.remove(head)


def repair(app, error):
    """In the finished pages."""
    if error or app.builder.name != "html":
        return
    for file in Path(app.outdir).rglob("*.html"):
        page = file.read_text("utf8")
        for wrong, right in REPAIRS:
            page = page.replace(wrong, right)
        file.write_text(page, "utf8")


def setup(app):
    app.add_js_file(None, body=SCROLL)
    app.connect("doctree-read", drop_empty_heads)
    app.connect("build-finished", repair)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
