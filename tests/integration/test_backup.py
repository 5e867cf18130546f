"""A backup of PostgreSQL, of the release before, and of a site that is being killed."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import func, inspect, make_url, select, text

from tests.kit import release
from tests.kit.postgres import Postgres
from webapp.app import open_services
from webapp.backup import BackupError, databases, make_backup, restore
from webapp.bench import backups
from webapp.db import Database
from webapp.domain.people import accounts
from webapp.llm.gateway import Gateway
from webapp.llm.scripted import ScriptedBackend
from webapp.migrations import migrate, present_revision
from webapp.rows import IS_RUNNING, Attempt, Player
from webapp.security import load_key
from webapp.server import prepare
from webapp.settings import Settings, load_settings


@pytest.fixture
def school(postgres: Postgres, tmp_path: Path) -> Settings:
    """Return the settings of an installation on PostgreSQL with a player in it."""
    database = postgres.fresh()
    settings = at(tmp_path / "school", database)
    database.dispose()
    services = open_services(settings, gateway=Gateway.scripted(ScriptedBackend()))
    accounts.create_player(services, name="Ada")
    services.db.dispose()
    services.boot.close()
    return settings


@pytest.fixture
def empty(postgres: Postgres, tmp_path: Path) -> Iterator[Settings]:
    """Return the settings of a place with an empty database of PostgreSQL."""
    database = Database(postgres.url(f"empty-{tmp_path.name}", create=True))
    yield at(tmp_path / "other", database)
    database.dispose()


def at(folder: Path, database: Database) -> Settings:
    url = database.engine.url.render_as_string(hide_password=False)
    return load_settings({}, instance=folder / "instance", database_url=url)


def names(settings: Settings) -> list[str]:
    database = Database(settings.database)
    with database.read() as session:
        found = list(session.scalars(select(Player.name)))
    database.dispose()
    return found


def test_postgresql_is_saved_and_restored(
    school: Settings, empty: Settings, tmp_path: Path
) -> None:
    manifest = make_backup(school, tmp_path / "school.tar")
    assert manifest.database == "postgresql"
    assert restore(empty, tmp_path / "school.tar").aside == ()
    assert names(empty) == ["Ada"]
    assert load_key(empty.instance) == load_key(school.instance)
    # Numbers go on, and nobody gets one that is taken.
    services = open_services(empty, gateway=Gateway.scripted(ScriptedBackend()))
    assert accounts.create_player(services, name="Bob").player_id == 2
    services.db.dispose()
    services.boot.close()
    with pytest.raises(BackupError, match="There is an installation in"):
        restore(empty, tmp_path / "school.tar")


def test_old_tables_are_kept_aside_and_come_back_if_it_fails(
    school: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_backup(school, tmp_path / "school.tar")
    database = Database(school.database)
    with database.write() as session:
        session.execute(text("UPDATE players SET name = 'Bob'"))
    taken = school.but(instance=tmp_path / "taken")
    with pytest.raises(BackupError, match="has tables already"):
        restore(taken, tmp_path / "school.tar")
    with monkeypatch.context() as patch:
        patch.setattr("webapp.backup.restoring.load_postgres", _fail)
        with pytest.raises(BackupError, match="pg_restore failed"):
            restore(taken, tmp_path / "school.tar", replaces=True)
    assert names(school) == ["Bob"]
    (told,) = restore(taken, tmp_path / "school.tar", replaces=True).aside
    assert names(school) == ["Ada"]
    schema = told.removeprefix("the old tables are in the schema ")
    with database.read() as session:
        old = session.scalar(text(f"SELECT name FROM {schema}.players"))  # noqa: S608
    assert old == "Bob"
    # What is aside is in no later backup.
    make_backup(taken, tmp_path / "later.tar")
    database.dispose()
    assert schema.encode() not in (tmp_path / "later.tar").read_bytes()


def _fail(url: object, source: Path) -> None:
    raise BackupError("pg_restore failed: no.")


def test_a_failure_of_the_programs_is_one_sentence_without_a_password(
    postgres: Postgres, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = make_url(postgres.url("nowhere")).set(password="hush")
    with pytest.raises(BackupError) as caught:
        databases.dump_postgres(url, tmp_path / "dump")
    assert caught.value.message.startswith("pg_dump failed: ")
    assert 'database "nowhere" does not exist' in caught.value.message
    assert "hush" not in caught.value.message
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(BackupError, match="pg_dump is not on this computer"):
        databases.dump_postgres(url, tmp_path / "dump")


@pytest.fixture
def old(tmp_path: Path) -> Settings:
    """Return an installation of the release before, with ten thousand attempts."""
    settings = load_settings({}, instance=tmp_path / "old")
    settings.instance.mkdir()
    (settings.instance / "secret.key").write_text("ab" * 32)
    (settings.instance / "instance.id").write_text(release.read("rows")["instance"])
    database = Database(settings.database)
    release.fill_old(database)
    database.dispose()
    return settings


def test_a_backup_of_the_release_before_is_restored_into_this_one(
    old: Settings, tmp_path: Path
) -> None:
    manifest = make_backup(old, tmp_path / "old.tar")
    assert manifest.revision == release.REVISION
    new = load_settings({}, instance=tmp_path / "new")
    assert restore(new, tmp_path / "old.tar").is_migrated is True
    database = Database(new.database)
    with database.read() as session:
        assert session.scalar(select(func.count()).select_from(Attempt)) == 10_000
    assert migrate(database) is False
    database.dispose()
    # The backup itself is the copy.
    assert list(new.instance.glob("*.before_*")) == []


def test_up_brings_an_installation_of_the_release_before_up_to_date(
    old: Settings,
) -> None:
    prepare(old)
    copy = Database(old.instance / "wordkeep.before_0002.db")
    assert present_revision(copy) == release.REVISION
    assert "level_versions" in inspect(copy.engine).get_table_names()
    copy.dispose()
    database = Database(old.database)
    assert migrate(database) is False
    with database.read() as session:
        assert session.scalar(select(func.count()).select_from(Attempt)) == 10_000
        assert session.scalar(select(Attempt.id).where(IS_RUNNING)) is None
    database.dispose()


@pytest.mark.slow
def test_a_backup_under_load_and_kills_loses_no_acknowledged_attempt(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert backups.main(["--scripted", "--kills", "2", "--every", "2"]) == 0
    report = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert (report["lost"], report["goes_on"]) == (0, True)
    assert report["acknowledged_before"][0] > 0
