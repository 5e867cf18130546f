"""The calibrations that are stored or published, and what is shown of them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from pydantic import ValidationError
from sqlalchemy import select

from webapp.content.index import Index
from webapp.content.report import LevelReport, Report
from webapp.content.schema import Ladder, Level
from webapp.domain.calibration.ladder_rules import Requirement, requirements
from webapp.domain.services import Services
from webapp.rows import Calibration

# Older ones are left in the database, but no page looks for a level in them.
REPORTS_SHOWN: Final = 20


@dataclass(frozen=True, slots=True)
class LevelLine:
    """One level on the page; without a report it is not calibrated."""

    number: int
    level: Level
    report: LevelReport | None = None
    made_at: datetime | None = None
    # There is a report, but of another version of the level.
    has_changed: bool = False


@dataclass(frozen=True, slots=True)
class CalibrationPage:
    """All that the page of a ladder shows."""

    ladder: Ladder
    ladders: tuple[Ladder, ...]
    lines: tuple[LevelLine, ...]
    families: tuple[str, ...]
    requirements: tuple[Requirement, ...]
    # The newest run that a line comes from.
    report: Report | None

    @property
    def calibrated(self) -> tuple[LevelLine, ...]:
        """The lines that have figures."""
        return tuple(line for line in self.lines if line.report is not None)


def store(services: Services, report: Report) -> None:
    """Keep a report in the database."""
    with services.db.write() as session:
        session.add(
            Calibration(
                ladder_id=report.ladder,
                attacks_hash=report.attacks_hash,
                body=report.model_dump(mode="json"),
                made_at=report.made_at,
            )
        )


def calibration_page(
    services: Services, ladder_id: str | None = None
) -> CalibrationPage:
    """Return the figures of a ladder, of the first one without an id.

    Each level shows its newest report that was made with its current content. Raises
    NotFound for an unknown ladder.
    """
    index = services.content.current()
    ladder = index.ladder(ladder_id or next(iter(index.ladders)))
    reports = _reports(services, index, ladder.id)
    lines = tuple(
        _line(index, number, level, reports)
        for number, level in enumerate(index.levels(ladder.id), 1)
    )
    used = {id(report): report for _, report in _used(reports, lines)}
    shown = next((report for report in reports if id(report) in used), None)
    families = dict.fromkeys(
        family
        for line in lines
        if line.report is not None
        for family in line.report.by_family
    )
    return CalibrationPage(
        ladder=ladder,
        ladders=tuple(index.ladders.values()),
        lines=lines,
        families=tuple(families),
        requirements=_requirements(lines, list(used.values())),
        report=shown,
    )


def _reports(services: Services, index: Index, ladder_id: str) -> list[Report]:
    """Return the reports of a ladder, the newest first, with the published one."""
    query = (
        select(Calibration)
        .where(Calibration.ladder_id == ladder_id)
        .order_by(Calibration.made_at.desc(), Calibration.id.desc())
        .limit(REPORTS_SHOWN)
    )
    with services.db.read() as session:
        rows = [row.body for row in session.scalars(query)]
    stored = [report for report in map(_parsed, rows) if report is not None]
    published = [report for report in index.reports if report.ladder == ladder_id]
    return sorted([*stored, *published], key=lambda r: r.made_at, reverse=True)


def _parsed(body: object) -> Report | None:
    """Return a stored report; None for one of an older version with other fields."""
    try:
        return Report.model_validate(body)
    except ValidationError:
        return None


def _line(index: Index, number: int, level: Level, reports: list[Report]) -> LevelLine:
    wanted = index.defence_hash(level.id)
    parts = [(report, report.level(level.id)) for report in reports]
    for report, part in parts:
        if part is not None and part.content_hash == wanted:
            return LevelLine(number, level, part, report.made_at)
    return LevelLine(number, level, has_changed=any(part for _, part in parts))


def _used(
    reports: list[Report], lines: tuple[LevelLine, ...]
) -> list[tuple[LevelLine, Report]]:
    return [
        (line, report)
        for line in lines
        for report in reports
        if line.report is not None and line.report in report.levels
    ]


def _requirements(
    lines: tuple[LevelLine, ...], reports: list[Report]
) -> tuple[Requirement, ...]:
    """Judge the ladder if one run played all of its current levels."""
    levels = tuple(line.report for line in lines if line.report is not None)
    if len(levels) < len(lines):
        return ()
    for report in reports:
        if all(level in report.levels for level in levels):
            return tuple(requirements(levels, report))
    return ()
