"""From wishes to a recipe: names, defaults, and what may not be asked for."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from finetune.jobs.asking import Asked, build_recipe, free_name, slug
from finetune.jobs.bases import BASES, find_base
from finetune.recipes.lm import LmRecipe


def build(model: str = "fresh-small", **recipe: Any) -> LmRecipe:
    return build_recipe(
        Asked(recipe=recipe), find_base(model), path=Path("rows.csv"), minutes=30
    )


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("Meine Rezepte", "meine-rezepte"),
        ("Crème Brûlée!", "creme-brulee"),
        ("../../etc/passwd", "etc-passwd"),
        ("8b", "m-8b"),
        ("", "model"),
        ("日本語", "model"),
        ("a" * 100, "a" * 32),
        ("-x-", "x"),
    ],
)
def test_names_are_plain(text: str, name: str) -> None:
    assert slug(text) == name


def test_a_taken_name_gets_a_number() -> None:
    assert free_name("Cook", {"cook", "cook-2"}) == "cook-3"
    # It still fits the names of recipes.
    assert build_recipe(
        Asked(), find_base("fresh"), path=Path("x"), minutes=30,
        name=free_name("a" * 99, {"a" * 32}),
    ).name == "a" * 32 + "-2"  # fmt: skip


def test_a_model_from_nothing_has_no_adapter() -> None:
    recipe = build(lora={"rank": 8}, frozen=2)
    assert (recipe.lora, recipe.frozen, recipe.base) == (None, 0, "fresh")
    assert build(fresh={"layers": 2}).fresh.layers == 2
    assert build(fresh={"layers": 2}).fresh.width == 128


def test_the_whole_model_can_be_chosen() -> None:
    assert build("smollm2").lora is not None
    recipe = build("smollm2", lora=None, frozen=20)
    assert (recipe.lora, recipe.frozen) == (None, 20)


@pytest.mark.parametrize("name", ["updates", "epochs"])
def test_who_says_how_much_gets_the_longest_time(name: str) -> None:
    assert build().minutes == 1.0
    said: dict[str, Any] = {name: 7}
    assert build(**said).minutes == 30
    assert build(**said, minutes=2).minutes == 2


def test_every_base_has_usual_settings_that_are_a_recipe() -> None:
    for name in BASES:
        assert build(name).data.model_dump()["path"] == Path("rows.csv")
