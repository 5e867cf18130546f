"""The sentence model all-MiniLM-L6-v2 in plain torch, to train and to serve guards.

A BERT of six layers, 384 wide, 22M weights (Wang et al. 2020, arXiv 2002.10957).
Written out, it is short enough to read, and starts and runs faster than the general
implementation: one text of 16 tokens takes less than half the time.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import torch
import torch.nn.functional as F
from safetensors.torch import load_file
from tokenizers import Tokenizer
from torch import Tensor, nn

WIDTH, HEADS, LAYERS, INNER = 384, 12, 6, 1536
WORDS, POSITIONS = 30_522, 512
_EPSILON = 1e-12


class Tokens(NamedTuple):
    """Texts as numbers; `mask` is true where there is a token and not padding."""

    ids: Tensor  # (texts, time)
    mask: Tensor  # (texts, time)


class Layer(nn.Module):
    """Attention over all tokens, then two dense steps, each with a shortcut."""

    def __init__(self) -> None:
        super().__init__()
        self.qkv = nn.Linear(WIDTH, 3 * WIDTH)
        self.mix = nn.Linear(WIDTH, WIDTH)
        self.mix_norm = nn.LayerNorm(WIDTH, _EPSILON)
        self.widen = nn.Linear(WIDTH, INNER)
        self.narrow = nn.Linear(INNER, WIDTH)
        self.norm = nn.LayerNorm(WIDTH, _EPSILON)

    def forward(self, x: Tensor, mask: Tensor | None) -> Tensor:
        """Return (texts, time, WIDTH); `mask` hides the padding, if any."""
        texts, time, _ = x.shape
        qkv = self.qkv(x).view(texts, time, 3, HEADS, WIDTH // HEADS)
        q, k, v = qkv.permute(2, 0, 3, 1, 4)  # each (texts, heads, time, 32)
        seen = F.scaled_dot_product_attention(q, k, v, attn_mask=mask)
        seen = seen.transpose(1, 2).reshape(texts, time, WIDTH)
        x = self.mix_norm(x + self.mix(seen))
        wide = F.gelu(self.widen(x))
        return self.norm(x + self.narrow(wide))  # type: ignore[no-any-return]


class MiniLM(nn.Module):
    """Tokens → one vector for each text: the mean over its tokens."""

    def __init__(self) -> None:
        super().__init__()
        self.word = nn.Embedding(WORDS, WIDTH)
        self.position = nn.Embedding(POSITIONS, WIDTH)
        self.kind = nn.Embedding(2, WIDTH)
        self.norm = nn.LayerNorm(WIDTH, _EPSILON)
        self.layers = nn.ModuleList(Layer() for _ in range(LAYERS))

    def embed(self, ids: Tensor) -> Tensor:
        """Return what goes into the first layer: (texts, time, WIDTH)."""
        time = ids.shape[1]
        return self.norm(  # type: ignore[no-any-return]
            self.word(ids) + self.position.weight[:time] + self.kind.weight[0]
        )

    def forward(self, tokens: Tokens) -> Tensor:
        """Return unnormalised means, (texts, WIDTH)."""
        x = self.embed(tokens.ids)
        for layer in self.layers:
            x = layer(x, hides(tokens.mask))
        return mean(x, tokens.mask)


def hides(mask: Tensor) -> Tensor | None:
    """Return what attention does not look at: padding, if there is any.

    Without padding there is nothing to hide, and attention is quicker.
    """
    is_full = len(mask) == 1 or bool(mask.all())
    return None if is_full else mask[:, None, None, :]


def mean(x: Tensor, mask: Tensor) -> Tensor:
    """Return the mean over the tokens that are there: (texts, WIDTH)."""
    weight = mask[:, :, None].to(x.dtype)
    return (x * weight).sum(1) / weight.sum(1)


def load_minilm(folder: Path) -> MiniLM:
    """Read the weights of a folder in the form of sentence-transformers."""
    model = MiniLM()
    model.load_state_dict(_renamed(load_file(folder / "model.safetensors")))
    return model.eval()


def load_tokenizer(folder: Path) -> Tokenizer:
    """Read the tokenizer; it neither cuts nor pads."""
    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    tokenizer.no_truncation()
    tokenizer.no_padding()
    return tokenizer


def pad(rows: Sequence[Sequence[int]]) -> Tokens:
    """Put rows of token numbers into one block."""
    longest = max(map(len, rows))
    ids = torch.zeros(len(rows), longest, dtype=torch.long)
    mask = torch.zeros(len(rows), longest, dtype=torch.bool)
    for number, row in enumerate(rows):
        ids[number, : len(row)] = torch.tensor(row)
        mask[number, : len(row)] = True
    return Tokens(ids, mask)


def _renamed(given: dict[str, Tensor]) -> dict[str, Tensor]:
    """Translate the names of BERT's weights into ours."""
    state = {
        "word.weight": given["embeddings.word_embeddings.weight"],
        "position.weight": given["embeddings.position_embeddings.weight"],
        "kind.weight": given["embeddings.token_type_embeddings.weight"],
    }
    renames = {
        "attention.output.dense": "mix",
        "attention.output.LayerNorm": "mix_norm",
        "intermediate.dense": "widen",
        "output.dense": "narrow",
        "output.LayerNorm": "norm",
    }
    for part in ("weight", "bias"):
        state[f"norm.{part}"] = given[f"embeddings.LayerNorm.{part}"]
        for number in range(LAYERS):
            theirs, ours = f"encoder.layer.{number}", f"layers.{number}"
            state[f"{ours}.qkv.{part}"] = torch.cat(
                [
                    given[f"{theirs}.attention.self.{which}.{part}"]
                    for which in ("query", "key", "value")
                ]
            )
            for old, new in renames.items():
                state[f"{ours}.{new}.{part}"] = given[f"{theirs}.{old}.{part}"]
    return state
