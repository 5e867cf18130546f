"""A run of a feature that is not the game: a text goes on, without visit or level."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from tests.kit.faults import FullDisk
from tests.kit.world import World
from webapp.domain.boots import Boot
from webapp.domain.generations import events, runs
from webapp.domain.generations.replies import Record, listen
from webapp.domain.generations.sweeping import DIED, sweep_interrupted
from webapp.domain.people import accounts, classes
from webapp.domain.play import notebook
from webapp.domain.quotas import Limit
from webapp.domain.services import Services
from webapp.errors import BackendTimeout, Conflict, LabError, NotFound, QuotaExceeded
from webapp.llm.gateway import Gateway, Sampling
from webapp.rows import (
    BLOCKED,
    FAILED,
    FINISHED,
    INTERRUPTED,
    RUNNING,
    STOPPED,
    Attempt,
    Generation,
    Player,
)
from webapp.web import sse

SAMPLING = Sampling(temperature=0.5, top_p=0.9, max_tokens=20, seed=3)
# Too long for the free pages of a small database.
LONG = "long-reply-" * 50_000


@dataclass(slots=True)
class Story(runs.Job[Generation]):
    """The smallest feature: one text, one reply."""

    gateway: Gateway
    text: str
    record: Record = field(default_factory=Record)

    def play(self) -> Iterator[events.Event]:
        """Let the model answer the text."""
        stream = self.gateway.stream(
            model="warden",
            messages=[{"role": "user", "content": self.text}],
            sampling=SAMPLING,
        )
        yield from listen(stream, self.record)


def begin(
    services: Services,
    player: int,
    text: str = "Once upon a time",
    *,
    job: runs.Job[Generation] | None = None,
    limit: int = 1000,
) -> runs.Run:
    """Tell a story for a player."""

    def prepare(session: Session, player: Player) -> runs.Begun[Generation]:
        row = Generation(
            feature="story",
            prompt=text,
            settings=runs.sampling_row(SAMPLING),
            seed=3,
        )
        return runs.Begun(row, job or Story(services.gateway, text))

    return runs.begin(
        services,
        player_id=player,
        what="stories",
        limits=lambda _: (
            Limit("player", "minute", limit),
            Limit("class", "day", limit + 1),
        ),
        model="warden",
        typed="",
        prepare=prepare,
    )


def rows(world: World) -> list[Generation]:
    with world.db.read() as session:
        return list(session.scalars(select(Generation).order_by(Generation.id)))


def test_a_story_is_recorded_streamed_and_finished(world: World) -> None:
    ada = world.player()
    world.backend.enqueue("there was a keep")
    run = begin(world.services, ada)
    (row,) = rows(world)
    assert (row.status, row.reply, row.finished_at) == (RUNNING, None, None)
    assert (row.player_id, row.feature, row.boot_id) == (
        ada,
        "story",
        world.services.boot.id,
    )
    assert row.prompt == "Once upon a time"
    assert row.settings == {"temperature": 0.5, "top_p": 0.9, "max_tokens": 20}
    world.clock.move(seconds=2)
    happened = [e for e in run if not isinstance(e, events.Heartbeat)]
    assert happened[0] == events.Start(row.id)
    pieces = [e.text for e in happened[1:-1] if isinstance(e, events.Delta)]
    assert "".join(pieces) == "there was a keep"
    assert happened[-1] == events.End(row.id, FINISHED)
    assert happened[-1].data() == {"id": row.id, "status": FINISHED}
    (row,) = rows(world)
    assert (row.status, row.reply, row.ms, row.error) == (
        FINISHED,
        "there was a keep",
        2000,
        None,
    )
    assert row.model == "local/warden (scripted)"
    assert (row.prompt_tokens, row.reply_tokens) == (4, 4)
    assert row.first_token_ms is not None


def test_a_story_is_no_attempt(world: World) -> None:
    ada = world.player()
    list(begin(world.services, ada))
    world.say(ada, "Hello")
    story, attempt = rows(world)
    assert (story.feature, attempt.feature) == ("story", "attempt")
    with world.db.read() as session:
        assert session.scalar(select(func.count(Attempt.id))) == 1
        assert session.get(Attempt, story.id) is None
    assert [
        item.id for item in notebook.search(world.services, player_id=ada).items
    ] == [attempt.id]
    with pytest.raises(NotFound):
        notebook.find(world.services, player_id=ada, attempt_id=story.id)
    accounts.delete_player(world.services, player_id=ada)
    assert rows(world) == []


def test_closing_a_story_stops_the_model_and_keeps_what_was_read(world: World) -> None:
    ada = world.player()
    world.backend.delay = 0.05
    world.backend.enqueue("one two three four five six seven eight")
    run = begin(world.services, ada)
    stream = sse.EventStream(run)
    while not next(stream).startswith(b"event: delta"):
        pass
    stream.close()
    (row,) = rows(world)
    assert row.status == STOPPED
    assert str(row.reply).startswith("one")
    assert not str(row.reply).endswith("eight")
    stream.close()
    assert [row.status for row in rows(world)] == [STOPPED]


def test_a_run_that_nobody_reads_is_stopped_by_closing_it(world: World) -> None:
    begin(world.services, world.player()).close()
    assert [(row.status, row.reply) for row in rows(world)] == [(STOPPED, None)]
    assert world.backend.history == []


def test_a_failing_model_fails_the_story(world: World) -> None:
    ada = world.player()
    world.backend.enqueue(BackendTimeout("Too slow."))
    *_, error, end = begin(world.services, ada)
    assert error == events.ErrorEvent("backend_timeout", "Too slow.", 504)
    (row,) = rows(world)
    assert end == events.End(row.id, FAILED)
    assert (row.status, row.error, row.reply) == (FAILED, "Too slow.", None)


def test_a_mistake_of_ours_is_told_without_its_words(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    class Broken(Story):
        def play(self) -> Iterator[events.Event]:
            raise ValueError("private words")

    job = Broken(world.services.gateway, "")
    *_, error, end = begin(world.services, world.player(), job=job)
    assert error == events.ErrorEvent("error", runs.BROKEN, 500)
    (row,) = rows(world)
    assert (end, row.error) == (events.End(row.id, FAILED), runs.BROKEN)
    assert f"generation {row.id} failed: ValueError" in caplog.text
    assert "private words" not in caplog.text


def test_a_long_error_is_cut_for_the_database_alone(world: World) -> None:
    class Refused(Story):
        def play(self) -> Iterator[events.Event]:
            raise LabError("x" * 500, code="refused")

    job = Refused(world.services.gateway, "")
    *_, error, _ = begin(world.services, world.player(), job=job)
    assert error == events.ErrorEvent("refused", "x" * 500, 500)
    assert rows(world)[0].error == "x" * runs.ERROR_CHARS


def test_what_is_not_saved_is_told_and_settled_by_the_next(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    ada = world.player()
    world.limit(running_per_player=1)
    world.backend.enqueue(LONG)
    run = begin(world.services, ada)
    disk = FullDisk(world.db)
    happened = list(run)
    assert happened[-1] == events.ErrorEvent("not_saved", runs.NOT_SAVED, 500)
    assert not any(isinstance(event, events.End) for event in happened)
    assert "long-reply" not in caplog.text
    assert world.services.boot.unsaved == {(run.id, runs.NOT_SAVED)}
    disk.end()
    list(begin(world.services, ada))
    assert [(row.status, row.error) for row in rows(world)] == [
        (INTERRUPTED, runs.NOT_SAVED),
        (FINISHED, None),
    ]
    assert world.services.boot.unsaved == set()


def test_each_feature_says_in_its_own_words_what_was_not_saved(world: World) -> None:
    ada = world.player()
    world.backend.enqueue(LONG)
    run = world.begin(ada, "Hello")
    disk = FullDisk(world.db)
    told = [event for event in run if isinstance(event, events.ErrorEvent)]
    disk.end()
    assert "The attempt could not be saved" in told[0].message
    list(begin(world.services, ada))
    assert [row.error for row in rows(world)] == [told[0].message, None]


def test_what_a_dead_process_left_is_swept(world: World) -> None:
    ada = world.player()
    instance = world.services.settings.instance
    other = Boot(instance)
    begin(replace(world.services, boot=other), ada)
    mine = begin(world.services, ada)
    assert sweep_interrupted(world.db, instance) == 0
    other.close()
    assert sweep_interrupted(world.db, instance) == 1
    assert [(row.status, row.error) for row in rows(world)] == [
        (INTERRUPTED, DIED),
        (RUNNING, None),
    ]
    list(mine)
    assert rows(world)[1].status == FINISHED


def test_quotas_are_the_features_own_and_running_ones_count_together(
    world: World,
) -> None:
    code = classes.add_class(world.services, name="10b").join_code
    ada, bob = (world.player(name, class_code=code) for name in ("Ada", "Bob"))
    world.limit(running_per_player=2, attempts_per_minute=2)
    list(begin(world.services, ada, limit=2))
    list(begin(world.services, ada, limit=2))
    with pytest.raises(QuotaExceeded, match="You have used all 2 stories") as caught:
        begin(world.services, ada, limit=2)
    assert caught.value.scope == "player/minute"
    list(begin(world.services, bob, limit=2))
    with pytest.raises(QuotaExceeded, match="Your class has used all 3") as caught:
        begin(world.services, bob, limit=2)
    assert caught.value.scope == "class/day"
    # A story uses up no attempt, but whoever waits for one waits.
    open_runs = [begin(world.services, ada), world.begin(ada, "Hello")]
    for start in (lambda: begin(world.services, ada), lambda: world.begin(ada, "Hi")):
        with pytest.raises(QuotaExceeded, match="still being answered"):
            start()
    for run in open_runs:
        run.close()
    world.say(ada)
    count = len(rows(world))
    with pytest.raises(QuotaExceeded, match="all 2 attempts"):
        world.say(ada)
    assert len(rows(world)) == count


def test_who_refuses_in_the_same_transaction_leaves_nothing(world: World) -> None:
    ada = world.player()

    def refuse(session: Session, player: Player) -> Any:
        session.add(
            Generation(
                player_id=ada,
                feature="story",
                boot_id="x",
                model="m",
                settings={},
                seed=1,
                created_at=world.clock(),
            )
        )
        session.flush()
        raise Conflict("Not now.")

    with pytest.raises(Conflict):
        runs.begin(
            world.services,
            player_id=ada,
            what="stories",
            limits=lambda _: (),
            model="m",
            typed="",
            prepare=refuse,
        )
    assert rows(world) == []
    with pytest.raises(NotFound):
        begin(world.services, 999)


def test_what_a_feature_adds_at_the_end_is_saved_with_it(world: World) -> None:
    @dataclass(frozen=True, slots=True)
    class Graded(events.End):
        grade: int

    class Exercise(Story):
        def finish(
            self,
            session: Session,
            generation_id: int,
            row: Generation | None,
            status: str,
        ) -> tuple[events.Event, ...]:
            assert row is not None
            row.settings = {**row.settings, "grade": len(row.reply or "")}
            return (Graded(generation_id, status, row.settings["grade"]),)

    world.backend.enqueue("abc")
    job = Exercise(world.services.gateway, "")
    *_, end = begin(world.services, world.player(), job=job)
    (row,) = rows(world)
    assert end.data() == {"id": row.id, "status": FINISHED, "grade": 3}
    assert row.settings["grade"] == 3


@pytest.mark.parametrize("is_read", [True, False])
def test_a_feature_may_block(world: World, is_read: bool) -> None:
    class Blocked(Record):
        is_blocked = True

    job = Story(world.services.gateway, "", Blocked())
    run = begin(world.services, world.player(), job=job)
    next(run)
    if is_read:
        list(run)
    run.close()
    assert [row.status for row in rows(world)] == [BLOCKED]


def test_deleting_the_player_meanwhile_ends_quietly(world: World) -> None:
    ada = world.player()
    run = begin(world.services, ada)
    next(run)
    accounts.delete_player(world.services, player_id=ada)
    assert list(run)[-1] == events.End(run.id, FINISHED)
    assert rows(world) == []
