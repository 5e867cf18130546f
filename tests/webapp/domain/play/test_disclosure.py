"""What a level hides, in every place where it could be seen."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import select

from tests.kit.content import write_level
from tests.kit.world import World
from webapp.content.schema import ShowGuards
from webapp.domain.play import disclosure, notebook
from webapp.domain.play.disclosure import Disclosure
from webapp.rows import (
    BLOCKED,
    FAILED,
    FINISHED,
    INTERRUPTED,
    RUNNING,
    STOPPED,
    Attempt,
)

VERDICT: dict[str, Any] = {
    "guard": "contains",
    "stage": "output",
    "allowed": False,
    "score": 1.0,
    "reason": "It holds the word.",
    "ms": 3,
    "grounds": None,
}
STATUSES = (RUNNING, FINISHED, BLOCKED, STOPPED, FAILED, INTERRUPTED)


@pytest.mark.parametrize(
    ("show", "is_solved", "named", "score"),
    [
        ("none", False, None, None),
        ("stage", False, "contains", None),
        ("full", False, "contains", 1.0),
        ("none", True, "contains", 1.0),
        ("stage", True, "contains", 1.0),
        ("full", True, "contains", 1.0),
    ],
)
def test_a_verdict_is_cut_down(
    show: ShowGuards, is_solved: bool, named: str | None, score: float | None
) -> None:
    known = Disclosure(show, is_solved)
    shown = known.verdict(VERDICT)
    if named is None:
        assert shown is None
    else:
        assert shown is not None
        assert (shown.guard, shown.stage, shown.allowed) == (named, "output", False)
        assert (shown.score is None, shown.reason is None) == ((score is None,) * 2)
        # A guard that compares with the password would tell by its time.
        assert shown.ms == (3 if is_solved else None)
    assert known.ms(7) == (7 if is_solved else None)
    assert known.blocked_by("contains") == (named or disclosure.HIDDEN_GUARD)
    assert known.blocked_by(None) is None
    assert known.has_grounds is is_solved


def test_a_held_back_reply_is_shown_after_the_win() -> None:
    before, after = Disclosure("full"), Disclosure("none", is_solved=True)
    read = [status for status in STATUSES if before.reply(status, "x") == "x"]
    assert read == [FINISHED, STOPPED, FAILED]
    assert all(after.reply(status, "x") == "x" for status in STATUSES)


@pytest.mark.parametrize("solved", [(), ("open",), ("open", "told")])
def test_what_is_shown_and_what_is_found_are_the_same(
    world: World, solved: tuple[str, ...]
) -> None:
    ada = world.player()
    world.win(ada, *solved)
    if "told" not in solved:
        write_level(world.content, "told", after=[])
    for level in ("open", "told"):
        world.backend.enqueue("needle")
        world.say(ada, "Hello", level)
        row = world.attempts(ada)[-1]
        world.copy_attempt(ada, len(STATUSES))
        with world.db.write() as session:
            copies = session.scalars(
                select(Attempt).where(Attempt.id > row.id).order_by(Attempt.id)
            )
            for copy, status in zip(copies, STATUSES, strict=True):
                copy.status = status
    found = notebook.search(world.services, player_id=ada, query="needle").items
    everything = notebook.search(world.services, player_id=ada).items
    assert len(everything) == 2 * (1 + len(STATUSES))
    assert [item.id for item in found] == [item.id for item in everything if item.reply]
    assert 8 <= len(found) <= len(everything)
