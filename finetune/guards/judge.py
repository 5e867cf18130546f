"""What a guard is asked, and what it answers."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple, Protocol

# The longest text that a guard reads, in its own tokens. None is read in part: the
# rest could hold the attack. 4,000 characters of any script fit.
MOST_TOKENS = 16_384


class TextTooLong(Exception):
    """A text that a guard does not read."""

    def __init__(self, tokens: int) -> None:
        super().__init__(f"The text has {tokens} tokens; a guard reads {MOST_TOKENS}.")
        self.tokens = tokens


class EarlierTurn(NamedTuple):
    """A message of the visit, and the reply to it."""

    question: str
    reply: str


class WeighedPiece(NamedTuple):
    """A piece of the text as it was read.

    `weight` is what it adds to the log odds (natural) of the score.
    """

    text: str
    weight: float


@dataclass(frozen=True, slots=True)
class Case:
    """A text to judge, and how.

    `secret` is what a reply must not give away, `question` the message that it answers,
    `earlier` the visit so far. `as_typed` switches off what undoes disguises, and reads
    in windows as large as the model takes; `first_tokens` shows only the beginning.
    """

    text: str
    secret: str | None = field(default=None, repr=False)
    question: str = ""
    earlier: tuple[EarlierTurn, ...] = ()
    as_typed: bool = False
    first_tokens: int | None = None
    highlights: bool = False


@dataclass(frozen=True, slots=True)
class Judgement:
    """Scores by category, in 0..1; flagged when one reaches the threshold."""

    scores: dict[str, float]
    threshold: float
    version: str
    highlights: tuple[WeighedPiece, ...] = ()

    @property
    def score(self) -> float:
        """Return the highest score."""
        return max(self.scores.values())

    @property
    def flagged(self) -> bool:
        """Return whether the text should be blocked."""
        return self.score >= self.threshold


class Judge(Protocol):
    """A guard model; `version` names its weights."""

    version: str
    threshold: float

    def judge(self, case: Case) -> Judgement:
        """Score a text; raise TextTooLong."""
