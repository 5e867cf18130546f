"""A backup holds all of an installation, and nothing that is not whole is restored."""

from __future__ import annotations

import io
import os
import shutil
import sqlite3
import stat
import tarfile
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest
from click.testing import CliRunner
from sqlalchemy import select, text

from tests.kit.disk import NoDisk, small_disk
from webapp.app import open_services
from webapp.backup import BackupError, databases, make_backup, restore
from webapp.cli import main
from webapp.db import Database
from webapp.domain.boots import Boot
from webapp.domain.people import accounts
from webapp.domain.services import Services
from webapp.errors import LabError, StorageError
from webapp.llm.gateway import Gateway
from webapp.llm.scripted import ScriptedBackend
from webapp.migrations import MigrationError
from webapp.rows import Player
from webapp.settings import Settings, load_settings

Change = Callable[[tarfile.TarInfo, bytes], tuple[tarfile.TarInfo, bytes] | None]


@pytest.fixture
def services(settings: Settings, migrated_file: Path) -> Iterator[Services]:
    """Return an open installation."""
    shutil.copyfile(migrated_file, settings.instance / "wordkeep.db")
    services = open_services(settings, gateway=Gateway.scripted(ScriptedBackend()))
    yield services
    services.db.dispose()
    services.boot.close()


@pytest.fixture
def full(services: Services) -> Settings:
    """Return the settings of an installation with something of every kind in it."""
    accounts.create_player(services, name="Ada")
    instance = services.settings.instance
    for name, content in {
        "endpoints.yaml": "endpoints: []\n",
        "content/lessons/own/first.md": "# First\n",
        "files/file-1": "a text",
        "runs/job-1/events.jsonl": '{"step": 1}\n',
        "runs/job-1/checkpoint/weights": "of a moment",
        "models/own/manifest.json": "{}",
        "models/own/weights": "weights",
        "models/a-copy-of-a-base/weights": "can be made again",
        "models/merged.gguf": "can be made again",
        "logs/site.log": "of this computer",
    }.items():
        place = instance / name
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(content)
    with closing(sqlite3.connect(instance / "jobs.db")) as jobs:
        jobs.execute("CREATE TABLE jobs (id TEXT)")
        jobs.execute("INSERT INTO jobs VALUES ('ftjob-1')")
        jobs.commit()
    return services.settings


@pytest.fixture
def saved(full: Settings, tmp_path: Path) -> Path:
    """Return a backup of it."""
    make_backup(full, tmp_path / "saved.tar")
    return tmp_path / "saved.tar"


@pytest.fixture
def other(tmp_path: Path) -> Settings:
    """Return the settings of an installation that is not there yet."""
    return load_settings({}, instance=tmp_path / "other" / "instance")


def names(settings: Settings) -> list[str]:
    database = Database(settings.database)
    with database.read() as session:
        found = list(session.scalars(select(Player.name)))
    database.dispose()
    return found


def files(folder: Path) -> dict[str, str]:
    return {
        str(path.relative_to(folder)): path.read_text(errors="replace")
        for path in folder.rglob("*")
        if path.is_file() and path.suffix != ".db"
    }


def test_all_that_stays_is_restored_and_nothing_else(
    full: Settings, saved: Path, other: Settings
) -> None:
    done = restore(other, saved)
    assert (done.aside, done.is_migrated) == ((), False)
    assert names(other) == ["Ada"]
    with closing(sqlite3.connect(other.instance / "jobs.db")) as jobs:
        assert jobs.execute("SELECT id FROM jobs").fetchall() == [("ftjob-1",)]
    kept = files(full.instance)
    assert files(other.instance) == {
        name: kept[name]
        for name in (
            "secret.key",
            "instance.id",
            "endpoints.yaml",
            "content/lessons/own/first.md",
            "files/file-1",
            "runs/job-1/events.jsonl",
            "models/own/manifest.json",
            "models/own/weights",
        )
    }


def test_only_its_owner_can_read_it_and_what_comes_of_it(
    saved: Path, other: Settings
) -> None:
    restore(other, saved)
    kept = [saved, other.instance / "secret.key", other.instance / "wordkeep.db"]
    assert [stat.S_IMODE(path.stat().st_mode) for path in kept] == [0o600] * 3
    assert stat.S_IMODE(other.instance.stat().st_mode) == 0o700


def test_models_may_be_left_out(
    full: Settings, other: Settings, tmp_path: Path
) -> None:
    manifest = make_backup(full, tmp_path / "small.tar", has_models=False)
    assert manifest.has_models is False
    restore(other, tmp_path / "small.tar")
    assert not (other.instance / "models").exists()
    assert (other.instance / "files" / "file-1").read_text() == "a text"


def test_content_behind_a_link_is_saved_once(
    full: Settings, other: Settings, tmp_path: Path
) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "words.txt").write_text("tower\n")
    (tmp_path / "elsewhere" / "back").symlink_to(full.content)
    (full.content / "words").symlink_to(tmp_path / "elsewhere")
    make_backup(full, tmp_path / "linked.tar")
    restore(other, tmp_path / "linked.tar")
    assert (other.content / "words" / "words.txt").read_text() == "tower\n"
    assert not (other.content / "words").is_symlink()
    assert not (other.content / "words" / "back").exists()


def test_what_is_written_meanwhile_stops_no_writer(
    full: Settings, services: Services, tmp_path: Path
) -> None:
    with services.db.write() as session:
        session.execute(text("UPDATE players SET alias = 'half done'"))
        make_backup(full, tmp_path / "meanwhile.tar")
    other = load_settings({}, instance=tmp_path / "other")
    restore(other, tmp_path / "meanwhile.tar")
    database = Database(other.database)
    with database.read() as session:
        assert session.scalar(select(Player.alias)) is None
    database.dispose()


@pytest.mark.parametrize(
    ("place", "why"),
    [
        ("saved.tar", "is there already"),
        ("instance/inside.tar", "is in the instance folder"),
        ("no/folder.tar", "cannot be used: no such file or directory"),
    ],
)
def test_a_place_that_will_not_do_is_named(
    full: Settings, saved: Path, tmp_path: Path, place: str, why: str
) -> None:
    before = saved.read_bytes()
    with pytest.raises(BackupError) as caught:
        make_backup(full, tmp_path / place)
    assert why in caught.value.message
    assert saved.read_bytes() == before


def test_where_nothing_is_nothing_is_made(other: Settings, tmp_path: Path) -> None:
    with pytest.raises(BackupError, match="There is no installation in"):
        make_backup(other, tmp_path / "none.tar")
    assert not other.instance.exists()
    assert not (tmp_path / "none.tar").exists()


def test_a_full_disk_leaves_no_backup_and_says_so(
    full: Settings, tmp_path: Path
) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    (full.instance / "models" / "own" / "weights").write_bytes(os.urandom(3_000_000))
    try:
        with small_disk(disk) as small:
            small.fill()
            # Room for the copy of the database, and not for the models.
            os.truncate(disk / "filler", (disk / "filler").stat().st_size - 2_500_000)
            with pytest.raises(LabError) as caught:
                make_backup(full, disk / "full.tar")
            assert [path.name for path in disk.iterdir()] == ["filler"]
            small.fill()
            with pytest.raises(StorageError) as copied:
                make_backup(full, disk / "full.tar")
            assert [path.name for path in disk.iterdir()] == ["filler"]
    except NoDisk as why:
        pytest.skip(f"not tested on a full disk: {why}")
    assert caught.value.message == (
        f"{disk / 'full.tar'} cannot be written: no space left on device. There is no "
        "backup. Make room, or choose another place."
    )
    assert "database or disk is full" in copied.value.message


def test_a_full_disk_leaves_the_old_installation(saved: Path, tmp_path: Path) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    there = load_settings({}, instance=disk / "instance")
    try:
        with small_disk(disk) as small:
            small.fill()
            with pytest.raises(BackupError, match="Nothing was changed"):
                restore(there, saved)
            assert [path.name for path in disk.iterdir()] == ["filler"]
    except NoDisk as why:
        pytest.skip(f"not tested on a full disk: {why}")


def test_an_installation_is_replaced_only_if_that_is_said(
    saved: Path, other: Settings
) -> None:
    other.instance.mkdir(parents=True)
    (other.instance / "secret.key").write_text("the old key")
    with pytest.raises(BackupError, match="or say --replace"):
        restore(other, saved)
    assert files(other.instance) == {"secret.key": "the old key", "up.lock": ""}
    (told,) = restore(other, saved, replaces=True).aside
    aside = Path(told.removeprefix("the old folder is "))
    assert (aside / "secret.key").read_text() == "the old key"
    assert names(other) == ["Ada"]


def test_a_folder_with_logs_alone_is_empty(saved: Path, other: Settings) -> None:
    (other.instance / "logs").mkdir(parents=True)
    assert restore(other, saved).aside == ()
    assert names(other) == ["Ada"]
    assert [path.name for path in other.instance.parent.iterdir()] == ["instance"]


def test_what_is_running_is_left_alone(saved: Path, other: Settings) -> None:
    boot = Boot(other.instance)
    with pytest.raises(BackupError, match="Wordkeep is running on"):
        restore(other, saved, replaces=True)
    boot.close()
    restore(other, saved, replaces=True)
    assert names(other) == ["Ada"]


def test_a_database_elsewhere_is_saved_and_put_back(
    full: Settings, services: Services, tmp_path: Path
) -> None:
    services.db.dispose()
    place = tmp_path / "data" / "lab.db"
    place.parent.mkdir()
    (full.instance / "wordkeep.db").rename(place)
    elsewhere = full.but(database_url=f"sqlite:///{place}")
    make_backup(elsewhere, tmp_path / "elsewhere.tar")
    there = load_settings(
        {},
        instance=tmp_path / "there",
        database_url=f"sqlite:///{tmp_path / 'new.db'}",
    )
    restore(there, tmp_path / "elsewhere.tar")
    assert names(there) == ["Ada"]
    told = restore(there, tmp_path / "elsewhere.tar", replaces=True).aside
    assert len(told) == 2
    assert Path(told[1].removeprefix("the old database is ")).is_file()


def changed(saved: Path, change: Change, *more: tarfile.TarInfo) -> Path:
    """Return a copy of a backup with other parts."""
    copy = saved.with_name("changed.tar")
    with tarfile.open(saved) as old, tarfile.open(copy, "w") as new:
        for extra in more:
            new.addfile(extra)
        for member in old:
            file = old.extractfile(member)
            assert file is not None
            if (kept := change(member, file.read())) is not None:
                new.addfile(kept[0], io.BytesIO(kept[1]))
    return copy


def refused(settings: Settings, path: Path) -> str:
    with pytest.raises(BackupError) as caught:
        restore(settings, path)
    assert not settings.instance.parent.exists() or not list(
        settings.instance.parent.iterdir()
    )
    return caught.value.message


def test_a_changed_byte_is_seen(saved: Path, other: Settings) -> None:
    def change(member: tarfile.TarInfo, data: bytes) -> tuple[tarfile.TarInfo, bytes]:
        is_file = member.name.endswith("files/file-1")
        return member, b"A text" if is_file else data

    said = refused(other, changed(saved, change))
    assert "instance/files/file-1 is not as it was saved" in said
    assert said.endswith("Nothing was changed.")


@pytest.mark.parametrize("share", [0.1, 0.5, 0.9])
def test_one_that_was_cut_off_is_refused(
    saved: Path, other: Settings, share: float
) -> None:
    data = saved.read_bytes()
    saved.write_bytes(data[: int(len(data) * share)])
    said = refused(other, saved)
    assert "its end is missing" in said or "it is not a whole tar file" in said


def test_what_is_no_backup_is_refused(tmp_path: Path, other: Settings) -> None:
    (tmp_path / "notes.txt").write_text("no backup" * 200)
    assert "not a whole tar file" in refused(other, tmp_path / "notes.txt")


def test_a_part_too_few_is_seen(saved: Path, other: Settings) -> None:
    said = refused(
        other,
        changed(saved, lambda m, d: None if m.name.endswith("secret.key") else (m, d)),
    )
    assert "instance/secret.key is not as it was saved" in said


def link(name: str, target: str) -> tarfile.TarInfo:
    made = tarfile.TarInfo(name)
    made.type, made.linkname = tarfile.SYMTYPE, target
    return made


@pytest.mark.parametrize(
    "extra",
    [
        link("instance/content", "/etc"),
        tarfile.TarInfo("instance/../../escaped"),
        tarfile.TarInfo("/etc/escaped"),
        tarfile.TarInfo("instance//twice"),
        tarfile.TarInfo("elsewhere/file"),
        tarfile.TarInfo("instance"),
    ],
    ids=lambda info: info.name,
)
def test_no_part_leads_elsewhere(
    saved: Path, other: Settings, tmp_path: Path, extra: tarfile.TarInfo
) -> None:
    said = refused(other, changed(saved, lambda m, d: (m, d), extra))
    assert "in it is a link, or leads out of the installation" in said
    assert not (tmp_path / "escaped").exists()


def test_a_newer_one_is_refused_before_anything_is_touched(
    full: Settings, services: Services, other: Settings, tmp_path: Path
) -> None:
    with services.db.write() as session:
        session.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    make_backup(full, tmp_path / "newer.tar")
    said = refused(other, tmp_path / "newer.tar")
    assert "made by a newer version of Wordkeep. Update the program" in said


def test_another_kind_of_database_is_refused(saved: Path, tmp_path: Path) -> None:
    school = load_settings(
        {},
        instance=tmp_path / "school" / "instance",
        database_url="postgresql://keep:hush@127.0.0.1:1/keep",
    )
    with pytest.raises(LabError) as caught:
        restore(school, saved, replaces=True)
    assert "holds a database of SQLite" in caught.value.message
    assert "hush" not in caught.value.message


def test_passwords_are_in_the_environment_of_the_programs_only() -> None:
    database = Database(
        "postgresql+psycopg://keep:h%40sh@host:5433/lab?sslmode=require"
    )
    assert databases.client_environment(database.engine.url) == {
        "PGHOST": "host",
        "PGPORT": "5433",
        "PGUSER": "keep",
        "PGPASSWORD": "h@sh",
        "PGDATABASE": "lab",
        "PGSSLMODE": "require",
    }


def test_the_commands_say_what_was_done(
    full: Settings, tmp_path: Path, other: Settings
) -> None:
    saved = tmp_path / "by-command.tar"

    def run(*arguments: str | Path) -> str:
        given = [str(argument) for argument in arguments]
        return CliRunner().invoke(main, given, prog_name="./wordkeep").output

    said = run("backup", saved, "--instance", full.instance)
    assert said.startswith(f"Saved {full.instance} in {saved} (")
    assert "keep it as safe as the computer itself" in said
    assert run("backup", saved, "--instance", full.instance) == (
        f"wordkeep: {saved} is there already. Choose another name, or move it away.\n"
    )
    said = run("restore", saved, "--instance", other.instance)
    assert said.startswith(f"Restored {other.instance} as it was on 20")
    assert names(other) == ["Ada"]
    assert "or say --replace" in run("restore", saved, "--instance", other.instance)
    said = run("restore", saved, "--replace", "--instance", other.instance)
    assert "Kept aside: the old folder is" in said


def test_a_migration_that_fails_leaves_the_old_installation(
    saved: Path, other: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(database: Database, *, keeps_copy: bool) -> bool:
        raise MigrationError("No.")

    monkeypatch.setattr("webapp.backup.restoring.migrate", fail)
    assert "cannot be brought up to date: No." in refused(other, saved)
