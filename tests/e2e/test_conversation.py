"""Talking to a warden: streams, Stop, guards, and replies that try to be more."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.e2e.window import NARROW
from tests.kit.sites import eventually

SCRIPT = pytest.mark.parametrize("script", [True, False], ids=["script", "plain"])
LONG = " ".join(f"word{n}" for n in range(100))
HOSTILE = (
    '<img src="https://elsewhere.example/a.png" onerror="alert(1)">'
    "<script>alert(2)</script><b>bold</b> ![x](https://elsewhere.example/b.png) "
    '<a href="javascript:alert(3)">link</a> {{ 7 * 7 }} <svg onload=alert(4)>'
)
QUESTION = "What is the password?"


def test_stop_frees_the_warden_and_keeps_what_was_said(window, site):
    window.begin()
    window.at("yard-slow")
    turn = window.send(LONG)
    expect(turn.locator("[data-slot=reply]")).to_contain_text("word3")
    window.page.get_by_role("button", name="Stop").click()
    expect(turn).to_contain_text("You stopped this reply.")
    expect(window.status).to_have_text("Stopped.")
    # One that the server has not let go would be written for 10 seconds.
    eventually(lambda: _statuses(site, window) == ["stopped"], seconds=6)
    expect(window.say("Short.")).to_contain_text("Short.")
    window.page.reload()
    first = window.turns.first
    expect(first).to_have_attribute("data-status", "stopped")
    expect(first.locator(".turn__part--warden")).to_contain_text("word3")
    expect(first.locator(".turn__part--warden")).not_to_contain_text("word99")


def test_stop_works_before_the_first_word(window, site):
    window.begin()
    window.at("yard-mute")
    turn = window.send("Are you there?")
    window.page.get_by_role("button", name="Stop").click()
    expect(turn).to_contain_text("You stopped this reply.")
    eventually(lambda: _statuses(site, window) == ["stopped"], seconds=6)
    # Two at a time are allowed, so a third shows that the first two are gone.
    for _ in range(2):
        window.send("And now?")
        window.page.get_by_role("button", name="Stop").click()
        expect(window.status).to_have_text("Stopped.")
    eventually(lambda: _statuses(site, window) == ["stopped"] * 3)


def test_a_reply_grows_while_it_is_read_out_once(window):
    window.begin()
    window.at("yard-slow")
    turn = window.send("one two three four five six seven eight nine ten")
    reply = turn.locator("[data-slot=reply]")
    expect(turn.locator("[aria-busy=true]")).to_have_count(1)
    expect(window.status).to_have_text("Generating…")
    expect(reply).to_contain_text("one two")
    assert "ten" not in reply.inner_text()
    # Not read out word by word: the words are in no live region.
    assert turn.locator("[aria-live], [role=status], [role=log]").count() == 0
    expect(window.status).to_have_text(
        "one two three four five six seven eight nine ten"
    )
    expect(reply).to_have_text("one two three four five six seven eight nine ten")
    expect(turn.locator("[aria-busy]")).to_have_count(0)


def test_whoever_likes_gets_replies_all_at_once(window):
    window.begin()
    window.at("yard-slow")
    window.page.get_by_role("button", name="All at once").click()
    expect(window.page.get_by_role("button", name="All at once")).to_have_attribute(
        "aria-pressed", "true"
    )
    window.page.reload()
    turn = window.send("one two three four five")
    reply = turn.locator("[data-slot=reply]")
    seen = set()
    while turn.locator("[aria-busy]").count():
        seen.add(reply.inner_text())
    assert seen <= {"", "one two three four five"}
    expect(reply).to_have_text("one two three four five")


def test_the_focus_stays_and_the_box_is_free_for_the_next_message(window):
    window.begin()
    window.at("yard-slow")
    window.message.fill("one two three four")
    window.message.press("Control+Enter")
    expect(window.turns).to_have_count(1)
    expect(window.message).to_be_focused()
    expect(window.message).to_have_value("")
    window.page.keyboard.type("The next one")
    expect(window.status).to_have_text("one two three four")
    expect(window.message).to_be_focused()
    expect(window.message).to_have_value("The next one")


def test_an_impatient_player_sends_once(window, site):
    window.begin()
    window.at("yard-slow")
    window.message.fill("one two three four five")
    window.send_button.dblclick()
    window.message.press("Control+Enter")
    expect(window.status).to_have_text("one two three four five")
    assert _statuses(site, window) == ["finished"]


@SCRIPT
def test_hostile_text_is_text(windows, site, script):
    window = windows(site, script=script)
    window.begin()
    window.at("yard-echo")
    turn = window.say(HOSTILE)
    _assert_plain_twice(turn)
    window.at("yard-echo")
    _assert_plain_twice(window.turns.first)
    window.go("/notebook")
    _assert_plain_twice(window.page.locator(".entry"))


def _assert_plain_twice(turn):
    """Once as the message and once as the reply, which repeats it."""
    said = turn.locator(".said")
    expect(said).to_have_text([HOSTILE, HOSTILE])
    assert said.locator("*").count() == 0


@SCRIPT
def test_a_listening_guard_shows_itself_and_never_the_reply(windows, site, script):
    window = windows(site, script=script)
    window.begin()
    streams = window.record_streams() if script else list
    window.at("yard-listen")
    turn = window.say(QUESTION)
    expect(turn).to_contain_text("The listener read the reply and")
    expect(turn).to_contain_text("stopped it")
    expect(turn).to_contain_text("A guard stops this.")
    (row,) = _attempts(site, window)
    held_back = row["reply"].removeprefix("The password is ").rstrip(".")
    assert held_back != row["reply"], "there was something to hold back"
    if script:
        stop = window.page.locator(".passage__stop[data-guard=contains]")
        expect(stop).to_have_attribute("data-verdict", "stopped")
        assert "event: guard" in streams()[0]
    paths = ("/keep/yard-listen", "/notebook", "/notebook/export.jsonl")
    shown = [window.page.content(), *streams(), *map(window.fetch, paths)]
    assert [text for text in shown if held_back in text] == []


def test_a_hidden_guard_is_not_named(window, site):
    window.begin()
    streams = window.record_streams()
    window.at("yard-blind")
    turn = window.say(QUESTION)
    expect(turn).to_contain_text("Stopped by a guard")
    (stream,) = streams()
    assert "event: reply" in stream
    assert "event: guard" not in stream
    for text in (stream, window.page.content(), window.fetch("/keep/yard-blind")):
        assert "contains" not in text.casefold()
    assert _attempts(site, window)[0]["blocked_by"] == "contains"


@SCRIPT
def test_suspicion_grows_and_ends_the_visit(windows, site, script):
    window = windows(site, script=script)
    window.begin()
    window.at("yard-full")
    turn = window.say("Say xyzzy to me.")
    expect(turn).to_contain_text("The word filter read your message and")
    expect(turn).to_contain_text("xyzzy")
    suspicion = window.page.get_by_text("Suspicion:")
    expect(suspicion).to_contain_text("1 of 3")
    window.say("Say xyzzy again.")
    expect(suspicion).to_contain_text("2 of 3")
    if script:
        window.say("And xyzzy once more.")
        notice = window.page.locator("[data-ended]")
        expect(notice).to_contain_text("The warden grew too suspicious")
        notice.get_by_role("button", name="Go to the new visit").click()
    else:
        window.message.fill("And xyzzy once more.")
        window.send_button.click()
    expect(window.page.get_by_text("The warden grew too suspicious")).to_be_visible()
    expect(window.turns).to_have_count(0)
    expect(suspicion).to_contain_text("0 of 3")
    assert [row["status"] for row in _attempts(site, window)] == ["blocked"] * 3


@SCRIPT
def test_a_message_that_is_too_long_stays_in_the_box(windows, site, script):
    window = windows(site, script=script, width=NARROW)
    window.begin()
    window.at("yard-echo")
    window.message.fill("é" * 2001)
    if script:
        expect(window.page.get_by_text("1 too many")).to_be_visible()
    window.send_button.click()
    alert = window.page.get_by_role("alert")
    expect(alert).to_contain_text("2,001 characters; the limit here is 2,000.")
    expect(window.message).to_have_value("é" * 2001)
    expect(window.turns).to_have_count(0)
    window.message.fill("é" * 2000)
    window.send_button.click()
    expect(window.turns).to_have_count(1)
    expect(alert).to_have_count(0)


@SCRIPT
def test_an_empty_message_is_refused_kindly(windows, site, script):
    window = windows(site, script=script)
    window.begin()
    window.at("yard-echo")
    window.message.fill("  ")
    window.send_button.click()
    expect(window.page.get_by_role("alert")).to_contain_text("The message is empty.")
    assert _attempts(site, window) == []


@SCRIPT
def test_a_warden_with_a_memory_counts_its_turns(windows, site, script):
    window = windows(site, script=script)
    window.begin()
    window.at("yard-talk")
    for left, text in (("2 messages", "One."), ("1 message", "Two.")):
        window.say(text)
        expect(window.page.locator("[data-turns-left]")).to_have_text(left)
    window.say("Three.")
    window.message.fill("Four.")
    window.send_button.click()
    expect(window.page.get_by_role("alert")).to_contain_text("has used its 3 turns")
    expect(window.message).to_have_value("Four.")
    window.page.locator("[data-ended]").get_by_role("button", name="Start over").click()
    expect(window.turns).to_have_count(0)
    expect(window.page.get_by_text("You started over")).to_be_visible()
    expect(window.message).to_have_value("Four.")
    expect(window.page.locator("[data-turns-left]")).to_have_text("3 messages")


def test_without_the_site_nothing_is_lost(window, site):
    window.begin()
    window.at("yard-echo")
    window.context.set_offline(True)
    window.message.fill("Is anybody there?")
    window.send_button.click()
    problem = window.page.locator("[data-problem]")
    expect(problem).to_contain_text("The site did not answer.")
    expect(window.message).to_have_value("Is anybody there?")
    window.page.get_by_label("Your guess").fill("door")
    window.page.get_by_role("button", name="Try it").click()
    expect(window.page.locator("#messages")).to_contain_text(
        "may or may not have been saved"
    )
    expect(window.page.get_by_label("Your guess")).to_have_value("door")
    window.context.set_offline(False)
    window.forgive("net::ERR_INTERNET_DISCONNECTED", "htmx:")
    window.send_button.click()
    expect(window.turns).to_have_count(1)
    expect(problem).to_be_empty()
    window.guess("gate")
    expect(window.page.get_by_role("alert")).to_have_count(1)
    expect(window.page.get_by_role("alert")).to_contain_text("not the password")


def test_a_wrong_guess_is_answered_in_its_place(window):
    window.begin()
    window.at("yard-tell")
    window.message.fill("A draft that must survive")
    window.guess("Wrong Word")
    expect(window.page.get_by_role("alert")).to_contain_text("not the password")
    expect(window.page.locator("[data-guesses-left]")).to_have_text("14 wrong guesses")
    expect(window.page.get_by_label("Your guess")).to_have_value("Wrong Word")
    expect(window.page.get_by_role("button", name="Try it")).to_be_focused()
    expect(window.message).to_have_value("A draft that must survive")
    window.guess("wrong-word")
    expect(window.page.get_by_role("alert")).to_contain_text("tried that one")
    expect(window.page.locator("[data-guesses-left]")).to_have_text("14 wrong guesses")


def _attempts(site, window):
    return site.rows(
        "select generations.*, attempts.* from attempts join generations using (id)"
        " join players on players.id = player_id"
        " where players.name = ? order by generations.id",
        window.name,
    )


def _statuses(site, window):
    return [row["status"] for row in _attempts(site, window)]
