"""What narrow pages need: no full stop alone on a line after a formula, and a box that scrolls around each figure."""
import re

from docutils import nodes
from sphinx.transforms.post_transforms import SphinxPostTransform


class Glue(SphinxPostTransform):
    """Put a formula and what touches it, brackets before and letters or punctuation behind, into one span."""

    default_priority = 900

    def run(self, **kwargs):
        for formula in list(self.document.findall(nodes.math)):
            before = cut(formula, -1, r"(.*?)([(\[]+)$")
            behind = cut(formula, 1, r"([^\s(\[]+)(.*)$")
            if before or behind:
                glued = nodes.inline("", "", *before, formula.deepcopy(), *behind, classes=["glued"])
                formula.replace_self(glued)


def cut(formula, side, pattern):
    """Take from the text beside a formula what touches it; side: -1 before, 1 behind.  No or one text node."""
    siblings = formula.parent
    at = siblings.index(formula) + side
    beside = siblings[at] if 0 <= at < len(siblings) else None
    found = re.match(pattern, beside, re.DOTALL) if isinstance(beside, nodes.Text) else None
    if not found:
        return []
    touching, rest = found.groups()[::side]
    siblings[at:at + 1] = [nodes.Text(rest)] if rest else []
    return [nodes.Text(touching)]


class Box(SphinxPostTransform):
    default_priority = 901

    def run(self, **kwargs):
        for image in list(self.document.findall(nodes.image)):
            image.replace_self(nodes.container("", image.deepcopy(), classes=["scrolls"]))


def setup(app):
    app.add_post_transform(Glue)
    app.add_post_transform(Box)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
