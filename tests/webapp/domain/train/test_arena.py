"""The arena: blind, each pair once, nobody judges their own, what votes add up to."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

import pytest
from sqlalchemy import func, select

from tests.kit.judging import Speakers, add_model, with_speakers
from tests.kit.world import World
from webapp.domain.people import classes
from webapp.domain.train import arena, duels, models
from webapp.errors import (
    BackendError,
    BackendOverloaded,
    Conflict,
    InvalidInput,
    NotFound,
)
from webapp.rows import CLASS, PRIVATE, PUBLIC, Duel

NAMES = ("soup", "bread", "salad")


@pytest.fixture
def speakers() -> Speakers:
    found = Speakers()
    for name in NAMES:
        found.says[name].append(f"text of number {NAMES.index(name)}")
    return found


@pytest.fixture
def world(world: World, speakers: Speakers) -> World:
    world.services = with_speakers(world.services, speakers, *NAMES)
    world.limit(model_prompts_per_minute=1000)
    return world


@pytest.fixture
def code(world: World) -> str:
    return classes.add_class(world.services, name="10b").join_code


@pytest.fixture
def ada(world: World, code: str) -> int:
    """Return who made all models of the class."""
    player = world.player("Ada", class_code=code)
    for name in NAMES:
        add_model(
            world.services, player, name, visibility=CLASS, prompt=f"Let us make {name}"
        )
    return player


@pytest.fixture
def bob(world: World, code: str, ada: int) -> int:
    return world.player("Bob", class_code=code)


def duel(world: World, player: int) -> duels.DuelView:
    duels.next_duel(world.services, player_id=player)
    found = arena.arena(world.services, player_id=player).duel
    assert found is not None
    return found


def vote(world: World, player: int, duel_id: int, verdict: str) -> None:
    duels.vote(world.services, player_id=player, duel_id=duel_id, verdict=verdict)


def test_two_models_write_to_one_prompt_with_one_seed_and_nobody_is_named(
    world: World, bob: int, speakers: Speakers
) -> None:
    seen = duel(world, bob)
    first, second = speakers.history
    assert first.text == second.text == seen.prompt
    assert first.sampling.seed == second.sampling.seed == 7
    assert seen.fighters is None
    assert seen.verdict is None
    named = {f"Let us make {model}" for model in (first.model, second.model)}
    assert seen.prompt in named
    assert seen.replies == tuple(
        f"text of number {NAMES.index(r.model)}" for r in (first, second)
    )


def test_after_the_vote_it_is_told_and_counts(world: World, bob: int) -> None:
    seen = duel(world, bob)
    vote(world, bob, seen.id, "left")
    told = duels.told(world.services, player_id=bob, duel_id=seen.id)
    assert told.verdict == "left"
    assert told.fighters is not None
    left, right = told.fighters
    assert seen.replies[0].endswith(str(NAMES.index(left.run.name or "")))
    assert left.owner == "Ada"
    after = arena.arena(world.services, player_id=bob)
    assert after.duel is None
    assert (after.votes, after.left, after.class_name) == (1, 2, "10b")
    assert after.standings[0].fighter.run.name == left.run.name
    rating = after.standings[0].rating
    assert rating is not None
    assert (rating.won, rating.lost) == (1, 0)
    (tally,) = after.tallies
    names = {tally.first.run.name: tally.won, tally.second.run.name: tally.lost}
    assert names == {left.run.name: 1, right.run.name: 0}


def test_a_pair_is_judged_once_and_then_the_next_one_comes(
    world: World, bob: int
) -> None:
    pairs = set()
    for _ in range(3):
        seen = duel(world, bob)
        with world.db.read() as session:
            row = session.get_one(Duel, seen.id)
            pairs.add((row.low_id, row.high_id))
        vote(world, bob, seen.id, "even")
        with pytest.raises(Conflict, match="each pair comes once"):
            vote(world, bob, seen.id, "right")
    assert len(pairs) == 3
    with pytest.raises(Conflict, match="no pair of models left"):
        duels.next_duel(world.services, player_id=bob)
    assert arena.arena(world.services, player_id=bob).left == 0


def test_a_skipped_pair_counts_for_nobody_and_does_not_come_again(
    world: World, bob: int
) -> None:
    vote(world, bob, duel(world, bob).id, "skipped")
    after = arena.arena(world.services, player_id=bob)
    assert (after.votes, after.left) == (0, 2)
    assert all(standing.rating is None for standing in after.standings)


def test_asking_for_the_next_while_one_is_open_gives_the_same(
    world: World, bob: int, speakers: Speakers
) -> None:
    first = duels.next_duel(world.services, player_id=bob)
    assert duels.next_duel(world.services, player_id=bob) == first
    assert len(speakers.history) == 2


def test_nobody_judges_what_they_made(world: World, ada: int, code: str) -> None:
    with pytest.raises(Conflict):
        duels.next_duel(world.services, player_id=ada)
    cid = world.player("Cid", class_code=code)
    models.set_visibility(
        world.services, player_id=ada, name="salad", visibility=PRIVATE
    )
    add_model(world.services, cid, "stew", visibility=CLASS)
    assert arena.arena(world.services, player_id=cid).left == 1
    assert arena.arena(world.services, player_id=ada).left == 0


def test_private_models_and_those_of_other_classes_are_not_there(
    world: World, ada: int, bob: int
) -> None:
    other = classes.add_class(world.services, name="11a").join_code
    eve = world.player("Eve", class_code=other)
    guest = world.player("Guest")
    for player in (eve, guest, None):
        assert arena.arena(world.services, player_id=player).standings == ()
    models.set_visibility(world.services, player_id=ada, name="soup", visibility=PUBLIC)
    for player in (eve, guest, None):
        shown = arena.arena(world.services, player_id=player).standings
        assert [s.fighter.run.name for s in shown] == ["soup"]


def test_votes_of_another_class_do_not_count_here(
    world: World, ada: int, bob: int
) -> None:
    for name in NAMES:
        models.set_visibility(
            world.services, player_id=ada, name=name, visibility=PUBLIC
        )
    guest = world.player("Guest")
    vote(world, guest, duel(world, guest).id, "left")
    assert arena.arena(world.services, player_id=bob).votes == 0
    assert arena.arena(world.services, player_id=guest).votes == 1
    vote(world, bob, duel(world, bob).id, "left")
    assert arena.arena(world.services, player_id=bob).votes == 1
    assert arena.arena(world.services, player_id=guest).votes == 2


def test_a_model_that_cannot_be_asked_is_not_named_and_the_pair_is_let_go(
    world: World, bob: int, speakers: Speakers
) -> None:
    speakers.enqueue(*[BackendOverloaded("soup is busy")] * 3)
    with pytest.raises(BackendError, match="One of the two") as caught:
        duels.next_duel(world.services, player_id=bob)
    assert "soup" not in caught.value.message
    with world.db.read() as session:
        assert session.scalar(select(func.count()).select_from(Duel)) == 0
    assert duel(world, bob)


def test_a_duel_whose_model_is_not_shown_any_more_is_replaced(
    world: World, ada: int, bob: int
) -> None:
    seen = duel(world, bob)
    with world.db.read() as session:
        row = session.get_one(Duel, seen.id)
        low = row.low_id
    name = NAMES[low - 1]
    models.set_visibility(world.services, player_id=ada, name=name, visibility=PRIVATE)
    assert arena.arena(world.services, player_id=bob).duel is None
    again = duel(world, bob)
    with world.db.read() as session:
        row = session.get_one(Duel, again.id)
    assert low not in (row.low_id, row.high_id)


def test_others_cannot_vote_or_look_and_verdicts_are_those_there_are(
    world: World, ada: int, bob: int
) -> None:
    seen = duel(world, bob)
    with pytest.raises(NotFound):
        vote(world, ada, seen.id, "left")
    with pytest.raises(NotFound):
        duels.told(world.services, player_id=ada, duel_id=seen.id)
    for number in (0, 2**40):
        with pytest.raises(NotFound):
            vote(world, bob, number, "left")
    with pytest.raises(InvalidInput):
        vote(world, bob, seen.id, "soup")


def test_the_side_is_drawn(world: World, ada: int, code: str) -> None:
    for number in range(12):
        world.services = replace(world.services, seed=partial(int, number))
        player = world.player(f"Voter {number}", class_code=code)
        duels.next_duel(world.services, player_id=player)
    with world.db.read() as session:
        sides = set(session.scalars(select(Duel.is_swapped)))
    assert sides == {True, False}
