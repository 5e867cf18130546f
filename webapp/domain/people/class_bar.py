"""What a class sees below the header of every page: a sentence, or a clock."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime

from webapp.domain.people import rules
from webapp.domain.people.accounts import PlayerInfo
from webapp.domain.people.classes import OPEN_CLASS
from webapp.domain.people.rules import Clock
from webapp.domain.services import Services
from webapp.rows import SchoolClass


@dataclass(frozen=True, slots=True)
class ClassBar:
    """The sentence that everybody is to look at, and the clock; None: there is none.

    `now` is the clock of the site: those of browsers differ.
    """

    look_here: str | None
    clock: Clock | None
    now: datetime

    @property
    def version(self) -> str:
        """A text that changes when anything that is shown does."""
        seen = repr((self.look_here, self.clock))
        return hashlib.sha256(seen.encode()).hexdigest()[:16]


def class_bar(services: Services, player: PlayerInfo | None) -> ClassBar | None:
    """Return what a player's class sees now; None for those without a class.

    Staff see it on the page on which they lead.
    """
    if player is None or player.is_instructor or player.class_name == OPEN_CLASS:
        return None
    now = services.now()
    with services.db.read() as session:
        row = session.get_one(SchoolClass, player.class_id)
        return ClassBar(row.look_here, rules.running_clock(row, now), now)
