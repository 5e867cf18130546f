"""The models that are served. They load in the background; /health says how far."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Literal

from finetune.guards.judge import Judge
from finetune.serving.engine.copies import Engine
from finetune.serving.engine.embedder import Embedder
from finetune.serving.engine.prompts import ChatPrompts
from finetune.serving.errors import not_ready, unknown_model
from finetune.settings import Settings
from finetune.weights.merge import release_version, served_file
from finetune.weights.places import ModelMissing
from finetune.weights.releases import ReleaseError

_log = logging.getLogger(__name__)

State = Literal["loading", "ready", "failed"]
# How long a call waits for a model that is still being loaded.
_LOAD_SECONDS = 30


class Part:
    """Something that loads in a thread of its own, and what became of it."""

    def __init__(self, name: str, load: Callable[[], None]) -> None:
        self._name = name
        self._load = load
        self._done = threading.Event()
        self.state: State = "loading"
        self.problem: str | None = None

    def start(self) -> None:
        """Begin to load."""
        threading.Thread(
            target=self._run, name=f"load {self._name}", daemon=True
        ).start()

    def wait(self, seconds: float) -> None:
        """Wait until it is ready; raise ApiError 503 if it is not, or failed."""
        if not self._done.wait(seconds):
            raise not_ready(f"The {self._name} is still loading. Try again soon.")
        if self.state == "failed":
            raise not_ready(
                f"The {self._name} could not be loaded: {self.problem}", code="failed"
            )

    def join(self) -> None:
        """Wait until it is ready or has failed."""
        self._done.wait()

    def _run(self) -> None:
        try:
            self._load()
            self.state = "ready"
        except (ModelMissing, ReleaseError) as error:
            self._fail(str(error))
        except Exception as error:  # noqa: BLE001 -- border: a loading thread
            self._fail(f"{type(error).__name__}: {error}")
        finally:
            self._done.set()

    def _fail(self, problem: str) -> None:
        self.problem = problem
        self.state = "failed"
        _log.error("The %s could not be loaded: %s", self._name, problem)


class ServedEngine:
    """An engine and what turns chats into its tokens."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self.prompts = ChatPrompts(engine)


class Models:
    """All served models by name."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._engines: dict[str, ServedEngine] = {}
        # Each is set by the thread that loads it, before anyone may read it.
        self._embedder: Embedder | None = None
        self._judges: dict[str, Judge] = {}
        self.guard_names = ["gate", "leak"]
        self.chat_names = list(settings.chat_places())
        self.embedding_name, self._embedding_place = settings.embedding_place()
        self.engine_part = Part("chat model", self._load_engines)
        self.embedding_part = Part("embedding model", self._load_embedder)
        self.guard_part = Part("guard models", self._load_guards)

    def load(self) -> None:
        """Start loading everything."""
        self.engine_part.start()
        self.embedding_part.start()
        self.guard_part.start()

    def chat(self, name: str) -> ServedEngine:
        """Return a chat model; raise ApiError 404 or 503."""
        if name not in self.chat_names:
            raise unknown_model(name, self.chat_names)
        self.engine_part.wait(_LOAD_SECONDS)
        return self._engines[name]

    def embedder(self) -> Embedder:
        """Return the embedder; a call that comes early waits for it."""
        self.embedding_part.wait(_LOAD_SECONDS)
        if self._embedder is None:
            raise not_ready("The embedding model is not there.")
        return self._embedder

    def judge(self, name: str) -> Judge:
        """Return a guard model; raise ApiError 404 or 503."""
        if name not in self.guard_names:
            raise unknown_model(name, self.guard_names)
        self.guard_part.wait(_LOAD_SECONDS)
        return self._judges[name]

    def _cache(self) -> Path:
        return self._settings.instance / "models"

    def _load_engines(self) -> None:
        settings = self._settings
        for name, place in settings.chat_places().items():
            path = served_file(place, self._cache())
            self._engines[name] = ServedEngine(
                Engine(
                    name,
                    path,
                    slots=settings.slots,
                    context=settings.context,
                    copies=settings.engine_copies,
                    threads=settings.engine_threads,
                    version=release_version(place),
                )
            )

    def _load_embedder(self) -> None:
        # After the engine: the first reply matters more than the first embedding.
        self.engine_part.join()
        self._embedder = Embedder.load(self._embedding_place, cache=self._cache())

    def _load_guards(self) -> None:
        # One after the other: each of them reads large files and imports torch.
        self.embedding_part.join()
        from finetune.guards.released import (  # noqa: PLC0415 -- slow import
            load_judge,
        )

        cache = self._cache()
        self._judges = {
            name: load_judge(name, cache=cache) for name in self.guard_names
        }
