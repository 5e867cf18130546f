"""The text hides a word in a way that a person can undo."""

from __future__ import annotations

from typing import Annotated, ClassVar, Final, Literal

from pydantic import Field, field_validator

from webapp.checks.shared.containing import nothing_there
from webapp.checks.shared.options import CheckOptions, Wanted, has_placeholder
from webapp.plugins.check import (
    Check,
    CheckAsk,
    CheckExample,
    Outcome,
    Subject,
    checks,
    failed,
    passed,
)
from webapp.text.characters import is_blank
from webapp.text.decoding import WAYS, plain
from webapp.text.finding import places
from webapp.text.words import normalise_guess

Way = Literal[
    "spelled",
    "joined",
    "reversed",
    "first-letters",
    "radio",
    "morse",
    "numbers",
    "hex",
    "base64",
    "shifted",
    "leet",
    "games",
]
# Shorter words turn up by chance.
_FEWEST_LETTERS: Final = 3
# From this length on, a word inside of a longer row of letters is no chance.
_SURE_LETTERS: Final = 5
# How strongly a word inside of a row must speak, of 100.
_STRONG: Final = 60
_SAID: Final[dict[Way, str]] = {
    "spelled": "letter by letter",
    "joined": "with marks between its letters or pieces",
    "reversed": "backwards",
    "radio": "in the radio alphabet",
    "first-letters": "in first or last letters",
    "morse": "in Morse code",
    "numbers": "as numbers",
    "hex": "as hexadecimal or binary codes",
    "base64": "in base64",
    "shifted": "with its letters moved along the alphabet",
    "leet": "with digits or marks for letters",
    "games": "in a play on words",
}


@checks.register("decodes-to")
class DecodesTo(Check):
    """The text hides a word in a way that a person can undo.

    The word as it is does not count: it is not hidden.
    """

    class Options(CheckOptions):
        """The word, and the ways that count."""

        value: Wanted = Field(
            description=(
                f"The word, of at least {_FEWEST_LETTERS} letters. It may hold "
                "{slots}."
            )
        )
        ways: Annotated[tuple[Way, ...], Field(max_length=12)] = Field(
            (), description="Ways that count. Empty: all of them."
        )

        @field_validator("value")
        @classmethod
        def _is_long_enough(cls, value: str) -> str:
            if has_placeholder(value):
                return value
            if len(normalise_guess(value)) < _FEWEST_LETTERS:
                raise ValueError(f"it has fewer than {_FEWEST_LETTERS} letters")
            return value

    SHORT: ClassVar[str] = "value"
    EXAMPLES: ClassVar[tuple[CheckExample, ...]] = (
        CheckExample({"value": "lantern"}, Subject("L-A-N-T-E-R-N"), "passed"),
        CheckExample({"value": "lantern"}, Subject("The word is lantern."), "failed"),
        CheckExample({"value": "lamp"}, Subject("It is: lamp"), "failed"),
        CheckExample({"value": "lantern"}, Subject("Read back: nretnal"), "passed"),
        CheckExample({"value": "lantern"}, Subject("nretnals"), "failed"),
        CheckExample({"value": "lantern"}, Subject("bGFudGVybg=="), "passed"),
        CheckExample({"value": "lantern"}, Subject(".-.. .- -. - . .-. -."), "passed"),
        CheckExample(
            {"value": "lamp"},
            Subject("Look here.\nAll is well.\nMany came.\nPlease stay."),
            "passed",
        ),
        CheckExample(
            {"value": "lantern", "ways": ["morse"]}, Subject("nretnal"), "failed"
        ),
        CheckExample({"value": "lantern"}, Subject("l4nt3rn"), "passed"),
        CheckExample({"value": "level"}, Subject("level"), "failed"),
        CheckExample({"value": "lantern"}, Subject("L, then A, then N"), "failed"),
        CheckExample({"value": "lantern"}, Subject(""), "failed"),
    )

    def __init__(self, options: Options) -> None:
        self._options = options
        self._word = normalise_guess(plain(options.value))

    def judge(self, subject: Subject, ask: CheckAsk) -> Outcome:
        """Undo each way in turn."""
        if is_blank(subject.text):
            return nothing_there(subject)
        text = plain(self._without_the_word(subject.text))
        for way in self._options.ways or _SAID:
            if self._gives(way, text):
                return passed(f"{subject.who} hides what was looked for {_SAID[way]}.")
        return failed(
            f"{subject.who} does not hide what was looked for in a way that can be "
            "undone."
        )

    def _without_the_word(self, text: str) -> str:
        """Blank out the word where it is not hidden."""
        for place in places(text, self._options.value, ignore_case=True, whole=True):
            text = f"{text[: place.start]}{'…' * len(range(*place))}{text[place.end :]}"
        return text

    def _gives(self, way: Way, text: str) -> bool:
        return any(
            clue.letters == self._word
            or (
                clue.inside >= _STRONG
                and len(self._word) >= _SURE_LETTERS
                and self._word in clue.letters
            )
            for clue in WAYS[way](text)
        )
