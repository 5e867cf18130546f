"""What a model is shown of a conversation, and when that is over."""

from __future__ import annotations

from datetime import timedelta

import pytest

from tests.kit.world import START, World
from webapp.content.schema import Level
from webapp.domain.play import conversation
from webapp.domain.play.conversation import Said
from webapp.plugins.asking import Exchange
from webapp.rows import BLOCKED, FAILED, FINISHED, INTERRUPTED, RUNNING, STOPPED

ALL = tuple(
    Said(status, f"to {status}", status)
    for status in (RUNNING, FINISHED, BLOCKED, STOPPED, FAILED, INTERRUPTED)
)


def level(world: World, level_id: str) -> Level:
    return world.services.content.current().level(level_id)


def test_only_replies_that_were_read_in_full_are_remembered() -> None:
    assert conversation.history(3, ALL) == (Exchange(FINISHED, f"to {FINISHED}"),)
    empty = Said("a", None, FINISHED)
    assert conversation.history(3, [empty]) == (Exchange("a", ""),)
    assert conversation.history(1, ALL) == ()


@pytest.mark.parametrize(
    ("level_id", "used", "blocks", "left", "is_over"),
    [
        ("open", 0, 0, (None, None), False),
        ("open", 99, 99, (None, None), False),
        ("talk", 2, 9, (1, None), False),
        ("talk", 3, 0, (0, None), True),
        ("talk", 4, 0, (0, None), True),
        ("wary", 1, 1, (19, 1), False),
        ("wary", 2, 2, (18, 0), True),
        ("wary", 20, 0, (0, 2), True),
    ],
)
def test_turns_and_suspicion_end_a_conversation(
    world: World,
    level_id: str,
    used: int,
    blocks: int,
    left: tuple[int | None, int | None],
    is_over: bool,
) -> None:
    rules = level(world, level_id)
    assert conversation.turns_left(rules, used) == left[0]
    assert conversation.suspicion_left(rules, blocks) == left[1]
    assert conversation.is_over(rules, used=used, blocks=blocks) is is_over


def test_an_attempt_is_given_back_the_history_it_was_sent(world: World) -> None:
    ada = world.player()
    world.win(ada, "open")
    for number in range(3):
        world.backend.enqueue(f"reply {number}")
        world.say(ada, f"message {number}", "talk")
        world.clock.move(seconds=5)
    rows = world.attempts(ada)
    with world.db.write() as session:
        first, second, third = map(session.merge, rows)
        # It was still being written when the third was sent.
        second.finished_at = third.created_at + timedelta(seconds=1)
        session.flush()
        then = conversation.visit_history(
            session, visit_id=third.visit_id, turns=3, before=third
        )
        now = conversation.visit_history(session, visit_id=third.visit_id, turns=3)
        single = conversation.visit_history(session, visit_id=third.visit_id, turns=1)
    assert first.created_at == START
    assert [exchange.message for exchange in then] == ["message 0"]
    assert [exchange.reply for exchange in now] == ["reply 0", "reply 1", "reply 2"]
    assert single == ()
