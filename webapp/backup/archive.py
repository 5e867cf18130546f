"""The file of a backup: written part by part, and unpacked with every part checked."""

from __future__ import annotations

import hashlib
import io
import os
import secrets
import tarfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import IO, Final

from webapp.backup.manifest import (
    DATABASES,
    INSTANCE,
    MOST_BYTES,
    NAME,
    BackupError,
    Manifest,
    Part,
    read_manifest,
)

_CHUNK: Final = 1 << 20
BROKEN: Final = "Use another backup, or copy this one again from where it was kept."


class Writer:
    """A tar that grows, and what its manifest will say of the parts."""

    def __init__(self, tar: tarfile.TarFile) -> None:
        self._tar = tar
        self.parts: dict[str, Part] = {}

    def add(self, name: str, path: Path) -> None:
        """Add a file as long as it is now; one that is gone by now is left out.

        Files that grow at their end may do so. Raise BackupError if it got shorter.
        """
        try:
            file = path.open("rb")
        except FileNotFoundError:
            return
        except OSError as error:
            raise BackupError(
                f"{path} cannot be read: {reason_of(error)}. There is no backup. "
                "Correct who may read it, or move it away."
            ) from error
        with file:
            size = os.fstat(file.fileno()).st_size
            digesting = _Digesting(file)
            try:
                self._tar.addfile(_header(name, size), digesting)
            except OSError as error:
                # tarfile's own words for an early end have no number.
                if error.errno is not None:
                    raise
                raise BackupError(
                    f"{path} changed while it was copied, so there is no backup. Try "
                    "again."
                ) from error
        self.parts[name] = Part(size=size, sha256=digesting.hexdigest())

    def finish(self, manifest: Manifest) -> None:
        """Write the manifest: with it, the backup is whole."""
        text = manifest.model_dump_json(indent=1).encode()
        self._tar.addfile(_header(NAME, len(text)), io.BytesIO(text))


class _Digesting(io.RawIOBase):
    """Reads a file and takes the digest of what is read."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self._digest = hashlib.sha256()

    def read(self, size: int = -1, /) -> bytes:
        data = self._file.read(size)
        self._digest.update(data)
        return data

    def hexdigest(self) -> str:
        return self._digest.hexdigest()


@contextmanager
def new_file(path: Path) -> Iterator[Writer]:
    """Write a backup beside its name and give it the name when it is whole.

    Only its owner may read it. Raise BackupError on a full disk; then nothing is left.
    """
    fresh = path.with_name(f".{path.name}.{secrets.token_hex(4)}.new")
    try:
        descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            with os.fdopen(descriptor, "wb") as file:
                with tarfile.open(
                    fileobj=file, mode="w", format=tarfile.PAX_FORMAT
                ) as t:
                    yield Writer(t)
                file.flush()
                os.fsync(file.fileno())
            fresh.replace(path)
        finally:
            fresh.unlink(missing_ok=True)
        sync_folder(path.parent)
    except OSError as error:
        raise BackupError(
            f"{path} cannot be written: {reason_of(error)}. There is no backup. Make "
            "room, or choose another place."
        ) from error


def reason_of(error: OSError) -> str:
    """Return the reason of an error of files, in the middle of a sentence."""
    return (error.strerror or str(error)).lower()


def unpack(path: Path, folder: Path) -> Manifest:
    """Unpack a backup into an empty folder and return its manifest.

    Raise BackupError for one that is cut off or changed, that is none of ours, or that
    has links or names that lead elsewhere. Raise OSError if the disk is full.
    """
    found: dict[str, Part] = {}
    text: bytes | None = None
    try:
        with tarfile.open(path, mode="r:") as tar:
            for member in tar:
                if text is not None:
                    raise _broken(path, "something follows its manifest")
                if member.name == NAME and member.isreg():
                    text = _read_small(path, tar, member)
                else:
                    name = _checked_name(path, member)
                    if name in found:
                        raise _broken(path, f"{name} is in it twice")
                    found[name] = _unpack_one(tar, member, folder / name)
    except tarfile.TarError as error:
        raise _broken(path, "it is not a whole tar file") from error
    if text is None:
        raise _broken(path, "its end is missing")
    manifest = read_manifest(text)
    if manifest.parts != found:
        wrong = sorted(
            name
            for name in {*found, *manifest.parts}
            if found.get(name) != manifest.parts.get(name)
        )
        raise _broken(path, f"{wrong[0]} is not as it was saved")
    if DATABASES[manifest.database] not in found:
        raise _broken(path, "it has no database")
    return manifest


def _checked_name(path: Path, member: tarfile.TarInfo) -> str:
    """Return the name of a part that may be unpacked."""
    name = PurePosixPath(member.name)
    is_ours = member.name in DATABASES.values() or (
        name.parts[:1] == (INSTANCE,) and len(name.parts) > 1
    )
    is_plain = (
        member.isreg()
        and str(name) == member.name
        and not {"..", "", "."} & set(member.name.split("/"))
        and "\x00" not in member.name
    )
    if not (is_ours and is_plain):
        shown = member.name[:80].encode(errors="backslashreplace").decode()
        raise _broken(
            path, f"“{shown}” in it is a link, or leads out of the installation"
        )
    return member.name


def _unpack_one(tar: tarfile.TarFile, member: tarfile.TarInfo, place: Path) -> Part:
    source = tar.extractfile(member)
    assert source is not None  # noqa: S101 -- it is a regular file
    digest = hashlib.sha256()
    place.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    descriptor = os.open(place, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        while data := source.read(_CHUNK):
            digest.update(data)
            file.write(data)
        file.flush()
        os.fsync(file.fileno())
    return Part(size=member.size, sha256=digest.hexdigest())


def _read_small(path: Path, tar: tarfile.TarFile, member: tarfile.TarInfo) -> bytes:
    source = tar.extractfile(member)
    if source is None or member.size > MOST_BYTES:
        raise _broken(path, "its manifest is too large")
    return source.read()


def _header(name: str, size: int) -> tarfile.TarInfo:
    """Return the header of a part: no owner and no times of this computer."""
    header = tarfile.TarInfo(name)
    header.size = size
    header.mode = 0o600
    return header


def _broken(path: Path, why: str) -> BackupError:
    return BackupError(
        f"{path} cannot be restored: {why}. {BROKEN} Nothing was changed."
    )


def sync_folder(folder: Path) -> None:
    """Put the names in a folder on the disk."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
