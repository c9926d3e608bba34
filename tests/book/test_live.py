"""JupyterLab as make live starts it, in a browser: statements have the book's numbers, hidden code is folded."""
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request

import pytest
from selenium.webdriver.common.by import By
from selenium.webdriver.support.ui import WebDriverWait

from book.browser import ROOT, requests_of
from book.chapters import with_tools

pytest.importorskip("jupyterlab_myst")
PAGES = ("07_crossing_lemma", "08_one_step")


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    """(address, folder) of a JupyterLab on two chapters."""
    root = tmp_path_factory.mktemp("live")
    with_tools(root)
    for name in ("references.bib", *(f"{page}.md" for page in PAGES)):
        shutil.copy(ROOT / "book" / name, root / "book")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    own = {f"JUPYTER_{name}_DIR": str(root / name) for name in ("CONFIG", "DATA", "RUNTIME")}
    command = [sys.executable, root / "book" / "_tools" / "live.py", "--no-browser", f"--ServerApp.port={port}",
               "--IdentityProvider.token="]
    with open(root / "log", "w") as log:
        process = subprocess.Popen(command, env={**os.environ, **own}, stdout=log, stderr=log)
    address = f"http://127.0.0.1:{port}"
    try:
        for _ in range(240):
            if process.poll() is not None:
                break
            try:
                urllib.request.urlopen(f"{address}/api").close()
                break
            except OSError:
                time.sleep(0.5)
        assert process.poll() is None, (root / "log").read_text()
        yield address, root
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(30)


@pytest.fixture(scope="module")
def opened(driver, lab):
    """The text of each rendered cell, once the kernel is ready."""
    driver.get(f"{lab[0]}/lab/tree/notebooks/08_one_step.ipynb")
    WebDriverWait(driver, 120).until(lambda d: d.find_elements(By.CSS_SELECTOR, ".myst .ap-named"))
    idle = ".jp-Notebook-ExecutionIndicator[data-status=idle]"
    WebDriverWait(driver, 120).until(lambda d: d.find_elements(By.CSS_SELECTOR, idle))
    return driver


def shown(driver):
    return re.sub(r"\s+", " ", driver.execute_script(
        "return [...document.querySelectorAll('.myst')].map((cell) => cell.innerText).join(' ')"))


def test_statements_and_references_have_their_numbers(opened):
    text = shown(opened)
    for words in ("Theorem 8.1 (One step, data-driven", "and The crossing lemma. Reading time",
                  "and Lemma 7.1 bounds", "high as the noise is wide: Proposition 8.2."):
        assert words in text
    assert not re.search(r"(Theorem|Proposition|Exercise) \d+\b(?!\.)", text)


def test_hidden_code_is_folded_and_opening_changes_nothing(opened):
    assert opened.find_elements(By.CSS_SELECTOR, ".jp-CodeCell .jp-Placeholder")
    assert opened.find_elements(By.CSS_SELECTOR, ".jp-mod-dirty") == []


def test_nothing_is_asked_of_other_machines(opened, lab):
    asked = [address for address, _ in requests_of(opened)]
    assert asked
    assert all(address.startswith("http://127.0.0.1") for address in asked)


def test_saving_changes_nothing(opened, lab):
    page = lab[1] / "book" / "08_one_step.md"
    before, since = page.read_text("utf8"), page.stat().st_mtime_ns
    opened.find_element(By.CSS_SELECTOR, "[data-jp-item-name=save] button, [data-jp-item-name=save] jp-button").click()
    WebDriverWait(opened, 60).until(lambda _: page.stat().st_mtime_ns != since)
    assert page.read_text("utf8") == before
