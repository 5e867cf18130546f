"""A comparison as its player sees it: rows, answers, and what they add up to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from webapp.db import find_row
from webapp.domain.train import analysis
from webapp.domain.train.analysis import Count, Finding
from webapp.domain.train.runs import RunView, view
from webapp.domain.train.sides import Side, side_from
from webapp.errors import NotFound
from webapp.rows import GRADES, ComparedRow, Comparison, TrainedModel

SIDES: Final = ("first", "second")
TIE: Final = "tie"
# Why a row was not judged, if somebody did not want to wait for the judge.
STOPPED: Final = "You stopped the judge before this one."
_EXAMPLES: Final = 3


@dataclass(frozen=True, slots=True)
class Answer:
    """What one of the two wrote to a prompt, and what was found in it.

    `text` is None before it was asked. `is_match` and `similarity` are None without a
    target.
    """

    text: str | None = None
    error: str = ""
    is_site: bool = False
    findings: tuple[Finding, ...] = ()
    is_match: bool | None = None
    similarity: float | None = None
    grade: str = ""

    @property
    def errors(self) -> tuple[Finding, ...]:
        """What is wrong with it, the worst first."""
        return tuple(finding for finding in self.findings if finding.is_error)


@dataclass(frozen=True, slots=True)
class Preference:
    """Whose reply a judge model found better: `first`, `second` or `tie`.

    `better` is empty where it could not be told, and `error` says why. `is_split` is
    whether it chose otherwise when the replies changed places, which makes a tie.
    """

    better: str = ""
    is_split: bool = False
    error: str = ""


@dataclass(frozen=True, slots=True)
class RowView:
    """A prompt, what was wanted, and both answers; `preference` once it was judged."""

    place: int
    prompt: str
    target: str | None
    is_learned: bool
    answers: tuple[Answer, ...]
    note: str
    preference: Preference | None = None

    @property
    def is_done(self) -> bool:
        """Whether both have been asked."""
        return all(answer.text is not None for answer in self.answers)

    @property
    def badness(self) -> float:
        """How bad the second model's answer is, to sort by."""
        return analysis.badness(self.answers[-1].findings)


@dataclass(frozen=True, slots=True)
class Earlier:
    """A comparison in the list of those that were begun; `rows` is how many it has."""

    id: int
    sides: tuple[Side, ...]
    rows: int
    is_judged: bool
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Total:
    """What the answers of one model add up to. Similarity is None without targets."""

    side: Side
    matches: int
    similarity: float | None
    grades: dict[str, int]
    sound: int


@dataclass(frozen=True, slots=True)
class Example:
    """An answer with an error, to show what the error looks like."""

    place: int
    side: Side
    prompt: str
    text: str
    finding: Finding


@dataclass(frozen=True, slots=True)
class Preferred:
    """How many fair rows a judge model decided for each side, and how many not.

    `split` are those of the ties in which it chose by the place of a reply.
    """

    wins: tuple[int, ...]
    ties: int
    split: int
    open: int


@dataclass(frozen=True, slots=True)
class ComparisonView:
    """A comparison as its player sees it; `run` is the model whose page it is from.

    `rubric` is what the model `judge` is to choose by; None: it is not asked.
    """

    id: int
    run: RunView
    sides: tuple[Side, ...]
    settings: dict[str, Any]
    rows: tuple[RowView, ...]
    is_judged: bool
    note: str
    created_at: datetime
    rubric: str | None = None
    judge: str = ""

    @property
    def is_over(self) -> bool:
        """Whether nothing is left to ask or to judge."""
        return self.is_judged and (
            self.rubric is None or self.preferred_rows == len(self.rows)
        )

    @property
    def preferred_rows(self) -> int:
        """How many rows the judge model has been asked about."""
        return sum(row.preference is not None for row in self.rows)

    @property
    def stopped_rows(self) -> int:
        """How many rows the judge model was not asked about, because it was stopped."""
        return sum(row.preference == Preference(error=STOPPED) for row in self.rows)

    @property
    def done(self) -> int:
        """How many rows both have answered."""
        return sum(row.is_done for row in self.rows)

    @property
    def learned(self) -> int:
        """How many rows the model has learned from."""
        return sum(row.is_learned for row in self.rows)

    @property
    def fair(self) -> tuple[RowView, ...]:
        """The rows that figures are about: those that it has not learned from."""
        return tuple(row for row in self.rows if not row.is_learned)

    @property
    def targets(self) -> int:
        """How many of those say what is wanted."""
        return sum(row.target is not None for row in self.fair)

    @property
    def worst_first(self) -> tuple[RowView, ...]:
        """The rows, those first in which the second model did worst."""
        return tuple(sorted(self.rows, key=lambda row: -row.badness))

    @property
    def has_failed(self) -> bool:
        """Whether an answer is missing because a model could not be asked."""
        return any(answer.error for row in self.rows for answer in row.answers)


def totals(seen: ComparisonView) -> tuple[Total, ...]:
    """Return what the answers of each model add up to, in the rows that are fair."""
    return tuple(_total(seen, n) for n in range(len(seen.sides)))


def errors(seen: ComparisonView) -> tuple[Count, ...]:
    """Return how many answers of each model have which error, most frequent first."""
    replies = [answer.findings for row in seen.fair for answer in row.answers]
    return analysis.counts(replies, models=len(seen.sides))


def examples(seen: ComparisonView, kind: str) -> tuple[Example, ...]:
    """Return answers with an error of a kind, the worst first."""
    found = [
        Example(row.place, seen.sides[n], row.prompt, answer.text or "", finding)
        for row in seen.fair
        for n, answer in enumerate(row.answers)
        for finding in answer.errors
        if finding.kind == kind
    ]
    return tuple(sorted(found, key=lambda e: -e.finding.score)[:_EXAMPLES])


def _total(seen: ComparisonView, side: int) -> Total:
    answers = [row.answers[side] for row in seen.fair]
    near = [a.similarity for a in answers if a.similarity is not None]
    graded = [row.answers[side].grade for row in seen.rows]
    return Total(
        side=seen.sides[side],
        matches=sum(bool(a.is_match) for a in answers),
        similarity=sum(near) / len(near) if near else None,
        grades={grade: graded.count(grade) for grade in GRADES},
        sound=sum(bool(a.findings) and not a.errors for a in answers),
    )


def preferred(seen: ComparisonView) -> Preferred:
    """Return what a judge model's choices add up to, in the rows that are fair."""
    found = [row.preference for row in seen.fair if row.preference is not None]
    better = [each.better for each in found]
    return Preferred(
        wins=tuple(better.count(side) for side in SIDES),
        ties=better.count(TIE),
        split=sum(each.is_split for each in found),
        open=better.count(""),
    )


def require_own(session: Session, player_id: int, comparison_id: int) -> Comparison:
    """Return a player's own comparison; raise NotFound."""
    kept = find_row(session, Comparison, comparison_id)
    if kept is None or kept.player_id != player_id:
        raise NotFound("You have no such comparison. It may have been deleted.")
    return kept


def rows_of(session: Session, comparison_id: int) -> Sequence[ComparedRow]:
    """Return the rows of a comparison in order."""
    query = select(ComparedRow).where(ComparedRow.comparison_id == comparison_id)
    return session.scalars(query.order_by(ComparedRow.place)).all()


def comparison_view(session: Session, kept: Comparison) -> ComparisonView:
    """Return a comparison as pages show it."""
    return ComparisonView(
        id=kept.id,
        run=view(session.get_one(TrainedModel, kept.model_id)),
        sides=tuple(map(side_from, kept.sides)),
        settings=kept.settings,
        rows=tuple(map(_row_view, rows_of(session, kept.id))),
        is_judged=kept.is_judged,
        note=kept.note,
        created_at=kept.created_at,
        rubric=kept.rubric,
        judge=kept.judge or "",
    )


def _row_view(row: ComparedRow) -> RowView:
    return RowView(
        place=row.place,
        prompt=row.prompt,
        target=row.target,
        is_learned=row.is_learned,
        answers=tuple(_answer(row, n) for n in range(len(SIDES))),
        note=row.note,
        preference=_preference(row.picks),
    )


def _preference(picks: list[dict[str, str]] | None) -> Preference | None:
    if not picks:
        return None
    errors = [pick["error"] for pick in picks if pick["error"]]
    if errors:
        return Preference(error=errors[0])
    chosen = {pick["better"] for pick in picks}
    if len(chosen) > 1:
        return Preference(TIE, is_split=True)
    return Preference(chosen.pop())


def _answer(row: ComparedRow, side: int) -> Answer:
    reply = row.replies[side] if side < len(row.replies) else {}
    grade = row.grades.get(SIDES[side], "")
    if not reply:
        return Answer(grade=grade)
    judged = row.judged[side] if side < len(row.judged) else {}
    return Answer(
        text=reply["text"],
        error=reply["error"],
        is_site=reply["is_site"],
        findings=tuple(map(analysis.from_row, judged.get("findings", ()))),
        is_match=judged.get("is_match"),
        similarity=judged.get("similarity"),
        grade=grade,
    )
