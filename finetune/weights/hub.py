"""The Hugging Face hub, asked with care: small files first, no pickles, and no waiting.

What was fetched stays in the cache of the instance, and is then used without asking.
Nobody's token is sent along: whoever may choose a model here sees what all can see.
"""

from __future__ import annotations

import json
import re
import shutil
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

from finetune.weights.files import write_json
from finetune.weights.places import ModelMissing

CONFIG, TOKENIZER, TOKENIZER_CONFIG = (
    "config.json",
    "tokenizer.json",
    "tokenizer_config.json",
)
_WEIGHTS, _INDEX = "model.safetensors", "model.safetensors.index.json"
# Only data is fetched: no pickles, no programs, and nothing from folders inside.
_WANTED: Final = ("*.json", "model*.safetensors", "merges.txt", "vocab.txt")
_NOT_WANTED: Final = ("*/*", "*.index.fp32.json")
_NAME = re.compile(r"[A-Za-z0-9][\w.-]{0,95}/[A-Za-z0-9][\w.-]{0,95}")
_SECONDS: Final = 8.0  # for an answer
_PROBE_SECONDS: Final = 3.0
_PATIENCE: Final = 0.5  # of a page that only wants to know whether the hub is there
_REMEMBERED: Final = 60.0
_ROOM: Final = 500_000_000  # bytes that stay free on the disk


class HubError(ModelMissing):
    """The hub does not give what is wanted; the message is one sentence."""


class HubAway(HubError):
    """The hub cannot be reached from here, and the cache does not have it."""


@dataclass(frozen=True, slots=True)
class HubModel:
    """What the hub tells of a model. `bytes` are those of its weights; 0: not told."""

    name: str
    licence: str
    parameters: int
    bytes: int
    has_safetensors: bool
    is_gated: bool


class Hub:
    """Models of the hub, kept below one folder. Safe to use from many threads."""

    def __init__(self, cache: Path, notes: Path) -> None:
        """`cache` is for files, `notes` for what is told of them."""
        self.cache = cache
        self._notes = notes
        self._lock = threading.Lock()  # protects the fields below
        self._answered: bool | None = None
        self._asked_at = -_REMEMBERED
        self._probe: threading.Thread | None = None

    def is_there(self) -> bool:
        """Whether the hub answers, as of the last minute; waits half a second."""
        if is_offline():
            return False
        with self._lock:
            is_old = time.monotonic() - self._asked_at > _REMEMBERED
            if is_old and self._probe is None:
                self._probe = threading.Thread(target=self._ask, daemon=True)
                self._probe.start()
            probe = self._probe
        if probe is not None:
            probe.join(_PATIENCE)
        with self._lock:
            return bool(self._answered)

    def has(self, name: str) -> bool:
        """Whether a model lies whole in the cache."""
        folder = self._folder(name)
        return folder is not None and is_whole(folder)

    def noted(self) -> list[str]:
        """Return the models that the hub has told of, in alphabetical order."""
        names = (note.stem.replace("--", "/", 1) for note in self._notes.glob("*.json"))
        return sorted(name for name in names if is_hub_name(name))

    def config(self, name: str) -> dict[str, Any]:
        """Return the config.json of a model; raise HubError."""
        return _read(self.file(name, CONFIG), name)

    def told(self, name: str) -> HubModel:
        """Return what the hub tells of a model, or told when it was asked last.

        Raises HubError.
        """
        from huggingface_hub import HfApi  # noqa: PLC0415 -- slow import

        _check_name(name)
        note = self._notes / f"{name.replace('/', '--')}.json"
        if note.is_file():
            return HubModel(**_read(note, name))
        if is_offline():
            raise _away(name)
        with _said(name):
            found = HfApi(endpoint=endpoint(), token=False).model_info(
                name, timeout=_SECONDS, files_metadata=True
            )
        sizes = {one.rfilename: one.size or 0 for one in found.siblings or ()}
        weights = [n for n in sizes if re.fullmatch(r"model[\w.-]*\.safetensors", n)]
        model = HubModel(
            name=name,
            licence=_licence(found.card_data),
            parameters=found.safetensors.total if found.safetensors else 0,
            bytes=sum(sizes[weight] for weight in weights),
            has_safetensors=bool(weights),
            is_gated=bool(found.gated),
        )
        write_json(note, asdict(model))
        return model

    def file(self, name: str, file: str) -> Path:
        """Return a small file of a model, fetched if it is not here; raise HubError."""
        from huggingface_hub import hf_hub_download  # noqa: PLC0415 -- slow import

        folder = self._folder(name)
        if folder is not None and (folder / file).is_file():
            return folder / file
        if is_offline():
            raise _away(name)
        with _said(name, file):
            return Path(
                hf_hub_download(
                    name,
                    file,
                    cache_dir=self.cache,
                    etag_timeout=_SECONDS,
                    token=False,
                    endpoint=endpoint(),
                )
            )

    def _folder(self, name: str) -> Path | None:
        _check_name(name)
        return cached_folder(name, self.cache)

    def _ask(self) -> None:
        import httpx2  # noqa: PLC0415 -- slow import

        try:
            httpx2.head(endpoint(), timeout=_PROBE_SECONDS)
            answered = True
        except (httpx2.HTTPError, httpx2.InvalidURL):
            answered = False
        with self._lock:
            self._answered, self._asked_at = answered, time.monotonic()
            self._probe = None


def model_folder(name: str, cache: Path | None) -> Path:
    """Return the folder of a whole model that can be trained, fetched if it must be.

    Raises HubError if the hub does not give it, or the disk has no room for it.
    """
    from huggingface_hub import snapshot_download  # noqa: PLC0415 -- slow import

    _check_name(name)
    found = cached_folder(name, cache)
    if found is not None and is_whole(found):
        return found
    if is_offline():
        raise _away(name)
    with _said(name):
        folder = Path(
            snapshot_download(
                name,
                cache_dir=cache,
                allow_patterns=list(_WANTED),
                ignore_patterns=list(_NOT_WANTED),
                etag_timeout=_SECONDS,
                token=False,
                endpoint=endpoint(),
            )
        )
    if not is_whole(folder):
        raise HubError(
            f"{name} has no weights as safetensors on the Hugging Face hub, and other"
            " forms may hide programs: choose another model."
        )
    return folder


def data_licence(name: str) -> str:
    """Return the licence of a data set of the hub, as its page says; raise HubError."""
    from huggingface_hub import HfApi  # noqa: PLC0415 -- slow import

    with _said(name):
        found = HfApi(endpoint=endpoint(), token=False).dataset_info(
            name, timeout=_SECONDS
        )
    return _licence(found.card_data) or "not said"


def is_hub_name(name: str) -> bool:
    """Whether a text has the form owner/name."""
    return _NAME.fullmatch(name) is not None and ".." not in name


def cached_folder(name: str, cache: Path | None) -> Path | None:
    """Return where the files of a model lie, whole or not; None if there are none."""
    from huggingface_hub import constants  # noqa: PLC0415 -- slow import

    top = Path(cache or constants.HF_HUB_CACHE) / f"models--{name.replace('/', '--')}"
    try:
        commit = (top / "refs" / "main").read_text("utf-8").strip()
    except OSError:
        return None
    folder = top / "snapshots" / commit
    return folder if folder.is_dir() else None


def is_whole(folder: Path) -> bool:
    """Whether a folder has what training needs: each file is there when it is whole."""
    if not all((folder / name).is_file() for name in (CONFIG, TOKENIZER)):
        return False
    if (folder / _WEIGHTS).is_file():
        return True
    try:
        index = json.loads((folder / _INDEX).read_text("utf-8"))
        return all((folder / part).is_file() for part in index["weight_map"].values())
    except (OSError, ValueError, KeyError, AttributeError):
        return False


def check_room(folder: Path, needed: int, name: str) -> None:
    """Raise HubError if the disk of a folder has no room for so many bytes."""
    while not folder.exists():
        folder = folder.parent
    free = shutil.disk_usage(folder).free
    if needed + _ROOM > free:
        raise HubError(
            f"{name} is {needed / 1e9:.1f} GB large, and the disk of this computer has"
            f" {free / 1e9:.1f} GB left: delete something, or choose a smaller model."
        )


@contextmanager
def _said(name: str, file: str = "") -> Iterator[None]:
    """Say in one sentence what goes wrong between us and the hub."""
    from httpx2 import HTTPError  # noqa: PLC0415 -- slow import
    from huggingface_hub import errors  # noqa: PLC0415 -- slow import
    from huggingface_hub.utils.tqdm import (  # noqa: PLC0415 -- slow import
        disable_progress_bars,
    )

    disable_progress_bars()
    try:
        yield
    except errors.GatedRepoError as error:
        raise _gated(name) from error
    except errors.RemoteEntryNotFoundError as error:
        raise HubError(
            f"{name} has no file {file} on the Hugging Face hub, which is needed here:"
            " choose another model."
        ) from error
    except (errors.RepositoryNotFoundError, errors.HFValidationError) as error:
        raise HubError(
            f"The Hugging Face hub has no {name} that everybody may read: check the"
            " name, which is written owner/name."
        ) from error
    except (errors.HfHubHTTPError, errors.LocalEntryNotFoundError, HTTPError) as error:
        raise _away(name) from error
    except OSError as error:
        raise HubError(
            f"{name} could not be fetched: {error.strerror or type(error).__name__}."
        ) from error


def _licence(card: Any) -> str:
    told = (card or {}).get("license") or ""
    return ", ".join(told) if isinstance(told, list) else str(told)


def _gated(name: str) -> HubError:
    return HubError(
        f"{name} is only given to those who accept its terms on the Hugging Face hub:"
        " choose another model."
    )


def _away(name: str) -> HubAway:
    why = (
        "this computer is set to stay offline (HF_HUB_OFFLINE)"
        if is_offline()
        else "the Hugging Face hub does not answer"
    )
    return HubAway(
        f"{name} is not on this computer yet, and {why}: connect it to the internet, or"
        " choose a model that is here."
    )


def _check_name(name: str) -> None:
    if not is_hub_name(name):
        raise HubError(
            f"{name[:60]!r} is not the name of a model: on the Hugging Face hub names"
            " are written owner/name."
        )


def _read(path: Path, name: str) -> dict[str, Any]:
    try:
        found = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise HubError(f"{path.name} of {name} cannot be read: {error}.") from error
    if not isinstance(found, Mapping):
        raise HubError(f"{path.name} of {name} is not what it should be.")
    return dict(found)


def is_offline() -> bool:
    """Whether this computer is set to ask no hub."""
    from huggingface_hub import constants  # noqa: PLC0415 -- slow import

    return bool(constants.HF_HUB_OFFLINE)


def endpoint() -> str:
    """Return the address of the hub that is asked."""
    from huggingface_hub import constants  # noqa: PLC0415 -- slow import

    return str(constants.ENDPOINT)
