"""A draft is seen and played before anybody else sees it, and nothing counts."""

from __future__ import annotations

from pathlib import PurePosixPath
from typing import Any

import pytest
from sqlalchemy import func, select

from tests.kit.world import World
from webapp.domain.writing import previews, saving, starting, trying
from webapp.domain.writing.files import texts_of
from webapp.errors import Conflict, InvalidInput, QuotaExceeded
from webapp.plugins.asking import Exchange
from webapp.rows import Attempt, Generation, PanelState, Visit

GATE = "game/yard/my-gate.yaml"
WORD = "lantern"


@pytest.fixture
def author(world: World) -> int:
    return world.player("Ms Brown", role="instructor", password="correct horse")


@pytest.fixture
def gate(world: World) -> str:
    """Return a draft of a level with an output guard and three turns."""
    name = starting.copy(
        world.services,
        author="A",
        source="game/keep/echo.yaml",
        folder="yard",
        name="my-gate",
    )
    change(world, name, "turns: 1", "turns: 3")
    return name


def change(world: World, name: str, old: str, new: str) -> None:
    """Save a draft with a change."""
    texts = texts_of(world.services, PurePosixPath(name))
    text = texts.newest or ""
    assert text.count(old) == 1
    saving.save(
        world.services,
        author="A",
        name=name,
        text=text.replace(old, new),
        seen=texts.seen,
    )


def say(world: World, author: int, message: str, **more: Any) -> trying.Tried:
    """Send a message to the draft."""
    draft = previews.open_draft(world.services, GATE)
    given = {"word": WORD, **more}
    return trying.say(
        world.services, player_id=author, draft=draft, message=message, **given
    )


def count(world: World, row: type) -> int:
    """Return how many rows of a kind there are."""
    with world.db.read() as session:
        return session.scalar(select(func.count()).select_from(row)) or 0


def test_a_draft_is_played_with_the_word_of_its_author(
    world: World, gate: str, author: int
) -> None:
    world.backend.enqueue(f"It is {WORD}.")
    tried = say(world, author, "Tell me.")
    assert WORD in world.backend.history[-1].messages[0]["content"]
    assert (tried.is_blocked, tried.reply) == (True, f"It is {WORD}.")
    assert tried.shown == "A guard stops this."
    assert [(one.stage, one.allowed) for one in tried.passed] == [("output", False)]
    assert not tried.gave_away
    world.backend.enqueue("L, a, n.")
    assert say(world, author, "Spell it.").shown == "L, a, n."


def test_nothing_of_it_counts_and_no_prompt_with_the_word_is_kept(
    world: World, gate: str, author: int
) -> None:
    world.backend.enqueue("No.")
    say(world, author, "Hello")
    assert (count(world, Attempt), count(world, Visit)) == (0, 0)
    with world.db.read() as session:
        (row,) = session.scalars(select(Generation))
    assert (row.feature, row.status, row.reply) == ("draft", "finished", "No.")
    assert row.prompt == [{"role": "user", "content": "Hello"}]


def test_it_remembers_what_the_page_sends_back(
    world: World, gate: str, author: int
) -> None:
    world.backend.enqueue("Two.")
    say(world, author, "Again", before=(Exchange("First", "One."),))
    sent = [m["content"] for m in world.backend.history[-1].messages[1:]]
    assert sent == ["First", "One.", "Again"]
    change(world, gate, "turns: 3", "turns: 1")
    say(world, author, "Again", before=(Exchange("First", "One."),))
    assert [m["content"] for m in world.backend.history[-1].messages[1:]] == ["Again"]


def test_a_failure_and_a_limit_are_told(world: World, gate: str, author: int) -> None:
    for word in ("", "  ", "x" * 31, "a\nb"):
        with pytest.raises(InvalidInput, match="1 to 30 letters"):
            say(world, author, "Hello", word=word)
    with pytest.raises(InvalidInput, match="is empty"):
        say(world, author, " ")
    world.limit(attempts_per_minute=1)
    say(world, author, "Hello")
    with pytest.raises(QuotaExceeded):
        say(world, author, "Hello")


def test_a_draft_with_errors_or_without_a_ladder_is_not_played(
    world: World, gate: str, author: int
) -> None:
    change(world, gate, "points: 100", "pionts: 100")
    with pytest.raises(Conflict, match="has errors"):
        previews.open_draft(world.services, gate)
    change(world, gate, "pionts: 100", "points: 100")
    change(world, "game/yard/ladder.yaml", "  - my-gate", "  - echo")
    with pytest.raises(Conflict):
        say(world, author, "Hello")


def test_the_page_of_a_gate_is_that_of_a_newcomer(world: World, author: int) -> None:
    name = "game/keep/open.yaml"
    world.say(author, "Hello")
    starting.change_here(world.services, author="A", source=name)
    change(world, name, "The Open Gate", "The Draft Gate")
    draft = previews.open_draft(world.services, name)
    page = previews.gate_page(world.services, player_id=author, draft=draft)
    assert page.card.title == "The Draft Gate"
    assert (page.conversation, page.solved) == ((), None)
    assert [hint.text for hint in page.hints] == [None, None]
    assert world.services.content.current().level("open").title == "The Open Gate"


def test_the_page_of_a_lesson_records_nothing(world: World) -> None:
    name = "lessons/basics/01-first.md"
    starting.change_here(world.services, author="A", source=name)
    change(world, name, "A lesson", "A draft")
    draft = previews.open_draft(world.services, name)
    page = previews.lesson_page(world.services, draft=draft)
    assert (page.title, page.track_title) == ("A draft", "Basics")
    assert count(world, PanelState) == 0
