"""Where the entries come from: the settings, the released adapters, the installation.

The folder of the installation is looked at while the sidecar runs, at most once a
second. A folder in it counts as a model from the moment its manifest is there, so a
manifest is written last.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from finetune.serving.catalogue.entries import (
    Entry,
    Kind,
    entry_of_folder,
    entry_of_place,
)
from finetune.serving.catalogue.manifests import ManifestError, read_manifest
from finetune.settings import Settings
from finetune.weights.releases import MANIFEST
from finetune.weights.served import ADAPTERS

_log = logging.getLogger(__name__)

LOOK_SECONDS = 1.0


class Listing(NamedTuple):
    """Entries by name in the order of listing, and what is wrong, a sentence each."""

    entries: Mapping[str, Entry]
    problems: tuple[str, ...]


def fixed_entries(settings: Settings, adapters: Path = ADAPTERS) -> Listing:
    """Return what the settings name, then the released adapters under other names."""
    kinds: dict[str, Kind] = dict.fromkeys(settings.chat_places(), "chat")
    name, place = settings.embedding_place()
    places = settings.chat_places() | {name: place}
    kinds[name] = "embedding"
    entries: dict[str, Entry] = {}
    problems = []
    for name, place in places.items():
        try:
            entries[name] = entry_of_place(name, kinds[name], place)
        except ManifestError as error:
            problems.append(str(error))
    for folder in model_folders(adapters):
        try:
            manifest = read_manifest(folder)
        except ManifestError as error:
            problems.append(str(error))
            continue
        entry = entry_of_folder(folder.name, folder, manifest)
        entries.setdefault(folder.name, entry)
    return Listing(entries, tuple(problems))


def model_folders(parent: Path) -> list[Path]:
    """Return the folders with a manifest, in alphabetical order."""
    try:
        return sorted(path.parent for path in parent.glob(f"*/{MANIFEST}"))
    except OSError:
        return []


Stamp = tuple[tuple[str, int, int], ...]


@dataclass(frozen=True, slots=True)
class _Read:
    """What was read of a folder, and the state of its files at that time."""

    stamp: Stamp
    entry: Entry | None
    problem: str


class ModelFolder:
    """The models of an installation, as they are now. Safe to use from many threads."""

    def __init__(
        self,
        folder: Path,
        taken: Mapping[str, Entry],
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`taken` are the names that no folder may have."""
        self._folder = folder
        self._taken = frozenset(taken)
        self._clock = clock
        # Protects everything below.
        self._lock = threading.Lock()
        self._read: dict[str, _Read] = {}
        self._listing = Listing({}, ())
        self._next_look = 0.0
        self._has_looked = False

    def current(self) -> Listing:
        """Return the models; looks at the files at most once a second.

        A folder that breaks keeps the entry that it had before.
        """
        with self._lock:
            now = self._clock()
            if not self._has_looked or now >= self._next_look:
                self._listing = self._look()
                self._next_look = now + LOOK_SECONDS
                self._has_looked = True
            return self._listing

    def _look(self) -> Listing:
        known, self._read = self._read, {}
        for folder in model_folders(self._folder):
            self._read[folder.name] = self._look_at(folder, known.get(folder.name))
        entries = {n: one.entry for n, one in self._read.items() if one.entry}
        problems = [one.problem for one in self._read.values() if one.problem]
        for problem in problems:
            if problem not in self._listing.problems:
                _log.warning("%s", problem)
        return Listing(entries, tuple(problems))

    def _look_at(self, folder: Path, known: _Read | None) -> _Read:
        if folder.name in self._taken:
            return _Read((), None, _is_taken(folder))
        last = known.entry if known else None
        if known and last and not known.problem and known.stamp == _stamp(folder, last):
            return known
        try:
            entry = entry_of_folder(folder.name, folder, read_manifest(folder))
        except ManifestError as error:
            return _Read((), last, str(error))
        return _Read(_stamp(folder, entry), entry, "")


def _is_taken(folder: Path) -> str:
    return (
        f"{folder.parent.name}/{folder.name}: another model has the name"
        f" {folder.name} already. Rename the folder."
    )


def _stamp(folder: Path, entry: Entry) -> Stamp:
    """Return size and time of the manifest and of each file that it names."""
    states = []
    for name in (MANIFEST, *(name for name, _ in entry.files)):
        try:
            state = (folder / name).stat()
        except OSError:
            states.append((name, -1, -1))
        else:
            states.append((name, state.st_size, state.st_mtime_ns))
    return tuple(states)
