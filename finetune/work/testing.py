"""Judges a finished model on the part of its data that was locked until now."""

from __future__ import annotations

from contextlib import nullcontext
from pathlib import Path
from typing import Any, Final

import torch
from peft import PeftModel

from finetune.data.packing import PackedRows
from finetune.data.sources import locked_answers, read_test_rows, resolved
from finetune.recipes.lm import LmRecipe, Sampling
from finetune.training.fresh import build
from finetune.training.judging import judge, token_bytes
from finetune.training.precision import new_accelerator
from finetune.training.sampling import Writer
from finetune.weights.base import Base, load_base

_HELD_OUT = "heldout_"
# On a processor each takes seconds, and others wait in the queue.
MOST_REPLIES: Final = 20
# With its answer; each reply is kept with the job, and each answer may be read.
_ROW_CHARS: Final = 1_000
_REPLY_TOKENS: Final = 60


def judge_test(recipe: LmRecipe, run: Path, *, cache: Path) -> dict[str, Any]:
    """Return loss, perplexity and bits per byte, of the model and of its base.

    Where rows ask something, `test_replies` has what the model replies to some of them,
    with the likeliest token each time: `prompt`, `target` and `text`.

    Raises RecipeError, DataError, ModelMissing or OSError.
    """
    has_adapters = recipe.adapters is not None
    start = load_base(recipe.base if has_adapters else str(run), cache=cache)
    rows = read_test_rows(recipe, start.tokenizer)
    if has_adapters:
        model: Any = PeftModel.from_pretrained(start.model, run)
        before, unlearned = model, model.disable_adapter
    else:
        model = start.model
        before, unlearned = _before(recipe, start, cache), nullcontext
    figures = _judge(model, rows, recipe, start.tokenizer)
    replies = _replies(model, rows, recipe, start.tokenizer)
    with unlearned():
        base = _judge(before, rows, recipe, start.tokenizer)
    told: dict[str, Any] = {f"test_{name}": value for name, value in figures.items()}
    told |= {f"test_base_{name}": value for name, value in base.items()}
    return told | ({"test_replies": replies} if replies else {})


def _before(recipe: LmRecipe, start: Base, cache: Path) -> Any:
    """Return a model that learned as a whole as it was before."""
    if not recipe.is_fresh:
        return load_base(recipe.base, cache=cache).model
    torch.manual_seed(recipe.seed)
    return build(recipe.fresh, start.tokenizer, context=2 * recipe.block)


def _judge(
    model: Any, rows: PackedRows, recipe: LmRecipe, tokenizer: Any
) -> dict[str, float]:
    accelerator = new_accelerator(is_bf16=False)
    found = judge(
        model.to(accelerator.device),
        rows,
        accelerator,
        at_once=recipe.rows,
        sizes=token_bytes(tokenizer),
        most_rows=len(rows),
    )
    return {name.removeprefix(_HELD_OUT): value for name, value in found.items()}


def _replies(
    model: Any, rows: PackedRows, recipe: LmRecipe, tokenizer: Any
) -> list[dict[str, str]]:
    recipe = resolved(recipe)
    accelerator = new_accelerator(is_bf16=False)
    found = []
    for row in locked_answers(recipe, most=MOST_REPLIES, chars=_ROW_CHARS):
        sample = Sampling(prompt=row.text, tokens=_REPLY_TOKENS, temperature=0)
        text = Writer(sample, recipe, tokenizer, rows).write(model, accelerator)
        found.append({"prompt": row.text, "target": row.answer or "", "text": text})
    return found
