"""The leaderboard keeps itself up to date and leaves its readers alone."""

from __future__ import annotations

import time

from playwright.sync_api import expect

# It asks every 5 seconds; the rest is for a machine with much to do.
LIVE_SECONDS = 8.0


def test_a_win_appears_and_the_focus_stays(windows, site):
    winner, reader, guest = windows(site), windows(site), windows(site)
    # The first row makes the table that is there to be focused.
    reader.begin()
    reader.win("yard-tell")
    winner.begin()
    winner.at("yard-tell")
    word = winner.ask_for_the_password()
    link = reader.page.get_by_role("link", name="Everybody")
    table = guest.page.get_by_role("region", name="Standings")
    reader.go("/leaderboard")
    guest.go("/leaderboard")
    link.focus()
    table.focus()
    guest.settle()
    winner.guess(word)
    rows = [w.page.get_by_role("row", name=winner.name) for w in (reader, guest)]
    started = time.monotonic()
    for row in rows:
        expect(row).to_contain_text("100")
    assert time.monotonic() - started < LIVE_SECONDS
    expect(link).to_be_focused()
    expect(table).to_be_focused()
    mine = reader.page.locator("tr[aria-current=true]")
    expect(mine).to_contain_text(f"{reader.name} (you)")


def test_an_unchanged_board_is_not_drawn_again(window):
    window.go("/leaderboard")
    window.page.evaluate("document.getElementById('board').dataset.kept = 'yes'")
    with window.page.expect_response("**/leaderboard?v=*") as answer:
        pass
    assert answer.value.status == 204
    window.settle()
    expect(window.page.locator("#board[data-kept=yes]")).to_have_count(1)
