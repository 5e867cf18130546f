"""What the engine reads of a model is what transformers made: tokens, scores, text."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import torch
from gguf import GGMLQuantizationType, GGUFReader
from transformers import AutoModelForCausalLM, AutoTokenizer

from finetune.recipes.lm import Fresh
from finetune.serving.engine.copies import Engine
from finetune.training.fresh import build, train_tokenizer
from finetune.training.judging import answer_loss
from finetune.weights.export import (
    QUALITIES,
    WEIGHTS,
    write_gguf,
    write_quality,
)
from finetune.weights.export_kinds import ExportError
from finetune.weights.merge import CHATML
from finetune.weights.tensors import write_tensors
from tests.finetune.training.student import packed, stories

PROMPTS = ("The king bakes", "My sister", "Zoë — 漢字 🙂 12345\n\n  it's")
TOKENS = 24
TEXTS = stories(60)
UPDATES = 40
# By how much, in nats, a token that the engine takes may be behind the model's best,
# and its probability be off.
MOST_LOST = {"f16": 0.01, "q8_0": 0.1, "q4_0": 1.0}
MOST_OFF = {"f16": 0.02, "q8_0": 0.1, "q4_0": 1.0}


def write_model(
    folder: Path, vocabulary: int, *, is_chat: bool = False, updates: int = 0
) -> Path:
    """Write a model that has made some updates on stories."""
    tokenizer = train_tokenizer(TEXTS, vocabulary, is_chat=is_chat)
    torch.manual_seed(5)
    sizes = Fresh(vocabulary=vocabulary, layers=2, width=64, heads=4)
    model: Any = build(sizes, tokenizer, context=128)
    rows = packed(TEXTS, tokenizer, 128)
    optimizer = torch.optim.AdamW(model.parameters(), lr=0.01)
    for update in range(updates):
        batch = rows.pick(torch.arange(update * 4, update * 4 + 4) % len(rows))
        loss, count = answer_loss(model, batch, torch.device("cpu"))
        (loss / count).backward()
        optimizer.step()
        optimizer.zero_grad()
    folder.mkdir()
    model.config.save_pretrained(folder)
    weights = {name: weight.half() for name, weight in model.named_parameters()}
    write_tensors(weights, folder / WEIGHTS)
    tokenizer.save_pretrained(folder)
    return folder


@pytest.fixture(scope="module", params=[256, 400])
def learned(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """Return a model that prefers some tokens to others, whose words are ASCII."""
    folder = tmp_path_factory.mktemp("learned") / "model"
    return write_model(folder, request.param, updates=UPDATES)


@contextmanager
def engine(path: Path) -> Iterator[Engine]:
    made = Engine("tiny", path, slots=1, context=128, copies=1, threads=1)
    try:
        yield made
    finally:
        made.close()


def told(path: Path, name: str) -> Any:
    """Return what a GGUF file says of itself."""
    field = GGUFReader(path).get_field(name)
    assert field is not None
    return field.contents()


def continued(served: Engine, ids: list[int]) -> tuple[list[int], list[float]]:
    """Return the tokens that the engine likes best, and their logarithms."""
    numbers: list[int] = []
    logprobs: list[float] = []

    def hear(chunk: str) -> bool:
        parts = json.loads(chunk)
        assert "error" not in parts, parts
        for choice in parts.get("choices", []):
            for one in (choice["logprobs"] or {"content": []})["content"]:
                numbers.append(one["id"])
                logprobs.append(one["logprob"])
        return False

    served.complete(
        {
            "prompt": ids,
            "max_tokens": TOKENS,
            "temperature": 0,
            "n_probs": 1,
            "stream": True,
            "cache_prompt": False,
        },
        hear,
    )
    return numbers, logprobs


def compared(
    served: Engine, model: Any, tokenizer: Any, prompt: str
) -> tuple[float, float]:
    """Return how far the engine's choices and logarithms are from transformers' own.

    The first is how much less likely a choice was than the likeliest, at most.
    """
    ids = tokenizer(prompt)["input_ids"]
    assert served.tokenise(prompt, start=True) == ids
    said, logprobs = continued(served, ids)
    assert said
    with torch.no_grad():
        whole = model(torch.tensor([ids + said])).logits[0, len(ids) - 1 : -1]
    scores = whole.float().log_softmax(-1)
    chosen = scores.gather(1, torch.tensor(said)[:, None])[:, 0]
    lost = scores.max(1).values - chosen
    return float(lost.max()), float((chosen - torch.tensor(logprobs)).abs().max())


@pytest.mark.parametrize("quality", QUALITIES)
def test_the_engine_says_what_transformers_says(tmp_path, learned, quality):
    path = tmp_path / "model.gguf"
    write_gguf(learned, path, name="tiny", quality=quality)
    tokenizer = AutoTokenizer.from_pretrained(learned)
    model = AutoModelForCausalLM.from_pretrained(learned, dtype=torch.float32).eval()
    with engine(path) as served:
        for prompt in PROMPTS:
            lost, off = compared(served, model, tokenizer, prompt)
            assert lost < MOST_LOST[quality]
            assert off < MOST_OFF[quality]
            if quality == "f16":
                assert lost == 0


def test_sizes_get_smaller_and_say_which_they_are(tmp_path):
    folder = write_model(tmp_path / "model", 300)
    sizes, kinds = [], []
    for quality in QUALITIES:
        path = tmp_path / f"{quality}.gguf"
        write_gguf(folder, path, name="tiny", quality=quality)
        sizes.append(path.stat().st_size)
        kinds.append(told(path, "general.file_type"))
    assert sizes == sorted(sizes, reverse=True)
    assert len(set(kinds)) == 3


def test_a_file_is_written_again_in_another_size(tmp_path):
    folder = write_model(tmp_path / "model", 300)
    large, direct, again = (tmp_path / f"{n}.gguf" for n in ("f16", "direct", "again"))
    write_gguf(folder, large, name="tiny", quality="f16", is_chat=True)
    write_gguf(folder, direct, name="tiny", quality="q8_0", is_chat=True)
    write_quality(large, again, "q8_0")
    first, second = GGUFReader(direct), GGUFReader(again)
    assert {f.name: f.contents() for f in first.fields.values()} == {
        f.name: f.contents() for f in second.fields.values()
    }
    for one, other in zip(first.tensors, second.tensors, strict=True):
        assert one.name == other.name
        assert one.tensor_type == other.tensor_type
        assert (one.data == other.data).all()


def test_norms_stay_whole_and_tokens_are_spared(tmp_path):
    folder = write_model(tmp_path / "model", 300)
    write_gguf(folder, tmp_path / "m.gguf", name="tiny", quality="q4_0")
    kinds = {t.name: t.tensor_type for t in GGUFReader(tmp_path / "m.gguf").tensors}
    assert kinds["output_norm.weight"] == GGMLQuantizationType.F32
    assert kinds["token_embd.weight"] == GGMLQuantizationType.Q8_0
    assert kinds["blk.0.ffn_up.weight"] == GGMLQuantizationType.Q4_0


def test_a_chat_model_is_prompted_as_it_was_trained(tmp_path):
    folder = write_model(tmp_path / "model", 300, is_chat=True)
    write_gguf(folder, tmp_path / "m.gguf", name="tiny", is_chat=True)
    assert told(tmp_path / "m.gguf", "tokenizer.chat_template") == CHATML
    with engine(tmp_path / "m.gguf") as served:
        marks = served.tokenise("<|im_start|>a<|im_end|>", special=True)
        assert len(marks) == 3
        assert len(served.tokenise("<|im_start|>")) > 1


def broken(folder: Path, name: str, **changes: Any) -> None:
    path = folder / name
    path.write_text(json.dumps(json.loads(path.read_text("utf-8")) | changes), "utf-8")


@pytest.mark.parametrize(
    ("name", "changes", "problem"),
    [
        ("config.json", {"model_type": "mamba"}, "of the kind mamba"),
        ("config.json", {"vocab_size": 299}, "count tokens differently"),
        (
            "config.json",
            {"rope_parameters": {"rope_type": "yarn", "rope_theta": 1.0}},
            "positions are scaled",
        ),
        ("tokenizer.json", {"pre_tokenizer": None}, "tokenizer is not one of bytes"),
    ],
)
def test_what_cannot_be_written_is_said(tmp_path, name, changes, problem):
    folder = write_model(tmp_path / "model", 300)
    broken(folder, name, **changes)
    with pytest.raises(ExportError, match=problem):
        write_gguf(folder, tmp_path / "m.gguf", name="tiny")
    assert [path.name for path in tmp_path.iterdir()] == ["model"]


def test_weights_that_have_no_place_are_named(tmp_path):
    folder = write_model(tmp_path / "model", 300)
    write_tensors({"model.vision.weight": torch.zeros(2, 2)}, folder / WEIGHTS)
    with pytest.raises(ExportError, match=r"no place in GGUF for model\.vision"):
        write_gguf(folder, tmp_path / "m.gguf", name="tiny")
    assert not (tmp_path / "m.gguf").exists()
