"""Pages driven over DevTools."""

from struct import unpack

import pytest

from inference.browser import headless
from inference.browser.devtools import driven
from inference.errors import InputError

PAGE = "data:text/html,<title>A</title><p style='height:2000px'>B</p>"


@pytest.fixture(scope="module")
def browser():
    if "chromium" not in headless.installed():
        pytest.skip("chromium is not installed")
    with driven() as found:
        yield found


def test_a_page_is_asked_waited_for_and_pictured_whole(browser, tmp_path):
    page = browser.page(PAGE)
    page.wait("document.querySelector('p')", 20)
    assert page.evaluate("document.title") == "A"
    assert page.evaluate("Promise.resolve([1, 'x', null])") == [1, "x", None]
    page.look(width=390, dark=True)
    assert page.evaluate("[innerWidth, matchMedia('(prefers-color-scheme: dark)').matches]") == [390, True]
    page.picture(tmp_path / "page.png")
    width, height = unpack(">II", (tmp_path / "page.png").read_bytes()[16:24])
    assert width == 390 and height >= 2000
    assert browser.problems == []


def test_what_throws_and_what_never_comes_true_is_said_in_a_line(browser):
    page = browser.page("about:blank")
    with pytest.raises(InputError, match="nothing is not defined"):
        page.evaluate("nothing")
    with pytest.raises(InputError, match="not within 0 seconds: false"):
        page.wait("false", 0)
    with pytest.raises(InputError, match=r"chromium refuses No\.such"):
        browser.command("No.such")


def test_pages_share_what_they_keep_only_beside_one_another(browser):
    first = browser.page(PAGE)
    assert first.context == browser.page(PAGE, beside=first).context != browser.page(PAGE).context


def test_what_a_page_fails_at_is_kept(browser):
    page = browser.page("about:blank")
    page.evaluate("setTimeout(() => { throw new Error('lost') })")
    page.wait("new Promise((resolve) => setTimeout(() => resolve(true), 50))", 5)
    assert "Error: lost" in browser.problems.pop()
