"""The headings of a template, and which replies have them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from tests.kit.judging import add_model
from tests.kit.world import World
from webapp.domain.train import forms, runs
from webapp.domain.train.compared import Answer, ComparisonView, RowView
from webapp.domain.train.forms import Heading
from webapp.domain.train.sides import Side

RECIPE = {"text": "Recipe: {name}\nIngredients:\n{ingredients}\nSteps:\n{steps}"}


@pytest.mark.parametrize(
    ("settings", "found"),
    [
        (RECIPE, ("Recipe:", "Ingredients:", "Steps:")),
        ({"text": "{a}\n-- {b}\n"}, ()),
        ({"text": "Say {a}: {b}, Say {a}"}, ("Say",)),
        ({"text": "Question: {q}", "answer": " {label}"}, ()),
        ({"text": "Question: {q}", "answer": "Label: {label}"}, ("Label:",)),
        ({"text": "{text}"}, ()),
        ({}, ()),
    ],
)
def test_headings_are_what_is_the_same_in_every_row(
    settings: dict[str, Any], found: tuple[str, ...]
) -> None:
    assert forms.headings(settings) == found


def test_a_heading_is_no_end_of_a_word() -> None:
    assert forms.has("a\nSteps:\n1.", "Steps:")
    assert not forms.has("Missteps:", "steps:")
    assert not forms.has("steps:", "Steps:")


def row(place: int, prompt: str, *answers: Answer, is_learned: bool = False) -> RowView:
    return RowView(place, prompt, None, is_learned, answers, "")


def comparison(world: World, *rows: RowView) -> ComparisonView:
    player = world.player()
    add_model(world.services, player, "soup", data=RECIPE)
    run = runs.find(world.services, player_id=player, run_id=1)
    return ComparisonView(
        id=1,
        run=run,
        sides=(Side("smollm2", "before"), Side("soup", "after")),
        settings={"tokens": 60},
        rows=rows,
        is_judged=True,
        note="",
        created_at=run.created_at,
    )


def test_what_the_prompt_has_already_is_not_asked_of_the_reply(world: World) -> None:
    whole = Answer(" soup\nIngredients:\n- leeks\nSteps:\n1. Chop.")
    seen = comparison(
        world,
        row(1, "Recipe: Leek", Answer(" is a word."), whole),
        row(2, "Recipe: Pea\nIngredients:\n- peas", Answer("Steps:"), Answer("\nBoil")),
        row(3, "Recipe:\nIngredients:\nSteps:\n1.", Answer("Chop"), Answer("Chop")),
        row(4, "Recipe: Pie", whole, whole, is_learned=True),
    )
    found = forms.count(seen)
    assert found is not None
    assert found.headings == (
        Heading("Recipe:", (0, 0), 0),
        Heading("Ingredients:", (0, 1), 1),
        Heading("Steps:", (1, 1), 2),
    )
    assert (found.whole, found.of) == ((1, 1), 2)


def test_what_no_model_wrote_has_no_form(world: World) -> None:
    text = "Ingredients: Steps:"
    seen = comparison(
        world,
        row(1, "Recipe: A", Answer(text, error="away"), Answer(text, is_site=True)),
        row(2, "Recipe: B", Answer(None), Answer("")),
    )
    found = forms.count(seen)
    assert found is not None
    assert (found.whole, found.of) == ((0, 0), 2)


def test_data_without_headings_has_no_form(world: World) -> None:
    seen = comparison(world, row(1, "Once", Answer("a"), Answer("b")))
    run = replace(seen.run, data_settings={"text": "{text}"})
    assert forms.count(replace(seen, run=run)) is None
