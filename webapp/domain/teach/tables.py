"""Everything that is kept of a class, as tables for a spreadsheet, a part at a time."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, Final

from sqlalchemy import Select, exists, select
from sqlalchemy.orm import Session, aliased

from webapp.content.index import Index
from webapp.domain.people import roster
from webapp.domain.people.roster import Actor
from webapp.domain.play import disclosure
from webapp.domain.services import Services
from webapp.domain.teach.covering import cover
from webapp.domain.teach.facts import facts, players_of
from webapp.domain.teach.progress import gate_state, last_seen, lesson_cell
from webapp.domain.teach.stuck import stopped_by
from webapp.domain.teach.work import Step, answer_view, path_of
from webapp.errors import NotFound
from webapp.rows import (
    Attempt,
    Generation,
    Guess,
    Player,
    Practice,
    QuestionAnswer,
    SchoolClass,
    Solve,
    TrainedModel,
    Visit,
)
from webapp.text.csv_cells import neutral

BATCH: Final = 500
# Characters that are sent together.
PIECE: Final = 16_384
# So that spreadsheets read it as UTF-8.
MARK: Final = "\ufeff"
TABLES: Final[Mapping[str, str]] = {
    "progress": "Progress",
    "attempts": "Messages at the gates",
    "guesses": "Guesses",
    "lessons": "Panels of lessons",
    "runs": "Runs in lessons",
    "answers": "Answers",
    "training": "Training runs",
}
WITHHELD: Final = "(not shown while a visit with this password goes on)"

Row = Sequence[object]


def table(
    services: Services, *, actor: Actor, class_id: int, what: str
) -> Iterator[str]:
    """Return a table as CSV, piece by piece.

    Raise Forbidden for who does not teach the class, NotFound for an unknown table.
    """
    with services.db.read() as session:
        school_class = roster.require_class(session, actor, class_id)
    kinds: Mapping[str, Callable[[Services, SchoolClass], Iterator[Row]]] = {
        "progress": _progress,
        "attempts": _attempts,
        "guesses": _guesses,
        "lessons": _lessons,
        "runs": _runs,
        "answers": _answers,
        "training": _training,
    }
    if what not in kinds:
        raise NotFound(f"There is no such table. There are: {', '.join(TABLES)}.")
    return _written(kinds[what](services, school_class))


def _written(rows: Iterable[Row]) -> Iterator[str]:
    yield MARK
    file = io.StringIO()
    lines = csv.writer(file)
    for row in rows:
        lines.writerow([neutral(value) for value in row])
        if file.tell() >= PIECE:
            yield file.getvalue()
            file.seek(0)
            file.truncate()
    yield file.getvalue()


def _progress(services: Services, school_class: SchoolClass) -> Iterator[Row]:
    index = services.content.current()
    with services.db.read() as session:
        known = facts(session, index, school_class)
    levels = [level for name in index.ladders for level in index.levels(name)]
    head = ["student", "number", "points", "last seen (UTC)"]
    for level in levels:
        head += [f"{level.title}: {what}" for what in ("state", "attempts", "hints")]
    yield [*head, *(f"{track.info.title}: lessons done" for track in index.tracks)]
    seen = last_seen(known)
    for person in known.people:
        own = [
            one.points for (player, _), one in known.won.items() if player == person.id
        ]
        row: list[object] = [person.name, person.id, sum(own), seen.get(person.id)]
        for level in levels:
            at = known.gates.get((person.id, level.id))
            row += [
                gate_state(known, person, level.id),
                at.attempts if at else 0,
                known.hints.get((person.id, level.id), 0),
            ]
        for track in index.tracks:
            cells = [lesson_cell(known, person, lesson) for lesson in track.lessons]
            row.append(sum(cell.state == "done" for cell in cells))
        yield row


def _attempts(services: Services, school_class: SchoolClass) -> Iterator[Row]:
    yield (
        "number",
        "time (UTC)",
        "student",
        "gate",
        "visit",
        "visit ended by",
        "status",
        "message",
        "reply",
        "stopped by",
        "guards",
        "model",
    )
    index = services.content.current()
    query = (
        select(Attempt, Player.name, Visit)
        .join(Player, Player.id == Generation.player_id)
        .join(Visit, Visit.id == Attempt.visit_id)
        .where(Generation.player_id.in_(players_of(school_class.id)))
    )
    for session, found in _batches(services, query, Generation.id):
        solved = _solved(session, school_class)
        covered = cover(session, services, {visit.id for _, _, visit in found})
        for row, name, visit in found:
            may = disclosure.of_attempt(
                row, index=index, solved=solved.get(row.player_id, frozenset())
            )
            reply = may.reply(row.status, row.reply)
            is_quiet = covered.hides(visit.id, row.message)
            yield (
                row.id,
                row.created_at,
                name,
                row.level_id,
                visit.number,
                visit.ended_why or "still open",
                row.status,
                WITHHELD if is_quiet else row.message,
                WITHHELD if covered.hides_reply(visit.id, reply) else reply,
                stopped_by(index, row),
                _path(path_of(index, row)),
                row.model,
            )


def _path(steps: Iterable[Step]) -> str:
    return "; ".join(
        f"{step.guard_name}: {'let through' if step.allowed else 'stopped'}"
        for step in steps
    )


def _solved(
    session: Session, school_class: SchoolClass
) -> Mapping[int | None, frozenset[str]]:
    rows = session.execute(
        select(Solve.player_id, Solve.level_id).where(
            Solve.player_id.in_(players_of(school_class.id)), Solve.season.is_(None)
        )
    )
    found: dict[int | None, set[str]] = {}
    for player, level in rows:
        found.setdefault(player, set()).add(level)
    return {player: frozenset(levels) for player, levels in found.items()}


def _guesses(services: Services, school_class: SchoolClass) -> Iterator[Row]:
    yield (
        "number",
        "time (UTC)",
        "student",
        "gate",
        "visit",
        "guess",
        "right",
        "was another player's password",
    )
    going_on = aliased(Visit)
    query = (
        select(
            Guess,
            Player.name,
            Visit.number,
            exists().where(
                going_on.level_id == Guess.level_id,
                going_on.secret_digest == Guess.digest,
                going_on.ended_at.is_(None),
            ),
        )
        .join(Player, Player.id == Guess.player_id)
        .join(Visit, Visit.id == Guess.visit_id)
        .where(Guess.player_id.in_(players_of(school_class.id)))
    )
    for _, found in _batches(services, query, Guess.id):
        for row, name, number, is_in_use in found:
            yield (
                row.id,
                row.created_at,
                name,
                row.level_id,
                number,
                WITHHELD if is_in_use else row.guess,
                row.is_correct,
                row.matches_visit_id is not None,
            )


def _lessons(services: Services, school_class: SchoolClass) -> Iterator[Row]:
    yield (
        "student",
        "lesson",
        "panel",
        "runs",
        "hints",
        "passed (UTC)",
        "last run (UTC)",
    )
    index = services.content.current()
    with services.db.read() as session:
        known = facts(session, index, school_class)
    names = {person.id: person.name for person in known.people}
    for (player, lesson_id, panel), state in sorted(known.panels.items(), key=_first):
        yield (
            names[player],
            lesson_id,
            panel,
            state.runs,
            known.panel_hints.get((player, lesson_id, panel), 0),
            state.passed_at,
            state.run_at,
        )


def _first(item: tuple[Any, object]) -> Any:
    return item[0]


def _runs(services: Services, school_class: SchoolClass) -> Iterator[Row]:
    yield (
        "number",
        "time (UTC)",
        "student",
        "lesson",
        "panel",
        "status",
        "result",
        "typed",
        "replies",
        "what was told",
        "model",
    )
    query = (
        select(Practice, Player.name)
        .join(Player, Player.id == Generation.player_id)
        .where(Generation.player_id.in_(players_of(school_class.id)))
    )
    for _, found in _batches(services, query, Generation.id):
        for row, name in found:
            yield (
                row.id,
                row.created_at,
                name,
                row.lesson_id,
                row.panel,
                row.status,
                row.result,
                "\n".join(map(str, row.typed.values())),
                "\n\n".join(str(sample["reply"]) for sample in row.samples),
                (row.outcome or {}).get("message"),
                row.model,
            )


def _answers(services: Services, school_class: SchoolClass) -> Iterator[Row]:
    yield (
        "time (UTC)",
        "student",
        "lesson",
        "question",
        "asked",
        "answer",
        "right",
        "tries",
    )
    index: Index = services.content.current()
    query = (
        select(QuestionAnswer, Player.name)
        .join(Player, Player.id == QuestionAnswer.player_id)
        .where(QuestionAnswer.player_id.in_(players_of(school_class.id)))
        .order_by(
            QuestionAnswer.player_id, QuestionAnswer.lesson_id, QuestionAnswer.question
        )
    )
    with services.db.read() as session:
        found = session.execute(query).all()
    for row, name in found:
        seen = answer_view(index, row)
        yield (
            row.answered_at,
            name,
            row.lesson_id,
            row.question,
            seen.ask,
            "\n".join(seen.lines),
            row.is_right,
            row.tries,
        )


def _training(services: Services, school_class: SchoolClass) -> Iterator[Row]:
    yield (
        "number",
        "time (UTC)",
        "student",
        "title",
        "begun with",
        "state",
        "method",
        "finished (UTC)",
        "perplexity before",
        "perplexity after",
        "error",
        "note",
    )
    query = (
        select(TrainedModel, Player.name)
        .join(Player, Player.id == TrainedModel.player_id)
        .where(TrainedModel.player_id.in_(players_of(school_class.id)))
    )
    for _, found in _batches(services, query, TrainedModel.id):
        for row, name in found:
            figures = row.figures or {}
            yield (
                row.id,
                row.created_at,
                name,
                row.title,
                row.base,
                row.status,
                (row.settings.get("choices") or {}).get("method"),
                row.finished_at,
                figures.get("base_heldout_perplexity"),
                figures.get("heldout_perplexity"),
                row.error,
                row.settings.get("note"),
            )


def _batches(
    services: Services, query: Select[*tuple[Any, ...]], number: Any
) -> Iterator[tuple[Session, Sequence[Any]]]:
    """Yield rows by their number, some at a time: no reading goes on for long."""
    last = 0
    while True:
        with services.db.read() as session:
            found = session.execute(
                query.where(number > last).order_by(number).limit(BATCH)
            ).all()
            if not found:
                return
            yield session, found
        last = found[-1][0].id
