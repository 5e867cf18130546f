"""Whether a text contains what was looked for: once for all the checks that ask it."""

from __future__ import annotations

from collections.abc import Sequence

from pydantic import Field

from webapp.checks.shared.options import CheckOptions, SeveralWanted, Wanted
from webapp.plugins.check import Outcome, Span, Subject, failed, passed
from webapp.text.characters import count_characters, is_blank
from webapp.text.finding import Place, find, is_one_word

# A shorter word is in too many others: ok is in book.
SURE_LETTERS = 4


class One(CheckOptions):
    """A text to look for."""

    value: Wanted = Field(description="Text to look for. It may hold {slots}.")
    whole_word: bool | None = Field(
        None,
        description=(
            "Do not find it inside longer words, as soo in soon. Without this option, "
            "words of one to three letters are found as whole words."
        ),
    )

    def is_whole(self) -> bool:
        """Whether the text is looked for as a whole word."""
        if self.whole_word is not None:
            return self.whole_word
        size = count_characters(self.value)
        return size < SURE_LETTERS and is_one_word(self.value)


class Several(CheckOptions):
    """Texts to look for."""

    value: SeveralWanted = Field(
        description="One text to look for, or a list. They may hold {slots}."
    )
    whole_word: bool | None = Field(
        None,
        description=(
            "Do not find them inside longer words, as lamp in lamps. Without this "
            "option, single words are found as whole words, and phrases anywhere."
        ),
    )

    def is_whole(self, value: str) -> bool:
        """Whether one of the texts is looked for as a whole word."""
        return is_one_word(value) if self.whole_word is None else self.whole_word


def judge_one(options: One, subject: Subject, *, ignore_case: bool) -> Outcome:
    """Look for one text."""
    if is_blank(subject.text):
        return nothing_there(subject)
    whole = options.is_whole()
    place = find(subject.text, options.value, ignore_case=ignore_case, whole=whole)
    if place is not None:
        return passed(f"{subject.who} contains what was looked for.", span=Span(*place))
    if not ignore_case and find(
        subject.text, options.value, ignore_case=True, whole=whole
    ):
        return failed(
            f"{subject.who} comes close: only capital and small letters are different."
        )
    if whole and find(subject.text, options.value, ignore_case=ignore_case):
        return failed(
            f"{subject.who} comes close: what was looked for is there only as a part "
            "of something longer."
        )
    return failed(f"{subject.who} does not contain what was looked for.")


def judge_any(options: Several, subject: Subject, *, ignore_case: bool) -> Outcome:
    """Look for at least one of the texts."""
    if is_blank(subject.text):
        return nothing_there(subject)
    found = _found(options, subject.text, ignore_case)
    if not found:
        return failed(
            f"{subject.who} contains nothing of what was looked for.", count=0
        )
    return passed(
        f"{subject.who} contains something that was looked for.",
        span=Span(*min(found)),
        count=len(found),
    )


def judge_all(options: Several, subject: Subject, *, ignore_case: bool) -> Outcome:
    """Look for all of the texts."""
    if is_blank(subject.text):
        return nothing_there(subject)
    found = _found(options, subject.text, ignore_case)
    count, whole = len(found), len(options.value)
    if count == whole:
        return passed(
            f"{subject.who} contains everything that was looked for.",
            span=Span(*min(found)),
            count=count,
        )
    seen = f"contains {count} of the {whole} things that were looked for"
    if whole == 1:
        seen = "does not contain what was looked for"
    return failed(
        f"{subject.who} {seen}.",
        score=count / whole,
        count=count,
    )


def nothing_there(subject: Subject) -> Outcome:
    """Return the outcome of an empty text: it never passes."""
    return failed(f"{subject.who} is empty.", count=0)


def _found(options: Several, text: str, ignore_case: bool) -> Sequence[Place]:
    places = (
        find(text, value, ignore_case=ignore_case, whole=options.is_whole(value))
        for value in options.value
    )
    return [place for place in places if place is not None]
