"""Talk to an endpoint over the OpenAI API, with the official client."""

from __future__ import annotations

import json
import logging
import math
from collections.abc import Generator, Mapping
from contextlib import closing
from typing import Any, TypeVar, cast

import httpx2
import openai
from pydantic import BaseModel, ValidationError

from webapp.errors import BackendError, BackendRefused
from webapp.llm.cancel import Cancel, attach
from webapp.llm.chances import NextTokens, Rendered, Scored
from webapp.llm.chunks import Said, read_choice, read_usage
from webapp.llm.endpoints import Endpoint
from webapp.llm.events import (
    BackendEvent,
    ChatRequest,
    EndpointHealth,
    Finish,
    InQueue,
    Listed,
    NextRequest,
    Size,
    TextToken,
    Tokens,
)
from webapp.llm.faults import BROKE_OFF, garbage
from webapp.llm.listing import read_models
from webapp.llm.thoughts import Habits, Sorter
from webapp.plugins.asking import Highlight, Look, Message, Moderation
from webapp.security import Secret

Shape = TypeVar("Shape", bound=BaseModel)
log = logging.getLogger(__name__)
# At DEBUG these libraries print addresses and requests; ours says what is needed.
for _name in ("openai", "httpx2", "httpcore2"):
    logging.getLogger(_name).setLevel(logging.WARNING)

CONNECT_SECONDS = 5.0
# A new connection for each call: only then its socket is known from the start and Stop
# can cut it at any moment; nor can it have gone stale.
LIMITS = httpx2.Limits(max_connections=256, max_keepalive_connections=0)
HEALTH_SECONDS = 2.0
LIST_SECONDS = 2.0
# No level allows a reply this long: more is a broken endpoint.
REPLY_CHARS = 100_000
# A guard model marks at most some forty pieces of a text; more is a broken endpoint.
HIGHLIGHTS = 200
# Log odds beyond it are not a model's finding; ours end at 28.
LOG_ODDS = 100.0
VERSION_CHARS = 80
TURN_TOKENS = 16


class NoClient(Exception):
    """The client of an endpoint cannot be made; the text says why, without values."""


def open_remote(endpoint: Endpoint) -> RemoteBackend:
    """Return the backend of an endpoint; raise NoClient if its client cannot be made.

    That depends on the environment: which proxy to use, and whom to trust.
    """
    try:
        return RemoteBackend(endpoint)
    except Exception as error:  # noqa: BLE001 -- border: whatever a client raises
        # Not the error's own text: it could quote the password of a proxy.
        kind = type(error).__name__
        log.warning("endpoint %s: no client: %s", endpoint.name, kind)
        raise NoClient(_no_client(error)) from None


def _no_client(error: Exception) -> str:
    if isinstance(error, OSError):
        return (
            "its certificates cannot be read: check SSL_CERT_FILE and SSL_CERT_DIR in "
            "the environment"
        )
    if isinstance(error, ValueError | ImportError | httpx2.InvalidURL):
        return (
            "its proxy cannot be used: check ALL_PROXY, HTTP_PROXY and HTTPS_PROXY in "
            "the environment, which must begin with http:// or https://"
        )
    return f"its client cannot be made ({type(error).__name__})"


class RemoteBackend:
    """One endpoint and its client. Keys and addresses show in no repr."""

    def __init__(self, endpoint: Endpoint) -> None:
        self._endpoint = endpoint
        self._who = f'The model endpoint "{endpoint.name}"'
        self._is_ours = endpoint.kind == "wordkeep"
        self._habits = Habits()
        self._http = httpx2.Client(
            timeout=httpx2.Timeout(endpoint.timeout, connect=CONNECT_SECONDS),
            limits=LIMITS,
            transport=(
                httpx2.HTTPTransport(uds=endpoint.socket, limits=LIMITS)
                if endpoint.socket
                else None
            ),
            event_hooks={"request": [attach]},
            follow_redirects=False,
            # The sidecar is on this machine: no proxy from the environment applies.
            trust_env=not self._is_ours,
            # Reading all certificates takes 0.1 s. Plain http needs none, and cannot
            # become https: redirects are off.
            verify=endpoint.base_url.lower().startswith("https:"),
        )
        self._client = openai.OpenAI(
            base_url=endpoint.base_url,
            api_key=endpoint.key.reveal() if endpoint.key else "none",
            max_retries=0,
            http_client=self._http,
        )

    def stream(self, request: ChatRequest, cancel: Cancel) -> Generator[BackendEvent]:
        """Yield the reply; the stream counts as whole only with a finish reason."""
        is_chat = request.text is None and request.ids is None
        # Plain dicts: building typed chunks would cost more than reading them.
        chunks = self._client.post(
            "/chat/completions" if is_chat else "/completions",
            body=self._chat_body(request) if is_chat else self._text_body(request),
            cast_to=object,
            stream=True,
            stream_cls=openai.Stream[object],
        )
        with closing(chunks):
            yield from self._read(chunks, request.model)

    def measure(self, request: ChatRequest) -> Size:
        """Ask our own sidecar; for others return the most that it can be.

        No token is shorter than a byte, and a turn has some marks around it.
        """
        if request.ids is not None:
            return Size(len(request.ids), self._endpoint.context)
        if not self._is_ours:
            texts = [message["content"] for message in self._turns(request)]
            texts += [] if request.text is None else [request.text]
            size = sum(len(text.encode()) for text in texts) + TURN_TOKENS * len(texts)
            return Size(size, self._endpoint.context)
        body = self._prompt(request) | {"raw_tokens": request.raw_tokens}
        answer = self._post("/tokenize", body)
        tokens, context = answer.get("count"), answer.get("max_model_len")
        if not isinstance(tokens, int) or not isinstance(context, int):
            raise garbage(self._who)
        return Size(tokens, context)

    def tokens(self, model: str, text: str) -> tuple[TextToken, ...]:
        """Ask our own sidecar; of others it is not known whether they tell."""
        self._require_ours("does not show the tokens of a text")
        body = {"model": model, "prompt": text, "add_special_tokens": False}
        answer = self._post("/tokenize", body)
        numbers, texts = answer.get("tokens"), answer.get("token_strs")
        if not isinstance(numbers, list) or not isinstance(texts, list):
            raise garbage(self._who)
        if len(numbers) != len(texts) or not all(isinstance(n, int) for n in numbers):
            raise garbage(self._who)
        return tuple(TextToken(n, str(t)) for n, t in zip(numbers, texts, strict=True))

    def next_tokens(self, request: NextRequest) -> NextTokens:
        """Ask our own sidecar; others show at most twenty chances of theirs."""
        self._require_ours("does not show all that may come next")
        chat = request.chat
        body = self._prompt(chat)
        body.pop("add_generation_prompt", None)
        if chat.ids is not None:
            body["prompt_ids"] = body.pop("prompt")
        body |= {
            "temperature": chat.sampling.temperature,
            "top_p": chat.sampling.top_p,
            "top_k": chat.sampling.top_k or 0,
            "raw_tokens": chat.raw_tokens,
            "seed": chat.sampling.seed,
            "user": chat.user,
            "top": request.listed,
            "draw": request.draw,
        }
        return self._read_shape(NextTokens, self._post("/next_token", body))

    def score(self, model: str, prompt: str | tuple[int, ...]) -> Scored:
        """Ask our own sidecar; others do not tell it of a text that is given."""
        self._require_ours("does not show how likely a text is")
        body: dict[str, Any] = {"model": model}
        body |= (
            {"prompt": prompt} if isinstance(prompt, str) else {"prompt_ids": prompt}
        )
        return self._read_shape(Scored, self._post("/score", body))

    def render(self, request: ChatRequest) -> Rendered:
        """Ask our own sidecar; of others nobody knows the template."""
        self._require_ours("does not show how its model reads a chat")
        body = self._prompt(request) | {"raw_tokens": request.raw_tokens}
        return self._read_shape(Rendered, self._post("/render", body))

    def embed(self, model: str, texts: list[str]) -> list[list[float]]:
        """Return one unit vector per text."""
        body = {"model": model, "input": texts, "encoding_format": "float"}
        data = self._post("/embeddings", body).get("data")
        if not isinstance(data, list) or len(data) != len(texts):
            raise garbage(self._who)
        try:
            ordered = sorted(data, key=lambda item: int(item["index"]))
            vectors = [[float(x) for x in item["embedding"]] for item in ordered]
        except (KeyError, TypeError, ValueError, OverflowError):
            raise garbage(self._who) from None
        lengths = [math.hypot(*vector) for vector in vectors]
        # A length of 0, nan or inf gives no direction to compare.
        is_sound = all(0 < length < math.inf for length in lengths)
        if not is_sound or len({len(v) for v in vectors}) > 1:
            raise garbage(self._who)
        return [
            [x / length for x in vector]
            for vector, length in zip(vectors, lengths, strict=True)
        ]

    def moderate(
        self, model: str, text: str, secret: Secret | None, look: Look
    ) -> Moderation:
        """Return the judgement; only our own sidecar is told the secret."""
        body: dict[str, Any] = {"model": model, "input": text}
        if self._is_ours:
            body |= _looked(look)
            if secret is not None:
                body["secret"] = secret.reveal()
        answer = self._post("/moderations", body)
        try:
            result = cast(Any, answer.get("results"))[0]
            scores = result["category_scores"].items()
            kinds = {str(kind): float(score) for kind, score in scores}
            score = max(kinds.values())
            threshold = float(result.get("threshold", 0.5))
            flagged = result["flagged"]
            highlights = _highlights(result.get("highlights", []))
        except (AttributeError, LookupError, TypeError, ValueError):
            raise garbage(self._who) from None
        numbers_fit = all(0.0 <= n <= 1.0 for n in (*kinds.values(), threshold))
        if not isinstance(flagged, bool) or not numbers_fit:
            raise garbage(self._who)
        version = answer.get("version")
        named = version[:VERSION_CHARS] if isinstance(version, str) else ""
        return Moderation(flagged, score, threshold, model, named, highlights, kinds)

    def version(self, model: str) -> str:
        """Ask our own sidecar; others do not say what weights they serve."""
        if not self._is_ours:
            return ""
        answer = self._client.get(f"/models/{model}", cast_to=object)
        version = answer.get("version") if isinstance(answer, dict) else None
        return version if isinstance(version, str) else ""

    def models(self) -> Mapping[str, Listed]:
        """Ask the endpoint for its list; not all have one."""
        options: Any = {"timeout": LIST_SECONDS}
        answer = self._client.get("/models", cast_to=object, options=options)
        return read_models(answer)

    def health(self) -> EndpointHealth:
        """Ask /health of a sidecar, or the model list of any other endpoint."""
        name = self._endpoint.name
        try:
            if self._is_ours:
                return self._sidecar_health()
            self._client.get("/models", cast_to=object, options={"timeout": 2.0})
        except openai.APIStatusError as error:
            return EndpointHealth(name, False, f"answers with {error.status_code}")
        except (openai.OpenAIError, httpx2.HTTPError, ValueError):
            return EndpointHealth(name, False, "does not answer")
        return EndpointHealth(name, True, "ok")

    def _sidecar_health(self) -> EndpointHealth:
        url = self._endpoint.base_url.removesuffix("/v1") + "/health"
        answer = self._http.get(url, timeout=HEALTH_SECONDS)
        body = answer.json()
        status = body.get("status") if isinstance(body, dict) else None
        if status not in {"ok", "starting", "stopping", "failed"}:
            return EndpointHealth(
                self._endpoint.name, False, "is not a Wordkeep sidecar"
            )
        is_ok = answer.status_code == 200 and status == "ok"
        waiting = body.get("waiting")
        count = waiting if isinstance(waiting, int) else 0
        return EndpointHealth(self._endpoint.name, is_ok, status, count)

    def _chat_body(self, request: ChatRequest) -> dict[str, Any]:
        body = self._prompt(request) | self._sampling(request)
        body[self._endpoint.max_tokens_field] = request.sampling.max_tokens
        if request.top_logprobs is not None:
            body |= {"logprobs": True, "top_logprobs": request.top_logprobs}
        return self._kept(body) | dict(self._endpoint.extra_body)

    def _text_body(self, request: ChatRequest) -> dict[str, Any]:
        body = self._prompt(request) | self._sampling(request)
        body["max_tokens"] = request.sampling.max_tokens
        if request.top_logprobs is not None:
            body["logprobs"] = request.top_logprobs
        return self._kept(body)

    def _prompt(self, request: ChatRequest) -> dict[str, Any]:
        """Return what makes the prompt; others would refuse fields they do not know."""
        if request.ids is not None:
            self._require_ours("does not carry on from the numbers of tokens")
            return {"model": request.model, "prompt": list(request.ids)}
        if request.text is not None:
            return {"model": request.model, "prompt": request.text}
        body: dict[str, Any] = {"model": request.model}
        body["messages"] = self._turns(request)
        if request.start_reply:
            body |= {"continue_final_message": True, "add_generation_prompt": False}
        if self._is_ours and not request.default_system:
            body["default_system"] = False
        return body

    def _turns(self, request: ChatRequest) -> list[Message]:
        if not request.start_reply:
            return list(request.messages)
        if not (self._is_ours or self._endpoint.start_reply):
            # Another server would take it for a finished turn and begin a new one.
            raise BackendRefused(
                f"{self._who} cannot carry on a reply that was begun for it. Choose "
                "another model.",
            )
        begun: Message = {"role": "assistant", "content": request.start_reply}
        return [*request.messages, begun]

    def _sampling(self, request: ChatRequest) -> dict[str, Any]:
        sampling = request.sampling
        body: dict[str, Any] = {
            "stream": True,
            "stream_options": {"include_usage": True},
            "temperature": sampling.temperature,
            "top_p": sampling.top_p,
        }
        if sampling.seed is not None:
            body["seed"] = sampling.seed
        if sampling.stop:
            body["stop"] = list(sampling.stop)
        if request.schema:
            named = {"name": "reply", "schema": json.loads(request.schema)}
            body["response_format"] = {"type": "json_schema", "json_schema": named}
        if request.choices:
            self._require_ours("cannot hold its reply to a few choices")
            body["structured_outputs"] = {"choice": list(request.choices)}
        if self._is_ours:
            # Others get no player id, and would refuse fields they do not know.
            body |= {"queue_events": True, "raw_tokens": request.raw_tokens}
            body |= {} if sampling.top_k is None else {"top_k": sampling.top_k}
            body |= {"user": request.user} if request.user else {}
            kept = {
                "public": request.public,
                "common": request.common,
                "cache_salt": request.cache_salt,
            }
            body |= {name: value for name, value in kept.items() if value}
        return body

    def _kept(self, body: dict[str, Any]) -> dict[str, Any]:
        return {k: v for k, v in body.items() if k not in self._endpoint.omit}

    def _read(
        self, chunks: openai.Stream[object], model: str
    ) -> Generator[BackendEvent]:
        opens_before = self._habits.opens_before(model)
        # The models of our own sidecar do not think, and stream from the first word.
        is_unknown = not self._is_ours and self._habits.is_unknown(model)
        sorter = Sorter(holds=opens_before or is_unknown)
        finish = yield from self._sort(chunks, sorter)
        if finish.reason in {"", "error"}:
            raise BackendError(
                f"{self._who} stopped in the middle. Please try again.",
                code=BROKE_OFF,
            )
        is_cut = finish.reason == "length"
        yield from sorter.end(held_is_thought=opens_before and is_cut)
        # A reply that was cut may lack only the end of its thoughts.
        if not self._is_ours and not is_cut:
            self._habits.learn(model, opened=sorter.was_opened_before)
        yield finish

    def _sort(
        self, chunks: openai.Stream[object], sorter: Sorter
    ) -> Generator[BackendEvent, None, Finish]:
        finish, size, has_any = Finish(""), 0, False
        for chunk in chunks:
            has_any = True
            if not isinstance(chunk, dict):
                raise garbage(self._who)
            if chunk.get("object") == "error":
                # Older vLLM: the client takes only {"error": ...} for an error.
                raise openai.APIError("", chunks.response.request, body=chunk)
            if "queue" in chunk:
                yield self._queued(chunk["queue"])
            said = self._choice(chunk.get("choices"))
            size += len(said.text) + len(said.thought)
            if size > REPLY_CHARS:
                raise garbage(self._who)
            if said.thought:
                yield from sorter.thought(said.thought)
            yield from sorter.text(said.text)
            if said.tokens:
                yield Tokens(said.tokens)
            usage = read_usage(chunk.get("usage"))
            counts = usage or (finish.prompt_tokens, finish.completion_tokens)
            finish = Finish(said.ended or finish.reason, *counts)
        if not has_any:
            raise garbage(self._who)
        return finish

    def _choice(self, choices: object) -> Said:
        try:
            return read_choice(choices)
        except ValueError:
            raise garbage(self._who) from None

    def _queued(self, queue: object) -> InQueue:
        position = queue.get("position") if isinstance(queue, dict) else None
        if not isinstance(position, int) or position < 1:
            raise garbage(self._who)
        return InQueue(position)

    def _require_ours(self, why_not: str) -> None:
        if not self._is_ours:
            raise BackendRefused(f"{self._who} {why_not}. Choose another model.")

    def _read_shape(self, shape: type[Shape], answer: dict[str, Any]) -> Shape:
        try:
            return shape.model_validate(answer)
        except ValidationError:
            # Not its text: it may quote what was asked.
            raise garbage(self._who) from None

    def _post(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        answer = self._client.post(path, body=body, cast_to=object)
        if not isinstance(answer, dict):
            raise garbage(self._who)
        return answer


def _looked(look: Look) -> dict[str, Any]:
    """Return what differs from the careful way, as our own sidecar calls it."""
    body: dict[str, Any] = {}
    if look.message:
        body["question"] = look.message
    if look.earlier:
        body["earlier"] = [
            {"question": exchange.message, "reply": exchange.reply}
            for exchange in look.earlier
        ]
    if look.as_typed:
        body["as_typed"] = True
    if look.first_tokens is not None:
        body["first_tokens"] = look.first_tokens
    if look.highlights:
        body["highlights"] = True
    return body


def _highlights(parts: Any) -> tuple[Highlight, ...]:
    """Read the marked pieces of a text; raise what `moderate` takes for garbage."""
    pieces = tuple(
        Highlight(str(part["text"]), float(part["weight"])) for part in parts
    )
    fit = all(abs(weight) <= LOG_ODDS for _, weight in pieces)
    size = sum(len(text) for text, _ in pieces)
    if not fit or len(pieces) > HIGHLIGHTS or size > REPLY_CHARS:
        raise ValueError("highlights that no text has")
    return pieces
