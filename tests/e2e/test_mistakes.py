"""Stale seals, locked gates, and things that belong to other people."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect


def in_another_tab_become_somebody_else(window):
    """Sign out and in again beside the open page, which ends its seal."""
    window.post("/logout")
    window.begin()


def test_a_stale_seal_keeps_what_was_typed(windows, site):
    window = windows(site, script=False)
    window.begin()
    window.at("yard-echo")
    window.message.fill('First line\n<b>"second"</b>')
    in_another_tab_become_somebody_else(window)
    window.send_button.click()
    expect(window.page.get_by_role("heading", level=1)).to_have_text(
        "Please send that again"
    )
    expect(window.page.get_by_text("What you typed is below")).to_be_visible()
    kept = window.page.get_by_label("Message")
    expect(kept).to_have_value('First line\n<b>"second"</b>')
    window.page.get_by_role("button", name="Send it again").click()
    expect(window.turns).to_have_count(1)
    expect(window.turns).to_contain_text('<b>"second"</b>')


def test_with_script_a_stale_seal_leaves_the_box_alone(window):
    window.begin()
    window.at("yard-echo")
    window.message.fill("Something long and dear")
    window.page.get_by_label("Your guess").fill("door")
    in_another_tab_become_somebody_else(window)
    window.send_button.click()
    expect(window.page.locator("[data-problem]")).to_contain_text("reload the page")
    expect(window.message).to_have_value("Something long and dear")
    window.page.get_by_role("button", name="Try it").click()
    expect(window.page.locator("#messages")).to_contain_text("Please send that again")
    expect(window.page.get_by_label("Your guess")).to_have_value("door")
    assert window.page.url.endswith("/keep/yard-echo")


SCRIPT = pytest.mark.parametrize("script", [True, False], ids=["script", "plain"])


@SCRIPT
def test_what_was_meant_for_another_visit_is_told_and_kept(windows, site, script):
    """The visit was given up in another tab while this one was being read."""
    window = windows(site, script=script)
    window.begin()
    window.at("yard-echo")
    window.say("Hello")
    window.post("/keep/yard-echo/reset")
    window.message.fill("Something long and dear")
    window.send_button.click()
    told = window.page.locator("[data-problem]")
    expect(told).to_contain_text("nothing was counted")
    expect(window.message).to_have_value("Something long and dear")
    window.send_button.click()
    expect(window.turns.last).to_contain_text("Something long and dear")
    window.post("/keep/yard-echo/reset")
    window.guess("door")
    expect(window.page.locator("#guess")).to_contain_text("nothing was counted")
    expect(window.page.locator("#guess")).to_contain_text("15 wrong guesses left")
    expect(window.page.get_by_label("Your guess")).to_have_value("door")
    window.guess("door")
    expect(window.page.locator("#guess")).to_contain_text("14 wrong guesses left")


def test_signed_out_meanwhile(window):
    window.begin()
    window.at("yard-echo")
    window.message.fill("Something long and dear")
    window.context.clear_cookies()
    window.send_button.click()
    expect(window.page.locator("[data-problem]")).to_contain_text("reload the page")
    expect(window.message).to_have_value("Something long and dear")


def test_other_peoples_attempts_do_not_exist(windows, site):
    owner, other = windows(site), windows(site)
    owner.begin()
    other.begin()
    owner.post("/keep/yard-echo/attempts", message="My diary")
    row = site.rows("select max(id) as id from generations")[0]
    for path in (
        f"/keep/yard-echo?attempt={row['id']}",
        "/keep/yard-echo?attempt=0",
    ):
        answer = other.context.request.get(site.url + path)
        assert answer.status == 404
        assert "My diary" not in answer.text()
    answer = other.post(f"/notebook/{row['id']}/note", note="I was here")
    assert answer.status == 404
    assert site.attempt(row["id"])["note"] == ""
    assert owner.post(f"/notebook/{row['id']}/note", note="Mine").status == 200
    assert site.attempt(row["id"])["note"] == "Mine"
    assert "My diary" not in other.fetch("/notebook?q=diary")
    assert "My diary" not in other.fetch("/me/export.json")


@pytest.mark.parametrize("path", ["", "/attempts", "/guesses", "/hints/1", "/reset"])
def test_a_locked_gate_stays_shut(window, path):
    window.begin()
    if path:
        answer = window.post(f"/keep/yard-shut{path}", message="Hi", guess="door")
        assert answer.status in {403, 404}
        return
    window.at("yard-shut")
    expect(window.page.get_by_role("heading", level=1)).to_have_text(
        "This door is shut"
    )
    expect(window.page.get_by_text("First open: The Echo Gate")).to_be_visible()
    window.page.get_by_role("link", name="See how to get there").click()
    window.page.wait_for_url("**/keep")


def test_who_is_asked_comes_back_to_where_they_wanted_to_go(window):
    window.go("/keep/yard-echo")
    window.page.get_by_label("Nickname").fill("Latecomer")
    window.page.get_by_role("button", name="Join", exact=True).click()
    window.page.wait_for_url("**/keep/yard-echo")
