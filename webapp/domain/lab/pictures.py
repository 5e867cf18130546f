"""Passages as dots on paper: near in meaning, near on the page, as far as that goes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from webapp.domain.lab.documents import PassageView
from webapp.domain.lab.nearness import flattened, unpacked
from webapp.domain.lab.open_book import ranked

# More dots than this are a cloud. The nearest to a question are drawn, or the first.
MOST_DOTS: Final = 150


@dataclass(frozen=True, slots=True)
class Dot:
    """A passage, its place from -1 to 1, and its score for the question if one is."""

    x: float
    y: float
    passage: PassageView
    score: float | None = None


@dataclass(frozen=True, slots=True)
class Picture:
    """The dots, the nearest first; the place of the question; how many are left out."""

    dots: tuple[Dot, ...]
    question: tuple[float, float] | None = None
    left_out: int = 0


def picture(passages: Sequence[PassageView], vector: bytes | None = None) -> Picture:
    """Return where passages lie, with a question among them if `vector` is one."""
    found: Sequence[tuple[float | None, PassageView]]
    if vector is None:
        found = [(None, each) for each in passages]
    else:
        found = ranked(passages, vector)
    shown = found[:MOST_DOTS]
    if not shown:
        return Picture(())
    rows = [each.vector for _, each in shown]
    places = flattened(unpacked(rows if vector is None else [*rows, vector]))
    dots = tuple(
        Dot(x, y, each, score)
        for (x, y), (score, each) in zip(places, shown, strict=False)
    )
    question = None if vector is None else places[-1]
    return Picture(dots, question, len(found) - len(shown))
