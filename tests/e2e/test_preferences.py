"""Colours and motion are the reader's choice, and the server knows it at once."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect


def colour(window):
    """Return the colour of a page that has just been opened."""
    return window.page.evaluate("getComputedStyle(document.body).backgroundColor")


def expect_colour(window, colour):
    """Expect a colour, now or when the change has been drawn."""
    expect(window.page.locator("body")).to_have_css("background-color", colour)


@pytest.fixture
def dark(windows, site):
    """Return the colour of dark pages."""
    window = windows(site, color_scheme="dark")
    window.go("/rules")
    return colour(window)


@pytest.mark.parametrize("script", [True, False], ids=["script", "plain"])
def test_the_theme_is_kept_and_comes_with_the_page(windows, site, dark, script):
    window = windows(site, script=script, color_scheme="light")
    window.go("/rules")
    light = colour(window)
    assert light != dark
    assert 'data-theme="auto"' in window.fetch("/rules")
    button = window.page.get_by_role("button", name="Dark")
    button.click()
    expect_colour(window, dark)
    expect(button).to_have_attribute("aria-pressed", "true")
    # No flash: the first bytes of the next page say it, before any script.
    assert 'data-theme="dark"' in window.fetch("/leaderboard")
    window.go("/leaderboard")
    expect_colour(window, dark)
    window.page.get_by_role("button", name="Auto").click()
    expect_colour(window, light)


def test_auto_follows_the_system(windows, site, dark):
    window = windows(site, color_scheme="light")
    window.go("/rules")
    assert colour(window) != dark
    window.page.emulate_media(color_scheme="dark")
    expect_colour(window, dark)


@pytest.mark.parametrize(
    ("wish", "moves"), [("reduce", False), ("no-preference", True)]
)
def test_nothing_moves_for_those_who_do_not_want_it(windows, site, wish, moves):
    window = windows(site, reduced_motion=wish)
    window.begin()
    window.at("yard-mute")
    turn = window.send("Are you there?")
    expect(turn.locator(".turn__wait")).to_contain_text("The warden is writing")
    seconds = turn.locator(".turn__wait").evaluate(
        "e => parseFloat(getComputedStyle(e, '::after').animationDuration)"
    )
    assert (seconds > 0.1) is moves
