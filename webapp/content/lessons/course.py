"""All lessons at one moment: tracks in their order, and how each lesson is found."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Final

from webapp.content.lessons.proven import Proven
from webapp.content.lessons.schema import Lesson, Panel, TrackInfo

# What decides how a panel plays; with `mistakes` only what shows them.
_PLAYS: Final = {
    "talk",
    "model",
    "system",
    "messages",
    "text",
    "start_reply",
    "slots",
    "vary",
    "temperature",
    "top_p",
    "max_tokens",
    "stop",
    "seed",
    "samples",
    "expect",
    "checks",
    "mistakes",
    "proof",
}
_TEXTS_AROUND: Final = {"say", "why", "metric", "label", "lines"}


@dataclass(frozen=True, slots=True)
class Track:
    """A folder of lessons, in their order."""

    id: str
    info: TrackInfo
    lessons: tuple[Lesson, ...]


@dataclass(frozen=True, slots=True)
class Course:
    """All tracks with lessons in them, and what was proven of their panels."""

    tracks: tuple[Track, ...] = ()
    proven: Proven = field(default_factory=lambda: MappingProxyType({}))


class Finder:
    """Finds lessons by id, old id, place and gate; hashes are made when asked for."""

    def __init__(self, tracks: Iterable[Track]) -> None:
        lessons = [lesson for track in tracks for lesson in track.lessons]
        self._lessons = {lesson.id: lesson for lesson in lessons}
        self._order = {lesson.id: at for at, lesson in enumerate(lessons)}
        self._list = tuple(lessons)
        self._old = {old: new for new in lessons for old in new.info.was}
        by_gate: dict[str, list[Lesson]] = {}
        for lesson in lessons:
            for gate in lesson.info.gates:
                by_gate.setdefault(gate, []).append(lesson)
        self._by_gate: Mapping[str, tuple[Lesson, ...]] = {
            gate: tuple(found) for gate, found in by_gate.items()
        }
        # Filled as they are asked for: nothing that they depend on can change.
        self._hashes: dict[tuple[str, str], str] = {}

    def find(self, lesson_id: str) -> Lesson | None:
        """Return a lesson by its id or by one that it had before."""
        return self._lessons.get(lesson_id) or self._old.get(lesson_id)

    def after(self, lesson: Lesson) -> Lesson | None:
        """Return the next lesson of the course; None after the last."""
        following = self._order[lesson.id] + 1
        return self._list[following] if following < len(self._list) else None

    def for_gate(self, gate: str) -> tuple[Lesson, ...]:
        """Return the lessons that help with a gate (ladder/level), in their order."""
        return self._by_gate.get(gate, ())

    def lesson_hash(self, lesson: Lesson) -> str:
        """Return the hash of all that a lesson says."""
        return self._hash((lesson.id, ""), lesson.model_dump(mode="json"))

    def panel_hash(self, lesson: Lesson, panel: Panel) -> str:
        """Return the hash of all that decides how a panel plays."""
        key = (lesson.id, panel.name)
        return self._hashes.get(key) or self._hash(key, played(panel))

    def _hash(self, key: tuple[str, str], value: object) -> str:
        known = self._hashes.get(key)
        if known is None:
            text = json.dumps(value, sort_keys=True, ensure_ascii=False)
            known = hashlib.sha256(text.encode()).hexdigest()
            self._hashes[key] = known
        return known


def played(panel: Panel) -> dict[str, Any]:
    """Return what decides how a panel plays, without the sentences around it."""
    plain = panel.model_dump(mode="json", include=_PLAYS)
    plain["slots"] = {name: _bare(slot) for name, slot in plain["slots"].items()}
    plain["checks"] = [_bare_check(spec) for spec in plain["checks"]]
    plain["mistakes"] = [
        {**_bare(mistake), "when": [_bare_check(spec) for spec in mistake["when"]]}
        for mistake in plain["mistakes"]
    ]
    # Left out where there are none, so that older proofs keep the hash they were for.
    return plain | ({"choices": list(panel.choices)} if panel.choices else {})


def _bare(value: dict[str, Any]) -> dict[str, Any]:
    return {key: below for key, below in value.items() if key not in _TEXTS_AROUND}


def _bare_check(spec: dict[str, Any]) -> dict[str, Any]:
    parts = [_bare_check(part) for part in spec["parts"]]
    return {**_bare(spec), "parts": parts}
