"""Data: whose it is, how it is read, and what is refused."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from tests.kit.content import write_content
from tests.kit.training import ScriptedTraining
from tests.kit.world import World
from webapp.content.store import ContentStore
from webapp.domain.people import accounts
from webapp.domain.train import data, origins
from webapp.domain.train.origins import Origin
from webapp.errors import BackendError, Conflict, InvalidInput, NotFound


def look(world: World, player: int, data_id: int, **settings: object) -> data.DataView:
    return data.look(
        world.services,
        player_id=player,
        data_id=data_id,
        model="smollm2",
        settings=settings,
        seed=0,
    )


def find(world: World, player: int, data_id: int) -> data.DataView:
    return data.find(world.services, player_id=player, data_id=data_id)


def test_a_shipped_set_is_taken_once(world: World) -> None:
    player = world.player()
    ids = {
        data.choose(world.services, player_id=player, file_id="shipped-recipes")
        for _ in range(2)
    }
    assert len(ids) == 1
    (found,) = data.mine(world.services, player_id=player)
    assert found.settings == {"text": "{title}\n{steps}"}


ZOO = """\
title: Our zoo
about: Made up by the class.
text: "Animal: {animal}"
answer: " {likes}"
rows:
  - {animal: owl, likes: evenings}
  - {animal: mole, likes: holes}
"""


def write_zoo(world: World, folder: Path, text: str) -> None:
    root = write_content(folder)
    (root / "data").mkdir()
    (root / "data" / "zoo.yaml").write_text(text)
    world.services = replace(world.services, content=ContentStore([root]))


def test_a_set_of_the_content_is_taken_as_it_says_then(
    world: World, trainer: ScriptedTraining, tmp_path: Path
) -> None:
    player = world.player()
    write_zoo(world, tmp_path / "one", ZOO)
    first, second = data.shipped(world.services)[:2]
    assert (first.id, first.title, first.rows) == ("content-zoo", "Our zoo", 2)
    assert second.id == "shipped-recipes"
    taken = {
        data.choose(world.services, player_id=player, file_id="content-zoo")
        for _ in range(2)
    }
    assert len(taken) == 1
    (found,) = data.mine(world.services, player_id=player)
    assert found.name.startswith("zoo-")
    assert found.settings == {"text": "Animal: {animal}", "answer": " {likes}"}
    assert len(trainer.files) == 1
    write_zoo(world, tmp_path / "two", ZOO.replace("evenings", "mornings"))
    again = data.choose(world.services, player_id=player, file_id="content-zoo")
    assert again not in taken
    assert len(data.mine(world.services, player_id=player)) == 2
    data.delete(world.services, player_id=player, data_id=again)
    assert len(trainer.files) == 1


def test_what_is_told_of_a_text_is_kept_and_a_set_of_the_hub_tells_itself(
    world: World,
) -> None:
    player = world.player()
    told = Origin("A book of my aunt", "CC BY 4.0")
    data_id = data.bring(
        world.services, player_id=player, name="a.txt", content=b"x\n", origin=told
    )
    assert find(world, player, data_id).origin == told
    better = origins.read({"source": " My  aunt ", "terms": ""})
    data.tell_origin(world.services, player_id=player, data_id=data_id, origin=better)
    assert find(world, player, data_id).origin == Origin("My aunt", "")
    wanted = {"name": "tiny/stories", "rows": 30}
    fetched = data.fetch(world.services, player_id=player, wanted=wanted)
    assert find(world, player, fetched).origin == Origin(
        "huggingface.co/datasets/tiny/stories (default, train, 30 rows)", "cc-by-4.0"
    )
    taken = data.choose(world.services, player_id=player, file_id="shipped-recipes")
    assert find(world, player, taken).origin == Origin(data.MADE_HERE, "Apache-2.0")


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"source": "x" * 301}, "at most 300 characters"),
        ({"terms": "x" * 121}, "at most 120 characters"),
        ({"terms": "a\x07b"}, "is not text"),
    ],
)
def test_what_cannot_be_told_is_refused(given: dict[str, str], says: str) -> None:
    with pytest.raises(InvalidInput, match=says):
        origins.read(given)


def test_only_its_owner_tells_of_data(world: World) -> None:
    ada, bob = world.player("Ada"), world.player("Bob")
    data_id = data.bring(world.services, player_id=ada, name="a.txt", content=b"x\n")
    with pytest.raises(NotFound):
        data.tell_origin(
            world.services, player_id=bob, data_id=data_id, origin=Origin("Bob", "")
        )


def test_an_unknown_set_is_not_taken(world: World) -> None:
    with pytest.raises(NotFound):
        data.choose(world.services, player_id=world.player(), file_id="file-1")


def test_an_upload_is_read_and_its_way_is_kept(world: World) -> None:
    player = world.player()
    data_id = data.bring(
        world.services, player_id=player, name="C:\\me\\songs.txt", content=b"la\nli\n"
    )
    found = look(world, player, data_id)
    assert found.name == "songs.txt"
    assert found.report is not None
    assert found.report.rows == 2
    assert found.settings == {"text": "{text}"}


def test_a_way_that_does_not_fit_changes_nothing(world: World) -> None:
    player = world.player()
    data_id = data.bring(world.services, player_id=player, name="a.txt", content=b"x\n")
    look(world, player, data_id, text="Song: {text}")
    with pytest.raises(
        InvalidInput, match=r"no column \{titel\}; the columns are: text"
    ):
        look(world, player, data_id, text="{titel}")
    kept = data.find(world.services, player_id=player, data_id=data_id)
    assert kept.settings == {"text": "Song: {text}"}


def test_data_of_others_is_not_there(world: World) -> None:
    ada, bob = world.player("Ada"), world.player("Bob")
    data_id = data.bring(world.services, player_id=ada, name="a.txt", content=b"x\n")
    for do in (data.find, data.delete):
        with pytest.raises(NotFound):
            do(world.services, player_id=bob, data_id=data_id)
    with pytest.raises(NotFound):
        look(world, bob, data_id)
    with pytest.raises(NotFound):
        data.find(world.services, player_id=ada, data_id=2**40)


def test_what_is_no_text_or_too_large_is_refused_with_the_reason(
    world: World, trainer: ScriptedTraining
) -> None:
    player = world.player()
    with pytest.raises(InvalidInput, match="zero bytes"):
        data.bring(world.services, player_id=player, name="a.bin", content=b"a\0b")
    trainer.file_bytes = 3
    with pytest.raises(InvalidInput, match="larger than"):
        data.bring(world.services, player_id=player, name="a.txt", content=b"long")
    assert data.mine(world.services, player_id=player) == ()


def test_nobody_fills_the_disk(
    world: World, trainer: ScriptedTraining, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(data, "MOST_FILES", 1)
    player = world.player()
    data.bring(world.services, player_id=player, name="a.txt", content=b"x\n")
    with pytest.raises(Conflict, match="as many as one person may keep"):
        data.bring(world.services, player_id=player, name="b.txt", content=b"x\n")
    assert len(trainer.files) == 1


def test_without_the_trainer_nothing_is_lost(
    world: World, trainer: ScriptedTraining
) -> None:
    player = world.player()
    data_id = data.bring(world.services, player_id=player, name="a.txt", content=b"x\n")
    trainer.is_down = True
    with pytest.raises(BackendError, match="does not answer just now"):
        look(world, player, data_id)
    assert [one.id for one in data.mine(world.services, player_id=player)] == [data_id]


def test_deleting_data_deletes_the_file_but_no_shipped_one(
    world: World, trainer: ScriptedTraining
) -> None:
    player = world.player()
    own = data.bring(world.services, player_id=player, name="a.txt", content=b"x\n")
    taken = data.choose(world.services, player_id=player, file_id="shipped-recipes")
    for data_id in (own, taken):
        data.delete(world.services, player_id=player, data_id=data_id)
    assert trainer.deleted == ["file-1"]


def test_data_that_could_not_be_deleted_is_still_there(
    world: World, trainer: ScriptedTraining
) -> None:
    player = world.player()
    own = data.bring(world.services, player_id=player, name="a.txt", content=b"x\n")
    trainer.is_down = True
    with pytest.raises(BackendError):
        data.delete(world.services, player_id=player, data_id=own)
    assert data.find(world.services, player_id=player, data_id=own).name == "a.txt"


def test_a_player_who_goes_takes_all_along(
    world: World, trainer: ScriptedTraining
) -> None:
    player = world.player()
    data.bring(world.services, player_id=player, name="a.txt", content=b"x\n")
    accounts.delete_player(world.services, player_id=player)
    assert trainer.files == {}
