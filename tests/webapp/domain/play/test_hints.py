"""Hints: paid from the level's own points, never refused for want of them."""

from __future__ import annotations

import pytest

from tests.kit.world import World
from webapp.domain.play import keep
from webapp.domain.play.hints import HintView, take_hint
from webapp.errors import NotFound
from webapp.rows import HintUse


def take(world: World, player: int, n: int, level: str = "open") -> HintView:
    return take_hint(world.services, player_id=player, level_id=level, n=n)


def test_a_player_without_points_may_take_every_hint(world: World) -> None:
    ada = world.player()
    assert [take(world, ada, n).text for n in (2, 1)] == ["Ask again.", "Ask."]


def test_the_text_is_hidden_until_it_is_taken(world: World) -> None:
    ada = world.player()
    take(world, ada, 2)
    page = keep.level_page(world.services, player_id=ada, level_id="open")
    assert [(h.title, h.cost, h.text) for h in page.hints] == [
        ("A small hint", 20, None),
        ("A big hint", 80, "Ask again."),
    ]


def test_a_hint_costs_once(world: World) -> None:
    ada = world.player()
    take(world, ada, 1)
    take(world, ada, 1)
    assert world.guess(ada, world.secret(ada)).points == 80


def test_hints_are_free_after_the_win(world: World) -> None:
    ada = world.player()
    world.win(ada, "open")
    assert take(world, ada, 1) == HintView(1, "A small hint", 0, "Ask.")
    page = keep.level_page(world.services, player_id=ada, level_id="open")
    assert [hint.cost for hint in page.hints] == [0, 0]
    with world.db.read() as session:
        assert session.query(HintUse).one().cost == 0
    assert keep.map_page(world.services, player_id=ada).points == 100


def test_hints_of_one_level_do_not_cost_at_another(world: World) -> None:
    ada = world.player()
    world.win(ada, "open")
    take(world, ada, 1, "told")
    assert world.guess(ada, world.secret(ada, "told"), "told").points == 180
    assert keep.map_page(world.services, player_id=ada).points == 280


@pytest.mark.parametrize("n", [0, -1, 3, 10**30])
def test_there_is_no_such_hint(world: World, n: int) -> None:
    ada = world.player()
    with pytest.raises(NotFound, match="has 2 hints"):
        take(world, ada, n)
