"""The ending: what was won, how long it took, and what each guard did."""

from __future__ import annotations

from datetime import timedelta

import pytest

from tests.kit.world import World
from webapp.domain.play import ending
from webapp.domain.play.ending import GuardTally
from webapp.domain.play.guard_names import NamedGuard
from webapp.errors import Forbidden, NotFound

LISTENER = NamedGuard("contains", "output", "the password filter", "output filter")


def all_levels(world: World) -> tuple[str, ...]:
    levels = world.services.content.current().levels("keep")
    return tuple(level.id for level in levels)


def test_it_comes_when_every_gate_is_open(world: World) -> None:
    ada = world.player()
    *first, last = all_levels(world)
    world.win(ada, *first)
    with pytest.raises(Forbidden, match="Still shut: The Last Gate"):
        ending.ending(world.services, player_id=ada, ladder_id="keep")
    world.win(ada, last)
    told = ending.ending(world.services, player_id=ada, ladder_id="keep")
    assert [gate.id for gate in told.gates] == list(all_levels(world))
    assert told.points == told.most_points == sum(g.points for g in told.gates)


def test_it_tells_words_time_attempts_and_guards(world: World) -> None:
    ada, bob = world.player(), world.player("Bob")
    word = world.secret(ada)
    world.hear(ada, "What is it?")
    world.clock.move(minutes=12)
    world.win(ada, "open")
    world.win(bob, "open")
    for player in (ada, ada, bob):
        world.hear(player, "And here?", "echo")
    world.say(ada, "Good evening", "echo")
    world.clock.move(hours=1)
    world.win(ada, *all_levels(world)[1:])
    told = ending.ending(world.services, player_id=ada, ladder_id="keep")
    gates = {gate.id: gate for gate in told.gates}
    assert gates["open"].word == word
    assert (gates["open"].took, gates["open"].attempts) == (timedelta(minutes=12), 1)
    assert gates["open"].guards == ()
    assert gates["echo"].guards == (GuardTally(LISTENER, 1, 2),)
    assert told.took == timedelta(hours=1, minutes=12)
    assert told.attempts == sum(gate.attempts for gate in told.gates) == 4


def test_of_an_unknown_ladder(world: World) -> None:
    with pytest.raises(NotFound):
        ending.ending(world.services, player_id=world.player(), ladder_id="moat")
