"""Replies that go on while their page is reloaded, lost, or not there yet."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.kit.sites import eventually

SCRIPT = pytest.mark.parametrize("script", [True, False], ids=["script", "plain"])
WORDS = " ".join(f"word{n}" for n in range(40))


def statuses(site, window):
    rows = site.rows(
        "select status from generations join players on players.id = player_id"
        " where players.name = ? order by generations.id",
        window.name,
    )
    return [row["status"] for row in rows]


def test_a_reload_in_the_middle_goes_on(window, site):
    window.begin()
    heard = window.listen()
    window.at("yard-slow")
    turn = window.send(WORDS)
    expect(turn.locator("[data-slot=reply]")).to_contain_text("word3")
    window.page.reload()
    turn = window.turns.last
    expect(turn.locator("[aria-busy=true]")).to_have_count(1)
    expect(turn.locator("[data-slot=message]")).to_have_text(WORDS)
    reply = turn.locator("[data-slot=reply]")
    expect(reply).to_contain_text("word5")
    assert "word39" not in reply.inner_text()
    expect(reply).to_have_text(WORDS)
    expect(window.turns).to_have_count(1)
    expect(turn).not_to_contain_text("You stopped this reply.", use_inner_text=True)
    eventually(lambda: heard()[-1] == WORDS)
    assert heard().count(WORDS) == 1
    assert statuses(site, window) == ["finished"]


def test_stop_still_stops_after_a_reload(window, site):
    window.begin()
    window.at("yard-slow")
    window.send(WORDS)
    window.page.reload()
    turn = window.turns.last
    expect(turn.locator("[data-slot=reply]")).to_contain_text("word3")
    window.page.get_by_role("button", name="Stop").click()
    expect(turn).to_contain_text("You stopped this reply.")
    eventually(lambda: statuses(site, window) == ["stopped"])
    window.page.reload()
    expect(window.turns.last).to_contain_text("You stopped this reply.")


def test_leaving_and_coming_back_finds_the_whole_reply(window, site):
    window.begin()
    window.at("yard-slow")
    window.send("one two three four five six")
    window.go("/rules")
    eventually(lambda: statuses(site, window) == ["finished"])
    window.at("yard-slow")
    expect(window.turns.last.locator(".turn__part--warden .said")).to_have_text(
        "one two three four five six"
    )


def test_without_scripts_a_reload_says_what_is_happening(windows, site):
    window = windows(site)
    window.begin()
    window.at("yard-slow")
    window.send(WORDS)
    page = window.fetch("/keep/yard-slow")
    assert "The warden is still answering this one." in page


def test_a_line_that_breaks_is_picked_up_again(window, site):
    window.begin()
    # The first stream ends in its middle, as when a phone changes its network.
    window.page.add_init_script("""
      const plainFetch = globalThis.fetch;
      let isFirst = true;
      globalThis.fetch = async (...given) => {
        const answer = await plainFetch(...given);
        if (!isFirst || !answer.body) return answer;
        isFirst = false;
        const reader = answer.body.getReader();
        let reads = 0;
        const body = new ReadableStream({
          async pull(controller) {
            const { value, done } = await reader.read();
            if (done || ++reads > 4) {
              await reader.cancel();
              controller.error(new TypeError("network error"));
            } else controller.enqueue(value);
          },
        });
        return new Response(body, { headers: answer.headers });
      };
    """)
    window.at("yard-slow")
    turn = window.say("one two three four five six seven eight nine ten")
    expect(turn.locator("[data-slot=reply]")).to_have_text(
        "one two three four five six seven eight nine ten"
    )
    expect(window.turns).to_have_count(1)
    expect(window.page.get_by_role("alert")).to_have_count(0)
    assert statuses(site, window) == ["finished"]


def test_a_browser_without_text_decoder_stream_reads_replies(window, site):
    window.begin()
    window.page.add_init_script("delete globalThis.TextDecoderStream")
    window.at("yard-echo")
    assert window.page.evaluate("typeof TextDecoderStream") == "undefined"
    turn = window.say("日本 🗝 é")
    expect(turn.locator("[data-slot=reply]")).to_have_text("日本 🗝 é")


@SCRIPT
@pytest.mark.parametrize("name", ["", "Zoe"])
def test_play_sends_what_was_typed(windows, site, script, name):
    window = windows(site, script=script)
    window.go("/")
    page = window.page
    if name:
        page.get_by_label("Nickname").fill(f"{name} {script}")
    page.get_by_label("You say").fill("Good evening, warden!")
    page.get_by_role("button", name="Play", exact=True).click()
    page.wait_for_url("**/keep/open#attempt-*")
    expect(window.turns).to_have_count(1)
    said = window.turns.first.locator(".said")
    expect(said.first).to_have_text("Good evening, warden!")
    expect(said.last).to_contain_text("Good evening, traveller.")
    expect(window.message).to_have_value("")
    expect(window.turns.first).to_be_in_viewport()
    window.go("/")
    page.get_by_label("You say").fill("And once more.")
    page.get_by_role("button", name="Continue at gate 1").click()
    page.wait_for_url("**/keep/open#attempt-*")
    expect(window.turns).to_have_count(2)


@SCRIPT
def test_play_takes_a_long_first_message_whole_or_says_why_not(windows, site, script):
    window = windows(site, script=script)
    window.go("/")
    page = window.page
    box = page.get_by_label("You say")
    box.fill("y" * 2001)
    page.get_by_role("button", name="Play", exact=True).click()
    expect(page.get_by_role("alert")).to_contain_text("2,001 characters")
    expect(box).to_have_value("y" * 2001)
    text = "".join(f"{n:03d} " for n in range(230))[:919]
    box.fill(text)
    page.get_by_role("button", name="Play", exact=True).click()
    page.wait_for_url("**/keep/open#attempt-*")
    expect(window.turns.first.locator(".said").first).to_have_text(text.strip())
