"""The game without its pages: services on a fresh database and a scripted model."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from time import time
from typing import Any

from sqlalchemy import event, inspect, select

from tests.kit.content import write_content
from webapp import checks, guards
from webapp.content.store import ContentStore
from webapp.db import Database
from webapp.domain.boots import Boot
from webapp.domain.generations.runs import Run
from webapp.domain.people import accounts
from webapp.domain.play import attack, events, guessing, visits
from webapp.domain.play.guessing import GuessOutcome
from webapp.domain.services import Services
from webapp.llm.gateway import Gateway
from webapp.llm.scripted import ScriptedBackend
from webapp.plugins.registry import load_plugins
from webapp.rows import Attempt, Player, Visit
from webapp.settings import load_settings

START = datetime(2026, 5, 4, 9, 30, tzinfo=UTC)


class Clock:
    """A clock that stands still until a test moves it."""

    def __init__(self) -> None:
        self.time = START

    def __call__(self) -> datetime:
        return self.time

    def move(self, **amount: float) -> None:
        """Move on by seconds, minutes, hours or days."""
        self.time += timedelta(**amount)


@dataclass
class World:
    """What a test of the game needs, and short ways to play."""

    services: Services
    backend: ScriptedBackend
    clock: Clock
    content: Path

    @property
    def db(self) -> Database:
        """The database."""
        return self.services.db

    def limit(self, **limits: Any) -> None:
        """Change settings."""
        settings = self.services.settings.but(**limits)
        self.services = replace(self.services, settings=settings)

    def player(self, name: str = "Ada", **given: Any) -> int:
        """Let somebody join; return the id."""
        return accounts.create_player(self.services, name=name, **given).player_id

    def begin(self, player: int, message: str, level: str = "open") -> Run:
        """Start an attempt and leave it to the test to read its events."""
        return attack.attack(
            self.services, player_id=player, level_id=level, message=message
        )

    def say(
        self, player: int, message: str = "Hello", level: str = "open"
    ) -> list[events.Event]:
        """Send a message and return all that happened."""
        return list(self.begin(player, message, level))

    def reply(
        self, player: int, message: str, level: str = "open"
    ) -> events.ShownReply:
        """Send a message and return the reply event."""
        happened = self.say(player, message, level)
        return next(e for e in happened if isinstance(e, events.ShownReply))

    def hear(self, player: int, message: str, level: str = "open") -> None:
        """Send a message to which the warden replies with the password."""
        self.backend.enqueue(f"The password is {self.secret(player, level)}.")
        self.say(player, message, level)

    def guess(self, player: int, guess: str, level: str = "open") -> GuessOutcome:
        """Try a password."""
        return guessing.guess(
            self.services, player_id=player, level_id=level, guess=guess
        )

    def secret(self, player: int, level: str = "open") -> str:
        """Return the password of the present visit, or of the one that comes next."""
        rules = self.services.content.current().level(level)
        with self.db.write() as session:
            row = session.get(Player, player)
            assert row is not None
            visit = visits.current_visit(
                session, self.services, player=row, level=rules
            )
            return visits.visit_secret(self.services, visit, rules).reveal()

    def win(self, player: int, *levels: str) -> None:
        """Win levels by their passwords."""
        for level in levels:
            assert self.guess(player, self.secret(player, level), level).correct

    def visits(self, player: int, level: str = "open") -> list[Visit]:
        """Return the rows of a player's visits to a level."""
        query = select(Visit).where(Visit.player_id == player, Visit.level_id == level)
        with self.db.read() as session:
            return list(session.scalars(query.order_by(Visit.number)))

    def copy_attempt(self, player: int, count: int) -> None:
        """Write the player's last attempt down `count` times more, numbered."""
        (*_, row) = self.attempts(player)
        columns = inspect(Attempt).column_attrs
        values = {c.key: getattr(row, c.key) for c in columns}
        del values["id"]
        with self.db.write() as session:
            session.add_all(
                Attempt(**values | {"message": f"{row.message} {n}"})
                for n in range(count)
            )

    def attempts(self, player: int) -> list[Attempt]:
        """Return the rows of a player's attempts."""
        query = select(Attempt).where(Attempt.player_id == player)
        with self.db.read() as session:
            return list(session.scalars(query.order_by(Attempt.id)))


def open_world(folder: Path, database: Database) -> World:
    """Return a world with generous limits."""
    load_plugins(guards)
    load_plugins(checks)
    backend, clock = ScriptedBackend(), Clock()
    content = write_content(folder / "content")
    settings = load_settings(
        {},
        instance=folder / "instance",
        attempts_per_minute=1000,
        guesses_per_minute=1000,
        guess_pause=0,
    )
    services = Services(
        settings=settings,
        db=database,
        # Its clock is ahead, so that no file is too young to be read.
        content=ContentStore([content], poll_seconds=0.0, clock=lambda: time() + 10),
        gateway=Gateway.scripted(backend),
        boot=Boot(settings.instance),
        key=b"a key of tests",
        now=clock,
        seed=lambda: 7,
    )
    return World(services, backend, clock, content)


def sqlite_copy(migrated_file: Path, folder: Path) -> Database:
    """Return a database of its own, with all tables and no rows."""
    path = folder / "world.db"
    shutil.copyfile(migrated_file, path)
    return Database(f"sqlite:///{path}")


@contextmanager
def counted_queries(database: Database) -> Iterator[list[str]]:
    """Collect the statements that are sent meanwhile."""
    statements: list[str] = []

    def note(connection: Any, cursor: Any, statement: str, *rest: Any) -> None:
        if not statement.startswith("BEGIN"):
            statements.append(statement)

    event.listen(database.engine, "before_cursor_execute", note)
    try:
        yield statements
    finally:
        event.remove(database.engine, "before_cursor_execute", note)
