"""What a guard is: it inspects a turn and gives a verdict.

A guard is a class in one file of `webapp/guards/`. Nothing else names it: the folder
is imported whole at start.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, Literal, Protocol

from pydantic import BaseModel

from webapp.plugins.asking import Ask, Exchange, Grounds
from webapp.plugins.registry import Registry
from webapp.security import Secret

Stage = Literal["input", "output"]


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a guard says about a turn. `reason` is read by the player."""

    allowed: bool
    reason: str
    score: float | None = None
    grounds: Grounds | None = None


@dataclass(frozen=True, slots=True)
class Turn:
    """What a guard looks at: `text` is the message (input) or the reply (output)."""

    stage: Stage
    text: str
    message: str
    history: tuple[Exchange, ...]
    secret: Secret


@dataclass(frozen=True, slots=True)
class Example:
    """A turn and the verdict a guard must give; the contract test of guards runs it."""

    options: dict[str, Any]
    stage: Stage
    text: str
    allowed: bool
    secret: str = "lantern"  # noqa: S105 -- a sample word, not a credential
    message: str = ""


class Guard(Protocol):
    """A plug-in that inspects a turn. The docstring's first line is its label.

    `plain_name` is how pages call it where a level gives it no name, as in the middle
    of a sentence. `term` is what the field calls its kind; {stage} in it becomes input
    or output. Without them both are made from the name that it is registered by.
    """

    plain_name: ClassVar[str] = ""
    term: ClassVar[str] = ""
    Options: ClassVar[type[BaseModel]]
    stages: ClassVar[frozenset[Stage]]
    EXAMPLES: ClassVar[tuple[Example, ...]]

    def __init__(self, options: Any) -> None: ...

    def inspect(self, turn: Turn, ask: Ask) -> Verdict:
        """Return the verdict; raise BackendError when a needed model fails."""


guards: Registry[type[Guard]] = Registry("guard")
