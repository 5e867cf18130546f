"""Three parts of the texts, made before anything is cut: to learn, to judge, to lock.

The model learns from `train`. `validation` shows how it does while it learns, and so
helps to choose settings. `test` was no help to anybody: it stays locked until the end.
"""

from __future__ import annotations

import hashlib
import itertools
import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from finetune.data.texts.errors import DataError
from finetune.data.texts.rendering import Rendered

_LEAST = 3
# Where a long text is cut, the best places first: paragraphs, lines, sentences, words.
_PLACES = tuple(
    re.compile(pattern)
    for pattern in (
        r"\n[^\S\n]*\n(?=\S)",
        r"\n(?=\S)",
        r"(?<=[.!?。！？])\s*(?=\S)",
        r"\s(?=\S)",
    )
)
_NEAR = 0.03  # of the text: so far from its place a cut may be


@dataclass(frozen=True, slots=True)
class Split:
    """Texts of each part, in the order of the file. Equal texts are in one part."""

    train: list[Rendered]
    validation: list[Rendered]
    test: list[Rendered]


def key(rendered: Rendered) -> str:
    """Return what equal texts have in common, whatever their case and spacing."""
    text = rendered.content or rendered.whole()
    if not text.isascii():
        text = unicodedata.normalize("NFKC", text)
    return " ".join(text.casefold().split())


def split(
    rendered: Sequence[Rendered], *, validation: float, test: float, seed: int
) -> Split:
    """Deal texts out by their content and the seed, so that order does not matter.

    Empty texts are dropped. One long text alone is cut in order: its end is the
    validation part and the stretch before that the test part. Raises DataError if
    there is too little, or no share is left to learn from or to judge by.
    """
    if validation <= 0:
        raise DataError(
            "Nothing is kept to judge by: set validation to 0.1, or another share"
            " above 0."
        )
    if validation + test >= 1:
        raise DataError(
            "Nothing is left to learn from: validation and test together must be less"
            " than 1."
        )
    texts = [each for each in rendered if not each.is_empty()]
    if len(texts) == 1 and texts[0].answer is None and texts[0].messages is None:
        return _cut(texts[0], validation, test)
    keys = [_digest(each, seed) for each in texts]
    order = sorted(set(keys))
    judged = max(1, round(validation * len(order)))
    locked = max(1, round(test * len(order))) if test > 0 else 0
    if len(order) < _LEAST or judged + locked >= len(order):
        raise DataError(
            f"There {_texts(len(order))}, too little to learn from some and judge by"
            f" others: {max(_LEAST, 2 * (judged + locked))} are the least, and a few"
            " hundred are better."
        )
    part = dict.fromkeys(order[:judged], "validation")
    part.update(dict.fromkeys(order[judged : judged + locked], "test"))
    dealt: dict[str, list[Rendered]] = {"train": [], "validation": [], "test": []}
    for each, digest in zip(texts, keys, strict=True):
        dealt[part.get(digest, "train")].append(each)
    return Split(**dealt)


def take(texts: Sequence[Rendered], most: int | None, *, seed: int) -> list[Rendered]:
    """Return at most so many texts, in order; fewer are always among more."""
    if most is None or len(texts) <= most:
        return list(texts)
    numbered = sorted(range(len(texts)), key=lambda n: (_digest(texts[n], seed + 1), n))
    return [texts[n] for n in sorted(numbered[:most])]


def _digest(rendered: Rendered, seed: int) -> bytes:
    return hashlib.sha256(f"{seed}\n{key(rendered)}".encode()).digest()[:16]


def _cut(text: Rendered, validation: float, test: float) -> Split:
    whole = text.text
    ends = [1 - validation - test, 1 - validation] if test > 0 else [1 - validation]
    places = [0]
    for share in ends:
        places.append(_place(whole, round(share * len(whole)), places[-1]))
    places.append(len(whole))
    pieces = [
        text._replace(text=part, content=part)
        for part in (whole[a:b] for a, b in itertools.pairwise(places))
    ]
    if any(not piece.text.strip() for piece in pieces):
        raise DataError(
            "The text is too short to learn from one part and judge by another: a few"
            " pages are the least."
        )
    return Split([pieces[0]], [pieces[-1]], pieces[1:-1])


def _place(text: str, wanted: int, after: int) -> int:
    """Return where to cut near a position, at the best kind of place that is near."""
    for pattern in _PLACES:
        found = min(
            _ends(pattern, text, wanted, after),
            key=lambda place: abs(place - wanted),
            default=None,
        )
        if found is not None:
            return found
    return max(wanted, after)


def _ends(
    pattern: re.Pattern[str], text: str, wanted: int, after: int
) -> Iterator[int]:
    reach = max(1, round(_NEAR * len(text)))
    start = max(after + 1, wanted - reach)
    for found in pattern.finditer(text, start, min(len(text), wanted + reach)):
        yield found.end()


def _texts(count: int) -> str:
    if count == 1:
        return "is 1 text that is not empty"
    return f"are {count} different texts that are not empty"
