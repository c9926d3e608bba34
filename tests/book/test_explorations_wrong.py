"""Explorations under what they are not made for: wrong addresses, typed ones, a slider that is dragged for long."""
import pytest

from book.browser import assert_quiet, wait

PAGE = "book/03_exponentially_many.html"


def values(driver):
    sliders = wait(driver, ".explore.frames input")
    return {slider.get_attribute("name"): slider.get_attribute("value") for slider in sliders}


@pytest.fixture
def page(driver, server):
    driver.get("about:blank")
    driver.get(f"{server}/{PAGE}")
    return driver


@pytest.mark.parametrize("wrong", ["evil", "-1", "99", "1.5", "1e1", "", "NaN"])
def test_nonsense_in_the_address_is_passed_over(page, server, wrong):
    start = values(page)
    page.get("about:blank")
    page.get(f"{server}/{PAGE}#explore?figure=1&n={wrong}&kind={wrong}&{wrong}")
    assert values(page) == start
    assert_quiet(page)


def test_a_typed_address_is_opened_and_so_are_those_of_the_history(page):
    page.execute_async_script("""
        addEventListener('hashchange', () => setTimeout(arguments[0]), { once: true });
        location.hash = '#explore?figure=1&n=1&kind=1';""")
    assert values(page) == {"n": "1", "kind": "1"}
    page.execute_async_script("""
        addEventListener('hashchange', () => setTimeout(arguments[0]), { once: true });
        location.hash = '#explore?figure=1&n=0&kind=0';""")
    assert values(page) == {"n": "0", "kind": "0"}
    page.execute_async_script("""
        addEventListener('hashchange', () => setTimeout(arguments[0]), { once: true });
        history.back();""")
    assert values(page) == {"n": "1", "kind": "1"}
    assert_quiet(page)


def test_the_address_changes_once_a_slider_is_let_go(page):
    """Browsers refuse a page that changes its address hundreds of times in a few seconds."""
    before, while_dragged, after, shown = page.execute_script("""
        const slider = document.querySelector('.explore.frames input'), found = [location.hash];
        for (let i = 0; i < 500; i++) {
          slider.value = i % 2;
          slider.dispatchEvent(new Event('input'));
        }
        found.push(location.hash);
        slider.dispatchEvent(new Event('change'));
        return [...found, location.hash, document.querySelectorAll('.explore.frames .frame:not([hidden])').length];""")
    assert (before, while_dragged, shown) == ("", "", 1)
    assert "n=1" in after
    assert_quiet(page)
