"""Two models asked the same, row by row: begun, asked, and judged when all is said."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Final

from sqlalchemy import delete, func, select

from webapp.domain.people.players import require_player, require_room
from webapp.domain.services import Services
from webapp.domain.train import judging, learned, models, preferring, prompting
from webapp.domain.train.compared import (
    SIDES,
    ComparisonView,
    Earlier,
    comparison_view,
    require_own,
    rows_of,
)
from webapp.domain.train.learned import Row
from webapp.domain.train.prompting import Wanted
from webapp.domain.train.runs import RunView
from webapp.domain.train.sides import side_from, sides
from webapp.errors import InvalidInput
from webapp.rows import GRADES, ComparedRow, Comparison, TrainedModel

MOST_KEPT: Final = 30
NOTE_CHARS: Final = 500


def begin(
    services: Services,
    *,
    player_id: int,
    name: str,
    between: Sequence[str],
    rows: Sequence[Row],
    source: str,
    wanted: Wanted,
    form: str,
) -> int:
    """Keep what is to be compared; return its id. The same form begins one only.

    `between` are the names of two models, `wanted` says how long replies are and how
    they are sampled, `source` where the rows are from. Nothing is asked yet.
    """
    run = models.promptable(services, player_id=player_id, name=name)
    known = {s.model: s for s in sides(services, player_id=player_id, run=run)}
    if len(between) != len(SIDES) or any(each not in known for each in between):
        raise InvalidInput("Choose two models of the lists.")
    if between[0] == between[1]:
        raise InvalidInput("Choose two different models: this is the same one twice.")
    mark = hashlib.sha256(form.encode()).hexdigest()
    with services.db.write() as session:
        require_player(session, player_id, lock=True)
        found = session.scalar(
            select(Comparison.id).where(
                Comparison.player_id == player_id, Comparison.form == mark
            )
        )
        if found is not None:
            return found
        require_room(session, Comparison, player_id, most=MOST_KEPT, what="comparisons")
        kept = Comparison(
            player_id=player_id,
            model_id=run.id,
            form=mark,
            sides=[known[each].as_row() for each in between],
            settings={
                "tokens": wanted.tokens,
                "temperature": wanted.temperature,
                "seed": services.seed() if wanted.seed is None else wanted.seed,
                "source": source,
            },
            created_at=services.now(),
        )
        session.add(kept)
        session.flush()
        session.add_all(
            ComparedRow(
                comparison_id=kept.id, place=n, prompt=row.prompt, target=row.target
            )
            for n, row in enumerate(rows, start=1)
        )
        return kept.id


def ask_next(services: Services, *, player_id: int, comparison_id: int) -> str:
    """Ask what is next, and judge all once nothing is; return what failed, or "".

    Then a judge model is asked, row by row, if there is a rubric.

    Raises QuotaExceeded, which says when to go on. What was answered is kept.
    """
    seen = find(services, player_id=player_id, comparison_id=comparison_id)
    row = next((row for row in seen.rows if not row.is_done), None)
    if row is None:
        if not seen.is_judged:
            _judge(services, player_id, seen)
            return ""
        return preferring.ask_next(services, player_id=player_id, seen=seen)
    for n, side in enumerate(seen.sides):
        if row.answers[n].text is not None:
            continue
        wanted = Wanted(
            prompt=row.prompt,
            tokens=seen.settings["tokens"],
            temperature=seen.settings["temperature"],
            seed=seen.settings["seed"],
            is_chat=side.is_chat,
            system=side.system,
        )
        said = prompting.ask(
            services, player_id=player_id, model=side.model, wanted=wanted
        )
        _keep(services, player_id, comparison_id, row.place, n, said)
        if said.error:
            return said.error
    return ""


def ask_again(services: Services, *, player_id: int, comparison_id: int) -> None:
    """Forget the answers that failed, so that they are asked again."""
    with services.db.write() as session:
        kept = require_own(session, player_id, comparison_id)
        kept.is_judged = False
        for row in rows_of(session, kept.id):
            if any(reply.get("error") for reply in row.replies):
                row.replies = [
                    r if r and not r.get("error") else {} for r in row.replies
                ]
                row.judged = []
                row.picks = None


def find(services: Services, *, player_id: int, comparison_id: int) -> ComparisonView:
    """Return one's own comparison; raise NotFound."""
    with services.db.read() as session:
        kept = require_own(session, player_id, comparison_id)
        return comparison_view(session, kept)


def of_model(
    services: Services, *, player_id: int, run: RunView
) -> tuple[Earlier, ...]:
    """Return a player's comparisons of a model, the newest first."""
    query = (
        select(Comparison, func.count(ComparedRow.id))
        .join(ComparedRow, ComparedRow.comparison_id == Comparison.id)
        .where(Comparison.player_id == player_id, Comparison.model_id == run.id)
        .group_by(Comparison.id)
        .order_by(Comparison.id.desc())
    )
    with services.db.read() as session:
        return tuple(
            Earlier(
                id=kept.id,
                sides=tuple(map(side_from, kept.sides)),
                rows=count,
                is_judged=kept.is_judged,
                created_at=kept.created_at,
            )
            for kept, count in session.execute(query)
        )


def grade(
    services: Services,
    *,
    player_id: int,
    comparison_id: int,
    grades: dict[tuple[int, str], str],
    notes: dict[int, str],
) -> None:
    """Keep what a person thinks of the answers: by place and side, and a note by place.

    Raises InvalidInput for a grade that there is not, or a note that is too long.
    """
    if any(value not in {"", *GRADES} for value in grades.values()):
        raise InvalidInput(f"A grade is one of: {', '.join(GRADES)}.")
    for place, note in notes.items():
        if len(note) > NOTE_CHARS:
            raise InvalidInput(
                f"The note of row {place} has more than {NOTE_CHARS} characters."
            )
    with services.db.write() as session:
        kept = require_own(session, player_id, comparison_id)
        for row in rows_of(session, kept.id):
            given = {side: grades.get((row.place, side), "") for side in SIDES}
            row.grades = {side: value for side, value in given.items() if value}
            row.note = notes.get(row.place, row.note).strip()


def delete_one(services: Services, *, player_id: int, comparison_id: int) -> str:
    """Delete a comparison for good; return the name of its model."""
    with services.db.write() as session:
        kept = require_own(session, player_id, comparison_id)
        name = session.get_one(TrainedModel, kept.model_id).name
        session.execute(delete(Comparison).where(Comparison.id == kept.id))
        return name or ""


def _keep(
    services: Services,
    player_id: int,
    comparison_id: int,
    place: int,
    side: int,
    said: prompting.Said,
) -> None:
    with services.db.write() as session:
        kept = require_own(session, player_id, comparison_id)
        row = session.scalars(
            select(ComparedRow).where(
                ComparedRow.comparison_id == kept.id, ComparedRow.place == place
            )
        ).one()
        replies = [*row.replies, *({} for _ in SIDES)][: len(SIDES)]
        replies[side] = {
            "text": said.text,
            "error": said.error,
            "is_site": said.is_site,
            "ms": said.ms,
            "tokens": said.tokens,
        }
        row.replies = replies


def _judge(services: Services, player_id: int, seen: ComparisonView) -> None:
    is_own = _is_own(services, player_id, seen.run)
    known = learned.learned(services, seen.run) if is_own else learned.Learned()
    asked = [
        judging.Asked(
            row.prompt,
            row.target,
            tuple(
                None if answer.error or answer.is_site else answer.text
                for answer in row.answers
            ),
        )
        for row in seen.rows
    ]
    found = judging.judge(services, asked, known)
    notes = [note for note in (known.note, found.note) if note]
    with services.db.write() as session:
        kept = require_own(session, player_id, seen.id)
        kept.is_judged, kept.note = True, " ".join(notes)
        for row, judged in zip(rows_of(session, kept.id), found.rows, strict=True):
            row.is_learned = judged.is_learned
            row.judged = [each.as_row() for each in judged.replies]


def _is_own(services: Services, player_id: int, run: RunView) -> bool:
    with services.db.read() as session:
        return session.get_one(TrainedModel, run.id).player_id == player_id
