"""Names, searches and codes give the same on SQLite and on PostgreSQL."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from uuid import uuid4

import pytest
from alembic import command
from sqlalchemy import select, text

from tests.kit import release
from tests.kit.postgres import Postgres
from tests.kit.world import World, open_world
from webapp.db import Database
from webapp.domain.people import accounts, classes
from webapp.domain.play import notebook
from webapp.errors import Conflict
from webapp.migrations import alembic_config, migrate
from webapp.rows import INSTRUCTOR, Player

TWINS = ["Mina", "\u041cina", "M\u0456na", "Min\u0430", "Ｍina", "MINA", "mina"]


def _created(world: World, name: str, **given: str | None) -> int | None:
    try:
        return world.player(name, **given)
    except Conflict:
        return None


def test_of_many_twins_at_once_one_joins(world: World) -> None:
    code = classes.add_class(world.services, name="7b").join_code
    with ThreadPoolExecutor(8) as pool:
        made = list(pool.map(lambda n: _created(world, n, class_code=code), TWINS))
    assert len([number for number in made if number is not None]) == 1


def test_of_an_instructor_and_a_twin_at_once_one_joins(world: World) -> None:
    code = classes.add_class(world.services, name="7b").join_code
    world.player("Somebody else")
    for number in range(6):
        name = f"Ms Gray {'abcdef'[number]}"
        with ThreadPoolExecutor(2) as pool:
            staff = pool.submit(_created, world, name, role=INSTRUCTOR)
            twin = pool.submit(_created, world, name.upper(), class_code=code)
        assert [staff.result(), twin.result()].count(None) == 1


@pytest.mark.parametrize(
    ("written", "queries"),
    [
        ("Ein Äpfelbaum", ["äpfel", "ÄPFEL", "A\u0308pfel"]),
        ("Привет, страж", ["привет", "ПРИВЕТ"]),
        ("Die Straße", ["STRASSE", "straße", "strasse", "STRAẞE"]),
        ("ΣΊΣΥΦΟΣ", ["σίσυφος"]),
        ("Ｗｉｄｅ open", ["wide", "WIDE"]),
        ("पानी है", ["पानी"]),
        ("100%_\\ sure", ["%_\\", "SURE"]),
        ("می\u200cخواهم", ["میخواهم"]),
    ],
)
def test_a_search_finds_the_same_on_both(
    world: World, written: str, queries: list[str]
) -> None:
    ada = world.player()
    world.backend.enqueue("Nothing.", written, "Nothing.")
    world.say(ada, written)
    world.say(ada, "second")
    world.say(ada, "third")
    last = world.attempts(ada)[-1].id
    notebook.set_note(world.services, player_id=ada, attempt_id=last, note=written)
    world.say(ada, "Äpfe привt strase σισυφ")
    for query in queries:
        page = notebook.search(world.services, player_id=ada, query=query)
        found = [attempt.message for attempt in page.items]
        assert found == ["third", "second", written], query


def test_a_search_goes_on_where_its_page_ended(world: World) -> None:
    ada = world.player()
    world.say(ada, "ÄPFEL")
    world.copy_attempt(ada, 50)
    with world.db.write() as session:
        session.execute(text("UPDATE attempts SET message = 'Birne' WHERE id % 2 = 0"))
    found, before = [], None
    while True:
        page = notebook.search(
            world.services, player_id=ada, query="äpfel", before=before
        )
        found += [attempt.message for attempt in page.items]
        before = page.next_before
        if before is None:
            break
    assert len(found) == len(set(found)) == 26


@pytest.fixture(params=["sqlite", "postgresql"])
def old(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    """Return a database as it was before names were compared by their looks."""
    if request.param == "sqlite":
        database = Database(f"sqlite:///{tmp_path}/wordkeep.db")
    else:
        server: Postgres = request.getfixturevalue("postgres")
        database = Database(server.url(f"old-{uuid4().hex}", create=True))
    command.upgrade(alembic_config(database), "0003")
    yield database
    database.dispose()


# Name, key and alias as they were stored, and the role.
OLD_PLAYERS = [
    ("Mina", "mina", None, "player"),
    ("Mina\u3164", "mina\u1160", None, "player"),
    ("\u041cina", "\u043cina", "Ada", "player"),
    ("\u3164\u3164", "\u1160\u1160", None, "player"),
    ("Ada", "ada", "Mina", "player"),
    ("Gray", "gray", None, "player"),
    ("Gray\u2800", "gray\u2800", None, "instructor"),
    ("علی", "علی", None, "player"),
]


def _fill(database: Database) -> None:
    hashed = accounts._hasher().hash("correct horse")
    with database.write() as session:
        session.execute(
            text(
                "INSERT INTO classes (id, name, join_code, season, created_at) "
                "VALUES (1, 'Open keep', 'BBBB-BBBB', 1, '2026-01-01 00:00:00')"
            )
        )
        for number, (name, key, alias, role) in enumerate(OLD_PLAYERS, start=1):
            session.execute(
                text(
                    "INSERT INTO players (id, class_id, name, name_key, alias, role, "
                    "is_listed, password_hash, recovery_digest, session_stamp, "
                    "created_at) VALUES (:id, 1, :name, :key, :alias, :role, :listed, "
                    ":hash, :digest, 's', '2026-01-01 00:00:00')"
                ),
                {
                    "id": number,
                    "name": name,
                    "key": key,
                    "alias": alias,
                    "role": role,
                    "listed": True,
                    "hash": hashed if number == 2 else None,
                    "digest": str(number),
                },
            )
        if not database.is_sqlite:
            # Rows that were given an id have not moved the counter.
            for table, last in (("classes", 1), ("players", len(OLD_PLAYERS))):
                session.execute(text(f"SELECT setval('{table}_id_seq', {last})"))


def test_old_names_that_look_alike_keep_their_players(
    old: Database, tmp_path: Path
) -> None:
    _fill(old)
    assert migrate(old) is True
    command.check(alembic_config(old))
    world = open_world(tmp_path, old)
    with old.read() as session:
        rows = session.scalars(select(Player).order_by(Player.id)).all()
    assert [(row.name, row.alias, row.role) for row in rows] == [
        (name, alias, role) for name, _, alias, role in OLD_PLAYERS
    ]
    assert [row.name_key for row in rows][:4] == ["mina", "mina", "\u043cina", ""]
    for name in ("Mina", "Mina\u3164", "MINA"):
        found = accounts.sign_in(world.services, name=name, password="correct horse")
        assert found.player_id == 2
    for number in (1, 2, 3):
        accounts.set_alias(
            world.services, player_id=number, alias=f"Player {number}", is_listed=True
        )
    code = classes.add_class(world.services, name="7b").join_code
    accounts.join_class(world.services, player_id=3, code=code)
    with pytest.raises(Conflict, match="already called"):
        world.player("M\u0456na")
    with pytest.raises(Conflict, match="instructor"):
        world.player("Gr\u0430y", class_code=code)
    world.services.boot.close()


def test_old_names_can_be_taken_back(old: Database) -> None:
    _fill(old)
    before = release.contents(old)
    migrate(old)
    command.downgrade(alembic_config(old), "0003")
    after = release.contents(old)
    assert after.keys() == before.keys()
    assert after["players"][:2] == before["players"][:2]
    assert len(after["players"]) == len(before["players"])
    assert migrate(old) is True


def test_ids_of_deleted_players_stay_used_up(old: Database, tmp_path: Path) -> None:
    _fill(old)
    last = len(OLD_PLAYERS)
    with old.write() as session:
        session.execute(text("DELETE FROM players WHERE id = :id"), {"id": last})
    migrate(old)
    world = open_world(tmp_path, old)
    newest = world.player("Newest")
    assert newest == last + 1
    accounts.delete_player(world.services, player_id=newest)
    assert world.player("Newer") == last + 2
    world.services.boot.close()
