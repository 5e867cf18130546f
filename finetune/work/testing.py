"""Judges a finished model on the part of its data that was locked until now."""

from __future__ import annotations

from contextlib import nullcontext
from pathlib import Path
from typing import Any

import torch
from peft import PeftModel

from finetune.data.packing import PackedRows
from finetune.data.sources import read_test_rows
from finetune.recipes.lm import LmRecipe
from finetune.training.fresh import build
from finetune.training.judging import judge, token_bytes
from finetune.training.precision import new_accelerator
from finetune.weights.base import Base, load_base

_HELD_OUT = "heldout_"


def judge_test(recipe: LmRecipe, run: Path, *, cache: Path) -> dict[str, float]:
    """Return loss, perplexity and bits per byte, of the model and of its base.

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
    with unlearned():
        base = _judge(before, rows, recipe, start.tokenizer)
    return {f"test_{name}": value for name, value in figures.items()} | {
        f"test_base_{name}": value for name, value in base.items()
    }


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
