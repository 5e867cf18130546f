"""The leaderboard: its order, its ties, and who is on it."""

from __future__ import annotations

from tests.kit.world import World, counted_queries
from webapp.domain.people import accounts, classes
from webapp.domain.play import leaderboard
from webapp.domain.play.leaderboard import Best


def aliases(world: World, class_id: int | None = None) -> list[str]:
    board = leaderboard.board(world.services, class_id=class_id)
    return [row.alias for row in board.rows]


def test_more_points_first(world: World) -> None:
    ada, bob = world.player("Ada"), world.player("Bob")
    world.win(ada, "open")
    world.win(bob, "open", "told")
    board = leaderboard.board(world.services)
    assert [(r.rank, r.alias, r.points, r.solved) for r in board.rows] == [
        (1, "Bob", 300, 2),
        (2, "Ada", 100, 1),
    ]


def test_fewer_attempts_break_a_tie(world: World) -> None:
    ada, bob = world.player("Ada"), world.player("Bob")
    world.say(ada)
    world.win(ada, "open")
    world.clock.move(minutes=1)
    world.win(bob, "open")
    assert aliases(world) == ["Bob", "Ada"]


def test_the_earlier_win_breaks_the_next_tie(world: World) -> None:
    ada, bob = world.player("Ada"), world.player("Bob")
    world.win(bob, "open")
    world.clock.move(seconds=1)
    world.win(ada, "open")
    assert aliases(world) == ["Bob", "Ada"]


def test_the_earlier_sign_up_breaks_the_last_tie(world: World) -> None:
    ada, bob = world.player("Ada"), world.player("Bob")
    world.win(bob, "open")
    world.win(ada, "open")
    assert aliases(world) == ["Ada", "Bob"]


def test_players_without_a_win_are_not_on_it(world: World) -> None:
    world.player("Ada")
    assert aliases(world) == []


def test_aliases_and_unlisted_players(world: World) -> None:
    ada, bob = world.player("Ada"), world.player("Bob")
    world.win(ada, "open")
    world.win(bob, "open")
    accounts.set_alias(world.services, player_id=ada, alias="Countess", is_listed=True)
    accounts.set_alias(world.services, player_id=bob, alias="", is_listed=False)
    assert aliases(world) == ["Countess"]
    board = leaderboard.board(world.services)
    assert board.levels[0].winners == 1
    accounts.set_alias(world.services, player_id=ada, alias=" ", is_listed=True)
    assert aliases(world) == ["Ada"]


def test_the_board_of_one_class(world: World) -> None:
    new = classes.add_class(world.services, name="7b")
    ada, bob = world.player("Ada"), world.player("Bob", class_code=new.join_code)
    world.win(ada, "open")
    world.win(bob, "open")
    assert aliases(world, new.id) == ["Bob"]
    assert sorted(aliases(world)) == ["Ada", "Bob"]


def test_best_wins_per_level(world: World) -> None:
    ada, bob, eve = (world.player(n) for n in ("Ada", "Bob", "Eve"))
    world.say(ada, "a long message")
    world.say(bob, "a first try")
    world.say(bob, "short")
    for player in (ada, bob, eve):
        world.win(player, "open")
    best = leaderboard.board(world.services).levels[0]
    assert best.winners == 3
    assert best.fewest == Best(1, "Ada")
    assert best.shortest == Best(5, "Bob")


def test_attempts_after_the_win_change_nothing(world: World) -> None:
    ada = world.player("Ada")
    world.say(ada)
    world.win(ada, "open")
    before = leaderboard.board(world.services)
    world.say(ada)
    assert leaderboard.board(world.services) == before


def test_the_version_changes_with_the_board(world: World) -> None:
    ada = world.player("Ada")
    versions = [leaderboard.board(world.services).version]
    world.win(ada, "open")
    versions.append(leaderboard.board(world.services).version)
    accounts.set_alias(world.services, player_id=ada, alias="Countess", is_listed=True)
    versions.append(leaderboard.board(world.services).version)
    assert len(set(versions)) == 3
    assert leaderboard.board(world.services).version == versions[-1]


def test_the_board_takes_the_same_queries_for_any_number(world: World) -> None:
    counts = []
    for name in ("Ada", "Bob", "Eve"):
        player = world.player(name)
        world.say(player)
        world.win(player, "open")
        with counted_queries(world.db) as queries:
            leaderboard.board(world.services)
        counts.append(len(queries))
    assert len(set(counts)) == 1
