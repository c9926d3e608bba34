"""Headless browsers that can reach this machine and nothing else."""
from __future__ import annotations

import contextlib
import functools
import http.server
import json
import os
import shutil
import tempfile
import threading
from pathlib import Path

from selenium import webdriver
from selenium.common.exceptions import WebDriverException
from selenium.webdriver.chrome.service import Service as ChromeService
from selenium.webdriver.common.by import By
from selenium.webdriver.common.selenium_manager import SeleniumManager
from selenium.webdriver.firefox.service import Service as FirefoxService
from selenium.webdriver.support.ui import WebDriverWait

ROOT = Path(__file__).resolve().parents[2]
HTML = ROOT / "_build" / "html"

ARGUMENTS = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
             "--disable-background-networking", "--disable-component-update", "--disable-sync",
             "--hide-scrollbars", "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1"]
PREFERENCES = {"network.proxy.type": 1, "network.proxy.http": "127.0.0.1", "network.proxy.http_port": 9,
               "network.proxy.ssl": "127.0.0.1", "network.proxy.ssl_port": 9,
               "network.proxy.no_proxies_on": "127.0.0.1"}


def installed(*names):
    return next(filter(None, map(shutil.which, names)), None)


@functools.cache
def chromium():
    """Paths of Chromium and its driver: installed, or fetched by Selenium Manager; None where there is no network."""
    found = installed("chromium", "chromium-browser", "google-chrome"), installed("chromedriver")
    if all(found):
        return found
    os.environ.setdefault("SE_AVOID_STATS", "true")
    try:
        fetched = SeleniumManager().binary_paths(["--browser", "chrome"])
    except WebDriverException:
        return None
    return fetched["browser_path"], fetched["driver_path"]


def firefox():
    """Paths of Firefox and its driver; None where one is not installed."""
    found = installed("firefox", "firefox-esr"), installed("geckodriver")
    return found if all(found) else None


@contextlib.contextmanager
def browser(width=1280, height=1400, name="chromium"):
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        driver = (start_firefox if name == "firefox" else start_chromium)(profile, width, height)
        try:
            yield driver
        finally:
            driver.quit()


def start_chromium(profile, width, height):
    options = webdriver.ChromeOptions()
    options.binary_location, path = chromium()
    for argument in (*ARGUMENTS, f"--user-data-dir={profile}", f"--window-size={width},{height}"):
        options.add_argument(argument)
    options.set_capability("goog:loggingPrefs", {"performance": "ALL", "browser": "ALL"})
    return webdriver.Chrome(options=options, service=ChromeService(path))


def start_firefox(profile, width, height):
    """With a list of what its console says is wrong: `driver.errors`."""
    options = webdriver.FirefoxOptions()
    options.binary_location, path = firefox()
    options.enable_bidi = True
    for argument in ("-headless", f"--width={width}", f"--height={height}"):
        options.add_argument(argument)
    for preference in PREFERENCES.items():
        options.set_preference(*preference)
    driver = webdriver.Firefox(options=options, service=FirefoxService(path, log_output=f"{profile}/log"))
    driver.errors = []
    driver.script.add_javascript_error_handler(lambda entry: driver.errors.append(entry.text))
    driver.script.add_console_message_handler(
        lambda entry: driver.errors.append(entry.text) if entry.level == "error" else None)
    return driver


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
    """(address, error or None) of every request since the last call; in Firefox, of the present page."""
    if driver.name == "firefox":
        return [(address, status if status >= 400 else None) for address, status in driver.execute_script(
            "return performance.getEntriesByType('resource').map(e => [e.name, e.responseStatus ?? 0])")]
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


def errors_of(driver):
    """What the console has said is wrong since the last call."""
    if driver.name != "firefox":
        return [m["message"] for m in driver.get_log("browser") if m["level"] == "SEVERE"]
    said, driver.errors[:] = list(driver.errors), []
    return said


def wait(driver, css):
    WebDriverWait(driver, 30).until(lambda d: d.find_elements(By.CSS_SELECTOR, css))
    return driver.find_elements(By.CSS_SELECTOR, css)


def open_playground(driver, site, state=""):
    """The page of the playground, afresh: a change of the address alone would not load it again."""
    driver.get("about:blank")
    driver.get(f"{site}/book/playground.html{state}")
    wait(driver, ".playground svg polyline")
    return driver


def assert_quiet(driver):
    """No failed request, no request to another host, no error in the console."""
    requests = requests_of(driver)
    assert [r for r in requests if r[1]] == []
    assert [r[0] for r in requests if not r[0].startswith(("http://127.0.0.1", "file:"))] == []
    assert errors_of(driver) == []
