"""Text as a reader sees it, whatever characters it was written with."""

from __future__ import annotations

import re
import unicodedata

import regex

# Letters of other alphabets that look like Latin ones, and what they look like.
_LOOK_ALIKES = str.maketrans(
    "АВЕКМНОРСТУХаеорсухіјѕԁɡԛԝһΑΒΕΖΗΙΚΜΝΟΡΤΥΧαονρτυικοιԼԍɑɩʏһոսք",
    "ABEKMHOPCTYXaeopcyxijsdgqwhABEZHIKMNOPTYXaovptuikoiLGaiyhnuf",
)
# Small capitals and upside-down letters, with the letters they stand for.
_SMALL_CAPITALS = str.maketrans(
    "ᴀʙᴄᴅᴇꜰɢʜɪᴊᴋʟᴍɴᴏᴘǫʀꜱᴛᴜᴠᴡʏᴢ", "abcdefghijklmnopqrstuvwyz"
)
_TURNED = str.maketrans("ɐqɔpǝɟƃɥᴉɾʞlɯuodbɹsʇnʌʍxʎz", "abcdefghijklmnopqrstuvwxyz")
_TURNED_ONLY = frozenset("ɐɔǝɟƃɥᴉɾʞɯɹʇʌʍʎ")
# Letters in boxes and flags that Unicode does not call letters: first → "a".
_BOXED = (0x1F1E6, 0x1F150, 0x1F170)
_TAGS = (0xE0020, 0xE007E)
_WORD = regex.compile(r"[\p{L}\p{N}][\p{L}\p{N}\p{M}]*")
_PLAIN = re.compile(r"[\t\n\r -~]*")
# Characters that stand for a phrase, such as U+FDFA: the longer ones are no disguise
# of a letter, and written out they would make a text many times as long.
_MOST_LETTERS = 4
# The same few characters four times or more: "x x x x".
_REPEATED = re.compile(r"(\S.{0,15}?)(?:\s*+\1){3,}", re.DOTALL)
# As much as a short sentence; less is a laugh, a line or a row of dots.
_PADDING = 24
# The tokenizer takes a longer word for one unknown token, so nobody would read it.
_LONGEST_WORD, _PART = 100, 32
_UNBROKEN = re.compile(r"[^\s!-/:-@\[-`{-~]{34,}")


def fold(text: str) -> str:
    """Undo styled, accented, invisible, boxed, turned and look-alike characters.

    Hidden tag characters become visible. Look-alikes are replaced where a word mixes
    alphabets, or where nearly all of the text is Latin: Russian stays Russian.
    """
    if _PLAIN.fullmatch(text):
        return text
    parts = "".join(map(_letters_of, _show(text)))
    # Again, for the order of marks that came apart one by one.
    parts = unicodedata.normalize("NFD", parts)
    plain = "".join(c for c in parts if not is_accent(c))
    plain = unicodedata.normalize("NFC", plain).translate(_SMALL_CAPITALS)
    if len(_TURNED_ONLY & set(plain)) >= 3:
        plain = plain.translate(_TURNED)[::-1]
    letters = [c for c in plain if c.isalpha()]
    latin = sum(c.isascii() for c in letters)
    is_latin = latin > 0.7 * len(letters)
    return str(_WORD.sub(lambda match: _unmix(match.group(), is_latin), plain))


def words(text: str) -> list[str]:
    """Return the words of a folded text in lower case, vowel signs and all."""
    found: list[str] = _WORD.findall(fold(text).casefold())
    return found


def is_accent(character: str) -> bool:
    """Say whether this is an accent, and not a vowel sign or the like.

    By canonical combining class, or by what is drawn around a letter, as the site has
    it in `webapp/text/characters.py`.
    """
    mark = unicodedata.combining(character)
    is_around = unicodedata.category(character) == "Me"
    return 10 <= mark <= 36 or mark >= 200 or is_around


def without_padding(text: str) -> str:
    """Return a text in which what is repeated again and again stands once."""
    return _REPEATED.sub(
        lambda match: match[0] if len(match[0]) < _PADDING else f"{match[1]} ", text
    )


def with_gaps(text: str) -> str:
    """Return a text with gaps in words that no tokenizer would read."""
    return _UNBROKEN.sub(_with_gaps, text)


def _with_gaps(match: re.Match[str]) -> str:
    word = match[0]
    if len(unicodedata.normalize("NFD", word)) <= _LONGEST_WORD:
        return word
    return " ".join(word[start : start + _PART] for start in range(0, len(word), _PART))


def _letters_of(character: str) -> str:
    letters = unicodedata.normalize("NFKD", character)
    return letters if len(letters) <= _MOST_LETTERS else character


def _show(text: str) -> str:
    shown = []
    for character in text:
        code = ord(character)
        boxed = next((first for first in _BOXED if 0 <= code - first < 26), None)
        if _TAGS[0] <= code <= _TAGS[1]:
            shown.append(chr(code - 0xE0000))
        elif boxed is not None:
            shown.append(chr(code - boxed + ord("a")))
        elif unicodedata.category(character) not in ("Cf", "Co") and not (
            0xFE00 <= code <= 0xFE0F or 0xE0100 <= code <= 0xE01EF
        ):
            shown.append(character)
    return "".join(shown)


def _unmix(word: str, is_latin: bool) -> str:
    folded = word.translate(_LOOK_ALIKES)
    if folded == word:
        return word
    is_mixed = any(c.isascii() for c in word if c.isalpha())
    return folded if folded.isascii() and (is_mixed or is_latin) else word
