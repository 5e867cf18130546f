"""A run that is one reply of a model and nothing more, for any feature."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field

from webapp.domain.generations import events, runs
from webapp.domain.generations.replies import Record, listen
from webapp.domain.services import Services
from webapp.errors import BackendError
from webapp.llm import gateway as llm
from webapp.rows import Generation


@dataclass(slots=True)
class PlainReply(runs.Job[Generation]):
    """One reply on its way."""

    services: Services
    request: llm.ChatRequest
    record: Record = field(default_factory=Record)

    def play(self) -> Iterator[events.Event]:
        """Ask the model; an empty reply is a reply, too."""
        stream = self.services.gateway.reply(self.request)
        with closing(listen(stream, self.record)) as heard:
            try:
                yield from heard
            except BackendError as error:
                if error.code != "backend_empty":
                    raise
