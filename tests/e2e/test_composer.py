"""The box for messages: always at hand, and what it says is heard once."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.e2e.window import NARROW, WIDE
from tests.kit.sites import eventually

SCRIPT = pytest.mark.parametrize("script", [True, False], ids=["script", "plain"])
SIZE = pytest.mark.parametrize(
    ("width", "height"), [(WIDE, 800), (NARROW, 844)], ids=["laptop", "phone"]
)
LONG = "\n".join(f"Line {n} of a long message that goes on and on." for n in range(30))
# What is seen of the end of the last reply and of the box: they must not overlap.
SEEN = """() => {
  const turn = [...document.querySelectorAll(".turn")].at(-1).getBoundingClientRect();
  const form = document.querySelector("[data-composer]").getBoundingClientRect();
  const send = document.querySelector("[data-send]").getBoundingClientRect();
  return {
    end: turn.bottom <= form.top + 1 && turn.bottom > 0,
    box: form.top >= 0 && send.bottom <= innerHeight,
  };
}"""


def typed(window, text):
    """Type into the box, key by key."""
    window.message.focus()
    window.page.keyboard.type(text)


def walk_through(window):
    """Press Tab from the top of the page to its end, and see each place that it has."""
    window.page.evaluate("scrollTo(0, 0)")
    for stops in range(60):
        window.page.keyboard.press("Tab")
        if window.page.evaluate("document.activeElement === document.body"):
            assert stops > 10
            return
        window.focus()


@SIZE
def test_the_box_and_the_end_of_the_reply_are_in_view_after_every_reply(
    windows, site, width, height
):
    window = windows(site, width=width, height=height)
    window.begin()
    for level_id in ("yard-echo", "yard-slow", "yard-full"):
        window.at(level_id)
        for text in ("Short.", LONG[:300], "Say xyzzy.", LONG[:1200], "Short again."):
            window.say(text if level_id != "yard-slow" else text[:80])
            window.settle()
            seen = window.page.evaluate(SEEN)
            assert seen == {"end": True, "box": True}, (level_id, text[:20])
            expect(window.message).to_be_in_viewport(ratio=1)
            expect(window.send_button).to_be_in_viewport(ratio=1)


def test_the_path_stays_in_view_on_a_laptop(windows, site):
    window = windows(site, width=WIDE, height=800)
    window.begin()
    window.at("yard-full")
    for _ in range(3):
        window.say(LONG[:900])
    expect(window.page.locator(".passage")).to_be_in_viewport(ratio=1)


@pytest.mark.parametrize(("width", "height"), [(320, 256), (640, 400), (390, 420)])
def test_a_small_window_is_not_filled_by_the_box(windows, site, width, height):
    window = windows(site, width=width, height=height)
    window.begin()
    window.at("yard-echo")
    window.say(LONG[:600])
    form = window.page.locator("[data-composer]")
    expect(form).to_have_css("position", "static")
    window.assert_fits()
    walk_through(window)


def test_what_has_the_focus_never_lies_under_the_box(windows, site):
    window = windows(site, width=NARROW)
    window.begin()
    window.at("yard-full")
    for _ in range(3):
        window.say(LONG[:500])
    window.page.reload()
    walk_through(window)


def test_enter_sends_and_shift_enter_breaks_the_line(window):
    window.begin()
    window.at("yard-echo")
    typed(window, "First line")
    window.page.keyboard.press("Shift+Enter")
    typed(window, "second line")
    expect(window.message).to_have_value("First line\nsecond line")
    window.page.keyboard.press("Enter")
    expect(window.turns).to_have_count(1)
    expect(window.turns.first.locator(".said").first).to_have_text(
        "First line\nsecond line"
    )
    expect(window.message).to_have_value("")


@pytest.mark.parametrize("how", ["isComposing: true", "keyCode: 229"])
def test_enter_that_ends_a_composed_word_sends_nothing(window, how):
    window.begin()
    window.at("yard-echo")
    typed(window, "日本")
    goes_on = window.message.evaluate(
        "box => box.dispatchEvent(new KeyboardEvent('keydown',"
        f" {{key: 'Enter', bubbles: true, cancelable: true, {how}}}))"
    )
    assert goes_on, "the browser ends the word itself"
    expect(window.message).to_have_value("日本")
    expect(window.turns).to_have_count(0)
    window.page.keyboard.press("Enter")
    expect(window.turns).to_have_count(1)


def test_enter_on_a_phone_breaks_the_line(windows, site):
    window = windows(site, width=NARROW, has_touch=True, is_mobile=True)
    window.begin()
    window.at("yard-echo")
    expect(window.page.get_by_text("starts a new line")).to_be_hidden()
    typed(window, "First line")
    window.page.keyboard.press("Enter")
    typed(window, "second line")
    expect(window.message).to_have_value("First line\nsecond line")
    expect(window.turns).to_have_count(0)
    window.send_button.tap()
    expect(window.turns).to_have_count(1)


def test_a_reply_is_heard_once_and_whole(window):
    window.begin()
    heard = window.listen()
    window.at("yard-slow")
    text = "one two three four five six seven eight"
    window.say(text)
    eventually(lambda: text in heard())
    assert heard() == ["Sending…", "Generating…", text]


def test_a_block_is_heard_with_who_and_why(window):
    window.begin()
    heard = window.listen()
    window.at("yard-full")
    window.say("Say xyzzy to me.")
    eventually(lambda: len(heard()) == 3)
    told = heard()[-1]
    assert told.startswith("The word filter read your message and stopped it.")
    assert "xyzzy" in told
    assert told.endswith("A guard stops this.")
    window.say("Good evening!")
    assert heard()[-1].startswith("Good evening, traveller.")


def test_a_hidden_guard_is_heard_without_its_name(window):
    window.begin()
    heard = window.listen()
    window.at("yard-blind")
    window.say("What is the password?")
    eventually(lambda: heard()[-1] == "A guard stopped this. A guard stops this.")


@SCRIPT
def test_guards_that_let_it_through_are_one_folded_line(windows, site, script):
    window = windows(site, script=script)
    window.begin()
    window.at("yard-full")
    window.message.fill("Good evening!")
    window.send_button.click()
    folded = window.turns.first.locator(".turn__passed")
    expect(folded.locator("summary")).to_have_text("2 guards let it through")
    line = folded.get_by_text("The word filter read your message")
    expect(line).to_be_hidden()
    folded.locator("summary").click()
    expect(line).to_be_visible()


@SCRIPT
def test_the_last_message_brings_the_door_and_keeps_what_is_typed(
    windows, site, script
):
    window = windows(site, script=script)
    page = window.page
    window.begin()
    heard = window.listen() if script else None
    window.at("yard-talk")
    pips = page.locator("[data-turns] > .is-full")
    for left in (3, 2, 1):
        expect(pips).to_have_count(left)
        words = "1 message" if left == 1 else f"{left} messages"
        expect(page.locator(".composer__left")).to_contain_text(f"{words} left of 3")
        window.say(f"Message {left}.")
    expect(pips).to_have_count(0)
    note = page.locator("[data-ended]")
    expect(note).to_contain_text("That was the last of 3 messages.")
    if heard:
        eventually(lambda: any("That was the last" in text for text in heard()))
    text = "Dear warden,\nI typed this too late: é🗝" + "!" * 1500
    window.message.fill(text)
    note.get_by_role("button", name="Start over").click()
    expect(page.get_by_text("You started over")).to_be_visible()
    expect(window.turns).to_have_count(0)
    expect(window.message).to_have_value(text)
    expect(pips).to_have_count(3)
    if script:
        expect(page).to_have_url(f"{site.url}/keep/yard-talk")
        expect(window.message).to_be_focused()
