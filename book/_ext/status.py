"""The directive `status`: when, with what and how fast the pages were made, and what was left out; nobody types it."""
import os
import platform
import re
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

from jupyter_cache import get_cache
from myst_nb.core.read import myst_nb_reader_plugin
from sphinx.util.docutils import SphinxDirective

NAMED = ("numpy", "numba", "torch", "python-flint", "scipy", "scikit-learn", "matplotlib", "jupyter-book", "sphinx",
         "myst-nb", "sphinx-book-theme", "sphinx-proof", "jupyter-cache", "jupyterlab")


def moment(seconds):
    return datetime.fromtimestamp(float(seconds), UTC)


def built():
    """When; equal builds say the same where SOURCE_DATE_EPOCH is set."""
    return moment(os.environ.get("SOURCE_DATE_EPOCH", datetime.now(UTC).timestamp()))


def began():
    """When this build began to run chapters, which it does before it calls Sphinx."""
    return moment(os.environ.get("AFFINEPIECES_BUILD_BEGAN", datetime.now(UTC).timestamp()))


def told(time):
    return f"{time.day} {time:%B %Y}, {time:%H:%M} UTC"


def table(head, rows):
    return "\n".join(f"| {' | '.join(row)} |" for row in (head, ["---"] * len(head), *rows))


def codes(book):
    """The pages with code, in order."""
    return [page for page in sorted(book.glob("*.md")) if "kernelspec:" in page.read_text("utf8")[:1000]]


def records(root):
    """Page -> record of its run, for the pages that have one."""
    cache, found = get_cache(root / "_build" / ".jupyter_cache"), {}
    for page in codes(root / "book"):
        try:
            found[page] = cache.match_cache_notebook(myst_nb_reader_plugin(str(page)))
        except KeyError:
            continue
    return found


def build(root):
    pins = dict(re.findall(r"^([\w-]+)==(\S+)$", (root / "requirements.txt").read_text("utf8"), re.M))
    other = [f"{name} {version(name)} instead of {pins[name]}" for name in NAMED
             if version(name).split("+")[0] != pins[name]]  # behind +: for which kind of processor
    return "\n".join([f"- made on {told(built())}",
                      f"- on {platform.system()} {platform.machine()} with {os.cpu_count()} processors",
                      f"- versions other than those pinned: {', '.join(other) or 'none'}"])


def versions(root):
    package = re.search(r'__version__ = "(.*)"', (root / "src/affinepieces/__init__.py").read_text("utf8"))[1]
    rows = [("affinepieces", package), ("Python", platform.python_version())]
    return table(("package", "version"), [*rows, *((name, version(name)) for name in NAMED)])


def times(root):
    ran = {page: record.data["execution_seconds"] for page, record in records(root).items()}
    rows = [(f"{{doc}}`{page.stem}`", f"{seconds:.1f}") for page, seconds in ran.items()]
    return table(("page", "seconds"), [*rows, ("**together**", f"**{sum(ran.values()):.0f}**")])


def skipped(root, env):
    """A list of what this build did not do."""
    book = root / "book"
    made = [record.created.replace(tzinfo=UTC) for record in records(root).values()]
    kept = [time for time in made if time < began()]
    lines = [f"`{page.stem}.md` is no page of the book." for page in sorted(book.glob("*.md"))
             if f"book/{page.stem}" not in env.found_docs]
    lines += [f"{{doc}}`{page.stem}` has cells that are shown and not run." for page in codes(book)
              if "skip-execution" in page.read_text("utf8")]
    if kept:
        lines.append(f"{len(kept)} of {len(made)} pages with code were not run again, because nothing that they depend "
                     f"on has changed since they were; the oldest of these runs is of {told(min(kept))}.")
    return "\n".join(f"- {line}" for line in lines or ["Nothing: every page with code was run."])


class Status(SphinxDirective):
    """`{status} build | versions | times | skipped`: one table or list."""

    required_arguments = 1

    def run(self):
        root, part = Path(self.env.srcdir), self.arguments[0]
        parts = {"build": build, "versions": versions, "times": times, "skipped": lambda root: skipped(root, self.env)}
        return self.parse_text_to_nodes(parts[part](root))


def setup(app):
    app.add_directive("status", Status)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
