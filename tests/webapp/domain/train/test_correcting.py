"""Replies that are corrected become a set of data for the next run."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import select

from tests.kit.judging import LEARNED, TrainingWithRows, add_model
from tests.kit.world import World
from webapp.domain.train import correcting, data, runs
from webapp.domain.train.compared import Answer, ComparisonView, RowView
from webapp.domain.train.origins import Origin
from webapp.domain.train.sides import Side
from webapp.errors import InvalidInput
from webapp.rows import TrainedModel

ASKING: dict[str, Any] = {"text": "{question}\n", "answer": " {answer}"}
FRIED = ("How do I fry onions?\n", f" {LEARNED}")
EGGS = ("How do I boil eggs?\n", " In water.")


@pytest.fixture
def trainer() -> TrainingWithRows:
    found = TrainingWithRows()
    found.rows["train"] = tuple(
        {"text": text, "answer": answer} for text, answer in (FRIED, EGGS)
    )
    return found


@pytest.fixture
def world(world: World, trainer: TrainingWithRows) -> World:
    world.services = replace(world.services, training=trainer.client())
    return world


def comparison(
    world: World, player: int, settings: dict[str, Any], *replies: tuple[str, str]
) -> ComparisonView:
    """Return a comparison of a model that learned from such data: prompt, reply."""
    add_model(world.services, player, "soup", title="Soup bot", data=settings)
    with world.db.write() as session:
        row = session.scalars(select(TrainedModel)).one()
        told = Origin("My aunt", "CC BY 4.0").as_row()
        row.settings = {**row.settings, "origin": told}
    run = runs.find(world.services, player_id=player, run_id=1)
    return ComparisonView(
        id=1,
        run=run,
        sides=(Side("smollm2", "before"), Side("soup", "after")),
        settings={"tokens": 60},
        rows=tuple(
            RowView(n, prompt, None, False, (Answer("no"), Answer(reply)), "")
            for n, (prompt, reply) in enumerate(replies, start=1)
        ),
        is_judged=True,
        note="",
        created_at=run.created_at,
    )


def make(
    world: World,
    player: int,
    seen: ComparisonView,
    corrected: dict[int, str],
    *,
    with_learned: bool = False,
) -> data.DataView:
    data_id = correcting.make(
        world.services,
        player_id=player,
        seen=seen,
        corrected=corrected,
        with_learned=with_learned,
    )
    return data.find(world.services, player_id=player, data_id=data_id)


def rows(trainer: TrainingWithRows, found: data.DataView) -> list[dict[str, str]]:
    return trainer.files[found.file_id][1]


def test_corrections_follow_what_it_learned_from(
    world: World, trainer: TrainingWithRows
) -> None:
    player = world.player()
    rice = ("How do I cook rice?\n", " In a shoe.")
    seen = comparison(world, player, ASKING, rice, ("Why?\n", " So."), FRIED)
    marked = {1: " Boil it.\r\nSalt it. ", 3: "Slowly."}
    found = make(world, player, seen, marked, with_learned=True)
    # The old answer to a corrected prompt is not learned again.
    assert rows(trainer, found) == [
        {"prompt": EGGS[0], "answer": "In water."},
        {"prompt": rice[0], "answer": "Boil it.\nSalt it."},
        {"prompt": FRIED[0], "answer": "Slowly."},
    ]
    assert found.settings == {"text": "{prompt}", "answer": " {answer}"}
    assert found.origin == Origin(
        "Corrected replies of “Soup bot”, and what it learned from: My aunt",
        "CC BY 4.0",
    )
    again = make(world, player, seen, marked, with_learned=True)
    assert again.id == found.id


def test_chats_stay_chats(world: World, trainer: TrainingWithRows) -> None:
    player = world.player()
    asked = [(f"What is {n}?", "No.") for n in range(3)]
    chat = {"text": "{q}", "answer": "{a}", "is_chat": True, "system": "Be brief."}
    seen = comparison(world, player, chat, *asked)
    found = make(world, player, seen, {1: "Nil", 2: "One", 3: "Two"})
    assert found.settings == {
        "text": "{prompt}",
        "answer": "{answer}",
        "is_chat": True,
        "system": "Be brief.",
    }
    assert rows(trainer, found)[2] == {"prompt": "What is 2?", "answer": "Two"}
    assert found.origin == Origin("Corrected replies of “Soup bot”")


def test_a_text_goes_on_as_the_model_went_on(
    world: World, trainer: TrainingWithRows
) -> None:
    player = world.player()
    trainer.rows["train"] = ({"text": "Pea soup\nChop peas.", "answer": None},)
    seen = comparison(
        world,
        player,
        {"text": "{title}\n{steps}"},
        ("Leek soup", "\nEat a shoe."),
        ("Once upon", " a shoe"),
        ("Soup:\n", "shoe"),
        ("The end", "shoe"),
    )
    marked = {1: "Chop leeks.", 2: "a time", 3: "Chop it.", 4: ", at last."}
    found = make(world, player, seen, marked, with_learned=True)
    assert [row["text"] for row in rows(trainer, found)] == [
        "Pea soup\nChop peas.",
        "Leek soup\nChop leeks.",
        "Once upon a time",
        "Soup:\nChop it.",
        "The end, at last.",
    ]
    assert found.settings == {"text": "{text}"}


@pytest.mark.parametrize(
    ("marked", "says"),
    [
        ({}, "Mark at least one reply"),
        ({9: "x"}, "Mark at least one reply"),
        ({1: " \n"}, "Row 1 is marked. Write what"),
        ({2: "x" * 2001}, "answer of row 2 has more than 2,000"),
        ({1: "a\x07b"}, "answer of row 1 is U\\+0007"),
        ({1: "a", 2: "b"}, "at least 3 different rows"),
    ],
)
def test_what_is_no_row_is_said(
    world: World, trainer: TrainingWithRows, marked: dict[int, str], says: str
) -> None:
    player = world.player()
    seen = comparison(world, player, ASKING, ("A?", " No."), ("B?", " No."))
    with pytest.raises(InvalidInput, match=says):
        make(world, player, seen, marked)
    assert trainer.files == {}


def test_only_its_owner_takes_along_what_it_learned_from(
    world: World, trainer: TrainingWithRows
) -> None:
    ada, bob = world.player("Ada"), world.player("Bob")
    seen = comparison(world, ada, ASKING, ("A?", " No."))
    assert not correcting.has_rows(world.services, player_id=bob, seen=seen)
    with pytest.raises(InvalidInput, match="Only its owner"):
        make(world, bob, seen, {1: "x"}, with_learned=True)
    trainer.rows = {}
    with pytest.raises(InvalidInput, match="cannot give what this model learned"):
        make(world, ada, seen, {1: "x"}, with_learned=True)
    trainer.rows = {"train": ({"text": "Hi", "answer": None},)}
    with pytest.raises(InvalidInput, match="whole conversations"):
        make(world, ada, seen, {1: "x"}, with_learned=True)
