"""The secret words in German, French, Spanish, Italian and Portuguese.

The table `translations.tsv` was written for this project: a word, a tab, and its
translations with commas between them. Those that are common English words as well are
left out, since ordinary replies are full of them.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path

from finetune.guards.text import words

_FILE = Path(__file__).with_suffix(".tsv")


@cache
def translations() -> dict[str, frozenset[tuple[str, ...]]]:
    """Return word → its translations, each as the plain words that it is made of."""
    lines = _FILE.read_text("utf-8").splitlines()
    split = (line.partition("\t") for line in lines)
    return {
        word: frozenset(tuple(words(told)) for told in rest.split(","))
        for word, _, rest in split
    }


def is_translated(reply: str, secret: str) -> bool:
    """Find a translation of the word; of a word that is not in the table, none."""
    known = translations().get(secret, frozenset())
    said = words(reply)
    return any(
        tuple(said[start : start + len(told)]) == told
        for told in known
        for start in range(len(said))
    )
