"""The tokenizers that can be looked at: those of models, of files, and learned ones.

None of them needs its model to be loaded. What is put into the folder `tokenizers` of
the instance is one more: NAME.json (a tokenizer.json), or a file of tiktoken under the
name that it has there.
"""

from __future__ import annotations

import hashlib
import json
import threading
from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final, Literal, NamedTuple, cast

from tokenizers import Tokenizer

from finetune.data.cutting.cutters import CharacterCutter, Cutter, TokenizerCutter
from finetune.data.cutting.learning import learn
from finetune.data.cutting.rank_files import read_ranks
from finetune.errors import FinetuneError
from finetune.serving.catalogue.catalogue import Catalogue
from finetune.serving.catalogue.entries import Entry
from finetune.serving.errors import ApiError, model_failed
from finetune.weights.gguf_tokens import gguf_tokenizer
from finetune.weights.places import ModelMissing, find_file, find_folder

CHARACTERS: Final = "characters"
OWN: Final = "own:"
_TOKENIZER: Final = "tokenizer.json"
_JSON, _RANKS = ".json", ".tiktoken"
_KINDS: Final = ("chat", "base", "embedding")
# Two copies of a vocabulary of 50,000 take about 40 MB.
_IN_MEMORY: Final = 8
# More are deleted, those first that were learned first.
MOST_LEARNED: Final = 500
_ID_DIGITS: Final = 16


Origin = Literal["model", "trained", "characters", "file"]


class Learned(NamedTuple):
    """A tokenizer of somebody's text: its id, what is known of it, and itself."""

    id: str
    about: dict[str, Any]
    tokenizer: Tokenizer


class Tokenizers:
    """The tokenizers of one sidecar. Safe to use from many threads."""

    def __init__(self, catalogue: Catalogue, instance: Path) -> None:
        self._catalogue = catalogue
        self._folder = instance / "tokenizers"
        self._learned = self._folder / "learned"
        self._models = instance / "models"
        # Protects `_open`: the ones used last are at its end.
        self._lock = threading.Lock()
        self._open: OrderedDict[tuple[Path, int], Cutter] = OrderedDict()
        self._characters = CharacterCutter()

    def names(self) -> dict[str, Origin]:
        """Return the names of all but the learned ones, and where each comes from."""
        entries = self._catalogue.entries().values()
        found = {
            one.name: self._origin(one) for one in entries if _place(one) is not None
        }
        files = dict.fromkeys(self._files(), "file")
        return {**found, CHARACTERS: "characters", **cast(dict[str, Origin], files)}

    def open(self, name: str) -> Cutter:
        """Return what cuts texts; raise ApiError 404 or 503."""
        if name == CHARACTERS:
            return self._characters
        if name.startswith(OWN):
            return self._open_learned(name.removeprefix(OWN))
        path = self._path(name)
        if path is None:
            raise _unknown(name, list(self.names()))
        try:
            return self._cached(path, _read)
        except (FinetuneError, OSError) as error:
            raise model_failed(name, str(error)) from error

    def learn(self, text: str, vocabulary: int, *, against: str) -> Learned:
        """Learn a tokenizer from a text and keep it; the text is not kept.

        The same text and size give the same id. `against` names one to compare with.
        """
        made = learn(text, vocabulary)
        usual = self.open(against)
        about = {
            "asked": vocabulary,
            "characters": len(text),
            "bytes": len(text.encode()),
            "tokens": len(made.encode(text).ids),
            "against": against,
            "against_tokens": len(usual.cut(text, marks=False)),
        }
        told = json.loads(made.to_str())
        content = json.dumps({"about": about, "tokenizer": told}, ensure_ascii=False)
        digest = hashlib.sha256(f"{vocabulary} {text}".encode()).hexdigest()
        id = digest[:_ID_DIGITS]
        self._learned.mkdir(parents=True, exist_ok=True)
        unfinished = self._learned / f"{id}.{threading.get_ident()}.new"
        unfinished.write_text(content, "utf-8")
        unfinished.replace(self._learned / f"{id}{_JSON}")
        self._forget_old()
        return Learned(id, about, made)

    def learned(self, id: str) -> Learned:
        """Return a learned tokenizer; raise ApiError 404."""
        try:
            told = json.loads(self._learned_file(id).read_text("utf-8"))
        except FileNotFoundError:
            raise _gone() from None
        tokenizer = Tokenizer.from_str(json.dumps(told["tokenizer"]))
        return Learned(id, told["about"], tokenizer)

    def _open_learned(self, id: str) -> Cutter:
        path = self._learned_file(id)
        try:
            return self._cached(path, lambda _: self.learned(id).tokenizer)
        except FileNotFoundError:
            # Forgotten since it was looked for.
            raise _gone() from None

    def _learned_file(self, id: str) -> Path:
        if len(id) != _ID_DIGITS or not set(id) <= set("0123456789abcdef"):
            raise _gone()
        path = self._learned / f"{id}{_JSON}"
        if not path.is_file():
            raise _gone()
        return path

    def _forget_old(self) -> None:
        found = [
            (path.stat().st_mtime_ns, path) for path in self._learned.glob(f"*{_JSON}")
        ]
        for _, path in sorted(found)[:-MOST_LEARNED]:
            path.unlink(missing_ok=True)

    def _origin(self, entry: Entry) -> Origin:
        is_trained = entry.folder is not None and entry.folder.parent == self._models
        return "trained" if is_trained else "model"

    def _files(self) -> list[str]:
        taken = self._catalogue.entries()
        stems = [
            path.stem
            for path in sorted(self._folder.glob("*.*"))
            if path.suffix in (_JSON, _RANKS) and path.is_file()
        ]
        return [stem for stem in dict.fromkeys(stems) if stem not in taken]

    def _path(self, name: str) -> Path | None:
        entry = self._catalogue.entries().get(name)
        if entry is not None:
            return _place(entry)
        if name not in self._files():
            return None
        path = self._folder / f"{name}{_JSON}"
        return path if path.is_file() else path.with_suffix(_RANKS)

    def _cached(self, path: Path, read: Callable[[Path], Tokenizer]) -> Cutter:
        key = (path, path.stat().st_mtime_ns)
        with self._lock:
            if key not in self._open:
                self._open[key] = TokenizerCutter(read(path))
            self._open.move_to_end(key)
            while len(self._open) > _IN_MEMORY:
                self._open.popitem(last=False)
            return self._open[key]


def _place(entry: Entry) -> Path | None:
    """Return the file with the tokenizer of a model, if it is on this machine.

    An adapter has that of its base, and a guard that of the model it was made of.
    """
    if entry.base or entry.kind not in _KINDS:
        return None
    try:
        if entry.folder is not None and (entry.folder / _TOKENIZER).is_file():
            return entry.folder / _TOKENIZER
        if entry.gguf is not None:
            return entry.gguf
        is_local = entry.place.startswith("package:") or Path(entry.place).exists()
        if not is_local:
            return None
        if entry.kind == "embedding":
            path = find_folder(entry.place) / _TOKENIZER
            return path if path.is_file() else None
        return find_file(entry.place)
    except ModelMissing:
        return None


def _read(path: Path) -> Tokenizer:
    if path.suffix == ".gguf":
        return gguf_tokenizer(path)
    if path.suffix == _RANKS:
        return read_ranks(path)
    return _from_json(path)


def _from_json(path: Path) -> Tokenizer:
    try:
        return Tokenizer.from_file(str(path))
    # The package raises nothing more special.
    except Exception as error:
        raise ModelMissing(f"{path.name} is not the file of a tokenizer.") from error


def _unknown(name: str, known: list[str]) -> ApiError:
    return ApiError(
        f"There is no tokenizer {name[:80]!r} here. There are: {', '.join(known)}.",
        status=404,
        code="not_found",
        param="tokenizer",
    )


def _gone() -> ApiError:
    return ApiError(
        "This tokenizer is not kept any more. Train it again from the same text.",
        status=404,
        code="not_found",
        param="tokenizer",
    )
