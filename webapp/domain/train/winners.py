"""Texts that were preferred to others become data for the next run.

Only what won is learned. Ties, what was skipped, and two texts that are the same, say
nothing and are left out.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from sqlalchemy import select

from webapp.domain.services import Services
from webapp.domain.train import correcting, duels
from webapp.domain.train.compared import SIDES, ComparisonView, RowView
from webapp.domain.train.fighters import fighters
from webapp.domain.train.origins import SOURCE_CHARS, Origin
from webapp.rows import GRADES, LEFT, RIGHT, Duel

_CHOICES: Final = (LEFT, RIGHT)


@dataclass(frozen=True, slots=True)
class Won:
    """A text that a player chose in the arena. `is_chat`: it answers, as in a chat."""

    prompt: str
    text: str
    is_chat: bool


def of_comparison(seen: ComparisonView) -> dict[int, str]:
    """Return the reply that was found better than the other, by place.

    Where a person graded both, that counts; elsewhere, what the judge model said.
    """
    found = {}
    for row in seen.rows:
        first, second = row.answers
        side = _better(row)
        if side is None or first.text == second.text:
            continue
        answer = row.answers[side]
        if answer.text and answer.text.strip() and not answer.is_site:
            found[row.place] = answer.text.strip()
    return found


def of_votes(services: Services, *, player_id: int) -> tuple[Won, ...]:
    """Return what a player chose in the arena, each pair of prompt and text once.

    Of models that are not shown to the player any more, nothing is taken.
    """
    query = select(Duel).where(Duel.player_id == player_id, Duel.verdict.in_(_CHOICES))
    found = {}
    with services.db.read() as session:
        shown = fighters(session, player_id)
        for duel in session.scalars(query.order_by(Duel.id)):
            side = _CHOICES.index(duel.verdict or LEFT)
            model_id = duels.order(duel)[side]
            texts = [reply["text"] for reply in duel.replies]
            if model_id in shown and texts[side].strip() and len(set(texts)) > 1:
                won = Won(duel.prompt, texts[side], shown[model_id].run.is_chat)
                found[won.prompt, won.text.strip()] = won
    return tuple(found.values())


def make_of_comparison(
    services: Services, *, player_id: int, seen: ComparisonView
) -> int:
    """Make a set of data of the better replies of a comparison; return its id.

    Raises InvalidInput if they are too few, Conflict if there is too much data already,
    and BackendError.
    """
    better = of_comparison(seen)
    chosen = [row for row in seen.rows if row.place in better]
    return correcting.bring(
        services,
        player_id=player_id,
        name="preferred",
        rows=_once(correcting.rows_of(seen.run, chosen, better)),
        settings=correcting.settings_of(seen.run),
        origin=Origin(f"Preferred replies to “{seen.run.title}”"[:SOURCE_CHARS]),
        more="Compare and judge more prompts, and decide in more of them.",
    )


def make_of_votes(services: Services, *, player_id: int) -> int:
    """Make a set of data of what a player chose in the arena; return its id.

    Raises as `make_of_comparison` does.
    """
    won = of_votes(services, player_id=player_id)
    is_chat = bool(won) and all(each.is_chat for each in won)
    # A text goes on from its prompt with the blank that its model wrote.
    rows = [
        {"prompt": each.prompt, "answer": each.text.strip() if is_chat else each.text}
        for each in won
    ]
    settings = {"text": "{prompt}", "answer": "{answer}", "is_chat": is_chat}
    return correcting.bring(
        services,
        player_id=player_id,
        name="preferred",
        rows=rows,
        settings=settings,
        origin=Origin("Texts by models of others, preferred in the arena"),
        more="Judge more pairs first.",
    )


def _better(row: RowView) -> int | None:
    grades = [answer.grade for answer in row.answers]
    if all(grades):
        first, second = map(GRADES.index, grades)
        # The best grade comes first.
        return None if first == second else int(second < first)
    said = row.preference.better if row.preference else ""
    return SIDES.index(said) if said in SIDES else None


def _once(rows: Sequence[Mapping[str, str]]) -> list[dict[str, str]]:
    return [dict(each) for each in dict.fromkeys(tuple(row.items()) for row in rows)]
