"""The built pages in browsers, over http and as files.

What is marked `every_browser` runs in Firefox too, where Firefox and geckodriver are installed.
"""
import os

import pytest

from book.browser import HTML, browser, chromium, firefox, serve


def pytest_configure(config):
    config.addinivalue_line("markers", "every_browser: runs in Firefox too, where it is installed")


def pytest_generate_tests(metafunc):
    marked = metafunc.definition.get_closest_marker("every_browser")
    if "driver" in metafunc.fixturenames and marked and firefox():
        metafunc.parametrize("driver", ["chromium", "firefox"], indirect=True, scope="module")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item):
    """Tests that are skipped for want of a browser share one line of the summary: their place is here."""
    report = yield
    if report.skipped and "driver" in item.fixturenames:
        report.longrepr = (__file__, 1, report.longrepr[2])
    return report


@pytest.fixture(scope="module")
def driver(request):
    if not HTML.exists() or not chromium():
        missing = "Chromium and chromedriver" if HTML.exists() else "the built book (make book)"
        (pytest.fail if os.environ.get("CI") else pytest.skip)(f"missing: {missing}")
    with browser(name=getattr(request, "param", "chromium")) as opened:
        yield opened


@pytest.fixture(scope="module")
def server():
    with serve(HTML) as address:
        yield address


@pytest.fixture(params=["http", "file"])
def site(request, server):
    return server if request.param == "http" else HTML.as_uri()
