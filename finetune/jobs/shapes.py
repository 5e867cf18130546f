"""The sizes of a model, and what follows from them: weights, arithmetic, memory.

Estimates of what is learned count two operations (a product and a sum) for each weight
that a token passes: once forwards, and twice backwards, to the tokens below and to the
weights. Frozen weights need no way to themselves (Kaplan et al. 2020,
arXiv 2001.08361, with the parts that are left out here).
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from finetune.recipes.lm import Fresh, LmRecipe
from finetune.weights.metadata import read_metadata

_NUMBER_BYTES = 4  # weights, gradients and what Adam remembers are fp32
_ADAM_NUMBERS = 2
# Of each token and layer, in widths: what the way back needs of norms, attention and
# sums; the inner layer keeps three of its own size.
_KEPT_WIDTHS, _KEPT_INNERS = 10, 3
# Scores of the vocabulary: as they come, as probabilities, and their gradient.
_KEPT_SCORES = 3


class Shape(NamedTuple):
    """The sizes of a model: like Llama unless the last fields say otherwise.

    `table_count` is 2 where another table scores than reads. GPT-2 and its kin learn
    `places` (numbers for each position), have a bias on everything, one matrix for what
    attention asks, offers and gives, and no gate in the inner layer. `extra_norms` are
    those outside the blocks.
    """

    layers: int
    width: int
    inner: int
    heads: int
    kv_heads: int
    vocabulary: int
    table_count: int = 1
    places: int = 0
    is_like_gpt: bool = False
    has_qkv_bias: bool = False
    extra_norms: int = 1
    head_size: int = 0

    @property
    def parameters(self) -> int:
        """The number of all weights."""
        tables = self.table_count * self.table + self.places * self.width
        outside = self.extra_norms * self._norm
        return self.layers * (self.block + self._small) + tables + outside

    @property
    def block(self) -> int:
        """The weights in the matrices of one layer."""
        return sum(size * out for size, out in self.matrices())

    @property
    def table(self) -> int:
        """The weights of the table of tokens."""
        return self.vocabulary * self.width

    @property
    def _norm(self) -> int:
        return (2 if self.is_like_gpt else 1) * self.width

    @property
    def _small(self) -> int:
        """The weights of one layer outside its matrices: norms and biases."""
        outs = [out for _, out in self.matrices()]
        biases = sum(outs if self.is_like_gpt else outs[:3] * self.has_qkv_bias)
        return 2 * self._norm + biases

    def matrices(self) -> list[tuple[int, int]]:
        """Return (in, out) of each matrix of one layer."""
        width, inner = self.width, self.inner
        if self.is_like_gpt:
            attention = [(width, 3 * width), (width, width)]
            return [*attention, (width, inner), (inner, width)]
        size = self.head_size or width // self.heads
        asked, kept = self.heads * size, self.kv_heads * size
        attention = [(width, asked), (width, kept), (width, kept), (asked, width)]
        return [*attention, *[(width, inner)] * 2, (inner, width)]

    def learned(self, recipe: LmRecipe) -> int:
        """Return how many weights a recipe changes."""
        if recipe.lora is not None:
            each = sum(recipe.lora.rank * (a + b) for a, b in self.matrices())
            return self.layers * each
        if recipe.frozen:
            free = max(0, self.layers - recipe.frozen)
            own_scores = (self.table_count - 1) * self.table
            outside = self.extra_norms * self._norm + own_scores
            return free * (self.block + self._small) + outside
        return self.parameters

    def flops(self, recipe: LmRecipe) -> float:
        """Return the operations that learning from one token takes."""
        blocks = self.layers * self.block
        # Each token looks at half of its row, on average.
        attention = 2 * self.layers * self.width * recipe.block
        forwards = 2.0 * (blocks + self.table) + attention
        if recipe.lora is not None:
            return 2 * forwards + attention + 6 * self.learned(recipe)
        free = max(0, self.layers - recipe.frozen) / self.layers
        return forwards + 2 * free * (2.0 * blocks + attention) + 4.0 * self.table

    def memory(self, recipe: LmRecipe) -> int:
        """Return the bytes for weights, gradients, Adam, and one batch on its way."""
        learned = self.learned(recipe)
        weights = self.parameters + (learned if recipe.lora is not None else 0)
        tokens = recipe.rows * recipe.block
        free = 1.0
        if recipe.lora is None and recipe.frozen:
            free = max(1, self.layers - recipe.frozen) / self.layers
        kept = (
            free * self.layers * (_KEPT_WIDTHS * self.width + _KEPT_INNERS * self.inner)
        )
        scores = _KEPT_SCORES * self.vocabulary
        numbers = weights + learned * (1 + _ADAM_NUMBERS) + tokens * (kept + scores)
        return int(_NUMBER_BYTES * numbers)


def shape_of_fresh(fresh: Fresh) -> Shape:
    """Return the shape of a model from nothing; finetune/training/fresh.py makes it."""
    return Shape(
        layers=fresh.layers,
        width=fresh.width,
        inner=32 * round(fresh.width * 8 / 3 / 32),
        heads=fresh.heads,
        kv_heads=fresh.heads,
        vocabulary=fresh.vocabulary,
    )


def shape_of_gguf(path: Path) -> Shape:
    """Return the shape of a GGUF file; raise MetadataError, or OSError."""
    told = read_metadata(path)
    kind = told.get("general.architecture", "")
    return _shape({n.removeprefix(f"{kind}."): value for n, value in told.items()})


def _shape(told: Mapping[str, Any]) -> Shape:
    heads = int(told["attention.head_count"])
    return Shape(
        layers=int(told["block_count"]),
        width=int(told["embedding_length"]),
        inner=int(told["feed_forward_length"]),
        heads=heads,
        kv_heads=int(told.get("attention.head_count_kv", heads)),
        vocabulary=int(told["vocab_size"]),
    )
