"""The parts of a causal language model, whatever its architecture calls them.

All are stacks of blocks between two tables: one gives each token its numbers, the other
(the head) gives the last numbers back a score for each token. Llama, GPT-2 and GPT-NeoX
differ in the names of these, and in what is inside a block.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from finetune.data.packing import PackedRows
from finetune.recipes.common import RecipeError

# They work out how far apart tokens are from a mask of another form.
_TAKE_NO_MASK = frozenset({"bloom"})
_UNFROZEN = "set frozen: 0, or train adapters with lora"


def plain(model: Any) -> Any:
    """Return the model of transformers, without what PEFT wraps around it."""
    return model.get_base_model() if hasattr(model, "get_base_model") else model


def takes_mask(model: Any) -> bool:
    """Return whether packed rows are read at once, or else each document alone."""
    return plain(model).config.model_type not in _TAKE_NO_MASK


def read(model: Any, rows: PackedRows) -> Tensor:
    """Return what the blocks make of packed rows: (rows, block, width), for the head.

    Each token looks at itself and at what stands before it in its own document.
    """
    inside = plain(model).base_model
    if not takes_mask(model):
        return _read_one_by_one(inside, rows)
    hidden: Tensor = inside(
        input_ids=rows.ids.long(),  # (rows, block)
        position_ids=rows.positions.long(),  # (rows, block), from 0 in each document
        attention_mask=rows.mask(),  # (rows, 1, block, block)
        use_cache=False,
    ).last_hidden_state
    return hidden


def _read_one_by_one(inside: Any, rows: PackedRows) -> Tensor:
    """Read each document by itself: slower, and the same."""
    whole = []
    for ids, document in zip(rows.ids.long(), rows.document, strict=True):
        _, sizes = document.unique_consecutive(return_counts=True)
        parts = [
            inside(input_ids=part[None], use_cache=False).last_hidden_state
            for part in ids.split(sizes.tolist())
        ]
        whole.append(torch.cat(parts, dim=1))  # (1, block, width)
    return torch.cat(whole)


def score(model: Any, hidden: Tensor) -> Tensor:
    """Return the scores of all tokens for some places: (places, vocabulary)."""
    scores: Tensor = plain(model).get_output_embeddings()(hidden)
    return scores


def blocks(model: Any, *, instead: str = _UNFROZEN) -> nn.ModuleList:
    """Return the blocks, the lowest first.

    Raises RecipeError if they cannot be told apart; `instead` is what helps then.
    """
    wanted = plain(model).config.num_hidden_layers
    for part in plain(model).base_model.children():
        if isinstance(part, nn.ModuleList) and len(part) == wanted:
            return part
    raise RecipeError(
        f"The blocks of {type(plain(model)).__name__} cannot be told apart: {instead}."
    )


def freeze(model: Any, count: int) -> None:
    """Let the lowest blocks, and the tables below them, stay as they are.

    Raises RecipeError if the model has no more blocks than that.
    """
    stack = blocks(model)
    if count >= len(stack):
        raise RecipeError(
            f"frozen: {count} leaves nothing to learn: this model has {len(stack)}"
            f" blocks, so freeze at most {len(stack) - 1}."
        )
    below = [
        part
        for part in plain(model).base_model.children()
        if isinstance(part, nn.Embedding)
    ]
    for part in (*below, *stack[:count]):
        part.requires_grad_(False)


def without_dropout(model: Any) -> None:
    """Switch off what forgets numbers at random, as GPT-2 does in training.

    In runs of minutes it costs a sixth of the speed and helps nothing: so little is
    learned that hardly anything is learned by heart.
    """
    for part in model.modules():
        if isinstance(part, nn.Dropout):
            part.p = 0.0
