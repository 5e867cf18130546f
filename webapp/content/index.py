"""All valid content at one moment. It never changes; an edit makes a new one."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final

from webapp.content.attacks import Conversation
from webapp.content.data_sets import DataSet
from webapp.content.lessons.course import Course, Finder, Track
from webapp.content.lessons.proven import Proven
from webapp.content.lessons.schema import Lesson
from webapp.content.report import Report
from webapp.content.schema import HelpTexts, Ladder, Level
from webapp.errors import NotFound

_DEFENCE: Final = {
    "defender",
    "document",
    "secret",
    "guards",
    "suspicion",
    "proof",
}


class Index:
    """Ladders, levels, lessons and word lists, and what they were measured with."""

    def __init__(
        self,
        *,
        ladders: Mapping[str, Ladder],
        levels: Mapping[str, Level],
        words: Mapping[str, tuple[str, ...]],
        attacks: tuple[Conversation, ...] = (),
        benign: tuple[Conversation, ...] = (),
        data_sets: Mapping[str, DataSet] = MappingProxyType({}),
        reports: tuple[Report, ...] = (),
        help_texts: HelpTexts,
        course: Course | None = None,
    ) -> None:
        """`reports` are the calibrations that were published with the ladders."""
        course = course or Course()
        # Tracks with lessons in them, in their order.
        self.tracks: tuple[Track, ...] = course.tracks
        # What was played, by panel hash and model version.
        self.proven: Proven = course.proven
        self._lessons = Finder(course.tracks)
        self.attacks = attacks
        self.benign = benign
        # Sets to train on, by the names of their files.
        self.data_sets: Mapping[str, DataSet] = MappingProxyType(dict(data_sets))
        self.reports = reports
        self.help_texts = help_texts
        self.ladders: Mapping[str, Ladder] = MappingProxyType(dict(ladders))
        self._levels = dict(levels)
        self._words = dict(words)
        self._level_hashes = {
            level.id: _digest(_body(level)) for level in self._levels.values()
        }
        self._defence_hashes = {
            level.id: _digest(_body(level, _DEFENCE)) for level in self._levels.values()
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

    def lesson(self, lesson_id: str) -> Lesson:
        """Return a lesson by its id or by an id that it had before; raise NotFound."""
        lesson = self.find_lesson(lesson_id)
        if lesson is None:
            raise NotFound("There is no such lesson.")
        return lesson

    def find_lesson(self, lesson_id: str) -> Lesson | None:
        """Return a lesson by its id or by an id that it had before, if there is one."""
        return self._lessons.find(lesson_id)

    def next_lesson(self, lesson_id: str) -> Lesson | None:
        """Return the lesson after this one in the course; None after the last."""
        return self._lessons.after(self.lesson(lesson_id))

    def lessons_for_gate(self, gate: str) -> tuple[Lesson, ...]:
        """Return the lessons that help with a gate, such as keep/told."""
        return self._lessons.for_gate(gate)

    def lesson_hash(self, lesson_id: str) -> str:
        """Return the hash of all that a lesson says; raise NotFound."""
        return self._lessons.lesson_hash(self.lesson(lesson_id))

    def panel_hash(self, lesson_id: str, panel_name: str) -> str:
        """Return the hash of all that decides how a panel plays; raise NotFound.

        A proof, and what a student passed, hold as long as it stays the same. The
        texts around a panel do not count.
        """
        lesson = self.lesson(lesson_id)
        for panel in lesson.panels:
            if panel.name == panel_name:
                return self._lessons.panel_hash(lesson, panel)
        raise NotFound("There is no such panel.")

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


def _body(level: Level, keys: set[str] | None = None) -> dict[str, Any]:
    """Return what a hash is made of."""
    body = level.model_dump(mode="json", include=keys)
    # Most levels have none, and their hashes are older than documents.
    if body["document"] is None:
        del body["document"]
    return body


def _digest(value: object) -> str:
    text = json.dumps(value, sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()
