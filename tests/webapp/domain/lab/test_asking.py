"""Asking in the playground: what is sent, kept, refused and put in its place."""

from __future__ import annotations

from contextlib import closing
from dataclasses import replace

import pytest
from sqlalchemy import select

from tests.kit.world import World
from webapp.domain.generations import events
from webapp.domain.generations.runs import Run
from webapp.domain.lab import asking, chats, playground
from webapp.domain.lab.bench import Bench, Pane, Turn
from webapp.domain.lab.models import models_for
from webapp.domain.people import accounts, classes
from webapp.domain.people.roster import COMMAND
from webapp.domain.teach import concerns
from webapp.errors import BackendError, InvalidInput, NotFound, QuotaExceeded
from webapp.rows import CLASS, PRIVATE, PUBLIC, Generation, TrainedModel

MODEL = "local/smollm2"
BENCH = Bench(message="Hello", panes=(Pane(MODEL),), seed="7")


@pytest.fixture
def ada(world: World) -> int:
    """Return a player."""
    return world.player("Ada")


def run(world: World, player: int, bench: Bench, do: str = "send") -> list[int]:
    """Ask every pane to its end; return the ids of the replies."""
    asked = playground.prepare(world.services, player_id=player, bench=bench, do=do)
    ids = []
    for pane in range(1, len(asked.requests) + 1):
        begun = playground.ask(world.services, player_id=player, asked=asked, pane=pane)
        ids += [event.id for event in begun if isinstance(event, events.Start)]
    return ids


def settle(world: World, player: int, bench: Bench, do: str = "send") -> Bench:
    """Ask every pane, and return the bench with the replies."""
    return playground.settle(
        world.services,
        player_id=player,
        bench=bench,
        do=do,
        runs=run(world, player, bench, do),
    ).bench


def rows(world: World) -> list[Generation]:
    with world.db.read() as session:
        return list(session.scalars(select(Generation).order_by(Generation.id)))


def test_a_reply_becomes_a_turn_and_is_kept(world: World, ada: int) -> None:
    world.backend.enqueue("Good morning.")
    bench = settle(world, ada, BENCH)
    assert bench.turns == (Turn("user", "Hello"), Turn("assistant", "Good morning."))
    assert bench.message == ""
    kept = chats.find(world.services, player_id=ada, chat_id=bench.chat or 0)
    assert kept.bench == bench
    assert kept.line.title == "Hello"
    (row,) = rows(world)
    assert (row.feature, row.status, row.model) == (
        "lab",
        "finished",
        f"{MODEL} (scripted)",
    )
    assert row.prompt == [{"role": "user", "content": "Hello"}]
    assert (row.seed, row.reply) == (7, "Good morning.")
    assert row.settings == {
        "temperature": 0.7,
        "top_p": 1.0,
        "top_k": 0,
        "max_tokens": 120,
        "stop": [],
        "start_reply": "",
        "default_system": True,
        "raw_tokens": False,
    }


def test_the_request_names_every_sampler(world: World, ada: int) -> None:
    run(world, ada, replace(BENCH, stop="End"))
    (sent,) = world.backend.history
    how = sent.sampling
    assert (how.temperature, how.top_p, how.top_k) == (0.7, 1, 0)
    assert (how.max_tokens, how.seed, how.stop) == (120, 7, ("End",))


def test_several_models_get_the_same_list_and_seed(world: World, ada: int) -> None:
    world.backend.enqueue("One.", "Two.", "Three.")
    panes = (Pane(MODEL), Pane("local/scribe", "0"), Pane(MODEL, "1.5"))
    bench = settle(world, ada, replace(BENCH, panes=panes, seed=""))
    sent = world.backend.history
    assert {one.messages[0]["content"] for one in sent} == {"Hello"}
    assert {one.sampling.seed for one in sent} == {7}
    assert [one.sampling.temperature for one in sent] == [0.7, 0, 1.5]
    # None of them is the next turn before somebody chooses.
    assert bench.turns == (Turn("user", "Hello"),)
    assert bench.seed == "7"
    chosen = playground.go_on_with(
        world.services, player_id=ada, bench=bench, run_id=bench.runs[1]
    ).bench
    assert chosen.turns[-1] == Turn("assistant", "Two.")
    assert chosen.runs == (bench.runs[1],)


def test_the_model_goes_on_with_its_reply(world: World, ada: int) -> None:
    world.backend.enqueue(" 56.")
    turns = (Turn("user", "7 × 8?"), Turn("assistant", "It is"))
    bench = settle(world, ada, replace(BENCH, turns=turns, message=""), "carry")
    assert bench.turns[-1] == Turn("assistant", "It is 56.")
    assert world.backend.history[0].start_reply == "It is"


def test_an_empty_reply_leaves_what_was_typed(world: World, ada: int) -> None:
    world.backend.enqueue("")
    bench = settle(world, ada, BENCH)
    assert (bench.message, bench.turns, bench.chat) == ("Hello", (), None)
    (reply,) = playground.replies_of(world.services, player_id=ada, runs=bench.runs)
    assert (reply.status, reply.text) == ("finished", "")


def test_a_model_that_fails_is_kept_and_loses_nothing(world: World, ada: int) -> None:
    world.backend.enqueue(BackendError("The model broke."))
    bench = settle(world, ada, BENCH)
    assert (bench.message, bench.turns) == ("Hello", ())
    (reply,) = playground.replies_of(world.services, player_id=ada, runs=bench.runs)
    assert (reply.status, reply.error) == ("failed", "The model broke.")


def test_somebody_in_distress_is_answered_by_the_site(world: World, ada: int) -> None:
    bench = settle(world, ada, replace(BENCH, message="I want to kill myself"))
    assert world.backend.history == []
    (reply,) = playground.replies_of(world.services, player_id=ada, runs=bench.runs)
    assert reply.is_site
    assert reply.text == world.services.content.current().help_texts.distress
    # In no model's history, and not kept as a conversation; teachers see it.
    (concern,) = concerns.concerns(world.services, actor=COMMAND)
    assert (concern.player_id, concern.message) == (ada, "I want to kill myself")
    assert (bench.turns, bench.message, bench.chat) == ((), "", None)


def test_stopping_keeps_what_was_written(world: World, ada: int) -> None:
    world.backend.enqueue("One two three")
    asked = playground.prepare(world.services, player_id=ada, bench=BENCH, do="send")
    begun = playground.ask(world.services, player_id=ada, asked=asked, pane=1)
    with closing(begun):
        for event in begun:
            if isinstance(event, events.Delta):
                break
    reply = asking.find(world.services, player_id=ada, run_id=begun.id)
    assert (reply.status, reply.text) == ("stopped", "One ")
    bench = playground.settle(
        world.services, player_id=ada, bench=BENCH, do="send", runs=[begun.id]
    ).bench
    assert bench.turns[-1] == Turn("assistant", "One ")


def test_two_tabs_share_what_one_player_may_run(world: World, ada: int) -> None:
    world.limit(running_per_player=2)
    asked = playground.prepare(world.services, player_id=ada, bench=BENCH, do="send")

    def begin() -> Run:
        return playground.ask(world.services, player_id=ada, asked=asked, pane=1)

    first, second = begin(), begin()
    with pytest.raises(QuotaExceeded, match="still being answered"):
        begin()
    list(first)
    second.close()
    assert [row.status for row in rows(world)] == ["finished", "stopped"]


def test_the_lab_has_quotas_of_its_own(world: World, ada: int) -> None:
    world.limit(lab_runs_per_minute=1)
    run(world, ada, BENCH)
    with pytest.raises(QuotaExceeded, match="all 1 runs in the lab of this minute"):
        run(world, ada, BENCH)
    assert len(rows(world)) == 1


def test_a_reply_is_its_owners(world: World, ada: int) -> None:
    (number,) = run(world, ada, BENCH)
    bob = world.player("Bob")
    for wrong in (number, 2**70, 0):
        with pytest.raises(NotFound, match="no such reply"):
            asking.find(world.services, player_id=bob, run_id=wrong)
    world.say(ada, "Hello")
    with pytest.raises(NotFound):
        # An attempt at a gate is none of the lab's.
        asking.find(world.services, player_id=ada, run_id=number + 1)


def test_only_models_of_the_list_are_asked(world: World, ada: int) -> None:
    for name in ("local/nothing", "", "local/gate", "local/minilm"):
        with pytest.raises(InvalidInput, match="There is no model"):
            run(world, ada, replace(BENCH, panes=(Pane(name),)))
    assert rows(world) == []


def test_there_is_no_fifth_pane(world: World, ada: int) -> None:
    asked = playground.prepare(world.services, player_id=ada, bench=BENCH, do="send")
    for pane in (0, 2):
        with pytest.raises(InvalidInput, match="no such pane"):
            playground.ask(world.services, player_id=ada, asked=asked, pane=pane)


@pytest.fixture
def trained(world: World) -> int:
    """Return the owner of a model that the sidecar serves as scribe."""
    code = classes.add_class(world.services, name="10b").join_code
    owner = accounts.create_player(world.services, name="Eve", class_code=code)
    with world.db.write() as session:
        session.add(
            TrainedModel(
                player_id=owner.player_id,
                form="a form",
                name="scribe",
                title="Soup",
                base="smollm2",
                status="finished",
                settings={},
                created_at=world.services.now(),
            )
        )
    return owner.player_id


def badges(world: World, player: int | None) -> dict[str, str]:
    found = models_for(world.services, player_id=player)
    return {one.title: one.badge for one in found}


@pytest.mark.parametrize(
    ("visibility", "of_class", "of_all"),
    [(PRIVATE, None, None), (CLASS, "Eve", None), (PUBLIC, "Eve", "Eve")],
)
def test_a_trained_model_is_listed_for_those_who_may_open_it(
    world: World, trained: int, visibility: str, of_class: str, of_all: str
) -> None:
    with world.db.write() as session:
        session.scalars(select(TrainedModel)).one().visibility = visibility
    code = classes.join_code(world.services, name="10b")
    mate = accounts.create_player(world.services, name="Bob", class_code=code).player_id
    stranger = world.player("Cyd")
    assert badges(world, trained)["Soup"] == "trained by you"
    for player, owner in ((mate, of_class), (stranger, of_all), (None, of_all)):
        found = badges(world, player)
        assert found.get("Soup") == (owner and f"trained by {owner}")
        # Its bare name is not there either.
        assert set(found) - {"Soup"} == {"warden", "smollm2"}
    if of_all is None:
        with pytest.raises(InvalidInput, match="There is no model"):
            run(world, stranger, replace(BENCH, panes=(Pane("local/scribe"),)))


def test_the_template_is_shown_and_can_be_changed_as_text(
    world: World, ada: int
) -> None:
    bench = replace(BENCH, system="own", system_text="Be kind.")
    found = playground.rendered(world.services, player_id=ada, bench=bench)
    assert found.text == "<system>Be kind.<user>Hello<assistant>"
    assert len(found.ids) == len(found.pieces) == 6
    assert world.backend.history == []
    raw = playground.as_raw_text(world.services, player_id=ada, bench=bench)
    assert (raw.mode, raw.text, raw.with_marks) == ("text", found.text, True)
    run(world, ada, raw)
    (sent,) = world.backend.history
    assert (sent.text, sent.raw_tokens) == (found.text, True)
