"""Pages on a phone, in the dark and on paper; figures whose legends leave the curves free."""
from __future__ import annotations

import re
import sys
import time

import pytest
from bs4 import BeautifulSoup
from selenium.webdriver.support.ui import WebDriverWait

from book.browser import HTML, ROOT, chromium
from book.test_site import PAGES

sys.path.insert(0, str(ROOT / "book" / "_tools"))
import pdf

READY = """return document.readyState === 'complete' && (!document.querySelector('article .math') ||
  !document.querySelector('article .math:not(:has(mjx-container))'))"""
FIGURES = sorted((HTML / "_images").glob("*.svg"))
OPEN = """document.querySelectorAll('.toggle-hidden').forEach((e) => e.classList.remove('toggle-hidden'));
  document.querySelectorAll('article details').forEach((e) => { e.open = true; });"""
SETTLED = "const done = arguments[0]; setTimeout(() => requestAnimationFrame(() => requestAnimationFrame(done)), 50);"


@pytest.fixture
def phone(driver):
    driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride",
                           {"width": 390, "height": 900, "deviceScaleFactor": 1, "mobile": True})
    yield driver
    driver.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})


def visit(driver, address):
    driver.get(address)
    WebDriverWait(driver, 30).until(lambda d: d.execute_script(READY))
    driver.execute_script(OPEN)
    driver.execute_async_script(SETTLED)


@pytest.mark.parametrize("page", PAGES)
def test_a_phone_shows_all_of_it(phone, server, page):
    """What does not fit can be scrolled, and fades where there is more of it."""
    visit(phone, f"{server}/book/{page}.html")
    assert settled(phone, """
      const cut = [];
      for (const box of document.querySelectorAll('article :is(mjx-container, pre, .scrolls, .frame)')) {
        const inside = box.querySelector(':scope > :is(mjx-math, img, svg)') ?? box;
        const width = inside === box ? box.scrollWidth : inside.getBoundingClientRect().width;
        const style = getComputedStyle(box);
        const moves = style.overflowX === 'auto' && style.maskImage.includes('gradient');
        if (box.clientWidth && width > box.clientWidth + 1.5 && !moves) cut.push(box.textContent.slice(0, 80));
        const right = box.getBoundingClientRect().right;
        if (box.clientWidth && right > innerWidth + 1) cut.push(`sticks out: ${box.textContent.slice(0, 80)}`);
      }
      return cut;""") == []


def settled(driver, script, seconds=10):
    """What a script that lists faults returns once it lists none, or at last."""
    end = time.monotonic() + seconds
    while (faults := driver.execute_script(script)) and time.monotonic() < end:
        time.sleep(0.1)
    return faults


def test_the_fade_goes_where_there_is_more(phone, server):
    visit(phone, f"{server}/book/09_whole_run.html")
    fades = "return [...document.querySelectorAll('span.math [data-more]')].map((e) => e.dataset.more)"
    assert set(phone.execute_script(fades)) == {"right"}
    phone.execute_script("document.querySelectorAll('span.math [data-more]').forEach((e) => e.scrollBy(9999, 0))")
    phone.execute_async_script(SETTLED)
    assert set(phone.execute_script(fades)) == {"left"}


@pytest.mark.parametrize("page", PAGES)
def test_numbers_at_axes_can_be_read_on_a_phone(phone, server, page):
    """They are drawn in 11 pt, 14.7 px; figures are never shrunk so far that less than 9 px are left."""
    visit(phone, f"{server}/book/{page}.html")
    sizes = phone.execute_script("""
      const figures = document.querySelectorAll('article .scrolls img, article .explore .frame:not([hidden]) svg');
      return [...figures].map((e) =>
        e.getBoundingClientRect().width / (e.naturalWidth ?? e.width.baseVal.value) * 11 * 4 / 3);""")
    assert min(sizes, default=9) >= 9


@pytest.mark.parametrize("page", PAGES)
def test_formulas_are_no_tab_stops(driver, server, page):
    visit(driver, f"{server}/book/{page}.html")
    assert driver.execute_script("""
      return [...document.querySelectorAll('mjx-container')].filter((e) => e.tabIndex >= 0 && !e.dataset.more)
        .map((e) => e.textContent)""") == []


@pytest.mark.parametrize("page", PAGES)
def test_nothing_that_touches_a_formula_is_on_another_line(page):
    article = BeautifulSoup((HTML / "book" / f"{page}.html").read_text("utf8"), "html.parser").select_one("article")
    for formula in article.select("span.math"):
        after = formula.next_sibling
        if isinstance(after, str) and re.match(r"[^\s(\[]", after):
            assert "glued" in formula.parent["class"], f"{formula.text}{after[:20]}"


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_captions_stand_out(driver, server, theme):
    visit(driver, f"{server}/book/07_crossing_lemma.html")
    driver.execute_script("document.documentElement.dataset.theme = arguments[0]", theme)
    text, ground, opacity = driver.execute_script("""
      const caption = document.querySelector('figcaption .caption-text');
      let opacity = 1;
      for (let e = caption; e; e = e.parentElement) opacity *= getComputedStyle(e).opacity;
      return [getComputedStyle(caption).color, getComputedStyle(document.body).backgroundColor, opacity];""")
    one, two = sorted((luminance(text), luminance(ground)))
    assert opacity == 1
    assert (two + 0.05) / (one + 0.05) >= 4.5


def luminance(colour):
    parts = [int(part) / 255 for part in re.findall(r"\d+", colour)[:3]]
    red, green, blue = (p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def test_frames_in_the_dark_are_alike(driver, server):
    visit(driver, f"{server}/book/07_crossing_lemma.html")
    driver.execute_script("document.documentElement.dataset.theme = 'dark'")
    looks = driver.execute_script("""
      return ['.scrolls img', '.explore .frame:not([hidden]) svg'].map((css) => {
        const style = getComputedStyle(document.querySelector(css));
        return [style.backgroundColor, style.padding, style.borderRadius, style.filter];
      });""")
    assert looks[0] == looks[1]
    colours = driver.execute_script("""
      return ['.explore label', 'article p'].map((css) => getComputedStyle(document.querySelector(css)).color)""")
    assert colours[0] == colours[1], "the words at a slider look like the text"


def test_the_index_fits_a_phone(phone, server):
    phone.get(f"{server}/genindex.html")
    assert phone.execute_script("return document.scrollingElement.scrollWidth") <= 390


@pytest.mark.parametrize("page", [page for page in PAGES if page[0].isdigit()])
def test_the_code_of_the_opening_figure_is_in_one_fold(page):
    article = BeautifulSoup((HTML / "book" / f"{page}.html").read_text("utf8"), "html.parser").select_one("article")
    first = article.select_one("div.cell")
    assert first.select_one(":scope > details.hide")
    assert first.select_one(":scope > .cell_output figure")


@pytest.mark.parametrize("page", PAGES)
def test_paper_loses_nothing(driver, server, page):
    """On a page of A4 with its margins nothing is folded, cut or dark, and what is for the screen is gone."""
    driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride",
                           {"width": 642, "height": 971, "deviceScaleFactor": 1, "mobile": False})
    driver.get(f"{server}/book/{page}.html")
    WebDriverWait(driver, 30).until(lambda d: d.execute_script(READY))
    driver.execute_script("document.documentElement.dataset.theme = 'dark'; dispatchEvent(new Event('beforeprint'));")
    driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "print"})
    try:
        assert settled(driver, """
          const seen = (e) => e.getClientRects().length && getComputedStyle(e).visibility === 'visible';
          const list = (css) => [...document.querySelectorAll(css)];
          const name = (e) => `${e.tagName} ${e.className} ${e.textContent.slice(0, 60)}`;
          const folded = list('.admonition.toggle > :not(script)').filter((e) => e.textContent.trim() && !seen(e));
          const cut = list('article :is(mjx-math, pre, table, img, .frame:not([hidden]) svg)').filter((e) =>
            seen(e) && (e.getBoundingClientRect().right > innerWidth + 1 || e.scrollWidth > e.clientWidth + 1 &&
            e.tagName === 'PRE'));
          const screen = list(`.bd-sidebar-primary, .bd-sidebar-secondary, .bd-header-article, .prev-next-footer,
            .copybtn, .toggle-button, details.hide, .explore input`).filter(seen);
          const faults = [...folded.map((e) => `folded: ${name(e)}`), ...cut.map((e) => `cut: ${name(e)}`),
                          ...screen.map((e) => `for the screen: ${name(e)}`)];
          return document.documentElement.dataset.theme === 'light' ? faults : [...faults, 'dark'];""") == []
    finally:
        driver.execute_script("dispatchEvent(new Event('afterprint'))")
        driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": ""})
        driver.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})


def test_the_links_of_the_printed_book_lead_within_it(driver):
    whole = BeautifulSoup(pdf.assemble(list(pdf.documents())), "html.parser")
    articles = whole.select("article")
    assert [article["id"] for article in articles] == [name.split("/")[-1] for name in pdf.documents()]
    anchors = [e["id"] for article in articles for e in [article, *article.select("[id]")]]
    links = {link["href"] for article in articles for link in article.select("a[href]")}
    assert {link for link in links if not link.startswith("http") and anchors.count(link[1:]) != 1} == set()
    assert len({link for link in links if link.startswith("#")}) > 500


def test_pages_are_printed_into_one_file(driver, tmp_path):
    target = tmp_path / "some.pdf"
    pdf.print_pages(chromium()[0], ["book/index", "book/part_1"], target)
    printed = target.read_bytes()
    assert printed.startswith(b"%PDF")
    assert 3 <= len(re.findall(rb"/Type */Page\b", printed)) <= 5
    assert b"/Outlines" in printed
    assert not (HTML / "book" / "_paper.html").exists()


def test_who_has_no_chromium_is_told_how_to_get_it(monkeypatch):
    monkeypatch.setattr(pdf.shutil, "which", lambda name: None)
    with pytest.raises(SystemExit, match="apt-get install chromium"):
        pdf.main()


LEGENDS = """
  const svg = arguments[0] ?? document.documentElement, covered = [];
  const curves = [...svg.querySelectorAll("[id*='axes_'] > g[id*='line2d_'] > path")];
  for (const legend of svg.querySelectorAll("g[id*='legend_']")) {
    const box = legend.getBoundingClientRect();
    const inside = (x, y) => x > box.left && x < box.right && y > box.top && y < box.bottom;
    for (const curve of curves) {
      if (legend.contains(curve)) continue;
      const frame = curve.closest("[id*='axes_']").querySelector("g[id*='patch_']").getBoundingClientRect();
      const place = curve.getScreenCTM(), length = curve.getTotalLength();
      for (let s = 0; s <= length; s += 2) {
        const at = curve.getPointAtLength(s).matrixTransform(place);
        const shown = at.x >= frame.left && at.x <= frame.right && at.y >= frame.top && at.y <= frame.bottom;
        if (shown && inside(at.x, at.y)) {
          covered.push(`${curve.parentElement.id} under ${legend.id}`);
          break;
        }
      }
    }
    for (const dot of svg.querySelectorAll("[id*='axes_'] > g:is([id*='line2d_'], [id*='PathCollection']) use")) {
      const at = dot.getBoundingClientRect();
      if (!legend.contains(dot) && inside((at.left + at.right) / 2, (at.top + at.bottom) / 2)) {
        covered.push(`${dot.closest('g[id]').id}, a dot, under ${legend.id}`);
        break;
      }
    }
  }
  return covered;"""


@pytest.mark.parametrize("figure", FIGURES, ids=lambda figure: figure.stem[:8])
def test_legends_leave_the_curves_free(driver, figure):
    driver.get(figure.as_uri())
    used_by = [page for page in PAGES if figure.name in (HTML / "book" / f"{page}.html").read_text("utf8")]
    assert driver.execute_script(LEGENDS) == [], used_by


@pytest.mark.parametrize("page", PAGES)
def test_legends_of_explorations_leave_the_curves_free(driver, server, page):
    visit(driver, f"{server}/book/{page}.html")
    for svg in driver.execute_script("return [...document.querySelectorAll('.explore .frame:not([hidden]) svg')]"):
        assert driver.execute_script(LEGENDS, svg) == [], svg.get_attribute("aria-label")
