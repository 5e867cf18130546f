"""The oldest guard: look for the password in the text."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any, ClassVar, Literal

import regex
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from webapp.plugins.asking import Ask
from webapp.plugins.guard import Example, Guard, Stage, Turn, Verdict, guards
from webapp.text.characters import IGNORABLE, characters, without_accents
from webapp.text.words import fold, holds, normalise_guess

Match = Literal["exact", "normalised", "reversed", "spelled"]

_LETTERS = regex.compile(rf"(?V1)[[\p{{L}}\p{{M}}]--[{IGNORABLE}]]+")


def _as_tuple(value: Any) -> Any:
    if isinstance(value, str):
        return (value,)
    return tuple(value) if isinstance(value, list) else value


@guards.register("contains")
class Contains(Guard):
    """Blocks a text that contains the password.

    As an input guard it tells a player who types the word that it is the word: put
    it there only if that is meant.
    """

    class Options(BaseModel):
        """Which ways of writing the password are noticed."""

        model_config = ConfigDict(extra="forbid", frozen=True)

        match: Annotated[
            tuple[Match, ...],
            BeforeValidator(_as_tuple, json_schema_input_type=Match | list[Match]),
            Field(min_length=1),
        ] = Field(
            ("exact",),
            description=(
                "One of these or a list: exact (as written, in capitals or not), "
                "normalised (without spaces, punctuation and accents), reversed, "
                "spelled (single letters with anything but letters between them)."
            ),
        )

    plain_name: ClassVar[str] = "the password filter"
    term: ClassVar[str] = "{stage} filter"
    stages: ClassVar[frozenset[Stage]] = frozenset({"input", "output"})
    EXAMPLES: ClassVar[tuple[Example, ...]] = (
        Example({}, "output", "The password is Lantern.", False),
        Example({}, "output", "Two LANTERNS hang here.", False),
        Example({}, "output", "I carry a lamp, nothing else.", True),
        Example({}, "output", "l-a-n-t-e-r-n", True),
        Example({"match": "normalised"}, "output", "L.a n\nt\u200be r-n", False),
        Example({"match": "normalised"}, "output", "ｌäñtern", False),
        Example({"match": "normalised"}, "output", "nretnal", True),
        Example({"match": "reversed"}, "output", "Read it back: n r e t n a l", False),
        Example({"match": "reversed"}, "output", "The lantern burns.", True),
        Example(
            {"match": "spelled"}, "output", "1. L 2. A 3. N 4. T 5. E 6. R 7. N", False
        ),
        Example(
            {"match": "spelled"}, "output", "I spell it: l, a, n, t, e, r, n!", False
        ),
        Example({"match": "spelled"}, "output", "lantern", True),
        Example({"match": "spelled"}, "output", "A l a n had a t e r n", True),
        Example({"match": ["exact", "spelled"]}, "output", "lantern", False),
        Example(
            {"match": ["exact", "spelled"]}, "input", "Is it l a n t e r n?", False
        ),
        Example({"match": ["normalised", "reversed", "spelled"]}, "output", "", True),
        Example({}, "output", "Un café, bitte.", False, "Café"),
        Example({}, "output", "Un cafe\u0301, bitte.", False, "Caf\u00e9"),
        Example({}, "output", "Un cafe\u0301, bitte.", True, "cafe"),
        Example({}, "output", "उसके पास नमकीन है", True, "नमक"),
        Example({"match": "normalised"}, "output", "पा-नी", False, "पानी"),
        Example({"match": "normalised"}, "output", "पाना", True, "पानी"),
        Example({"match": "reversed"}, "output", "नीपा", False, "पानी"),
        Example({"match": "spelled"}, "output", "पा, फिर नी", True, "पानी"),
        Example({"match": "spelled"}, "output", "पा, नी", False, "पानी"),
    )

    def __init__(self, options: Options) -> None:
        self._matches = options.match

    def inspect(self, turn: Turn, ask: Ask) -> Verdict:
        """Look for each wanted form; name the first that is there."""
        word = turn.secret.reveal()
        who = "Your message" if turn.stage == "input" else "The reply"
        for match in self._matches:
            is_there, what = _FORMS[match]
            if is_there(turn.text, word):
                return Verdict(allowed=False, reason=f"{who} {what}.", score=1.0)
        return Verdict(allowed=True, reason=f"{who} does not contain it.", score=0.0)


def _is_exact(text: str, word: str) -> bool:
    return holds(fold(text), fold(word))


def _is_normalised(text: str, word: str) -> bool:
    return holds(normalise_guess(text), normalise_guess(word))


def _is_reversed(text: str, word: str) -> bool:
    backwards = "".join(reversed(characters(normalise_guess(word))))
    return holds(normalise_guess(text), backwards)


def _is_spelled(text: str, word: str) -> bool:
    """Join letters that stand alone; longer runs of letters end such a chain."""
    chains = [""]
    for run in _letters(text):
        if len(characters(run)) == 1:
            chains[-1] += run
        else:
            chains.append("")
    letters = "".join(_letters(word))
    return any(holds(chain, letters) for chain in chains)


def _letters(text: str) -> list[str]:
    plain = without_accents(text).casefold()
    runs: list[str] = _LETTERS.findall(plain)
    return runs


_FORMS: dict[Match, tuple[Callable[[str, str], bool], str]] = {
    "exact": (_is_exact, "contains the password as it is written"),
    "normalised": (_is_normalised, "contains the password, spaced or punctuated"),
    "reversed": (_is_reversed, "contains the password backwards"),
    "spelled": (_is_spelled, "spells the password out"),
}
