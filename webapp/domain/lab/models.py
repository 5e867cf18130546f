"""The models that somebody may ask in the lab."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from webapp.domain.people import classes
from webapp.domain.people.players import require_player, shown_name
from webapp.domain.services import Services
from webapp.errors import InvalidInput, LabError
from webapp.llm.endpoints import LOCAL
from webapp.rows import CLASS, PUBLIC, Player, TrainedModel

MOST: Final = 200


@dataclass(frozen=True, slots=True)
class LabModel:
    """A model as a list shows it: its name with the endpoint, and what it is."""

    name: str
    title: str
    badge: str
    is_base: bool


def models_for(services: Services, *, player_id: int | None) -> tuple[LabModel, ...]:
    """Return the models that answer or go on with a text, the usual one first.

    Models that students have trained are there for those who may open them.
    """
    with services.db.read() as session:
        trained = _trained(session, player_id)
    found = []
    for info in services.gateway.models():
        endpoint, _, name = info.name.partition("/")
        if info.kind not in {"chat", "base"} or not info.available:
            continue
        badge = "base" if info.kind == "base" else "chat-tuned"
        title = name if endpoint == LOCAL else f"{name} at {endpoint}"
        if endpoint == LOCAL and name in trained:
            told = trained[name]
            if told is None:
                continue
            title, badge = told
        found.append(LabModel(info.name, title, badge, info.kind == "base"))
    usual = _usual(services)
    found.sort(key=lambda model: model.name not in {usual, f"{LOCAL}/{usual}"})
    return tuple(found[:MOST])


def require_model(models: Sequence[LabModel], name: str) -> LabModel:
    """Return a model by its name, with or without the endpoint; raise InvalidInput."""
    for model in models:
        if name in {model.name, model.name.partition("/")[2]}:
            return model
    if not models:
        raise InvalidInput("No model answers just now. Try again in a moment.")
    there = ", ".join(model.name for model in models[:12])
    raise InvalidInput(f"There is no model “{name[:60]}” here. There are: {there}.")


def is_shown(row: TrainedModel, owner: Player, own_class: int | None) -> bool:
    """Tell whether somebody of this class, or of none, may open another's model."""
    if owner.is_hidden:
        return False
    is_of_class = own_class is not None and own_class == owner.class_id
    return row.visibility == PUBLIC or (row.visibility == CLASS and is_of_class)


def _usual(services: Services) -> str:
    try:
        return services.gateway.usual("chat")
    except LabError:
        return ""


def _trained(
    session: Session, player_id: int | None
) -> Mapping[str, tuple[str, str] | None]:
    """Return title and badge of each trained model; None for one that is not shown."""
    player = None if player_id is None else require_player(session, player_id)
    own = None if player is None else classes.own_class(session, player)
    query = select(TrainedModel, Player).join(
        Player, Player.id == TrainedModel.player_id
    )
    found: dict[str, tuple[str, str] | None] = {}
    for row, owner in session.execute(query.where(TrainedModel.name.is_not(None))):
        told = None
        if player_id is not None and owner.id == player_id:
            told = row.title, "trained by you"
        elif is_shown(row, owner, own):
            told = row.title, f"trained by {shown_name(owner)}"
        found[row.name or ""] = told
    return found
