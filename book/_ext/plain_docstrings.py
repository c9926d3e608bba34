"""Docstrings are plain text: keep Sphinx from reading |x|, N_j or * as markup; `name` is code."""
import re


def plain(app, what, name, obj, options, lines):
    for i, line in enumerate(lines):
        if line.lstrip().startswith((">>>", "...")) or (i and lines[i - 1].lstrip().startswith((">>>", "..."))):
            continue
        parts = re.split(r"(`[^`]*`)", line)
        lines[i] = "".join(f"`{p}`" if p.startswith("`") else re.sub(r"([|*_\\])", r"\\\1", p) for p in parts)


def setup(app):
    app.connect("autodoc-process-docstring", plain)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
