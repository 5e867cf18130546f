"""What students train: from nothing, as a whole, in part; judged before and after."""

from __future__ import annotations

import json
import math
import random
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load_file
from transformers import AutoModelForCausalLM, AutoTokenizer

from finetune.data.sources import DialogueRows
from finetune.recipes.common import RecipeError
from finetune.recipes.lm import Fresh
from finetune.training.checkpoint import random_state
from finetune.training.control import Control
from finetune.training.errors import RunStopped, TrainingError
from finetune.training.fresh import build, train_tokenizer
from finetune.training.judging import answer_loss, token_bytes
from finetune.training.lora import ADAPTER, WEIGHTS
from finetune.training.watching import Watch
from tests.finetune.training.student import (
    named,
    packed,
    stories,
    student_recipe,
    texts,
    train_student,
)

__all__ = ["texts"]  # a fixture
SAMPLE = {"prompt": "The", "every_seconds": 600, "tokens": 8}


def test_a_model_from_nothing_learns(texts, tmp_path):
    chosen = student_recipe("fresh", epochs=20, sample=SAMPLE)
    figures, events = train_student(chosen, tmp_path)
    # At first it knows nothing: all tokens are about equally likely.
    assert figures["base_heldout_perplexity"] == pytest.approx(301, rel=0.1)
    assert figures["heldout_perplexity"] < 12
    assert (
        figures["heldout_bits_per_byte"] < 0.5 * figures["base_heldout_bits_per_byte"]
    )
    stage = named(events, "stage")[0]
    assert stage["learned"] == stage["parameters"]
    # What it wrote to the folder is the model, with its tokenizer.
    model = AutoModelForCausalLM.from_pretrained(tmp_path, dtype=torch.float32)
    tokenizer = AutoTokenizer.from_pretrained(tmp_path)
    ids = tokenizer("The king", return_tensors="pt")["input_ids"]
    with torch.no_grad():
        assert model(ids).logits.shape[-1] == len(tokenizer) == 301
    run = json.loads((tmp_path / "run.json").read_text("utf-8"))
    assert run["figures"] == figures


def test_the_figures_before_and_after_are_of_the_same_text(texts, tiny_base, tmp_path):
    chosen = student_recipe(tiny_base, lora=None, learning_rate=1e-12)
    figures, events = train_student(chosen, tmp_path)
    for name in ("heldout_loss", "heldout_perplexity", "heldout_bits_per_byte"):
        assert figures[name] == pytest.approx(figures[f"base_{name}"], rel=1e-6)
    judged = named(events, "judged")
    assert [event["update"] for event in judged] == [
        0,
        named(events, "step")[-1]["update"],
    ]
    assert judged[0]["figures"]["heldout_loss"] == figures["base_heldout_loss"]


def test_figures_weigh_each_token_the_same(texts, tiny_base, tmp_path):
    """Of rows with one token and rows with many, in batches of any size."""
    one, _ = train_student(
        student_recipe(tiny_base, lora=None, rows=1, accumulate=4), tmp_path / "1"
    )
    four, _ = train_student(student_recipe(tiny_base, lora=None), tmp_path / "4")
    assert one["base_heldout_loss"] == pytest.approx(
        four["base_heldout_loss"], rel=1e-5
    )
    assert math.exp(one["heldout_loss"]) == pytest.approx(one["heldout_perplexity"])


def test_bytes_of_tokens_are_those_of_the_text():
    tokenizer = train_tokenizer(stories(40), 320)
    sizes = token_bytes(tokenizer)
    for text in ("The king bakes bread.", "Ünï — 漢字 🙂\n\t", " a  b"):
        ids = tokenizer(text, add_special_tokens=False)["input_ids"]
        assert int(sizes[torch.tensor(ids)].sum()) == len(text.encode())
        assert tokenizer.decode(ids) == text
    assert int(sizes[tokenizer.eos_token_id]) == 0


def test_the_smallest_vocabulary_is_one_token_for_each_byte():
    tokenizer = train_tokenizer(stories(40), 256)
    assert len(tokenizer) == 257
    assert len(tokenizer("the king")["input_ids"]) == 8
    chat = train_tokenizer(stories(40), 256, is_chat=True)
    assert len(chat) == 259
    assert chat.eos_token == "<|im_end|>"


def test_a_tokenizer_is_the_same_each_time():
    first, second = (
        train_tokenizer(stories(60), 400).backend_tokenizer.to_str() for _ in range(2)
    )
    assert first == second
    assert first != train_tokenizer(stories(60, seed=1), 399).backend_tokenizer.to_str()


@pytest.mark.parametrize(("width", "heads"), [(64, 3), (32, 32), (96, 32)])
def test_a_width_that_heads_cannot_share_is_refused(width, heads):
    tokenizer = train_tokenizer(stories(5), 256)
    with pytest.raises(RecipeError, match=f"width of {width} cannot be divided"):
        build(Fresh(width=width, heads=heads), tokenizer)


def test_a_run_has_no_more_updates_than_it_may(texts, tiny_base, tmp_path):
    _, events = train_student(student_recipe(tiny_base, epochs=50, updates=3), tmp_path)
    assert [event["update"] for event in named(events, "step")] == [1, 2, 3]
    assert named(events, "step")[-1]["of"] == 3


def test_a_part_of_an_epoch_is_rounded_up(texts, tiny_base, tmp_path):
    _, whole = train_student(student_recipe(tiny_base, epochs=1), tmp_path / "1")
    _, part = train_student(student_recipe(tiny_base, epochs=0.3), tmp_path / "2")
    count = named(whole, "stage")[0]["of"]
    assert named(part, "stage")[0]["of"] == math.ceil(0.3 * count)
    rates = [event["rate"] for event in named(part, "step")]
    assert rates[-1] < rates[1]


def test_frozen_blocks_are_written_as_they_were(texts, tiny_base, tmp_path):
    chosen = student_recipe(tiny_base, lora=None, frozen=1)
    _, events = train_student(chosen, tmp_path)
    stage = named(events, "stage")[0]
    assert 0 < stage["learned"] < stage["parameters"]
    made = load_file(tmp_path / WEIGHTS)
    base = AutoModelForCausalLM.from_pretrained(tiny_base).state_dict()
    names = ("model.embed_tokens", "model.layers.0.mlp.up_proj")
    for name in names:
        assert made[f"{name}.weight"].equal(base[f"{name}.weight"].half()), name
    learned = "model.layers.1.mlp.up_proj.weight"
    assert not made[learned].equal(base[learned].half())


def test_sampling_changes_nothing_of_what_is_learned(texts, tiny_base, tmp_path):
    plain, _ = train_student(student_recipe(tiny_base, epochs=2), tmp_path / "plain")
    sampled, events = train_student(
        student_recipe(tiny_base, epochs=2, sample=SAMPLE), tmp_path / "sampled"
    )
    assert plain == sampled
    made = [load_file(tmp_path / name / ADAPTER) for name in ("plain", "sampled")]
    assert all(made[0][name].equal(made[1][name]) for name in made[0])
    told = named(events, "sampled")
    assert [event["update"] for event in told] == [
        0,
        named(events, "step")[-1]["update"],
    ]
    assert {event["prompt"] for event in told} == {"The"}


def test_a_writer_touches_no_random_number(texts, tiny_base, tmp_path, monkeypatch):
    seen: list[dict[str, Any]] = []
    real = Watch._sample

    def watched(self: Any, stage: Any) -> None:
        before = random_state()
        real(self, stage)
        after = random_state()
        assert torch.equal(before["torch"], after["torch"])
        assert before["python"] == after["python"] == random.getstate()
        assert before["numpy"] == after["numpy"]
        seen.append(after)

    monkeypatch.setattr(Watch, "_sample", watched)
    np.random.seed(1)
    train_student(student_recipe(tiny_base, sample=SAMPLE), tmp_path)
    assert len(seen) == 2


def test_without_a_prompt_it_goes_on_with_a_held_out_text(texts, tiny_base, tmp_path):
    chosen = student_recipe(tiny_base, sample={"prompt": "", "tokens": 4})
    _, events = train_student(chosen, tmp_path)
    prompt = named(events, "sampled")[0]["prompt"]
    assert prompt
    assert any(text.startswith(prompt) for text in texts)


def test_an_interrupted_run_knows_its_base_and_comes_to_the_same(texts, tmp_path):
    chosen = student_recipe("fresh", epochs=2, sample=SAMPLE)
    whole, _ = train_student(chosen, tmp_path / "whole")
    control = Control()

    class Stopping(list[dict[str, Any]]):
        def append(self, event: dict[str, Any]) -> None:
            super().append(event)
            if event["event"] == "step" and event["update"] == 7:
                control.stop()

    with pytest.raises(RunStopped):
        train_student(chosen, tmp_path / "part", control=control, events=Stopping())
    figures, events = train_student(chosen, tmp_path / "part", resume=True)
    assert figures == whole
    # The base was judged before; it is not judged again, and not sampled.
    assert 0 not in [event["update"] for event in named(events, "judged")]
    made = [load_file(tmp_path / name / WEIGHTS) for name in ("whole", "part")]
    assert all(made[0][name].equal(made[1][name]) for name in made[0])


def short_of_memory(monkeypatch, most_rows: int, error: Exception) -> None:
    """Let an update fail where more rows than that are worked on at a time."""
    real = answer_loss

    def loss(model: Any, rows: Any, device: Any) -> Any:
        if len(rows) > most_rows:
            raise error
        return real(model, rows, device)

    monkeypatch.setattr("finetune.training.lm.answer_loss", loss)


@pytest.mark.parametrize(
    "error",
    [
        torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB"),
        RuntimeError("[enforce fail] DefaultCPUAllocator: can't allocate memory"),
        RuntimeError("DefaultCPUAllocator: not enough memory"),
        MemoryError(),
    ],
)
def test_too_little_memory_makes_batches_smaller_and_learns_the_same(
    texts, tiny_base, tmp_path, monkeypatch, error
):
    chosen = student_recipe(tiny_base, accumulate=2)
    whole, _ = train_student(chosen, tmp_path / "whole")
    short_of_memory(monkeypatch, 1, error)
    figures, events = train_student(chosen, tmp_path / "short")
    told = [(event["rows"], event["accumulate"]) for event in named(events, "smaller")]
    assert told == [(2, 4), (1, 8)]
    assert figures["heldout_loss"] == pytest.approx(whole["heldout_loss"], abs=1e-3)
    assert named(events, "step")[-1]["of"] == named(events, "step")[-1]["update"]


def test_no_room_for_one_row_is_said(texts, tiny_base, tmp_path, monkeypatch):
    short_of_memory(monkeypatch, 0, MemoryError())
    with pytest.raises(TrainingError, match=r"not enough memory .* one row at a time"):
        train_student(student_recipe(tiny_base), tmp_path)
    assert not (tmp_path / ADAPTER).exists()


def test_another_error_is_not_taken_for_too_little_memory(
    texts, tiny_base, tmp_path, monkeypatch
):
    short_of_memory(monkeypatch, 0, RuntimeError("shapes cannot be multiplied"))
    with pytest.raises(RuntimeError, match="cannot be multiplied"):
        train_student(student_recipe(tiny_base), tmp_path)


def test_no_held_out_text_gives_no_figures(texts, tiny_base, tmp_path, monkeypatch):
    def rows(recipe: Any, tokenizer: Any) -> DialogueRows:
        learned = packed(texts, tokenizer, recipe.block)
        return DialogueRows(learned, learned.pick(torch.arange(0)))

    monkeypatch.setattr("finetune.training.lm.read_rows", rows)
    figures, _ = train_student(student_recipe(tiny_base), tmp_path)
    assert figures == {}
    assert (tmp_path / ADAPTER).is_file()


def test_a_folder_of_a_run_is_complete_last(texts, tmp_path: Path):
    train_student(student_recipe("fresh"), tmp_path)
    run = (tmp_path / "run.json").stat().st_mtime_ns
    for name in (WEIGHTS, "config.json", "tokenizer.json"):
        assert (tmp_path / name).stat().st_mtime_ns <= run
