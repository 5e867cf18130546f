"""What a reply says about a secret, as numbers: its meaning and its letters.

The numbers do not depend on which word it is, so that a small head trained on some
words works for all.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from finetune.guards.alphabets import NUMBERS
from finetune.guards.text import fold, words

Vectors = NDArray[np.float32]

_SENTENCE = re.compile(r"(?<=[.!?;:\n])\s+|\s-\s")
_QUOTED = re.compile(r"[\"“”'‘’`*«»]([^\W\d_]+)[.…-]*[\"“”'‘’`*«»]|\b([A-Z]+)\b")
_MOST_SENTENCES = 12
# The words for 3 to 9: the lengths that secrets have.
_NUMBERS = {NUMBERS[number]: number for number in range(3, 10)}
NAMES = (
    "cosine", "best cosine", "z", "best z", "second z", "rank",
    "singles in order", "singles", "prefix", "quoted prefix", "suffix", "quoted suffix",
    "inside", "similar word", "similar quoted word", "same ending", "rhymes",
    "right length", "first letter", "consonants", "length",
)  # fmt: skip


def sentences(reply: str) -> list[str]:
    """Return the reply and, if there are several, its first sentences."""
    return passages(reply)[0]


def passages(
    reply: str, cut: Callable[[str], list[str]] = lambda text: [text]
) -> list[list[str]]:
    """Return a reply in passages: each as a whole, and then its sentences.

    The first is the reply itself. `cut` divides a sentence that is too long to be read
    in one go.
    """
    parts = [
        piece
        for sentence in _SENTENCE.split(reply.strip())
        if len(sentence.strip()) > 3
        for piece in cut(sentence.strip())
    ]
    groups = [
        parts[start : start + _MOST_SENTENCES]
        for start in range(0, len(parts), _MOST_SENTENCES)
    ]
    first, rest = (groups[0], groups[1:]) if len(parts) > 1 else ([], [])
    return [[reply, *first], *([" ".join(group), *group] for group in rest)]


def evidence(
    reply: str, vectors: Vectors, secret: str, meaning: Vectors, reference: Vectors
) -> list[float]:
    """Return the numbers of `NAMES`.

    `vectors` are unit vectors of `sentences(reply)`, `meaning` that of the secret, and
    `reference` those of other common words, (words, width).
    """
    return [*_meanings(vectors, meaning, reference), *_letters(reply, secret)]


def _meanings(vectors: Vectors, meaning: Vectors, reference: Vectors) -> list[float]:
    near = vectors @ meaning  # (sentences,)
    others = vectors @ reference.T  # (sentences, words)
    # How much nearer than a word picked at random, in standard deviations.
    z = np.sort((near - others.mean(1)) / (others.std(1) + 1e-6))
    nearer = (others > near[:, None]).mean(1).min()
    return [
        float(near[0]),
        float(near.max()),
        float((near[0] - others[0].mean()) / (others[0].std() + 1e-6)),
        float(z[-1]),
        float(z[-2] if len(z) > 1 else z[-1]),
        -math.log10(float(nearer) + 1e-4),
    ]


def _letters(reply: str, secret: str) -> list[float]:
    said = words(reply)
    size = len(secret)
    quoted = list(_quoted(reply))
    singles = [word for word in quoted if len(word) == 1]
    longer = [word for word in said if len(word) >= 3]
    close = sorted((_alike(word, secret) for word in set(longer)), reverse=True)
    rhymes = sum(word[-3:] == secret[-3:] for word in set(longer))
    lengths = {_number(word) for word in said}
    return [
        _in_order(singles, secret) / size,
        min(len(singles), 10) / 10,
        _piece(said, secret) / size,
        _piece(quoted, secret) / size,
        _piece([word[::-1] for word in said], secret[::-1]) / size,
        _piece([word[::-1] for word in quoted], secret[::-1]) / size,
        max((len(word) for word in longer if word in secret), default=0) / size,
        close[0] if close else 0.0,
        max((_alike(word, secret) for word in quoted if len(word) > 2), default=0.0),
        max((_shared_end(word, secret) for word in longer), default=0) / size,
        min(rhymes, 5) / 5,
        float(size in lengths),
        float(bool(singles) and singles[0] == secret[0]),
        max((_alike(_bare(word), _bare(secret)) for word in set(longer)), default=0.0),
        min(math.log10(len(reply) + 1), 3.0) / 3,
    ]


def covered(replies: Sequence[str], secret: str) -> float:
    """Return how much of the secret its pieces in quotes or capitals make up.

    Pieces count in the order in which the visit brought them: "L", then "an", then "T".
    """
    length = 0
    for reply in replies:
        for piece in _quoted(reply):
            if len(piece) < len(secret) and secret.startswith(piece, length):
                length += len(piece)
    return length / len(secret) if secret else 0.0


def _quoted(reply: str) -> Iterator[str]:
    for quoted, capitals in _QUOTED.findall(fold(reply)):
        if piece := (quoted or capitals).casefold():
            yield piece


def _number(word: str) -> int | None:
    if word.isdecimal() and len(word) < 3:
        return int(word)
    return _NUMBERS.get(word)


def _in_order(letters: Sequence[str], secret: str) -> int:
    count = 0
    for letter in letters:
        if count < len(secret) and letter == secret[count]:
            count += 1
    return count


def _piece(pieces: Sequence[str], secret: str) -> int:
    """Return the length of the longest word that the secret begins with."""
    return max(
        (len(w) for w in pieces if len(w) > 1 and secret.startswith(w)), default=0
    )


def _shared_end(word: str, secret: str) -> int:
    size = 0
    while size < min(len(word), len(secret)) and word[-1 - size] == secret[-1 - size]:
        size += 1
    return size


def _bare(word: str) -> str:
    return "".join(letter for letter in word if letter not in "aeiouy")


def _alike(word: str, secret: str) -> float:
    """Return how alike two words are, by pairs of letters (Dice 1945): 0 to 1."""
    one, two = (_pairs(f"^{text}$") for text in (word, secret))
    return 2 * len(one & two) / (len(one) + len(two))


def _pairs(text: str) -> set[str]:
    return {text[n : n + 2] for n in range(len(text) - 1)}
