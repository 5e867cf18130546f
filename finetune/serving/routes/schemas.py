"""What callers may send: what cannot be served is refused by name."""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal, TypeVar

from pydantic import (
    BaseModel,
    BeforeValidator,
    Discriminator,
    Field,
    Tag,
    ValidationError,
    field_validator,
    model_validator,
)

from finetune.serving.engine.prompts import ChatTurn
from finetune.serving.errors import ApiError
from finetune.serving.routes.fields import (
    MARKS,
    UNSUPPORTED,
    Body,
    OneOrList,
    only,
    unsupported,
)
from finetune.serving.routes.json_schemas import ReplyFormat, StructuredOutputs

_HALF = re.compile("[\ud800-\udfff]")
_NO_TOOLS = "these models call no tools; leave this out"
_TEXT_ONLY = "these models only write plain text; leave this out"
_PARTS = {
    "image_url": "images",
    "input_audio": "sound",
    "file": "files",
    "video_url": "videos",
}
_TOOL_ROLES = {"tool", "function"}
_TEXT, _REFUSAL = "<text>", "<refusal>"
_MARKS = MARKS | {_TEXT, _REFUSAL}

# Sampling looks at the likeliest tokens only, unless it is told otherwise. The whole
# vocabulary, sorted for each token on one thread, took more than half of the speed of
# eight streams.
TOP_K = 40

PromptText = Annotated[str, Field(min_length=1)]
TokenId = Annotated[int, Field(ge=0, lt=2**31)]
StopWord = Annotated[str, Field(min_length=1, max_length=200)]


def _readable_part(value: Any) -> Any:
    """Refuse what is not text before its other fields are looked at."""
    if isinstance(value, str) and value != "text":
        kind = _PARTS.get(value, "such parts")
        raise unsupported(
            f'these models cannot read {kind}; send parts of the type "text" only'
        )
    return value


class TextPart(Body):
    """A piece of a message; only text is understood."""

    type: Annotated[Literal["text"], BeforeValidator(_readable_part)]
    text: str


class RefusalPart(Body):
    """A piece of an earlier reply in which the model declined."""

    type: Literal["refusal"]
    refusal: str

    @property
    def text(self) -> str:
        """The words, called as in the other parts."""
        return self.refusal


def _kind_of_part(value: Any) -> str:
    is_refusal = isinstance(value, dict) and value.get("type") == "refusal"
    return _REFUSAL if is_refusal else _TEXT


Part = Annotated[
    Annotated[TextPart, Tag(_TEXT)] | Annotated[RefusalPart, Tag(_REFUSAL)],
    Discriminator(_kind_of_part),
]


class ChatMessage(Body):
    """One entry of `messages`; replies may be sent back just as they came.

    Thoughts, notes and names of speakers are not shown to the model: the format in
    which it reads a chat has no place for them.
    """

    role: Literal["system", "developer", "user", "assistant"]
    content: OneOrList[str, Part] | None = None
    refusal: str | None = None
    name: str | None = None
    annotations: list[Any] | None = None
    reasoning: str | None = None
    reasoning_content: str | None = None
    reasoning_details: list[Any] | None = None
    audio: Annotated[Any, only(why=_TEXT_ONLY)] = None
    tool_calls: Annotated[Any, only([], why=_NO_TOOLS)] = None
    function_call: Annotated[Any, only(why=_NO_TOOLS)] = None

    @field_validator("role", mode="before")
    @classmethod
    def _no_tool_speaks(cls, value: Any) -> Any:
        if isinstance(value, str) and value in _TOOL_ROLES:
            raise unsupported("these models call no tools, so none can answer them")
        return value

    def turn(self) -> ChatTurn:
        """Return the message as role and text."""
        role = "system" if self.role == "developer" else self.role
        content = self.content or self.refusal or ""
        if not isinstance(content, str):
            content = "".join(part.text for part in content)
        return ChatTurn(role, clean(content))


class StreamOptions(Body):
    """`stream_options` of a streamed request."""

    include_usage: bool = False
    include_obfuscation: bool = False


class Sampled(Body):
    """What chat and plain completions have in common."""

    model: str
    temperature: float = Field(1.0, ge=0, le=2)
    top_p: float = Field(1.0, ge=0, le=1)
    top_k: int = Field(TOP_K, ge=0)
    frequency_penalty: float = Field(0.0, ge=-2, le=2)
    presence_penalty: float = Field(0.0, ge=-2, le=2)
    max_tokens: int | None = Field(None, ge=1)
    n: int = 1
    seed: int | None = None
    stop: OneOrList[StopWord, StopWord] | None = None
    stream: bool = False
    stream_options: StreamOptions | None = None
    user: str = Field("", max_length=200)
    raw_tokens: bool = False
    response_format: ReplyFormat | None = None
    structured_outputs: StructuredOutputs | None = None
    queue_events: bool = False
    cache_prompt: Literal[False] = False
    # How many characters at the beginning of the prompt may be read once: for all who
    # send the same salt, and how many of them for everybody, whatever the salt.
    public: int = Field(0, ge=0)
    common: int = Field(0, ge=0)
    cache_salt: str = Field("", max_length=200, repr=False)
    logit_bias: Annotated[Any, only({}, why="no token can be favoured here")] = None
    # Wishes about accounts, prices and storage: they change nothing in a reply.
    metadata: dict[str, Any] | None = None
    store: bool = False
    service_tier: str = ""
    safety_identifier: str = ""
    prompt_cache_key: str = ""
    prompt_cache_retention: str = ""

    @model_validator(mode="after")
    def _check_combination(self) -> Sampled:
        if self.n != 1:
            raise ApiError(
                "Only n = 1 is supported: send the request again for another reply.",
                code="unsupported_value",
                param="n",
            )
        if self.structured_outputs and self.response_format:
            raise ApiError(
                "structured_outputs and response_format cannot both hold a reply: send "
                "one of them.",
                param="structured_outputs",
            )
        if len(self.stop_words()) > 4:
            raise ApiError("stop: at most 4 stop words are allowed.", param="stop")
        return self

    def stop_words(self) -> list[str]:
        """Return the stop words as a list."""
        if self.stop is None:
            return []
        return [self.stop] if isinstance(self.stop, str) else list(self.stop)

    def grammar(self) -> str:
        """Return the grammar that the reply is held to; empty: none."""
        held = self.structured_outputs or self.response_format
        return held.grammar() if held else ""

    def wants_usage(self) -> bool:
        """Return whether a stream ends with a chunk that holds the usage."""
        return self.stream_options is not None and self.stream_options.include_usage


class ChatPrompt(Body):
    """Messages, and how a prompt is made of them.

    With `continue_final_message` the last message is the beginning of the reply.
    Without `default_system` the model's template adds no system message of its own.
    """

    model: str
    messages: list[ChatMessage] = Field(min_length=1, max_length=256)
    raw_tokens: bool = False
    continue_final_message: bool = False
    add_generation_prompt: bool | None = None
    default_system: bool = True

    @model_validator(mode="after")
    def _check_end(self) -> ChatPrompt:
        continues = self.continue_final_message
        if continues and self.messages[-1].role != "assistant":
            raise ApiError(
                "continue_final_message needs an assistant message at the end.",
                param="continue_final_message",
            )
        if self.add_generation_prompt == continues:
            raise ApiError(
                "add_generation_prompt must be the opposite of continue_final_message: "
                "leave it out.",
                code="unsupported_value",
                param="add_generation_prompt",
            )
        return self


class ChatRequest(ChatPrompt, Sampled):
    """Body of POST /v1/chat/completions."""

    max_completion_tokens: int | None = Field(None, ge=1)
    logprobs: bool = False
    top_logprobs: int = Field(0, ge=0, le=20)
    tools: Annotated[Any, only([], why=_NO_TOOLS)] = None
    functions: Annotated[Any, only([], why=_NO_TOOLS)] = None
    tool_choice: Annotated[Any, only("none", "auto", why=_NO_TOOLS)] = None
    function_call: Annotated[Any, only("none", "auto", why=_NO_TOOLS)] = None
    parallel_tool_calls: bool = False
    modalities: Annotated[Any, only(["text"], why=_TEXT_ONLY)] = None
    audio: Annotated[Any, only(why=_TEXT_ONLY)] = None
    prediction: Annotated[Any, only(why="no reply can be foretold here")] = None
    web_search_options: Annotated[Any, only(why="there is no web search here")] = None
    reasoning_effort: Annotated[Any, only("none", why="these models do not think")] = (
        None
    )
    verbosity: Annotated[Any, only("medium", why="ask for it in the messages")] = None

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

    prompt: OneOrList[PromptText, TokenId]
    # The OpenAI API has five at most; vLLM, and the chats here, have twenty.
    logprobs: int | None = Field(None, ge=0, le=20)
    best_of: Annotated[Any, only(1, why="only one text is written")] = 1
    echo: Annotated[Any, only(False, why="the prompt is not repeated")] = False
    suffix: Annotated[Any, only("", why="a text is only continued")] = ""

    @field_validator("prompt")
    @classmethod
    def _not_empty(cls, value: str | list[int]) -> str | list[int]:
        if not value:
            raise ApiError("prompt: send at least one token id.", param="prompt")
        return value

    def limit(self) -> int | None:
        """Return the longest text that was asked for."""
        return self.max_tokens or 16

    def probabilities(self) -> int | None:
        """Return how many alternatives to list for each token; None: no listing."""
        return self.logprobs


class TokenizeChatRequest(ChatPrompt):
    """Body of POST /v1/tokenize: how many tokens would this chat take?"""


class TokenizeRequest(Body):
    """Body of POST /v1/tokenize: which tokens are in this text?"""

    model: str
    prompt: str
    raw_tokens: bool = False
    add_special_tokens: bool = True


class EmbeddingsRequest(Body):
    """Body of POST /v1/embeddings."""

    model: str
    input: OneOrList[str, str]
    encoding_format: Literal["float", "base64"] = "float"
    dimensions: int | None = None
    user: str = ""


class PastExchange(Body):
    """A message of the visit, and the reply to it."""

    question: str
    reply: str


class ModerationsRequest(Body):
    """Body of POST /v1/moderations; no `model`: the first guard that reads messages.

    `secret` is what a reply must not give away, `question` the message that it answers,
    `earlier` the visit so far: all for guards of replies. `as_typed` leaves disguises
    alone, `first_tokens` shows only the beginning, `highlights` asks which
    words counted.
    """

    model: str | None = None
    input: OneOrList[str, str]
    secret: str | None = Field(None, min_length=1, max_length=200, repr=False)
    question: str = ""
    earlier: list[PastExchange] = Field([], max_length=64)
    as_typed: bool = False
    first_tokens: int | None = Field(None, ge=1, le=510)
    highlights: bool = False


_CODES = {"missing": "missing_required_parameter", UNSUPPORTED: UNSUPPORTED}
B = TypeVar("B", bound=BaseModel)


def parse(model: type[B], data: object) -> B:
    """Validate a JSON body; raise ApiError about the first thing that is wrong."""
    try:
        return model.model_validate(data)
    except ValidationError as error:
        # Without the input: it may be a player's text or a secret.
        first = error.errors(include_input=False, include_context=False)[0]
    field = ".".join(str(part) for part in first["loc"] if part not in _MARKS)
    if first["type"] == "extra_forbidden":
        raise ApiError(
            f"Unrecognized request argument: {field}.",
            code="unknown_parameter",
            param=field,
        )
    # The words for the type of a model would name a class of ours.
    is_shape = first["type"] == "model_type"
    said = "Input should be an object" if is_shape else first["msg"]
    raise ApiError(
        f"{field}: {said}." if field else f"{said}.",
        code=_CODES.get(first["type"]),
        param=field or None,
    )


def clean(text: str) -> str:
    """Replace halves of surrogate pairs, which JSON can carry and UTF-8 cannot."""
    return _HALF.sub("\ufffd", text)
