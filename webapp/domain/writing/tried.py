"""What came of a trial, as it is stored and as pages show it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pydantic import ValidationError

from webapp.content.index import Index
from webapp.content.report import LevelReport, Report
from webapp.domain.calibration.playing import attacks_hash
from webapp.domain.calibration.shares import attack_shares


@dataclass(frozen=True, slots=True)
class Wrong:
    """A play that went wrong: its sample word (of a level), replies, and blocks."""

    word: str
    replies: tuple[str, ...]
    blocked_by: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Line:
    """A conversation of a proof, or something to type, and how often it was a hit.

    `chance` is that of a whole run of a panel; levels have none.
    """

    kind: str
    name: str
    said: tuple[str, ...]
    hits: int
    plays: int
    holds: bool
    chance: float | None = None
    note: str = ""
    wrong: tuple[Wrong, ...] = ()


@dataclass(frozen=True, slots=True)
class Proved:
    """What a proof came to. A level has no verdict and no advice."""

    lines: tuple[Line, ...]
    model: str
    version: str
    verdict: str = ""
    advice: tuple[str, ...] = ()

    @property
    def held(self) -> int:
        """How many lines are as they should be."""
        return sum(line.holds for line in self.lines)

    @property
    def holds(self) -> bool:
        """Whether all of them are."""
        return self.held == len(self.lines)


@dataclass(frozen=True, slots=True)
class LevelBeside:
    """A level with its figures; `is_tried` marks the one that was tried."""

    number: int
    title: str
    report: LevelReport
    is_tried: bool = False


@dataclass(frozen=True, slots=True)
class Calibrated:
    """The figures of a level beside those of the levels that came with a report.

    `is_same` says whether the others were judged by the same attacks.
    """

    report: Report
    calibrated: tuple[LevelBeside, ...]
    families: tuple[str, ...]
    is_same: bool


@dataclass(frozen=True, slots=True)
class TrialView:
    """A trial as pages show it.

    `is_current` says whether the text is still the one that was tried; `place` is that
    in the line of those that wait, from 1.
    """

    id: int
    kind: str
    thing: str
    size: str
    state: str
    done: int
    total: int
    by: str
    created_at: datetime
    finished_at: datetime | None = None
    seconds_left: float | None = None
    place: int = 0
    error: str | None = None
    is_current: bool = True
    proved: Proved | None = None
    calibrated: Calibrated | None = None

    @property
    def is_over(self) -> bool:
        """Whether nothing more will come."""
        return self.state not in {"waiting", "running"}


def proved(stored: Mapping[str, Any]) -> Proved:
    """Return the stored result of a proof."""
    return Proved(
        lines=tuple(map(_line, stored["lines"])),
        model=stored["model"],
        version=stored["version"],
        verdict=stored.get("verdict", ""),
        advice=tuple(stored.get("advice", ())),
    )


def _line(stored: Mapping[str, Any]) -> Line:
    wrong = tuple(
        Wrong(one["word"], tuple(one["replies"]), tuple(one["blocked_by"]))
        for one in stored["wrong"]
    )
    return Line(**{**stored, "said": tuple(stored["said"]), "wrong": wrong})


def calibrated(index: Index, stored: Mapping[str, Any]) -> Calibrated | None:
    """Return a stored report beside the published ones; None if it is of an older form.

    Where those played the same attacks, their figures are those of the ones that were
    played here, so that the comparison is fair.
    """
    try:
        report = Report.model_validate(stored["report"])
    except ValidationError:
        return None
    numbers = tuple(stored["attacks"])
    hashed = attacks_hash(index.attacks)
    lines: list[LevelBeside] = []
    for one in index.reports:
        is_same = one.attacks_hash == hashed
        for level in one.levels:
            if is_same:
                level = _narrowed(one, level, numbers, index)
            lines.append(LevelBeside(len(lines) + 1, _title(index, level.id), level))
    (own,) = report.levels
    tried = LevelBeside(len(lines) + 1, _title(index, own.id), own, is_tried=True)
    return Calibrated(
        report=report,
        calibrated=(*lines, tried),
        families=tuple(own.by_family),
        is_same=all(one.attacks_hash == hashed for one in index.reports),
    )


def _title(index: Index, level_id: str) -> str:
    known = {level.id: level for name in index.ladders for level in index.levels(name)}
    return known[level_id].title if level_id in known else level_id


def _narrowed(
    report: Report, level: LevelReport, numbers: Sequence[int], index: Index
) -> LevelReport:
    """Return the figures of a level for some of the attacks only."""
    won = {r.attack: r.success for r in report.results if r.level == level.id}
    played = [number for number in numbers if number in won]
    if not played:
        return level
    return level.model_copy(
        update=attack_shares(
            [index.attacks[number] for number in played],
            [won[number] for number in played],
        )
    )
