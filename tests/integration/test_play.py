"""The game under many hands at once, on each kind of database."""

from __future__ import annotations

import json
import threading
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

import pytest
from sqlalchemy import select

from tests.kit.content import LEVEL_IDS, WORDS
from tests.kit.world import World, counted_queries
from webapp.domain.people import accounts, classes, joining
from webapp.domain.play import evidence, hints, keep, leaderboard, notebook, visits
from webapp.domain.play.guessing import GuessOutcome
from webapp.errors import Conflict, InvalidInput, LabError, QuotaExceeded
from webapp.rows import (
    FINISHED,
    Attempt,
    Guess,
    HintUse,
    LevelVersion,
    Solve,
    Usage,
    Visit,
)
from webapp.views.play import downloads

T = TypeVar("T")


def at_once(calls: Sequence[Callable[[], T]]) -> list[T | LabError]:
    """Make all calls at the same moment; return results and errors of the lab."""
    gate = threading.Barrier(len(calls))

    def make(call: Callable[[], T]) -> T | LabError:
        gate.wait()
        try:
            return call()
        except LabError as error:
            return error

    with ThreadPoolExecutor(len(calls)) as pool:
        return list(pool.map(make, calls))


def test_a_form_that_joins_twice_at_once_makes_one_player(world: World) -> None:
    made = at_once(
        [
            lambda: joining.join(world.services, form="a form", name="Ada")
            for _ in range(8)
        ]
    )
    assert len(set(made)) == 1
    (first, *_) = made
    assert isinstance(first, accounts.NewPlayer)
    assert first.player_id == accounts.recover(world.services, code=first.recovery_code)


def test_a_whole_game(world: World) -> None:
    ada = world.player()
    assert world.secret(ada) in str(world.reply(ada, "What is the password?").text)
    for level in LEVEL_IDS:
        world.say(ada, "Hello", level)
        world.win(ada, level)
    page = keep.map_page(world.services, player_id=ada)
    assert (page.solved, page.points) == (8, 900)
    assert page.next_open is None
    (row,) = leaderboard.board(world.services).rows
    assert (row.points, row.solved, row.attempts) == (900, 8, 9)
    lines = list(downloads.jsonl(world.services, player_id=ada))
    assert [json.loads(line)["level"] for line in lines][:2] == ["last", "wary"]
    found = notebook.search(world.services, player_id=ada, query="HELLO")
    assert len(found.items) == 8
    accounts.delete_player(world.services, player_id=ada)
    assert leaderboard.board(world.services).rows == ()


def test_fifty_guesses_at_once(world: World) -> None:
    ada = world.player()
    world.secret(ada)
    words = [f"{word}x" for word in WORDS[:50]]
    outcomes = at_once([lambda w=w: world.guess(ada, w) for w in words])  # type: ignore[misc]
    assert all(isinstance(o, GuessOutcome) and not o.correct for o in outcomes)
    found = [(v.wrong_guesses, v.ended_why) for v in world.visits(ada)]
    assert found == [(15, "guesses")] * 3 + [(5, None)]
    lefts = Counter(o.guesses_left for o in outcomes if isinstance(o, GuessOutcome))
    assert lefts[0] == 3


def test_the_same_wrong_word_fifty_times_at_once(world: World) -> None:
    ada = world.player()
    at_once([lambda: world.guess(ada, "nothing")] * 50)
    (visit,) = world.visits(ada)
    assert visit.wrong_guesses == 1


def test_the_right_word_fifty_times_at_once(world: World) -> None:
    ada = world.player()
    secret = world.secret(ada)
    outcomes = at_once([lambda: world.guess(ada, secret)] * 50)
    points = [o.points for o in outcomes if isinstance(o, GuessOutcome)]
    assert sorted(points) == [0] * 49 + [100]
    assert all(o.correct for o in outcomes if isinstance(o, GuessOutcome))
    with world.db.read() as session:
        assert len(session.scalars(select(Solve)).all()) == 1
        assert len(session.scalars(select(Guess)).all()) == 1


def test_a_guess_quota_is_exact(world: World) -> None:
    world.limit(guesses_per_minute=7)
    ada = world.player()
    outcomes = at_once([lambda w=w: world.guess(ada, w) for w in WORDS[:20]])  # type: ignore[misc]
    refused = [o for o in outcomes if isinstance(o, QuotaExceeded)]
    assert len(refused) == 13
    assert {o.scope for o in refused} == {"player/minute"}


def test_messages_at_once_keep_to_the_limit(world: World) -> None:
    ada = world.player()
    runs = at_once([lambda: world.begin(ada, "Hello")] * 10)
    begun = [run for run in runs if not isinstance(run, LabError)]
    refused = [error for error in runs if isinstance(error, QuotaExceeded)]
    assert (len(begun), len(refused)) == (2, 8)
    for run in begun:
        list(run)
    assert [row.status for row in world.attempts(ada)] == [FINISHED] * 2
    assert len(world.visits(ada)) == 1


def test_the_first_messages_of_a_class_at_once(world: World) -> None:
    names = [f"Player {n}" for n in range(12)]
    code = classes.add_class(world.services, name="10b").join_code
    join = [lambda n=n: world.player(n, class_code=code) for n in names]
    players = at_once(join)
    assert not [p for p in players if isinstance(p, LabError)]
    said = at_once([lambda p=p: world.say(p) for p in players])  # type: ignore[misc]
    assert not [s for s in said if isinstance(s, LabError)]
    with world.db.read() as session:
        assert len(session.scalars(select(LevelVersion)).all()) == 1
        used = {row.scope: row.count for row in session.scalars(select(Usage))}
        rows = session.scalars(select(Attempt)).all()
    assert [n for scope, n in used.items() if "attempts:class:" in scope] == [12]
    assert Counter(row.status for row in rows) == {FINISHED: 12}


def test_a_class_quota_is_exact(world: World) -> None:
    world.limit(class_attempts_per_hour=5)
    code = classes.add_class(world.services, name="10b").join_code
    players = [world.player(f"Player {n}", class_code=code) for n in range(12)]
    said = at_once([lambda p=p: world.say(p) for p in players])  # type: ignore[misc]
    refused = [s for s in said if isinstance(s, QuotaExceeded)]
    assert len(refused) == 7
    assert {error.scope for error in refused} == {"class/hour"}


def test_one_nickname_at_once(world: World) -> None:
    found = at_once([lambda: world.player("Ada")] * 10)
    taken = [error for error in found if isinstance(error, Conflict)]
    assert len(taken) == 9
    assert {error.code for error in taken} == {"name_taken"}


def test_one_hint_at_once(world: World) -> None:
    ada = world.player()

    def take() -> object:
        return hints.take_hint(world.services, player_id=ada, level_id="open", n=1)

    at_once([take] * 10)
    with world.db.read() as session:
        assert len(session.scalars(select(HintUse)).all()) == 1
    assert world.guess(ada, world.secret(ada)).points == 80


def test_reset_and_guess_at_once_leave_one_open_visit(world: World) -> None:
    ada = world.player()
    world.secret(ada)

    def reset() -> None:
        visits.reset(world.services, player_id=ada, level_id="open")

    calls: list[Callable[[], object]] = [reset, lambda: world.guess(ada, "nothing")]
    at_once(calls * 10)
    world.secret(ada)
    with world.db.read() as session:
        rows = session.scalars(select(Visit).order_by(Visit.number)).all()
    assert [row.number for row in rows] == list(range(1, len(rows) + 1))
    assert [row.ended_at is None for row in rows].count(True) == 1


def test_players_who_swap_passwords_at_once(world: World) -> None:
    players = [world.player(f"Player {n}") for n in range(6)]
    secrets = [world.secret(player) for player in players]
    calls = [
        lambda p=p, s=s: world.guess(p, s)
        for p in players
        for s in secrets
        if s != world.secret(p)
    ]
    outcomes = at_once(calls)
    assert not [o for o in outcomes if isinstance(o, LabError)]
    assert len(evidence.shared_guesses(world.services, class_id=1)) == 30


def test_deleting_in_the_middle_of_a_reply(world: World) -> None:
    ada = world.player()
    run = world.begin(ada, "Hello")
    next(run)
    accounts.delete_player(world.services, player_id=ada)
    assert [event.name for event in run][-1] == "end"


def test_text_that_a_database_might_refuse(world: World) -> None:
    ada = world.player()
    world.backend.enqueue("nul \0 half \ud83d 👻", "x" * 100_000)
    assert world.reply(ada, "👻 \u202e مرحبا").text == "nul \ufffd half ? 👻"
    assert len(str(world.reply(ada, "again").text)) == 100_000
    for bad in ("a\0b", "\ud83d"):
        with pytest.raises(InvalidInput):
            notebook.search(world.services, player_id=ada, query=bad)
    with pytest.raises(InvalidInput):
        world.guess(ada, "a\0b")
    assert notebook.search(world.services, player_id=ada, before=10**30).items


def test_a_board_ranks_the_same_way_on_each_database(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(leaderboard, "PAGE_ROWS", 3)
    players = [world.player(f"Player {n}") for n in range(5)]
    for player in players[:4]:
        world.win(player, "open")
    world.say(players[4])
    world.win(players[4], "open")
    shown = [
        (row.alias, row.place, row.rank, row.sharing, row.points, row.attempts)
        for page in (1, 2)
        for row in leaderboard.board(world.services, page=page).rows
    ]
    guessed = [(f"Player {n}", n + 2, 2, 4, 100, 0) for n in range(4)]
    assert shown == [("Player 4", 1, 1, 1, 100, 1), *guessed]
    mine = leaderboard.board(world.services, viewer_id=players[3]).mine
    assert mine is not None
    assert (mine.rank, mine.page) == (2, 2)


def test_pages_take_the_same_queries_for_any_number(world: World) -> None:
    players = [world.player(f"Player {n}") for n in range(3)]
    counts = []
    for player in players:
        world.say(player)
        world.say(player)
        world.win(player, "open")
        with counted_queries(world.db) as queries:
            leaderboard.board(world.services)
            notebook.search(world.services, player_id=players[0])
            keep.map_page(world.services, player_id=players[0])
            keep.level_page(world.services, player_id=players[0], level_id="open")
            world.say(players[0])
        counts.append(len(queries))
    assert counts[1] == counts[2]
