"""The pages as they were written, for what is made out of them at the end of a build."""
import re
from functools import cache
from pathlib import Path

from bs4 import BeautifulSoup


@cache
def article(file):
    """What a page says, without its drawings and scripts, in which nothing is looked for."""
    text = re.sub(r"<(script|svg)\b.*?</\1>", "", Path(file).read_text("utf8"), flags=re.S)
    return BeautifulSoup(text, "html.parser").find("article")


def articles(app):
    return {name: article(app.builder.get_outfilename(name)) for name in sorted(app.env.found_docs)}


def static(app, name):
    """The file of that name among those that the pages load; its folder exists."""
    file = Path(app.outdir) / "_static" / name
    file.parent.mkdir(parents=True, exist_ok=True)
    return file
