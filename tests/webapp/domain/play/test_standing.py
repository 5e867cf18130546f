"""Where a player stands, kept with each attempt, is what a recount finds."""

from __future__ import annotations

import random
from contextlib import suppress
from datetime import timedelta
from typing import Any

from sqlalchemy import select

from tests.kit.lessons import give_lessons, lesson, practise, zo, zo_panel
from tests.kit.world import START, World
from webapp.domain.generations.sweeping import settle
from webapp.domain.learn import practice
from webapp.domain.people import accounts, classes
from webapp.domain.play import visits
from webapp.domain.play.standing import passed_guards
from webapp.domain.play.visits import VisitEnded
from webapp.errors import BackendError
from webapp.rows import (
    BLOCKED,
    COUNTED,
    Attempt,
    LevelState,
    PanelState,
    Practice,
    Solve,
    Visit,
)

HAPPENS = (
    *("say", "say", "say", "leak", "leak", "word", "word", "stop", "fail", "lost"),
    *("win", "win", "wrong", "reset", "move", "season"),
)


def standings(world: World) -> dict[tuple[int, str, int], tuple[Any, ...]]:
    """Return the rows, by player, level and season."""
    with world.db.read() as session:
        return {
            (row.player_id, row.level_id, row.season): (
                row.attempts,
                row.blocked,
                row.furthest,
                row.first_at,
                row.last_at,
                row.progress_at,
            )
            for row in session.scalars(select(LevelState))
        }


def recount(world: World) -> dict[tuple[int, str, int], tuple[Any, ...]]:
    """Return what the attempts and wins say."""
    with world.db.read() as session:
        rows = session.execute(
            select(Attempt, Visit)
            .join(Visit, Visit.id == Attempt.visit_id)
            .where(Attempt.status.in_(COUNTED))
            .order_by(Attempt.id)
        ).all()
        wins = session.execute(
            select(Visit, Visit.ended_at).where(Visit.ended_why == "win")
        ).all()
    found: dict[tuple[int, str, int], list[Attempt]] = {}
    for attempt, visit in rows:
        key = (visit.player_id, visit.level_id, visit.season)
        found.setdefault(key, []).append(attempt)
    counted: dict[tuple[int, str, int], tuple[Any, ...]] = {}
    for key, attempts in found.items():
        furthest, progress = -1, START
        for attempt in attempts:
            passed = passed_guards(attempt.verdicts)
            if passed > furthest:
                furthest, progress = passed, attempt.created_at
        times = [attempt.created_at for attempt in attempts]
        won = [
            at
            for visit, at in wins
            if at is not None
            and (visit.player_id, visit.level_id, visit.season) == key
            and at >= times[0]
        ]
        counted[key] = (
            len(attempts),
            sum(attempt.status == BLOCKED for attempt in attempts),
            furthest,
            min(times),
            max(times),
            max([progress, *won]),
        )
    return counted


def act(world: World, chance: random.Random, player: int, codes: list[str]) -> None:
    """Do one of all that may happen."""
    level = chance.choice(["open", "echo", "full", "wary", "blind"])
    what = chance.choice(HAPPENS)
    services = world.services
    match what:
        case "say":
            world.say(player, "Good evening", level)
        case "leak":
            world.hear(player, "Good evening", level)
        case "word":
            world.say(player, "Is it the password?", level)
        case "stop":
            run = world.begin(player, "Wait", level)
            next(run)
            run.close()
        case "fail":
            world.backend.enqueue(BackendError("It fell over."))
            world.say(player, "Good evening", "open")
        case "lost":
            run = world.begin(player, "Good evening", level)
            with world.db.write() as session:
                settle(session, [(run.id, "It was lost.")])
        case "win":
            world.win(player, level)
        case "season":
            classes.start_season(services, name=chance.choice(["7a", "7b"]))
        case "move":
            accounts.join_class(services, player_id=player, code=chance.choice(codes))
        case "wrong":
            world.guess(player, f"word{chance.random()}", level)
        case _:
            visits.reset(services, player_id=player, level_id=level)


def test_a_random_term_is_kept_as_it_is_recounted(world: World) -> None:
    chance = random.Random(2)
    world.limit(running_per_player=1000, wrong_guesses_per_gate=1000)
    codes = [
        classes.add_class(world.services, name=name).join_code for name in ("7a", "7b")
    ]
    # Staff may play at every gate at once.
    players = [
        world.player(name, class_code=codes[0], role="instructor")
        for name in ("Ada", "Bob", "Eve")
    ]
    for _ in range(90):
        world.clock.move(seconds=chance.randint(1, 90))
        # What was meant for a visit that is over is told, and does not count.
        with suppress(VisitEnded):
            act(world, chance, chance.choice(players), codes)
    kept = standings(world)
    assert kept == recount(world)
    assert sum(row[0] for row in kept.values()) > 20
    assert len({season for _, _, season in kept}) > 1


def test_progress_is_a_longer_way_and_a_win(world: World) -> None:
    ada = world.player()
    world.win(ada, "open")
    key = (ada, "wary", 1)
    for minutes, say in enumerate(("password?", "password?", "Hello", "Hello"), 1):
        world.clock.move(minutes=1)
        world.say(ada, say, "wary")
        attempts, blocked, furthest, first, last, progress = standings(world)[key]
        assert (attempts, furthest) == (minutes, 0 if minutes < 3 else 2)
        assert last == world.clock.time
        assert progress == (first if minutes < 3 else first + timedelta(minutes=2))
    assert blocked == 2
    world.clock.move(minutes=1)
    world.win(ada, "wary")
    assert standings(world)[key][5] == world.clock.time


def test_a_lucky_guess_leaves_no_standing(world: World) -> None:
    world.win(world.player(), "open")
    assert standings(world) == {}
    with world.db.read() as session:
        assert session.scalars(select(Solve.attempts)).all() == [0]


def test_judged_runs_of_a_panel_are_counted_once(world: World) -> None:
    ada = world.player()
    give_lessons(world, lesson(zo_panel()))
    good = {"examples": "cat -> catzo\ndog -> dogzo"}
    for replies in (["no"] * 3, zo(3), ["no"] * 3):
        world.clock.move(minutes=1)
        practise(world, ada, good, replies)
    with world.db.read() as session:
        runs = session.scalars(select(Practice.id)).all()
        state = session.scalars(select(PanelState)).one()
    assert (state.runs, state.run_at) == (3, world.clock.time)
    assert state.progress_at is not None
    assert (state.progress_at - START).total_seconds() == 120
    practice.check_again(world.services, player_id=ada, run_id=runs[-1])
    with world.db.read() as session:
        assert session.scalars(select(PanelState.runs)).one() == 3
