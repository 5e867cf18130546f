"""Colours and motion are the reader's choice, and the server knows it at once."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

DARK, LIGHT = "rgb(17, 26, 34)", "rgb(231, 236, 239)"


def expect_colour(window, colour):
    expect(window.page.locator("body")).to_have_css("background-color", colour)


@pytest.mark.parametrize("script", [True, False], ids=["script", "plain"])
def test_the_theme_is_kept_and_comes_with_the_page(windows, site, script):
    window = windows(site, script=script, color_scheme="light")
    window.go("/rules")
    expect_colour(window, LIGHT)
    assert 'data-theme="auto"' in window.fetch("/rules")
    button = window.page.get_by_role("button", name="Dark")
    button.click()
    expect_colour(window, DARK)
    expect(button).to_have_attribute("aria-pressed", "true")
    # No flash: the first bytes of the next page say it, before any script.
    assert 'data-theme="dark"' in window.fetch("/leaderboard")
    window.go("/leaderboard")
    expect_colour(window, DARK)
    window.page.get_by_role("button", name="Auto").click()
    expect_colour(window, LIGHT)


def test_auto_follows_the_system(windows, site):
    window = windows(site, color_scheme="dark")
    window.go("/rules")
    expect_colour(window, DARK)
    window.page.emulate_media(color_scheme="light")
    expect_colour(window, LIGHT)


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
