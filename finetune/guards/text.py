"""Text as a reader sees it, whatever characters it was written with."""

from __future__ import annotations

import re
import unicodedata

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
_WORD = re.compile(r"[^\W_]+")
_PLAIN = re.compile(r"[\t\n\r -~]*")


def fold(text: str) -> str:
    """Undo styled, accented, invisible, boxed, turned and look-alike characters.

    Hidden tag characters become visible. Look-alikes are replaced where a word mixes
    alphabets, or where nearly all of the text is Latin: Russian stays Russian.
    """
    if _PLAIN.fullmatch(text):
        return text
    shown = _show(text)
    parts = unicodedata.normalize("NFKD", shown)
    plain = "".join(c for c in parts if not _is_latin_mark(c))
    plain = unicodedata.normalize("NFC", plain).translate(_SMALL_CAPITALS)
    if len(_TURNED_ONLY & set(plain)) >= 3:
        plain = plain.translate(_TURNED)[::-1]
    letters = [c for c in plain if c.isalpha()]
    latin = sum(c.isascii() for c in letters)
    is_latin = latin > 0.7 * len(letters)
    return _WORD.sub(lambda match: _unmix(match.group(), is_latin), plain)


def words(text: str) -> list[str]:
    """Return the words of a folded text in lower case."""
    return _WORD.findall(fold(text).casefold())


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


def _is_latin_mark(character: str) -> bool:
    """Say whether this is an accent; the marks of Indian scripts are vowels."""
    is_indian = "\u0900" <= character <= "\u1cff"
    return unicodedata.combining(character) != 0 and not is_indian


def _unmix(word: str, is_latin: bool) -> str:
    folded = word.translate(_LOOK_ALIKES)
    if folded == word:
        return word
    is_mixed = any(c.isascii() for c in word if c.isalpha())
    return folded if folded.isascii() and (is_mixed or is_latin) else word
