"""Headless Chromium that can reach this machine and nothing else."""
from __future__ import annotations

import contextlib
import functools
import http.server
import json
import shutil
import tempfile
import threading
from pathlib import Path

from selenium import webdriver
from selenium.webdriver.chrome.options import Options
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By
from selenium.webdriver.support.ui import WebDriverWait

ROOT = Path(__file__).resolve().parents[2]
HTML = ROOT / "_build" / "html"

ARGUMENTS = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
             "--disable-background-networking", "--disable-component-update", "--disable-sync",
             "--hide-scrollbars", "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1"]
CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
DRIVER = shutil.which("chromedriver")


@contextlib.contextmanager
def browser(width=1280, height=1400):
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        options = Options()
        options.binary_location = CHROMIUM
        for argument in (*ARGUMENTS, f"--user-data-dir={profile}", f"--window-size={width},{height}"):
            options.add_argument(argument)
        options.set_capability("goog:loggingPrefs", {"performance": "ALL", "browser": "ALL"})
        driver = webdriver.Chrome(options=options, service=Service(DRIVER))
        try:
            yield driver
        finally:
            driver.quit()


@contextlib.contextmanager
def serve(folder):
    class Quiet(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *_): ...

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=str(folder)))
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def requests_of(driver):
    """(address, error or None) of every request since the last call."""
    addresses, failed = {}, {}
    for entry in driver.get_log("performance"):
        message = json.loads(entry["message"])["message"]
        parameters = message.get("params", {})
        if message["method"] == "Network.requestWillBeSent":
            addresses[parameters["requestId"]] = parameters["request"]["url"]
        elif message["method"] == "Network.loadingFailed":
            failed[parameters["requestId"]] = parameters.get("errorText")
        elif message["method"] == "Network.responseReceived" and parameters["response"]["status"] >= 400:
            failed[parameters["requestId"]] = str(parameters["response"]["status"])
    inside = ("data:", "blob:", "chrome")
    return [(address, failed.get(i)) for i, address in addresses.items() if not address.startswith(inside)]


def wait(driver, css):
    WebDriverWait(driver, 30).until(lambda d: d.find_elements(By.CSS_SELECTOR, css))
    return driver.find_elements(By.CSS_SELECTOR, css)


def assert_quiet(driver):
    """No failed request, no request to another host, no error in the console."""
    requests = requests_of(driver)
    assert [r for r in requests if r[1]] == []
    assert [r[0] for r in requests if not r[0].startswith(("http://127.0.0.1", "file:"))] == []
    assert [m["message"] for m in driver.get_log("browser") if m["level"] == "SEVERE"] == []
