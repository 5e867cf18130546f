"""The one door to all models: names, deadlines, retries, and errors people can read."""

from __future__ import annotations

import copy
import json
import logging
import os
import random
import time
from collections.abc import Callable, Generator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import replace
from functools import partial
from typing import Literal, TypeVar

from webapp.errors import BackendTimeout, ContentError
from webapp.llm.chances import NextTokens, Rendered, Scored
from webapp.llm.directory import Directory, Target
from webapp.llm.draft import Draft
from webapp.llm.endpoints import LOCAL, Endpoint, load_endpoints
from webapp.llm.events import (
    Backend,
    ChatEvent,
    ChatRequest,
    Completion,
    Done,
    EndpointHealth,
    InQueue,
    Kind,
    ModelInfo,
    NextRequest,
    Piece,
    Sampling,
    Silence,
    Size,
    TextToken,
    WrittenToken,
)
from webapp.llm.faults import Fault, explain
from webapp.llm.listing import Listings
from webapp.llm.memory import Memory, RememberingBackend
from webapp.llm.pump import BEAT_SECONDS, pump, within
from webapp.llm.remote import NoClient, open_remote
from webapp.llm.scripted import ScriptedBackend, stand_in_models
from webapp.llm.sizes import KnownSizes, key_of
from webapp.llm.vectors import VectorCache
from webapp.plugins.asking import CAREFUL, Look, Message, Moderation
from webapp.security import Secret
from webapp.settings import Settings

__all__ = [
    "ChatEvent",
    "ChatRequest",
    "Completion",
    "Done",
    "EndpointHealth",
    "Gateway",
    "InQueue",
    "Memory",
    "ModelInfo",
    "NextRequest",
    "NextTokens",
    "Piece",
    "Rendered",
    "Sampling",
    "Scored",
    "Silence",
    "Size",
    "TextToken",
    "WrittenToken",
    "open_gateway",
]

T = TypeVar("T")
log = logging.getLogger(__name__)

RETRIES = 2
# A guard that hears nothing for this long blocks; a player would not wait longer.
CALL_SECONDS = 20.0
HOSTED_SECONDS = 30.0
# A page does not wait longer to say how much fits.
SIZE_SECONDS = 1.0
# How long a size is good for: an endpoint may come back with another context.
FIXED_SECONDS, BRIEF_SECONDS, UNKNOWN_SECONDS = 300.0, 10.0, 5.0
KNOWN_SIZES = 4096
CACHED_EMBEDDINGS = 1024
EMBED_BATCH = 64


class Gateway:
    """All endpoints of this process. Safe to use from many threads."""

    def __init__(
        self,
        endpoints: Sequence[Endpoint],
        *,
        backends: Mapping[str, Backend] | None = None,
        default_endpoint: str = LOCAL,
        reply_seconds: float = 120.0,
        silence_seconds: float = 60.0,
        call_seconds: float = CALL_SECONDS,
        clock: Callable[[], float] = time.monotonic,
        chance: Callable[[], float] = random.random,
    ) -> None:
        """`backends` stand in for what an endpoint of that name would open."""
        # A scripted endpoint comes last: it never answers for a model by accident.
        ordered = sorted(
            endpoints,
            key=lambda e: (e.name != default_endpoint, e.kind == "scripted"),
        )
        given = backends or {}
        opened = [_open(e, given.get(e.name)) for e in ordered]
        self._endpoints = tuple(endpoint for endpoint, _ in opened)
        self._backends: dict[str, Backend] = {
            e.name: backend for e, backend in opened if backend is not None
        }
        self._reply_seconds = reply_seconds
        self._silence_seconds = silence_seconds
        self._call_seconds = call_seconds
        self._clock = clock
        self._chance = chance
        seconds = {e.name: _list_seconds(e) for e in self._endpoints}
        self._directory = Directory(
            self._endpoints, Listings(self._backends, seconds, clock=clock)
        )
        self._vectors = VectorCache(CACHED_EMBEDDINGS)
        self._known_sizes = KnownSizes(KNOWN_SIZES, clock)
        self._known_health: dict[str, tuple[float, EndpointHealth]] = {}

    @classmethod
    def scripted(cls, backend: ScriptedBackend | None = None) -> Gateway:
        """Return a gateway in which a scripted backend replaces all local models."""
        endpoint = Endpoint(LOCAL, "scripted", stand_in_models("keeper"))
        return cls([endpoint], backends={LOCAL: backend or ScriptedBackend()})

    def stream(
        self,
        *,
        model: str,
        messages: Sequence[Message],
        sampling: Sampling = Sampling(),  # noqa: B008 -- frozen
        user: str = "",
        raw_tokens: bool = False,
    ) -> Generator[ChatEvent]:
        """Return the events of the reply to a chat, as `reply` does."""
        return self.reply(
            ChatRequest(model, tuple(messages), sampling, user, raw_tokens)
        )

    def reply(self, request: ChatRequest) -> Generator[ChatEvent]:
        """Return the events of one reply; closing it stops the model.

        Raises ContentError at once for an unknown model, and BackendError while read.
        """
        target = self._directory.target(request.model)
        return self._reply(target, replace(request, model=target.upstream))

    def complete(
        self,
        *,
        model: str,
        messages: Sequence[Message],
        sampling: Sampling = Sampling(),  # noqa: B008 -- frozen
        user: str = "",
        raw_tokens: bool = False,
    ) -> Completion:
        """Return the whole reply to a chat."""
        return self.whole_reply(
            ChatRequest(model, tuple(messages), sampling, user, raw_tokens)
        )

    def whole_reply(self, request: ChatRequest) -> Completion:
        """Return a whole reply."""
        stream = self.reply(request)
        done = next(event for event in stream if isinstance(event, Done))
        return done.completion

    def measure(
        self, *, model: str, messages: Sequence[Message], raw_tokens: bool = False
    ) -> Size:
        """Return how many tokens the messages take, and of how many."""
        key = key_of(model, messages, raw_tokens=raw_tokens)
        known = self._known_sizes.get(key)
        if known is not None and known.size is not None:
            return known.size
        size = self.size(ChatRequest(model, tuple(messages), raw_tokens=raw_tokens))
        self._known_sizes.put(key, size, BRIEF_SECONDS)
        return size

    def size(self, request: ChatRequest) -> Size:
        """Return how many tokens a prompt takes, and of how many.

        Where the endpoint cannot tell, it is the most that it may take.
        """
        target = self._directory.target(request.model)
        backend = self._backends[target.endpoint.name]
        asked = replace(request, model=target.upstream)
        return self._call(target, partial(backend.measure, asked))

    def tokens(self, model: str, text: str) -> tuple[TextToken, ...]:
        """Return the tokens that a model reads in a text.

        Raises BackendRefused where the endpoint does not show them.
        """
        target = self._directory.target(model)
        backend = self._backends[target.endpoint.name]
        return self._call(target, partial(backend.tokens, target.upstream, text))

    def next_tokens(self, request: NextRequest) -> NextTokens:
        """Draw tokens if wanted, and return all that may come next and how likely.

        Raises BackendRefused where the endpoint does not show it.
        """
        target = self._directory.target(request.chat.model)
        backend = self._backends[target.endpoint.name]
        chat = replace(request.chat, model=target.upstream)
        asked = replace(request, chat=chat)
        call = partial(backend.next_tokens, asked)
        return self._call(target, call, seconds=self._reply_seconds)

    def score(self, model: str, prompt: str | tuple[int, ...]) -> Scored:
        """Return how likely each token of a text was, or of the ids that it is.

        Raises BackendRefused where the endpoint does not show it, or the text is too
        long to be looked at in one go.
        """
        target = self._directory.target(model)
        backend = self._backends[target.endpoint.name]
        call = partial(backend.score, target.upstream, prompt)
        return self._call(target, call, seconds=self._reply_seconds)

    def render(self, request: ChatRequest) -> Rendered:
        """Return a chat as the model reads it, with the marks of its template.

        Raises BackendRefused where the endpoint does not show it.
        """
        target = self._directory.target(request.model)
        backend = self._backends[target.endpoint.name]
        asked = replace(request, model=target.upstream)
        return self._call(target, partial(backend.render, asked))

    def brief_size(
        self, *, model: str, messages: Sequence[Message], raw_tokens: bool = False
    ) -> Size | None:
        """Return the size of messages, or None where that takes long or fails.

        For pages, which come whether or not a model answers.
        """
        key = key_of(model, messages, raw_tokens=raw_tokens)
        known = self._known_sizes.get(key)
        if known is not None and known.size is not None:
            return known.size
        try:
            target = self._directory.target(model)
            request = ChatRequest(
                target.upstream, tuple(messages), raw_tokens=raw_tokens
            )
            measure = partial(self._backends[target.endpoint.name].measure, request)
            size = within(SIZE_SECONDS, measure, name="size of a prompt")
        except Exception as error:  # noqa: BLE001 -- border: whatever a client raises
            log.info("the size of a prompt is unknown: %s", type(error).__name__)
            return None
        self._known_sizes.put(key, size, BRIEF_SECONDS)
        return size

    def fixed_size(
        self, *, model: str, messages: Sequence[Message], raw_tokens: bool = False
    ) -> Size | None:
        """Return what `brief_size` said lately: for what does not come from players."""
        key = key_of(model, messages, raw_tokens=raw_tokens)
        known = self._known_sizes.get(key)
        if known is not None:
            return known.size
        size = self.brief_size(model=model, messages=messages, raw_tokens=raw_tokens)
        seconds = UNKNOWN_SECONDS if size is None else FIXED_SECONDS
        self._known_sizes.put(key, size, seconds)
        return size

    def embed(
        self, texts: Sequence[str], *, model: str | None = None
    ) -> list[list[float]]:
        """Return one vector per text; texts seen lately cost nothing.

        Without `model` the usual embedding model does it.
        """
        if not texts:
            return []
        target = self._directory.target(model or self.usual("embedding"))
        known: dict[str, list[float]] = {}
        for text in texts:
            vector = self._vectors.get(target.label, text)
            if vector is not None:
                known[text] = vector
        new = [text for text in dict.fromkeys(texts) if text not in known]
        backend = self._backends[target.endpoint.name]
        for start in range(0, len(new), EMBED_BATCH):
            batch = new[start : start + EMBED_BATCH]
            embed = partial(backend.embed, target.upstream, batch)
            known.update(zip(batch, self._call(target, embed), strict=True))
        for text in new:
            self._vectors.put(target.label, text, known[text])
        return [known[text] for text in texts]

    def moderate(
        self,
        text: str,
        *,
        model: str | None = None,
        secret: Secret | None = None,
        look: Look = CAREFUL,
    ) -> Moderation:
        """Return the judgement of a guard model.

        Without `model` the usual one: of replies if there is a secret to compare with.
        """
        if model is None:
            model = self.usual("guard", reads="message" if secret is None else "reply")
        target = self._directory.target(model)
        backend = self._backends[target.endpoint.name]
        return self._call(
            target, partial(backend.moderate, target.upstream, text, secret, look)
        )

    def label(self, model: str) -> str:
        """Return endpoint/model of a model's name, as it is stored with replies."""
        return self._directory.target(model).label

    def judge(self) -> str:
        """Return the model that judges replies of others; empty if none is set up."""
        return next(
            (
                f"{e.name}/{e.judge}"
                for e in self._endpoints
                if e.judge and not e.unavailable
            ),
            "",
        )

    def version(self, model: str) -> str:
        """Return what a model's endpoint says of its weights; empty if nothing."""
        target = self._directory.target(model)
        backend = self._backends[target.endpoint.name]
        return self._call(target, partial(backend.version, target.upstream))

    def remembering(self, memory: Memory) -> Gateway:
        """Return a gateway to the same endpoints that gives known replies again."""
        twin = copy.copy(self)
        places = {e.name: _origin(e) for e in self._endpoints}
        twin._backends = {
            name: RememberingBackend(backend, memory, places[name])
            for name, backend in self._backends.items()
        }
        return twin

    def models(self) -> list[ModelInfo]:
        """List the models that a level may name."""
        return self._directory.models()

    def unlisted(self) -> list[str]:
        """Return the endpoints that have not said what they serve."""
        return self._directory.unlisted()

    def usual(
        self, kind: Kind, *, reads: Literal["message", "reply"] | None = None
    ) -> str:
        """Return the name of the model that is meant where a level names none."""
        return self._directory.usual(kind, reads=reads)

    def health(self) -> list[EndpointHealth]:
        """Ask all endpoints at the same time how they are."""
        with ThreadPoolExecutor(max_workers=8) as pool:
            return list(pool.map(self._health, self._endpoints))

    def _health(self, endpoint: Endpoint) -> EndpointHealth:
        if endpoint.unavailable:
            return EndpointHealth(endpoint.name, False, endpoint.unavailable)
        known = self._known_health.get(endpoint.name)
        if known is not None and self._clock() < known[0]:
            return known[1]
        health = self._backends[endpoint.name].health()
        # The health page is open to all: a hosted endpoint must not notice each visit.
        seconds = HOSTED_SECONDS if endpoint.kind == "openai" else 0.5
        self._known_health[endpoint.name] = (self._clock() + seconds, health)
        return health

    def _reply(self, target: Target, request: ChatRequest) -> Generator[ChatEvent]:
        started = self._clock()
        for attempt in range(RETRIES + 1):
            has_begun = False
            try:
                with closing(self._once(target, request, started)) as events:
                    for event in events:
                        has_begun = has_begun or isinstance(event, Piece)
                        yield event
                return
            except Exception as error:  # noqa: BLE001 -- explain() names or wraps all
                fault = explain(error, target.endpoint.name)
            if has_begun or not fault.can_retry or attempt == RETRIES:
                raise fault.error from None
            until = self._clock() + self._pause(fault, attempt)
            while (left := until - self._clock()) > 0:
                yield Silence()
                time.sleep(min(left, BEAT_SECONDS))

    def _once(
        self, target: Target, request: ChatRequest, started: float
    ) -> Generator[ChatEvent]:
        backend = self._backends[target.endpoint.name]
        draft = Draft(target, started, self._clock())
        name = f"reply from {target.endpoint.name}"
        with closing(pump(partial(backend.stream, request), name=name)) as events:
            for event in events:
                now = self._clock()
                self._check_time(target, now - started, now - draft.heard)
                shown = draft.take(event, now)
                if shown is not None:
                    yield shown
        yield Done(draft.whole(self._clock()))

    def _check_time(self, target: Target, total: float, silent: float) -> None:
        who = target.who
        if total > self._reply_seconds:
            raise BackendTimeout(
                f"{who} did not finish within {self._reply_seconds:g} seconds. Please "
                "try again."
            )
        if silent > self._silence_seconds:
            raise BackendTimeout(
                f"{who} was silent for {self._silence_seconds:g} seconds. Please try "
                "again."
            )

    def _call(
        self, target: Target, call: Callable[[], T], *, seconds: float | None = None
    ) -> T:
        name = target.endpoint.name
        for attempt in range(RETRIES + 1):
            try:
                return within(
                    seconds or self._call_seconds, call, name=f"call to {name}"
                )
            except TimeoutError:
                raise BackendTimeout(
                    f"{target.who} took too long. Please try again."
                ) from None
            except Exception as error:  # noqa: BLE001 -- explain() names or wraps all
                fault = explain(error, name)
            if not fault.can_retry or attempt == RETRIES:
                raise fault.error from None
            time.sleep(self._pause(fault, attempt))
        raise AssertionError("the last try returns or raises")

    def _pause(self, fault: Fault, attempt: int) -> float:
        """Return seconds to wait: longer each time, and never the same for all."""
        wished = (
            fault.retry_after if fault.retry_after is not None else 0.5 * 2**attempt
        )
        return min(wished, 2.0) * (0.5 + self._chance())


def open_gateway(settings: Settings, env: Mapping[str, str] | None = None) -> Gateway:
    """Return the gateway of an instance; keys come from the environment."""
    endpoints = load_endpoints(settings, os.environ if env is None else env)
    names = [endpoint.name for endpoint in endpoints]
    if settings.default_endpoint not in names:
        raise ContentError(
            f'WORDKEEP_DEFAULT_ENDPOINT names "{settings.default_endpoint}", but the '
            f"endpoints are: {', '.join(names)}."
        )
    return Gateway(
        endpoints,
        default_endpoint=settings.default_endpoint,
        reply_seconds=settings.reply_seconds,
        silence_seconds=settings.reply_seconds / 2,
    )


def _origin(endpoint: Endpoint) -> str:
    """Return what a remembered reply depends on besides the request itself."""
    place = f"{endpoint.name} {endpoint.base_url}"
    extra = dict(endpoint.extra_body)
    return f"{place} {json.dumps(extra, sort_keys=True)}" if extra else place


def _list_seconds(endpoint: Endpoint) -> float:
    """Return how long a list of models is good: ours changes while it runs."""
    return HOSTED_SECONDS if endpoint.kind == "openai" else 1.0


def _open(endpoint: Endpoint, given: Backend | None) -> tuple[Endpoint, Backend | None]:
    """Return an endpoint and its backend, or why it has none."""
    if endpoint.unavailable:
        return endpoint, None
    if given is not None:
        return endpoint, given
    if endpoint.kind == "scripted":
        return endpoint, ScriptedBackend(name=endpoint.name)
    try:
        return endpoint, open_remote(endpoint)
    except NoClient as reason:
        return replace(endpoint, unavailable=str(reason)), None
