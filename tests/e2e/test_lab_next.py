"""What may come next: stepped, branched and come back to by keys, on a phone too."""

from __future__ import annotations

from playwright.sync_api import Locator, expect

from tests.e2e.test_accessibility import assert_good
from tests.e2e.window import NARROW


def enter(button: Locator) -> None:
    """Press Enter and wait for the page that it leads to.

    What has the focus before that page is there loses it.
    """
    with button.page.expect_navigation():
        button.press("Enter")


def test_step_branch_and_come_back_by_keyboard(window):
    page = window.page
    page.set_viewport_size({"width": NARROW, "height": 844})
    window.go("/lab/next")
    assert_good(window)
    # Else the model may draw its end, and ten tokens are fewer.
    page.get_by_label("Temperature").fill("0")
    enter(page.get_by_role("button", name="Show what may come next"))
    enter(page.get_by_role("button", name="Ten tokens"))
    chips = page.locator(".chips summary")
    expect(chips).to_have_count(10)
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
    enter(way)
    expect(page.locator(".chip__rivals", has_text="chosen by you")).to_have_count(1)
    branches = page.locator(".branch")
    expect(branches).to_have_count(2)
    enter(branches.first.get_by_role("link"))
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
