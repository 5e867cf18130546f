"""How well a language model knows a text that it never learns from."""

from __future__ import annotations

import math
import re
from typing import Any

import torch
import torch.nn.functional as F
from accelerate import Accelerator
from torch import Tensor

from finetune.data.packing import IGNORE, PackedRows
from finetune.training.shapes import read, score
from finetune.training.sharding import together

_LARGEST_EXPONENT = 50.0
# How a vocabulary of bytes writes a space, and how others write a single byte.
_SPACE = "Ġ"
_BYTE = re.compile(r"<0x[0-9A-Fa-f]{2}>")


def answer_loss(
    model: Any, rows: PackedRows, device: torch.device
) -> tuple[Tensor, int]:
    """Return the summed loss of the answer tokens, in nats, and how many there are."""
    rows = rows.used()  # width: up to the last answer of these rows, at most the block
    # Found here: to be asked for them, a GPU would have to be waited for.
    places = (rows.targets.flatten() != IGNORE).nonzero()[:, 0]  # (answer tokens,)
    rows = rows.to(device)
    # Of all places, only those before a token of an answer.
    answers = places.to(device, non_blocking=True)

    def scores() -> Tensor:
        hidden = read(model, rows)  # (rows, block, width)
        return score(model, hidden.flatten(0, 1)[answers])

    logits = together(model, scores)  # (answer tokens, vocabulary)
    targets = rows.targets.flatten()[answers].long()  # (answer tokens,)
    # The loss of a token: minus the logarithm of the probability that it was given.
    loss = F.cross_entropy(logits.float(), targets, reduction="sum")
    return loss, len(places)


@torch.no_grad()
def judge(
    model: Any,
    rows: PackedRows,
    accelerator: Accelerator,
    *,
    at_once: int,
    sizes: Tensor | None = None,
    most_rows: int,
) -> dict[str, float]:
    """Return the mean loss on held-out rows, in nats per answer token.

    The perplexity is its exponential: among how many equally likely tokens the model
    would be as unsure as it is. All tokens weigh the same, in whatever row they are.
    With `sizes`, the bytes of each token, there are bits per byte of text too, which
    may be compared between models whose tokens differ. No rows give no figures.
    """
    last = min(len(rows), most_rows)
    rows = rows.pick(torch.arange(last))
    model.eval()
    total, count = 0.0, 0
    for start in range(0, last, at_once):
        batch = rows.pick(torch.arange(start, min(last, start + at_once)))
        with accelerator.autocast():
            loss, answers = answer_loss(model, batch, accelerator.device)
        total, count = total + float(loss), count + answers
    model.train()
    if not count:
        return {}
    mean = total / count
    figures = {
        "heldout_loss": mean,
        "heldout_perplexity": math.exp(min(_LARGEST_EXPONENT, mean)),
    }
    size = 0 if sizes is None else int(sizes[_targets(rows)].sum())
    if size:
        figures["heldout_bits_per_byte"] = total / math.log(2) / size
    return figures


def token_bytes(tokenizer: Any) -> Tensor:
    """Return how many bytes of text each token stands for, (vocabulary,); marks 0."""
    vocabulary: dict[str, int] = tokenizer.get_vocab()
    is_bytes = _SPACE in vocabulary
    marks = {*tokenizer.all_special_tokens}
    marks |= {
        str(added) for added in tokenizer.added_tokens_decoder.values() if added.special
    }
    sizes = torch.zeros(max(vocabulary.values()) + 1, dtype=torch.long)
    for text, number in vocabulary.items():
        if text in marks:
            continue
        if is_bytes:
            sizes[number] = len(text)
        elif _BYTE.fullmatch(text):
            sizes[number] = 1
        else:
            sizes[number] = len(text.replace("▁", " ").encode())
    return sizes


def _targets(rows: PackedRows) -> Tensor:
    return rows.targets[rows.targets != IGNORE].long()
