"""Compare what players were told with what the database holds."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass

from sqlalchemy import func, select

from webapp import checks, guards
from webapp.bench.players import ApiPlayer
from webapp.content.store import ContentStore
from webapp.db import Database
from webapp.errors import ContentError
from webapp.plugins.registry import load_plugins
from webapp.rows import COUNTED, INTERRUPTED, RUNNING, Attempt, Player, Solve, Visit
from webapp.security import Secret, load_key, passwords
from webapp.settings import Settings


@dataclass(frozen=True, slots=True)
class Findings:
    """What the database says. The first four must be empty."""

    lost: list[int]
    changed: list[int]
    running: int
    miscounted: list[str]
    interrupted: int
    statuses: dict[str, int]

    @property
    def is_clean(self) -> bool:
        """Whether nothing was lost, left running or counted wrongly."""
        return not (self.lost or self.changed or self.running or self.miscounted)

    def as_row(self) -> dict[str, object]:
        """Return the findings for a report."""
        return asdict(self)


def audit(
    settings: Settings,
    players: Sequence[ApiPlayer],
    level_id: str,
    acknowledged: Mapping[int, str],
    ended: Mapping[int, str],
) -> Findings:
    """Look up every acknowledged attempt; let every player win, and check the count.

    `changed` are rows whose message is not what was sent, or whose status is not the
    one that the player was told.
    """
    database = Database(settings.database)
    try:
        stored = _stored(database)
        miscounted = _win_and_compare(settings, database, players, level_id)
    finally:
        database.dispose()
    statuses = Counter(status for _, status in stored.values())
    return Findings(
        lost=[number for number in acknowledged if number not in stored],
        changed=[
            number
            for number, (message, status) in stored.items()
            if acknowledged.get(number, message) != message
            or ended.get(number, status) != status
        ],
        running=statuses[RUNNING],
        miscounted=miscounted,
        interrupted=statuses[INTERRUPTED],
        statuses=dict(statuses),
    )


def stored_attempts(settings: Settings) -> dict[int, tuple[str, str]]:
    """Return message and status of every attempt of an installation."""
    database = Database(settings.database)
    try:
        return _stored(database)
    finally:
        database.dispose()


def _stored(database: Database) -> dict[int, tuple[str, str]]:
    with database.read() as session:
        rows = session.execute(select(Attempt.id, Attempt.message, Attempt.status))
        return {row.id: (row.message, row.status) for row in rows}


def _win_and_compare(
    settings: Settings, database: Database, players: Sequence[ApiPlayer], level_id: str
) -> list[str]:
    """Return players whose win counts different attempts from those that should."""
    wrong = []
    for player in players:
        secret, name, counted = _state(settings, database, player, level_id)
        player.post(f"/levels/{level_id}/guesses", {"guess": secret.reveal()})
        with database.read() as session:
            attempts = session.scalar(
                select(Solve.attempts)
                .join(Player, Player.id == Solve.player_id)
                .where(Player.name == name, Solve.level_id == level_id)
            )
        if attempts != counted:
            wrong.append(f"{name}: {attempts} instead of {counted}")
    return wrong


def _state(
    settings: Settings, database: Database, player: ApiPlayer, level_id: str
) -> tuple[Secret, str, int]:
    """Return the word of the player's open visit, the name, and what counts so far."""
    load_plugins(guards)
    load_plugins(checks)
    index = ContentStore(settings.roots).current()
    with database.read() as session:
        visit = session.scalars(
            select(Visit)
            .join(Player, Player.id == Visit.player_id)
            .where(
                Player.name == player.name,
                Visit.level_id == level_id,
                Visit.ended_at.is_(None),
            )
        ).one()
        counted = session.scalar(
            select(func.count())
            .select_from(Attempt)
            .where(
                Attempt.player_id == visit.player_id,
                Attempt.level_id == level_id,
                Attempt.status.in_(COUNTED),
            )
        )
        words = index.words(index.level(level_id).secret.words)
        key = load_key(settings.instance)
        secret = passwords(key, level_id, words).find(visit.secret_digest)
    if secret is None:
        raise ContentError(
            f"The password of {player.name} has left its list. Run the bench again."
        )
    return secret, player.name, counted or 0
