"""Text as a reader sees it, whatever characters it was written with."""

from __future__ import annotations

import re
import unicodedata

# Letters of other alphabets that look like Latin ones.
_LOOK_ALIKES = str.maketrans(
    "АВЕКМНОРСТУХаеорсухіјѕԁɡΑΒΕΖΗΙΚΜΝΟΡΤΥΧαονρτυι",
    "ABEKMHOPCTYXaeopcyxijsdgABEZHIKMNOPTYXaovptui",
)
_SENTENCE_END = re.compile(r"(?<=[.!?;\n])\s+")
_RUN_STEP = 40
_MOST_VIEWS = 64
_SPACED = re.compile(r"(?<![^\W_])(?:[^\W_][ .\-_*]){3,}[^\W_](?![^\W_])")


def fold(text: str) -> str:
    """Undo styled, accented, invisible and look-alike characters."""
    shown = "".join(c for c in text if unicodedata.category(c) not in ("Cf", "Co"))
    parts = unicodedata.normalize("NFKD", shown)
    plain = "".join(c for c in parts if not unicodedata.combining(c))
    return plain.translate(_LOOK_ALIKES)


def join_spaced(text: str) -> str:
    """Join words that are written letter by letter, such as p-a-s-s."""
    return _SPACED.sub(lambda m: re.sub(r"[ .\-_*]", "", m.group()), text)


def words(text: str) -> list[str]:
    """Return the words of a folded text in lower case."""
    return re.findall(r"[^\W_]+", fold(text).casefold())


def sentences(text: str) -> list[str]:
    """Return the sentences of a text."""
    return [part for part in _SENTENCE_END.split(text.strip()) if part]


def views(text: str) -> list[str]:
    """Return the text, its sentences and runs of words, so that nothing hides in it.

    At most 2 * _MOST_VIEWS + 1, each once; longer texts are cut into longer pieces.
    """
    parts = text.split()
    step = max(_RUN_STEP, len(parts) // _MOST_VIEWS + 1)
    size = step * 3 // 2
    starts = range(0, max(1, len(parts) - size + step), step)
    runs = [" ".join(parts[start : start + size]) for start in starts]
    single = sentences(text)
    each = len(single) // _MOST_VIEWS + 1
    groups = [" ".join(single[i : i + each]) for i in range(0, len(single), each)]
    return list(dict.fromkeys([text, *runs, *groups]))
