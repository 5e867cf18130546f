"""What is answered instead of a model, and by which status it is known afterwards."""

from __future__ import annotations

from typing import NamedTuple

from webapp.content.schema import HelpTexts
from webapp.domain.safety.rule import find_concern
from webapp.rows import HELPED, REFUSED


class SiteAnswer(NamedTuple):
    """An answer in the school's own words; `status` is that of the generation."""

    status: str
    text: str


def answer_to(message: str, texts: HelpTexts) -> SiteAnswer | None:
    """Return what the site itself answers to a message; None: the model may.

    Such a message does not count, is in no model's history, and is shown to those who
    teach the player's class.
    """
    match find_concern(message):
        case "distress":
            return SiteAnswer(HELPED, texts.distress)
        case "danger":
            return SiteAnswer(REFUSED, texts.danger)
        case None:
            return None
