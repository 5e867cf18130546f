"""Packs: own content in one zip file, to give to another installation.

A pack is checked whole before anything is touched: how much is in it, where its files
would go, that they are the ones that its manifest lists, and that the content has no
error with them that it has not without.
"""

from __future__ import annotations

import hashlib
import io
import json
import stat
import zipfile
import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Annotated, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from webapp.content.check import load_all
from webapp.content.files import find_files
from webapp.content.overlay import load_with
from webapp.errors import InvalidInput, NotFound
from webapp.reading.problems import Problem
from webapp.reading.tree import MAX_BYTES
from webapp.text.names import why_unreadable

MANIFEST: Final = "pack.json"
MOST_FILES: Final = 1_000
MOST_PACK_BYTES: Final = 5_000_000
MOST_TEXT_BYTES: Final = 20_000_000
MOST_MANIFEST_BYTES: Final = 500_000
# A report or proof is larger than what people write.
MOST_JSON_BYTES: Final = 5_000_000
# Text becomes five times smaller, a bomb a thousand times.
MOST_RATIO: Final = 100
MOST_PATH_CHARS: Final = 200
# What a file may be, by its folder: how deep it lies, and its names.
_PLACES: Final[Mapping[str, tuple[int, tuple[str, ...]]]] = {
    "game": (3, (".yaml", "calibration.json")),
    "lessons": (3, (".md", "track.yaml")),
    "words": (2, (".txt",)),
    "attacks": (2, (".yaml",)),
    "data": (2, (".yaml",)),
    "texts": (2, ("help.yaml",)),
}
_PROVEN: Final = PurePosixPath("lessons", "proven.json")
_FAULTS: Final = (
    zipfile.BadZipFile,
    zlib.error,
    EOFError,
    NotImplementedError,
    OSError,
    RuntimeError,
    ValueError,
)

Change = Literal["new", "replaces", "same"]
Texts = dict[PurePosixPath, str]


class PackFile(BaseModel):
    """A file of a pack."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    path: Annotated[str, Field(min_length=1, max_length=MOST_PATH_CHARS)]
    sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
    bytes: Annotated[int, Field(ge=0)]


class Manifest(BaseModel):
    """What a pack says of itself."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    pack: Literal[1] = 1
    name: Annotated[str, Field(min_length=1, max_length=80)]
    version: Annotated[str, Field(min_length=1, max_length=20)] = "1"
    files: Annotated[tuple[PackFile, ...], Field(min_length=1, max_length=MOST_FILES)]


@dataclass(frozen=True, slots=True)
class Pack:
    """A pack that is whole: its manifest, and its texts by their path."""

    manifest: Manifest
    texts: Texts


@dataclass(frozen=True, slots=True)
class PackLine:
    """A file of a pack, and what it would do here."""

    path: PurePosixPath
    change: Change


@dataclass(frozen=True, slots=True)
class PackPlan:
    """What would come of a pack; with an error among `problems` it is not taken."""

    pack: Pack
    lines: tuple[PackLine, ...]
    problems: tuple[Problem, ...]

    @property
    def is_fine(self) -> bool:
        """Whether it may be brought in."""
        return not any(problem.is_error for problem in self.problems)


def own_texts(root: Path) -> Texts:
    """Return all own content that can be in a pack, by its path."""
    return {
        name: path.read_bytes().decode("utf-8", "replace")
        for name, path in _own_files(root)
        if is_place(name)
    }


def _own_files(root: Path) -> Iterator[tuple[PurePosixPath, Path]]:
    for name, file in find_files([root]).items():
        if not file.fault:
            # Files of proofs are listed once for each root, by its number.
            yield (name if name.name == file.path.name else name.parent), file.path


def make(root: Path, *, name: str, version: str, paths: Sequence[str]) -> bytes:
    """Return a pack of what is under these paths of the own content; of all of it
    without any.

    Raises InvalidInput for a name that cannot be read, NotFound if nothing is there.
    """
    for given in (name, version):
        if fault := why_unreadable(given):
            raise InvalidInput(f'"{given}" cannot be the name of a pack: it {fault}.')
    wanted = [PurePosixPath(path) for path in paths]
    texts = {
        place: text
        for place, text in own_texts(root).items()
        if not wanted or any(place.is_relative_to(path) for path in wanted)
    }
    if not texts:
        raise NotFound("There is no content of your own to put into a pack.")
    data = {place: text.encode() for place, text in sorted(texts.items())}
    try:
        manifest = Manifest(
            name=name,
            version=version,
            files=tuple(
                PackFile(path=str(place), sha256=_digest(text), bytes=len(text))
                for place, text in data.items()
            ),
        )
    except ValidationError:
        raise InvalidInput(
            "A pack has a name of up to 80 characters, a version of up to 20, and up "
            f"to {MOST_FILES} files."
        ) from None
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(MANIFEST, manifest.model_dump_json(indent=2))
        for place, text in data.items():
            archive.writestr(str(place), text)
    return written.getvalue()


def read(data: bytes) -> Pack:
    """Return what is in a pack; nothing of it is written anywhere.

    Raises InvalidInput that says what is wrong with it.
    """
    if len(data) > MOST_PACK_BYTES:
        raise InvalidInput(
            f"This file has {len(data):,} bytes; a pack has at most "
            f"{MOST_PACK_BYTES:,}. Split it."
        )
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            return _read(archive, len(data))
    except _FAULTS as error:
        raise InvalidInput(
            "This is not a zip file that can be read, or it is damaged. Make the pack "
            "again."
        ) from error


def _read(archive: zipfile.ZipFile, size: int) -> Pack:
    entries = [info for info in archive.infolist() if not info.is_dir()]
    _require_small(entries, size)
    files: dict[str, bytes] = {}
    for info in entries:
        name = _safe_name(info)
        if name.casefold() in {known.casefold() for known in files}:
            raise InvalidInput(f'"{name}" is in this pack twice. Make the pack again.')
        files[name] = _content(archive, info, _most_bytes(name))
    manifest = _manifest(files.pop(MANIFEST, None))
    _require_listed(manifest, files)
    texts: Texts = {}
    for name, content in files.items():
        try:
            texts[PurePosixPath(name)] = content.decode("utf-8")
        except UnicodeDecodeError:
            raise InvalidInput(
                f'"{name}" is not text in UTF-8. Save it as UTF-8 and make the pack '
                "again."
            ) from None
    return Pack(manifest, texts)


def _require_small(entries: list[zipfile.ZipInfo], size: int) -> None:
    """Look at what the zip says of itself, before anything of it is unpacked."""
    total = sum(info.file_size for info in entries)
    if len(entries) > MOST_FILES + 1:
        raise InvalidInput(f"A pack has at most {MOST_FILES:,} files. Split it.")
    if total > MOST_TEXT_BYTES or total > MOST_RATIO * size:
        raise InvalidInput(
            f"This pack would unpack to {total:,} bytes, which no pack of texts does. "
            "Nothing was unpacked."
        )


def _safe_name(info: zipfile.ZipInfo) -> str:
    """Return the path of an entry; raise InvalidInput for any that leads elsewhere."""
    name = info.orig_filename
    parts = name.split("/")
    is_odd = any(char in name for char in "\\\0:") or not name.isprintable()
    if is_odd or name.startswith("/") or {"", ".", ".."} & set(parts):
        raise InvalidInput(
            f'"{ascii(name)[1:-1]}" is a path that leads out of the content. Nothing '
            "of this pack was used."
        )
    kind = stat.S_IFMT(info.external_attr >> 16)
    if kind not in (0, stat.S_IFREG):
        raise InvalidInput(
            f'"{name}" is a link or a device. A pack holds plain files only.'
        )
    if info.flag_bits & 1:
        raise InvalidInput("This pack is encrypted. Make it again without a password.")
    if name != MANIFEST and not is_place(PurePosixPath(name)):
        raise InvalidInput(
            f'"{name}" is not a content file. A pack holds game/LADDER/NAME.yaml, '
            "lessons/TRACK/NN-NAME.md, track.yaml, words/NAME.txt, attacks/NAME.yaml "
            "and texts/help.yaml."
        )
    return name


def is_place(path: PurePosixPath) -> bool:
    """Return whether a path is one of a content file."""
    if path == _PROVEN:
        return True
    depth, endings = _PLACES.get(path.parts[0], (0, ()))
    is_hidden = any(part.startswith((".", "#", "~")) for part in path.parts)
    is_short = len(str(path)) <= MOST_PATH_CHARS
    is_named = path.name.endswith(endings) if endings else False
    return len(path.parts) == depth and is_named and is_short and not is_hidden


def _most_bytes(name: str) -> int:
    if name == MANIFEST:
        return MOST_MANIFEST_BYTES
    return MOST_JSON_BYTES if name.endswith(".json") else MAX_BYTES


def _content(archive: zipfile.ZipFile, info: zipfile.ZipInfo, most: int) -> bytes:
    # What an entry says of its size may be a lie: no more than this is unpacked.
    with archive.open(info) as file:
        content = file.read(most + 1)
    if len(content) > most:
        raise InvalidInput(
            f'"{info.filename}" has more than {most:,} bytes, which is too long for a '
            "content file."
        )
    return content


def _manifest(data: bytes | None) -> Manifest:
    if data is None:
        raise InvalidInput(
            f"There is no {MANIFEST} in this zip file, so it is not a pack. Make packs "
            "with the site or with ./wordkeep pack export."
        )
    try:
        return Manifest.model_validate(json.loads(data))
    except (ValidationError, ValueError, RecursionError):
        raise InvalidInput(
            f"The {MANIFEST} of this pack cannot be read, or is of a newer version."
        ) from None


def _require_listed(manifest: Manifest, files: Mapping[str, bytes]) -> None:
    listed = {file.path: file.sha256 for file in manifest.files}
    for name in sorted(listed.keys() ^ files.keys()):
        where = "is listed but not there" if name in listed else "is not listed"
        raise InvalidInput(f'"{name}" {where} in this pack. Make the pack again.')
    for name, content in files.items():
        if _digest(content) != listed[name]:
            raise InvalidInput(
                f'"{name}" is not as its pack says: it was changed or damaged. Make '
                "the pack again."
            )


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def plan(roots: Sequence[Path], pack: Pack) -> PackPlan:
    """Return what a pack would do to the last root, and the problems it would bring."""
    own = own_texts(roots[-1])
    lines = tuple(
        PackLine(path, _change(own.get(path), text))
        for path, text in sorted(pack.texts.items())
    )
    before = {(one.path, one.message) for one in load_all(roots).problems}
    after = load_with(roots, dict(pack.texts)).problems
    new = tuple(one for one in after if (one.path, one.message) not in before)
    return PackPlan(pack, lines, new)


def _change(old: str | None, new: str) -> Change:
    if old is None:
        return "new"
    return "same" if old == new else "replaces"
