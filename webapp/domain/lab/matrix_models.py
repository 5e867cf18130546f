"""The models that somebody may put into a matrix."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from webapp.domain.lab.models import is_shown
from webapp.domain.people import classes
from webapp.domain.people.players import require_player, shown_name
from webapp.domain.services import Services
from webapp.errors import LabError
from webapp.llm.endpoints import LOCAL
from webapp.rows import Player, TrainedModel

_WRITES: Final = frozenset({"chat", "base"})


@dataclass(frozen=True, slots=True)
class Asked:
    """A model, what it is called, and how it is asked: as a chat, or to carry on.

    `base` is what a trained model began as.
    """

    name: str
    title: str
    is_chat: bool = True
    system: str = ""
    base: str = ""


def alike(models: Sequence[Asked]) -> tuple[Asked, ...]:
    """Return models so that a base is asked as the trained one beside it.

    Otherwise a base could lose only because it was asked in another way.
    """
    tuned = {model.base: model for model in reversed(models) if model.base}
    found = []
    for model in models:
        like = tuned.get(model.name)
        if like is not None and (like.is_chat, like.system) != (
            model.is_chat,
            model.system,
        ):
            model = replace(
                model,
                title=f"{model.title}, asked like {like.title}",
                is_chat=like.is_chat,
                system=like.system,
            )
        found.append(model)
    return tuple(found)


def offered(services: Services, *, player_id: int | None) -> tuple[Asked, ...]:
    """Return every model that writes: those here, those elsewhere, and trained ones.

    Of what people trained it is their own, and what is shown to them.
    """
    listed = [
        info
        for info in services.gateway.models()
        if info.available and info.kind in _WRITES
    ]
    here = f"{LOCAL}/"
    names = [i.name.removeprefix(here) for i in listed if i.name.startswith(here)]
    with services.db.read() as session:
        trained = _trained(session, player_id, names)
    found = []
    for info in listed:
        name = info.name.removeprefix(here)
        if name in trained:
            model = trained[name]
            if model is not None:
                found.append(model)
        else:
            found.append(Asked(info.name, name, is_chat=info.kind == "chat"))
    return tuple(found)


def usual(services: Services) -> str:
    """Return the model that is meant where none is chosen; "" if none can be told."""
    try:
        name = services.gateway.usual("chat")
    except LabError:
        return ""
    return name if "/" in name else f"{LOCAL}/{name}"


def _trained(
    session: Session, player_id: int | None, names: list[str]
) -> Mapping[str, Asked | None]:
    """Return those of these names that people trained; None where it is not shown."""
    player = None if player_id is None else require_player(session, player_id)
    own_class = None if player is None else classes.own_class(session, player)
    rows = session.execute(
        select(TrainedModel, Player)
        .join(Player, Player.id == TrainedModel.player_id)
        .where(TrainedModel.name.in_(names))
    )
    found: dict[str, Asked | None] = {}
    for row, owner in rows:
        is_own = owner.id == player_id
        may_ask = is_own or is_shown(row, owner, own_class)
        found[row.name or ""] = _asked(row, owner, is_own) if may_ask else None
    return found


def _asked(row: TrainedModel, owner: Player, is_own: bool) -> Asked:
    data = row.settings.get("data", {})
    title = row.title if is_own else f"{row.title} by {shown_name(owner)}"
    return Asked(
        name=f"{LOCAL}/{row.name}",
        title=title,
        is_chat=bool(data.get("is_chat")),
        system=str(data.get("system", "")),
        base=f"{LOCAL}/{row.base}",
    )
