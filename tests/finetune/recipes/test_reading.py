"""Recipes say what is wrong, and where."""

from __future__ import annotations

from pathlib import Path

import pytest

from finetune.recipes.common import RecipeError
from finetune.recipes.lm import LmRecipe
from finetune.recipes.reading import load_recipe

GOOD = """\
kind: lm
name: tiny
purpose: For tests.
base: somewhere
data:
  source: dialogues
  path: data.jsonl
lora: {rank: 4}
"""


def write(folder: Path, text: str) -> Path:
    path = folder / "recipe.yaml"
    path.write_text(text, "utf-8")
    return path


def test_a_good_recipe(tmp_path: Path):
    recipe = load_recipe(write(tmp_path, GOOD))
    assert isinstance(recipe, LmRecipe)
    assert recipe.lora is not None
    assert recipe.lora.rank == 4


ON_GPU = "on_gpu: {dialogues: 900, rows: 32, epochs: 2}\n"
MADE = "data: {source: warden, words: words.txt, dialogues: 100}\n"


def test_what_is_for_a_gpu_replaces_the_rest_there(tmp_path: Path):
    text = GOOD.replace("data:\n  source: dialogues\n  path: data.jsonl\n", MADE)
    recipe = load_recipe(write(tmp_path, text + ON_GPU))
    assert isinstance(recipe, LmRecipe)
    without = recipe.on_this_machine(has_gpu=False)
    assert (without.rows, without.epochs, without.on_gpu) == (4, 1.0, None)
    assert without.data == recipe.data
    there = recipe.on_this_machine(has_gpu=True)
    assert (there.rows, there.epochs, there.on_gpu) == (32, 2.0, None)
    assert there.data.model_dump()["dialogues"] == 900
    assert there.block == recipe.block


def test_dialogues_of_a_file_are_as_many_on_a_gpu(tmp_path: Path):
    recipe = load_recipe(write(tmp_path, GOOD + ON_GPU))
    assert isinstance(recipe, LmRecipe)
    assert recipe.on_this_machine(has_gpu=True).data == recipe.data


@pytest.mark.parametrize("path", sorted(Path("finetune/recipes").glob("*.yaml")))
def test_the_shipped_recipes_can_be_read(path: Path):
    assert load_recipe(path).name == path.stem


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        ("lora: {rank: 4}", "lorra: {rank: 4}", r":8: there is no setting lorra"),
        ("rank: 4", "rank: 0", r":8: lora\.rank: must be at least 1\.$"),
        ("rank: 4", "rank: many", r":8: lora\.rank: must be a whole number\.$"),
        ("  path: data.jsonl", "  heldout: 2", r":5: data\.path: is missing\.$"),
        ("source: dialogues", "source: cakes", r":5: data: knows no 'source' cakes"),
        ("rank: 4}", "rank: 4}\nprecision: fp8", r":9: precision: must be 'auto', "),
        (
            "  path: data.jsonl",
            "  pat: data.jsonl",
            r":5: data\.path: |:7: there is no",
        ),
        ("kind: lm", "kind: cake", r":1: kind must be"),
        ("name: tiny", "name: Tiny Model", r":2: name: "),
        ("lora: {rank: 4}", "lora: {rank: 4", r":\d+: "),
    ],
)
def test_a_bad_recipe_is_named_with_its_line(tmp_path: Path, old, new, problem):
    path = write(tmp_path, GOOD.replace(old, new))
    with pytest.raises(RecipeError, match=problem):
        load_recipe(path)


def test_a_missing_recipe(tmp_path: Path):
    with pytest.raises(RecipeError, match="cannot be read"):
        load_recipe(tmp_path / "no.yaml")
