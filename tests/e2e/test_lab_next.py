"""What may come next: stepped, branched and come back to by keys, on a phone too."""

from __future__ import annotations

from playwright.sync_api import expect

from tests.e2e.test_accessibility import assert_good
from tests.e2e.window import NARROW


def test_step_branch_and_come_back_by_keyboard(window):
    page = window.page
    page.set_viewport_size({"width": NARROW, "height": 844})
    window.go("/lab/next")
    assert_good(window)
    page.get_by_role("button", name="Show what may come next").press("Enter")
    page.get_by_role("button", name="Ten tokens").press("Enter")
    chips = page.locator(".chips summary")
    expect(chips.first).to_be_visible()
    # One stop for the Tab key; arrows walk, and the token under the focus is open.
    stops = page.locator('.chips summary[tabindex="0"]')
    expect(stops).to_have_count(1)
    stops.focus()
    page.keyboard.press("Home")
    expect(chips.first).to_be_focused()
    expect(chips.first).to_contain_text("percent")
    opened = page.locator(".chip[open]")
    expect(opened).to_have_count(1)
    assert_good(window)
    way = opened.get_by_role("button", name="Go this way").first
    way.press("Enter")
    expect(page.locator(".chip__rivals", has_text="chosen by you")).to_have_count(1)
    branches = page.locator(".branch")
    expect(branches).to_have_count(2)
    branches.first.get_by_role("link").press("Enter")
    expect(branches.first).to_have_attribute("aria-current", "true")


def test_values_of_sliders_and_rivals_under_the_pointer(window):
    page = window.page
    window.go("/lab/next/text")
    page.get_by_label("A text of up to").fill("Once upon a time")
    page.get_by_role("button", name="Look at it").click()
    expect(page.locator("surprise-line canvas")).to_be_visible()
    page.locator(".chips summary").nth(1).hover()
    expect(page.locator("[data-peek]")).to_contain_text("time 50 percent")
    assert_good(window)
    window.go("/lab/next")
    page.get_by_label("Temperature").fill("0.5")
    expect(page.locator("output[for=temperature]")).to_have_text("0.5")
