"""The leaderboard keeps itself up to date and leaves its readers alone."""

from __future__ import annotations

import time

import pytest
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


@pytest.mark.parametrize("width", [390, 1280])
def test_whoever_reads_in_the_board_stays_where_they_are(windows, site, width):
    winner, reader = windows(site), windows(site)
    reader.begin()
    reader.win("yard-tell")
    winner.begin()
    winner.at("yard-tell")
    word = winner.ask_for_the_password()
    page = reader.page
    page.set_viewport_size({"width": width, "height": 320})
    reader.go("/leaderboard")
    page.get_by_role("cell").first.click()
    page.evaluate("document.getElementById('standings').scrollLeft = 30")
    page.evaluate("window.scrollTo(0, 300)")
    places = "[scrollY, document.getElementById('standings').scrollLeft]"
    before = page.evaluate(places)
    assert before[0] > 0
    reader.settle()
    winner.guess(word)
    expect(page.get_by_role("row", name=winner.name)).to_contain_text("100")
    assert page.evaluate(places) == before
    expect(page.get_by_role("region", name="Standings")).to_be_focused()
    # Times are the reader's own again, not those of the answer.
    expect(page.locator("time[data-local-time]")).to_have_count(0)


def test_the_type_grows_with_the_screen(window):
    window.page.set_viewport_size({"width": 1920, "height": 1080})
    window.go("/leaderboard")
    cell = window.page.get_by_role("rowheader").first
    assert cell.evaluate("cell => parseFloat(getComputedStyle(cell).fontSize)") >= 24


def test_an_unchanged_board_is_not_drawn_again(window):
    window.go("/leaderboard")
    window.page.evaluate("document.getElementById('board').dataset.kept = 'yes'")
    with window.page.expect_response("**/leaderboard?v=*") as answer:
        pass
    assert answer.value.status == 204
    window.settle()
    expect(window.page.locator("#board[data-kept=yes]")).to_have_count(1)
