"""Pages on a phone, in the dark and on paper; figures whose legends leave the curves free."""
from __future__ import annotations

import base64
import re
import sys

import pytest
from bs4 import BeautifulSoup
from selenium.webdriver.support.ui import WebDriverWait

from book.browser import CHROMIUM, HTML, ROOT, wait
from book.test_site import PAGES

sys.path.insert(0, str(ROOT / "book" / "_tools"))
import pdf  # noqa: E402

READY = """return document.readyState === 'complete' && (!document.querySelector('article .math') ||
  !document.querySelector('article .math:not(:has(mjx-container))'))"""
FIGURES = sorted((HTML / "_images").glob("*.svg"))
OPEN = "document.querySelectorAll('.toggle-hidden').forEach((e) => e.classList.remove('toggle-hidden'));"
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
    assert phone.execute_script("""
      const cut = [];
      for (const box of document.querySelectorAll('article :is(mjx-container, pre, .scrolls, .frame)')) {
        const inside = box.querySelector(':scope > :is(mjx-math, img, svg)') ?? box;
        const width = Math.max(inside.getBoundingClientRect().width, inside === box ? box.scrollWidth : 0);
        const style = getComputedStyle(box);
        const moves = style.overflowX === 'auto' && style.maskImage.includes('gradient');
        if (box.clientWidth && width > box.clientWidth + 1.5 && !moves) cut.push(box.textContent.slice(0, 80));
        const right = box.getBoundingClientRect().right;
        if (box.clientWidth && right > innerWidth + 1) cut.push(['sticks out', box.textContent.slice(0, 80)]);
      }
      return cut;""") == []


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
      return [...document.querySelectorAll('article .scrolls img, article .explore .frame:not([hidden]) svg')].map((e) =>
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
    assert opacity == 1 and (two + 0.05) / (one + 0.05) >= 4.5


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


@pytest.mark.parametrize("page", PAGES)
def test_the_code_of_the_opening_figure_is_in_one_fold(page):
    """No second bar stands between the first and its figure."""
    article = BeautifulSoup((HTML / "book" / f"{page}.html").read_text("utf8"), "html.parser").select_one("article")
    folded = [cell for cell in article.select("div.cell") if cell.select_one(":scope > details.hide")]
    for cell in folded[:1]:
        assert cell.select_one(":scope > .cell_output"), "a folded cell that shows nothing"


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
        if (inside(at.x, at.y) && at.x <= frame.right && at.x >= frame.left && at.y >= frame.top && at.y <= frame.bottom) {
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
