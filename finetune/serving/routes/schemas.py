"""What callers may send. Unknown fields are refused: silence would mislead them."""

from __future__ import annotations

import re
from typing import Annotated, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from finetune.serving.engine.prompts import ChatTurn
from finetune.serving.errors import ApiError

_HALF = re.compile("[\ud800-\udfff]")
StopWord = Annotated[str, Field(min_length=1, max_length=200)]


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class TextPart(_Body):
    """A piece of a message; only text is understood."""

    type: Literal["text"]
    text: str


class ChatMessage(_Body):
    """One entry of `messages`."""

    role: Literal["system", "developer", "user", "assistant"]
    content: str | list[TextPart] | None = None

    def turn(self) -> ChatTurn:
        """Return the message as role and text."""
        role = "system" if self.role == "developer" else self.role
        content = self.content or ""
        if not isinstance(content, str):
            content = "".join(part.text for part in content)
        return ChatTurn(role, clean(content))


class StreamOptions(_Body):
    """`stream_options` of a streamed request."""

    include_usage: bool = False
    include_obfuscation: bool = False


class Sampled(_Body):
    """What chat and plain completions have in common."""

    model: str
    temperature: float = Field(1.0, ge=0, le=2)
    top_p: float = Field(1.0, ge=0, le=1)
    frequency_penalty: float = Field(0.0, ge=-2, le=2)
    presence_penalty: float = Field(0.0, ge=-2, le=2)
    max_tokens: int | None = Field(None, ge=1)
    n: int = 1
    seed: int | None = None
    stop: StopWord | list[StopWord] | None = None
    stream: bool = False
    stream_options: StreamOptions | None = None
    user: str = Field("", max_length=200)
    raw_tokens: bool = False
    queue_events: bool = False
    cache_prompt: Literal[False] = False

    @model_validator(mode="after")
    def _check_combination(self) -> Sampled:
        if self.n != 1:
            raise ApiError(
                "Only n = 1 is supported: send the request again for another reply.",
                code="unsupported_value",
                param="n",
            )
        if len(self.stop_words()) > 4:
            raise ApiError("stop: at most 4 stop words are allowed.", param="stop")
        return self

    def stop_words(self) -> list[str]:
        """Return the stop words as a list."""
        if self.stop is None:
            return []
        return [self.stop] if isinstance(self.stop, str) else list(self.stop)

    def wants_usage(self) -> bool:
        """Return whether a stream ends with a chunk that holds the usage."""
        return self.stream_options is not None and self.stream_options.include_usage


class ChatRequest(Sampled):
    """Body of POST /v1/chat/completions."""

    messages: list[ChatMessage] = Field(min_length=1, max_length=256)
    max_completion_tokens: int | None = Field(None, ge=1)
    logprobs: bool = False
    top_logprobs: int = Field(0, ge=0, le=20)

    @model_validator(mode="after")
    def _check_logprobs(self) -> ChatRequest:
        if self.top_logprobs and not self.logprobs:
            raise ApiError("top_logprobs needs logprobs: true.", param="top_logprobs")
        return self

    def limit(self) -> int | None:
        """Return the longest reply that was asked for."""
        return self.max_completion_tokens or self.max_tokens

    def probabilities(self) -> int | None:
        """Return how many alternatives to list for each token; None: no listing."""
        return self.top_logprobs if self.logprobs else None


class CompletionRequest(Sampled):
    """Body of POST /v1/completions."""

    prompt: str = Field(min_length=1)
    logprobs: int | None = Field(None, ge=0, le=5)

    def limit(self) -> int | None:
        """Return the longest text that was asked for."""
        return self.max_tokens or 16

    def probabilities(self) -> int | None:
        """Return how many alternatives to list for each token; None: no listing."""
        return self.logprobs


class EmbeddingsRequest(_Body):
    """Body of POST /v1/embeddings."""

    model: str
    input: str | list[str]
    encoding_format: Literal["float", "base64"] = "float"
    dimensions: int | None = None
    user: str = ""


class PastExchange(_Body):
    """A message of the visit, and the reply to it."""

    question: str
    reply: str


class ModerationsRequest(_Body):
    """Body of POST /v1/moderations; no `model`: the first guard that reads messages.

    `secret` is what a reply must not give away, `question` the message that it answers,
    `earlier` the visit so far: all for guards of replies. `as_typed` leaves disguises
    and length alone, `first_tokens` shows only the beginning, `highlights` asks which
    words counted.
    """

    model: str | None = None
    input: str | list[str]
    secret: str | None = Field(None, min_length=1, max_length=200, repr=False)
    question: str = ""
    earlier: list[PastExchange] = Field([], max_length=64)
    as_typed: bool = False
    first_tokens: int | None = Field(None, ge=1, le=510)
    highlights: bool = False


B = TypeVar("B", bound=BaseModel)


def parse(model: type[B], data: object) -> B:
    """Validate a JSON body; raise ApiError about the first thing that is wrong."""
    try:
        return model.model_validate(data)
    except ValidationError as error:
        # Without the input: it may be a player's text or a secret.
        first = error.errors(include_input=False, include_context=False)[0]
    field = ".".join(str(part) for part in first["loc"] if part != "str")
    if first["type"] == "extra_forbidden":
        raise ApiError(
            f"Unrecognized request argument: {field}.",
            code="unknown_parameter",
            param=field,
        )
    raise ApiError(
        f"{field}: {first['msg']}." if field else f"{first['msg']}.",
        code="missing_required_parameter" if first["type"] == "missing" else None,
        param=field or None,
    )


def clean(text: str) -> str:
    """Replace halves of surrogate pairs, which JSON can carry and UTF-8 cannot."""
    return _HALF.sub("\ufffd", text)
