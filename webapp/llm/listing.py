"""What endpoints say they serve: the answer to GET /v1/models, and the last of each."""

from __future__ import annotations

import logging
import math
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal, cast, get_args

from webapp.llm.events import Backend, Kind, Listed

log = logging.getLogger(__name__)

# No endpoint has that many; a longer list is a fault.
_MOST = 10_000
_NAME_CHARS = 200

Reads = Literal["message", "reply"]
Models = Mapping[str, Listed]


def read_models(answer: object) -> dict[str, Listed]:
    """Return the models of an answer by name; what cannot be read is passed over.

    Only our own sidecar tells the kind: a model without one counts as a chat model.
    """
    data = answer.get("data") if isinstance(answer, dict) else None
    if not isinstance(data, list):
        raise ValueError("an answer without a list of models")
    listed = (_read(item) for item in data[:_MOST])
    return {model.name: model for model in listed if model is not None}


def _read(item: object) -> Listed | None:
    if not isinstance(item, dict):
        return None
    name = item.get("id")
    if not isinstance(name, str) or not 1 <= len(name) <= _NAME_CHARS:
        return None
    kind, reads = item.get("kind"), item.get("reads")
    return Listed(
        name=name,
        kind=cast(Kind, kind) if kind in get_args(Kind) else "chat",
        is_adapter=item.get("adapter") is True,
        reads=cast(Reads, reads) if reads in get_args(Reads) else None,
        is_loaded=item.get("loaded") is True,
    )


@dataclass(slots=True)
class _Heard:
    """The last list of an endpoint; None: it has never given one."""

    models: Models | None = None
    asked_at: float | None = None


class Listings:
    """The lists of all endpoints. Safe to use from many threads."""

    def __init__(
        self,
        backends: Mapping[str, Backend],
        seconds: Mapping[str, float],
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`seconds` tell for each endpoint how long its list counts as fresh."""
        self._backends = backends
        self._seconds = seconds
        self._clock = clock
        self._heard = {name: _Heard() for name in backends}
        # One for each endpoint, so that callers ask it once and wait for the answer.
        self._locks = {name: threading.Lock() for name in backends}

    def known(self, endpoint: str) -> Models | None:
        """Return the last list, asking only while there is none."""
        heard = self._heard.get(endpoint)
        if heard is not None and heard.models is not None:
            return heard.models
        return self.fresh(endpoint)

    def fresh(self, endpoint: str) -> Models | None:
        """Return a list that is fresh, or the last one if the endpoint stays silent.

        None for an endpoint that has never listed its models.
        """
        if endpoint not in self._backends:
            return None
        heard = self._heard[endpoint]
        with self._locks[endpoint]:
            now = self._clock()
            age = math.inf if heard.asked_at is None else now - heard.asked_at
            if age >= self._seconds[endpoint]:
                heard.models = self._ask(endpoint, heard.models)
                heard.asked_at = self._clock()
            return heard.models

    def _ask(self, endpoint: str, last: Models | None) -> Models | None:
        try:
            return self._backends[endpoint].models()
        except Exception as error:  # noqa: BLE001 -- border: whatever a client raises
            log.info("endpoint %s lists no models: %s", endpoint, type(error).__name__)
            return last
