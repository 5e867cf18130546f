"""An installation made of a backup: checked, brought up to date, put in place."""

from __future__ import annotations

import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

from sqlalchemy import make_url

from webapp.backup.archive import reason_of, sync_folder, unpack
from webapp.backup.databases import (
    ASIDE,
    is_empty_postgres,
    kind_of,
    load_postgres,
    put_aside,
    sqlite_file,
    take_back,
)
from webapp.backup.manifest import DATABASES, INSTANCE, BackupError, Manifest
from webapp.db import Database
from webapp.errors import LabError
from webapp.files import make_private
from webapp.migrations import known_revisions, migrate
from webapp.settings import Settings

# What a folder may hold and still count as empty.
_PASSING: Final = {"logs", "run", "up.lock", "up.out"}
_SIDES: Final = ("", "-wal", "-shm")


@dataclass(frozen=True, slots=True)
class Restored:
    """What was done. `aside` says where what was there is now, if anything was."""

    manifest: Manifest
    aside: tuple[str, ...]
    is_migrated: bool


def restore(settings: Settings, path: Path, *, replaces: bool = False) -> Restored:
    """Make the installation of `settings` the one of a backup.

    All of it is unpacked and checked first, and an older one brought up to date; only
    then the folders are exchanged. `replaces` keeps an installation that is there
    aside. Raise BackupError, and then the old one is as it was.
    """
    instance = settings.instance
    with _held(instance):
        _require_room(settings, replaces=replaces)
        with _scratch(instance) as folder:
            manifest = unpack(path, folder)
            _require_fit(settings, manifest)
            return _exchange(settings, folder, manifest)


@contextmanager
def _held(instance: Path) -> Iterator[None]:
    """Keep `up` from starting, and refuse where something runs on the instance."""
    if not instance.exists():
        yield
        return
    locks = [instance / "up.lock", *(instance / "run").glob("*.lock")]
    held = []
    try:
        for lock in locks:
            descriptor = os.open(lock, os.O_RDWR | os.O_CREAT, 0o600)
            held.append(descriptor)
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    except BlockingIOError as error:
        raise BackupError(
            f"Wordkeep is running on {instance}. Stop it with Ctrl-C first, or restore "
            "into another folder with --instance DIR."
        ) from error
    finally:
        for descriptor in held:
            os.close(descriptor)


def _require_room(settings: Settings, *, replaces: bool) -> None:
    """Refuse a place that is taken, unless the old installation is kept aside."""
    if replaces:
        return
    instance, file = settings.instance, sqlite_file(settings)
    taken = instance.exists() and any(
        path.name not in _PASSING for path in instance.iterdir()
    )
    if taken:
        raise BackupError(
            f"There is an installation in {instance} already. Choose an empty folder "
            "with --instance DIR, or say --replace: then the old one is kept aside."
        )
    if file is None and not _is_empty(settings):
        raise BackupError(
            "The database of WORDKEEP_DATABASE_URL has tables already. Name an empty "
            "one, or say --replace: then the old tables are kept aside."
        )
    if file is not None and file.exists():
        raise BackupError(
            f"There is a database at {file} already. Name another one, or say "
            "--replace: then the old one is kept aside."
        )


def _is_empty(settings: Settings) -> bool:
    database = Database(settings.database)
    try:
        return is_empty_postgres(database)
    finally:
        database.dispose()


@contextmanager
def _scratch(instance: Path) -> Iterator[Path]:
    """Yield a folder on the same disk as the instance."""
    try:
        instance.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(
            prefix=f".{instance.name}.", dir=instance.parent
        ) as folder:
            yield Path(folder)
    except OSError as error:
        raise BackupError(
            f"The backup cannot be restored into {instance}: {reason_of(error)}. "
            "Nothing was changed. Make room, or choose another place with "
            "--instance DIR."
        ) from error


def _require_fit(settings: Settings, manifest: Manifest) -> None:
    kind = kind_of(settings)
    if manifest.database != kind:
        is_sqlite = manifest.database == "sqlite"
        hint = (
            "Unset WORDKEEP_DATABASE_URL"
            if is_sqlite
            else "Set WORDKEEP_DATABASE_URL to an empty PostgreSQL database"
        )
        names = {"sqlite": "SQLite", "postgresql": "PostgreSQL"}
        raise BackupError(
            f"The backup holds a database of {names[manifest.database]}, and these "
            f"settings name one of {names[kind]}. {hint} and restore again."
        )
    if manifest.revision not in known_revisions():
        raise BackupError(
            "The backup was made by a newer version of Wordkeep. Update the program "
            "and restore again. Nothing was changed."
        )


def _exchange(settings: Settings, folder: Path, manifest: Manifest) -> Restored:
    stamp = f"{datetime.now():%Y%m%d_%H%M%S}"  # noqa: DTZ005 -- a name for people here
    fresh = folder / INSTANCE
    make_private(fresh)
    database = folder / DATABASES[manifest.database]
    file = sqlite_file(settings)
    if file is None:
        with _loaded(settings, database, stamp) as (is_migrated, schema):
            aside = _swap(settings.instance, fresh, stamp)
        return Restored(manifest, (*aside, *schema), is_migrated)
    is_migrated = _brought_up(Database(database))
    if file.is_relative_to(settings.instance):
        place = fresh / file.relative_to(settings.instance)
        place.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        database.replace(place)
        aside = _swap(settings.instance, fresh, stamp)
    else:
        aside = _swap(settings.instance, fresh, stamp)
        aside = (*aside, *_swap_file(file, database, stamp))
    return Restored(manifest, aside, is_migrated)


def _brought_up(database: Database) -> bool:
    """Apply the migrations that are missing; return whether there were any."""
    try:
        return migrate(database, keeps_copy=False)
    except LabError as error:
        raise BackupError(
            f"The backup cannot be brought up to date: {error.message} The "
            "installation was not changed."
        ) from error
    finally:
        # What is moved must be one file, without a log of writes beside it.
        database.wipe()
        database.dispose()


@contextmanager
def _loaded(
    settings: Settings, dump: Path, stamp: str
) -> Iterator[tuple[bool, tuple[str, ...]]]:
    """Fill the PostgreSQL database; whatever fails, the old tables come back."""
    database = Database(settings.database)
    schema = f"{ASIDE}{stamp}"
    is_taken = not is_empty_postgres(database)
    if is_taken:
        put_aside(database, schema)
    try:
        load_postgres(make_url(str(settings.database)), dump)
        told = (f"the old tables are in the schema {schema}",) if is_taken else ()
        yield _brought_up(Database(settings.database)), told
    except BaseException:
        take_back(database, schema if is_taken else None)
        raise
    finally:
        database.dispose()


def _swap(instance: Path, fresh: Path, stamp: str) -> tuple[str, ...]:
    """Put a folder in the place of the instance; tell where the old one is."""
    aside = instance.with_name(f"{instance.name}.before_{stamp}")
    was_there = instance.exists()
    if was_there:
        instance.rename(aside)
    try:
        fresh.rename(instance)
    except OSError:
        if was_there:
            aside.rename(instance)
        raise
    sync_folder(instance.parent)
    if was_there and {path.name for path in aside.iterdir()} <= _PASSING:
        shutil.rmtree(aside)
        return ()
    return (f"the old folder is {aside}",) if was_there else ()


def _swap_file(file: Path, fresh: Path, stamp: str) -> tuple[str, ...]:
    """Put a database outside of the instance in its place, with the old one aside."""
    aside = file.with_name(f"{file.name}.before_{stamp}")
    was_there = file.exists()
    file.parent.mkdir(parents=True, exist_ok=True)
    for end in _SIDES if was_there else ():
        with suppress(FileNotFoundError):
            file.with_name(file.name + end).rename(aside.with_name(aside.name + end))
    shutil.move(fresh, file)
    sync_folder(file.parent)
    return (f"the old database is {aside}",) if was_there else ()
