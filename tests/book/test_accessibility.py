"""Every page, light and dark and with all that can be opened open, under the rules of axe-core."""
import pytest
from selenium.webdriver.common.by import By

from assets import TESTS, fetch
from book.browser import ROOT, wait

PAGES = [f"book/{path.stem}" for path in sorted((ROOT / "book").glob("*.md"))] + ["genindex", "search", "prf-prf"]
OPEN = """
    const style = document.createElement('style');
    style.textContent = '* { transition: none !important; animation: none !important }';
    document.head.append(style);
    document.querySelectorAll('article details').forEach(d => { d.open = true; });
    document.querySelectorAll('.toggle-hidden').forEach(e => e.classList.remove('toggle-hidden'));"""
LOOK = """
    const [theme, rules, done] = arguments;
    document.documentElement.dataset.theme = document.documentElement.dataset.mode = theme;
    axe.run(document, { resultTypes: ['violations'], ...(rules ? { runOnly: rules } : {}) }).then(
      ({ violations }) => done(violations.filter(({ impact }) => ['serious', 'critical'].includes(impact)).flatMap(
        ({ id, nodes }) => nodes.map(({ target, any, all, none }) =>
          `${id}, ${theme}: ${target.join(' ')}: ${[...any, ...all, ...none].map(({ message }) => message)}`))),
      (error) => done([`${error}`]));"""


@pytest.fixture(scope="module")
def axe():
    return (fetch(TESTS) / "axe.min.js").read_text("utf8")


def findings(driver, axe, theme, rules=None):
    if not driver.execute_script("return Boolean(window.axe)"):
        driver.execute_script(axe)
    return driver.execute_async_script(LOOK, theme, rules)


@pytest.mark.parametrize("page", PAGES)
def test_nothing_serious_is_found(driver, server, axe, page):
    driver.set_script_timeout(120)
    driver.get(f"{server}/{page}.html")
    if driver.find_elements(By.CSS_SELECTOR, "article .math"):
        wait(driver, "article .math mjx-container")
    driver.execute_script(OPEN)
    assert findings(driver, axe, "light") == []
    assert findings(driver, axe, "dark", ["color-contrast"]) == []
