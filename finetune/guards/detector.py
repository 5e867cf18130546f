"""The trained part of a guard: the sentence model, its changed layers, and a head."""

from __future__ import annotations

import copy
import warnings
from collections.abc import Sequence
from pathlib import Path

import torch
import torch.nn.functional as F
from safetensors.torch import load_file
from tokenizers import Tokenizer
from torch import Tensor, nn
from torch.ao.nn.quantized.dynamic import Linear as QuickLinear
from torch.ao.quantization import per_channel_dynamic_qconfig

from finetune.guards.minilm import WIDTH, MiniLM, Tokens, load_minilm, pad
from finetune.guards.text import with_gaps
from finetune.weights.tensors import write_tensors

_CLS, _SEP = 101, 102
# Windows overlap by a quarter, so that a short attack is whole in one of them.
_OVERLAP = 4
ADAPTER = "adapter.safetensors"


class Detector(nn.Module):
    """Tokens → one logit for each text: above 0 it is more likely an attack."""

    def __init__(self, encoder: MiniLM) -> None:
        super().__init__()
        self.encoder = encoder
        self.head = nn.Sequential(
            nn.Linear(WIDTH, WIDTH), nn.GELU(), nn.Linear(WIDTH, 1)
        )

    def forward(self, tokens: Tokens) -> tuple[Tensor, Tensor]:
        """Return logits (texts,) and unit vectors (texts, WIDTH)."""
        vectors = F.normalize(self.encoder(tokens), dim=-1)
        # Unit vectors have entries of about 0.05; the head wants about 1.
        logits = self.head(vectors * WIDTH**0.5)[:, 0]
        return logits, vectors


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


@torch.inference_mode()
def logits_of(detector: Detector, rows: Sequence[Sequence[int]]) -> list[float]:
    """Return the logits of windows, each read by itself.

    In 8 bits a batch shares its scale: what stands elsewhere in a text would change the
    score of an attack. On one core a batch is no faster.
    """
    return [float(detector(pad([row]))[0]) for row in rows]


def freeze(encoder: MiniLM, layers: int) -> None:
    """Keep the embeddings and the lower layers as they are."""
    lower = [encoder.word, encoder.position, encoder.kind, encoder.norm]
    for module in (*lower, *encoder.layers[:layers]):
        module.requires_grad_(False)


def save_adapter(detector: Detector, base: MiniLM, path: Path) -> None:
    """Write what differs from the base, in bf16, and the head."""
    head = {f"head.{name}": w for name, w in detector.head.state_dict().items()}
    write_tensors(changes(detector.encoder, base) | head, path)


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


def load_detector(folder: Path, adapter: Path) -> Detector:
    """Put base and adapter together."""
    detector = Detector(load_encoder(folder, adapter))
    head = {
        name.removeprefix("head."): weight
        for name, weight in load_file(adapter).items()
        if name.startswith("head.")
    }
    detector.head.load_state_dict(head)
    return detector.eval()


def quantised(detector: Detector) -> Detector:
    """Return a copy that multiplies in 8 bits: four times as fast on one core."""
    quick = copy.deepcopy(detector).eval()
    in_8_bits(quick.encoder)
    return quick


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
