"""The trained part of a gate: one sentence model as it is, and members that read it.

What the lower layers of the sentence model make of a window is used twice. The upper
layers as they are go on from there, and small networks, the heads, read the means of
several layers. A second copy of the upper layers, which was tuned, goes on from there
too, and has a head of its own. So a window costs little more than one reading.

Frozen layers know nothing of how attacks look in one collection or another, and heads
on them go less astray with messages of a new kind; tuned layers know what matters.
Their mean is better than either (the card has the figures).
"""

from __future__ import annotations

import copy
from pathlib import Path
from typing import NamedTuple, get_args

import torch
import torch.nn.functional as F
from safetensors.torch import load_file
from torch import Tensor, nn

from finetune.guards.detector import in_8_bits
from finetune.guards.minilm import (
    LAYERS,
    WIDTH,
    MiniLM,
    Tokens,
    hides,
    load_minilm,
    mean,
)
from finetune.recipes.guard import Kind
from finetune.weights.tensors import write_tensors

# In the order of their weights.
KINDS: tuple[Kind, ...] = get_args(Kind)
# The layers whose means the heads read.
READ = (2, 3, 4, 5)
FEATURES = len(READ) * WIDTH
_HIDDEN = 128
_TUNED = "tuned."


class Said(NamedTuple):
    """What the members say of one window."""

    heads: Tensor  # (heads,) logits
    tuned: Tensor  # () logit
    kinds: Tensor  # (kinds,) log odds of one kind against another


class Heads(nn.Module):
    """Small networks side by side; each has its own logit for a window."""

    def __init__(self, count: int) -> None:
        super().__init__()
        self.first = nn.Parameter(torch.randn(count, FEATURES, _HIDDEN) / FEATURES**0.5)
        self.first_bias = nn.Parameter(torch.zeros(count, 1, _HIDDEN))
        self.second = nn.Parameter(torch.randn(count, _HIDDEN, 1) / _HIDDEN**0.5)
        self.second_bias = nn.Parameter(torch.zeros(count, 1, 1))

    def forward(self, features: Tensor, *, dropped: float = 0.0) -> Tensor:
        """Return logits (heads, windows) of features (windows, FEATURES).

        While it learns, each head misses a share of what it reads.
        """
        seen = F.dropout(features.expand(len(self.first), -1, -1), dropped, dropped > 0)
        hidden = F.gelu(torch.baddbmm(self.first_bias, seen, self.first))
        hidden = F.dropout(hidden, dropped, dropped > 0)
        return torch.baddbmm(self.second_bias, hidden, self.second)[:, :, 0]


class Branch(nn.Module):
    """The upper layers once more, to be tuned, and a head on the mean of the last."""

    def __init__(self, encoder: MiniLM, frozen: int) -> None:
        """Begin with the layers of the encoder above the first `frozen` ones."""
        super().__init__()
        self.layers = copy.deepcopy(encoder.layers[frozen:])
        self.head = nn.Sequential(
            nn.Linear(WIDTH, WIDTH), nn.GELU(), nn.Linear(WIDTH, 1)
        )

    def forward(self, lower: Tensor, mask: Tensor) -> Tensor:
        """Return logits (windows,).

        `lower` is what the frozen layers made, (windows, time, WIDTH).
        """
        x, hidden = lower, hides(mask)
        for layer in self.layers:
            x = layer(x, hidden)
        logits: Tensor = self.head(unit(x, mask))
        return logits[:, 0]


class Ensemble(nn.Module):
    """Tokens of a window → what each member says of it."""

    def __init__(self, encoder: MiniLM, branch: Branch, heads: Heads) -> None:
        super().__init__()
        self.encoder, self.branch, self.heads = encoder, branch, heads
        self.kinds = nn.Linear(FEATURES, len(KINDS))

    @torch.inference_mode()
    def forward(self, window: tuple[int, ...]) -> Said:
        """Read one window by itself.

        In 8 bits a batch shares its scale: what stands elsewhere in a text would change
        the score of an attack. On one core a batch is no faster.
        """
        ids = torch.tensor([window])
        mask = torch.ones_like(ids, dtype=torch.bool)
        features, lower = layers_of(self.encoder, Tokens(ids, mask), self.frozen)
        return Said(
            self.heads(features)[:, 0],
            self.branch(lower, mask)[0],
            self.kinds(features)[0],
        )

    @property
    def frozen(self) -> int:
        """How many layers the branch leaves as they are."""
        return LAYERS - len(self.branch.layers)


def layers_of(encoder: MiniLM, tokens: Tokens, frozen: int) -> tuple[Tensor, Tensor]:
    """Return features (windows, FEATURES), and what the first `frozen` layers make."""
    x = lower = encoder.embed(tokens.ids)
    means = []
    for number, layer in enumerate(encoder.layers):
        x = layer(x, hides(tokens.mask))
        if number in READ:
            means.append(unit(x, tokens.mask))
        if number + 1 == frozen:
            lower = x
    return torch.cat(means, dim=1), lower


def unit(x: Tensor, mask: Tensor) -> Tensor:
    """Return the mean over the tokens of each window, with entries of about 1."""
    means: Tensor = F.normalize(mean(x, mask), dim=-1)
    return means * float(WIDTH**0.5)


def save_ensemble(ensemble: Ensemble, base: MiniLM, path: Path) -> None:
    """Write what differs from the base in bf16, and the heads."""
    first = base.layers[ensemble.frozen :].state_dict()
    tensors = {
        f"{_TUNED}{name}": (weight - first[name]).to(torch.bfloat16)
        for name, weight in ensemble.branch.layers.state_dict().items()
    }
    for part in ("branch.head", "heads", "kinds"):
        weights = ensemble.get_submodule(part).state_dict()
        tensors |= {f"{part}.{name}": w.half() for name, w in weights.items()}
    write_tensors(tensors, path)


def load_ensemble(folder: Path, path: Path) -> Ensemble:
    """Put base and adapter together, in 8 bits: four times as fast on one core."""
    encoder, tensors = load_minilm(folder), load_file(path)
    changes = {
        name.removeprefix(_TUNED): change.float()
        for name, change in tensors.items()
        if name.startswith(_TUNED)
    }
    count = len({name.split(".")[0] for name in changes})
    branch = Branch(encoder, LAYERS - count)
    layers = branch.layers.state_dict()
    branch.layers.load_state_dict({n: w + changes[n] for n, w in layers.items()})
    ensemble = Ensemble(encoder, branch, Heads(len(tensors["heads.first"])))
    for part in ("branch.head", "heads", "kinds"):
        own = {
            name.removeprefix(f"{part}."): weight.float()
            for name, weight in tensors.items()
            if name.startswith(f"{part}.")
        }
        ensemble.get_submodule(part).load_state_dict(own)
    in_8_bits(ensemble.encoder)
    in_8_bits(ensemble.branch.layers)
    return ensemble.eval()
