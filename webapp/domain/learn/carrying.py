"""Progress in lessons as a file, and such a file brought back to the site it is from.

It holds what was passed and answered, never points: those are won at gates. The site
seals it, so that nobody can write progress by hand; what comes back is marked.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Final, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, ValidationError
from sqlalchemy import select
from sqlalchemy.orm import Session

from webapp.content.index import Index
from webapp.content.lessons.schema import Lesson, Question
from webapp.domain.learn import questions
from webapp.domain.learn.progress import IMPORTED, own_state, panel_state
from webapp.domain.people.players import require_player
from webapp.domain.services import Services
from webapp.errors import InvalidInput
from webapp.rows import PanelState, Player, QuestionAnswer
from webapp.security import constant_time_equal, keyed_digest

MOST_BYTES: Final = 4 * 1024 * 1024
_FORMAT: Final = "wordkeep-progress"
_NAMED: Final = 5


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    lesson: Annotated[str, Field(max_length=80)]


class _Panel(_Part):
    panel: Annotated[str, Field(max_length=40)]
    best: Annotated[float, Field(ge=0, le=1)]
    passed_at: AwareDatetime | None
    with_help: bool
    panel_hash: Annotated[str, Field(max_length=64)]
    run_at: AwareDatetime | None


class _Answer(_Part):
    question: Annotated[str, Field(max_length=40)]
    answer: str | list[str]
    right: bool | None
    tries: Annotated[int, Field(ge=0)]
    answered_at: AwareDatetime


class _Kept(BaseModel):
    """What is sealed: a file without its seal."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    format: Literal["wordkeep-progress"]
    version: Literal[1]
    panels: tuple[_Panel, ...]
    answers: tuple[_Answer, ...]


@dataclass(frozen=True, slots=True)
class BroughtBack:
    """How many panels and answers a file has changed, and what it could not.

    `missing` are panels and questions that no lesson has now, as "track/lesson: name".
    """

    panels: int
    answers: int
    missing: tuple[str, ...]

    @property
    def message(self) -> str:
        """What is told of it."""
        if self.panels or self.answers:
            done = f"Taken over: panels {self.panels}, answers {self.answers}."
        else:
            done = "Nothing was new: you have all of it already."
        if not self.missing:
            return done
        named = ", ".join(self.missing[:_NAMED])
        more = len(self.missing) - _NAMED
        rest = f" and {more} more" if more > 0 else ""
        return f"{done} Left out, as no lesson here has it now: {named}{rest}."


def export(services: Services, *, player_id: int) -> str:
    """Return the progress of a player as a file that this site can take back."""
    with services.db.read() as session:
        require_player(session, player_id)
        states = session.scalars(
            select(PanelState)
            .where(PanelState.player_id == player_id)
            .order_by(PanelState.lesson_id, PanelState.panel)
        )
        answers = session.scalars(
            select(QuestionAnswer)
            .where(QuestionAnswer.player_id == player_id)
            .order_by(QuestionAnswer.lesson_id, QuestionAnswer.question)
        )
        kept = {
            "format": _FORMAT,
            "version": 1,
            "panels": [_panel(state) for state in states],
            "answers": [_answer(answer) for answer in answers],
        }
    return json.dumps(kept | {"seal": _seal(services, kept)}, indent=1) + "\n"


def bring_back(services: Services, *, player_id: int, data: bytes) -> BroughtBack:
    """Take the progress of a file over; the same file again changes nothing.

    What was reached only gets better by it, and an answer that is there stays. Raises
    InvalidInput, and changes nothing, for a file that this site has not made like this.
    """
    kept = _read(services, data)
    index = services.content.current()
    missing: list[str] = []
    panels = answers = 0
    with services.db.write() as session:
        player = require_player(session, player_id, lock=True)
        for panel in kept.panels:
            lesson = index.find_lesson(panel.lesson)
            if lesson is None or panel.panel not in {p.name for p in lesson.panels}:
                missing.append(f"{panel.lesson}: {panel.panel}")
            else:
                panels += _take_panel(session, player, lesson, panel)
        for answer in kept.answers:
            lesson = index.find_lesson(answer.lesson)
            asked = _question(lesson, answer.question)
            if lesson is None or asked is None:
                missing.append(f"{answer.lesson}: {answer.question}")
            else:
                answers += _take_answer(session, index, player, lesson, asked, answer)
    return BroughtBack(panels, answers, tuple(missing))


def _panel(state: PanelState) -> dict[str, Any]:
    return {
        "lesson": state.lesson_id,
        "panel": state.panel,
        "best": state.best,
        "passed_at": state.passed_at and state.passed_at.isoformat(),
        "with_help": state.is_helped,
        "panel_hash": state.passed_hash,
        "run_at": state.run_at and state.run_at.isoformat(),
    }


def _answer(answer: QuestionAnswer) -> dict[str, Any]:
    return {
        "lesson": answer.lesson_id,
        "question": answer.question,
        "answer": answer.answer,
        "right": answer.is_right,
        "tries": answer.tries,
        "answered_at": answer.answered_at.isoformat(),
    }


def _seal(services: Services, kept: Mapping[str, Any]) -> str:
    """Return what only this site can write under a file."""
    text = json.dumps(kept, sort_keys=True, separators=(",", ":"))
    return keyed_digest(services.key, f"progress\x1f{text}")


def _fits(services: Services, seal: object, kept: Mapping[str, Any]) -> bool:
    # Half of a character, which JSON may hold, has no bytes to compare.
    is_plain = isinstance(seal, str) and seal.isascii()
    return is_plain and constant_time_equal(str(seal), _seal(services, kept))


def _read(services: Services, data: bytes) -> _Kept:
    if len(data) > MOST_BYTES:
        raise InvalidInput(
            f"A file of progress has at most {MOST_BYTES // 1024 // 1024} MB."
        )
    try:
        found = json.loads(data)
    except (ValueError, RecursionError):
        raise InvalidInput(
            "This file cannot be read: it is broken, or no JSON. Download your "
            "progress again, and bring that file as it is."
        ) from None
    if not isinstance(found, dict) or found.get("format") != _FORMAT:
        raise InvalidInput(
            "This is not a file of progress in lessons. Choose the one that "
            "“Download my progress” has saved."
        )
    seal = found.pop("seal", None)
    if not _fits(services, seal, found):
        raise InvalidInput(
            "This file was changed, or it is from another site: its seal does not "
            "fit. Bring a file of this site, exactly as you have downloaded it."
        )
    try:
        return _Kept.model_validate(found)
    except ValidationError:
        raise InvalidInput(
            "This file is from another version of Wordkeep, which this one cannot read."
        ) from None


def _question(lesson: Lesson | None, name: str) -> Question | None:
    asked = lesson.questions if lesson else ()
    return next((one for one in asked if one.name == name), None)


def _take_panel(session: Session, player: Player, lesson: Lesson, kept: _Panel) -> bool:
    """Take a panel over and say whether it changed anything."""
    known = panel_state(session, player.id, lesson, kept.panel)
    is_passed_now = kept.passed_at is not None and (
        known is None or known.passed_at is None
    )
    is_unaided_now = (
        kept.passed_at is not None
        and not kept.with_help
        and known is not None
        and known.is_helped
    )
    is_better = known is None or kept.best > known.best
    if not (is_passed_now or is_unaided_now or is_better):
        return False
    state = own_state(session, player.id, lesson, kept.panel)
    state.best = max(state.best, kept.best)
    state.run_at = state.run_at or kept.run_at
    if is_passed_now:
        state.passed_at, state.is_helped = kept.passed_at, kept.with_help
        state.passed_hash, state.passed_version = kept.panel_hash, IMPORTED
    elif is_unaided_now:
        state.is_helped = False
    return True


def _take_answer(
    session: Session,
    index: Index,
    player: Player,
    lesson: Lesson,
    asked: Question,
    kept: _Answer,
) -> bool:
    """Take an answer over if there is none, and say whether there was none."""
    if questions.find_answer(session, player.id, lesson, asked) is not None:
        return False
    text = kept.answer if isinstance(kept.answer, str) else ""
    session.add(
        QuestionAnswer(
            player_id=player.id,
            lesson_id=lesson.id,
            question=asked.name,
            answer=kept.answer,
            is_right=kept.right,
            tries=kept.tries,
            concern=questions.concern_of(index, player, asked, text),
            created_at=kept.answered_at,
            answered_at=kept.answered_at,
        )
    )
    # Two rows of the file may be of one question, under names the lesson had before.
    session.flush()
    return True
