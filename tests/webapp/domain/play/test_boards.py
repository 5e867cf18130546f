"""The leaderboard: its order, its ties, and who is on it."""

from __future__ import annotations

import pytest

from tests.kit.world import World, counted_queries
from webapp.domain.people import accounts, classes
from webapp.domain.play import keep, leaderboard, notebook
from webapp.domain.play.leaderboard import Best
from webapp.errors import Forbidden


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
    world.say(ada)
    world.win(ada, "open")
    world.clock.move(minutes=1)
    world.say(bob)
    world.win(bob, "open")
    assert aliases(world) == ["Bob", "Ada"]


def test_a_win_without_a_message_is_the_last_of_its_points(world: World) -> None:
    guesser, ada, ace = (world.player(n) for n in ("Guesser", "Ada", "Ace"))
    world.win(guesser, "open")
    for player, tries in ((ada, 9), (ace, 1)):
        for _ in range(tries):
            world.say(player)
        world.win(player, "open")
    assert aliases(world) == ["Ace", "Ada", "Guesser"]
    world.win(guesser, "told")
    assert aliases(world)[0] == "Guesser"


def test_staff_play_outside_the_board(world: World) -> None:
    teacher = world.player("Ms Gray", role="instructor")
    cards = keep.level_states(world.services, player_id=teacher)
    assert {card.state for card in cards} == {"open"}
    assert keep.map_page(world.services, player_id=teacher).levels == cards
    for level in ("last", "open"):
        keep.level_page(world.services, player_id=teacher, level_id=level)
        world.say(teacher, "Hello", level)
        world.win(teacher, level)
    board = leaderboard.board(world.services)
    assert board.rows == ()
    assert {(best.winners, best.fewest) for best in board.levels} == {(0, None)}


def test_a_new_season_starts_at_zero(world: World) -> None:
    new = classes.add_class(world.services, name="7b")
    ada, bob = world.player("Ada", class_code=new.join_code), world.player("Bob")
    for player in (ada, bob):
        world.say(player)
        world.win(player, "open", "told")
    before = leaderboard.board(world.services, class_id=new.id).rows
    classes.start_season(world.services, name="7b")
    assert aliases(world) == ["Bob"]
    assert keep.map_page(world.services, player_id=ada).points == 0
    with pytest.raises(Forbidden):
        world.say(ada, "Hello", "told")
    assert leaderboard.past_seasons(world.services, class_id=new.id) == (1,)
    past = leaderboard.board(world.services, class_id=new.id, season=1)
    assert past.rows == before
    world.win(ada, "open")
    now = leaderboard.board(world.services, class_id=new.id).rows
    assert [(row.alias, row.points, row.attempts) for row in now] == [("Ada", 100, 0)]
    kept = accounts.profile(world.services, player_id=ada)["solves"]
    assert [solve.get("past_season") for solve in kept] == [1, 1, None]


def test_what_was_shown_after_a_win_waits_for_the_next_win(world: World) -> None:
    """A reply of the new season may hold its password."""
    ada = world.player()
    world.win(ada, "open")
    world.backend.enqueue(f"It is {world.secret(ada, 'echo')}.")
    world.say(ada, "Hello", "echo")
    world.win(ada, "echo")
    assert notebook.search(world.services, player_id=ada).items[0].reply is not None
    classes.start_season(world.services, name=classes.OPEN_CLASS)
    assert notebook.search(world.services, player_id=ada).items[0].reply is None


def test_the_earlier_win_breaks_the_next_tie(world: World) -> None:
    ada, bob = world.player("Ada"), world.player("Bob")
    world.win(bob, "open")
    world.clock.move(seconds=1)
    world.win(ada, "open")
    assert aliases(world) == ["Bob", "Ada"]


def test_players_who_are_equal_in_everything_share_a_rank(world: World) -> None:
    ada, bob, eve = (world.player(name) for name in ("Ada", "Bob", "Eve"))
    world.win(bob, "open")
    world.win(ada, "open")
    world.clock.move(seconds=1)
    world.win(eve, "open")
    rows = leaderboard.board(world.services).rows
    shown = [(row.alias, row.place, row.rank, row.sharing) for row in rows]
    assert shown == [("Ada", 1, 1, 2), ("Bob", 2, 1, 2), ("Eve", 3, 3, 1)]


def test_a_long_board_has_pages_and_says_where_i_am(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(leaderboard, "PAGE_ROWS", 2)
    players = [world.player(f"Player {n}") for n in range(5)]
    for player in players:
        world.win(player, "open")
        world.clock.move(seconds=1)
    versions = set()
    for page, ranks in ((1, [1, 2]), (2, [3, 4]), (3, [5])):
        board = leaderboard.board(world.services, page=page, viewer_id=players[3])
        assert [row.rank for row in board.rows] == ranks
        assert (board.page, board.pages, board.players) == (page, 3, 5)
        assert board.mine is not None
        assert (board.mine.alias, board.mine.rank, board.mine.page) == (
            "Player 3",
            4,
            2,
        )
        versions.add(board.version)
    assert len(versions) == 3
    for nowhere in (-1, 0, 4, 10**30):
        board = leaderboard.board(world.services, page=nowhere)
        assert (board.page, [row.rank for row in board.rows]) == (1, [1, 2])
        assert board.mine is None


def test_an_open_page_is_drawn_again_on_the_next_day(world: World) -> None:
    world.win(world.player(), "open")
    before = leaderboard.board(world.services)
    world.clock.move(days=1)
    after = leaderboard.board(world.services)
    assert (after.rows, after.levels) == (before.rows, before.levels)
    assert after.version != before.version


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
    world.hear(ada, "a long message")
    world.say(bob, "a first try")
    world.hear(bob, "short")
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
            leaderboard.board(world.services, page=1, viewer_id=player)
        counts.append(len(queries))
    assert len(set(counts)) == 1
