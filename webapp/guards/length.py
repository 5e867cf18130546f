"""Refuse texts that are too long or too short."""

from __future__ import annotations

from typing import Annotated, ClassVar

from pydantic import BaseModel, ConfigDict, Field, model_validator

from webapp.plugins.asking import Ask
from webapp.plugins.guard import Example, Guard, Stage, Turn, Verdict, guards
from webapp.text.characters import count_characters

Limit = Annotated[int, Field(ge=1, le=100_000)]


@guards.register("length")
class Length(Guard):
    """Blocks a text that is too long or too short."""

    class Options(BaseModel):
        """At least one limit. Spaces around the text do not count."""

        model_config = ConfigDict(extra="forbid", frozen=True)

        max_chars: Limit | None = Field(None, description="Most characters allowed.")
        min_chars: Limit | None = Field(None, description="Fewest characters allowed.")
        max_words: Limit | None = Field(None, description="Most words allowed.")

        @model_validator(mode="after")
        def _limits_fit(self) -> Length.Options:
            if self.max_chars is self.min_chars is self.max_words is None:
                raise ValueError("give max_chars, min_chars or max_words")
            if (self.min_chars or 0) > (self.max_chars or 100_000):
                raise ValueError("min_chars is larger than max_chars")
            return self

    plain_name: ClassVar[str] = "the length check"
    term: ClassVar[str] = "length limit"
    stages: ClassVar[frozenset[Stage]] = frozenset({"input", "output"})
    EXAMPLES: ClassVar[tuple[Example, ...]] = (
        Example({"max_chars": 5}, "input", "12345", True),
        Example({"max_chars": 5}, "input", "  12345\n", True),
        Example({"max_chars": 5}, "input", "123456", False),
        Example({"max_chars": 4}, "input", "äöü…", True),
        Example({"max_chars": 2}, "input", "पानी", True),
        Example({"max_chars": 1}, "input", "👨\u200d👩\u200d👧", True),
        Example({"min_chars": 3}, "output", "ok", False),
        Example({"min_chars": 3}, "output", " ok ", False),
        Example({"min_chars": 3}, "output", "yes", True),
        Example({"max_words": 3}, "input", "one two  three", True),
        Example({"max_words": 3}, "input", "one two three four", False),
        Example({"max_words": 2, "max_chars": 9}, "input", "long-words here", False),
    )

    def __init__(self, options: Options) -> None:
        self._options = options

    def inspect(self, turn: Turn, ask: Ask) -> Verdict:
        """Count characters and words."""
        limits, text = self._options, turn.text.strip()
        size = count_characters(text)
        who = "Your message" if turn.stage == "input" else "The reply"
        if limits.max_chars is not None and size > limits.max_chars:
            return _block(f"{who} has more than {limits.max_chars} characters.")
        if limits.min_chars is not None and size < limits.min_chars:
            return _block(f"{who} has fewer than {limits.min_chars} characters.")
        if limits.max_words is not None and len(text.split()) > limits.max_words:
            return _block(f"{who} has more than {limits.max_words} words.")
        return Verdict(allowed=True, reason=f"{who} is within the allowed length.")


def _block(reason: str) -> Verdict:
    return Verdict(allowed=False, reason=reason)
