"""404.html, which servers send for an address without a page, in any folder: it carries all that it shows."""
from base64 import b64encode
from html import escape
from pathlib import Path

TEMPLATE = Path(__file__).with_suffix(".html")


def write(app, error):
    if error or app.builder.name != "html":
        return
    icon = Path(app.srcdir, app.config.html_favicon).read_bytes()
    base = app.config.html_baseurl
    page = TEMPLATE.read_text("utf8").format(title=escape(app.config.html_title), icon=b64encode(icon).decode(),
                                             base=escape(base and f"{base.rstrip('/')}/"))
    Path(app.outdir, "404.html").write_text(page, "utf8")


def setup(app):
    app.connect("build-finished", write)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
