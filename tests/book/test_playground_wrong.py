"""The playground under what it is not made for: wrong addresses, twice in a page, haste, a refused clipboard."""
import pytest
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.ui import Select

from book.browser import assert_quiet, open_playground
from book.test_playground_page import DIVERGING, button, state, until

USUAL = {"start": "gentle", "depth": "8", "width": "8", "target": "own", "noise": "0.1", "rate": "-8",
         "arithmetic": "float64", "rounding": "nearest", "delta": "0", "seed": "0", "beside": ""}
SCRIPT = """{
    const script = document.createElement('script');
    script.textContent = [...document.scripts].find(s => s.textContent.includes('playground.mount()')).textContent;
    document.body.append(script); }"""


@pytest.fixture
def page(driver, server):
    return open_playground(driver, server)


def opened(driver, server, address):
    open_playground(driver, server, f"#play?{address}")
    return state(driver)


def status(driver):
    return driver.find_element(By.CSS_SELECTOR, ".playground .status").text


@pytest.mark.parametrize("address", [
    "depth=9999&arithmetic=evil&rounding=<b>&seed=1e400", "arithmetic=constructor&beside=toString&start=__proto__",
    "step=-3", "step=2.5", "step=1e9", "step=NaN", "step=", "guess=NaN", "guess=-5", "guess=0.5", "guess=1e300",
    "guess=Infinity", "__proto__=1&%%%=%", "&&&==", "playground=x"])
def test_nonsense_in_the_address_is_passed_over(driver, server, address):
    found = opened(driver, server, address)
    assert (found["settings"], found["guess"], found["now"], found["playing"]) == (USUAL, None, 0, False)
    button(driver, "Step").click()
    assert state(driver)["now"] == 1
    assert_quiet(driver)


def test_no_guess_is_kept_in_the_address(page, server):
    button(page, "No guess").click()
    until(page, lambda s: s["now"] > 3)
    button(page, "Pause").click()
    button(page, "Copy link").click()
    now = state(page)["now"]
    assert "guess=none" in page.current_url
    opened(page, server, page.current_url.split("#play?")[1])
    until(page, lambda s: s["now"] == now and not s["playing"])
    assert not page.find_element(By.CSS_SELECTOR, ".playground form").is_displayed()


def test_a_preset_asks_for_a_guess_again(page):
    button(page, "No guess").click()
    button(page, "The pieces collapse").click()
    assert page.find_element(By.CSS_SELECTOR, ".playground form").is_displayed()


def test_no_guess_is_made_of_an_empty_field(page):
    button(page, "That is my guess").click()
    found = state(page)
    assert (found["guess"], found["playing"]) == (None, False)


def test_no_guess_while_it_plays_lets_it_play(page):
    button(page, "Play").click()
    button(page, "No guess").click()
    until(page, lambda s: s["now"] == 200)


def test_a_long_way_is_gone_in_frames(driver, server):
    """A heavy run: the page answers while the steps of its link are made."""
    address = "start=random&depth=10&width=16&arithmetic=bfloat16&rounding=stochastic&beside=float32&step=200"
    assert opened(driver, server, address)["now"] < 200
    button(driver, "Pause").click()
    assert not state(driver)["playing"]
    driver.find_element(By.CSS_SELECTOR, ".playground input[type=range]").send_keys(Keys.END)
    assert state(driver)["playing"]
    driver.find_element(By.CSS_SELECTOR, ".playground input[type=range]").send_keys(Keys.HOME)
    assert (state(driver)["now"], state(driver)["playing"]) == (0, False)


def test_an_address_that_is_typed_is_opened_and_so_are_those_of_the_history(page):
    page.execute_script("location.hash = '#play?depth=3&step=4'")
    until(page, lambda s: (s["settings"]["depth"], s["now"]) == ("3", 4))
    page.execute_script("location.hash = '#play?depth=2&guess=7'")
    until(page, lambda s: (s["settings"]["depth"], s["guess"]) == ("2", 7))
    page.back()
    until(page, lambda s: (s["settings"]["depth"], s["guess"], s["now"]) == ("3", None, 4))
    page.execute_script("location.hash = '#what-to-try'")
    page.forward()
    assert state(page)["settings"]["depth"] == "3"
    assert_quiet(page)


def test_two_in_a_page_and_the_script_twice(page, server):
    page.execute_script("""
        window.first = document.querySelector('.playground').instance;
        document.querySelector('.playground').insertAdjacentHTML('afterend', '<div class="playground"></div>');"""
                        + SCRIPT + SCRIPT)
    assert page.execute_script("return document.querySelector('.playground').instance === window.first")
    assert len(page.find_elements(By.CSS_SELECTOR, ".playground .status")) == 2
    second = page.find_elements(By.CSS_SELECTOR, ".playground")[1]
    Select(second.find_element(By.CSS_SELECTOR, "select[name=depth]")).select_by_value("4")
    next(b for b in second.find_elements(By.CSS_SELECTOR, "button") if b.text == "Step").click()
    next(b for b in second.find_elements(By.CSS_SELECTOR, "button") if b.text == "Copy link").click()
    assert "playground=2" in page.current_url
    assert (state(page)["now"], state(page)["settings"]["depth"]) == (0, "8")
    assert opened(page, server, page.current_url.split("#play?")[1])["settings"] == USUAL
    assert_quiet(page)


def test_a_page_that_was_saved_while_open_works(page):
    button(page, "Step").click()
    page.execute_script("const root = document.querySelector('.playground'); root.outerHTML = root.outerHTML;" + SCRIPT)
    button(page, "Step").click()
    assert state(page)["now"] == 1
    assert_quiet(page)


def test_one_that_is_taken_out_of_the_page_stops(page):
    page.execute_script("window.first = document.querySelector('.playground').instance")
    button(page, "Play").click()
    until(page, lambda s: s["now"] > 2)
    stopped = page.execute_async_script("""
        const done = arguments[0];
        window.first.root.remove();
        requestAnimationFrame(() => requestAnimationFrame(() => {
          const now = window.first.now;
          setTimeout(() => done(window.first.now === now), 200);
        }));""")
    assert stopped


def test_a_run_that_diverges_while_it_plays_says_so_each_time(page):
    for name, value in DIVERGING:
        Select(page.find_element(By.CSS_SELECTOR, f".playground select[name={name}]")).select_by_value(value)
    for words in ("No guess", "Play"):
        button(page, words).click()
        until(page, lambda s: not s["playing"])
        assert "diverged" in status(page)
    button(page, "Back").click()
    assert "diverged" not in status(page)
    page.find_element(By.CSS_SELECTOR, ".playground input[type=range]").send_keys(Keys.END)
    assert "diverged" in status(page)
    assert_quiet(page)


def test_very_fast_clicking(page):
    page.execute_script("""
        const buttons = [...document.querySelectorAll('.playground button')];
        const [play, step, back, reset] = ['Play', 'Step', 'Back', 'Reset'].map(
          (words) => buttons.find((b) => b.textContent === words));
        for (let i = 0; i < 60; i++) for (const b of [step, play, step, back, play, play]) b.click();
        reset.click();
        for (let i = 0; i < 7; i++) step.click();""")
    assert (state(page)["now"], state(page)["playing"]) == (7, False)
    assert page.execute_script("""
        const play = document.querySelector('.playground').instance;
        return play.trials.every(({ states }) => states.length === 8) && play.at.value === '7'""")
    assert_quiet(page)


def test_settings_changed_while_it_plays(page):
    button(page, "Play").click()
    until(page, lambda s: s["now"] > 3)
    Select(page.find_element(By.CSS_SELECTOR, ".playground select[name=depth]")).select_by_value("3")
    found = state(page)
    assert (found["now"], found["playing"], found["settings"]["depth"]) == (0, False, "3")
    focused = "return document.activeElement.name"
    page.find_element(By.CSS_SELECTOR, ".playground select[name=width]").send_keys(Keys.ARROW_UP)
    assert page.execute_script(focused) == "width"


@pytest.mark.parametrize("clipboard", ["undefined", "{ writeText: () => Promise.reject(new Error('refused')) }"])
def test_a_refused_clipboard(page, clipboard):
    page.execute_script(f"Object.defineProperty(navigator, 'clipboard', {{ value: {clipboard} }})")
    button(page, "Copy link").click()
    until(page, lambda s: "copy it from there" in status(page))
    assert "#play?" in page.current_url
    assert_quiet(page)


def test_a_tab_in_the_background_waits(page):
    button(page, "Play").click()
    until(page, lambda s: s["now"] > 2)
    page.execute_script("""
        const play = document.querySelector('.playground').instance;
        window.log = [];
        document.addEventListener('visibilitychange', () => window.log.push([document.hidden, play.now]));""")
    first = page.current_window_handle
    page.switch_to.new_window("tab")
    page.get("about:blank")
    page.close()
    page.switch_to.window(first)
    (hidden, there), (shown, back) = page.execute_script("return window.log")
    assert (hidden, shown, there) == (True, False, back)
    until(page, lambda s: s["now"] == 200 and not s["playing"])
    assert_quiet(page)
