"""Ask a model for one sample of a panel."""

from __future__ import annotations

import math
from collections.abc import Generator, Iterator
from contextlib import closing
from typing import Final

from webapp.content.lessons.schema import CheckSpec, Panel
from webapp.domain.generations import events
from webapp.domain.generations.replies import Record, listen
from webapp.domain.learn.filling import PanelRequest
from webapp.errors import BackendError
from webapp.llm import gateway as llm
from webapp.llm.ask import GatewayAsk
from webapp.plugins.check import Chance, PickedToken

# An endpoint may pay no heed to a limit on tokens.
MOST_CHARS: Final = 20_000
# How many other tokens are told for each place of a reply.
ALTERNATIVES: Final = 5


class PanelAsk(GatewayAsk):
    """Lets checks ask models for one player; it also counts tokens."""

    def pieces(self, text: str, *, model: str) -> list[str]:
        """Return the tokens of a text as texts."""
        return [token.text for token in self._gateway.tokens(model, text)]


def ask_model(
    gateway: llm.Gateway, panel: Panel, request: PanelRequest, *, user: str
) -> Generator[llm.ChatEvent]:
    """Return the events of one reply; closing it stops the model."""
    return gateway.reply(
        llm.ChatRequest(
            model=panel.model,
            messages=request.messages,
            sampling=request.sampling,
            user=user,
            start_reply=request.start_reply,
            default_system=request.has_default_system,
            text=request.text if panel.talk == "complete" else None,
            top_logprobs=ALTERNATIVES if needs_chances(panel) else None,
            public=request.public,
            cache_salt=request.salt,
            choices=panel.choices,
        )
    )


def needs_chances(panel: Panel) -> bool:
    """Return whether the probabilities of tokens are judged or shown."""
    is_shown = "probabilities" in panel.show
    return is_shown or any(map(_looks_at_chances, _all_checks(panel)))


def hear(stream: Generator[llm.ChatEvent], record: Record) -> Iterator[events.Event]:
    """Collect a reply that may be empty; leave off where it gets far too long."""
    with closing(listen(stream, record)) as heard:
        try:
            for event in heard:
                yield event
                if len(record.reply) > MOST_CHARS:
                    return
        except BackendError as error:
            # An empty reply is something that a panel can show and judge.
            if error.code != "backend_empty":
                raise


def tokens_of(record: Record) -> tuple[PickedToken, ...]:
    """Return the tokens of a reply with their probabilities, where they were asked."""
    if record.completion is None:
        return ()
    return tuple(
        PickedToken(
            token.text,
            math.exp(token.logprob),
            tuple(Chance(one.text, math.exp(one.logprob)) for one in token.top),
        )
        for token in record.completion.tokens
    )


def _all_checks(panel: Panel) -> Iterator[CheckSpec]:
    yield from panel.checks
    for mistake in panel.mistakes:
        yield from mistake.when


def _looks_at_chances(spec: CheckSpec) -> bool:
    return spec.of == "probabilities" or any(map(_looks_at_chances, spec.parts))
