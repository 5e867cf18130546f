"""Where plug-ins register, and the records they exchange with the rest.

A plug-in is a class in one file of `webapp/guards/`. Nothing else names it: the
folder is imported whole at start.
"""

from __future__ import annotations

import difflib
import importlib
import pkgutil
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from types import ModuleType
from typing import (
    Any,
    ClassVar,
    Generic,
    Literal,
    NamedTuple,
    Protocol,
    TypedDict,
    TypeVar,
)

from pydantic import BaseModel

from webapp.errors import ContentError
from webapp.security import Secret

Stage = Literal["input", "output"]
T = TypeVar("T")


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
    """What the verdict of a guard model rests on; players see it after the win.

    `highlights` is empty unless the model was asked which words counted.
    """

    model: str
    version: str
    threshold: float
    highlights: tuple[Highlight, ...] = field(default=(), repr=False)


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a guard says of a turn. `reason` is read by the player."""

    allowed: bool
    reason: str
    score: float | None = None
    grounds: Grounds | None = None


@dataclass(frozen=True, slots=True)
class Exchange:
    """One earlier message of the visit and the reply the player saw."""

    message: str
    reply: str


@dataclass(frozen=True, slots=True)
class Turn:
    """What a guard looks at: `text` is the message (input) or the reply (output)."""

    stage: Stage
    text: str
    message: str
    history: tuple[Exchange, ...]
    secret: Secret


@dataclass(frozen=True, slots=True)
class Moderation:
    """The answer of a guard model; `score` and `threshold` are in 0..1.

    `version` names the weights, where the endpoint tells.
    """

    flagged: bool
    score: float
    threshold: float
    model: str
    version: str = ""
    highlights: tuple[Highlight, ...] = field(default=(), repr=False)


@dataclass(frozen=True, slots=True)
class Look:
    """How a guard model reads a text; without anything, in its most careful way.

    `message` is what a reply answers, and `earlier` the visit so far. `as_typed`
    switches off what undoes disguises; `first_tokens` shows only the beginning.
    `highlights` also asks which words counted, which takes many times as long.
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
        """Return the reply of a chat model."""

    def embed(self, texts: Sequence[str]) -> list[list[float]]:
        """Return one unit vector per text."""

    def moderate(
        self,
        text: str,
        *,
        model: str,
        secret: Secret | None = None,
        look: Look = CAREFUL,
    ) -> Moderation:
        """Return the judgement of a guard model."""


@dataclass(frozen=True, slots=True)
class Example:
    """A turn that a guard must judge so: run by the contract test of plug-ins."""

    options: dict[str, Any]
    stage: Stage
    text: str
    allowed: bool
    secret: str = "lantern"  # noqa: S105 -- a sample word, no credential
    message: str = ""


class Guard(Protocol):
    """A plug-in that inspects a turn. The docstring's first line is its label."""

    Options: ClassVar[type[BaseModel]]
    stages: ClassVar[frozenset[Stage]]
    EXAMPLES: ClassVar[tuple[Example, ...]]

    def __init__(self, options: Any) -> None: ...

    def inspect(self, turn: Turn, ask: Ask) -> Verdict:
        """Return the verdict; raise BackendError when a needed model fails."""


class Registry(Generic[T]):
    """Names → plug-ins. It freezes after start so that requests cannot change it."""

    def __init__(self, kind: str) -> None:
        self.kind = kind
        self._items: dict[str, T] = {}
        self._frozen = False

    def register(self, name: str) -> Callable[[T], T]:
        """Return a decorator that files a plug-in under `name`."""

        def add(item: T) -> T:
            if self._frozen:
                raise ContentError(f'{self.kind} "{name}" was registered after start')
            known = self._items.get(name)
            if known is not None and _origin(known) != _origin(item):
                raise ContentError(f'two {self.kind} plug-ins are named "{name}"')
            self._items[name] = item
            return item

        return add

    def get(self, name: str) -> T:
        """Return a plug-in; raise ContentError with a suggestion if there is none."""
        if name in self._items:
            return self._items[name]
        close = self.suggest(name)
        hint = f'; did you mean "{close}"?' if close else ""
        raise ContentError(f'unknown {self.kind} "{name}"{hint}')

    def suggest(self, name: str) -> str | None:
        """Return the registered name nearest to a mistyped one."""
        return next(iter(difflib.get_close_matches(name, self._items, n=1)), None)

    def names(self) -> tuple[str, ...]:
        """Return all names in alphabetical order."""
        return tuple(sorted(self._items))

    def items(self) -> Iterator[tuple[str, T]]:
        """Yield (name, plug-in) in alphabetical order."""
        yield from sorted(self._items.items())

    def freeze(self) -> None:
        """Refuse further registrations."""
        self._frozen = True


def _origin(item: object) -> tuple[str, str]:
    return getattr(item, "__module__", ""), getattr(item, "__qualname__", repr(item))


def load_plugins(package: ModuleType) -> None:
    """Import every module of a package, which makes its plug-ins register."""
    for module in pkgutil.iter_modules(package.__path__):
        importlib.import_module(f"{package.__name__}.{module.name}")


guards: Registry[type[Guard]] = Registry("guard")
