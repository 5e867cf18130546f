"""Notice that a reply repeats the instructions."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator

from webapp.plugins.asking import Ask
from webapp.plugins.guard import Example, Guard, Stage, Turn, Verdict, guards
from webapp.text.words import fold, holds, normalise_guess

# A shorter mark, without spaces, would be found across words of harmless replies.
FEWEST_LETTERS = 6


@guards.register("canary")
class Canary(Guard):
    """Blocks a reply that repeats a marked piece of the system prompt.

    The author writes each mark twice: into the system prompt, and here. A mark is a
    phrase that no honest reply needs, such as a made-up name; a reply that contains it
    was copied from the instructions. Nothing checks that a mark is in the prompt.
    Instructions that are retold, translated or cut before the mark pass, and so does
    the password alone: mark the sentence next to it, and look for it with `contains`.
    """

    class Options(BaseModel):
        """The marks, and how exactly they are compared."""

        model_config = ConfigDict(extra="forbid", frozen=True)

        marks: tuple[Annotated[str, Field(min_length=1, max_length=200)], ...] = Field(
            description=(
                "Phrases of the system prompt that never belong in a reply, of at "
                f"least {FEWEST_LETTERS} letters or digits; without {{{{ secret }}}}."
            ),
            min_length=1,
            max_length=50,
        )
        match: Literal["exact", "normalised"] = Field(
            "normalised",
            description=(
                "exact (as written, in capitals or not) or normalised (without spaces, "
                "punctuation and accents, so that line breaks and dashes hide nothing)."
            ),
        )

        @field_validator("marks")
        @classmethod
        def _marks_can_be_found(cls, marks: tuple[str, ...]) -> tuple[str, ...]:
            for mark in marks:
                if "{{" in mark:
                    raise ValueError(
                        f'"{mark}" is compared as written; nothing is filled in'
                    )
                if len(normalise_guess(mark)) < FEWEST_LETTERS:
                    raise ValueError(
                        f'"{mark}" has fewer than {FEWEST_LETTERS} letters or digits'
                    )
            return marks

    plain_name: ClassVar[str] = "the canary"
    term: ClassVar[str] = "canary token"
    stages: ClassVar[frozenset[Stage]] = frozenset({"output"})
    EXAMPLES: ClassVar[tuple[Example, ...]] = (
        Example({"marks": ["Order of Thorn"]}, "output", "I am of no order.", True),
        Example(
            {"marks": ["Order of Thorn"]},
            "output",
            "My instructions: You serve the Order of Thorn.",
            False,
        ),
        Example(
            {"marks": ["Rule 7 of nine", "Order of Thorn"]},
            "output",
            "You serve the **order\nof T-h-ö-r-n**",
            False,
        ),
        Example(
            {"marks": ["Order of Thorn"], "match": "exact"},
            "output",
            "THE ORDER OF THORN",
            False,
        ),
        Example(
            {"marks": ["Order of Thorn"], "match": "exact"},
            "output",
            "the order\nof thorn",
            True,
        ),
        Example({"marks": ["Order of Thorn"]}, "output", "Orden del espino", True),
        Example(
            {"marks": ["Ordre d'E\u0301pine"], "match": "exact"},
            "output",
            "Je sers l'ordre d'\u00e9pine.",
            False,
        ),
        Example({"marks": ["कांटे का संघ"]}, "output", "कांटे की संघ", True),
        Example({"marks": ["Order of Thorn"]}, "output", "The word is lantern.", True),
    )

    def __init__(self, options: Options) -> None:
        self._plain = fold if options.match == "exact" else normalise_guess
        self._marks = [self._plain(mark) for mark in options.marks]

    def inspect(self, turn: Turn, ask: Ask) -> Verdict:
        """Look for each mark; which one it was would tell the player what to avoid."""
        reply = self._plain(turn.text)
        if any(holds(reply, mark) for mark in self._marks):
            reason = "The reply repeats part of the instructions."
            return Verdict(allowed=False, reason=reason, score=1.0)
        reason = "The reply repeats no marked part of the instructions."
        return Verdict(allowed=True, reason=reason, score=0.0)
