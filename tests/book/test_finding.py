"""Finding one's way: previews, the search for statements, what pages say of themselves, and how they were made."""
from __future__ import annotations

import contextlib
import functools
import gzip
import http.server
import json
import re
import shutil
import subprocess
import sys
import threading
from importlib.metadata import version
from pathlib import Path
from types import SimpleNamespace
from urllib.parse import urljoin

import pydata_sphinx_theme
import pytest
import small_fonts
import status
import yaml
from bs4 import BeautifulSoup
from fontTools.ttLib import TTFont
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.ui import WebDriverWait

from book.browser import HTML, ROOT, assert_quiet, requests_of, wait
from execute import Runs
from pages import chapters

PAGES = sorted(path.stem for path in (ROOT / "book").glob("*.md"))
ROWS = yaml.safe_load((ROOT / "book" / "statements.yml").read_text("utf8"))
PREVIEWS = HTML / "_static" / "previews" / "book"


@pytest.fixture(scope="module")
def built():
    if not HTML.exists():
        pytest.skip("missing: the built book (make book)")


@pytest.fixture(autouse=True)
def forget(request):
    """What the pages of the test before asked for, and broke off when they were left, is not held against the next."""
    if "driver" in request.fixturenames:
        driver = request.getfixturevalue("driver")
        driver.get("about:blank")
        requests_of(driver)
        driver.get_log("browser")


# --- previews

SHOWN = "#link-preview:not([hidden])"
KINDS = {  # kind: (page, link, what its preview shows)
    "statement": ("08_one_step", 'a[href$="#lem-crossing"]', ".proof .admonition-title", "Lemma 7.1 (Crossing lemma"),
    "equation": ("07_crossing_lemma", 'a[href="#equation-eq-crossing"]', ".math .eqno", "(7.1)"),
    "figure": ("08_one_step", 'a[href="#fig-one-step"]', "figure figcaption", "Fig. 8.2"),
    "citation": ("08_one_step", 'a[href^="references.html#"]', ".citation", "Karner"),
    "exercise": ("08_one_step", 'a[href="#ex-one-step-guess"]', ".exercise .admonition-title", "Exercise 8.1")}
each_kind = pytest.mark.parametrize("kind", KINDS)


def content(page):
    return json.loads((PREVIEWS / f"{page}.js").read_text("utf8").removeprefix("window.previews = ").rstrip(";\n"))


def open_at_link(driver, site, kind):
    """The page, at the first such link that is not folded away; the link."""
    page, css, *_ = KINDS[kind]
    driver.get(f"{site}/book/{page}.html")
    wait(driver, "article .math mjx-container")
    link = next(link for link in driver.find_elements(By.CSS_SELECTOR, f"article {css}") if link.is_displayed())
    driver.execute_script("arguments[0].scrollIntoView({block: 'center', behavior: 'instant'})", link)
    return link


def gone(driver):
    WebDriverWait(driver, 10).until_not(lambda d: d.find_elements(By.CSS_SELECTOR, SHOWN))
    return True


@each_kind
def test_hovering_shows_what_a_link_leads_to(driver, site, kind):
    link, (_, _, css, says) = open_at_link(driver, site, kind), KINDS[kind]
    ActionChains(driver).move_to_element(link).perform()
    shown = wait(driver, f"{SHOWN} {css}")[0]
    WebDriverWait(driver, 10).until(lambda _: link.get_attribute("aria-describedby") == "link-preview")
    assert says in shown.text
    box = driver.find_element(By.CSS_SELECTOR, SHOWN)
    assert len(box.find_elements(By.CSS_SELECTOR, ".math")) <= len(box.find_elements(By.TAG_NAME, "mjx-container"))
    for image in box.find_elements(By.TAG_NAME, "img"):
        WebDriverWait(driver, 10).until(lambda d, i=image: d.execute_script("return arguments[0].naturalWidth > 0", i))
    inside = driver.execute_script("""const r = arguments[0].getBoundingClientRect();
        return r.left >= 0 && r.top >= 0 && r.right <= innerWidth && r.bottom <= innerHeight""", box)
    assert inside
    ActionChains(driver).move_to_element(shown).pause(0.6).perform()  # the pointer may go over to the box
    assert box.is_displayed()
    ActionChains(driver).send_keys(Keys.ESCAPE).perform()
    assert gone(driver)
    assert link.get_attribute("aria-describedby") is None
    assert_quiet(driver)


@each_kind
def test_a_preview_shows_on_keyboard_focus(driver, site, kind):
    link = open_at_link(driver, site, kind)
    ActionChains(driver).send_keys(Keys.TAB).perform()  # focus that follows is that of a keyboard
    driver.execute_script("arguments[0].focus({preventScroll: true})", link)
    assert KINDS[kind][3] in wait(driver, f"{SHOWN} {KINDS[kind][2]}")[0].text
    ActionChains(driver).send_keys(Keys.ESCAPE).perform()
    assert gone(driver)
    assert driver.switch_to.active_element == link
    target = link.get_attribute("href")
    ActionChains(driver).send_keys(Keys.ENTER).perform()
    WebDriverWait(driver, 10).until(lambda d: d.current_url == target)


def test_a_preview_goes_when_the_pointer_leaves(driver, site):
    link = open_at_link(driver, site, "equation")
    ActionChains(driver).move_to_element(link).perform()
    wait(driver, SHOWN)
    ActionChains(driver).move_by_offset(0, -200).perform()
    assert gone(driver)


def test_a_finger_follows_the_link_and_sees_no_preview(driver, server):
    link = open_at_link(driver, server, "figure")
    driver.execute_script("""window.seen = 0;
        new MutationObserver(() => { window.seen += !document.getElementById("link-preview").hidden; })
          .observe(document.getElementById("link-preview"), {attributes: true});""")
    spot = driver.execute_script("""const r = arguments[0].getBoundingClientRect();
        return {x: r.x + r.width / 2, y: r.y + r.height / 2}""", link)
    driver.execute_cdp_cmd("Emulation.setTouchEmulationEnabled", {"enabled": True})
    try:
        driver.execute_cdp_cmd("Input.dispatchTouchEvent", {"type": "touchStart", "touchPoints": [spot]})
        driver.execute_cdp_cmd("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
        WebDriverWait(driver, 10).until(lambda d: d.current_url.endswith("#fig-one-step"))
        ActionChains(driver).pause(1).perform()
        assert driver.execute_script("return window.seen") == 0
    finally:
        driver.execute_cdp_cmd("Emulation.setTouchEmulationEnabled", {"enabled": False})


def test_mathematics_is_typeset_on_a_page_that_has_none_itself(driver, site):
    driver.get(f"{site}/book/part_1.html")
    assert driver.execute_script("return typeof MathJax") == "undefined"
    driver.execute_script("""
        window.previews = {"#x": '<div class="math">\\\\(x^2\\\\)</div>'};
        document.querySelector("article p").innerHTML = '<a class="reference internal" href="#x">Link</a>';""")
    driver.execute_script("""Object.freeze(window.previews); const kept = window.previews;
        Object.defineProperty(window, "previews", {get: () => kept, set: () => {}});""")
    ActionChains(driver).move_to_element(driver.find_element(By.LINK_TEXT, "Link")).perform()
    wait(driver, f"{SHOWN} mjx-container")
    assert_quiet(driver)


@pytest.mark.parametrize("page", PAGES)
def test_previews_are_complete_small_and_at_rest(built, page):
    """All links to statements, exercises, equations, figures and works have one, in which there is nothing to click."""
    soup = BeautifulSoup((HTML / "book" / f"{page}.html").read_text("utf8"), "html.parser").find("article")
    expected = {link["href"] for link in soup.select("a.reference.internal")
                if re.search(r"#((thm|lem|prop|cor|def|ex|fig|equation)-|id\d+$)", link.get("href", ""))}
    found = content(page)
    assert set(found) == expected
    for html in found.values():
        shown = BeautifulSoup(html, "html.parser")
        assert not shown.select("a, button, input, script, [id]")
        assert all((HTML / "book" / image["src"]).is_file() for image in shown.find_all("img"))
    assert len(gzip.compress((PREVIEWS / f"{page}.js").read_bytes())) < 20_000
    assert len(gzip.compress((HTML / "_static" / "previews.js").read_bytes())) < 3_000


def test_previews_are_fetched_when_they_are_wanted_and_not_before(driver, server):
    link = open_at_link(driver, server, "statement")
    assert not [address for address, _ in requests_of(driver) if "_static/previews/" in address]
    ActionChains(driver).move_to_element(link).perform()
    wait(driver, SHOWN)
    assert [address for address, _ in requests_of(driver) if "_static/previews/" in address]


# --- the search for statements

ASKED = {"Theorem 3.4": "thm-one-step", "theorem 3.4": "thm-one-step", "thm. 3.4": "thm-one-step",
         "3.4": "thm-one-step", "Lemma 3.1": "lem-crossing", "Theorem 8.2": "thm-one-step",
         "Thm 8.2": "thm-one-step",
         "crossing lemma": "lem-crossing", "the crossing lemma": "lem-crossing", "depth budget": "thm-depth-budget",
         "Definition 2.3": "def-regions", "rounded tri": "prop-triangles"}


def statements_found(driver, site, query):
    driver.get(f"{site}/search.html?q={query.replace(' ', '+')}")
    wait(driver, "#search-results p")  # that of the search in the texts, which comes later
    return driver.find_elements(By.CSS_SELECTOR, ".statements-found a")


@pytest.mark.parametrize("query", ASKED)
def test_search_finds_a_statement_by_its_number_or_name(driver, server, query):
    first = statements_found(driver, server, query)[0]
    chapter = next(row["chapter"] for row in ROWS if row["label"] == ASKED[query])
    assert first.get_attribute("href") == f"{server}/book/{chapter}.html#{ASKED[query]}"
    above = driver.execute_script("""return document.querySelector(".statements-found")
        .compareDocumentPosition(document.getElementById("search-results")) & Node.DOCUMENT_POSITION_FOLLOWING""")
    assert above
    assert_quiet(driver)


def test_a_number_of_both_the_book_and_the_paper_finds_both(driver, server):
    names = [link.text for link in statements_found(driver, server, "Definition 2.3")]
    assert [name.split(" (")[0] for name in names] == ["Definition 2.3", "Definition 6.1", "Definition 6.2"]


@pytest.mark.parametrize("query", ["", "Theorem 99.1", "sphinx"])
def test_nothing_stands_above_the_results_without_a_statement(driver, server, query):
    driver.get(f"{server}/search.html?q={query}")
    wait(driver, "#search-results")
    assert not driver.find_elements(By.CSS_SELECTOR, ".statements-found")
    assert_quiet(driver)


def test_a_statement_is_reached_by_keyboard(driver, site):
    address = statements_found(driver, site, "Theorem 3.4")[0].get_attribute("href")
    assert driver.switch_to.active_element.get_attribute("name") == "q"
    ActionChains(driver).send_keys(Keys.TAB, Keys.ENTER).perform()
    WebDriverWait(driver, 10).until(lambda d: d.current_url == address)


def test_the_search_knows_every_statement(built):
    text = (HTML / "_static" / "statements.js").read_text("utf8")
    listed = json.loads(text.removeprefix("window.statements = ").rstrip(";\n"))
    assert [one["address"].split("#")[1] for one in listed] == [row["label"] for row in ROWS]
    for one in listed:
        page, label = one["address"].split("#")
        box = BeautifulSoup((HTML / page).read_text("utf8"), "html.parser").find(id=label)
        assert box.find(class_="caption-number").text.strip() == one["name"]
        assert all(one[key] for key in ("title", "says", "origin", "page"))


# --- what a page says of itself

def head_of(file):
    soup = BeautifulSoup(file.read_text("utf8"), "html.parser")
    tags = {tag.get("name") or tag.get("property"): tag["content"] for tag in soup.find_all("meta", content=True)}
    links = {tag["rel"][0]: tag["href"] for tag in soup.find_all("link", rel=True)}
    return soup, tags, links


def test_pages_describe_themselves(built):
    heads = {page: head_of(HTML / "book" / f"{page}.html")[:2] for page in PAGES}
    said = [tags["description"] for _, tags in heads.values()]
    assert len(set(said)) == len(PAGES)
    base = yaml.safe_load((ROOT / "_config.yml").read_text("utf8"))["html"]["baseurl"]
    for page, (soup, tags) in heads.items():
        text = tags["description"]
        assert 20 < len(text) <= 241, page
        assert not re.search(r"[\\${}*`<>]|\bYou need\b", text), text
        assert tags["og:description"] == text
        assert tags["og:title"] == soup.find("h1").get_text().rstrip("#").strip().split(". ", 1)[-1]
        assert tags["og:type"] == ("website" if page == "index" else "article")
        image = HTML / tags["og:image"].removeprefix(base) if base else HTML / "book" / tags["og:image"]
        assert image.read_bytes().startswith(b"\x89PNG")
    assert heads["07_crossing_lemma"][1]["description"].startswith("A neuron makes new pieces where its")
    assert head_of(HTML / "index.html")[1]["description"] == heads["index"][1]["description"]


PAGE = """# Small

The *first* paragraph says $x^2$.

```{figure} dot.png
:name: fig-landing
A dot
```
"""
DOT = bytes.fromhex("89504e470d0a1a0a0000000d4948445200000001000000010806000000"
                    "1f15c4890000000d49444154789c6360606060000000050001a5f645400000000049454e44ae426082")
ADDRESSES = ("https://example.org/nested/book/", "https://github.com/somebody/something")


@pytest.fixture(scope="module", params=[ADDRESSES, ("", "")], ids=["addresses", "none"])
def small(request, tmp_path_factory):
    """A book of one page with the real settings, but for the two addresses; the addresses, and where its pages are."""
    root, (base, repository) = tmp_path_factory.mktemp("small"), request.param
    settings = yaml.safe_load((ROOT / "_config.yml").read_text("utf8"))
    settings["html"]["baseurl"], settings["repository"]["url"] = base, repository
    (root / "_config.yml").write_text(yaml.safe_dump(settings), "utf8")
    (root / "_toc.yml").write_text("format: jb-book\nroot: book/index\n", "utf8")
    shutil.copytree(ROOT / "book" / "_ext", root / "book" / "_ext", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copytree(ROOT / "book" / "_tools", root / "book" / "_tools", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copytree(ROOT / "book" / "_static", root / "book" / "_static", ignore=shutil.ignore_patterns("vendor"))
    (root / "book" / "index.md").write_text(PAGE, "utf8")
    (root / "book" / "dot.png").write_bytes(DOT)
    for name, text in {"statements.yml": "[]", "references.bib": ""}.items():
        (root / "book" / name).write_text(text, "utf8")
    sphinx = Path(sys.executable).parent / "jupyter-book"
    done = subprocess.run([sphinx, "build", ".", "-q"], cwd=root, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return base, repository, root / "_build" / "html"


def test_addresses_are_absolute_if_the_book_has_one(small):
    base, _, html = small
    for place in ("index.html", "book/index.html"):
        _, tags, _ = head_of(html / place)
        assert tags["description"] == "The first paragraph says x²."
        if base:
            assert tags["og:image"] == f"{base}_images/dot.png"
            assert tags["og:url"] == f"{base}book/index.html"
        else:
            assert (html / place).parent.joinpath(tags["og:image"]).resolve() == html / "_images" / "dot.png"
            assert "og:url" not in tags
    assert (html / "_images" / "dot.png").is_file()
    assert head_of(html / "book/index.html")[2].get("canonical") == (f"{base}book/index.html" if base else None)
    links = [link["href"] for link in head_of(html / "404.html")[0].find_all("a")]
    assert links == [f"{base}book/index.html", f"{base}book/statements.html"]


def test_the_header_links_to_the_repository_if_it_has_an_address(small):
    _, repository, html = small
    soup = head_of(html / "book/index.html")[0]
    buttons = soup.select(".btn-source-repository-button")
    assert [button["href"] for button in buttons] == ([repository] if repository else [])
    assert "executablebooks" not in soup.select_one(".article-header-buttons").decode()
    icons = (html / "_static" / "scripts" / "fontawesome.js").read_text("utf8")
    assert ('"code-branch"' in icons) == bool(repository)


# --- an address without a page

@contextlib.contextmanager
def serve_not_found(folder):
    """Like a host of static pages: 404.html is the answer where there is no file."""
    class Host(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *_): ...

        def send_error(self, code, *_):
            page = (HTML / "404.html").read_bytes()
            self.send_response(code)
            self.send_header("Content-Type", "text/html")
            self.send_header("Content-Length", str(len(page)))
            self.end_headers()
            if self.command == "GET":
                self.wfile.write(page)

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Host, directory=str(folder)))
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.mark.parametrize("prefix", ["", "some/where/"])
@pytest.mark.parametrize("missing", ["nothing.html", "book/nothing.html", "book/a/b/c/nothing.html", "x/y/"])
def test_a_missing_page_leads_back_from_any_depth(driver, built, tmp_path, prefix, missing):
    at = tmp_path / prefix / "link"
    at.parent.mkdir(parents=True, exist_ok=True)
    at.symlink_to(HTML)
    with serve_not_found(tmp_path) as address:
        root = f"{address}/{prefix}link/"
        driver.get(root + missing)
        wait(driver, "html[data-found]")
        asked = {url for url, _ in requests_of(driver) if url.startswith(address)}
        tried = {urljoin(driver.current_url, f"{'../' * up}book/index.html") for up in range(6)}
        assert asked <= {driver.current_url, *tried}, "the page brings all that it shows"
        links = [link.get_attribute("href") for link in driver.find_elements(By.TAG_NAME, "a")]
        assert links == [f"{root}book/index.html", f"{root}book/statements.html"]
        driver.find_element(By.NAME, "q").send_keys("depth budget", Keys.ENTER)
        wait(driver, ".statements-found a")
        assert driver.current_url == f"{root}search.html?q=depth+budget"


def test_the_page_for_missing_ones_works_as_a_file(driver, built):
    driver.get((HTML / "404.html").as_uri())
    driver.find_element(By.TAG_NAME, "a").click()
    assert driver.current_url == (HTML / "book" / "index.html").as_uri()


# --- how the pages were made

def page_of_status():
    soup = BeautifulSoup((HTML / "book" / "status.html").read_text("utf8"), "html.parser").find("article")
    tables = [[[cell.get_text(strip=True) for cell in row.find_all("td")] for row in table.select("tbody tr")]
              for table in soup.find_all("table")]
    return soup, *(dict(rows) for rows in tables)


def test_status_tells_the_times_of_the_kept_runs(built):
    soup, times, _ = page_of_status()
    links = [link["href"].split(".html")[0] for link in soup.select("table")[0].select("a")]
    assert links == [page.stem for page in chapters()]
    cache, seconds = Runs().cache, []
    for page in chapters():
        seconds.append(cache.match_cache_notebook(status.myst_nb_reader_plugin(str(page))).data["execution_seconds"])
    assert list(times.values()) == [*(f"{second:.1f}" for second in seconds), f"{sum(seconds):.0f}"]


def test_status_tells_the_versions(built):
    versions = page_of_status()[2]
    assert versions == {name: version(name) for name in status.NAMED} | {
        "affinepieces": __import__("affinepieces").__version__, "Python": sys.version.split()[0]}


def test_status_tells_when_the_pages_were_made_and_that_no_number_is_typed(built):
    text = page_of_status()[0].get_text()
    assert re.search(r"made on \d{1,2} \w+ 20\d\d, \d\d:\d\d UTC", text)
    assert not re.search(r"\d", (ROOT / "book" / "status.md").read_text("utf8"))


def test_equal_builds_tell_the_same_time(monkeypatch):
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "86400")
    assert status.told(status.built()) == "2 January 1970, 00:00 UTC"


def test_status_tells_what_was_left_out(built, monkeypatch):
    env, number = SimpleNamespace(found_docs={f"book/{page}" for page in PAGES}), len(chapters())
    monkeypatch.setenv("AFFINEPIECES_BUILD_BEGAN", "0")
    assert status.skipped(ROOT, env) == "- Nothing: every page with code was run."
    monkeypatch.setenv("AFFINEPIECES_BUILD_BEGAN", "9e9")
    assert f"- {number} of {number} pages with code were not run again" in status.skipped(ROOT, env)
    env.found_docs.remove("book/speed")
    assert status.skipped(ROOT, env).startswith("- `speed.md` is no page of the book.")


def test_the_font_of_icons_has_those_that_are_drawn_and_few_more(driver, server):
    file, = HTML.rglob("fa-solid-900.*")
    whole, = Path(pydata_sphinx_theme.__file__).parent.rglob("fa-solid-900.ttf")
    codes = small_fonts.drawn(HTML) & set(TTFont(whole).getBestCmap())  # others are signs of companies, in another font
    assert codes == set(TTFont(file).getBestCmap())
    assert len(codes) > 10
    assert len(gzip.compress(file.read_bytes())) < 25_000
    driver.get(f"{server}/book/08_one_step.html")
    WebDriverWait(driver, 10).until(lambda d: d.execute_script(
        "return [...document.fonts].some((font) => font.family.includes('Awesome') && font.status === 'loaded')"))
    assert_quiet(driver)


def test_the_index_of_the_search_is_loaded_where_one_searches(built):
    with_index = {file.relative_to(HTML).as_posix() for file in HTML.rglob("*.html")
                  if re.search(r"<script[^>]*searchindex\.js", file.read_text("utf8"))}
    assert with_index == {"search.html"}
