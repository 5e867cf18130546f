"""What is foretold: sizes that are exact, and times that follow what was measured."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from finetune.jobs.asking import Asked, build_recipe
from finetune.jobs.bases import find_base
from finetune.jobs.estimate import Estimate, estimate, spoken_time
from finetune.jobs.speeds import Speeds
from finetune.recipes.lm import LmRecipe
from finetune.training.fresh import build, train_tokenizer


def recipe(model: str, **changes: Any) -> LmRecipe:
    return build_recipe(
        Asked(recipe=changes), find_base(model), path=Path("x"), minutes=30
    )


def foretell(folder: Path, model: str, **changes: Any) -> Estimate:
    return estimate(
        recipe(model, **changes), find_base(model), tokens_per_epoch=50_000,
        speeds=Speeds(folder / "speeds.json"),
    )  # fmt: skip


@pytest.mark.parametrize("name", ["fresh-small", "fresh", "fresh-large"])
def test_the_weights_of_a_model_from_nothing_are_counted_right(name: str) -> None:
    base = find_base(name)
    assert base.fresh is not None
    tokenizer = train_tokenizer(["some text of no account"], 256)
    model = build(base.fresh.model_copy(update={"vocabulary": 256}), tokenizer)
    made = sum(weight.numel() for weight in model.parameters())
    shape = base.shape()._replace(vocabulary=len(tokenizer))
    assert shape.parameters == made


def test_methods_differ_in_what_is_learned(tmp_path: Path) -> None:
    lora = foretell(tmp_path, "smollm2", epochs=1)
    whole = foretell(tmp_path, "smollm2", epochs=1, lora=None)
    upper = foretell(tmp_path, "smollm2", epochs=1, lora=None, frozen=20)
    assert lora.learned < upper.learned < whole.learned == whole.parameters
    assert max(lora.memory_bytes, upper.memory_bytes) < whole.memory_bytes
    each = [found.flops / found.tokens for found in (upper, lora, whole)]
    assert each == sorted(each)
    # Rank 16 on all seven matrices of 30 layers.
    assert lora.learned == 4_884_480


def test_what_a_run_showed_counts_more_than_a_probe(tmp_path: Path) -> None:
    before = foretell(tmp_path, "fresh", epochs=1)
    assert before.measured is False
    speeds = Speeds(tmp_path / "speeds.json")
    each = find_base("fresh").shape().flops(recipe("fresh"))
    speeds.note("fresh", recipe("fresh"), flops=1000 * each, start_seconds=2)
    after = foretell(tmp_path, "fresh", epochs=1)
    assert after.measured is True
    assert after.tokens_per_second == pytest.approx(1000)
    assert after.seconds == pytest.approx(after.tokens / 1000 + 2, abs=0.2)
    speeds.note("fresh", recipe("fresh"), flops=3000 * each, start_seconds=2)
    assert foretell(tmp_path, "fresh").tokens_per_second == pytest.approx(2000)
    assert foretell(tmp_path, "fresh-small").measured is False


def test_a_broken_file_of_speeds_is_no_speeds(tmp_path: Path) -> None:
    (tmp_path / "speeds.json").write_text("{")
    assert foretell(tmp_path, "fresh").measured is False


def test_minutes_cut_a_run_short_and_that_is_said(tmp_path: Path) -> None:
    speeds = Speeds(tmp_path / "speeds.json")
    each = find_base("fresh").shape().flops(recipe("fresh"))
    speeds.note("fresh", recipe("fresh"), flops=100 * each, start_seconds=2)
    cut = foretell(tmp_path, "fresh", epochs=1, minutes=2)
    assert cut.seconds == pytest.approx(122)
    assert cut.tokens == pytest.approx(12_000, rel=0.01)
    assert cut.sentence == (
        "It will take about 2 minutes: 3 updates, in which it reads 24 % of your data,"
        " and then the time you gave it is over."
    )


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(2, "about 10 seconds"), (44, "about 40 seconds"), (89, "about 90 seconds"),
     (100, "about 2 minutes"), (1780, "about 30 minutes")],
)  # fmt: skip
def test_times_are_rounded_as_one_would_say_them(seconds: float, words: str) -> None:
    assert spoken_time(seconds) == words
