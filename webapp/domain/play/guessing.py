"""Guessing the password: the only way in which a level is won."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from webapp.content.schema import Level
from webapp.domain import quotas
from webapp.domain.people import rules
from webapp.domain.people.players import require_player
from webapp.domain.play import standing, visits
from webapp.domain.play.winning import winning_message
from webapp.domain.quotas import Limit
from webapp.domain.services import Services
from webapp.domain.texts import require_text
from webapp.errors import InvalidInput, QuotaExceeded
from webapp.rows import COUNTED, Attempt, Guess, HintUse, Player, Solve, Visit
from webapp.security import constant_time_equal
from webapp.text.words import normalise_guess

GUESS_CHARS = 100
# So many wrong guesses at a gate in an hour are without a pause.
FREE_GUESSES = 5


@dataclass(frozen=True, slots=True)
class GuessOutcome:
    """What came of a guess. `points` were earned by it; `next` is a level id.

    `visit` is the one to name in the next guess.
    """

    correct: bool
    points: int
    next: str | None
    guesses_left: int
    visit_ended: bool
    message: str
    visit: int = visits.NO_VISIT


def guess(
    services: Services,
    *,
    player_id: int,
    level_id: str,
    guess: str,
    visit: int | None = None,
) -> GuessOutcome:
    """Compare a guess with the secret of the current visit and record it.

    `visit` is the one that is meant: if it is over, VisitEnded says why, and nothing
    is counted.

    Case, accents, spaces and punctuation do not matter. Repeating a wrong word costs
    nothing; too many wrong words end the visit. Raises InvalidInput, NotFound,
    Forbidden or QuotaExceeded.
    """
    if len(guess) > GUESS_CHARS:
        raise InvalidInput(
            f"A password is one word of at most {GUESS_CHARS} characters."
        )
    guess = require_text(guess, what="guess")
    word = normalise_guess(guess)
    if not word:
        raise InvalidInput("Type the password as you think it is spelled.")
    index = services.content.current()
    level = index.level(level_id)
    digest = visits.secret_digest(services, level_id, word)
    with (
        visits.ends_told(services, player_id=player_id, level=level),
        services.db.write() as session,
    ):
        player = require_player(session, player_id, lock=True)
        if _has_won_with(session, player_id, level_id, digest):
            return _opened_before(session, services, player, level)
        visits.require_meant(session, services, player=player, level=level, named=visit)
        visits.require_open(
            session, services, index=index, player_id=player_id, level=level
        )
        rules.require_playing(session, player)
        _require_patience(session, services, player, level)
        _spend_quota(session, services, player)
        row = visits.current_visit(session, services, player=player, level=level)
        return _judge(
            session, services, level=level, visit=row, guess=guess, digest=digest
        )


def _require_patience(
    session: Session, services: Services, player: Player, level: Level
) -> None:
    """Raise QuotaExceeded for whoever guesses word by word instead of asking.

    The pause after a wrong guess at this gate doubles, and a day has so many of them.
    """
    now, most = services.now(), services.settings.wrong_guesses_per_gate
    times: Sequence[datetime] = session.scalars(
        select(Guess.created_at)
        .where(
            Guess.player_id == player.id,
            Guess.level_id == level.id,
            Guess.is_correct.is_(False),
            Guess.created_at > now - timedelta(days=1),
        )
        .order_by(Guess.created_at.desc())
        .limit(most)
    ).all()
    if len(times) >= most:
        wait = _seconds_until(times[-1] + timedelta(days=1) if times else now, now)
        raise QuotaExceeded(
            f"This gate takes {most} wrong guesses of one player within 24 hours. Talk "
            f"to the warden meanwhile. Guess again in {_in_words(wait)}.",
            scope="gate/day",
            retry_after=wait,
        )
    lately = sum(time > now - timedelta(hours=1) for time in times)
    if lately < FREE_GUESSES:
        return
    pause = min(services.settings.guess_pause, 2 ** (lately - FREE_GUESSES + 1))
    wait = _seconds_until(times[0] + timedelta(seconds=pause), now)
    if wait > 0:
        raise QuotaExceeded(
            f"After {lately} wrong guesses within an hour, the warden lets you wait. "
            f"Guess again in {_in_words(wait)}.",
            scope="gate/hour",
            retry_after=wait,
        )


def _seconds_until(moment: datetime, now: datetime) -> int:
    return max(0, math.ceil((moment - now).total_seconds()))


def _in_words(seconds: int) -> str:
    if seconds < 120:
        return "1 second" if seconds == 1 else f"{seconds} seconds"
    minutes = math.ceil(seconds / 60)
    return f"{minutes} minutes" if minutes < 120 else f"{math.ceil(minutes / 60)} hours"


def _opened_before(
    session: Session, services: Services, player: Player, level: Level
) -> GuessOutcome:
    """Return the answer to a password that has already opened this gate."""
    return GuessOutcome(
        correct=True,
        points=0,
        next=_next_level(session, services, player.id, level),
        guesses_left=services.settings.wrong_guesses,
        visit_ended=False,
        message="That password has already opened this gate. No new points.",
    )


def _has_won_with(session: Session, player_id: int, level_id: str, digest: str) -> bool:
    solve = session.scalar(
        select(Solve.id)
        .join(Guess, Guess.visit_id == Solve.visit_id)
        .where(
            Solve.player_id == player_id,
            Solve.level_id == level_id,
            Solve.season.is_(None),
            Guess.is_correct,
            Guess.digest == digest,
        )
    )
    return solve is not None


def _judge(
    session: Session,
    services: Services,
    *,
    level: Level,
    visit: Visit,
    guess: str,
    digest: str,
) -> GuessOutcome:
    limit = services.settings.wrong_guesses
    if _is_repeated(session, visit, digest):
        left = limit - visit.wrong_guesses
        return _wrong(
            left,
            visit=visit.id,
            message="You have already tried that one. It is still wrong.",
        )
    secret = visits.visit_secret(services, visit, level)
    is_correct = constant_time_equal(
        normalise_guess(guess), normalise_guess(secret.reveal())
    )
    _record(session, services, visit, guess=guess, digest=digest, is_correct=is_correct)
    if is_correct:
        return _win(session, services, level, visit)
    visit.wrong_guesses += 1
    left = limit - visit.wrong_guesses
    if left > 0:
        return _wrong(left, visit=visit.id, message="That is not the password.")
    visits.end_visit(services, visit, "guesses")
    return _wrong(0, visit=visits.NO_VISIT, message=visits.END_NOTICES["guesses"])


def _record(
    session: Session,
    services: Services,
    visit: Visit,
    *,
    guess: str,
    digest: str,
    is_correct: bool,
) -> None:
    shared = None if is_correct else _foreign_visit(session, visit, digest)
    session.add(
        Guess(
            player_id=visit.player_id,
            visit_id=visit.id,
            level_id=visit.level_id,
            guess=guess,
            digest=digest,
            is_correct=is_correct,
            matches_visit_id=shared,
            created_at=services.now(),
        )
    )
    session.flush()


def _wrong(left: int, *, visit: int, message: str) -> GuessOutcome:
    is_over = visit == visits.NO_VISIT
    return GuessOutcome(False, 0, None, left, is_over, message, visit)


def _is_repeated(session: Session, visit: Visit, digest: str) -> bool:
    return (
        session.scalar(
            select(Guess.id).where(Guess.visit_id == visit.id, Guess.digest == digest)
        )
        is not None
    )


def _foreign_visit(session: Session, visit: Visit, digest: str) -> int | None:
    """Return another player's visit whose secret this is: evidence of sharing."""
    return session.scalar(
        select(Visit.id)
        .where(
            Visit.level_id == visit.level_id,
            Visit.secret_digest == digest,
            Visit.player_id != visit.player_id,
        )
        .order_by(Visit.id.desc())
        .limit(1)
    )


def _win(
    session: Session, services: Services, level: Level, visit: Visit
) -> GuessOutcome:
    visits.end_visit(services, visit, "win")
    standing.note_win(session, visit, at=services.now())
    is_first = level.id not in visits.solved_levels(session, visit.player_id)
    points = max(0, level.points - _hint_costs(session, visit)) if is_first else 0
    if is_first:
        session.add(
            Solve(
                player_id=visit.player_id,
                level_id=level.id,
                visit_id=visit.id,
                points=points,
                attempts=_attempts(session, visit),
                chars=_winning_chars(session, services, level, visit),
                solved_at=services.now(),
            )
        )
    return GuessOutcome(
        correct=True,
        points=points,
        next=_next_level(session, services, visit.player_id, level),
        guesses_left=services.settings.wrong_guesses,
        visit_ended=True,
        message=f"The gate is open: {points} points." if is_first else "Right again.",
    )


def _next_level(
    session: Session, services: Services, player_id: int, level: Level
) -> str | None:
    held = rules.of_id(session, services, player_id)
    solved = {*visits.solved_levels(session, player_id), level.id}
    return held.next_level(services.content.current(), level.id, solved)


def _hint_costs(session: Session, visit: Visit) -> int:
    return (
        session.scalar(
            select(func.sum(HintUse.cost)).where(
                HintUse.player_id == visit.player_id, HintUse.level_id == visit.level_id
            )
        )
        or 0
    )


def _attempts(session: Session, visit: Visit) -> int:
    """Count the player's attempts at this level, over all visits of the season."""
    return (
        session.scalar(
            select(func.count())
            .select_from(Attempt)
            .join(Visit, Visit.id == Attempt.visit_id)
            .where(
                Visit.player_id == visit.player_id,
                Visit.level_id == visit.level_id,
                Visit.season == visit.season,
                Attempt.status.in_(COUNTED),
            )
        )
        or 0
    )


def _winning_chars(
    session: Session, services: Services, level: Level, visit: Visit
) -> int | None:
    """Return how long the conversation was that gave the password away.

    Where each message stands alone, it is the message that did. None if no reply did:
    a lucky guess is nobody's shortest win.
    """
    found = winning_message(
        session,
        services.content.current().words(level.secret.words),
        visits.visit_secret(services, visit, level),
        visit.id,
    )
    if found is None:
        return None
    if level.defender.turns > 1:
        return sum(len(row.message) for row in found.read)
    return found.chars


def _spend_quota(session: Session, services: Services, player: Player) -> None:
    settings = services.settings
    quotas.spend(
        session,
        now=services.now(),
        user=quotas.User(player.id, None),
        what="guesses",
        limits=(
            Limit("player", "minute", settings.guesses_per_minute),
            Limit("player", "day", settings.guesses_per_day),
        ),
    )
