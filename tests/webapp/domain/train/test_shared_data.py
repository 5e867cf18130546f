"""Data that others may see and train on: who may, and what stays its owner's."""

from __future__ import annotations

import pytest

from tests.kit.training import ScriptedTraining
from tests.kit.world import World
from tests.webapp.domain.train.test_models import in_class
from webapp.domain.people import accounts
from webapp.domain.people.classes import add_class
from webapp.domain.train import data, runs, shared_data
from webapp.domain.train.choices import Choices
from webapp.domain.train.origins import Origin
from webapp.errors import Conflict, InvalidInput, NotFound
from webapp.rows import CLASS, PRIVATE, PUBLIC, Player

TOLD = Origin("A book of my aunt", "CC BY 4.0")


def bring(world: World, player: int, *, is_read: bool = True) -> int:
    data_id = data.bring(
        world.services, player_id=player, name="a.txt", content=b"x\ny\n", origin=TOLD
    )
    if is_read:
        data.look(
            world.services,
            player_id=player,
            data_id=data_id,
            model="smollm2",
            settings={"text": "Song: {text}"},
            seed=0,
        )
    return data_id


def show(world: World, player: int, data_id: int, visibility: str) -> None:
    shared_data.show(
        world.services, player_id=player, data_id=data_id, visibility=visibility
    )


def sees(world: World, player: int | None, data_id: int) -> bool:
    listed = {d.id for d, _ in shared_data.shared(world.services, player_id=player)}
    try:
        found = shared_data.page(world.services, player_id=player, data_id=data_id)
    except NotFound:
        assert data_id not in listed
        return False
    assert (data_id in listed) != found.is_own
    return True


def train(world: World, player: int, data_id: int) -> int:
    return runs.start(
        world.services,
        player_id=player,
        data_id=data_id,
        choices=Choices(title="Soup"),
        form=f"form-{player}",
    )


def test_data_is_for_whom_its_owner_says(world: World) -> None:
    code = add_class(world.services, name="10b").join_code
    ada, bob = in_class(world, "Ada", code), in_class(world, "Bob", code)
    eve = world.player("Eve")
    data_id = bring(world, ada)
    seen = {}
    for visibility in (PRIVATE, CLASS, PUBLIC):
        show(world, ada, data_id, visibility)
        seen[visibility] = [sees(world, who, data_id) for who in (ada, bob, eve, None)]
    assert seen == {
        PRIVATE: [True, False, False, False],
        CLASS: [True, True, False, False],
        PUBLIC: [True, True, True, True],
    }
    with world.db.write() as session:
        session.get_one(Player, ada).is_hidden = True
    assert not sees(world, bob, data_id)


def test_who_may_use_it_trains_on_it_as_its_owner_has_set_it(
    world: World, trainer: ScriptedTraining
) -> None:
    ada, bob = world.player("Ada"), world.player("Bob")
    data_id = bring(world, ada)
    with pytest.raises(NotFound):
        train(world, bob, data_id)
    show(world, ada, data_id, PUBLIC)
    run = runs.find(world.services, player_id=bob, run_id=train(world, bob, data_id))
    job = trainer.jobs[trainer.last]
    assert job["recipe"]["data"]["text"] == "Song: {text}"
    assert job["metadata"] == {
        "site_run": str(run.id),
        "data_source": TOLD.source,
        "data_terms": TOLD.terms,
    }
    assert run.origin == TOLD
    for do in (data.delete, shared_data.delete):
        with pytest.raises(NotFound):
            do(world.services, player_id=bob, data_id=data_id)
    with pytest.raises(NotFound):
        show(world, bob, data_id, PRIVATE)
    assert trainer.deleted == []


def test_only_what_was_looked_at_is_shown_and_no_set_that_all_have(
    world: World,
) -> None:
    player = world.player()
    unread = bring(world, player, is_read=False)
    with pytest.raises(Conflict, match="Look at the data first"):
        show(world, player, unread, PUBLIC)
    taken = data.choose(world.services, player_id=player, file_id="shipped-recipes")
    with pytest.raises(Conflict, match="Everybody here has this set"):
        show(world, player, taken, PUBLIC)
    read = bring(world, player)
    with pytest.raises(InvalidInput):
        show(world, player, read, "nobody")
    with pytest.raises(Conflict, match="in no class"):
        show(world, player, read, CLASS)


def test_deleting_shared_data_ends_what_others_learn_from_it(
    world: World, trainer: ScriptedTraining
) -> None:
    ada, bob = world.player("Ada"), world.player("Bob")
    data_id = bring(world, ada)
    show(world, ada, data_id, PUBLIC)
    run_id = train(world, bob, data_id)
    trainer.is_used = True
    with pytest.raises(Conflict, match="It is being ended"):
        shared_data.delete(world.services, player_id=ada, data_id=data_id)
    assert trainer.jobs[trainer.last]["status"] == "cancelled"
    assert not sees(world, bob, data_id)
    trainer.is_used = False
    shared_data.delete(world.services, player_id=ada, data_id=data_id)
    assert trainer.deleted == ["file-1"]
    run = runs.find(world.services, player_id=bob, run_id=run_id)
    assert (run.data_id, run.origin) == (None, TOLD)


def test_an_owner_who_goes_takes_shared_data_along(
    world: World, trainer: ScriptedTraining
) -> None:
    ada, bob = world.player("Ada"), world.player("Bob")
    data_id = bring(world, ada)
    show(world, ada, data_id, PUBLIC)
    train(world, bob, data_id)
    accounts.delete_player(world.services, player_id=ada)
    assert trainer.jobs[trainer.last]["status"] == "cancelled"
    assert trainer.files == {}
