"""What the verdict of a guard model is based on, as stored and as shown."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Final

from webapp.domain.texts import storable
from webapp.plugins.asking import Grounds, Highlight

# From which share of the strongest weight a piece is marked: a little, more, most.
STEPS: Final = (0.1, 0.35, 0.7)
# Where no piece changes the odds by a tenth, a mark would claim too much.
LEAST_WEIGHT: Final = 0.1
# Higher factors are shown as the same.
MOST_TIMES: Final = 1000
MOST_NAMED: Final = 4


@dataclass(frozen=True, slots=True)
class MarkedPart:
    """A piece of a text and the gap after it; `step` in -3..3: how strong a mark."""

    text: str
    gap: str
    weight: float
    step: int

    @property
    def times(self) -> str:
        """By what the piece multiplies the odds, or divides them: ×8.2, ÷1.5."""
        operator = "×" if self.weight >= 0 else "÷"
        if abs(self.weight) >= math.log(MOST_TIMES):
            return f"{operator}{MOST_TIMES} or more"
        return f"{operator}{math.exp(abs(self.weight)):.1f}"


@dataclass(frozen=True, slots=True)
class MarkedText:
    """A text with the pieces that moved a score; `before` and `after` did not matter.

    `is_verbatim` says whether the text that was judged has the pieces exactly so.
    """

    before: str
    parts: tuple[MarkedPart, ...]
    after: str
    is_verbatim: bool

    @property
    def strongest(self) -> tuple[MarkedPart, ...]:
        """The marked pieces that changed the odds most."""
        marked = [part for part in self.parts if part.step]
        marked.sort(key=lambda part: -abs(part.weight))
        return tuple(marked[:MOST_NAMED])


@dataclass(frozen=True, slots=True)
class GroundsView:
    """The grounds of a verdict. `marked` is None until the model was asked for it.

    `marked_by` is the version that marked it: the model may have been trained since.
    """

    model: str
    version: str
    threshold: float
    marked: MarkedText | None
    marked_by: str

    def as_dict(self) -> dict[str, Any]:
        """Return the grounds as they are exported."""
        parts = self.marked.parts if self.marked else ()
        return {
            "model": self.model,
            "version": self.version,
            "threshold": self.threshold,
            "highlights": [
                {"text": part.text + part.gap, "weight": part.weight} for part in parts
            ],
        }


def grounds_row(grounds: Grounds | None) -> dict[str, Any] | None:
    """Return grounds as they are stored with a verdict, not marked yet."""
    if grounds is None:
        return None
    return {
        "model": storable(grounds.model),
        "version": storable(grounds.version),
        "threshold": grounds.threshold,
    }


def needs_marks(row: dict[str, Any] | None) -> bool:
    """Return whether the model has yet to be asked which words mattered."""
    return row is not None and "marks" not in row


def marked_row(row: dict[str, Any], grounds: Grounds | None) -> dict[str, Any]:
    """Return stored grounds with what the model answered, which may be nothing."""
    if grounds is None:
        return {**row, "marks": [], "marked_by": row["version"]}
    marks = [[storable(text), weight] for text, weight in grounds.highlights]
    return {**row, "marks": marks, "marked_by": storable(grounds.version)}


def grounds_view(row: dict[str, Any] | None, judged: str) -> GroundsView | None:
    """Return stored grounds as they are shown with the text that was judged."""
    if row is None:
        return None
    marks = row.get("marks")
    return GroundsView(
        model=row["model"],
        version=row["version"],
        threshold=row["threshold"],
        marked=None if marks is None else mark_text(judged, marks),
        marked_by=row.get("marked_by", ""),
    )


def mark_text(judged: str, marks: list[list[Any]]) -> MarkedText:
    """Lay marked pieces over the text that was judged.

    A model may have read a part of it only, or a plain form: then that is shown.
    """
    pieces = [Highlight(text, weight) for text, weight in marks]
    read = "".join(piece.text for piece in pieces)
    before, _, after = judged.partition(read) if read else (judged, "", "")
    is_verbatim = len(before) + len(read) + len(after) == len(judged)
    strongest = max((abs(piece.weight) for piece in pieces), default=0.0)
    return MarkedText(
        before=before if is_verbatim else "",
        parts=tuple(_part(piece, strongest) for piece in pieces),
        after=after if is_verbatim else "",
        is_verbatim=is_verbatim,
    )


def _part(piece: Highlight, strongest: float) -> MarkedPart:
    text = piece.text.rstrip()
    step = 0
    if strongest >= LEAST_WEIGHT and text:
        share = abs(piece.weight) / strongest
        step = sum(share >= least for least in STEPS)
    return MarkedPart(
        text=text,
        gap=piece.text[len(text) :],
        weight=piece.weight,
        step=step if piece.weight > 0 else -step,
    )
