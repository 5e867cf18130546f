"""A trained guard judges, and is in no list of models that write."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import pytest

from tests.kit.judging import add_model
from tests.kit.world import World
from webapp.domain.lab import matrix_models
from webapp.domain.lab.models import models_for, require_model
from webapp.domain.train import runs
from webapp.domain.train.choices import GUARD
from webapp.domain.train.fighters import fighters
from webapp.domain.train.sides import sides
from webapp.domain.writing.level_form import choices
from webapp.errors import InvalidInput
from webapp.llm.endpoints import LOCAL, Endpoint
from webapp.llm.events import Listed
from webapp.llm.gateway import Gateway
from webapp.llm.scripted import ScriptedBackend
from webapp.rows import PUBLIC

MODEL, MINE = f"{LOCAL}/soup", f"{LOCAL}/my-guard"


class Sidecar(ScriptedBackend):
    """Lists what was trained as the sidecar does: with its kind."""

    def models(self) -> Mapping[str, Listed]:
        trained = (
            Listed("soup", is_adapter=True),
            Listed("my-guard", "guard", is_adapter=True, reads="message"),
        )
        return {**super().models(), **{one.name: one for one in trained}}


@pytest.fixture
def world(world: World) -> World:
    """Return a world whose local models are those that the sidecar lists."""
    gateway = Gateway([Endpoint(LOCAL, "scripted", {})], backends={LOCAL: Sidecar()})
    world.services = replace(world.services, gateway=gateway)
    return world


@pytest.mark.parametrize("is_own", [True, False])
def test_who_may_judge_with_a_guard_cannot_chat_with_it(
    world: World, is_own: bool
) -> None:
    owner = world.player("Ada")
    reader = owner if is_own else world.player("Bob")
    run_id = add_model(world.services, owner, "soup", visibility=PUBLIC)
    guard_id = add_model(
        world.services, owner, "my-guard", base=GUARD, visibility=PUBLIC
    )
    playground = models_for(world.services, player_id=reader)
    run = runs.find(world.services, player_id=owner, run_id=run_id)
    lists = {
        "playground": {model.name for model in playground},
        "fair test": {
            model.name
            for model in matrix_models.offered(world.services, player_id=reader)
        },
        "form of a level": set(choices(world.services).models),
        "compare": {
            f"{LOCAL}/{side.model}"
            for side in sides(world.services, player_id=reader, run=run)
        },
    }
    for where, names in lists.items():
        assert (MODEL in names, MINE in names) == (True, False), where
    with pytest.raises(InvalidInput, match="There is no model “my-guard” here"):
        require_model(playground, "my-guard")
    with world.db.read() as session:
        arena = fighters(session, reader)
    assert (run_id in arena, guard_id in arena) == (True, False)
    # The gate that comes with the site stays the one that is meant without a name.
    assert world.services.gateway.usual("guard", reads="message") == "gate"
    assert world.services.gateway.usual("chat") != "my-guard"
