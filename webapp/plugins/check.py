"""What a check is: it looks at a run of a panel and says whether it came out right.

A check is a class in one file of `webapp/checks/`. Nothing else names it: the folder is
imported whole at start. Lessons write `- name: value` or `- name: {options}`; what is
common to all checks (`not-`, `of`, `say`, weights) is done once, outside of them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal, NamedTuple, Protocol

from pydantic import BaseModel

from webapp.plugins.asking import Ask
from webapp.plugins.registry import Registry

Status = Literal["passed", "failed", "ungraded"]
# What a check may look at. `slot`: the text of the slot that `of` names.
Aspect = Literal["reply", "prompt", "slot", "request", "probabilities", "runs"]
TEXTS: frozenset[Aspect] = frozenset({"reply", "prompt", "slot", "request"})


class Span(NamedTuple):
    """A piece of the text that was looked at: from `start`, up to and without `end`."""

    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a check found: one sentence that says what was seen, about the text.

    `score` is in 0..1; 1 is passed in full. `ungraded`: nothing can be said, such as
    when a model that judges does not answer. `span` is underlined in the text.
    `count` is what {count} in an author's sentence becomes.
    """

    status: Status
    message: str
    score: float
    span: Span | None = None
    count: int | None = None


def passed(
    message: str = "", *, span: Span | None = None, count: int | None = None
) -> Outcome:
    """Return an outcome of something that is as it should be."""
    return Outcome("passed", message, 1.0, span, count)


def failed(
    message: str,
    *,
    score: float = 0.0,
    span: Span | None = None,
    count: int | None = None,
) -> Outcome:
    """Return an outcome of something that is not as it should be."""
    return Outcome("failed", message, score, span, count)


def ungraded(message: str) -> Outcome:
    """Return an outcome of something that could not be judged."""
    return Outcome("ungraded", message, 0.0)


class Chance(NamedTuple):
    """A token that could have come, and how probable it was, in 0..1."""

    text: str
    probability: float


@dataclass(frozen=True, slots=True)
class PickedToken:
    """A token of a reply, with the likeliest ones at its place, best first."""

    text: str
    probability: float
    likeliest: tuple[Chance, ...] = ()


@dataclass(frozen=True, slots=True)
class Sample:
    """One reply of the model in a run, and the hidden values it was asked with."""

    reply: str
    values: Mapping[str, str] = field(default_factory=dict)
    finish: str = "stop"
    tokens: tuple[PickedToken, ...] = ()


@dataclass(frozen=True, slots=True)
class EarlierRun:
    """A run of the same panel by the same player: what was typed, and how it ended."""

    values: Mapping[str, str]
    replies: tuple[str, ...]
    is_passed: bool


@dataclass(frozen=True, slots=True)
class Subject:
    """What a check looks at.

    `text` is what `of` names, as text ("" for probabilities and runs). `request` is
    everything that was sent, as text. `called` is what a sentence calls the text, as in
    "the reply" or "your prompt". `typed` holds what the student wrote, by slot.
    `sample` is the one that is judged: None before the first call. `samples` are those
    of this run so far, with it; `earlier` the student's last runs, newest first.
    """

    text: str
    model: str = ""
    typed: Mapping[str, str] = field(default_factory=dict)
    request: str = ""
    sample: Sample | None = None
    samples: tuple[Sample, ...] = ()
    earlier: tuple[EarlierRun, ...] = ()
    called: str = "the reply"

    @property
    def who(self) -> str:
        """What the text is called at the beginning of a sentence."""
        return self.called[:1].upper() + self.called[1:]


class TokenCounter(Protocol):
    """Counts tokens as a model does."""

    def pieces(self, text: str, *, model: str) -> Sequence[str]:
        """Return the tokens of a text as texts; raise BackendError."""


class CheckAsk(Ask, TokenCounter, Protocol):
    """The models that a check may use."""


@dataclass(frozen=True, slots=True)
class CheckExample:
    """A subject and the status that a check must give; a contract test runs it.

    The examples of a check hold at least one near miss.
    """

    options: dict[str, Any]
    subject: Subject
    status: Status


class Check(Protocol):
    """A plug-in that judges a run. The docstring's first line is its label.

    `SHORT` names the option that the short form `- name: value` fills; "" if there is
    none. `aspects` says what `of` may be; the first one is meant without `of`.
    `asks` says whether it needs a model, so that authors see what costs time.
    `decides` is False for one that may not be the only check of a panel.
    """

    SHORT: ClassVar[str] = ""
    aspects: ClassVar[tuple[Aspect, ...]] = ("reply", "prompt", "slot", "request")
    asks: ClassVar[bool] = False
    decides: ClassVar[bool] = True
    Options: ClassVar[type[BaseModel]]
    EXAMPLES: ClassVar[tuple[CheckExample, ...]]

    def __init__(self, options: Any) -> None: ...

    @staticmethod
    def quoted(value: str) -> str:
        """Return a value as it is written in place of its {name} in an option.

        It is the value itself, but for options that are patterns.
        """
        return value

    def judge(self, subject: Subject, ask: CheckAsk) -> Outcome:
        """Return the outcome; raise BackendError when a needed model fails."""


checks: Registry[type[Check]] = Registry("check")
