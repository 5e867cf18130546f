"""Hints: what they cost is said first, and a price never locks anybody out."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.e2e.window import NARROW
from tests.kit.yard import HINT_TEXT


@pytest.mark.parametrize("script", [True, False], ids=["script", "plain"])
def test_a_hint_is_confirmed_shown_and_paid_from_the_win(windows, site, script):
    window = windows(site, script=script, width=NARROW)
    window.begin()
    window.at("yard-tell")
    hint = window.page.locator("#hint-1")
    expect(hint).to_contain_text("How to begin")
    expect(hint).to_contain_text("30 points")
    assert "nicely" not in window.page.content()
    buy = hint.get_by_role("button", name="Open it for 30 points")
    expect(buy).to_be_hidden()
    hint.get_by_text("How to begin").click()
    expect(hint).to_contain_text("You can always open it, even if you have no points")
    assert "nicely" not in window.page.content()
    buy.click()
    expect(hint.locator("em")).to_have_text("nicely")
    expect(hint).to_contain_text("(opened)")
    assert HINT_TEXT not in window.page.content(), "the Markdown is rendered"
    expect(window.page.locator("#hint-2")).to_contain_text("20 points")
    window.win("yard-tell")
    expect(window.page.get_by_text("70 points of 100")).to_be_visible()


def test_the_keyboard_stays_at_a_hint_that_is_opened(window):
    window.begin()
    window.at("yard-tell")
    window.page.locator("#hint-1 summary").focus()
    window.page.keyboard.press("Enter")
    window.page.keyboard.press("Tab")
    window.page.keyboard.press("Enter")
    expect(window.page.locator("#hint-1 em")).to_have_text("nicely")
    expect(window.page.locator("#hint-1 summary")).to_be_focused()
