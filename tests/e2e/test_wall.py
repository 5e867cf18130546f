"""The wall fits its screen, tells of a win, and nothing on it jumps."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

PLACES = """() => [...document.querySelectorAll("h1, h2, section")]
  .map(part => part.getBoundingClientRect())
  .map(({ x, y, width, height }) => [x, y, width, height])"""
SCROLLS = """() => [document.scrollingElement.scrollWidth > innerWidth,
  document.scrollingElement.scrollHeight > innerHeight]"""


@pytest.fixture(scope="module")
def link(site, browser) -> str:
    """Return the link to the wall of those without a class."""
    site.add_instructor("Ms Wall", "a long enough password")
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(f"{site.url}/login?next=/teach")
    page.get_by_label("Nickname").fill("Ms Wall")
    page.get_by_label("Password").fill("a long enough password")
    page.locator("form.form button").click()
    page.goto(f"{site.url}/teach")
    found = page.get_by_role("link", name="The wall").get_attribute("href")
    context.close()
    return str(found)


def test_a_win_is_told_and_nothing_jumps(windows, site, link):
    winner, wall = windows(site), windows(site, width=1024, height=768)
    winner.begin()
    winner.at("yard-tell")
    word = winner.ask_for_the_password()
    wall.go(link)
    for size in ((1920, 1080), (1024, 768)):
        wall.page.set_viewport_size({"width": size[0], "height": size[1]})
        assert wall.page.evaluate(SCROLLS) == [False, False]
    places = wall.page.evaluate(PLACES)
    winner.guess(word)
    told = f"{winner.name} opened"
    expect(wall.page.get_by_role("status")).to_contain_text(told)
    expect(wall.page.locator(".wall__top")).to_contain_text(winner.name)
    expect(wall.page.locator(".wall__wins")).to_contain_text(told)
    assert wall.page.evaluate(PLACES) == places
    assert wall.page.evaluate(SCROLLS) == [False, False]
    assert wall.page.evaluate("document.getAnimations().length") == 0
    expect(wall.page.get_by_role("navigation")).to_have_count(0)
    # After a while the news make room again.
    expect(wall.page.locator("#wall-news")).to_be_hidden()


def test_it_works_without_scripts(windows, site, link):
    window = windows(site, script=False)
    window.go(link)
    expect(window.page.locator("meta[http-equiv=refresh]")).to_have_count(1)
    expect(window.page.get_by_role("heading", name="Top ten")).to_be_visible()
