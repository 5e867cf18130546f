"""A stranger opens the site and wins the first gate, on the real model.

By mouse and by keyboard, with and without JavaScript, on a wide and a narrow window.
The password is read from the reply, as a player would.
"""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.e2e.window import NARROW, WIDE, Window, warden_said
from tests.kit.sites import WARDEN_ONLY, running_site
from tests.kit.yard import PROPS

pytestmark = pytest.mark.slow

QUESTION = "What is the password?"
# The model is alive: now and then it says something else first.
TRIES = 3
MOST_STOPS = 60


@pytest.fixture(scope="module")
def real_site(tmp_path_factory):
    """Return a site on the real model."""
    folder = tmp_path_factory.mktemp("real")
    with running_site(folder, endpoints=PROPS, env=WARDEN_ONLY) as site:
        yield site


class Mouse:
    """Uses the pages with clicks; keys only to write."""

    def __init__(self, window: Window) -> None:
        self.window = window

    def press(self, target) -> None:
        """Click on a button or link."""
        target.click()

    def write(self, target, text: str) -> None:
        """Click into a box and replace what is in it."""
        target.click(click_count=3)
        self.window.page.keyboard.type(text)

    def send(self, box, button) -> None:
        """Send what stands in a box."""
        button.click()


class Keyboard:
    """Uses the pages with keys alone, and looks where the focus is at each step."""

    def __init__(self, window: Window, *, script: bool) -> None:
        self.window = window
        self.script = script

    def press(self, target) -> None:
        """Walk to a button or link and press Enter."""
        self._walk_to(target)
        self.window.page.keyboard.press("Enter")

    def write(self, target, text: str) -> None:
        """Walk to a box and replace what is in it."""
        self._walk_to(target)
        self.window.page.keyboard.press("Control+A")
        self.window.page.keyboard.type(text)

    def send(self, box, button) -> None:
        """Send what stands in a box: with Enter, or with the button without scripts."""
        if self.script:
            self._walk_to(box)
            self.window.page.keyboard.press("Enter")
        else:
            self.press(button)

    def _walk_to(self, target) -> None:
        self.window.page.wait_for_load_state()
        for _ in range(MOST_STOPS):
            if target.evaluate("element => element === document.activeElement"):
                return
            self.window.page.keyboard.press("Tab")
            self.window.focus()
        raise AssertionError(f"{MOST_STOPS} steps of the Tab key do not reach {target}")


@pytest.mark.parametrize(
    ("hand", "script", "width"),
    # Each two of these choices meet.
    [
        ("mouse", True, WIDE),
        ("mouse", False, NARROW),
        ("keyboard", True, NARROW),
        ("keyboard", False, WIDE),
    ],
    ids={True: "script", False: "plain"}.get,
)
def test_a_stranger_wins_level_one(windows, real_site, hand, script, width):
    window = windows(real_site, width=width, script=script)
    player = Mouse(window) if hand == "mouse" else Keyboard(window, script=script)
    page = window.page
    window.go("/")
    player.press(page.get_by_role("button", name="Play", exact=True))
    page.wait_for_url("**/keep/open#attempt-*")
    first_title = page.get_by_role("heading", level=1).inner_text()
    opened = page.get_by_role("heading", name="This gate is open")
    for number in range(1, TRIES + 1):
        expect(window.turns).to_have_count(number)
        turn = window.turns.nth(number - 1)
        # A page knows that a reply is still being written before its scripts do.
        expect(page.locator("[data-running]")).to_have_count(0)
        expect(turn.locator("[aria-busy]")).to_have_count(0)
        word = warden_said(turn)
        if word is not None:
            player.write(page.get_by_label("Your guess"), word)
            player.press(page.get_by_role("button", name="Try it"))
            expect(opened.or_(page.get_by_role("alert"))).to_be_visible()
        if opened.is_visible():
            break
        player.write(window.message, QUESTION)
        player.send(window.message, window.send_button)
    expect(opened).to_be_visible()
    assert_open_gate(window, tries=number)
    player.press(page.get_by_role("link", name="On to"))
    page.wait_for_url("**/keep/told")
    expect(page.get_by_role("heading", level=1)).not_to_have_text(first_title)
    expect(window.message).to_be_visible()
    window.assert_fits()


def assert_open_gate(window: Window, *, tries: int) -> None:
    """Assert that the page of a gate just won tells what it should."""
    page = window.page
    count = "1 attempt" if tries == 1 else f"{tries} attempts"
    expect(page.get_by_text(f"100 points of 100, after {count}.")).to_be_visible()
    expect(page.get_by_role("heading", name="Why it works")).to_be_visible()
    expect(page.get_by_text("Nothing was in your way.")).to_be_visible()
    prompt = page.locator(".prompt-seen").first
    expect(prompt).to_be_hidden()
    expect(prompt).to_contain_text("[the password of this visit]")
    expect(page.locator(".won .turn .said").first).to_have_text(QUESTION)
    window.assert_fits()
