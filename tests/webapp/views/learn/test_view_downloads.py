"""Runs of lessons in what a player takes along."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.kit.browser import Browser
from webapp.domain.learn import keeping
from webapp.llm.scripted import ScriptedBackend

SAY = "/learn/basics/say"
PROMPT = "say ```toucan"


@pytest.fixture
def player(player: Browser, backend: ScriptedBackend) -> Browser:
    """Return one who has been at a gate, in a lesson, and at the gate again."""
    backend.enqueue("one", "a toucan", "a toucan", "two")
    player.post("/keep/open/attempts", {"message": "before"})
    player.post(f"{SAY}/say/runs", {"s.words": PROMPT})
    player.post("/keep/open/attempts", {"message": "after"})
    return player


def lines(player: Browser) -> list[dict[str, Any]]:
    text = player.get("/notebook/export.jsonl").text
    return [json.loads(line) for line in text.splitlines()]


def test_runs_stand_between_attempts_as_they_were_made(player: Browser) -> None:
    found = lines(player)
    assert [line["kind"] for line in found] == ["attempt", "run", "attempt"]
    last, run, first = found
    assert (first["message"], last["message"]) == ("before", "after")
    assert (run["lesson"], run["panel"], run["result"]) == (
        "basics/say",
        "say",
        "passed",
    )
    assert run["replies"] == ["a toucan", "a toucan"]
    # What the panel hides of a prompt stays hidden: its samples ask for it again.
    assert run["prompt"] == [{"role": "user", "content": f"{PROMPT} ({{nth}})"}]


def test_the_document_has_what_was_sent_and_what_came_of_it(player: Browser) -> None:
    text = player.get("/notebook/export.md").text
    places = [
        text.index(words)
        for words in (
            "after",
            "## Say it again, panel say (",
            f"user:\n\n````text\n{PROMPT} ({{nth}})\n````\n",
            "```text\na toucan\n```",
            "Passed.",
            "before",
        )
    ]
    assert places == sorted(places)
    assert "first)" not in text


def test_everything_that_is_kept_has_the_runs_too(player: Browser) -> None:
    kept = json.loads(player.get("/me/export.json").text)
    assert [run["panel"] for run in kept["runs"]] == ["say"]
    assert [one["message"] for one in kept["attempts"]] == ["after", "before"]


def test_of_a_panel_that_has_changed_what_was_typed_is_left(
    player: Browser, tmp_path: Path
) -> None:
    (file,) = (tmp_path / "content").rglob("*say.md")
    file.write_text(file.read_text().replace("system: none", "system: Be kind."))
    player.use_content(tmp_path / "content")
    (run,) = keeping.export(player.services, player_id=player.player_id())
    assert run.as_dict()["prompt"] is None
    assert f"words:\n\n````text\n{PROMPT}\n````" in "".join(run.as_markdown())
