"""A backup of an installation, whether or not it is running."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from sqlalchemy import make_url

from webapp.backup.archive import Writer, new_file, reason_of
from webapp.backup.databases import dump_postgres, kind_of, sqlite_file
from webapp.backup.manifest import (
    DATABASES,
    INSTANCE,
    BackupError,
    Manifest,
    own_version,
)
from webapp.db import Database, copy_sqlite
from webapp.migrations import present_revision
from webapp.settings import Settings

# What an instance folder keeps for good. Logs, locks, sockets, downloads, merged models
# and checkpoints are left out: they are made again, or belong to one computer.
_FILES: Final = ("secret.key", "instance.id", "endpoints.yaml", "speeds.json")
_FOLDERS: Final = (
    "content",
    "drafts",
    "files",
    "runs",
    "tokenizers",
    "calibration",
    "guard-data",
)
_JOBS: Final = "jobs.db"
_MODELS: Final = "models"
# A folder of models holds copies of bases as well, which have no manifest.
_RELEASED: Final = "manifest.json"
_CHECKPOINTS: Final = "checkpoint"


def make_backup(settings: Settings, path: Path, *, has_models: bool = True) -> Manifest:
    """Write a backup into a new file that its owner alone may read.

    Whatever was saved before this is called is in it. `has_models` is whether models
    that were trained here are. Raise BackupError or StorageError, also on a full disk;
    then there is no file.
    """
    path = path.absolute()
    _require_place(settings, path)
    with _scratch(path) as folder, new_file(path) as writer:
        kind = kind_of(settings)
        copy = folder / "database"
        revision = _save_database(settings, copy)
        writer.add(DATABASES[kind], copy)
        # It goes when it is in the file: two copies need twice the room.
        copy.unlink()
        _add_instance(writer, settings.instance, folder, has_models=has_models)
        manifest = Manifest(
            version=own_version(),
            made_at=datetime.now(UTC).isoformat(timespec="seconds"),
            database=kind,
            revision=revision,
            has_models=has_models,
            parts=writer.parts,
        )
        writer.finish(manifest)
    return manifest


def _require_place(settings: Settings, path: Path) -> None:
    instance = settings.instance
    if not (instance / "secret.key").is_file():
        raise BackupError(
            f"There is no installation in {instance}. Name its folder with "
            "--instance DIR."
        )
    if path.resolve().is_relative_to(instance):
        raise BackupError(
            f"{path} is in the instance folder, and would be lost with it. Choose "
            "another place, best on another disk."
        )
    if path.exists():
        raise BackupError(
            f"{path} is there already. Choose another name, or move it away."
        )


@contextmanager
def _scratch(path: Path) -> Iterator[Path]:
    """Yield a private folder beside the backup, for what must be a file first."""
    try:
        with tempfile.TemporaryDirectory(
            prefix=f".{path.name}.", dir=path.parent
        ) as folder:
            yield Path(folder)
    except OSError as error:
        raise BackupError(
            f"The folder {path.parent} cannot be used: {reason_of(error)}. Choose "
            "another place."
        ) from error


def _save_database(settings: Settings, copy: Path) -> str:
    """Write the database into a file; return the revision of its tables."""
    file = sqlite_file(settings)
    if file is not None:
        copy_sqlite(file, copy)
        return _revision(Database(copy))
    revision = _revision(Database(settings.database))
    dump_postgres(make_url(str(settings.database)), copy)
    return revision


def _revision(database: Database) -> str:
    try:
        revision = present_revision(database)
    finally:
        database.dispose()
    if revision is None:
        raise BackupError(
            "The database has no tables yet, so there is nothing to save. Start "
            "Wordkeep once: ./wordkeep up"
        )
    return revision


def _add_instance(
    writer: Writer, instance: Path, scratch: Path, *, has_models: bool
) -> None:
    jobs = instance / _JOBS
    # Before the files that it names: what is made meanwhile is there as well.
    if jobs.is_file():
        copy_sqlite(jobs, scratch / _JOBS)
        writer.add(f"{INSTANCE}/{_JOBS}", scratch / _JOBS)
    for name in _FILES:
        if (instance / name).is_file():
            writer.add(f"{INSTANCE}/{name}", instance / name)
    for name in _FOLDERS:
        _add_folder(writer, f"{INSTANCE}/{name}", instance / name)
    models = instance / _MODELS
    for model in sorted(models.glob(f"*/{_RELEASED}")) if has_models else ():
        name = f"{INSTANCE}/{_MODELS}/{model.parent.name}"
        _add_folder(writer, name, model.parent)


def _add_folder(
    writer: Writer, name: str, folder: Path, above: frozenset[str] = frozenset()
) -> None:
    """Add all files of a folder; those that links lead to as well, as files."""
    real = os.path.realpath(folder)
    # A link may lead back to where it came from.
    if real in above or not folder.is_dir():
        return
    for path in sorted(folder.iterdir()):
        inside = f"{name}/{path.name}"
        if path.is_dir():
            if path.name != _CHECKPOINTS:
                _add_folder(writer, inside, path, above | {real})
        elif path.is_file():
            writer.add(inside, path)
