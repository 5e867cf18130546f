"""Forms whose button is clicked twice, over a slow line."""

from __future__ import annotations

import re
import time

import pytest
from playwright.sync_api import expect


def slow(window):
    """Let every answer come half a second later; return the list of posts to come."""
    line = window.context.new_cdp_session(window.page)
    line.send("Network.enable")
    line.send(
        "Network.emulateNetworkConditions",
        {
            "offline": False,
            "latency": 500,
            "downloadThroughput": -1,
            "uploadThroughput": -1,
        },
    )
    posts: list[str] = []

    def note(request):
        if request.method == "POST":
            posts.append(request.url)

    window.page.on("request", note)
    return posts


def click_twice(window, button):
    """Click, and again while the answer is on its way."""
    button.scroll_into_view_if_needed()
    box = button.bounding_box()
    middle = (box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    window.page.mouse.click(*middle)
    # Chromium itself drops the first of two sends within one turn of its loop.
    time.sleep(0.2)
    window.page.mouse.click(*middle)


@pytest.mark.parametrize("script", [True, False])
@pytest.mark.parametrize(
    ("path", "button", "name"),
    [("/join", "Join", "Jo Twice"), ("/", "Play", "Pia Twice"), ("/", "Play", "")],
)
def test_joining_twice_makes_one_player(windows, site, path, button, name, script):
    window = windows(site, script=script)
    before = site.rows("select count(*) as n from players")[0]["n"]
    window.go(path)
    posts = slow(window)
    if name:
        window.page.get_by_label("Nickname").fill(f"{name} {script}")
    click_twice(window, window.page.get_by_role("button", name=button, exact=True))
    # Not by waiting for the page to load: the second click breaks the first load off.
    expect(window.page).to_have_url(re.compile("/keep"), timeout=30_000)
    expect(window.page.get_by_text("already called")).to_have_count(0)
    assert site.rows("select count(*) as n from players")[0]["n"] == before + 1
    window.go("/me")
    expect(window.page.get_by_role("heading", level=1)).not_to_have_text(
        "Who goes there?"
    )
    if script:
        assert len(posts) == 1
    code = window.page.locator("#recovery-code").inner_text()
    other = windows(site)
    other.go("/recover")
    other.page.get_by_label("Recovery code").fill(code)
    other.page.locator("main form button").click()
    other.page.wait_for_url("**/keep")


def test_parts_of_a_page_are_sent_once_and_again_later(windows, site):
    window = windows(site)
    window.begin()
    window.at("yard-echo")
    posts = slow(window)
    box = window.page.get_by_label("Your guess")
    for word in ("first", "second"):
        box.fill(word)
        click_twice(window, window.page.get_by_role("button", name="Try it"))
        expect(window.page.locator("#guess")).to_contain_text("not the password")
        window.page.wait_for_load_state("networkidle")
        assert len(posts) == 1, posts
        posts.clear()


def test_back_after_sending_frees_the_form(windows, site):
    window = windows(site)
    window.begin()
    window.go("/me")
    window.page.get_by_label("Name on the leaderboard").fill("Countess")
    button = window.page.get_by_role("button", name="Save", exact=True)
    posts = slow(window)
    click_twice(window, button)
    expect(window.page.get_by_text("Saved.")).to_be_visible()
    assert len(posts) == 1
    window.page.go_back()
    window.page.get_by_label("Name on the leaderboard").fill("Duchess")
    button.click()
    expect(window.page.get_by_text("Saved.")).to_be_visible()
    assert site.rows("select 1 as n from players where alias = 'Duchess'")
