"""The box that checks certificates, in a real browser: the one of the page, files, and what is no certificate."""
import json

import pytest
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.ui import WebDriverWait

import affinepieces as ap
from book.browser import assert_quiet, wait

SAW = ap.trace(ap.constructions.sawtooth(5), ap.Segment(0, 1)).certificate


@pytest.fixture
def page(driver, site):
    driver.get("about:blank")
    driver.get(f"{site}/book/check_a_certificate.html")
    wait(driver, ".certificate input")
    return driver


def verdict(page, words, kind):
    """What the box says once it has checked what is called so."""
    said = page.find_element(By.CSS_SELECTOR, ".certificate .said")
    WebDriverWait(page, 60).until(lambda _: words in said.text and said.get_attribute("class") == f"said {kind}")
    return said.text


def drop(page, path):
    page.find_element(By.CSS_SELECTOR, ".certificate input[type=file]").send_keys(str(path))


@pytest.mark.every_browser
def test_files(page, tmp_path):
    SAW.save(tmp_path / "saw.json")
    drop(page, tmp_path / "saw.json")
    assert verdict(page, "saw.json", "accepted") == "saw.json: accepted: 32 regions, 32 pieces"
    data = json.loads((tmp_path / "saw.json").read_text("utf8"))
    (tmp_path / "changed.json").write_text(json.dumps(data | {"pieces": 31}))
    drop(page, tmp_path / "changed.json")
    assert '"pieces": 32' in verdict(page, "changed.json", "rejected").replace('":', '": ')
    (tmp_path / "image.json").write_bytes(b"\x89PNG")
    drop(page, tmp_path / "image.json")
    verdict(page, "image.json", "rejected")
    assert_quiet(page)


@pytest.mark.every_browser
def test_the_one_of_the_page_by_keyboard(page):
    first, second = page.find_elements(By.CSS_SELECTOR, ".certificate button")
    first.send_keys(Keys.ENTER)
    assert "regions" in verdict(page, "The certificate of this page", "accepted")
    second.send_keys(Keys.SPACE)
    assert '"kink"' in verdict(page, "The changed certificate", "rejected")
    assert page.find_element(By.CSS_SELECTOR, ".certificate [role=status]")
    assert_quiet(page)


def test_narrow_and_dark(page):
    page.execute_cdp_cmd("Emulation.setDeviceMetricsOverride",
                         {"width": 390, "height": 800, "deviceScaleFactor": 1, "mobile": True})
    try:
        page.execute_script("document.documentElement.dataset.theme = 'dark'")
        page.find_elements(By.CSS_SELECTOR, ".certificate button")[1].click()
        verdict(page, "The changed certificate", "rejected")
        wide = page.execute_script("""
            const box = document.querySelector('.certificate');
            return [box, ...box.querySelectorAll('p, input, button')].filter(
                (e) => e.getBoundingClientRect().right > innerWidth + 1).map((e) => e.outerHTML);""")
        assert wide == []
    finally:
        page.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})
