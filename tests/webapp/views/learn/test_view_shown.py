"""What a panel shows besides its replies, and old questions before a new track."""

from __future__ import annotations

import dataclasses
from datetime import timedelta
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import update

from tests.kit.browser import Browser, text_of
from tests.kit.course import write_lessons
from webapp.content.store import ContentStore
from webapp.llm.scripted import ScriptedBackend
from webapp.rows import QuestionAnswer
from webapp.views.learn.pages import TOKENS_SHOWN
from webapp.views.learn.shown import speaker
from webapp.views.odds import Odds

_TRACK = "title: More\nstory: You know more.\nplace: 2\n"
_LESSON = """\
---
title: Look inside
idea: A reply is made of pieces.
minutes: 3
can_do: see the pieces
---
```panel look
task: Make it say toucan.
model: warden
system: none
messages:
  - user: "{words} {nth}"
slots:
  words: {start: Say it., label: Your words}
vary: {nth: [zeroth]}
show: [probabilities, tokens, request]
checks:
  - icontains: toucan
proof:
  solved_by: [{words: toucan}]
```
"""
LOOK = "/learn/more/look"


@pytest.fixture
def app(app: Flask, tmp_path: Path) -> Flask:
    """Return the site with a second track."""
    root = write_lessons(tmp_path / "content" / "two", gate="keep/open", model="warden")
    folder = root / "lessons" / "more"
    folder.mkdir()
    (folder / "track.yaml").write_text(_TRACK)
    (folder / "01-look.md").write_text(_LESSON)
    services = app.extensions["wordkeep"]
    app.extensions["wordkeep"] = dataclasses.replace(
        services, content=ContentStore([tmp_path / "content", root])
    )
    return app


def test_a_run_shows_odds_pieces_and_what_was_sent(
    browser: Browser, backend: ScriptedBackend
) -> None:
    before = browser.get(LOOK).text
    for words in ("What else could have come", "What was sent", "as the model reads"):
        assert words not in before
    backend.enqueue("a toucan " * TOKENS_SHOWN)
    answer = browser.post(f"{LOOK}/look/runs", {"s.words": "two birds"})
    opened = browser.get(answer.location)
    for page in (opened.text, browser.get(f"{LOOK}/look/after").text):
        shown = text_of(page)
        assert "What else could have come" in shown
        assert "100 percent, written" in shown
        assert "all others together under 1 percent" in shown
        assert page.count('<details class="token"') == TOKENS_SHOWN
        assert f"These are the first {TOKENS_SHOWN} pieces." in shown
        assert "Your words: 2 tokens" in shown
        sent = shown.partition("What was sent to the model")[2]
        assert "two birds" in sent
        assert "nth" in sent
    assert "zeroth" not in opened.text, "hidden values stay hidden"


@pytest.mark.parametrize(
    ("share", "said"),
    [(1.0, "100"), (0.998, "99"), (0.625, "62"), (0.01, "1"), (0.009, "under 1")],
)
def test_how_likely_is_said_in_percent(share: float, said: str) -> None:
    assert Odds("x", share).percent == f"{said} percent"


def test_a_model_is_called_by_its_own_name() -> None:
    assert (speaker("smollm2"), speaker("scribe")) == ("SmolLM2", "scribe")


def test_a_track_begins_with_questions_from_earlier(
    app: Flask, player: Browser
) -> None:
    at = "/learn/basics/say/questions/guess"
    player.post(at, {"choice": "the same"})
    assert "Before you start" not in player.get(LOOK).text
    with app.extensions["wordkeep"].db.write() as session:
        days_ago = app.extensions["wordkeep"].now() - timedelta(days=5)
        session.execute(update(QuestionAnswer).values(answered_at=days_ago))
    page = player.get(LOOK).text
    assert "Before you start: one from earlier" in text_of(page)
    assert 'id="old-basics-say-guess"' in page
    assert "It is an <em>echo</em>" not in page
    part = player.post(
        at, {"choice": "the same", "old": "1"}, headers={"HX-Request": "true"}
    ).text
    assert 'id="old-basics-say-guess"' in part
    assert "Yes." in text_of(part)
    assert "Before you start" not in player.get("/learn/basics/order").text
