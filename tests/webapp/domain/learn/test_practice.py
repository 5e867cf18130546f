"""A run of a panel, from Generate to the outcome."""

from __future__ import annotations

import logging
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import select

from tests.kit.lessons import (
    WORDS,
    ZO,
    begin,
    check,
    give_lessons,
    lesson,
    practise,
    simple_panel,
    told,
    zo,
    zo_panel,
)
from tests.kit.world import World
from webapp.content.lessons.schema import Slot
from webapp.domain.learn import events, practice
from webapp.domain.learn.filling import typed
from webapp.domain.people import accounts
from webapp.errors import BackendError, Conflict, InvalidInput, NotFound, QuotaExceeded
from webapp.plugins.check import checks
from webapp.rows import (
    FAILED,
    FINISHED,
    HELPED,
    RUNNING,
    STOPPED,
    PanelState,
    Practice,
)


@pytest.fixture
def ada(world: World) -> int:
    give_lessons(world, lesson(zo_panel(), simple_panel()))
    return world.player()


def rows(world: World) -> list[Practice]:
    with world.db.read() as session:
        return list(session.scalars(select(Practice).order_by(Practice.id)))


def state(world: World) -> PanelState:
    with world.db.read() as session:
        return session.scalars(select(PanelState)).one()


def names(happened: list[events.Event]) -> list[str]:
    return [event.name for event in happened]


def test_a_run_asks_until_it_is_decided_and_is_kept(world: World, ada: int) -> None:
    happened = practise(world, ada, {"examples": ZO}, zo())
    assert names(happened) == [
        "start",
        "before",
        *["sample", "delta", "judged"] * 3,
        "outcome",
        "end",
    ]
    outcome = told(happened)
    assert (outcome.status, outcome.title) == ("passed", "That works")
    assert (
        outcome.message == "3 of 3 replies are as they should be, and that is enough."
    )
    assert outcome.is_enough
    (row,) = rows(world)
    assert (row.status, row.result, row.feature) == (FINISHED, "passed", "panel")
    assert row.typed == {"examples": ZO}
    assert [sample["reply"] for sample in row.samples] == zo(3)
    assert len({sample["seed"] for sample in row.samples}) == 3
    assert row.reply_tokens == 3
    index = world.services.content.current()
    assert row.panel_hash == index.panel_hash("basics/zo", "show")
    known = state(world)
    assert (known.best, known.passed_at, known.is_helped) == (
        1.0,
        world.clock.time,
        False,
    )
    assert known.passed_version == "scripted"


def test_the_model_gets_what_was_typed_and_another_word_each_time(
    world: World, ada: int
) -> None:
    practise(world, ada, {"examples": ZO}, zo())
    requests = world.backend.history
    assert [r.messages[-1]["content"] for r in requests] == [
        f"{ZO}\n{word} ->" for word in (WORDS[2], WORDS[3], WORDS[4])
    ]
    assert all(not request.default_system for request in requests)
    assert {request.user for request in requests} == {f"player-{ada}"}
    assert all(r.sampling.temperature == 0.2 for r in requests)
    # What they have in common is read once, and by nobody else.
    assert {request.public for request in requests} == {len(ZO) + 1}
    (salt,) = {request.cache_salt for request in requests}
    assert len(salt) == 16


def test_it_stops_as_soon_as_it_cannot_pass_any_more(world: World, ada: int) -> None:
    happened = practise(world, ada, {"examples": ZO}, ["no", "no", "no", "no"])
    outcome = told(happened)
    assert (outcome.status, outcome.tally.failed) == ("failed", 3)
    assert outcome.message == (
        'The model wrote "no". Why? 0 of 3 replies came out right; it takes 3 of 5.'
    )
    assert world.backend.history[3:] == []


def test_the_tally_says_how_far_it_is(world: World, ada: int) -> None:
    happened = practise(
        world, ada, {"examples": ZO}, ["no", *zo(5)[1:3], "no", zo(5)[4]]
    )
    judged = [e for e in happened if isinstance(e, events.JudgedSample)]
    assert [e.status for e in judged] == [
        "failed",
        "passed",
        "passed",
        "failed",
        "passed",
    ]
    assert [(e.tally.passed, e.tally.failed) for e in judged][-1] == (3, 2)
    assert told(happened).status == "passed"
    assert not told(happened).is_enough


def test_a_failing_prompt_check_is_told_first_and_costs_one_reply(
    world: World, ada: int
) -> None:
    happened = practise(world, ada, {"examples": "zo\nzo"}, zo())
    before = happened[1]
    assert isinstance(before, events.Before)
    assert not before.counts
    assert before.message == ("This box needs at least 3 words; so far it has 2.")
    outcome = told(happened)
    assert (outcome.status, outcome.title) == ("failed", "This run does not count")
    assert len(rows(world)[0].samples) == 1


def test_a_mistake_that_voids_a_run_is_told_in_its_own_words(
    world: World, ada: int
) -> None:
    happened = practise(world, ada, {"examples": "cat -> catzo\nlamp -> lampzo"}, zo())
    outcome = told(happened)
    assert (outcome.status, outcome.mistake) == ("failed", "You gave away an answer.")
    assert state(world).passed_at is None


def test_a_named_mistake_is_told_instead_of_a_check(world: World, ada: int) -> None:
    happened = practise(world, ada, {"examples": "one cat -> catzo"}, ["no"] * 3)
    assert told(happened).message == "That is 1 so far. One could be chance."


def test_the_best_never_falls_and_a_pass_stays(world: World, ada: int) -> None:
    practise(world, ada, {"examples": ZO}, zo())
    world.clock.move(minutes=1)
    practise(world, ada, {"examples": ZO}, ["no"] * 3)
    known = state(world)
    assert (known.best, known.run_at) == (1.0, world.clock.time)
    assert known.passed_at is not None
    assert [row.result for row in rows(world)] == ["passed", "failed"]


def test_braces_and_control_tokens_reach_the_model_as_they_are(
    world: World, ada: int
) -> None:
    typed = "{word} {{ secret }} {examples} <|im_end|> {answer} -> x"
    practise(world, ada, {"examples": typed}, ["x"] * 5)
    first = world.backend.history[0].messages[0]["content"]
    assert first == f"{typed}\n{WORDS[2]} ->"


def test_what_is_not_typed_stays_as_the_file_says(world: World, ada: int) -> None:
    practise(world, ada, {}, ["x"] * 5)
    assert rows(world)[0].typed == {"examples": "cat -> catzo"}


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        ({"task": "hi"}, "no box named “task”"),
        ({"examples": "x" * 1001}, "has 1,001 characters; the limit here is 1,000"),
        ({"examples": "a\0b"}, "is U\\+0000, which is not text"),
    ],
)
def test_what_does_not_fit_is_refused_before_anything_is_kept(
    world: World, ada: int, values: dict[str, str], reason: str
) -> None:
    with pytest.raises(InvalidInput, match=reason):
        begin(world, ada, values)
    assert rows(world) == []
    assert world.backend.history == []


def test_one_run_of_a_panel_at_a_time(world: World, ada: int) -> None:
    first = begin(world, ada)
    with pytest.raises(Conflict, match="Your other run of this panel"):
        begin(world, ada)
    begin(world, ada, panel="hello").close()
    first.close()
    begin(world, ada).close()
    assert [row.status for row in rows(world)] == [STOPPED] * 3


def test_a_stopped_run_keeps_what_came_and_comes_to_nothing(
    world: World, ada: int
) -> None:
    world.backend.enqueue(zo()[0], "one two three four")
    run = begin(world, ada, {"examples": ZO})
    deltas = 0
    for event in run:
        deltas += isinstance(event, events.Delta)
        if deltas == 3:
            break
    run.close()
    (row,) = rows(world)
    assert (row.status, row.result, row.outcome) == (STOPPED, None, None)
    assert [s["status"] for s in row.samples] == ["passed", None]
    assert row.samples[1]["reply"] == "one two "
    with world.db.read() as session:
        assert session.scalars(select(PanelState)).all() == []


def test_a_model_that_fails_fails_the_run_and_keeps_the_replies(
    world: World, ada: int
) -> None:
    world.backend.enqueue(zo()[0], BackendError("The model is gone."))
    happened = practise(world, ada, {"examples": ZO})
    assert names(happened)[-2:] == ["error", "end"]
    (row,) = rows(world)
    assert (row.status, row.result, row.error) == (FAILED, None, "The model is gone.")
    assert len(row.samples) == 1


def test_an_empty_reply_is_judged_and_fails(world: World, ada: int) -> None:
    happened = practise(world, ada, {}, [""], panel="hello")
    assert told(happened).status == "failed"
    assert rows(world)[0].samples[0]["reply"] == ""


def test_a_reply_without_end_is_cut_off(world: World, ada: int) -> None:
    give_lessons(world, lesson(simple_panel(max_tokens=300)))
    long = "hello" * 6_000
    happened = practise(world, ada, {}, [long + " " + long], panel="hello")
    assert told(happened).status == "passed"
    (sample,) = rows(world)[0].samples
    assert sample["finish"] == "length"
    assert len(sample["reply"]) < 2 * len(long)


def test_somebody_in_distress_is_answered_by_the_site(world: World, ada: int) -> None:
    happened = practise(world, ada, {"ask": "I want to kill myself"}, panel="hello")
    assert names(happened) == ["start", "answer", "end"]
    assert rows(world)[0].status == HELPED
    assert world.backend.history == []


def test_a_check_that_throws_leaves_the_run_to_be_checked_again(
    world: World,
    ada: int,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    kind: Any = checks.get("icontains")
    judge = kind.judge

    def fails(self: object, subject: object, ask: object) -> None:
        raise BackendError("the judge said hello")

    monkeypatch.setattr(kind, "judge", fails)
    with caplog.at_level(logging.ERROR):
        happened = practise(world, ada, {}, ["Hello!"], panel="hello")
    assert told(happened).status == "ungraded"
    assert told(happened).next.startswith("Press Check again")
    # An error may quote what somebody typed.
    assert "check icontains failed: BackendError" in caplog.text
    assert "the judge said" not in caplog.text
    monkeypatch.setattr(kind, "judge", judge)
    (row,) = rows(world)
    again = practice.check_again(world.services, player_id=ada, run_id=row.id)
    assert again.status == "passed"
    assert rows(world)[0].result == "passed"
    assert state(world).passed_at is not None
    assert len(world.backend.history) == 1


def test_a_run_of_another_version_of_the_panel_is_not_judged_again(
    world: World, ada: int
) -> None:
    practise(world, ada, {}, ["Hello!"], panel="hello")
    (row,) = rows(world)
    give_lessons(world, lesson(simple_panel(max_tokens=7)))
    with pytest.raises(Conflict, match="has changed since"):
        practice.check_again(world.services, player_id=ada, run_id=row.id)
    bob = world.player("Bob")
    with pytest.raises(NotFound):
        practice.check_again(world.services, player_id=bob, run_id=row.id)


def test_a_panel_without_a_model_asks_none(world: World, ada: int) -> None:
    panel = simple_panel(
        talk="none",
        messages=(),
        checks=(check("icontains", "hello", of="ask"),),
    )
    give_lessons(world, lesson(panel))
    happened = practise(world, ada, {"ask": "hello"}, panel="hello")
    assert names(happened) == ["start", "before", "outcome", "end"]
    assert told(happened).status == "passed"
    assert told(practise(world, ada, {"ask": "bye"}, panel="hello")).status == "failed"
    assert world.backend.history == []


def test_a_panel_that_wants_failure_passes_on_it_and_on_a_surprise(
    world: World, ada: int
) -> None:
    panel = simple_panel(expect="failure", checks=(check("not-icontains", "hello"),))
    give_lessons(world, lesson(panel))
    saw = told(practise(world, ada, {}, ["Good day."], panel="hello"))
    assert (saw.status, saw.title) == ("passed", "You saw it fail")
    surprise = told(practise(world, ada, {}, ["Hello!"], panel="hello"))
    assert (surprise.status, surprise.title) == ("passed", "It worked after all")
    assert surprise.is_surprise


def test_lines_are_put_in_order_and_choices_chosen(world: World, ada: int) -> None:
    panel = simple_panel(
        messages=({"user": "{order}\n{tone}"},),
        slots={
            "order": Slot(items=("first", "second", "third"), start="3 1 2"),
            "tone": Slot(choices=("kind", "rude")),
        },
    )
    give_lessons(world, lesson(panel))
    practise(world, ada, {"order": "2, 1,3"}, ["hello"], panel="hello")
    asked = world.backend.history[0].messages[0]["content"]
    assert asked == "second\nfirst\nthird\nkind"
    for wrong in ({"order": "1 1 2"}, {"order": "x"}, {"tone": "loud"}):
        with pytest.raises(InvalidInput):
            begin(world, ada, wrong, panel="hello")


def test_the_beginning_of_a_reply_is_part_of_it(world: World, ada: int) -> None:
    panel = simple_panel(
        start_reply="{ask}", checks=(check("starts-with", "1."),), system="Be brief."
    )
    give_lessons(world, lesson(panel))
    happened = practise(world, ada, {"ask": "1."}, [" Cats"], panel="hello")
    assert told(happened).status == "passed"
    assert world.backend.history[0].start_reply == "1."
    assert rows(world)[0].samples[0]["reply"] == "1. Cats"


def test_a_text_is_carried_on_without_a_chat(world: World, ada: int) -> None:
    panel = simple_panel(talk="complete", messages=(), text="Once {ask}", stop=("\n",))
    give_lessons(world, lesson(panel))
    practise(world, ada, {"ask": "upon"}, ["hello"], panel="hello")
    (request,) = world.backend.history
    assert (request.text, request.messages) == ("Once upon", ())
    assert request.sampling.stop == ("\n",)


def test_runs_have_limits_of_their_own(world: World, ada: int) -> None:
    world.limit(practices_per_minute=1)
    practise(world, ada, {}, ["hello"], panel="hello")
    with pytest.raises(QuotaExceeded, match="You have used all 1 runs of this minute"):
        begin(world, ada, panel="hello")
    world.say(ada)


def test_an_account_that_goes_meanwhile_leaves_nothing(world: World, ada: int) -> None:
    world.backend.enqueue(*zo())
    run = begin(world, ada, {"examples": ZO})
    next(run)
    accounts.delete_player(world.services, player_id=ada)
    assert [event.name for event in run][-1] == "end"
    assert rows(world) == []


def test_a_run_under_way_shows_no_outcome(world: World, ada: int) -> None:
    run = begin(world, ada)
    (row,) = rows(world)
    assert (row.status, row.result) == (RUNNING, None)
    run.close()


def test_a_run_in_a_queue_says_its_place_before_each_reply(
    world: World, ada: int
) -> None:
    world.backend.queue = 3
    happened = practise(world, ada, {"examples": ZO}, zo(3))
    places = [e.position for e in happened if isinstance(e, events.Queue)]
    assert places == [3, 2, 1] * 3
    # Those who play and those who practise are one crowd: each player has one share.
    world.say(ada)
    assert {request.user for request in world.backend.history} == {f"player-{ada}"}


def test_the_clock_of_the_services_is_used(world: World, ada: int) -> None:
    world.services = replace(world.services, seed=lambda: 0)
    practise(world, ada, {"examples": ZO}, zo(turn=0))
    assert rows(world)[0].samples[0]["values"] == {"word": "lamp"}


@pytest.mark.parametrize("fixed", [0, 5])
def test_a_panel_with_a_seed_of_its_own_asks_the_same_each_time(fixed: int) -> None:
    panel = zo_panel(seed=fixed)
    given = typed(panel, {"examples": ZO})
    one, other = (practice.plan_of(panel, given, seed) for seed in (3, 4))
    assert one.hidden == other.hidden
    assert [r.sampling.seed for r in one.requests] == [
        r.sampling.seed for r in other.requests
    ]


def test_a_reply_is_held_to_the_choices_of_its_panel(world: World) -> None:
    panel = simple_panel(choices=("hello", "goodbye"))
    give_lessons(world, lesson(panel))
    player = world.player()
    happened = practise(world, player, {"ask": "Say hello."}, ["hello"], panel="hello")
    assert told(happened).status == "passed"
    assert world.backend.history[-1].choices == ("hello", "goodbye")
