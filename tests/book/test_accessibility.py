"""Every page, light and dark and with all that can be opened open, under the rules of axe-core; what axe cannot see."""
from itertools import pairwise

import pytest
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys

from assets import TESTS, fetch
from book.browser import ROOT, open_playground, wait
from book.test_playground_page import button, state, until

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
    const look = () => axe.run(document, { resultTypes: ['violations'], ...(rules ? { runOnly: rules } : {}) }).then(
      ({ violations }) => done(violations.filter(({ impact }) => ['serious', 'critical'].includes(impact)).flatMap(
        ({ id, nodes }) => nodes.map(({ target, any, all, none }) =>
          `${id}, ${theme}: ${target.join(' ')}: ${[...any, ...all, ...none].map(({ message }) => message)}`))),
      (error) => done([`${error}`]));
    requestAnimationFrame(() => requestAnimationFrame(look)); // what has been opened is laid out first"""


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


@pytest.fixture
def playground(driver, server):
    return open_playground(driver, server)


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_curves_and_borders_stand_out(playground, theme):
    """3:1 against the page, as WCAG 1.4.11 asks of graphs and controls."""
    button(playground, "Same start, two arithmetics").click()
    button(playground, "No guess").click()
    until(playground, lambda s: s["now"] > 3)
    faint = playground.execute_script("""
        document.documentElement.dataset.theme = arguments[0];
        const parts = (colour) => colour.match(/[0-9.]+/g).map(Number);
        const light = (colour) => parts(colour).slice(0, 3).map((v) => v / 255).map(
          (v) => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4).reduce(
          (sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
        const solid = (e) => {
          const colour = getComputedStyle(e).backgroundColor;
          return parts(colour)[3] === 0 ? solid(e.parentElement) : colour;
        };
        const drawn = [...document.querySelectorAll('.playground svg :is(polyline, circle, .axis, .now)')].map(
          (e) => [e, getComputedStyle(e)[e.matches('.bend') ? 'fill' : 'stroke']]);
        const framed = [...document.querySelectorAll('.playground :is(button, select, input[type=number])')].map(
          (e) => [e, getComputedStyle(e).borderTopColor]);
        return [...drawn, ...framed].map(([e, colour]) => {
          const [a, b] = [light(colour), light(solid(e))].sort((x, y) => y - x);
          return [(a + 0.05) / (b + 0.05), e.outerHTML.slice(0, 80), colour];
        }).filter(([contrast]) => contrast < 3);""", theme)
    assert faint == []


def test_everything_has_a_name_and_can_be_hit(playground):
    """24 pixels each way, as WCAG 2.5.8 asks."""
    wrong = playground.execute_script("""
        return [...document.querySelectorAll('.playground :is(button, select, input, summary)')].filter((e) => {
          const { width, height } = e.getBoundingClientRect();
          const named = (e.matches('button, summary') && e.textContent.trim()) || e.labels?.length || e.ariaLabel;
          return !named || (width && Math.min(width, height) < 24);
        }).map((e) => e.outerHTML);""")
    assert wrong == []


def test_sliders_of_explorations_can_be_hit(driver, server):
    driver.get(f"{server}/book/03_exponentially_many.html")
    for slider in wait(driver, ".explore input"):
        assert slider.size["height"] >= 24


def test_the_focus_is_seen_and_never_lost(playground):
    number = playground.find_element(By.CSS_SELECTOR, ".playground input[type=number]")
    number.send_keys("40")
    for _ in range(4):
        playground.switch_to.active_element.send_keys(Keys.TAB)
        width = "return parseFloat(getComputedStyle(document.activeElement).outlineWidth)"
        assert playground.execute_script(width) >= 2
    number.send_keys(Keys.ENTER)
    assert playground.switch_to.active_element.text == "Pause"


def test_nothing_is_read_out_while_it_plays(playground):
    playground.execute_script("""
        window.said = [];
        const live = '.playground :is([aria-live]:not([aria-live=off]), [role=status], output)';
        for (const e of document.querySelectorAll(live))
          new MutationObserver(() => window.said.push(e.textContent)).observe(e, { childList: true });""")
    button(playground, "No guess").click()
    until(playground, lambda s: s["now"] == 200 and not s["playing"])
    said = playground.execute_script("return window.said")
    assert [words.split(":")[0] for words in said] == ["At step 0", "At step 200"]


def test_little_moves_for_those_who_ask_for_it(playground):
    playground.execute_cdp_cmd("Emulation.setEmulatedMedia",
                               {"features": [{"name": "prefers-reduced-motion", "value": "reduce"}]})
    try:
        times = playground.execute_async_script("""
            const done = arguments[0], times = [];
            const root = document.querySelector('.playground'), play = root.instance;
            new MutationObserver(() => {
              times.push(performance.now());
              if (play.now === 200) done(times);
            }).observe(root.querySelector('svg'), { childList: true });
            play.commit(null);""")
        pauses = [later - earlier for earlier, later in pairwise(times[1:-1])]
        assert all(pause > 400 for pause in pauses)
        assert state(playground)["now"] == 200
    finally:
        playground.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": []})


@pytest.mark.parametrize("width", [320, 640])
def test_large_print_fits(driver, server, width):
    """1280 pixels at 400 % and at 200 %."""
    driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride",
                           {"width": width, "height": 700, "deviceScaleFactor": 1280 // width, "mobile": False})
    try:
        for page in ("playground", "03_exponentially_many"):
            driver.get(f"{server}/book/{page}.html")
            wait(driver, ".playground svg polyline")
            assert driver.execute_script("""
                return [...document.querySelectorAll('.playground *, .explore *')].filter(
                  (e) => e.getClientRects().length && e.getBoundingClientRect().right > innerWidth + 1
                    && !e.matches('.frame *')  // a frame scrolls
                ).map((e) => e.outerHTML.slice(0, 80));""") == []
    finally:
        driver.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})
