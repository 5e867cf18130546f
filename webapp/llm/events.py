"""What goes into a model call and what comes out of it."""

from __future__ import annotations

from collections.abc import Generator, Mapping
from dataclasses import dataclass, field
from typing import Literal, NamedTuple, Protocol

from webapp.llm.cancel import Cancel
from webapp.llm.chances import NextTokens, Rendered, Scored
from webapp.plugins.asking import Look, Message, Moderation
from webapp.security import Secret

Kind = Literal["chat", "base", "embedding", "guard"]


@dataclass(frozen=True, slots=True)
class Sampling:
    """How the next token is chosen, and when to stop.

    Without `top_k` the endpoint decides how many tokens it looks at; 0 means all.
    """

    temperature: float = 0.7
    top_p: float = 0.95
    max_tokens: int = 160
    seed: int | None = None
    stop: tuple[str, ...] = ()
    top_k: int | None = None


@dataclass(frozen=True, slots=True)
class ChatRequest:
    """One call of a chat model; backends get it with the endpoint's own `model`.

    The messages hold the secret of the visit, so they stay out of the repr.

    `start_reply` is the beginning of the reply, which the model carries on. Without
    `default_system` the model's template adds no system message where none is sent.
    `text` is continued as it is, without any template; then there are no messages.
    So are `ids`, the tokens of a prompt themselves: no text is cut into tokens again.
    `top_logprobs` asks for the chances of each token, and of that many others.
    `schema` is a JSON schema, as text: only a reply that fits it can be written then.
    Where there are `choices`, the reply can only be one of them.

    The first `public` characters of the messages, or of the text, may be read once for
    all who send the same `cache_salt`. Where they hold a secret, or what somebody
    typed, the salt must belong to that visit or run alone. The first `common` of them
    are everybody's, whatever the salt: they hold neither.
    """

    model: str
    messages: tuple[Message, ...] = field(default=(), repr=False)
    sampling: Sampling = Sampling()
    user: str = ""
    raw_tokens: bool = False
    start_reply: str = field(default="", repr=False)
    default_system: bool = True
    text: str | None = field(default=None, repr=False)
    ids: tuple[int, ...] | None = field(default=None, repr=False)
    top_logprobs: int | None = None
    schema: str = field(default="", repr=False)
    choices: tuple[str, ...] = ()
    public: int = 0
    common: int = 0
    cache_salt: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class NextRequest:
    """What may follow a prompt?

    `draw` tokens are drawn first, as the sampling of the chat says. Then everything
    that may come is looked at, and the `listed` likeliest are named.
    """

    chat: ChatRequest
    listed: int = 20
    draw: int = 0


class TextToken(NamedTuple):
    """A token of a text: its number in the vocabulary, and how it reads."""

    id: int
    text: str


class Chance(NamedTuple):
    """How likely a token was: the natural logarithm of its probability."""

    text: str
    logprob: float
    id: int | None = None


class WrittenToken(NamedTuple):
    """A token that the model wrote, and the likeliest ones in its place.

    The id is there where the endpoint tells it; of a character that took several
    tokens it is the last one's.
    """

    text: str
    logprob: float
    top: tuple[Chance, ...] = ()
    id: int | None = None


class Size(NamedTuple):
    """How many tokens the messages of a chat take, of how many with the reply."""

    tokens: int
    context: int

    def has_room(self, reply: int) -> bool:
        """Whether a reply of that many tokens fits behind them."""
        return self.tokens + reply <= self.context


@dataclass(frozen=True, slots=True)
class InQueue:
    """The request waits; `position` 1 is next."""

    position: int


@dataclass(frozen=True, slots=True)
class Silence:
    """Nothing new for a moment: a chance to notice that the reader has gone."""


@dataclass(frozen=True, slots=True)
class Piece:
    """The next piece of the reply."""

    text: str


@dataclass(frozen=True, slots=True)
class Tokens:
    """The tokens that were written since the last ones, thoughts included."""

    tokens: tuple[WrittenToken, ...] = field(repr=False)


@dataclass(frozen=True, slots=True)
class Thought:
    """What the model thinks, which is not part of the reply; it may hold the secret.

    It may be empty: then it says only that the model is at work.
    """

    text: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Finish:
    """A backend's own end of a reply."""

    reason: str
    prompt_tokens: int | None = None
    completion_tokens: int | None = None


@dataclass(frozen=True, slots=True)
class Completion:
    """A whole reply and what it took. `model` names endpoint and model.

    `thoughts` came before or between: nobody reads them as the reply. `tokens` are
    there if their chances were asked for.
    """

    text: str
    model: str
    finish_reason: str
    prompt_tokens: int | None
    completion_tokens: int | None
    first_token_ms: int
    ms: int
    thoughts: str = field(default="", repr=False)
    tokens: tuple[WrittenToken, ...] = field(default=(), repr=False)


@dataclass(frozen=True, slots=True)
class Done:
    """The reply is complete."""

    completion: Completion


ChatEvent = InQueue | Silence | Piece | Done
BackendEvent = InQueue | Piece | Tokens | Thought | Finish


@dataclass(frozen=True, slots=True)
class Listed:
    """A model as its endpoint lists it, under the endpoint's own name.

    `reads` says whether a guard is for messages or for the replies to them.
    """

    name: str
    kind: Kind = "chat"
    is_adapter: bool = False
    reads: Literal["message", "reply"] | None = None
    is_loaded: bool = False


@dataclass(frozen=True, slots=True)
class ModelInfo:
    """A model that a level may name, as lists show it."""

    name: str
    endpoint: str
    label: str
    available: bool
    reason: str = ""
    kind: Kind = "chat"
    is_loaded: bool = False


@dataclass(frozen=True, slots=True)
class EndpointHealth:
    """Whether an endpoint answers, and what is wrong if not.

    `waiting` replies wait there for their turn, where that is told.
    """

    name: str
    ok: bool
    detail: str
    waiting: int = 0


class Backend(Protocol):
    """One endpoint: blocking calls that raise BackendError or what `faults` knows."""

    def stream(self, request: ChatRequest, cancel: Cancel) -> Generator[BackendEvent]:
        """Yield the reply piece by piece; runs in a thread of its own."""

    def measure(self, request: ChatRequest) -> Size:
        """Return how much of the model's context the messages take, or the most."""

    def tokens(self, model: str, text: str) -> tuple[TextToken, ...]:
        """Return the tokens that a model reads in a text."""

    def next_tokens(self, request: NextRequest) -> NextTokens:
        """Draw tokens if wanted, and return what may come next."""

    def score(self, model: str, prompt: str | tuple[int, ...]) -> Scored:
        """Return how likely each token of a text was."""

    def render(self, request: ChatRequest) -> Rendered:
        """Return a chat as the model reads it."""

    def embed(self, model: str, texts: list[str]) -> list[list[float]]:
        """Return one vector per text."""

    def moderate(
        self, model: str, text: str, secret: Secret | None, look: Look
    ) -> Moderation:
        """Return the judgement of a guard model."""

    def version(self, model: str) -> str:
        """Return what the endpoint says about a model's weights, or nothing."""

    def models(self) -> Mapping[str, Listed]:
        """Return what the endpoint serves, by its own names; may raise anything."""

    def health(self) -> EndpointHealth:
        """Say whether the endpoint answers."""
