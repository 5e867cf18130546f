"""From an entry of the catalogue to a loaded model, and its figures before."""

from __future__ import annotations

import ctypes
import gc
import json
import re
import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from finetune.guards.judge import Judge
from finetune.serving.catalogue.entries import Entry
from finetune.serving.catalogue.headers import Header, HeaderError, read_header
from finetune.serving.engine.copies import Engine, number_of_copies
from finetune.serving.engine.embedder import Embedder
from finetune.serving.engine.prompts import ChatPrompts
from finetune.settings import Settings
from finetune.weights.places import ModelMissing, find_file, find_folder
from finetune.weights.releases import ReleaseError, sha256
from finetune.weights.served import merged_model

_WEIGHTS = "model.safetensors"
_VERSION_DIGITS = 16
_LICENCE = re.compile(r"^license:\s*(\S+)", re.MULTILINE)
# The memory of a sentence model, in sizes of its file. Measured with all-MiniLM-L6-v2:
# 0.9 to embed, and from 0.5 to 1.5 for a guard, which multiplies in 8 bits.
_EMBEDDER_PART, _GUARD_PART = 1.1, 1.2


class ServedEngine:
    """An engine and what turns chats into its tokens."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self.prompts = ChatPrompts(engine)

    def close(self) -> None:
        """Give the memory back."""
        self.engine.close()
        _trim()


class ServedEmbedder:
    """An embedder in memory."""

    def __init__(self, embedder: Embedder) -> None:
        self.embedder = embedder

    def close(self) -> None:
        """Give the memory back."""
        del self.embedder
        _collect()


class ServedJudge:
    """A guard model in memory."""

    def __init__(self, judge: Judge) -> None:
        self.judge = judge

    def close(self) -> None:
        """Give the memory back."""
        del self.judge
        _collect()


Served = ServedEngine | ServedEmbedder | ServedJudge


@dataclass(frozen=True, slots=True)
class Ready:
    """A model whose files are in place; `memory` is what it will take, in bytes."""

    memory: int
    load: Callable[[], Served]


class Figures(NamedTuple):
    """What is known of a model without loading it; None where nothing is."""

    file_bytes: int | None = None
    memory: int | None = None
    context: int | None = None
    licence: str = ""


class Loader:
    """Finds, measures and loads models. Safe to use from many threads."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._cache = settings.instance / "models"
        # One at a time: two threads that import torch meet half-imported modules.
        self._torch = threading.Lock()
        # Each is written whole under its key; a second writer writes the same.
        self._files: dict[Entry, Path] = {}
        self._versions: dict[Entry, str] = {}
        self._figures: dict[tuple[Path, int], Figures] = {}
        self._checked: set[tuple[Path, int, int, str]] = set()

    def prepare(self, entry: Entry) -> Ready:
        """Put the files of a model in place: download, merge, check.

        Raises ModelMissing, ReleaseError, HeaderError or OSError.
        """
        if entry.kind in ("chat", "base"):
            return self._prepare_engine(entry)
        folder = self._folder(entry)
        memory = self._of_folder(entry, folder).memory or 0
        load = self._load_judge if entry.kind == "guard" else self._load_embedder
        return Ready(memory, lambda: load(entry, folder))

    def figures(self, entry: Entry) -> Figures:
        """Return what is known of a model now; nothing is downloaded or merged."""
        try:
            if entry.kind in ("chat", "base"):
                path = self._files.get(entry) or _local_file(entry)
                return self._of_file(path) if path else Figures()
            folder = _local_folder(entry)
            return self._of_folder(entry, folder) if folder else Figures()
        except (OSError, HeaderError, ModelMissing):
            return Figures()

    def version(self, entry: Entry, *, compute: bool = False) -> str:
        """Return which weights these are: of a release, or the start of a SHA-256.

        Empty where the weights would have to be read, unless `compute` says to.
        Raises what `prepare` raises.
        """
        known = entry.version or self._versions.get(entry, "")
        if known or not compute:
            return known
        if entry.kind == "embedding":
            path = self._folder(entry) / _WEIGHTS
        else:
            path = self._file(entry)
        self._versions[entry] = sha256(path)[:_VERSION_DIGITS]
        return self._versions[entry]

    def _prepare_engine(self, entry: Entry) -> Ready:
        path = self._file(entry)
        self._files[entry] = path
        settings = self._settings
        header = read_header(path)
        context = _context(header, settings)

        def load() -> ServedEngine:
            engine = Engine(
                entry.name,
                path,
                slots=settings.slots,
                context=context,
                copies=settings.engine_copies,
                threads=settings.engine_threads,
            )
            return ServedEngine(engine)

        return Ready(_memory(header, settings), load)

    def _file(self, entry: Entry) -> Path:
        """Return the GGUF file that is served, made or downloaded if need be."""
        if entry.folder is None:
            return find_file(entry.place, cache=self._cache)
        if entry.gguf is not None:
            self._check(entry)
            return entry.gguf
        return merged_model(entry.folder, self._cache)

    def _folder(self, entry: Entry) -> Path:
        """Return the folder of the sentence model that an entry is or changes."""
        if entry.folder is not None and not entry.base:
            self._check(entry)
            return entry.folder
        return find_folder(entry.base or entry.place, cache=self._cache)

    def _check(self, entry: Entry) -> None:
        """See that the files of a whole model are what its manifest says."""
        for name, digest in entry.files:
            path = Path(entry.place) / name
            state = path.stat()
            key = (path, state.st_size, state.st_mtime_ns, digest)
            if key in self._checked:
                continue
            if sha256(path) != digest:
                raise ReleaseError(
                    f"{path.parent.name}/{name} is not what its manifest says:"
                    " copy the model again."
                )
            self._checked.add(key)

    def _load_embedder(self, entry: Entry, folder: Path) -> Served:
        with self._torch:
            return ServedEmbedder(Embedder.load(str(folder)))

    def _load_judge(self, entry: Entry, folder: Path) -> Served:
        with self._torch:
            from finetune.guards.released import (  # noqa: PLC0415 -- slow import
                load_guard,
            )

            return ServedJudge(load_guard(Path(entry.place), cache=self._cache))

    def _of_file(self, path: Path) -> Figures:
        key = (path, path.stat().st_mtime_ns)
        if key not in self._figures:
            header = read_header(path)
            self._figures[key] = Figures(
                header.file_bytes,
                _memory(header, self._settings),
                _context(header, self._settings),
                header.licence,
            )
        return self._figures[key]

    def _of_folder(self, entry: Entry, folder: Path) -> Figures:
        size = (folder / _WEIGHTS).stat().st_size
        part = _GUARD_PART if entry.kind == "guard" else _EMBEDDER_PART
        context = None if entry.kind == "guard" else _longest(folder)
        return Figures(size, round(part * size), context, _licence(folder))


def _memory(header: Header, settings: Settings) -> int:
    return header.memory(
        copies=number_of_copies(settings.engine_copies, settings.slots),
        slots=settings.slots,
        context=_context(header, settings),
    )


def _context(header: Header, settings: Settings) -> int:
    """Return the tokens of a slot: never more than the model was trained for."""
    return min(settings.context, header.context or settings.context)


def _local_file(entry: Entry) -> Path | None:
    """Return the file to measure; for an adapter that is not merged yet, its base."""
    place = entry.base or entry.place
    if entry.gguf is not None:
        return entry.gguf
    is_local = place.startswith("package:") or Path(place).is_file()
    return find_file(place) if is_local else None


def _local_folder(entry: Entry) -> Path | None:
    place = entry.base or entry.place
    is_local = place.startswith("package:") or Path(place).is_dir()
    return find_folder(place) if is_local else None


def _longest(folder: Path) -> int | None:
    """Return the tokens that a sentence model reads of a text, if it says so."""
    try:
        told = json.loads((folder / "sentence_bert_config.json").read_text("utf-8"))
        return int(told["max_seq_length"])
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _licence(folder: Path) -> str:
    """Return the licence that the head of a model's page names."""
    try:
        page = (folder / "README.md").read_text("utf-8")
    except (OSError, ValueError):
        return ""
    told = _LICENCE.search(page.partition("\n---")[0])
    return told[1] if told else ""


def _collect() -> None:
    """Free what torch's modules hold in reference cycles."""
    gc.collect()
    _trim()


def _trim() -> None:
    """Return what was freed to the system; else it stays with the process."""
    if sys.platform == "linux":
        trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
        if trim is not None:
            trim(0)
