"""A database of the release before migration 0003, and what that release showed."""

from __future__ import annotations

import hashlib
import json
import lzma
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any, Final

from alembic import command
from sqlalchemy import DateTime, MetaData, Table, func, select, text

from tests.kit.content import write_content, write_level
from webapp.db import Database
from webapp.domain.people import accounts, classes
from webapp.domain.play import leaderboard, notebook
from webapp.domain.play.disclosure import HIDDEN_GUARD
from webapp.domain.play.guard_names import SOME_GUARD
from webapp.domain.services import Services
from webapp.migrations import alembic_config
from webapp.plugins.guard import guards
from webapp.views.play import downloads

REVISION: Final = "0002"
DATA: Final = Path(__file__).parents[1] / "integration" / "data" / "release_0002"
QUERIES: Final = ("password", "MOON", "100%_\\", "שלום", "between us", "moonlit")
LEVELS: Final = ("told", "blind", "old")
# The most rows that a board had.
OLD_ROWS: Final = 100
_HEADING: Final = re.compile(
    r"(^## .+, attempt )(\d+)(?= \(\d{4}-\d\d-\d\d \d\d:\d\d UTC\)$)", re.MULTILINE
)
_STOPPED: Final = re.compile(r"^Stopped by: (.+)\.$", re.MULTILINE)
_CONTAINS: Final = {"contains": {"match": "exact"}}


@cache
def read(name: str) -> Any:
    """Return `rows` or `shown`, as the old release wrote it down."""
    return json.loads(lzma.decompress((DATA / f"{name}.json.xz").read_bytes()))


def write_old_content(root: Path) -> Path:
    """Write the keep that was played, without the level that has left, and return it.

    `show_guards` of the three kinds is there, and guards of all kinds.
    """
    write_content(root)
    write_level(
        root,
        "told",
        guards={
            "input": [{"moderation": {"threshold": 0.9}}],
            "output": [_CONTAINS, {"moderation": {"over": "visit"}}],
        },
        show_guards="full",
        defender={"system": "The password is {{ secret }}.", "turns": 9},
    )
    write_level(
        root,
        "blind",
        guards={
            "input": [{"length": {"max_chars": 900}}],
            "output": [_CONTAINS, {"moderation": {}}],
        },
        show_guards="none",
    )
    return root


def fill_old(database: Database, *, players: int | None = None) -> None:
    """Bring an empty database to the old revision and fill it with the old rows.

    `players` takes the first ones only, with all that is theirs.
    """
    command.upgrade(alembic_config(database), REVISION)
    meta = MetaData()
    meta.reflect(database.engine)
    tables = read("rows")["tables"]
    visits: set[int] = set()
    with database.write() as session:
        for table in meta.sorted_tables:
            if table.name not in tables:
                continue
            rows = [
                row
                for row in _rows(table, tables[table.name])
                if players is None or _player(table, row) <= players
            ]
            if table.name == "visits":
                visits = {row["id"] for row in rows}
            for row in rows if table.name == "guesses" else ():
                if row["matches_visit_id"] not in visits:
                    row["matches_visit_id"] = None
            if rows:
                session.execute(table.insert(), rows)
            if rows and not database.is_sqlite and "id" in table.columns:
                sequence = func.pg_get_serial_sequence(table.name, "id")
                newest = select(func.max(table.columns["id"])).scalar_subquery()
                session.execute(select(func.setval(sequence, newest)))


def old_attempts(*, players: int) -> list[dict[str, Any]]:
    """Return the old rows of attempts of the first players, oldest first."""
    kept = read("rows")["tables"]["generations"]
    rows = [dict(zip(kept["columns"], row, strict=True)) for row in kept["rows"]]
    return [row for row in rows if row["player_id"] <= players]


def _rows(table: Table, kept: dict[str, list[Any]]) -> Iterator[dict[str, Any]]:
    names = kept["columns"]
    moments = {n for n in names if isinstance(table.columns[n].type, DateTime)}
    for values in kept["rows"]:
        yield {
            name: datetime.fromisoformat(value) if name in moments and value else value
            for name, value in zip(names, values, strict=True)
        }


def _player(table: Table, row: dict[str, Any]) -> int:
    """Return whose a row is; 0 for everybody's."""
    return int(row["id"] if table.name == "players" else row.get("player_id", 0))


def shown_to(
    services: Services, player_id: int, kinds: Iterable[str]
) -> dict[str, str]:
    """Return what is shown of a player's attempts, in the shape it had then.

    Since then attempts lie in visits and have numbers, and guards have names.
    """
    makers: dict[str, Callable[[], str]] = {
        "notebook": lambda: plain(list(_pages(services, player_id))),
        "found": lambda: plain(list(_found(services, player_id))),
        "jsonl": lambda: "".join(_lines(services, player_id)),
        "markdown": lambda: _markdown(services, player_id),
        "profile": lambda: plain(
            _without(
                accounts.profile(services, player_id=player_id), "panels", "answers"
            )
        ),
    }
    return {kind: makers[kind]() for kind in kinds}


def boards(services: Services) -> dict[str, str]:
    """Return the board of all players and that of each class, as texts.

    It was one page then, and no rank was shared.
    """
    whose: dict[str, int | None] = {"all": None}
    whose |= {str(known.id): known.id for known in classes.classes(services)}
    return {name: plain(_board(services, id_)) for name, id_ in whose.items()}


def _board(services: Services, class_id: int | None) -> dict[str, Any]:
    first = leaderboard.board(services, class_id=class_id)
    rows = [
        row
        for page in range(1, first.pages + 1)
        for row in leaderboard.board(services, class_id=class_id, page=page).rows
    ]
    shown = [_without(asdict(row), "place", "sharing") for row in rows[:OLD_ROWS]]
    return {"rows": shown, "levels": [asdict(level) for level in first.levels]}


def digest(value: str) -> str:
    """Return the hash under which a text is written down."""
    return hashlib.sha256(value.encode()).hexdigest()[:24]


def plain(value: object) -> str:
    """Return a value as one text, the same in every release."""
    return json.dumps(value, default=str, ensure_ascii=False, sort_keys=True)


def contents(database: Database) -> dict[str, list[Any]]:
    """Return what a fault must not change: every table with its shape and its rows."""
    meta = MetaData()
    meta.reflect(database.engine)
    with database.read() as session:
        found: dict[str, list[Any]] = {
            table.name: [
                sorted(map(str, table.columns)),
                sorted(str(index.name) for index in table.indexes),
                *map(
                    tuple,
                    session.execute(select(table).order_by(*table.primary_key.columns)),
                ),
            ]
            for table in meta.sorted_tables
        }
        if database.is_sqlite:
            found["keys"] = [session.scalar(text("PRAGMA foreign_keys"))]
            schema = text("SELECT name, sql FROM sqlite_master ORDER BY name")
            found["schema"] = [tuple(row) for row in session.execute(schema)]
    return found


def _found(services: Services, player_id: int) -> Iterator[list[int]]:
    searches: list[dict[str, Any]] = [{"query": query} for query in QUERIES]
    for wanted in searches + [{"level_id": level} for level in LEVELS]:
        page = notebook.search(services, player_id=player_id, limit=200, **wanted)
        yield [item.id for item in page.items]


def _pages(services: Services, player_id: int) -> Iterator[dict[str, Any]]:
    before: int | None = None
    while True:
        page = notebook.search(services, player_id=player_id, before=before)
        items = [_unnamed(asdict(item), "verdicts") for item in page.items]
        yield {"items": items, "next_before": page.next_before}
        before = page.next_before
        if before is None:
            return


def _lines(services: Services, player_id: int) -> Iterator[str]:
    for line in downloads.jsonl(services, player_id=player_id):
        attempt = _unnamed(_without(json.loads(line), "kind", "number"), "stages")
        yield json.dumps(attempt, ensure_ascii=False) + "\n"


def _markdown(services: Services, player_id: int) -> str:
    exported = map(json.loads, downloads.jsonl(services, player_id=player_id))
    ids = {str(attempt["number"]): str(attempt["id"]) for attempt in exported}
    kinds = {guard.plain_name: kind for kind, guard in guards.items()}
    kinds[SOME_GUARD] = HIDDEN_GUARD
    document = "".join(downloads.markdown(services, player_id=player_id))
    document = _HEADING.sub(lambda found: found[1] + ids[found[2]], document)
    return _STOPPED.sub(lambda found: f"Blocked by: {kinds[found[1]]}.", document)


def _unnamed(attempt: dict[str, Any], verdicts: str) -> dict[str, Any]:
    """Return an attempt as it was before guards had names and thoughts were kept."""
    bare = [_without(one, "guard_name", "guard_term") for one in attempt[verdicts]]
    return _without(attempt, "thoughts") | {verdicts: bare}


def _without(record: dict[str, Any], *keys: str) -> dict[str, Any]:
    return {key: value for key, value in record.items() if key not in keys}
