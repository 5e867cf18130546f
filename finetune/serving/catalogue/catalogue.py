"""Everything that can be asked for by name: what there is, and what is loaded."""

from __future__ import annotations

import logging
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal, cast

from finetune.errors import FinetuneError
from finetune.serving.catalogue.entries import Entry, Kind, Stage
from finetune.serving.catalogue.loading import (
    Loader,
    Served,
    ServedEmbedder,
    ServedEngine,
    ServedJudge,
)
from finetune.serving.catalogue.machine import usable_memory
from finetune.serving.catalogue.shelf import Lease, Shelf
from finetune.serving.catalogue.sources import ModelFolder, fixed_entries
from finetune.serving.errors import (
    ApiError,
    model_failed,
    no_guard,
    unknown_model,
    wrong_kind,
)
from finetune.settings import Settings

_log = logging.getLogger(__name__)

State = Literal["loading", "ready", "failed"]
_ALL = "*"
_MEGABYTE = 1_000_000
# On a small machine the shipped models still fit side by side.
_LEAST_BUDGET = 1_000 * _MEGABYTE
# The order of a start: the first reply matters more than the first embedding.
_FIRST: tuple[Kind, ...] = ("chat", "base", "embedding", "guard")


class Catalogue:
    """The models of one sidecar. Safe to use from many threads."""

    def __init__(self, settings: Settings) -> None:
        self._fixed, self._fixed_problems = fixed_entries(settings)
        for problem in self._fixed_problems:
            _log.warning("%s", problem)
        self._own = ModelFolder(settings.instance / "models", self._fixed)
        self._loader = Loader(settings)
        self._shelf: Shelf[Served] = Shelf(
            budget=settings.memory_mb * _MEGABYTE or _usual_budget(),
            waiting=settings.waiting,
        )
        self._wanted = settings.preload
        self._preloaded = self._at_start(settings)
        self._pending = {entry.kind for entry in self._preloaded}

    def start(self) -> None:
        """Begin to load what is to be there at the start, one after the other."""
        threading.Thread(target=self._preload, name="preload", daemon=True).start()

    def entries(self) -> Mapping[str, Entry]:
        """Return all entries by name, as they are now."""
        entries = {**self._fixed, **self._own.current().entries}
        self._shelf.keep_only(frozenset(entries.values()))
        return entries

    def names(self, *kinds: Kind) -> list[str]:
        """Return the names of the entries of these kinds, in the order of the list."""
        return [e.name for e in self.entries().values() if e.kind in kinds]

    def problems(self) -> list[str]:
        """Return what is wrong with folders and loads, a sentence each."""
        entries = self.entries()
        failures = (self._shelf.failure(entry) for entry in entries.values())
        unknown = [
            f"WORDKEEP_SIDECAR_PRELOAD names {name}, but there is no such model."
            for name in _listed(self._wanted)
            if name not in entries
        ]
        return [
            *(failure for failure in failures if failure),
            *self._fixed_problems,
            *self._own.current().problems,
            *unknown,
        ]

    def chat(self, name: str) -> Lease[ServedEngine]:
        """Lend a chat model; raises ApiError 400, 404, 429 or 503."""
        entry = self.entries().get(name)
        if entry is not None and entry.kind == "base":
            raise wrong_kind(
                name, "base", "it has not learnt to chat; use /v1/completions"
            )
        return cast(Lease[ServedEngine], self._borrow(name, "chat"))

    def talker(self, name: str) -> Lease[ServedEngine]:
        """Lend a model that continues texts; raises ApiError 404, 429 or 503."""
        return cast(Lease[ServedEngine], self._borrow(name, "chat", "base"))

    def embedder(self, name: str) -> Lease[ServedEmbedder]:
        """Lend an embedding model; raises ApiError 404, 429 or 503."""
        return cast(Lease[ServedEmbedder], self._borrow(name, "embedding"))

    def judge(self, name: str) -> Lease[ServedJudge]:
        """Lend a guard model; raises ApiError 404, 429 or 503."""
        return cast(Lease[ServedJudge], self._borrow(name, "guard"))

    def usual_guard(self, reads: Stage) -> str:
        """Return the first guard for messages, or replies; raise ApiError 404."""
        for entry in self.entries().values():
            if entry.reads == reads:
                return entry.name
        raise no_guard(reads, self.names("guard"))

    def describe(self, name: str, *, compute: bool = False) -> dict[str, Any]:
        """Return what callers may know of a model; `compute` hashes its weights.

        Raises ApiError 404, or 503 where the weights cannot be read.
        """
        entries = self.entries()
        entry = entries.get(name)
        if entry is None:
            raise unknown_model(name, list(entries))
        try:
            version = self._loader.version(entry, compute=compute)
        except (FinetuneError, OSError) as error:
            raise model_failed(name, str(error)) from error
        figures = self._loader.figures(entry)
        return {
            "kind": entry.kind,
            "reads": entry.reads,
            "base": _base_name(entry, entries),
            "adapter": bool(entry.base),
            "licence": entry.licence or figures.licence,
            "context": figures.context,
            "version": version,
            "bytes": _own_bytes(entry) or figures.file_bytes,
            "memory_bytes": figures.memory,
            "loaded": self._shelf.loaded(entry),
            "in_use": self._shelf.users(entry),
        }

    def memory(self) -> tuple[int, int]:
        """Return the bytes that loaded models take, by estimate, and may take."""
        return self._shelf.used, self._shelf.budget

    def state(self, *kinds: Kind) -> State:
        """Return how far the start has got with the models of these kinds."""
        if self._pending.intersection(kinds):
            return "loading"
        mine = (entry for entry in self._preloaded if entry.kind in kinds)
        is_broken = any(self._shelf.failure(entry) for entry in mine)
        return "failed" if is_broken else "ready"

    def _borrow(self, name: str, *kinds: Kind) -> Lease[Served]:
        entries = self.entries()
        entry = entries.get(name)
        if entry is None or entry.kind not in kinds:
            raise unknown_model(name, self.names(*kinds))
        return self._shelf.borrow(entry, lambda: self._loader.prepare(entry))

    def _at_start(self, settings: Settings) -> list[Entry]:
        entries = self.entries()
        if settings.preload.strip() == _ALL:
            named = {*settings.chat_places(), settings.embedding_place()[0]}
            chosen = [
                entry
                for entry in self._fixed.values()
                if entry.name in named or entry.kind == "guard"
            ]
        else:
            names = _listed(settings.preload)
            chosen = [entries[name] for name in names if name in entries]
        return sorted(chosen, key=lambda entry: _FIRST.index(entry.kind))

    def _preload(self) -> None:
        for kind in _FIRST:
            for entry in self._preloaded:
                if entry.kind == kind:
                    self._load_early(entry)
            self._pending.discard(kind)

    def _load_early(self, entry: Entry) -> None:
        try:
            self._shelf.borrow(
                entry,
                lambda: self._loader.prepare(entry),
                seconds=None,
                may_evict=False,
            ).release()
        except ApiError as error:
            # The shelf reports it if it is broken; else it just did not fit in.
            _log.info("not loaded at the start: %s", error.message)


def _usual_budget() -> int:
    return max(_LEAST_BUDGET, usable_memory() // 2)


def _listed(preload: str) -> list[str]:
    names = [name.strip() for name in preload.split(",")]
    return [name for name in names if name and name != _ALL]


def _base_name(entry: Entry, entries: Mapping[str, Entry]) -> str | None:
    """Return the name of the entry that an adapter changes, or where that is."""
    if not entry.base:
        return None
    for other in entries.values():
        if other.place == entry.base:
            return other.name
    # Where files lie on this machine is nobody's business.
    return Path(entry.base).name if Path(entry.base).exists() else entry.base


def _own_bytes(entry: Entry) -> int | None:
    """Return the size of the files of a folder; for an adapter, without its base."""
    if entry.folder is None:
        return None
    try:
        return sum((entry.folder / name).stat().st_size for name, _ in entry.files)
    except OSError:
        return None
