"""The text is in a language, by the words that lists of languages know."""

from __future__ import annotations

from typing import ClassVar, Final, Literal

from pydantic import Field

from webapp.checks.shared.containing import nothing_there
from webapp.checks.shared.options import CheckOptions
from webapp.plugins.check import (
    Check,
    CheckAsk,
    CheckExample,
    Outcome,
    Subject,
    checks,
    failed,
    passed,
    ungraded,
)
from webapp.text.characters import is_blank
from webapp.text.wordlists import LANGUAGES, is_known, is_latin, word_set

# Fewer different words than these may be of any language.
_TELLING: Final = 4
# From such a share on a list knows a text well enough, and below the other too little.
_WELL: Final = 0.6
_BADLY: Final = 0.4


@checks.register("language")
class Language(Check):
    """The text is in a certain language.

    It knows English, Spanish, French, German, Italian, Dutch and Portuguese. Lists of
    words decide: that of the language must know most words, and no other list more.
    Fewer than four different words cannot be judged.
    """

    class Options(CheckOptions):
        """Which one."""

        code: Literal["en", "es", "fr", "de", "it", "nl", "pt"] = Field(
            description="The language: en, es, fr, de, it, nl or pt."
        )

    SHORT: ClassVar[str] = "code"
    EXAMPLES: ClassVar[tuple[CheckExample, ...]] = (
        CheckExample(
            {"code": "de"},
            Subject("Die Katze sitzt auf der Matte und schaut den Mond an."),
            "passed",
        ),
        CheckExample(
            {"code": "nl"},
            Subject("De kat zit op de mat en kijkt naar de maan."),
            "passed",
        ),
        CheckExample(
            {"code": "es"},
            Subject("El gato está en la casa y mira la luna."),
            "passed",
        ),
        CheckExample(
            {"code": "fr"}, Subject("Bonjour, comment allez-vous ?"), "passed"
        ),
        # The Dutch list knows most of these English words.
        CheckExample(
            {"code": "nl"},
            Subject("The cat sat on the mat and looked at the moon."),
            "failed",
        ),
        CheckExample(
            {"code": "es"},
            Subject("O gato está na casa e olha para a lua."),
            "failed",
        ),
        CheckExample({"code": "de"}, Subject("Кошка сидит на ковре."), "failed"),
        CheckExample(
            {"code": "en"}, Subject("Kissa istuu tuolilla ja katsoo kuuta."), "failed"
        ),
        CheckExample({"code": "de"}, Subject("Guten Morgen!"), "ungraded"),
        CheckExample({"code": "en"}, Subject("1 + 2 = 3"), "ungraded"),
        CheckExample({"code": "en"}, Subject(""), "failed"),
    )

    def __init__(self, options: Options) -> None:
        self._code = options.code

    def judge(self, subject: Subject, ask: CheckAsk) -> Outcome:
        """Compare how many words each list knows."""
        if is_blank(subject.text):
            return nothing_there(subject)
        wanted = LANGUAGES[self._code]
        has_letters = any(letter.isalpha() for letter in subject.text)
        if has_letters and not is_latin(subject.text):
            return failed(f"{subject.who} is not in {wanted}.")
        words = word_set(subject.text)
        if len(words) < _TELLING:
            return ungraded(
                f"{subject.who} has too few words to tell which language it is in."
            )
        share = _share(words, self._code)
        if share < _BADLY:
            return failed(f"{subject.who} is not in {wanted}.")
        for code, name in LANGUAGES.items():
            if _share(words, code) > share:
                return failed(f"{subject.who} looks more like {name} than {wanted}.")
        if share < _WELL:
            return ungraded(f"It cannot be told whether {subject.called} is {wanted}.")
        return passed(f"{subject.who} is in {wanted}.")


def _share(words: frozenset[str], code: str) -> float:
    """Return which share of words, in 0..1, the list of a language knows."""
    return sum(is_known(word, code) for word in words) / len(words)
