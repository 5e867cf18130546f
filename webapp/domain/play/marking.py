"""Which words mattered to a guard model: asked after the win, and kept.

To find out, a model reads the text once more for each word. Nobody who plays should
wait for that, so it is asked by those who have opened the gate, once for each attempt.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from pydantic import ValidationError
from sqlalchemy.orm import Session

from webapp.domain.play import conversation, disclosure, notebook, visits
from webapp.domain.play.attempts import AttemptView
from webapp.domain.play.grounds import marked_row, needs_marks
from webapp.domain.services import Services
from webapp.errors import Conflict, Forbidden, NotFound
from webapp.llm.ask import GatewayAsk
from webapp.plugins.asking import Grounds
from webapp.plugins.guard import Guard, Turn, guards
from webapp.rows import Attempt, LevelVersion, Visit
from webapp.security import Secret

CHANGED = "This gate has changed since then, so its guards cannot be asked again."


class _Again(NamedTuple):
    """A verdict to ask for again: its place in the row, its guard, what it saw."""

    number: int
    guard: Guard
    turn: Turn


def mark(services: Services, *, player_id: int, attempt_id: int) -> AttemptView:
    """Ask the guard models of an attempt which words mattered; keep what they say.

    They look again at what they saw then. Raises NotFound, Forbidden before the win,
    Conflict if the gate has changed since, and BackendError if a model fails.
    """
    with services.db.read() as session:
        row = notebook.require_attempt(session, player_id, attempt_id)
        solved = visits.solved_levels(session, player_id)
        index = services.content.current()
        if not disclosure.of_attempt(row, index=index, solved=solved).has_grounds:
            raise Forbidden("Open this gate first. Then its guards show what they saw.")
        again = _again(session, services, row)
    ask = GatewayAsk(services.gateway, f"player-{player_id}", highlights=True)
    grounds: dict[int, Grounds | None] = {
        number: guard.inspect(turn, ask).grounds for number, guard, turn in again
    }
    if grounds:
        with services.db.write() as session:
            row = notebook.require_attempt(session, player_id, attempt_id)
            row.verdicts = [
                {**verdict, "grounds": marked_row(verdict["grounds"], grounds[number])}
                if number in grounds
                else verdict
                for number, verdict in enumerate(row.verdicts)
            ]
    return notebook.find(services, player_id=player_id, attempt_id=attempt_id)


def _again(session: Session, services: Services, row: Attempt) -> list[_Again]:
    """Return what to ask again: the verdicts of models that are not marked yet."""
    waiting = {
        number
        for number, verdict in enumerate(row.verdicts)
        if needs_marks(verdict.get("grounds"))
    }
    if not waiting:
        return []
    body = session.get_one(LevelVersion, row.content_hash).body
    history = conversation.visit_history(
        session, visit_id=row.visit_id, turns=body["defender"]["turns"], before=row
    )
    secret = _secret(session, services, row)
    texts = {"input": row.message, "output": row.reply or ""}
    # The guards of each stage, in the order in which they gave their verdicts.
    specs = {stage: iter(body["guards"][stage]) for stage in texts}
    again = []
    for number, verdict in enumerate(row.verdicts):
        stage = verdict["stage"]
        spec = next(specs[stage])
        if number in waiting:
            turn = Turn(stage, texts[stage], row.message, history, secret)
            again.append(_Again(number, _guard(spec), turn))
    return again


def _guard(spec: dict[str, Any]) -> Guard:
    kind = guards.get(spec["name"])
    try:
        return kind(kind.Options.model_validate(spec["options"]))
    except ValidationError:
        raise Conflict(CHANGED) from None


def _secret(session: Session, services: Services, row: Attempt) -> Secret:
    """Return the password of the visit; raise Conflict if its level or word is gone."""
    visit = session.get_one(Visit, row.visit_id)
    try:
        level = services.content.current().level(row.level_id)
        return visits.visit_secret(services, visit, level)
    except (NotFound, Conflict):
        raise Conflict(CHANGED) from None
