"""Hints of a panel, and its solution: help that costs nothing but is told as help."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from webapp.content.lessons.schema import Lesson, Panel
from webapp.domain.learn import course, filling, history, progress
from webapp.domain.learn.practice import require_panel
from webapp.domain.people.players import require_player
from webapp.domain.services import Services
from webapp.errors import Conflict, Forbidden, NotFound
from webapp.rows import PanelHint

BETWEEN: Final = timedelta(seconds=8)
PROMPTS_BEFORE_SOLUTION: Final = 3


class TooSoon(Conflict):
    """The next hint opens a little later; `retry_after` says in how many seconds."""

    code = "too_soon"

    def __init__(self, seconds: int) -> None:
        super().__init__(
            "Try what the last hint says first. The next one opens in "
            f"{seconds} second{'s' if seconds != 1 else ''}."
        )
        self.retry_after = seconds


@dataclass(frozen=True, slots=True)
class HintView:
    """A hint of a panel: its title always, its text once it is open."""

    n: int
    title: str
    text: str | None


@dataclass(frozen=True, slots=True)
class HintsView:
    """The hints of a panel. `next` can be opened in `wait` seconds; None after all."""

    hints: tuple[HintView, ...]
    next: int | None
    wait: int


@dataclass(frozen=True, slots=True)
class SolutionView:
    """What solves a panel: values of the slots, and the texts that they become."""

    values: dict[str, str]
    texts: dict[str, str]


def take_hint(
    services: Services, *, player_id: int, lesson_id: str, panel: str, n: int
) -> HintView:
    """Open hint `n` (from 1), one after the other, with a pause between them.

    Raises NotFound, TooSoon, Forbidden (`closed`) while hints are, or Conflict if the
    one before is not open yet.
    """
    lesson = services.content.current().lesson(lesson_id)
    rules = require_panel(lesson, panel)
    if not 1 <= n <= len(rules.hints):
        raise NotFound(
            f"This panel has {len(rules.hints)} hints; there is no hint {n}."
        )
    hint = rules.hints[n - 1]
    with services.db.write() as session:
        require_player(session, player_id, lock=True)
        held = course.require_lesson(
            session, services, player_id=player_id, lesson=lesson
        )
        opened = _opened(session, player_id, lesson, panel)
        if n not in opened:
            held.require_hints()
            if n - 1 not in {0, *opened}:
                raise Conflict(f"Open hint {n - 1} first.")
            wait = _wait(opened, services.now())
            if wait:
                raise TooSoon(wait)
            session.add(
                PanelHint(
                    player_id=player_id,
                    lesson_id=lesson.id,
                    panel=panel,
                    number=n,
                    created_at=services.now(),
                )
            )
    return HintView(n, hint.title, hint.text)


def hints_view(
    session: Session,
    *,
    player_id: int | None,
    lesson: Lesson,
    panel: Panel,
    now: datetime,
) -> HintsView:
    """Return the hints of a panel as a player sees them."""
    opened: dict[int, datetime] = {}
    if player_id is not None and panel.hints:
        opened = _opened(session, player_id, lesson, panel.name)
    views = tuple(
        HintView(n, hint.title, hint.text if n in opened else None)
        for n, hint in enumerate(panel.hints, 1)
    )
    following = next((view.n for view in views if view.text is None), None)
    return HintsView(views, following, _wait(opened, now) if following else 0)


def show_solution(
    services: Services, *, player_id: int, lesson_id: str, panel: str
) -> SolutionView:
    """Show the solution; raise Forbidden before a pass or three different prompts.

    Who passes the panel soon after it has passed with help.
    """
    lesson = services.content.current().lesson(lesson_id)
    rules = require_panel(lesson, panel)
    with services.db.write() as session:
        require_player(session, player_id, lock=True)
        held = course.require_lesson(
            session, services, player_id=player_id, lesson=lesson
        )
        held.require_hints()
        if not may_see_solution(session, player_id, lesson, panel):
            raise Forbidden(
                "The solution opens once you have passed, or after three different "
                "prompts that did not work. Try another idea first.",
                code="too_early",
            )
        state = progress.own_state(session, player_id, lesson, panel)
        state.solution_seen_at = state.solution_seen_at or services.now()
    return solution_of(rules)


def may_see_solution(
    session: Session, player_id: int, lesson: Lesson, panel: str
) -> bool:
    """Say whether a player has passed or tried enough."""
    state = progress.panel_state(session, player_id, lesson, panel)
    if state is not None and (state.passed_at or state.solution_seen_at):
        return True
    tried = history.failed_prompts(session, player_id, lesson, panel)
    return tried >= PROMPTS_BEFORE_SOLUTION


def solution_of(panel: Panel) -> SolutionView:
    """Return the solution of a panel: its own, or the first that solves it."""
    values = panel.solution or panel.proof.solved_by[0]
    given = filling.typed(panel, values)
    return SolutionView(dict(given.values), dict(given.texts))


def _opened(
    session: Session, player_id: int, lesson: Lesson, panel: str
) -> dict[int, datetime]:
    rows = session.scalars(
        select(PanelHint).where(
            PanelHint.player_id == player_id,
            PanelHint.lesson_id.in_(progress.ids(lesson)),
            PanelHint.panel == panel,
        )
    )
    return {row.number: row.created_at for row in rows}


def _wait(opened: dict[int, datetime], now: datetime) -> int:
    if not opened:
        return 0
    left = max(opened.values()) + BETWEEN - now
    return max(0, -(-left // timedelta(seconds=1)))
