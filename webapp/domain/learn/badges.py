"""Whether a panel was proven on the model that answers now."""

from __future__ import annotations

from typing import Final, Literal

from webapp.content.index import Index
from webapp.content.lessons.schema import Lesson, Panel

Badge = Literal["proven", "too easy", "broken", "unproven", "unknown"]

WHAT_IT_SAYS: Final[dict[Badge, str]] = {
    "proven": "Tried out on this model: it can be solved, and not by accident.",
    "too easy": "On this model it can be solved without the idea of the lesson.",
    "broken": "On this model even our own solution rarely works.",
    "unproven": "Not tried out on this model yet.",
    "unknown": "The model has not answered yet: it may still be starting.",
}


def badge_of(index: Index, lesson: Lesson, panel: Panel, version: str | None) -> Badge:
    """Return what is known of a panel on a version of its model.

    The version is None while the model has not said it.
    """
    if version is None:
        return "unknown"
    panel_hash = index.panel_hash(lesson.id, panel.name)
    row = index.proven.get((panel_hash, version))
    return row.verdict if row is not None else "unproven"
