"""What plug-ins may ask of models, and the records that carry question and answer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, Protocol, TypedDict

from webapp.security import Secret


class Message(TypedDict):
    """One entry of a chat: `system`, `user` or `assistant`, and its text."""

    role: str
    content: str


class Highlight(NamedTuple):
    """A piece of a text, and by how much it raised the log odds of a guard's score."""

    text: str
    weight: float


@dataclass(frozen=True, slots=True)
class Grounds:
    """What the verdict of a guard model is based on; players see it after the win.

    `highlights` is empty unless the model was asked which words mattered.
    """

    model: str
    version: str
    threshold: float
    highlights: tuple[Highlight, ...] = field(default=(), repr=False)


@dataclass(frozen=True, slots=True)
class Exchange:
    """One earlier message of the visit and the reply the player saw."""

    message: str
    reply: str


@dataclass(frozen=True, slots=True)
class Moderation:
    """The answer of a guard model; `score` and `threshold` are in 0..1.

    `version` names the weights, and `kinds` has the score of each kind of attack, if
    the endpoint tells.
    """

    flagged: bool
    score: float
    threshold: float
    model: str
    version: str = ""
    highlights: tuple[Highlight, ...] = field(default=(), repr=False)
    kinds: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Look:
    """How a guard model reads a text; by default in its most careful way.

    `message` is what a reply answers, and `earlier` the visit so far. `as_typed`
    switches off what undoes disguises; `first_tokens` shows only the beginning.
    `highlights` also asks which words mattered, which takes many times as long.
    """

    message: str = ""
    earlier: tuple[Exchange, ...] = ()
    as_typed: bool = False
    first_tokens: int | None = None
    highlights: bool = False


CAREFUL = Look()


class Ask(Protocol):
    """The models that a guard or check may use."""

    def complete(
        self, messages: list[Message], *, model: str | None = None, max_tokens: int = 64
    ) -> str:
        """Return the reply of a chat model; raise BackendTooLong before it cuts."""

    def embed(self, texts: Sequence[str]) -> list[list[float]]:
        """Return one unit vector per text."""

    def moderate(
        self,
        text: str,
        *,
        model: str | None = None,
        secret: Secret | None = None,
        look: Look = CAREFUL,
    ) -> Moderation:
        """Return the judgement of a guard model; raise BackendTooLong as `complete`.

        Without `model` the usual one judges: with a `secret` the guard of replies, else
        the guard of messages.
        """
