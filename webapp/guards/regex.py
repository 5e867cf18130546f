"""Refuse texts that match a pattern."""

from __future__ import annotations

import unicodedata
from functools import lru_cache
from typing import Annotated, Any, ClassVar

import re2
from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from webapp.plugins.asking import Ask
from webapp.plugins.guard import Example, Guard, Stage, Turn, Verdict, guards
from webapp.text.characters import without_accents, without_invisible


@guards.register("regex")
class Regex(Guard):
    """Blocks a text that matches one of the author's regular expressions.

    RE2 reads a text once, whatever the pattern: its time grows with the length of the
    text, never faster. Look-around and back-references are the price of that.
    """

    class Options(BaseModel):
        """The patterns, and how the text is read."""

        model_config = ConfigDict(extra="forbid", frozen=True)

        patterns: tuple[Annotated[str, Field(min_length=1, max_length=500)], ...] = (
            Field(
                description=(
                    "Regular expressions in RE2 syntax, found anywhere in the text. ^ "
                    "and $ are its ends, or those of each line after (?m)."
                ),
                min_length=1,
                max_length=50,
            )
        )
        ignore_case: bool = Field(
            True, description="Treat capital and small letters as the same."
        )
        folded: bool = Field(
            False,
            description=(
                "First strip accents, wide letters and invisible characters from the "
                "text; spaces and punctuation stay."
            ),
        )

        @field_validator("patterns")
        @classmethod
        def _patterns_compile(cls, patterns: tuple[str, ...]) -> tuple[str, ...]:
            for number, pattern in enumerate(patterns, start=1):
                try:
                    _compile(pattern, True)
                except re2.error as error:
                    why = _plain(error)
                    raise ValueError(f'pattern {number} "{pattern}": {why}') from None
            return patterns

        @model_validator(mode="after")
        def _patterns_fit_folded_text(self) -> Regex.Options:
            for number, pattern in enumerate(self.patterns, start=1):
                if self.folded and _fold(pattern) != pattern:
                    raise ValueError(
                        f'pattern {number} "{pattern}" never matches folded text; '
                        f'write "{_fold(pattern)}"'
                    )
            return self

    plain_name: ClassVar[str] = "the pattern filter"
    term: ClassVar[str] = "regular expression"
    stages: ClassVar[frozenset[Stage]] = frozenset({"input", "output"})
    EXAMPLES: ClassVar[tuple[Example, ...]] = (
        Example({"patterns": ["pass.?word"]}, "input", "The PASS-WORD, now!", False),
        Example({"patterns": ["pass.?word"]}, "input", "the p a s s word", True),
        Example({"patterns": [r"\bpin\b"]}, "input", "I am spinning", True),
        Example({"patterns": ["^now"]}, "input", "Not\nnow", True),
        Example({"patterns": ["(?m)^now"]}, "input", "Not\nnow", False),
        Example({"patterns": [r"(\pL[ .-]){5}"]}, "output", "l-a-n-t-e-r-n", False),
        Example({"patterns": [r"(\pL[ .-]){5}"]}, "output", "A lamp, no more.", True),
        Example({"patterns": ["x{3}", r"\d{4}"]}, "output", "In 1492, then?", False),
        Example(
            {"patterns": ["[A-Z]{5}"], "ignore_case": False}, "input", "loud", True
        ),
        Example(
            {"patterns": ["[A-Z]{5}"], "ignore_case": False}, "input", "LOUD!A", True
        ),
        Example(
            {"patterns": ["[A-Z]{5}"], "ignore_case": False}, "input", "LOUDER", False
        ),
        Example({"patterns": ["password"]}, "input", "ｐässwo\u200brd", True),
        Example({"patterns": ["re\u0301ponse"]}, "input", "la r\u00e9ponse", False),
        Example({"patterns": ["^की$"], "folded": True}, "input", "का", True),
        Example({"patterns": ["कुर"], "folded": True}, "input", "कर", True),
        Example(
            {"patterns": ["password"], "folded": True},
            "input",
            "ｐässwo\u200brd",
            False,
        ),
    )

    def __init__(self, options: Options) -> None:
        self._options = options

    def inspect(self, turn: Turn, ask: Ask) -> Verdict:
        """Search for each pattern; none is named, it may describe the password."""
        text = _fold(turn.text) if self._options.folded else _composed(turn.text)
        who = "Your message" if turn.stage == "input" else "The reply"
        if any(
            _compile(_composed(pattern), self._options.ignore_case).search(text)
            for pattern in self._options.patterns
        ):
            reason = f"{who} is written in a forbidden way."
            return Verdict(allowed=False, reason=reason, score=1.0)
        reason = f"{who} matches no forbidden pattern."
        return Verdict(allowed=True, reason=reason, score=0.0)


def _fold(text: str) -> str:
    # Korean syllables come apart with the accents; put them together again.
    return _composed(without_accents(without_invisible(text)))


def _composed(text: str) -> str:
    """Store accented letters in one way, in the pattern as in the text."""
    return unicodedata.normalize("NFC", text)


@lru_cache(maxsize=1024)
def _compile(pattern: str, ignore_case: bool) -> Any:
    options = re2.Options()
    options.case_sensitive = not ignore_case
    options.log_errors = False
    return re2.compile(pattern, options)


def _plain(error: Exception) -> str:
    text = error.args[0] if error.args else "not a pattern"
    return text.decode(errors="replace") if isinstance(text, bytes) else str(text)
