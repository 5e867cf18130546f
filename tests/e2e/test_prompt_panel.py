"""The panel alone: prompts, streams, Stop, history and errors, and no gate anywhere."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Locator, expect

from tests.e2e.panels import PANEL, PATIENCE, REFUSAL, Panels, running_panels
from tests.e2e.window import Window


class Panel:
    """One of the panels in a window, and its parts."""

    def __init__(self, window: Window, name: str) -> None:
        self.keys = window.page.keyboard
        self.root = window.page.locator(f"prompt-panel#{name}")
        self.box = self.root.get_by_label(f"Prompt for {name}")
        self.send_button = self.root.get_by_role("button", name="Send")
        self.stop_button = self.root.get_by_role("button", name="Stop")
        self.status = self.root.get_by_role("status")
        self.alert = self.root.get_by_role("alert")
        self.turns = self.root.get_by_role("listitem")

    def ask(self, prompt: str) -> None:
        """Send a prompt with the keyboard."""
        self.box.focus()
        self.keys.insert_text(prompt)
        self.keys.press("Control+Enter")

    def slot(self, name: str, turn: int = 0) -> Locator:
        """A part of a turn."""
        return self.turns.nth(turn).locator(f"[data-slot={name}]")

    def expect_idle(self) -> None:
        """Expect that nothing is on its way and the next prompt can be sent."""
        expect(self.root.locator("[aria-busy]")).to_have_count(0)
        expect(self.stop_button).to_be_hidden()
        expect(self.send_button).not_to_have_attribute("aria-disabled", "true")


@pytest.fixture(scope="module")
def panels() -> Iterator[Panels]:
    """Return the page and its endpoint."""
    with running_panels() as panels:
        yield panels


@pytest.fixture
def window(windows, panels):
    """Return a window on the page."""
    window = windows(panels)
    window.go()
    return window


@pytest.fixture
def left(window):
    return Panel(window, "Left")


@pytest.fixture
def right(window):
    return Panel(window, "Right")


def test_a_reply_grows_under_the_words_of_its_page(window, panels, left):
    expect(left.root).to_contain_text("Ask Left something.")
    expect(left.root.get_by_text("Enter sends.")).to_be_visible()
    left.ask("Tell me")
    call = panels.call()
    assert call.fields == {"panel": "Left", "prompt": "Tell me"}
    expect(left.turns).to_have_count(1)
    expect(left.slot("message")).to_have_text("Tell me")
    expect(left.slot("wait")).to_have_text("Left thinks")
    expect(left.slot("body")).to_have_attribute("aria-busy", "true")
    expect(left.status).to_have_text("Left is at work")
    expect(left.root).not_to_contain_text("Ask Left something.")
    call.tell("queue", position=3)
    expect(left.slot("wait")).to_have_text("Left: 3 before you")
    expect(left.status).to_have_text("Place 3")
    call.tell("delta", text="One ")
    expect(left.slot("reply")).to_have_text("One")
    expect(left.slot("wait")).to_be_empty()
    call.tell("delta", text="<b>two</b>")
    expect(left.slot("reply")).to_have_text("One <b>two</b>")
    assert left.turns.locator("[aria-live], [role=status], b").count() == 0
    call.reply("One <b>two</b> three")
    expect(left.slot("reply")).to_have_text("One <b>two</b> three")
    expect(left.status).to_have_text("One <b>two</b> three")
    left.expect_idle()


def test_a_plain_panel_needs_no_gate_and_passes_over_its_events(window, panels, left):
    left.ask("Tell me")
    call = panels.call()
    call.tell("guard", guard="contains", stage="input", allowed=False, reason="no")
    call.tell("check", passed=True)
    call.reply("")
    expect(left.slot("reply")).to_have_text("Left is silent")
    left.ask("Again")
    panels.call().reply("Yes.")
    expect(left.status).to_have_text("Yes.")
    expect(left.turns).to_have_count(2)
    expect(left.slot("message", 0)).to_have_text("Tell me")
    expect(left.slot("message", 1)).to_have_text("Again")
    expect(left.alert).to_have_count(0)
    scripts = {url.rpartition("/")[2] for url in window.requests if "/js/" in url}
    assert "prompt-panel.js" in scripts
    assert scripts.isdisjoint({"gate-panel.js", "passage.js", "main.js"})


def test_the_keyboard_alone_sends_stops_and_sends_again(window, panels, left):
    keys = window.page.keyboard
    keys.press("Tab")
    expect(left.box).to_be_focused()
    keys.type("A long one")
    keys.press("Tab")
    expect(left.send_button).to_be_focused()
    keys.press("Enter")
    call = panels.call()
    call.tell("delta", text="Once upon")
    expect(left.slot("reply")).to_have_text("Once upon")
    expect(left.send_button).to_be_focused()
    keys.press("Tab")
    expect(left.stop_button).to_be_focused()
    keys.press("Enter")
    expect(left.status).to_have_text("Left was stopped")
    expect(left.slot("cut")).to_be_visible()
    expect(left.slot("reply")).to_have_text("Once upon")
    expect(left.box).to_be_focused()
    expect(left.alert).to_have_count(0)
    left.expect_idle()
    assert call.gone.wait(PATIENCE), "the endpoint still writes"
    keys.type("A short one")
    keys.press("Control+Enter")
    panels.call().reply("The end.")
    expect(left.slot("reply", 1)).to_have_text("The end.")
    expect(left.slot("cut", 1)).to_be_hidden()


def test_an_impatient_reader_sends_once(panels, left):
    left.ask("Tell me")
    call = panels.call()
    left.ask("Hurry")
    left.send_button.click(force=True)
    expect(left.box).to_have_value("Hurry")
    call.reply("All right.")
    left.expect_idle()
    assert panels.calls.empty()
    expect(left.turns).to_have_count(1)
    expect(left.box).to_have_value("Hurry")


def test_an_error_gives_the_prompt_back(panels, left):
    left.ask("Tell me")
    call = panels.call()
    expect(left.box).to_have_value("")
    call.tell("delta", text="Once")
    call.tell("error", code="timeout", message="It took too long.", status=504)
    call.cut()
    expect(left.alert).to_have_text("It took too long.")
    expect(left.slot("failure")).to_have_text("It took too long.")
    expect(left.box).to_have_value("Tell me")
    expect(left.status).to_be_empty()
    left.expect_idle()
    left.box.press("Control+Enter")
    call = panels.call()
    assert call.fields["prompt"] == "Tell me"
    expect(left.alert).to_have_count(0)
    call.reply("Once.")
    expect(left.slot("failed", 0)).to_be_visible()
    expect(left.slot("failed", 1)).to_be_hidden()


def test_an_error_spares_what_was_typed_meanwhile(panels, left):
    left.ask("Tell me")
    call = panels.call()
    expect(left.turns).to_have_count(1)
    left.keys.type("Another")
    call.tell("error", code="timeout", message="It took too long.", status=504)
    call.cut()
    expect(left.alert).to_be_visible()
    expect(left.box).to_have_value("Another")


def test_a_stream_that_breaks_off_says_so(panels, left):
    left.ask("Tell me")
    call = panels.call()
    call.tell("delta", text="Once upon")
    call.cut()
    expect(left.alert).to_have_text("Left was cut off")
    expect(left.slot("reply")).to_have_text("Once upon")
    expect(left.slot("failure")).to_have_text("Left was cut off")
    left.expect_idle()


@pytest.mark.parametrize(
    ("prompt", "told"),
    [
        ("refuse", REFUSAL),
        ("break", "Left will not"),
        ("sign me out", "Who are you?"),
    ],
)
def test_a_refusal_keeps_the_prompt(left, prompt, told):
    left.ask(prompt)
    expect(left.alert).to_have_text(told)
    expect(left.box).to_have_value(prompt)
    expect(left.turns).to_have_count(0)
    expect(left.root).to_contain_text("Ask Left something.")
    left.expect_idle()


def test_without_a_connection_the_prompt_stays(window, panels, left):
    window.context.set_offline(True)
    left.ask("Tell me")
    expect(left.alert).to_have_text("Left is far away")
    expect(left.box).to_have_value("Tell me")
    window.context.set_offline(False)
    window.forgive("net::ERR_INTERNET_DISCONNECTED")
    left.box.press("Control+Enter")
    panels.call().reply("Here I am.")
    expect(left.slot("reply")).to_have_text("Here I am.")
    expect(left.alert).to_have_count(0)


def test_two_panels_stream_at_once_and_keep_apart(window, panels, left, right):
    left.ask("From the left")
    to_left = panels.call()
    right.ask("From the right")
    to_right = panels.call()
    assert to_left.fields["panel"] == "Left"
    assert to_right.fields["panel"] == "Right"
    for number in range(3):
        to_left.tell("delta", text=f"l{number} ")
        to_right.tell("delta", text=f"r{number} ")
    expect(left.slot("reply")).to_have_text("l0 l1 l2")
    expect(right.slot("reply")).to_have_text("r0 r1 r2")
    left.stop_button.click()
    expect(left.status).to_have_text("Left was stopped")
    left.expect_idle()
    assert to_left.gone.wait(PATIENCE)
    expect(right.status).to_have_text("Right is at work")
    expect(right.slot("body")).to_have_attribute("aria-busy", "true")
    left.ask("refuse")
    right.box.focus()
    window.page.keyboard.type("What is next")
    expect(left.alert).to_have_text(REFUSAL)
    to_right.tell("error", code="timeout", message="It took too long.", status=504)
    to_right.cut()
    expect(right.alert).to_have_text("It took too long.")
    expect(left.alert).to_have_text(REFUSAL)
    expect(right.box).to_be_focused()
    expect(right.box).to_have_value("What is next")
    ids = window.page.locator("[id]").evaluate_all("all => all.map(one => one.id)")
    assert len(ids) == len(set(ids)), ids


def test_a_panel_out_of_sight_does_not_pull_the_page_to_itself(
    window, panels, left, right
):
    right.root.evaluate("panel => panel.style.cssText = 'display: block; height: 90em'")
    right.root.evaluate("panel => panel.style.marginTop = '90em'")
    left.ask("A long one")
    call = panels.call()
    expect(left.turns).to_have_count(1)
    right.box.evaluate("box => box.scrollIntoView({block: 'start'})")
    right.box.focus()
    call.tell("delta", text="Once upon a time\n" * 50)
    call.reply("Once upon a time.")
    expect(left.status).to_have_text("Once upon a time.")
    window.settle()
    expect(right.box).to_be_in_viewport()
    expect(left.box).not_to_be_in_viewport()


def test_whoever_likes_gets_replies_all_at_once(window, panels, left):
    window.go("/?stream=off")
    left.ask("Tell me")
    call = panels.call()
    call.tell("delta", text="Once ")
    call.tell("queue", position=1)
    expect(left.slot("wait")).to_have_text("Left: 1 before you")
    expect(left.slot("reply")).to_be_empty()
    call.reply("Once upon.")
    expect(left.slot("reply")).to_have_text("Once upon.")


def test_tokens_are_counted_where_they_may_be_too_many(left):
    count = left.root.locator("[data-count-tokens]")
    expect(count).to_have_text("up to 900 tokens")
    # No more bytes than tokens: whatever they are, they fit.
    left.box.fill("a" * 900)
    expect(count).to_have_text("up to 900 tokens")
    left.box.fill("的" * 400)
    expect(count).to_have_text("800 of 900 tokens")
    expect(count).not_to_have_attribute("data-over", "")
    left.box.fill("的" * 500)
    expect(count).to_have_text("100 tokens over 900")
    expect(count).to_have_attribute("data-over", "")
    left.box.fill("的")
    expect(count).to_have_text("up to 900 tokens")
    expect(count).not_to_have_attribute("data-over", "")


def test_what_cannot_be_counted_can_still_be_sent(left, panels, window):
    window.page.route("**/size/*", lambda route: route.abort())
    left.box.fill("的" * 500)
    left.box.press("End")
    left.keys.press("Control+Enter")
    panels.call().reply("Yes.")
    expect(left.slot("reply")).to_have_text("Yes.")


def test_characters_are_counted_as_the_server_counts_them(left):
    count = left.root.locator("[data-count]")
    expect(count).to_have_text("0 of 1,200")
    left.box.fill("🗝" * 1200)
    expect(count).to_have_text("1,200 of 1,200")
    expect(count).not_to_have_attribute("data-over", "")
    left.box.fill("🗝" * 1203)
    expect(count).to_have_text("3 over 1,200")
    expect(count).to_have_attribute("data-over", "")


def test_a_panel_that_leaves_the_page_stops(panels, left, right):
    left.ask("Tell me")
    call = panels.call()
    expect(left.turns).to_have_count(1)
    left.root.evaluate("panel => panel.remove()")
    assert call.gone.wait(PATIENCE), "the endpoint still writes"
    right.ask("And you?")
    panels.call().reply("Here.")
    expect(right.slot("reply")).to_have_text("Here.")


def test_without_scripts_it_is_a_form(windows, panels):
    window = windows(panels, script=False)
    window.go()
    right = Panel(window, "Right")
    expect(right.root.get_by_text("Enter sends.")).to_be_hidden()
    expect(right.stop_button).to_be_hidden()
    right.box.fill("Plain <words>")
    right.send_button.click()
    expect(window.page.get_by_text("Right was asked: Plain <words>")).to_be_visible()


def test_a_gate_has_words_for_all_that_a_panel_says(windows, site):
    window = windows(site)
    window.begin()
    said = [
        dict(re.findall(r'(data-say-[a-z-]+)="([^"]*)"', page))
        for page in (PANEL, window.fetch("/keep/yard-echo"))
    ]
    assert said[0].keys() == said[1].keys()
    assert all(said[1].values()), said[1]
