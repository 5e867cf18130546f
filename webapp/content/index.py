"""All valid content at one moment. It never changes; an edit makes a new one."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from webapp.content.attacks import Conversation
from webapp.content.report import Report
from webapp.content.schema import Ladder, Level
from webapp.errors import NotFound

_DEFENCE: Final = {"defender", "secret", "guards", "suspicion", "proof"}


class Index:
    """Ladders, levels and word lists by name, and what they are calibrated with."""

    def __init__(
        self,
        *,
        ladders: Mapping[str, Ladder],
        levels: Mapping[str, Level],
        words: Mapping[str, tuple[str, ...]],
        attacks: tuple[Conversation, ...] = (),
        benign: tuple[Conversation, ...] = (),
        reports: tuple[Report, ...] = (),
    ) -> None:
        """`reports` are the calibrations that were published with the ladders."""
        self.attacks = attacks
        self.benign = benign
        self.reports = reports
        self.ladders: Mapping[str, Ladder] = MappingProxyType(dict(ladders))
        self._levels = dict(levels)
        self._words = dict(words)
        self._level_hashes = {
            level.id: _digest(level.model_dump(mode="json"))
            for level in self._levels.values()
        }
        self._defence_hashes = {
            level.id: _digest(level.model_dump(mode="json", include=_DEFENCE))
            for level in self._levels.values()
        }
        self.hash = _digest(
            [
                [ladder.model_dump(mode="json") for ladder in ladders.values()],
                sorted(self._level_hashes.items()),
                sorted((name, list(of)) for name, of in words.items()),
            ]
        )

    def ladder(self, ladder_id: str) -> Ladder:
        """Return a ladder; raise NotFound."""
        ladder = self.ladders.get(ladder_id)
        if ladder is None:
            raise NotFound("There is no such ladder.")
        return ladder

    def levels(self, ladder_id: str) -> tuple[Level, ...]:
        """Return the levels of a ladder, in order; raise NotFound."""
        return tuple(self._levels[name] for name in self.ladder(ladder_id).levels)

    def level(self, level_id: str) -> Level:
        """Return a level of any ladder; raise NotFound."""
        level = self._levels.get(level_id)
        if level is None:
            raise NotFound("There is no such level.")
        return level

    def ladder_of(self, level_id: str) -> str:
        """Return the id of the ladder that a level belongs to; raise NotFound."""
        for ladder in self.ladders.values():
            if level_id in ladder.levels:
                return ladder.id
        raise NotFound("There is no such level.")

    def next_level(self, level_id: str) -> str | None:
        """Return the level after this one in its ladder; None after the last."""
        levels = self.ladders[self.ladder_of(level_id)].levels
        following = levels.index(level_id) + 1
        return levels[following] if following < len(levels) else None

    def words(self, name: str) -> tuple[str, ...]:
        """Return a list of secret words; raise NotFound."""
        words = self._words.get(name)
        if words is None:
            raise NotFound("There is no such word list.")
        return words

    def level_hash(self, level_id: str) -> str:
        """Return the hash of a level: the same for other comments or another list."""
        return self._level_hashes[self.level(level_id).id]

    def defence_hash(self, level_id: str) -> str:
        """Return the hash of all that decides how a level plays; raise NotFound.

        A calibration holds as long as it stays the same. The texts around a level do
        not count, nor does its word list: neither changes what was measured.
        """
        return self._defence_hashes[self.level(level_id).id]


def _digest(value: object) -> str:
    text = json.dumps(value, sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()
