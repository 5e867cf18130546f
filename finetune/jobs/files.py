"""The files that trainings learn from: kept as they came, and only ever read as text.

Each is one file in the folder of the store, and a small JSON beside it, written last:
what has none was never complete.
"""

from __future__ import annotations

import errno
import json
import re
import secrets
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path, PurePosixPath
from typing import IO, Any, Final

from finetune.jobs.errors import CannotKeep, NoSuch
from finetune.weights.depot import Depot, DepotError
from finetune.weights.files import replacing, write_json

SHIPPED: Final = "shipped-"
_KIND: Final = "files"
_ID = re.compile(r"file-[0-9a-f]{24}")
_SUFFIXES = {".txt", ".csv", ".tsv", ".json", ".jsonl"}
_ABOUT = ".about.json"
_LONGEST_NAME = 120
_CHUNK = 1 << 20


@dataclass(frozen=True, slots=True)
class KeptFile:
    """What is known of a file; `created_at` are seconds since 1970.

    `origin` says which part of which data set of the hub it is, and its licence.
    """

    id: str
    filename: str
    bytes: int
    created_at: int
    purpose: str
    origin: dict[str, Any] | None = None


class FileStore:
    """The files of one instance. Safe to use from many threads and processes.

    Where machines share a depot, a file is there as well, and is fetched when it is
    first needed here. Then every method may raise DepotError, too.
    """

    def __init__(self, folder: Path, depot: Depot | None = None) -> None:
        self._folder = folder
        self._depot = depot or Depot()

    def add(
        self,
        stream: IO[bytes],
        *,
        filename: str,
        purpose: str,
        origin: dict[str, Any] | None = None,
    ) -> KeptFile:
        """Keep a file; raise CannotKeep if the disk does not take it."""
        file_id = f"file-{secrets.token_hex(12)}"
        name = clean_name(filename)
        with self._writing():
            path = self._folder / f"{file_id}{_suffix(name)}"
            try:
                with replacing(path) as new, new.open("wb") as out:
                    while chunk := stream.read(_CHUNK):
                        out.write(chunk)
                size, now = path.stat().st_size, int(time.time())
                kept = KeptFile(file_id, name, size, now, purpose, origin)
                write_json(self._about(file_id), asdict(kept))
                self._share(kept, path)
            except (OSError, DepotError):
                self._about(file_id).unlink(missing_ok=True)
                path.unlink(missing_ok=True)
                raise
        return kept

    def get(self, file_id: str) -> KeptFile:
        """Return what is known of a file; raise NoSuch."""
        path = self._about(file_id)
        if self._depot.is_shared and not path.is_file():
            self._bring(file_id)
        try:
            about = json.loads(path.read_text("utf-8"))
        except OSError as error:
            raise no_such_file(file_id) from error
        return KeptFile(**about)

    def path(self, file_id: str) -> Path:
        """Return where a file lies; raise NoSuch."""
        kept = self.get(file_id)
        path = self._folder / f"{kept.id}{_suffix(kept.filename)}"
        if not path.is_file():
            raise no_such_file(file_id)
        return path

    def all(self) -> list[KeptFile]:
        """Return all files, the newest first."""
        here = self._folder.glob(f"*{_ABOUT}")
        names = {about.name.removesuffix(_ABOUT) for about in here}
        names |= set(self._depot.versions(_KIND))
        found = []
        for name in names:
            with suppress(NoSuch):  # deleted just now
                found.append(self.get(name))
        return sorted(found, key=lambda kept: (-kept.created_at, kept.id))

    def remove(self, file_id: str) -> None:
        """Delete a file; raise NoSuch, or CannotKeep if the disk refuses."""
        path = self.path(file_id)
        with self._writing():
            self._depot.remove(f"{_KIND}/{file_id}")
            self._about(file_id).unlink()
            path.unlink()

    def _about(self, file_id: str) -> Path:
        # The only place where what a caller sent becomes a part of a path.
        if not _ID.fullmatch(file_id):
            raise no_such_file(file_id)
        return self._folder / f"{file_id}{_ABOUT}"

    def _share(self, kept: KeptFile, path: Path) -> None:
        about = self._about(kept.id)
        self._depot.send(f"{_KIND}/{kept.id}", {path.name: path, about.name: about})

    def _bring(self, file_id: str) -> None:
        """Fetch a file that another machine has, if one has it."""
        with self._writing():
            bundle = self._depot.look(f"{_KIND}/{file_id}")
            if bundle is not None:
                names = frozenset(bundle.files)
                self._depot.bring_files(f"{_KIND}/{file_id}", self._folder, names)

    @contextmanager
    def _writing(self) -> Iterator[None]:
        try:
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            yield
        except OSError as error:
            raise CannotKeep(disk_sentence(error, "The file")) from error


def no_such_file(file_id: str) -> NoSuch:
    """Say that there is no such file."""
    return NoSuch(
        f"There is no file {file_id[:60]!r}: upload it first, and use the id that you"
        " get.",
        param="training_file",
    )


def disk_sentence(error: OSError, what: str) -> str:
    """Say why the disk took something not, and what to do about it."""
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return (
            f"{what} was not kept: the disk of this computer is full. Delete something"
            " and try again."
        )
    reason = (error.strerror or type(error).__name__).lower()
    return (
        f"{what} was not kept: {reason}. Ask whoever looks after this computer to make"
        " the instance folder writable."
    )


def clean_name(filename: str) -> str:
    """Return the last part of a path, without signs that a page or a shell minds."""
    last = PurePosixPath(filename.replace("\\", "/")).name
    kept = "".join(c if c.isalnum() or c in " ._-()" else "_" for c in last)
    kept = kept.strip(" .")
    if len(kept) > _LONGEST_NAME:
        stem, suffix = kept[:_LONGEST_NAME], PurePosixPath(kept).suffix[:10]
        kept = f"{stem.removesuffix(suffix)[: _LONGEST_NAME - len(suffix)]}{suffix}"
    return kept or "data.txt"


def _suffix(filename: str) -> str:
    found = PurePosixPath(filename).suffix.lower()
    return found if found in _SUFFIXES else ".txt"
