"""Print the built book as one file: _build/html/affinepieces.pdf.

The articles of all pages are put one after another into the landing page, with links that lead within the file, and
headless Chromium prints that; book/_static/custom.css says what paper looks like.  `make book` comes first; it also
removes the file, so a PDF is never older than the pages beside it.
"""
from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import yaml
from bs4 import BeautifulSoup, Tag

from pages import ROOT

HTML = ROOT / "_build" / "html"
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
PATIENCE = 20_000  # milliseconds of the page's clock, which stands still while it sets formulas
OFF_PAPER = "script, .frame[hidden]"


def main() -> None:
    begin = time.time()
    browser = next(filter(None, map(shutil.which, BROWSERS)), None)
    if not browser:
        sys.exit("no Chromium found: install it (Debian: apt-get install chromium), "
                 "or open single pages in any browser and print them")
    if not (HTML / "book" / "index.html").exists():
        sys.exit("the pages are not built: make book")
    target = HTML / "affinepieces.pdf"
    print_pages(browser, list(documents()), target)
    print(f"{target.as_uri()}, {target.stat().st_size / 1e6:.1f} MB, made in {time.time() - begin:.0f} s")


def documents() -> Iterator[str]:
    """The pages in the order of the table of contents, as paths below the folder of the built pages."""
    toc = yaml.safe_load((ROOT / "_toc.yml").read_text("utf8"))
    yield toc["root"]
    for part in toc["parts"]:
        yield from (chapter["file"] for chapter in part["chapters"])


def print_pages(browser: str, names: list[str], target: Path) -> None:
    whole = HTML / "book" / "_paper.html"
    whole.write_text(assemble(names), "utf8")
    try:
        done = subprocess.run(
            [browser, "--headless", "--disable-gpu", "--no-pdf-header-footer", "--generate-pdf-document-outline",
             *(["--no-sandbox"] if os.geteuid() == 0 else []), f"--virtual-time-budget={PATIENCE}",
             f"--print-to-pdf={target}", whole.as_uri()], capture_output=True, text=True)
    finally:
        whole.unlink()
    if done.returncode or not target.exists():
        sys.exit(f"Chromium could not print: {done.stderr[-500:]}")


def assemble(names: list[str]) -> str:
    """The HTML of one page that holds the articles of all; the first gives the frame."""
    soups = {name: BeautifulSoup((HTML / f"{name}.html").read_text("utf8"), "html.parser") for name in names}
    articles = [article(soup, Path(name).name, {Path(other).name for other in names}) for name, soup in soups.items()]
    frame = soups[names[0]]
    for other in articles[:0:-1]:
        articles[0].insert_after(other)
    return str(frame)


def article(soup: BeautifulSoup, name: str, names: set[str]) -> Tag:
    """The article of a page without what paper cannot show; anchors and links carry the name of their page."""
    found = soup.select_one("article")
    for part in found.select(OFF_PAPER):
        part.decompose()
    for anchor in found.select("[id]"):
        if not anchor.find_parent("svg"):
            anchor["id"] = f"{name}--{anchor['id']}"
    for link in found.select("a[href]"):
        if not re.match(r"[a-z]+:", link["href"]):
            relink(link, name, names)
    found["id"] = name
    return found


def relink(link: Tag, name: str, names: set[str]) -> None:
    page, _, anchor = link["href"].partition("#")
    page = page.removesuffix(".html") or name
    if page in names:
        link["href"] = f"#{page}--{anchor}" if anchor else f"#{page}"
    else:
        link.unwrap()  # listings of code and indices are not in the file


if __name__ == "__main__":
    main()
