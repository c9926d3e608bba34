"""The playground in a real browser: mouse, keyboard and touch, the address, what a screen reader is told."""
import pytest
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.ui import Select, WebDriverWait

from book.browser import assert_quiet, open_playground, wait

DIVERGING = (("start", "random"), ("depth", "10"), ("width", "16"), ("rate", "-4"), ("seed", "3"))


def button(driver, words):
    return next(b for b in driver.find_elements(By.CSS_SELECTOR, ".playground button") if b.text == words)


def state(driver):
    return driver.execute_script("""
        const play = document.querySelector('.playground').instance;
        const pieces = play.trials.map(t => t.states[play.now].pieces);
        return {now: play.now, pieces: pieces,
                settings: play.settings, guess: play.guess, playing: Boolean(play.timer)};""")


def until(driver, ready):
    WebDriverWait(driver, 60).until(lambda d: ready(state(d)))


@pytest.fixture
def page(driver, site):
    return open_playground(driver, site)


@pytest.mark.every_browser
def test_a_guess_then_the_whole_run(page):
    curve = page.find_elements(By.CSS_SELECTOR, ".playground svg")[-1]
    assert "guess" not in curve.get_attribute("innerHTML")
    page.find_element(By.CSS_SELECTOR, ".playground input[type=number]").send_keys("500", Keys.ENTER)
    until(page, lambda s: s["now"] == 200 and not s["playing"])
    assert "Your guess: 500" in page.find_element(By.CSS_SELECTOR, ".playground").text
    assert "guess" in page.find_elements(By.CSS_SELECTOR, ".playground svg")[-1].get_attribute("innerHTML")
    assert f"{state(page)['pieces'][0]} piece" in page.find_element(By.CSS_SELECTOR, ".playground .status").text
    assert_quiet(page)


@pytest.mark.every_browser
def test_keyboard_alone(page):
    step = button(page, "Step")
    step.send_keys(Keys.ENTER)
    step.send_keys(Keys.SPACE)
    assert state(page)["now"] == 2
    button(page, "Back").send_keys(Keys.ENTER)
    assert state(page)["now"] == 1
    page.find_element(By.CSS_SELECTOR, ".playground input[type=range]").send_keys(Keys.ARROW_RIGHT)
    assert state(page)["now"] == 2
    button(page, "Play").send_keys(Keys.ENTER)
    until(page, lambda s: s["now"] > 5)
    button(page, "Pause").send_keys(Keys.ENTER)
    assert not state(page)["playing"]
    button(page, "Reset").send_keys(Keys.ENTER)
    assert state(page)["now"] == 0
    assert "At step 0" in page.find_element(By.CSS_SELECTOR, ".playground [aria-live]").text
    assert_quiet(page)


def test_touch(page):
    page.execute_cdp_cmd("Emulation.setTouchEmulationEnabled", {"enabled": True})
    try:
        place = page.execute_script("""
            const b = [...document.querySelectorAll('.playground button')].find(b => b.textContent == 'Step');
            b.scrollIntoView({block: 'center'}); const r = b.getBoundingClientRect();
            return {x: r.x + r.width / 2, y: r.y + r.height / 2};""")
        page.execute_cdp_cmd("Input.dispatchTouchEvent", {"type": "touchStart", "touchPoints": [place]})
        page.execute_cdp_cmd("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
        until(page, lambda s: s["now"] == 1)
    finally:
        page.execute_cdp_cmd("Emulation.setTouchEmulationEnabled", {"enabled": False})


@pytest.mark.every_browser
def test_a_link_opens_the_state(page):
    for name, value in (("start", "random"), ("depth", "3"), ("arithmetic", "bfloat16"), ("target", "sine")):
        Select(page.find_element(By.CSS_SELECTOR, f".playground select[name={name}]")).select_by_value(value)
    for _ in range(3):
        button(page, "Step").click()
    before = state(page)
    button(page, "Copy link").click()
    link = page.current_url
    assert "#play?" in link
    page.get("about:blank")
    page.get(link)
    wait(page, ".playground svg polyline")
    until(page, lambda s: s == before)
    assert_quiet(page)


@pytest.mark.every_browser
def test_two_arithmetics_side_by_side(page):
    button(page, "Same start, two arithmetics").click()
    for _ in range(2):
        button(page, "Step").click()
    assert len(state(page)["pieces"]) == 2
    assert len(page.find_elements(By.CSS_SELECTOR, ".playground .panels svg")) == 2


@pytest.mark.every_browser
def test_a_run_that_diverges_says_so(page):
    for name, value in DIVERGING:
        Select(page.find_element(By.CSS_SELECTOR, f".playground select[name={name}]")).select_by_value(value)
    for _ in range(12):
        button(page, "Step").click()
    assert "diverged" in page.find_element(By.CSS_SELECTOR, ".playground .status").text
    assert_quiet(page)
