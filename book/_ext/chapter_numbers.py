"""A chapter's number is that of its file: `08_one_step` is chapter 8, whatever stands before it; other pages have none.

Sphinx counts the pages of a numbered toctree, so a part's opening page would take a number, and a chapter that is not
written yet would shift all that follow.
"""
import re

from docutils import nodes
from sphinx_external_toc.collectors import TocTreeCollectorWithStyles

count_pages = TocTreeCollectorWithStyles.assign_section_numbers


def chapter(docname):
    found = re.match(r"book/(\d\d)_", docname)
    return int(found[1]) if found else None


def renumber(node, number):
    """In place: the secnumber of a title or of a reference to one."""
    if node.get("secnumber"):
        node["secnumber"] = [number, *node["secnumber"][1:]] if number else None


def assign_section_numbers(self, env):
    before = env.toc_secnumbers
    count_pages(self, env)
    for docname, numbers in list(env.toc_secnumbers.items()):
        number = chapter(docname)
        for reference in env.tocs[docname].findall(nodes.reference):
            renumber(reference, number)
        renumber(env.titles[docname], number)
        env.toc_secnumbers[docname] = {at: (number, *found[1:]) for at, found in numbers.items()} if number else {}
    return [docname for docname, numbers in env.toc_secnumbers.items() if numbers != before.get(docname)]


def setup(app):
    TocTreeCollectorWithStyles.assign_section_numbers = assign_section_numbers
    return {"parallel_read_safe": True, "parallel_write_safe": True}
