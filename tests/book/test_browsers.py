"""Which browsers the tests of the pages run in: those that are installed, those that can be fetched."""
import pytest
from selenium.common.exceptions import WebDriverException

from book import browser

FETCHED = {"browser_path": "/cache/chrome", "driver_path": "/cache/chromedriver"}


@pytest.fixture
def machine(monkeypatch):
    """A machine with these programs, on which Selenium Manager gives this answer, or fails if it has no network."""
    def build(*programs, network=True):
        def fetch(_, arguments):
            if not network:
                raise WebDriverException("error sending request")
            return FETCHED

        monkeypatch.setattr(browser.shutil, "which", lambda name: f"/bin/{name}" if name in programs else None)
        monkeypatch.setattr(browser.SeleniumManager, "binary_paths", fetch)
        browser.chromium.cache_clear()

    yield build
    browser.chromium.cache_clear()


def test_what_is_installed_is_taken(machine):
    machine("chromium", "chromedriver", network=False)
    assert browser.chromium() == ("/bin/chromium", "/bin/chromedriver")


@pytest.mark.parametrize("programs", [(), ("chromium",), ("chromedriver",)])
def test_what_is_missing_is_fetched_where_there_is_a_network(machine, programs):
    machine(*programs)
    assert browser.chromium() == ("/cache/chrome", "/cache/chromedriver")
    machine(*programs, network=False)
    assert browser.chromium() is None


@pytest.mark.parametrize(("programs", "there"), [(("firefox-esr", "geckodriver"), True), (("firefox",), False),
                                                 (("geckodriver",), False)])
def test_firefox_needs_its_driver(machine, programs, there):
    machine(*programs)
    assert (browser.firefox() is not None) == there
