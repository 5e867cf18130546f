"""The notebook: search, notes, pages and exports."""

from __future__ import annotations

import json
import re

import pytest

from tests.kit.browser import Browser, text_of


def fill(browser: Browser, *messages: str, level: str = "open") -> None:
    for message in messages:
        browser.post(f"/keep/{level}/attempts", {"message": message})


def numbers(page: str) -> list[int]:
    return [int(n) for n in re.findall(r'class="entry" id="attempt-(\d+)"', page)]


@pytest.mark.parametrize("count", [0, 1, 3])
def test_attempts_are_listed_newest_first(player: Browser, count: int) -> None:
    fill(player, *[f"Message {n}" for n in range(count)])
    page = player.get("/notebook").text
    found = numbers(page)
    assert len(found) == count
    assert found == sorted(found, reverse=True)
    assert ("Your notebook is empty" in page) is (count == 0)


def test_search_and_filter(player: Browser) -> None:
    fill(player, "about tea", "about coffee")
    assert len(numbers(player.get("/notebook?q=TEA").text)) == 1
    assert len(numbers(player.get("/notebook?level=open").text)) == 2
    nothing = player.get("/notebook?q=milk")
    assert "Nothing in your notebook matches" in nothing.text
    assert 'value="milk"' in nothing.text
    assert numbers(player.get("/notebook?level=told").text) == []


def test_pages_lead_on_to_older_attempts(player: Browser) -> None:
    fill(player, *[f"tea {n}" for n in range(25)])
    first = player.get("/notebook?q=tea").text
    link = re.search(r'href="(/notebook\?[^"]*before=\d+)"', first)
    assert link is not None
    second = player.get(link[1].replace("&amp;", "&")).text
    assert len(numbers(first)) == 20
    assert len(numbers(second)) == 5
    assert min(numbers(first)) > max(numbers(second))


def test_a_note_is_saved_with_and_without_scripts(player: Browser) -> None:
    fill(player, "Hello")
    (number,) = numbers(player.get("/notebook").text)
    response = player.post(f"/notebook/{number}/note", {"note": "a <b>note</b>"})
    assert response.location == f"/notebook#attempt-{number}"
    assert "a &lt;b&gt;note&lt;/b&gt;</textarea>" in player.get("/notebook").text
    part = player.swap(f"/notebook/{number}/note", {"note": "other"})
    assert "other</textarea>" in part.text
    assert "Saved." in part.text


def test_a_note_that_is_too_long_is_kept_in_the_box(player: Browser) -> None:
    fill(player, "Hello")
    (number,) = numbers(player.get("/notebook").text)
    part = player.swap(f"/notebook/{number}/note", {"note": "x" * 2001})
    assert "x" * 2001 + "</textarea>" in part.text
    assert "at most 2,000" in part.text
    page = player.post(f"/notebook/{number}/note", {"note": "x" * 2001})
    assert page.status_code == 400
    assert "x" * 2001 in page.text


def test_nobody_reads_or_writes_the_notebook_of_another(
    player: Browser, new_browser
) -> None:
    fill(player, "Mine alone")
    (number,) = numbers(player.get("/notebook").text)
    other = new_browser().play("Bob")
    assert "Mine alone" not in other.get("/notebook").text
    note = other.post(f"/notebook/{number}/note", {"note": "mischief"})
    assert note.status_code == 404
    assert "mischief" not in player.get("/notebook").text
    assert "Mine alone" not in other.get("/notebook/export.jsonl").text


def test_exports(player: Browser) -> None:
    fill(player, "First", "Second")
    lines = player.get("/notebook/export.jsonl")
    found = [json.loads(line)["message"] for line in lines.text.splitlines()]
    assert sorted(found) == ["First", "Second"]
    markdown = player.get("/notebook/export.md")
    assert markdown.mimetype == "text/markdown"
    assert markdown.text.startswith("# My Wordkeep notebook")
    assert "filename=wordkeep-notebook.md" in markdown.headers["Content-Disposition"]


def test_an_attempt_without_a_level_is_still_shown(player: Browser) -> None:
    fill(player, "Hello")
    assert "The Open Gate" in text_of(player.get("/notebook").text)


def test_a_long_search_is_told_and_kept(player: Browser) -> None:
    query = "y" * 201
    response = player.get(f"/notebook?q={query}")
    assert response.status_code == 400
    assert f'value="{query}"' in response.text
    assert "A search has at most 200 characters." in text_of(response.text)
    assert "maxlength" not in response.text


def test_visits_that_won_are_marked_and_results_are_a_filter(player: Browser) -> None:
    fill(player, "first")
    player.win("open")
    fill(player, "second")
    page = text_of(player.get("/notebook").text)
    assert "The Open Gate, visit 2 still open No. 2" in page
    assert "The Open Gate, visit 1 won No. 1" in page
    won = player.get("/notebook?result=won")
    assert len(numbers(won.text)) == 1
    assert '<option value="won" selected>' in won.text
    assert (
        "Nothing in your notebook matches"
        in player.get("/notebook?result=stopped").text
    )
