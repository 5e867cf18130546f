"""Nothing that a student shall find is in the page before: of any lesson we ship."""

from __future__ import annotations

import dataclasses
import html
import re
from collections.abc import Iterator

import pytest
from flask import Flask

import webapp.checks
import webapp.guards
from tests.kit.browser import Browser, text_of
from tests.webapp.views.play.test_view_keep import STREAM
from webapp.content.lessons import leaks
from webapp.content.lessons.schema import CheckSpec, Lesson, Panel
from webapp.content.loader import load
from webapp.content.store import ContentStore
from webapp.llm.scripted import ScriptedBackend
from webapp.plugins.registry import load_plugins
from webapp.settings import PROJECT
from webapp.text.words import as_row, words

load_plugins(webapp.guards)
load_plugins(webapp.checks)
CHALLENGES = PROJECT / "challenges"
# What is as short as this is in every page.
LEAST = 5


def shipped() -> list[Lesson]:
    index = load((CHALLENGES,)).index
    assert index is not None
    return [lesson for track in index.tracks for lesson in track.lessons]


LESSONS = shipped()


@pytest.fixture(scope="module")
def content() -> ContentStore:
    """Return the lessons that come with Wordkeep, read once."""
    return ContentStore([CHALLENGES])


@pytest.fixture
def app(app: Flask, content: ContentStore) -> Flask:
    """Return the site with them."""
    app.extensions["wordkeep"] = dataclasses.replace(
        app.extensions["wordkeep"], content=content
    )
    return app


def said(specs: tuple[CheckSpec, ...]) -> Iterator[str]:
    for spec in specs:
        yield from (text for text in (spec.say, spec.why) if text)
        yield from said(spec.parts)


def kept_back(panel: Panel) -> Iterator[str]:
    """Yield what a panel tells later, or never."""
    yield from (text for _, text in leaks._secrets(panel))
    yield from (hint.text for hint in panel.hints)
    yield from (mistake.say for mistake in panel.mistakes)
    yield from said(panel.checks)


def rows_of(text: str) -> str:
    return as_row(words(text))


def shown_anyway(lesson: Lesson, panel: Panel) -> str:
    sample = panel.sample.text if panel.sample else ""
    named = (lesson.id, lesson.info.title)
    return rows_of("\n".join([*leaks._open_texts(panel), panel.task, sample, *named]))


def source_of(page: str, panel: Panel) -> str:
    """Return all that a page has of a panel, in its source and for its readers."""
    found = re.search(
        rf'<lesson-panel[^>]* id="panel-{panel.name}".*?</lesson-panel>', page, re.S
    )
    assert found is not None, panel.name
    return rows_of(f"{html.unescape(found[0])}\n{text_of(found[0])}")


def test_pages_give_nothing_away(browser: Browser) -> None:
    told = []
    for lesson in LESSONS:
        page = browser.get(f"/learn/{lesson.id}").text
        for panel in lesson.panels:
            source, anyway = source_of(page, panel), shown_anyway(lesson, panel)
            told += [
                f"{lesson.id}#{panel.name}: {text}"
                for text in kept_back(panel)
                if len(row := rows_of(text)) >= LEAST + 2
                and row not in anyway
                and row in source
            ]
    assert told == []


def test_a_run_gives_nothing_away_before_its_end(
    browser: Browser, backend: ScriptedBackend
) -> None:
    """Events tell what the model wrote and what was found, and no hidden value."""
    lesson = next(one for one in LESSONS if one.id == "basics/show-dont-tell")
    panel = lesson.panels[-1]
    assert panel.vary
    backend.enqueue(*["nothing"] * 5)
    browser.get(f"/learn/{lesson.id}")
    answer = browser.post(
        f"/learn/{lesson.id}/{panel.name}/runs",
        {f"s.{name}": "cat -> cats dog -> dogs" for name in panel.slots},
        headers=STREAM,
    )
    told = rows_of(answer.text)
    assert rows_of("event: outcome") in told
    for values in panel.vary:
        for value in values.values():
            assert rows_of(value) not in told, value
    for text in leaks._secrets(panel):
        assert rows_of(text[1]) not in told
    after = source_of(browser.get(f"/learn/{lesson.id}").text, panel)
    for hint in panel.hints:
        assert rows_of(hint.text) not in after
