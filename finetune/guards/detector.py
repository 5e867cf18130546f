"""The sentence model with changed layers: windows of a text, adapters, and 8 bits."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from pathlib import Path

import torch
from safetensors.torch import load_file
from tokenizers import Tokenizer
from torch import Tensor, nn
from torch.ao.nn.quantized.dynamic import Linear as QuickLinear
from torch.ao.quantization import per_channel_dynamic_qconfig

from finetune.guards.minilm import MiniLM, load_minilm
from finetune.guards.text import with_gaps

_CLS, _SEP = 101, 102
# Windows overlap by a quarter, so that a short attack is whole in one of them.
_OVERLAP = 4
ADAPTER = "adapter.safetensors"


def windows(ids: Sequence[int], size: int) -> list[list[int]]:
    """Cut a text (its tokens without marks) into overlapping windows with marks."""
    return [list(with_marks(ids[span])) for span in spans(len(ids), size)]


def with_marks(ids: Sequence[int]) -> tuple[int, ...]:
    """Return the tokens of a window between the marks that the model expects."""
    return _CLS, *ids, _SEP


def spans(count: int, size: int) -> list[slice]:
    """Return which of `count` tokens each window holds, besides its two marks."""
    room = size - 2
    if count <= room:
        return [slice(0, count)]
    step = room - room // _OVERLAP
    starts = [*range(0, count - room, step), count - room]
    return [slice(start, start + room) for start in starts]


def tokenise(tokenizer: Tokenizer, texts: Sequence[str]) -> list[list[int]]:
    """Return the tokens of texts, without marks at the ends."""
    readable = [with_gaps(text) for text in texts]
    encodings = tokenizer.encode_batch(readable, add_special_tokens=False)
    return [encoding.ids for encoding in encodings]


def freeze(encoder: MiniLM, layers: int) -> None:
    """Keep the embeddings and the lower layers as they are."""
    lower = [encoder.word, encoder.position, encoder.kind, encoder.norm]
    for module in (*lower, *encoder.layers[:layers]):
        module.requires_grad_(False)


def changes(encoder: MiniLM, base: MiniLM) -> dict[str, Tensor]:
    """Return the difference from the base of each weight that has one, in bf16."""
    first = base.state_dict()
    differences = {
        f"encoder.{name}": (weight - first[name]).to(torch.bfloat16)
        for name, weight in encoder.state_dict().items()
    }
    return {name: change for name, change in differences.items() if change.any()}


def load_encoder(folder: Path, adapter: Path) -> MiniLM:
    """Return the base with the changes of an adapter."""
    encoder = load_minilm(folder)
    weights = encoder.state_dict()
    for name, change in load_file(adapter).items():
        if name.startswith("encoder."):
            weights[name.removeprefix("encoder.")] += change.to(torch.float32)
    encoder.load_state_dict(weights)
    return encoder


def in_8_bits(module: nn.Module) -> None:
    """Replace the dense layers of a module: weights in 8 bits, one scale for each row.

    Inputs are brought to 8 bits as they come; outputs stay in 32 bits.
    """
    for name, child in list(module.named_children()):
        if isinstance(child, nn.Linear):
            child.qconfig = per_channel_dynamic_qconfig  # type: ignore[assignment]
            with warnings.catch_warnings():
                # It will move to another package; we use one exact version of torch.
                warnings.filterwarnings("ignore", message=".*deprecated", append=False)
                quick = QuickLinear.from_float(child)  # type: ignore[no-untyped-call]
            setattr(module, name, quick)
        else:
            in_8_bits(child)
