"""What replies say about places in a word: "the third letter is N", "it ends in N"."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, Literal

VOWELS: Final = "aeiou"
_ORDINALS: Final = (
    "first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth",
    "ninth", "tenth",
)  # fmt: skip
_NUMBERS: Final = (
    "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten",
)  # fmt: skip


Kind = Literal["at", "length", "has", "vowels", "others"]


@dataclass(frozen=True, slots=True)
class Fact:
    """Something that is said about a word, or denied.

    `at`: letters at a place; `start` counts from 0, or from -1 backwards for an end.
    `length`: the number of letters is `start`. `has`: the letters occur somewhere.
    `vowels`, `others`: all vowels, or all other letters, in their order.
    """

    kind: Kind
    letters: str = ""
    start: int = 0
    is_denied: bool = False

    @property
    def value(self) -> int:
        """How much it tells, counted in letters."""
        return 1 if self.is_denied else max(len(self.letters), 1)

    def holds(self, word: str) -> bool:
        """Whether a word agrees."""
        return self._fits(word) is not self.is_denied

    def _fits(self, word: str) -> bool:
        if self.kind == "length":
            return len(word) == self.start
        if self.kind == "has":
            return self.letters in word
        if self.kind == "vowels":
            return "".join(s for s in word if s in VOWELS) == self.letters
        if self.kind == "others":
            return "".join(s for s in word if s not in VOWELS) == self.letters
        if self.start < 0:
            end = len(word) + self.start + 1
            return word[max(end - len(self.letters), 0) : end] == self.letters
        return word[self.start : self.start + len(self.letters)] == self.letters


_NTH = (
    rf"(?P<nth>{'|'.join(_ORDINALS)}|\d{{1,2}}(?:st|nd|rd|th)|last|final|"
    r"second[- ]to[- ]last|next[- ]to[- ]last)"
)
_COUNT = rf"(?P<count>{'|'.join(_NUMBERS)}|\d{{1,2}})"
_QUOTE = "[\"'“”‘’`*(\\[]"
# A letter by itself, or some in quotes, capitals, or with punctuation in between.
_LETTERS = (
    rf"(?:{_QUOTE}+(?P<quoted>[A-Za-z](?:[A-Za-z]*|(?:[-, ]+[A-Za-z])+))"
    r"[\"'“”‘’`*)\].,]"
    r"|(?P<capitals>[A-Z]{2,})\b"
    r"|(?P<apart>[A-Za-z](?:(?:[-, ]+|,? and )[A-Za-z]\b)+)"
    r"|(?P<single>[B-HJ-Zb-hj-z]\b(?!['’])|[AI]\b(?!['’])(?= *[.,;!?\n]| *$)"
    r"|[ai](?= *[.,;!?\n]| *$)))"
)
_OF = r"(?: (?:of|in) (?:the |my |your |that |this )?\w+(?: \w+)?)?"
_IS = (
    r"(?:\s*(?:is|are|was|would be|:|=|,|-|–|→)\s*)"
    r"(?:the )?(?:letters? )?(?:an? (?=\W|[A-Za-z]\b))?"
)

_PATTERNS: Final = tuple(
    re.compile(pattern, re.MULTILINE)
    for pattern in (
        rf"(?i:(?:{_NTH}) (?P<what>letter|one|character){_OF}{_IS}){_LETTERS}",
        rf"(?i:(?:{_NTH}){_IS}){_LETTERS}",
        rf"(?i:letter (?:number )?(?P<number>\d{{1,2}}){_OF}{_IS}){_LETTERS}",
        rf"^\W*(?P<line>\d{{1,2}})[.):]\s*{_LETTERS}\s*$",
        rf"(?i:(?P<end>first|last) {_COUNT} letters{_OF}{_IS}){_LETTERS}",
        r"(?i:\b(?P<starts>start|begin)(?:s|ning|ing)? with (?:the )?(?:letters? )?"
        r"(?:an? (?=\W|[A-Za-z]\b))?)" + _LETTERS,
        r"(?i:\b(?P<ends>end|finish)(?:s|ing|es)? (?:with|in|on) (?:the )?"
        r"(?:letters? )?)" + _LETTERS,
        rf"{_LETTERS}(?i: is the (?:{_NTH}) letter)",
    )
)
_LENGTH = re.compile(
    rf"(?<!first )(?<!last )(?<!next )(?<!the )\b{_COUNT}[- ]letters?\b", re.I
)
_HAS = re.compile(
    r"\bthere is (?P<no>no|an?) (?:letter )?[\"'“‘]?(?P<has>[a-z])[\"'”’]?"
    r" in (?:it|the)\b",
    re.IGNORECASE,
)
_DENIED = re.compile(r"\b(?:not|never|[a-z]+n['’]t)\b[^.!?;]*$", re.IGNORECASE)
# Nothing but letters one by one, as in an answer to "only the vowels, please".
_BARE = re.compile(r"\W*[A-Za-z](?:[\s,.-]+[A-Za-z])+\W*")


def facts(text: str) -> Iterator[Fact]:
    """Yield what the plain text of a reply says about places, letters and length."""
    for pattern in _PATTERNS:
        for match in pattern.finditer(text):
            letters, start = _letters(match), _start(match)
            is_denied = _DENIED.search(text[: match.start()]) is not None
            if letters and start is not None:
                yield Fact("at", letters, start, is_denied)
    for match in _LENGTH.finditer(text):
        count = _count(match["count"])
        if 3 <= count <= 30:
            yield Fact("length", start=count)
    for match in _HAS.finditer(text):
        is_denied = match["no"].casefold() == "no"
        yield Fact("has", match["has"].casefold(), is_denied=is_denied)
    if _BARE.fullmatch(text):
        letters = "".join(filter(str.isalpha, text)).casefold()
        if set(letters) <= set(VOWELS):
            yield Fact("vowels", letters)
        elif not set(letters) & set(VOWELS):
            yield Fact("others", letters)


def _letters(match: re.Match[str]) -> str:
    groups = match.groupdict()
    letters = next(
        (
            groups[name]
            for name in ("quoted", "capitals", "apart", "single")
            if groups[name]
        ),
        "",
    )
    letters = letters.replace(" and ", " ").casefold()
    return "".join(char for char in letters if char.isalpha())


def _start(match: re.Match[str]) -> int | None:
    groups = match.groupdict()
    if groups.get("starts"):
        return 0
    if groups.get("ends"):
        return -1
    if groups.get("end"):
        return 0 if groups["end"].casefold() == "first" else -1
    number = groups.get("number") or groups.get("line")
    if number:
        return int(number) - 1
    return _nth(groups["nth"].casefold().replace("-", " "))


def _nth(word: str) -> int | None:
    if word in {"last", "final"}:
        return -1
    if word in {"second to last", "next to last"}:
        return -2
    if word in _ORDINALS:
        return _ORDINALS.index(word)
    number = int(re.sub(r"\D", "", word))
    return number - 1 if number else None


def _count(word: str) -> int:
    return int(word) if word.isdigit() else _NUMBERS.index(word.casefold()) + 1
