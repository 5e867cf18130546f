"""What a page says of a run: its chances, what nobody could judge, another model."""

from __future__ import annotations

import dataclasses
import re
from pathlib import Path
from typing import Any

import pytest
from flask import Flask

from tests.kit.browser import Browser, text_of
from webapp.content.lessons.proven import ProvenRow, by_key
from webapp.content.store import ContentStore
from webapp.domain.learn.badges import WHAT_IT_SAYS
from webapp.errors import BackendError
from webapp.llm.scripted import ScriptedBackend
from webapp.plugins.check import checks
from webapp.views.learn.pages import _token

SAY = "/learn/basics/say"
SEEN_FAILING = """\
---
title: Watch it fail
idea: It does not do what it is told.
minutes: 3
can_do: expect it
---
```panel fail
task: Ask nicely for a toucan.
model: warden
expect: failure
messages:
  - user: "{words}"
slots:
  words: {start: Say it., label: Your words}
checks:
  - not-icontains: toucan
proof:
  solved_by: [{words: Please.}]
```
"""


def generate(browser: Browser, words: str, path: str = f"{SAY}/say") -> None:
    browser.get(SAY)
    assert browser.post(f"{path}/runs", {"s.words": words}).status_code == 303


def test_how_likely_a_piece_was_is_not_a_share_of_those_that_are_shown() -> None:
    listed = [["a", 0.03], ["b", 0.01], ["c", 0.01]]
    token = _token(["a", 0.03, listed])
    assert token.picked.percent == "3 percent"
    assert [odds.percent for odds in token.likeliest] == ["3 percent"] + [
        "1 percent"
    ] * 2
    assert token.others.percent == "95 percent"


def test_a_piece_that_is_not_among_the_likeliest_has_its_own_share() -> None:
    token = _token(["rare", 0.02, [["a", 0.5], ["b", 0.3]]])
    assert token.picked.percent == "2 percent"
    assert [(odds.text, odds.is_picked) for odds in token.likeliest] == [
        ("a", False),
        ("b", False),
        ("rare", True),
    ]
    assert token.others.percent == "18 percent"


def test_what_could_not_be_judged_is_judged_again_by_a_button(
    browser: Browser, backend: ScriptedBackend, monkeypatch: pytest.MonkeyPatch
) -> None:
    kind: Any = checks.get("icontains")
    judge = kind.judge

    def fails(self: object, subject: object, ask: object) -> None:
        raise BackendError("no")

    monkeypatch.setattr(kind, "judge", fails)
    backend.enqueue(*["a toucan"] * 3)
    generate(browser, "a toucan")
    page = browser.get(SAY).text
    assert "Check again" in page
    assert "Not yet" not in text_of(page)
    monkeypatch.setattr(kind, "judge", judge)
    (action,) = re.findall(rf'action="({SAY}/say/runs/\d+/check)"', page)
    assert browser.post(action).status_code == 303
    shown = text_of(browser.get(SAY).text)
    assert "That works" in shown
    assert "Check again" not in shown
    assert len(backend.history) == 3


@pytest.mark.parametrize("verdict", ["too easy", "broken"])
def test_a_model_that_has_changed_marks_a_panel_and_keeps_a_pass(
    app: Flask, browser: Browser, backend: ScriptedBackend, verdict: Any
) -> None:
    backend.enqueue(*["a toucan"] * 2)
    generate(browser, "a toucan")
    services = app.extensions["wordkeep"]
    index = services.content.current()
    row = ProvenRow(
        panel="basics/say#say",
        panel_hash=index.panel_hash("basics/say", "say"),
        model="warden",
        model_version="newer",
        verdict=verdict,
        plays=20,
        solved_by=(0.5,),
        made_at=services.now(),
    )
    index.proven = by_key([row])
    backend.version = lambda model: "newer"  # type: ignore[method-assign]
    other = Browser(app)
    known = services.gateway
    app.extensions["wordkeep"] = dataclasses.replace(
        services, gateway=type(known).scripted(backend)
    )
    assert WHAT_IT_SAYS[verdict] in text_of(other.get(SAY).text)
    shown = text_of(browser.get(SAY).text)
    assert "You passed this on another model; your pass still counts." in shown
    assert "You can now make a model repeat a word" in shown


def test_a_prompt_that_works_where_it_should_fail_goes_to_the_gallery(
    app: Flask, browser: Browser, backend: ScriptedBackend, tmp_path: Path
) -> None:
    services = app.extensions["wordkeep"]
    folder = tmp_path / "more" / "lessons" / "more"
    folder.mkdir(parents=True)
    (folder / "track.yaml").write_text("title: More\nstory: More.\nplace: 2\n")
    (folder / "01-fail.md").write_text(SEEN_FAILING)
    app.extensions["wordkeep"] = dataclasses.replace(
        services, content=ContentStore([tmp_path / "content", tmp_path / "more"])
    )
    backend.enqueue("A toucan!")
    generate(browser, "Please, a toucan.", "/learn/more/fail/fail")
    page = browser.get("/learn/more/fail").text
    assert "It worked after all" in text_of(page)
    assert "Passed" in text_of(page)
    gallery = "/learn/more/fail/fail/gallery"
    assert f'href="{gallery}"' in page
    assert browser.get(gallery).status_code == 200
