"""The ending: what a player has done once every gate of a ladder is open."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from webapp.content.schema import Level
from webapp.domain.people import rules
from webapp.domain.people.players import require_player
from webapp.domain.play import visits
from webapp.domain.play.guard_names import NamedGuard, of_verdicts
from webapp.domain.services import Services
from webapp.errors import Forbidden, NotFound
from webapp.rows import Attempt, Guess, Solve, Visit


@dataclass(frozen=True, slots=True)
class GuardTally:
    """How often a guard of a gate let this player through, and how often it did not."""

    guard: NamedGuard
    passed: int
    stopped: int


@dataclass(frozen=True, slots=True)
class GateWon:
    """A gate and what it took to open it; `took` is the time from the first visit."""

    id: str
    number: int
    title: str
    word: str
    points: int
    most_points: int
    attempts: int
    took: timedelta
    guards: tuple[GuardTally, ...]


@dataclass(frozen=True, slots=True)
class Ending:
    """A ladder that is won; `took` is the time from first visit to last win."""

    ladder_id: str
    title: str
    gates: tuple[GateWon, ...]
    took: timedelta

    @property
    def points(self) -> int:
        """All points earned."""
        return sum(gate.points for gate in self.gates)

    @property
    def most_points(self) -> int:
        """All points there were."""
        return sum(gate.most_points for gate in self.gates)

    @property
    def attempts(self) -> int:
        """All attempts up to each win."""
        return sum(gate.attempts for gate in self.gates)


def ending(services: Services, *, player_id: int, ladder_id: str) -> Ending:
    """Return the ending of a ladder; raise Forbidden while a gate of it is shut."""
    index = services.content.current()
    ladder = index.ladder(ladder_id)
    with services.db.read() as session:
        player = require_player(session, player_id)
        held = rules.of_player(session, services, player)
        if not held.sees("ladder", ladder_id):
            raise NotFound("There is no such ladder.")
        levels = [
            level
            for level in index.levels(ladder_id)
            if held.sees_level(index, level.id)
        ]
        solved = visits.solved_levels(session, player_id)
        if shut := [level.title for level in levels if level.id not in solved]:
            raise Forbidden(
                f"The ending comes when every gate is open. Still shut: "
                f"{', '.join(shut)}.",
                code="locked",
            )
        solves = [solved[level.id] for level in levels]
        begun = _first_visits(session, player_id)
        words = winning_words(session, solves)
        tallies = _tallies(session, player_id, levels)
        return Ending(
            ladder_id=ladder_id,
            title=ladder.title,
            gates=tuple(
                GateWon(
                    id=level.id,
                    number=number,
                    title=level.title,
                    word=words.get(solve.visit_id, ""),
                    points=solve.points,
                    most_points=level.points,
                    attempts=solve.attempts,
                    took=solve.solved_at - begun[level.id],
                    guards=tallies[level.id],
                )
                for number, (level, solve) in enumerate(
                    zip(levels, solves, strict=True), start=1
                )
            ),
            took=max(solve.solved_at for solve in solves)
            - min(begun[level.id] for level in levels),
        )


def winning_words(session: Session, solves: Iterable[Solve]) -> dict[int, str]:
    """Return the passwords that won, by visit, as the player typed them."""
    query = select(Guess.visit_id, Guess.guess).where(
        Guess.visit_id.in_([solve.visit_id for solve in solves]), Guess.is_correct
    )
    return {visit_id: guess.strip() for visit_id, guess in session.execute(query)}


def _first_visits(session: Session, player_id: int) -> dict[str, datetime]:
    query = (
        select(Visit.level_id, func.min(Visit.started_at))
        .where(Visit.player_id == player_id)
        .group_by(Visit.level_id)
    )
    return dict(iter(session.execute(query)))


def _tallies(
    session: Session, player_id: int, levels: Iterable[Level]
) -> dict[str, tuple[GuardTally, ...]]:
    """Count the verdicts of each gate's guards over all of the player's attempts."""
    by_id = {level.id: level for level in levels}
    ids = list(by_id)
    query = select(Attempt.level_id, Attempt.verdicts).where(
        Attempt.player_id == player_id, Attempt.level_id.in_(ids)
    )
    counts: dict[str, Counter[tuple[NamedGuard, bool]]] = {n: Counter() for n in ids}
    for level_id, verdicts in session.execute(query):
        named = of_verdicts(by_id[level_id], verdicts)
        counts[level_id].update(
            (guard, verdict["allowed"])
            for guard, verdict in zip(named, verdicts, strict=True)
        )
    return {level_id: _of_gate(count) for level_id, count in counts.items()}


def _of_gate(count: Counter[tuple[NamedGuard, bool]]) -> tuple[GuardTally, ...]:
    return tuple(
        GuardTally(guard, count[guard, True], count[guard, False])
        for guard in dict.fromkeys(guard for guard, _ in count)
    )
