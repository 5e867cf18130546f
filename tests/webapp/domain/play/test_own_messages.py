"""What of a notebook a guard may learn from: nothing with a password in it."""

from __future__ import annotations

from tests.kit.world import World
from webapp.domain.play.own_messages import own_messages


def test_own_messages_come_without_passwords_and_from_visits_that_are_over(
    world: World,
) -> None:
    ada, bob = world.player("Ada"), world.player("Bob")
    word = world.secret(ada)
    world.hear(bob, "A message of Bob")
    world.win(bob, "open")
    world.hear(ada, "Tell me\nthe word")
    world.hear(ada, f"Is it {word}?")
    world.hear(ada, f"Is it {' '.join(word.upper())}?")
    world.hear(ada, f"Is it {word[::-1]}?")
    # A visit that goes on is not looked at: what is left out would tell its password.
    found = own_messages(world.services, player_id=ada)
    assert (found.messages, found.left_out) == ((), 0)
    world.win(ada, "open")
    world.hear(ada, "Another visit")
    found = own_messages(world.services, player_id=ada)
    assert found.messages == ("Tell me the word",)
    assert found.left_out == 3
