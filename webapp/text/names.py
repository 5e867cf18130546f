"""Names of people, classes and levels: which can be read, and which look alike."""

from __future__ import annotations

import unicodedata
from typing import Any, Final

import idna
import regex

from webapp.once import once
from webapp.text.characters import (
    MOST_MARKS,
    UNSEEN,
    has_tower,
    is_blank,
    without_invisible,
)
from webapp.text.words import find_key

_JOINERS: Final = "\u200c\u200d"
# Invisible characters that change what is seen: the style of an emoji, the emoji that
# are made of several, flags of regions, and variants of Han and Mongolian letters.
_NEEDED: Final = regex.compile(
    r"(?<=[\p{Emoji}--[0-9#*]])[\ufe0e\ufe0f]"
    r"|(?<=[0-9#*])\ufe0f(?=\u20e3)"
    r"|(?<=\p{Extended_Pictographic}[\p{Emoji_Modifier}\ufe0f]?)\u200d"
    r"(?=\p{Extended_Pictographic})"
    r"|(?<=\U0001f3f4[\U000e0020-\U000e007e]*)[\U000e0020-\U000e007f]"
    r"|(?<=\p{Han})[\ufe00-\ufe0f\U000e0100-\U000e01ef]"
    r"|(?<=\p{Mongolian})[\u180b-\u180d\u180f]",
    flags=regex.V1,
)
_INVISIBLE: Final = regex.compile(rf"[{UNSEEN}\p{{Zl}}\p{{Zp}}]")
_UNSEEN: Final = regex.compile(rf"[{UNSEEN}]+")
_BARE_MARK: Final = regex.compile(r"(?:^|\s)\p{M}")
# The library's tables carry a direction mark around right-to-left letters.
_DIRECTION: Final = "\u200e"


def why_unreadable(name: str) -> str | None:
    """Return what keeps a name in one line from being read, or None if it is fine.

    The answer follows the name of what was typed: `has the invisible character …`.
    Joiners are welcome where a script or an emoji needs them.
    """
    if is_blank(name):
        return "has nothing in it that can be seen"
    for match in _INVISIBLE.finditer(name):
        if not _is_needed(name, match.start()):
            kind = "control" if unicodedata.category(match[0]) == "Cc" else "invisible"
            return f"has the {kind} character U+{ord(match[0]):04X}"
    if _BARE_MARK.search(name):
        return "has an accent or vowel sign without a letter under it"
    if has_tower(name):
        return f"has more than {MOST_MARKS} accents on one letter"
    return None


def name_key(name: str) -> str:
    """Return a name as it is looked up: case, width and spaces do not matter."""
    seen = _UNSEEN.sub("", " ".join(name.split()))
    plain = unicodedata.normalize("NFKC", find_key(seen))
    return " ".join(plain.split())


def looks(name: str) -> frozenset[str]:
    """Return how a name looks as written, in small letters and in capitals.

    Two names that have one of these in common are taken for the same by a reader:
    `Mina` and `МINА` in Cyrillic capitals, `Ian` and `lan`, but not `Ian` and `Lan`.
    """
    shown = " ".join(unicodedata.normalize("NFC", name).split())
    small = name_key(name)
    return frozenset(
        f"{form}:{skeleton}"
        for form, text in (("a", shown), ("b", small), ("c", small.upper()))
        if (skeleton := _skeleton(text))
    )


def _skeleton(text: str) -> str:
    """Replace every character by the one it looks like (UTS #39, section 4)."""
    plain = without_invisible(unicodedata.normalize("NFD", text))
    # A zero-width character may have kept two halves of a sequence apart.
    plain = unicodedata.normalize("NFD", plain)
    table = _prototypes()
    return unicodedata.normalize("NFD", "".join(table.get(c, c) for c in plain))


@once
def _prototypes() -> dict[str, str]:
    """Return what each character looks like, from the pairs that the library keeps.

    Unicode's table leads from each look-alike to one prototype, and the library has
    both directions: a prototype has many neighbours, or several letters (`rn` for `m`).
    """
    from confusable_homoglyphs.confusables import (  # noqa: PLC0415 -- slow import
        confusables_data,
    )

    near = {
        _bare(one): [_bare(other["c"]) for other in others]
        for one, others in confusables_data.items()
    }
    return {
        one: _prototype(one, others, near)
        for one, others in near.items()
        if len(one) == 1
    }


def _prototype(one: str, others: list[str], near: dict[str, list[str]]) -> str:
    if len(others) > 1:
        return one
    (other,) = others
    is_known = len(other) > 1 or len(near.get(other, ())) > 1
    return other if is_known else min(one, other)


def _bare(entry: Any) -> str:
    return str(entry).strip(_DIRECTION)


def _is_needed(name: str, at: int) -> bool:
    if _NEEDED.match(name, at):
        return True
    try:
        return name[at] in _JOINERS and idna.valid_contextj(name, at)
    except ValueError:
        # A letter that is newer than this Python: it is not known how it joins.
        return False
