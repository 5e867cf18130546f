"""Questions between panels: predict, choose, put in order, or write a sentence."""

from __future__ import annotations

import random
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from webapp.content.index import Index
from webapp.content.lessons.schema import Lesson, Question
from webapp.domain.learn import course
from webapp.domain.learn.progress import A_WHILE, ids
from webapp.domain.people.players import require_player
from webapp.domain.safety.answers import SiteAnswer, answer_to
from webapp.domain.services import Services
from webapp.domain.texts import require_text
from webapp.errors import InvalidInput, NotFound
from webapp.rows import PLAYER, RUDE, Player, QuestionAnswer
from webapp.text import rude

TEXT_CHARS: Final = 2_000
# After that many wrong answers the right one is told.
GUESSES: Final = 2


@dataclass(frozen=True, slots=True)
class AnswerOutcome:
    """What came of an answer. `status` is right, wrong or kept.

    `right` and `why` are told once it is right, or after the last guess.
    `site_answer` is what the site says to somebody who needs a person.
    """

    status: str
    message: str
    tries: int
    right: str | tuple[str, ...] | None
    why: str | None
    site_answer: str | None = None


@dataclass(frozen=True, slots=True)
class QuestionView:
    """A question as a player sees it. `choices` and `lines` are in this player's order.

    `answer` is what was answered, None before. `right` and `why` are told as in
    AnswerOutcome.
    """

    name: str
    kind: str
    ask: str
    choices: tuple[str, ...]
    lines: tuple[str, ...]
    answer: Any
    is_right: bool | None
    tries: int
    right: str | tuple[str, ...] | None
    why: str | None

    @property
    def is_answered(self) -> bool:
        """Whether there is an answer."""
        return self.answer is not None

    @property
    def is_over(self) -> bool:
        """Whether the right answer is told, or there is none."""
        return self.is_answered and (self.is_right is None or self.right is not None)


def answer(
    services: Services,
    *,
    player_id: int,
    lesson_id: str,
    question: str,
    text: str = "",
    choice: str = "",
    order: tuple[str, ...] = (),
) -> AnswerOutcome:
    """Keep an answer: `text` to reflect, a `choice`, or lines in an `order`.

    It is right or wrong by what the file says; answering again costs nothing. Raises
    InvalidInput or NotFound.
    """
    index = services.content.current()
    lesson = index.lesson(lesson_id)
    asked = require_question(lesson, question)
    given = _given(asked, text, choice, order)
    is_right = _is_right(asked, given)
    concern = _site_answer(index, asked, text)
    with services.db.write() as session:
        player = require_player(session, player_id, lock=True)
        course.require_lesson(session, services, player_id=player_id, lesson=lesson)
        row = _own_row(session, player_id, lesson, asked, services.now())
        _start_again_after_a_while(row, services.now())
        row.tries += 1
        row.answer = list(given) if isinstance(given, tuple) else given
        # Once right stays right; after the last guess the answer is known anyway.
        if row.is_right is not True and (is_right is None or row.tries <= GUESSES):
            row.is_right = is_right
        row.answered_at = services.now()
        row.concern = concern_of(index, player, asked, text)
        tries, was_right = row.tries, row.is_right
    return _outcome(asked, is_right, was_right, tries, concern)


def concern_of(index: Index, player: Player, asked: Question, text: str) -> str | None:
    """Return why a person should see what a player wrote; None if nobody need."""
    if found := _site_answer(index, asked, text):
        return found.status
    return RUDE if player.role == PLAYER and rude.is_in(text) else None


def question_view(
    session: Session, *, player_id: int | None, lesson: Lesson, question: Question
) -> QuestionView:
    """Return a question as a player sees it."""
    row = None
    if player_id is not None:
        row = find_answer(session, player_id, lesson, question)
    return _view(player_id, lesson, question, row)


def fresh_view(
    player_id: int | None, lesson: Lesson, question: Question
) -> QuestionView:
    """Return a question as one who has not answered it yet sees it."""
    return _view(player_id, lesson, question, None)


def _view(
    player_id: int | None,
    lesson: Lesson,
    question: Question,
    row: QuestionAnswer | None,
) -> QuestionView:
    tries = row.tries if row else 0
    is_told = row is not None and (
        row.is_right is None or row.is_right or tries >= GUESSES
    )
    return QuestionView(
        name=question.name,
        kind=question.kind,
        ask=question.ask,
        # The choices of a prediction are often a scale.
        choices=question.choices
        if question.kind == "predict"
        else shuffled(question.choices, player_id, lesson, question),
        lines=shuffled(question.lines, player_id, lesson, question),
        answer=row.answer if row else None,
        is_right=row.is_right if row else None,
        tries=tries,
        right=right_answer(question) if is_told else None,
        why=question.why if is_told else None,
    )


def require_question(lesson: Lesson, name: str) -> Question:
    """Return a question of a lesson; raise NotFound."""
    for question in lesson.questions:
        if question.name == name:
            return question
    raise NotFound("There is no such question in this lesson. Load the page again.")


def right_answer(question: Question) -> str | tuple[str, ...] | None:
    """Return the right choice or order; None where nothing is right or wrong."""
    if question.kind == "order":
        return question.lines
    return None if question.kind == "reflect" else question.answer


def find_answer(
    session: Session, player_id: int, lesson: Lesson, question: Question
) -> QuestionAnswer | None:
    """Return the newest row of an answer, under any id of the lesson."""
    return session.scalars(
        select(QuestionAnswer)
        .where(
            QuestionAnswer.player_id == player_id,
            QuestionAnswer.lesson_id.in_(ids(lesson)),
            QuestionAnswer.question == question.name,
        )
        .order_by(QuestionAnswer.answered_at.desc())
        .limit(1)
    ).first()


def shuffled(
    lines: tuple[str, ...], player_id: int | None, lesson: Lesson, question: Question
) -> tuple[str, ...]:
    """Return lines in an order of the player's own, and never in the right one."""
    mixed = list(lines)
    chance = random.Random(f"{player_id}/{lesson.id}/{question.name}")  # noqa: S311 -- an order, no secret
    chance.shuffle(mixed)
    if question.kind == "order" and tuple(mixed) == lines:
        mixed = mixed[1:] + mixed[:1]
    return tuple(mixed)


def _site_answer(index: Index, asked: Question, text: str) -> SiteAnswer | None:
    """Return what the site says to a reflection; None where it says nothing."""
    return answer_to(text, index.help_texts) if asked.kind == "reflect" else None


def _given(
    asked: Question, text: str, choice: str, order: tuple[str, ...]
) -> str | tuple[str, ...]:
    match asked.kind:
        case "reflect":
            if not text.strip():
                raise InvalidInput("Write a sentence first.")
            if len(text) > TEXT_CHARS:
                raise InvalidInput(f"An answer has at most {TEXT_CHARS:,} characters.")
            return require_text(text, what="answer").strip()
        case "order":
            if sorted(order) != sorted(asked.lines):
                raise InvalidInput("Put each line in its place, once.")
            return order
        case _:
            if choice not in asked.choices:
                raise InvalidInput("Choose one of the answers.")
            return choice


def _is_right(asked: Question, given: str | tuple[str, ...]) -> bool | None:
    right = right_answer(asked)
    return None if right is None else given == right


def _own_row(
    session: Session, player_id: int, lesson: Lesson, asked: Question, now: datetime
) -> QuestionAnswer:
    key = (player_id, lesson.id, asked.name)
    row = session.get(QuestionAnswer, key, with_for_update=True)
    if row is not None:
        return row
    old = find_answer(session, player_id, lesson, asked)
    row = QuestionAnswer(
        player_id=player_id,
        lesson_id=lesson.id,
        question=asked.name,
        answer="",
        is_right=old.is_right if old else None,
        tries=old.tries if old else 0,
        created_at=old.created_at if old else now,
        answered_at=old.answered_at if old else now,
    )
    session.add(row)
    return row


def _start_again_after_a_while(row: QuestionAnswer, now: datetime) -> None:
    """Let a question that was answered days ago be answered afresh."""
    if row.tries and now - row.answered_at >= A_WHILE:
        row.tries, row.is_right = 0, row.is_right or None


def _outcome(
    asked: Question,
    is_right: bool | None,
    was_right: bool | None,
    tries: int,
    concern: SiteAnswer | None,
) -> AnswerOutcome:
    if is_right is None:
        message = "Kept." if asked.kind == "reflect" else "Kept. Now try it out."
        return AnswerOutcome(
            "kept", message, tries, None, asked.why, concern.text if concern else None
        )
    if is_right:
        return AnswerOutcome("right", "Yes.", tries, right_answer(asked), asked.why)
    if was_right or tries >= GUESSES:
        told = "Not that one. The right answer is below."
        return AnswerOutcome("wrong", told, tries, right_answer(asked), asked.why)
    return AnswerOutcome("wrong", "Not that one. Try once more.", tries, None, None)
