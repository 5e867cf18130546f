"""What a player saw in a run once it was over: a note in their own words."""

from __future__ import annotations

from typing import Final

from webapp.domain.services import Services
from webapp.domain.texts import require_text
from webapp.domain.train.runs import OVER, require_run
from webapp.errors import Conflict, InvalidInput

NOTE_CHARS: Final = 1_000


def keep(services: Services, *, player_id: int, run_id: int, note: str) -> None:
    """Keep a note with one's own run, in place of an earlier one; empty: none.

    Raises InvalidInput for what is too long or no text, Conflict before the run is
    over, and NotFound.
    """
    text = require_text(note, what="note").strip()
    if len(text) > NOTE_CHARS:
        raise InvalidInput(f"Your note has at most {NOTE_CHARS:,} characters.")
    with services.db.write() as session:
        row = require_run(session, player_id, run_id)
        if row.status not in OVER:
            raise Conflict("This run is not over yet, so nobody can say what it did.")
        row.settings = {**row.settings, "note": text}
