"""The built pages in a browser, over http and as files."""
import os

import pytest

from book.browser import CHROMIUM, DRIVER, HTML, browser, serve


@pytest.fixture(scope="module")
def driver():
    missing = [what for what, there in (("Chromium", CHROMIUM), ("chromedriver", DRIVER),
                                        ("the built book (make book)", HTML.exists())) if not there]
    if missing and not os.environ.get("CI"):
        pytest.skip(f"missing: {', '.join(missing)}")
    assert not missing, f"missing: {', '.join(missing)}"
    with browser() as opened:
        yield opened


@pytest.fixture(scope="module")
def server():
    with serve(HTML) as address:
        yield address


@pytest.fixture(params=["http", "file"])
def site(request, server):
    return server if request.param == "http" else HTML.as_uri()
