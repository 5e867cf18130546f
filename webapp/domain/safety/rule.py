"""The rule that finds distress and dangerous requests in what somebody typed.

It stands outside the models: a guard or a warden may be tricked, may be switched off in
a level, and was trained on a game. The rule is a list of phrasings (`phrases.yaml`),
so that a school can read what it does. It misses what is only hinted at, and it is
meant to answer rather than to punish when it is wrong.
"""

from __future__ import annotations

from importlib import resources
from typing import Final, Literal, NamedTuple

import regex
import yaml

from webapp.once import once
from webapp.text.characters import without_accents
from webapp.text.words import find_key

Concern = Literal["distress", "danger"]

_APOSTROPHES: Final = regex.compile(r"['’‘`´]")
_ENDS: Final = regex.compile(r"[.!?…。！？؟।;\n]+")
# Marks belong to the letters of Indian scripts.
_BETWEEN: Final = regex.compile(r"[^\p{L}\p{N}\p{M}.]+")
_DRAWN_OUT: Final = regex.compile(r"([aeiouy])\1{2,}|(\p{L})\2{2,}")
_IN_A_WORD: Final = regex.compile(r"(?<=\p{L})[013457@$](?=\p{L})")
_LETTERS: Final = str.maketrans("013457@$", "oieastas")
# Chinese and Japanese put no spaces between words.
_START: Final = r"(?<![\p{Latin}\p{Cyrillic}\p{Arabic}\p{Devanagari}\p{N}])"
_WORDS: Final = {"2": "to", "4": "for", "u": "you", "n": "and", "w": "with"}
_SHORT: Final = regex.compile(r"(?<=\p{L}[ ])[24unw](?=[ ]\p{L})")
_GROUP: Final = regex.compile(r"<([a-z]+)>")


class _Phrases(NamedTuple):
    figures: regex.Pattern[str]
    fiction: regex.Pattern[str]
    distress: regex.Pattern[str]
    danger: regex.Pattern[str]


def find_concern(message: str) -> Concern | None:
    """Return what in a message needs more than a game; distress comes first.

    Figures of speech ("this homework kills me") and the words of games are not meant.
    """
    phrases = _phrases()
    text = phrases.figures.sub(" . ", plain(message))
    if phrases.distress.search(phrases.fiction.sub(" . ", text)):
        return "distress"
    return "danger" if phrases.danger.search(text) else None


def plain(message: str) -> str:
    """Return a message as the phrasings are written.

    Small letters without accents and apostrophes, digits in words as the letters that
    they stand for, drawn-out letters once or twice, words with one space between them
    and "." for the end of a sentence.
    """
    text = _APOSTROPHES.sub("", without_accents(find_key(message)))
    text = _SHORT.sub(lambda found: _WORDS[found[0]], text)
    text = _IN_A_WORD.sub(lambda found: found[0].translate(_LETTERS), text)
    text = _DRAWN_OUT.sub(lambda found: found[1] or 2 * found[2], text)
    return str(_BETWEEN.sub(" ", _ENDS.sub(" . ", text))).strip()


@once
def _phrases() -> _Phrases:
    file = resources.files(__package__).joinpath("phrases.yaml")
    told = yaml.safe_load(file.read_text("utf-8"))
    groups: dict[str, str] = told["groups"]

    def whole(text: str) -> str:
        while _GROUP.search(text):
            text = _GROUP.sub(lambda found: groups[found[1]], text)
        return text

    def one(name: str) -> regex.Pattern[str]:
        return regex.compile(
            "|".join(rf"{_START}(?:{whole(line)})" for line in told[name])
        )

    return _Phrases(*map(one, _Phrases._fields))
