"""What won becomes data: votes in the arena, and replies found better side by side."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from tests.kit.judging import Speakers, TrainingWithRows, add_model, with_speakers
from tests.kit.world import World
from webapp.domain.train import data, models, runs, winners
from webapp.domain.train.compared import Answer, ComparisonView, Preference, RowView
from webapp.domain.train.origins import Origin
from webapp.domain.train.sides import Side
from webapp.errors import InvalidInput
from webapp.rows import PRIVATE, PUBLIC, Duel, TrainedModel

NAMES = ("soup", "bread", "salad", "stew")
FIRST, SECOND, TIE = Preference("first"), Preference("second"), Preference("tie")


@pytest.fixture
def trainer() -> TrainingWithRows:
    return TrainingWithRows()


@pytest.fixture
def world(world: World, trainer: TrainingWithRows) -> World:
    services = with_speakers(world.services, Speakers(), *NAMES)
    world.services = replace(services, training=trainer.client())
    return world


def row(
    place: int,
    first: str,
    second: str,
    said: Preference | None,
    grades: tuple[str, str] = ("", ""),
    *,
    prompt: str = "",
) -> RowView:
    replies = (Answer(first, grade=grades[0]), Answer(second, grade=grades[1]))
    asked = prompt or f"Question {place}?"
    return RowView(place, asked, None, False, replies, "", preference=said)


def comparison(
    world: World, player: int, settings: dict[str, Any], *rows: RowView
) -> ComparisonView:
    run_id = add_model(world.services, player, "soup", title="Soup", data=settings)
    run = runs.find(world.services, player_id=player, run_id=run_id)
    sides = (Side("smollm2", "before"), Side("soup", "after"))
    return ComparisonView(
        run_id, run, sides, {"tokens": 60}, rows, True, "", run.created_at
    )


def made(
    world: World, trainer: TrainingWithRows, player: int, data_id: int
) -> tuple[data.DataView, list[dict[str, str]]]:
    found = data.find(world.services, player_id=player, data_id=data_id)
    return found, trainer.files[found.file_id][1]


def test_the_better_replies_of_a_comparison_are_rows_and_nothing_else_is(
    world: World, trainer: TrainingWithRows
) -> None:
    player = world.player()
    site = replace(row(8, "a", "Ask somebody.", SECOND), place=8)
    help_of_site = replace(site.answers[1], is_site=True)
    seen = comparison(
        world,
        player,
        {"text": "{q}", "answer": " {a}"},
        row(1, " Lost.", " Won.", SECOND),
        row(2, " Also won.", " Lost.", FIRST),
        row(3, " x", " y", TIE),
        row(4, " x", " y", None),
        row(5, " x", " y", Preference(error="The judge said neither.")),
        row(6, "Same.", "Same.", FIRST),
        row(7, " ", "Lost", FIRST),
        replace(site, answers=(site.answers[0], help_of_site)),
        # By hand: the judge chose the other one, or the person found them even.
        row(9, " By hand.", " Lost.", SECOND, ("good", "okay")),
        row(10, " x", " y", SECOND, ("bad", "bad")),
        # Graded on one side only: that says nothing of which is better.
        row(11, " x", " Judged.", SECOND, ("good", "")),
        row(12, " Lost.", " Won.", SECOND, prompt="Question 1?"),
    )
    data_id = winners.make_of_comparison(world.services, player_id=player, seen=seen)
    found, rows = made(world, trainer, player, data_id)
    assert rows == [
        {"prompt": "Question 1?", "answer": "Won."},
        {"prompt": "Question 2?", "answer": "Also won."},
        {"prompt": "Question 9?", "answer": "By hand."},
        {"prompt": "Question 11?", "answer": "Judged."},
    ]
    assert found.settings == {"text": "{prompt}", "answer": " {answer}"}
    assert found.origin == Origin("Preferred replies to “Soup”")


def test_too_few_winners_are_no_data(world: World, trainer: TrainingWithRows) -> None:
    player = world.player()
    lost = [row(n, "Lost.", "Won.", SECOND, prompt="The same") for n in range(1, 9)]
    seen = comparison(world, player, {}, *lost)
    with pytest.raises(InvalidInput, match="Compare and judge more"):
        winners.make_of_comparison(world.services, player_id=player, seen=seen)
    with pytest.raises(InvalidInput, match="Judge more pairs"):
        winners.make_of_votes(world.services, player_id=player)
    assert trainer.files == {}


def arena_of(world: World, *, chats: frozenset[str] = frozenset()) -> list[int]:
    """Show everybody four models; return their numbers."""
    owner = world.player("Owner")
    return [
        add_model(
            world.services,
            owner,
            name,
            visibility=PUBLIC,
            data={"is_chat": name in chats},
        )
        for name in NAMES
    ]


def voted(
    world: World,
    player: int,
    pair: tuple[int, int],
    verdict: str | None,
    texts: tuple[str, str],
    *,
    is_swapped: bool = False,
) -> None:
    with world.db.write() as session:
        session.add(
            Duel(
                player_id=player,
                low_id=pair[0],
                high_id=pair[1],
                is_swapped=is_swapped,
                prompt="Once upon a time",
                seed=1,
                replies=[{"text": text} for text in texts],
                verdict=verdict,
                created_at=world.services.now(),
            )
        )


def test_what_a_player_chose_in_the_arena_is_data(
    world: World, trainer: TrainingWithRows
) -> None:
    a, b, c, d = arena_of(world)
    bob, eve = world.player("Bob"), world.player("Eve")
    voted(world, bob, (a, b), "left", (", there was soup.", " lost"))
    voted(world, bob, (a, c), "right", (" lost", " there was salad."))
    voted(world, bob, (a, d), "even", (" one", " two"))
    voted(world, bob, (b, c), "skipped", (" one", " two"))
    voted(world, bob, (b, d), "left", (" lost too", " x"), is_swapped=True)
    voted(world, bob, (c, d), None, (" open", " open too"))
    voted(world, eve, (a, b), "right", (" of Eve", " is hers"))
    data_id = winners.make_of_votes(world.services, player_id=bob)
    found, rows = made(world, trainer, bob, data_id)
    assert [each["answer"] for each in rows] == [
        ", there was soup.",
        " there was salad.",
        " lost too",
    ]
    assert {each["prompt"] for each in rows} == {"Once upon a time"}
    assert found.settings == {"text": "{prompt}", "answer": "{answer}"}
    assert found.visibility == PRIVATE


def test_of_a_model_that_is_not_shown_any_more_nothing_is_taken(world: World) -> None:
    a, b, c, _ = arena_of(world)
    bob = world.player("Bob")
    # The one that won is on the right, because the pair is swapped.
    voted(world, bob, (a, b), "right", ("bread", "soup"), is_swapped=True)
    voted(world, bob, (a, c), "right", ("soup again", "salad"))
    chosen = winners.of_votes(world.services, player_id=bob)
    assert [each.text for each in chosen] == ["soup", "salad"]
    with world.db.read() as session:
        owner = session.get(TrainedModel, a)
        assert owner is not None
        owner_id = owner.player_id
    models.set_visibility(
        world.services, player_id=owner_id, name="soup", visibility=PRIVATE
    )
    chosen = winners.of_votes(world.services, player_id=bob)
    assert [each.text for each in chosen] == ["salad"]


def test_the_same_text_is_one_row_and_two_that_are_the_same_are_none(
    world: World,
) -> None:
    a, b, c, d = arena_of(world)
    bob = world.player("Bob")
    voted(world, bob, (a, b), "left", ("soup", "bread"))
    voted(world, bob, (a, c), "left", ("soup ", "salad"))
    voted(world, bob, (a, d), "left", ("Ask somebody.", "Ask somebody."))
    voted(world, bob, (b, c), "left", ("  ", "salad"))
    assert len(winners.of_votes(world.services, player_id=bob)) == 1


@pytest.mark.parametrize("chats", [NAMES, NAMES[:2]])
def test_answers_of_chats_stay_turns_where_all_are(
    world: World, trainer: TrainingWithRows, chats: tuple[str, ...]
) -> None:
    a, b, c, d = arena_of(world, chats=frozenset(chats))
    bob = world.player("Bob")
    for n, pair in enumerate([(a, b), (b, c), (c, d)]):
        voted(world, bob, pair, "left", (f" Text {n}", "lost"))
    data_id = winners.make_of_votes(world.services, player_id=bob)
    found, rows = made(world, trainer, bob, data_id)
    is_chat = chats == NAMES
    assert found.settings.get("is_chat", False) is is_chat
    assert rows[0]["answer"] == ("Text 0" if is_chat else " Text 0")
