"""The wall fits its screen, tells of a win, and nothing on it jumps."""

from __future__ import annotations

from typing import NamedTuple

import pytest
from playwright.sync_api import Browser, expect

from tests.e2e.window import open_window
from tests.kit.sites import Site

PLACES = """() => [...document.querySelectorAll("h1, h2, section")]
  .map(part => part.getBoundingClientRect())
  .map(({ x, y, width, height }) => [x, y, width, height])"""
SCROLLS = """() => [document.scrollingElement.scrollWidth > innerWidth,
  document.scrollingElement.scrollHeight > innerHeight]"""


class OwnClass(NamedTuple):
    """A class that nobody else is in: its wall, and its code."""

    wall: str
    code: str


@pytest.fixture(scope="module")
def own_class(site: Site, browser: Browser) -> OwnClass:
    site.add_instructor("Ms Wall", "a long enough password")
    teacher = open_window(browser, site.url, script=False)
    teacher.sign_in("Ms Wall", "a long enough password")
    page = teacher.page
    teacher.go("/teach/classes/new")
    page.get_by_label("Name of the class").fill("The wall")
    page.get_by_role("button", name="Make the class").click()
    page.get_by_role("link", name="Join code").click()
    code = page.locator(".projected__code").inner_text().strip()
    page.goto(page.url.replace("/join", ""))
    wall = page.get_by_role("link", name="The wall", exact=True).get_attribute("href")
    teacher.close()
    return OwnClass(str(wall).replace(site.url, ""), code)


@pytest.fixture
def link(own_class: OwnClass) -> str:
    """Return the address of the wall."""
    return own_class.wall


def test_a_win_is_told_and_nothing_jumps(windows, site, own_class):
    winner, wall = windows(site), windows(site, width=1024, height=768)
    winner.begin(own_class.code)
    winner.at("yard-tell")
    word = winner.ask_for_the_password()
    wall.go(own_class.wall)
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
