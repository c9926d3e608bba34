"""The built pages in a real browser, with every other host unreachable."""
from __future__ import annotations

import gzip

import pytest
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.ui import WebDriverWait

from book.browser import HTML, ROOT, assert_quiet, requests_of, wait

PAGES = sorted(path.stem for path in (ROOT / "book").glob("*.md"))
WITH_SLIDERS = [stem for stem in PAGES if "ap.explore(" in (ROOT / "book" / f"{stem}.md").read_text("utf8")]


def test_pages_are_light(driver, server):
    """What a first visit fetches, compressed."""
    for page in PAGES:
        requests_of(driver)
        driver.get(f"{server}/book/{page}.html")
        driver.execute_cdp_cmd("Network.clearBrowserCache", {})
        driver.refresh()
        if driver.find_elements(By.CSS_SELECTOR, "article .math"):
            wait(driver, "article .math mjx-container")
        files = {HTML / address.removeprefix(server).split("?")[0].lstrip("/") for address, _ in requests_of(driver)
                 if address.startswith(server)}
        weight = sum(len(gzip.compress(file.read_bytes())) for file in files if file.is_file())
        assert weight < (0.9e6 if page in WITH_SLIDERS else 0.6e6), page


@pytest.mark.every_browser
@pytest.mark.parametrize("page", PAGES)
def test_page_is_complete_and_quiet(driver, site, page):
    driver.get(f"{site}/book/{page}.html")
    if driver.find_elements(By.CSS_SELECTOR, "article .math"):
        wait(driver, "article .math mjx-container")
    if page in WITH_SLIDERS:
        wait(driver, ".explore svg")
    for image in driver.find_elements(By.CSS_SELECTOR, "article img"):
        assert driver.execute_script("return arguments[0].complete && arguments[0].naturalWidth > 0", image)
        assert len(image.get_attribute("alt")) > 20, "a figure without a description"
    assert_quiet(driver)


@pytest.mark.parametrize("width", [390, 1280])
@pytest.mark.parametrize("page", PAGES)
def test_nothing_sticks_out(driver, server, page, width):
    driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride",
                           {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": width < 500})
    try:
        driver.get(f"{server}/book/{page}.html")
        if page in WITH_SLIDERS:
            wait(driver, ".explore svg")
        overflow = driver.execute_script("""
            const out = [...document.querySelectorAll('article > section p, article img, .explore svg, article table')]
              .filter(e => e.getClientRects().length && e.getBoundingClientRect().right > innerWidth + 1
                           && !e.closest('pre, .scrolls, .frame, .pst-scrollable-table-container'));
            return out.map(e => e.outerHTML.slice(0, 80));""")
        assert overflow == []
        assert driver.execute_script("return document.scrollingElement.scrollWidth") <= width
    finally:
        driver.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})


@pytest.mark.every_browser
@pytest.mark.parametrize("page", WITH_SLIDERS)
def test_every_slider_turns_its_figure(driver, site, page):
    driver.get(f"{site}/book/{page}.html")
    for box in wait(driver, ".explore.frames"):
        def picture(box=box):
            shown = [f for f in box.find_elements(By.CSS_SELECTOR, ".frame svg") if f.is_displayed()]
            assert len(shown) == 1
            return shown[0].get_attribute("aria-label")

        for slider in box.find_elements(By.CSS_SELECTOR, "input[type=range]"):
            there, back = ((Keys.ARROW_RIGHT, Keys.ARROW_LEFT) if slider.get_attribute("value") == "0"
                           else (Keys.ARROW_LEFT, Keys.ARROW_RIGHT))
            first = picture()
            slider.send_keys(there)
            assert picture() != first
            assert slider.get_attribute("aria-valuetext") in picture()
            assert box.find_element(By.CSS_SELECTOR, ".said").text == picture()
            slider.send_keys(back)
            assert picture() == first
    assert_quiet(driver)


@pytest.mark.every_browser
def test_a_link_opens_the_setting_that_it_names(driver, site):
    address = f"{site}/book/03_exponentially_many.html"
    driver.get(address)
    slider = wait(driver, ".explore input")[0]
    slider.send_keys(Keys.HOME, Keys.ARROW_RIGHT, Keys.ARROW_RIGHT)
    link, said = driver.current_url, driver.find_element(By.CSS_SELECTOR, ".explore .said").text
    assert "#explore?" in link
    driver.get("about:blank")
    driver.get(link)
    wait(driver, ".explore input")
    shown = [f for f in driver.find_elements(By.CSS_SELECTOR, ".frame svg") if f.is_displayed()]
    assert [f.get_attribute("aria-label") for f in shown] == [said]


@pytest.mark.every_browser
def test_search_finds_a_chapter(driver, server):
    driver.get(f"{server}/search.html?q=sawtooth")
    hits = wait(driver, "#search-results li a")
    assert any("03_exponentially_many" in hit.get_attribute("href") for hit in hits)
    assert_quiet(driver)


@pytest.mark.every_browser
def test_front_door_leads_to_the_landing_page(driver, site):
    driver.get(f"{site}/index.html")
    WebDriverWait(driver, 10).until(lambda d: d.current_url.endswith("/book/index.html"))
