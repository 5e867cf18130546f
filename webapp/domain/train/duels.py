"""Duels: two models write to one prompt, and a player chooses, blind.

Until the vote, nothing that is shown says which model is which.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from webapp.db import find_row
from webapp.domain.people import classes
from webapp.domain.people.players import require_player, shown_name
from webapp.domain.services import Services
from webapp.domain.train import prompting
from webapp.domain.train.fighters import Fighter, fighters, pairs_of
from webapp.domain.train.prompting import Wanted
from webapp.domain.train.runs import RunView, view
from webapp.domain.train.sides import side_of
from webapp.errors import BackendError, Conflict, InvalidInput, NotFound
from webapp.rows import VERDICTS, Duel, Player, TrainedModel

_TEMPERATURE: Final = 0.8
USUAL_PROMPT: Final = "Once upon a time"


@dataclass(frozen=True, slots=True)
class DuelView:
    """Two replies to a prompt. `fighters` are left and right: None before the vote."""

    id: int
    prompt: str
    replies: tuple[str, ...]
    verdict: str | None
    fighters: tuple[Fighter, ...] | None


def next_duel(services: Services, *, player_id: int) -> int:
    """Begin a duel that the player has not met, and let both models write.

    Returns its id; that of the open one, if there is one. Raises Conflict if no pair is
    left, and BackendError, QuotaExceeded or NotFound if the models cannot be asked.
    """
    with services.db.write() as session:
        player = require_player(session, player_id, lock=True)
        pairs = pairs_of(fighters(session, player_id).values())
        duel = open_duel(session, player_id)
        if duel is not None and pair(duel) not in pairs:
            # One of the two is not shown any more.
            session.delete(duel)
            session.flush()
            duel = None
        duel = duel or _draw(session, services, player)
        asked = _asked(session, duel)
        duel_id, prompt, seed, replies = duel.id, duel.prompt, duel.seed, duel.replies
    if replies:
        return duel_id
    try:
        written = [_write(services, player_id, run, prompt, seed) for run in asked]
    except BackendError:
        # Another pair may have models that are still there.
        _forget(services, player_id, duel_id)
        raise
    with services.db.write() as session:
        row = _require(session, player_id, duel_id)
        if not row.replies:
            row.replies = [{"text": text} for text in written]
    return duel_id


def vote(services: Services, *, player_id: int, duel_id: int, verdict: str) -> None:
    """Keep which of the two a player likes better: once for each pair.

    Raises Conflict for a second vote, and InvalidInput for a verdict there is not.
    """
    if verdict not in VERDICTS:
        raise InvalidInput("Choose the left text, the right one, both, or skip them.")
    with services.db.write() as session:
        require_player(session, player_id, lock=True)
        duel = _require(session, player_id, duel_id)
        if duel.verdict is not None:
            raise Conflict("You have judged these two already: each pair comes once.")
        if not duel.replies:
            raise Conflict("Both texts are still being written. Wait a moment.")
        duel.verdict = verdict
        duel.voted_at = services.now()


def told(services: Services, *, player_id: int, duel_id: int) -> DuelView:
    """Return one's own duel, after the vote with who was who; raise NotFound."""
    with services.db.read() as session:
        return duel_view(session, _require(session, player_id, duel_id))


def met(session: Session, player_id: int) -> set[tuple[int, int]]:
    """Return the pairs that a player has judged or skipped."""
    query = select(Duel.low_id, Duel.high_id).where(
        Duel.player_id == player_id, Duel.verdict.is_not(None)
    )
    return {(low, high) for low, high in session.execute(query)}


def open_duel(session: Session, player_id: int) -> Duel | None:
    """Return the duel that a player has not judged yet."""
    query = select(Duel).where(Duel.player_id == player_id, Duel.verdict.is_(None))
    return session.scalars(query.order_by(Duel.id).limit(1)).first()


def _draw(session: Session, services: Services, player: Player) -> Duel:
    """Draw a pair, its prompt and who stands on the left, all by one seed."""
    found = fighters(session, player.id)
    left = sorted(pairs_of(found.values()) - met(session, player.id))
    if not left:
        raise Conflict(
            "There is no pair of models left that you have not judged. Come back when"
            " others have shown more of theirs."
        )
    seed = services.seed()
    chance = random.Random(seed)  # noqa: S311 -- which pair comes is no secret
    low, high = chance.choice(left)
    prompts = [found[n].run.prompt for n in (low, high) if found[n].run.prompt.strip()]
    duel = Duel(
        player_id=player.id,
        class_id=classes.own_class(session, player),
        low_id=low,
        high_id=high,
        is_swapped=chance.random() < 0.5,
        prompt=chance.choice(prompts) if prompts else USUAL_PROMPT,
        seed=seed,
        created_at=services.now(),
    )
    session.add(duel)
    session.flush()
    return duel


def _asked(session: Session, duel: Duel) -> tuple[RunView, ...]:
    return tuple(
        view(session.get_one(TrainedModel, model_id)) for model_id in order(duel)
    )


def pair(duel: Duel) -> tuple[int, int]:
    """Return the two models in the order of their ids."""
    return duel.low_id, duel.high_id


def order(duel: Duel) -> tuple[int, int]:
    """Return the models on the left and on the right."""
    if duel.is_swapped:
        return duel.high_id, duel.low_id
    return duel.low_id, duel.high_id


def _write(
    services: Services, player_id: int, run: RunView, prompt: str, seed: int
) -> str:
    side = side_of(run)
    wanted = Wanted(
        prompt=prompt,
        temperature=_TEMPERATURE,
        seed=seed,
        is_chat=side.is_chat,
        system=side.system,
    )
    said = prompting.ask(services, player_id=player_id, model=side.model, wanted=wanted)
    if said.error:
        # Not whose: that would say which model is about to be judged.
        raise BackendError(
            "One of the two models could not be asked. Try again, with another pair."
        )
    return said.text


def _forget(services: Services, player_id: int, duel_id: int) -> None:
    with services.db.write() as session:
        duel = _require(session, player_id, duel_id)
        if not duel.replies:
            session.delete(duel)


def _require(session: Session, player_id: int, duel_id: int) -> Duel:
    duel = find_row(session, Duel, duel_id)
    if duel is None or duel.player_id != player_id:
        raise NotFound("You have no such pair to judge. It may have been deleted.")
    return duel


def duel_view(session: Session, duel: Duel) -> DuelView:
    """Return a duel as its player sees it."""
    is_over = duel.verdict is not None
    return DuelView(
        id=duel.id,
        prompt=duel.prompt,
        replies=tuple(reply["text"] for reply in duel.replies),
        verdict=duel.verdict,
        fighters=_named(session, duel) if is_over else None,
    )


def _named(session: Session, duel: Duel) -> tuple[Fighter, ...]:
    found = []
    for model_id in order(duel):
        row = session.get_one(TrainedModel, model_id)
        owner = session.get_one(Player, row.player_id)
        found.append(Fighter(view(row), shown_name(owner), owner.id == duel.player_id))
    return tuple(found)
