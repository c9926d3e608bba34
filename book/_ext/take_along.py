"""Each chapter as a notebook to take along; buttons for it, and for the services that run it once there is an address.

The address is `repository: url:` in _config.yml.  While it is empty there are no links to the repository, to Colab or
to Binder.  Colab opens what the workflow `notebooks` puts on the branch of that name, Binder the main branch.
"""
import re
import sys
from pathlib import Path

from sphinx.errors import ConfigError

sys.path.insert(0, str(Path(__file__).parents[1] / "_tools"))
import readable
from pages import BOOK, chapters

COLAB = "https://colab.research.google.com/github/{name}/blob/notebooks/{stem}.ipynb"
BINDER = "https://mybinder.org/v2/gh/{name}/{branch}?urlpath=lab/tree/notebooks/{stem}.ipynb"


def repository(app):
    """(address, owner/name, branch), all empty if there is none."""
    options = app.config.html_theme_options
    url = (options.get("repository_url") or "").rstrip("/").removesuffix(".git")
    name = re.fullmatch(r"https://github\.com/([\w.-]+/[\w.-]+)", url)
    if url and not name:
        raise ConfigError(f"repository: url: {url!r} in _config.yml must be https://github.com/OWNER/NAME or empty")
    return url, name[1] if name else "", options.get("repository_branch") or "main"


def configure(app, config):
    config.html_theme_options["use_repository_button"] = bool(repository(app)[0])


def link(url, icon, text, label, **rest):
    return {"type": "link", "url": url, "icon": f"fa-solid fa-{icon}", "label": label, **rest, "tooltip": text}


def buttons(app, pagename, templatename, context, doctree):
    stem = pagename.removeprefix("book/")
    if pagename == stem or BOOK / f"{stem}.md" not in chapters():
        return
    _, name, branch = repository(app)
    services = [("rocket", "Run on Binder", BINDER), ("cloud", "Open in Colab", COLAB)] if name else []
    context["header_buttons"] += [
        link(f"{stem}.ipynb", "download", "Download as a notebook", "download-notebook-button"),
        *(link(address.format(name=name, branch=branch, stem=stem), icon, text, "launch-button")
          for icon, text, address in services)]


def write(app, error):
    if not error and app.builder.name == "html":
        readable.write(Path(app.outdir) / "book", repository(app)[0])


def setup(app):
    app.connect("config-inited", configure)
    app.connect("html-page-context", buttons, priority=600)
    app.connect("build-finished", write)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
