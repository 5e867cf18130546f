"""A backend without a model: queued replies, or a keeper that follows fixed rules.

It is a real backend behind the same gateway, so pages and tests meet the same code
that they meet with a model. Wherever models are listed it is called "scripted".
"""

from __future__ import annotations

import hashlib
import json
import math
import re
import threading
from collections import deque
from collections.abc import Callable, Generator, Iterable, Mapping
from dataclasses import replace
from typing import Any

from webapp.errors import BackendError, BackendOverloaded, BackendRefused
from webapp.llm.cancel import Cancel
from webapp.llm.chances import NextTokens, Rendered, Scored
from webapp.llm.events import (
    BackendEvent,
    Chance,
    ChatRequest,
    EndpointHealth,
    Finish,
    InQueue,
    Listed,
    NextRequest,
    Piece,
    Size,
    TextToken,
    Tokens,
    WrittenToken,
)
from webapp.llm.faults import BROKE_OFF
from webapp.llm.scripted_chances import CONTEXT, PIECES, ScriptedChances
from webapp.plugins.asking import Highlight, Look, Message, Moderation
from webapp.security import Secret
from webapp.text.characters import characters
from webapp.text.words import normalise_guess

# What an entry may name as a model. All but the keepers exist to test faults.
BEHAVIOURS = (
    "keeper",
    "keeper-slow",
    "echo",
    "echo-slow",
    "empty",
    "breaks-off",
    "garbage",
    "overloaded",
    "refuses",
    "silent",
)
# What the scripted stand-in for the sidecar lists, as the sidecar itself does.
STAND_INS = {
    model.name: model
    for model in (
        Listed("warden", is_adapter=True),
        Listed("scribe", is_adapter=True),
        Listed("smollm2"),
        Listed("minilm", "embedding"),
        Listed("gate", "guard", is_adapter=True, reads="message"),
        Listed("leak", "guard", is_adapter=True, reads="reply"),
    )
}
SLOW_SECONDS = 0.1
DIMENSIONS = 128


def stand_in_models(behaviour: str) -> dict[str, str]:
    """Return name in levels → scripted model: a behaviour for each chat model."""
    return {
        name: behaviour if model.kind == "chat" else name
        for name, model in STAND_INS.items()
    }


_PASSWORD = re.compile(r"password\b[^.\n]{0,40}?\bis\s+[\"'“]?(\w+)", re.IGNORECASE)
_FORBIDDEN = re.compile(
    r"\b(never|not allowed|not to|do not|don't|must not|refuse)\b", re.IGNORECASE
)
_HARDENED = re.compile(r"\bin any form\b", re.IGNORECASE)
_ASKED = re.compile(r"\b(pass\s?word|pass\s?code|secret|the word)\b", re.IGNORECASE)
_OVERRIDE = re.compile(
    r"\b(ignore|forget|disregard|override|developer mode|pretend)\b", re.IGNORECASE
)
_JUDGING = re.compile(r"\bone word: yes or no\b", re.IGNORECASE)
_SPELLED = re.compile(r"\b(spell|dash|dashes|letter by letter|between)\b", re.I)
_REVERSED = re.compile(r"\b(reversed?|backwards?)\b", re.IGNORECASE)


class ScriptedBackend:
    """Answers from a queue while it lasts, then as the behaviour named as the model."""

    def __init__(
        self,
        replies: Iterable[str | BackendError] = (),
        *,
        name: str = "local",
        delay: float = 0.0,
        queue: int = 0,
    ) -> None:
        """`delay` comes before each piece, in seconds; `queue` is the first place."""
        self.name = name
        self.delay = delay
        self.queue = queue
        self.history: list[ChatRequest] = []
        # How many replies are being written: a stopped one must leave this at once.
        self.active = 0
        self._chances = ScriptedChances()
        self._lock = threading.Lock()  # protects `active`
        self._replies = deque(replies)

    def enqueue(self, *replies: str | BackendError) -> None:
        """Add replies that are given before any rule applies."""
        self._replies.extend(replies)

    def stream(self, request: ChatRequest, cancel: Cancel) -> Generator[BackendEvent]:
        """Yield a queue (if asked for) and the reply, word by word."""
        self.history.append(request)
        if request.ids is not None:
            text = self._chances.text(request.ids)
            request = replace(request, text=text, ids=None)
        self._count(+1)
        try:
            for position in range(self.queue, 0, -1):
                yield InQueue(position)
                if cancel.wait(self.delay):
                    return
            yield from self._answer(request, cancel)
        finally:
            self._count(-1)

    def measure(self, request: ChatRequest) -> Size:
        """Count as for the reply: what stands between gaps is a token."""
        if request.ids is not None:
            return Size(len(request.ids), CONTEXT)
        texts = [m["content"] for m in _messages(request)]
        words = sum(len(PIECES.findall(text)) for text in texts)
        return Size(words, CONTEXT)

    def tokens(self, model: str, text: str) -> tuple[TextToken, ...]:
        """Count as for the reply, and number the tokens of each text on its own."""
        pieces = PIECES.findall(text)
        return tuple(TextToken(number, piece) for number, piece in enumerate(pieces))

    def next_tokens(self, request: NextRequest) -> NextTokens:
        """Expect the same words after anything."""
        self.history.append(request.chat)
        _fail(request.chat.model)
        return self._chances.next_tokens(request)

    def score(self, model: str, prompt: str | tuple[int, ...]) -> Scored:
        """Find each word as likely as not."""
        _fail(model)
        return self._chances.scored(prompt)

    def render(self, request: ChatRequest) -> Rendered:
        """Show the role before each message."""
        return self._chances.rendered(request)

    def embed(self, model: str, texts: list[str]) -> list[list[float]]:
        """Return vectors in which texts that share words are near each other."""
        return [_embedding(text) for text in texts]

    def moderate(
        self, model: str, text: str, secret: Secret | None, look: Look
    ) -> Moderation:
        """Judge by words: what asks for the secret, or what gives it away."""
        if look.first_tokens is not None:
            text = "".join(PIECES.findall(text)[: look.first_tokens])

        def score_of(text: str) -> float:
            if model == "leak":
                text = "\n".join([*(e.reply for e in look.earlier), text])
                leaks = secret is not None and _gives_away(text, secret.reveal())
                return 0.99 if leaks else 0.01
            tries = (_ASKED.search(text), _OVERRIDE.search(text))
            return (0.02, 0.6, 0.95)[sum(map(bool, tries))]

        score = score_of(text)
        marks = _highlights(text, score_of) if look.highlights else ()
        return Moderation(score >= 0.5, score, 0.5, model, self.version(model), marks)

    def version(self, model: str) -> str:
        """Say that there are no weights."""
        return "scripted"

    def models(self) -> Mapping[str, Listed]:
        """List the stand-ins, and each behaviour as a chat model."""
        return STAND_INS | {name: Listed(name) for name in BEHAVIOURS}

    def health(self) -> EndpointHealth:
        """Say that nothing can be wrong here."""
        return EndpointHealth(self.name, True, "scripted: fixed rules, no model")

    def _count(self, change: int) -> None:
        with self._lock:
            self.active += change

    def _answer(self, request: ChatRequest, cancel: Cancel) -> Generator[BackendEvent]:
        if self._replies:
            reply = self._replies.popleft()
            if isinstance(reply, BackendError):
                raise reply
            yield from self._say(reply, request, cancel, self.delay)
            return
        behaviour = request.model
        if behaviour == "silent":
            cancel.wait(3600)
            return
        _fail(behaviour)
        text = _reply(behaviour, _messages(request))
        if request.schema:
            text = json.dumps(_least(json.loads(request.schema)))
        if request.choices and text not in request.choices:
            text = request.choices[0]
        slow = SLOW_SECONDS if behaviour.endswith("-slow") else self.delay
        yield from self._say(text, request, cancel, slow)

    def _say(
        self, text: str, request: ChatRequest, cancel: Cancel, delay: float
    ) -> Generator[BackendEvent]:
        pieces = PIECES.findall(text)
        reason = "stop"
        if len(pieces) > request.sampling.max_tokens:
            pieces, reason = pieces[: request.sampling.max_tokens], "length"
        for piece in pieces:
            if delay and cancel.wait(delay):
                return
            yield Piece(piece)
            if request.top_logprobs is not None:
                # Rules leave nothing to chance.
                chances = (Chance(piece, 0.0),)[: request.top_logprobs]
                yield Tokens((WrittenToken(piece, 0.0, chances),))
        if request.model == "breaks-off":
            raise BackendError(
                "The scripted model stopped in the middle.", code=BROKE_OFF
            )
        prompt = sum(len(m["content"].split()) for m in _messages(request))
        yield Finish(reason, prompt, len(pieces))


def _messages(request: ChatRequest) -> tuple[Message, ...]:
    """Return what was sent; a text to continue counts as asked."""
    if request.text is None:
        return request.messages
    return ({"role": "user", "content": request.text},)


def _fail(behaviour: str) -> None:
    match behaviour:
        case "garbage":
            raise ValueError("scripted garbage")
        case "overloaded":
            raise BackendOverloaded("The scripted model is busy.")
        case "refuses":
            raise BackendRefused("The scripted model refused the request.")
        case _ if behaviour not in BEHAVIOURS:
            raise BackendRefused("The scripted endpoint does not have this model.")


def _reply(behaviour: str, messages: tuple[Message, ...]) -> str:
    asked = next((m["content"] for m in reversed(messages) if m["role"] == "user"), "")
    if behaviour == "empty":
        return ""
    if behaviour in {"echo", "echo-slow"}:
        return asked
    if behaviour == "breaks-off":
        return "This reply has no"
    system = "\n".join(m["content"] for m in messages if m["role"] == "system")
    return _keeper(system, asked)


def _least(schema: Mapping[str, Any]) -> Any:
    """Return the first and smallest value that a schema allows."""
    if "const" in schema:
        return schema["const"]
    if "enum" in schema:
        return schema["enum"][0]
    if "anyOf" in schema:
        return _least(schema["anyOf"][0])
    match schema.get("type"):
        case "object":
            parts = schema.get("properties", {})
            return {name: _least(parts[name]) for name in schema.get("required", [])}
        case "array":
            return []
        case "number" | "integer":
            return 0
        case "boolean":
            return False
        case "null":
            return None
    return ""


def _keeper(system: str, asked: str) -> str:
    """Tell the password if the system prompt allows it, or if asked in a disguise.

    A system prompt that wants one word, yes or no, makes it a judge of such questions.
    """
    if _JUDGING.search(system):
        return "Yes." if _ASKED.search(asked) or _OVERRIDE.search(asked) else "No."
    told = _PASSWORD.search(system)
    if told is None or not _ASKED.search(asked):
        return "Good evening, traveller. I watch this gate. What brings you here?"
    word = told.group(1)
    is_hardened = _HARDENED.search(system) is not None
    if _SPELLED.search(asked) and not is_hardened:
        return f"Letter by letter, then: {'-'.join(characters(word))}"
    if _REVERSED.search(asked) and not is_hardened:
        return f"From its end to its beginning: {''.join(reversed(characters(word)))}"
    if _FORBIDDEN.search(system):
        return "I may not tell you the password."
    return f"The password is {word}."


def _highlights(text: str, score_of: Callable[[str], float]) -> tuple[Highlight, ...]:
    """Leave each word out once and compare log odds, as guard models do."""

    def log_odds(text: str) -> float:
        score = score_of(text)
        return math.log(score / (1 - score))

    pieces, whole = PIECES.findall(text), log_odds(text)
    without = ("".join(pieces[:n] + pieces[n + 1 :]) for n in range(len(pieces)))
    return tuple(
        Highlight(piece, round(whole - log_odds(rest), 4))
        for piece, rest in zip(pieces, without, strict=True)
    )


def _gives_away(text: str, word: str) -> bool:
    plain, target = normalise_guess(text), normalise_guess(word)
    return target in plain or target[::-1] in plain


def _embedding(text: str) -> list[float]:
    vector = [0.0] * DIMENSIONS
    for word in re.findall(r"\w+", text.casefold()) or [""]:
        digest = hashlib.blake2b(word.encode(), digest_size=4).digest()
        number = int.from_bytes(digest, "big")
        vector[number % DIMENSIONS] += 1.0 if number & 1 << 16 else -1.0
    length = math.sqrt(sum(x * x for x in vector)) or 1.0
    return [x / length for x in vector]
