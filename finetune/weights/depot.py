"""The depot: where machines find each other's files, by URL.

Every machine works in its own instance. What others need lies in the depot as well, a
bundle for each thing: a file that was brought, a run with its checkpoint, a model. A
bundle is its objects, which are named by their content and never change, and an index
that names them, written last. So who reads finds the bundle as it was before or as it
is now, and what arrives is compared with the digests of the index.

Every method of a depot raises DepotError. Without a URL nothing is shared.
"""

from __future__ import annotations

import json
import re
import secrets
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

from finetune.errors import FinetuneError
from finetune.weights.files import remove, replacing
from finetune.weights.releases import sha256

_INDEX, _OBJECTS, _LOGS = "index", "objects", "logs"
_CHECK, _MARK = "reachable", "mark"
# A bundle that is replaced while it is read is read again.
_ROUNDS: Final = 3
# Names become names of folders here: none may lead out of theirs.
_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*\.json")
_S3: Final[Mapping[str, Any]] = {
    # What others write now must be seen now.
    "use_listings_cache": False,
    # Nobody waits minutes for an answer that a page needs.
    "config_kwargs": {
        "connect_timeout": 5, "read_timeout": 30, "retries": {"max_attempts": 2},
    },
}  # fmt: skip


class DepotError(FinetuneError):
    """The depot cannot be used; the message is one sentence for a person."""


class DepotRefused(DepotError):
    """The depot is not there, lets us not in, or is damaged: waiting does not help."""


@dataclass(frozen=True, slots=True)
class Bundle:
    """What an index says: name → SHA-256 of each file, and how far the thing is."""

    files: Mapping[str, str]
    progress: int = 0


class Depot:
    """Nothing is shared: all there is lies in the instance, where it is looked for."""

    is_shared = False

    def check(self) -> None:
        """See that it can be written to and read; raise DepotError if not."""

    def mark(self) -> str:
        """Return what tells this depot from one that is made anew in its place."""
        return ""

    def send(self, key: str, files: Mapping[str, Path], *, progress: int = 0) -> None:
        """Put files there under their names, in place of what the bundle was before."""

    def look(self, key: str) -> Bundle | None:
        """Return what a bundle is now; None if there is none."""
        return None

    def bring(self, key: str, folder: Path) -> bool:
        """Replace a folder by a bundle, whole or not at all; say if there was one."""
        return False

    def bring_files(self, key: str, folder: Path, names: frozenset[str]) -> bool:
        """Put the named files of a bundle into a folder, each whole, in its order."""
        return False

    def send_log(self, key: str, path: Path) -> None:
        """Put a file there that only grows."""

    def bring_log(self, key: str, path: Path) -> bool:
        """Fetch such a file if it is longer there; say if it was."""
        return False

    def remove(self, key: str) -> None:
        """Delete a bundle, if it is there."""

    def versions(self, kind: str) -> dict[str, str]:
        """Return name → version of all bundles `kind/name`."""
        return {}


class UrlDepot(Depot):
    """A depot in a bucket of S3 or in a folder. Safe to use from many threads."""

    is_shared = True

    def __init__(self, files: Any, root: str, *, incoming: Path) -> None:
        """`files` is a file system of fsspec; what arrives is first in `incoming`."""
        self.files = files
        self._root = root.rstrip("/")
        self._incoming = incoming

    def check(self) -> None:
        """See that it can be written to and read; raise DepotError if not."""
        with self._explained():
            self._write(f"{self._root}/{_CHECK}", b"Wordkeep\n")
            self.files.cat_file(f"{self._root}/{_CHECK}")

    def mark(self) -> str:
        """Return what tells this depot from one that is made anew in its place."""
        place = f"{self._root}/{_MARK}"
        with self._explained():
            if not self.files.exists(place):
                self._write(place, secrets.token_hex(16).encode())
            return str(self.files.cat_file(place).decode())

    def send(self, key: str, files: Mapping[str, Path], *, progress: int = 0) -> None:
        """Put files there under their names, in place of what the bundle was before."""
        before = self.look(key)
        known = set(before.files.values()) if before else set()
        bundle = Bundle({name: sha256(path) for name, path in files.items()}, progress)
        with self._explained():
            for name, path in files.items():
                if bundle.files[name] not in known:
                    self._send(path, self._object(key, bundle.files[name]))
            self._write(self._index(key), json.dumps(asdict(bundle)).encode())
            for digest in known - set(bundle.files.values()):
                self._delete(self._object(key, digest))

    def look(self, key: str) -> Bundle | None:
        """Return what a bundle is now; None if there is none."""
        with self._explained():
            try:
                told = json.loads(self.files.cat_file(self._index(key)))
            except FileNotFoundError:
                return None
            except ValueError as error:
                raise DepotRefused(
                    f"The index of {key} in the depot is damaged."
                ) from error
        return Bundle(told["files"], told["progress"])

    def bring(self, key: str, folder: Path) -> bool:
        """Replace a folder by a bundle, whole or not at all; say if there was one."""
        with self._arriving() as new:
            if self._receive(key, new, None) is None:
                return False
            old = new.with_name(f"{new.name}.old")
            folder.parent.mkdir(parents=True, exist_ok=True)
            if folder.exists():
                folder.rename(old)
            new.rename(folder)
            remove(old)
        return True

    def bring_files(self, key: str, folder: Path, names: frozenset[str]) -> bool:
        """Put some files of a bundle into a folder, each whole, in its order."""
        with self._arriving() as new:
            bundle = self._receive(key, new, names)
            if bundle is None:
                return False
            for name in bundle.files:
                if name in names:
                    (folder / name).parent.mkdir(parents=True, exist_ok=True)
                    (new / name).replace(folder / name)
        return True

    def send_log(self, key: str, path: Path) -> None:
        """Put a file there that only grows; what is longer there already stays."""
        data = path.read_bytes()
        if len(data) > self._log_size(key):
            with self._explained():
                self._write(self._log(key), data)

    def bring_log(self, key: str, path: Path) -> bool:
        """Fetch such a file if it is longer there; say if it was."""
        size = path.stat().st_size if path.exists() else 0
        if self._log_size(key) <= size:
            return False
        with self._explained(), replacing(path) as new:
            new.write_bytes(self.files.cat_file(self._log(key)))
        return True

    def _log_size(self, key: str) -> int:
        with self._explained():
            try:
                return int(self.files.size(self._log(key)))
            except FileNotFoundError:
                return 0

    def _log(self, key: str) -> str:
        return f"{self._root}/{_LOGS}/{key}"

    def remove(self, key: str) -> None:
        """Delete a bundle, if it is there."""
        if bundle := self.look(key):
            with self._explained():
                # First what makes it a bundle: nobody finds half of one.
                self._delete(self._index(key))
                for digest in set(bundle.files.values()):
                    self._delete(self._object(key, digest))

    def versions(self, kind: str) -> dict[str, str]:
        """Return name → version of all bundles `kind/name`."""
        with self._explained():
            try:
                found = self.files.ls(f"{self._root}/{_INDEX}/{kind}", detail=True)
            except FileNotFoundError:
                return {}
        return {
            Path(each["name"]).stem: str(each.get("ETag") or each.get("mtime"))
            for each in found
            if _NAME.fullmatch(Path(each["name"]).name)
        }

    def _receive(
        self, key: str, folder: Path, names: frozenset[str] | None
    ) -> Bundle | None:
        """Fetch a bundle, or the named files of it, and compare the digests."""
        for _ in range(_ROUNDS):
            remove(folder)
            folder.mkdir(parents=True)
            bundle = self.look(key)
            if bundle is None:
                return None
            wanted = {
                n: d for n, d in bundle.files.items() if names is None or n in names
            }
            if self._receive_all(key, folder, wanted):
                return bundle
        raise DepotError(f"{key} cannot be fetched from the depot: parts are missing.")

    def _receive_all(self, key: str, folder: Path, wanted: Mapping[str, str]) -> bool:
        """Fetch files; False if one is not there: the bundle is another one now."""
        for name, digest in wanted.items():
            path = folder / name
            if not path.resolve().is_relative_to(folder.resolve()):
                raise DepotRefused(f"{key} in the depot names a file outside of it.")
            path.parent.mkdir(parents=True, exist_ok=True)
            with self._explained():
                try:
                    self.files.get_file(self._object(key, digest), str(path))
                except FileNotFoundError:
                    return False
            if sha256(path) != digest:
                raise DepotRefused(
                    f"{name} of {key} is not what was put into the depot: it is damaged"
                    " there, or on its way."
                )
        return True

    @contextmanager
    def _arriving(self) -> Iterator[Path]:
        """Yield a folder beside all others for what is not whole yet."""
        new = self._incoming / secrets.token_hex(8)
        try:
            yield new
        finally:
            remove(new)

    def _send(self, path: Path, place: str) -> None:
        self._make_room(place)
        self.files.put_file(str(path), place)

    def _write(self, place: str, data: bytes) -> None:
        """Write a small file; whoever reads finds all of it."""
        self._make_room(place)
        if self._is_folder:
            new = f"{place}.{secrets.token_hex(4)}.new"
            self.files.pipe_file(new, data)
            self.files.mv(new, place)
        else:
            self.files.pipe_file(place, data)

    def _make_room(self, place: str) -> None:
        # Folders of a bucket are only names, and to make one might make the bucket.
        if self._is_folder:
            self.files.makedirs(place.rpartition("/")[0], exist_ok=True)

    @property
    def _is_folder(self) -> bool:
        return "file" in self.files.protocol

    def _delete(self, place: str) -> None:
        try:
            self.files.rm_file(place)
        except FileNotFoundError:
            return

    def _index(self, key: str) -> str:
        return f"{self._root}/{_INDEX}/{key}.json"

    def _object(self, key: str, digest: str) -> str:
        return f"{self._root}/{_OBJECTS}/{key}/{digest}"

    @contextmanager
    def _explained(self) -> Iterator[None]:
        from botocore.exceptions import BotoCoreError, NoCredentialsError  # noqa: PLC0415 -- slow import

        try:
            yield
        except NoCredentialsError as error:
            raise DepotRefused(
                f"There are no keys for {self._root}: set AWS_ACCESS_KEY_ID and"
                " AWS_SECRET_ACCESS_KEY."
            ) from error
        except PermissionError as error:
            raise DepotRefused(
                f"{self._root} refuses us: see that its keys (AWS_ACCESS_KEY_ID and"
                " AWS_SECRET_ACCESS_KEY) are right and may read and write there."
            ) from error
        except FileNotFoundError as error:
            raise DepotRefused(
                f"There is no bucket {self._root.partition('/')[0]}: make it, or see"
                " WORDKEEP_SIDECAR_STORE_URL and AWS_ENDPOINT_URL."
            ) from error
        except (OSError, BotoCoreError) as error:
            raise DepotError(
                f"The depot {self._root} does not answer. What is here stays here, and"
                " it is tried again."
            ) from error


def open_depot(url: str, *, incoming: Path) -> Depot:
    """Return the depot of a URL: s3://bucket/folder, file:///folder, or none."""
    if not url:
        return Depot()
    import fsspec  # noqa: PLC0415 -- slow import

    protocol, _, root = url.partition("://")
    chosen = _S3 if protocol == "s3" else {}
    return UrlDepot(fsspec.filesystem(protocol, **chosen), root, incoming=incoming)
