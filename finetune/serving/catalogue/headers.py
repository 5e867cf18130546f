"""What a GGUF file says about itself, and how much memory it takes to serve."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from finetune.errors import FinetuneError
from finetune.serving.engine.beginnings import KEPT_PART
from finetune.weights.metadata import MetadataError, read_metadata

_CACHE_BYTES = 2  # of one number in the memory of earlier tokens: 16 bits
# Of each copy, beside that: measured 38 MB with 49,152 words and steps of 64 tokens,
# once all slots were used; a third of it scores all words for each token of a step.
_COPY_BYTES = 26_000_000
_STEP_BYTES = 4 * 64
_WORDS = 150_000  # where the file does not say how many


class HeaderError(FinetuneError):
    """The file is not a GGUF file; the message is one sentence."""


@dataclass(frozen=True, slots=True)
class Header:
    """The figures of a GGUF file that tell how it can be served.

    `token_bytes` is the memory that each token of a conversation takes.
    """

    file_bytes: int
    context: int
    licence: str
    words: int
    token_bytes: int

    def memory(self, *, copies: int, slots: int, context: int) -> int:
        """Return the bytes that an engine takes: the file, and what each copy adds.

        The copies share the pages of the file, so it counts once; `slots` are divided
        among them, and each slot holds `context` tokens. Then there is what is kept of
        the beginnings of prompts.
        """
        held = copies * math.ceil(slots / copies) * context * self.token_bytes
        kept = slots * context * self.token_bytes // KEPT_PART
        return (
            self.file_bytes
            + held
            + kept
            + copies * (_COPY_BYTES + _STEP_BYTES * self.words)
        )


def read_header(path: Path) -> Header:
    """Read the beginning of a GGUF file, up to its tokenizer.

    Raises HeaderError for another kind of file, OSError if it cannot be read.
    """
    try:
        fields = read_metadata(path)
    except MetadataError as error:
        raise HeaderError(f"{path.name} is not a GGUF model file.") from error
    return _header(fields, path.stat().st_size)


def _header(fields: Mapping[str, Any], file_bytes: int) -> Header:
    kind = str(fields.get("general.architecture", ""))

    def number(name: str, default: int) -> int:
        value = fields.get(f"{kind}.{name}", default)
        # Some models have another number for each layer.
        return max(value) if isinstance(value, list) else int(value)

    heads = max(1, number("attention.head_count", 1))
    width = number("embedding_length", 0) // heads
    size = number("attention.key_length", width)
    size += number("attention.value_length", width)
    kept = number("block_count", 0) * number("attention.head_count_kv", heads)
    return Header(
        file_bytes=file_bytes,
        context=number("context_length", 0),
        licence=str(fields.get("general.license", "")),
        words=number("vocab_size", _WORDS),
        token_bytes=_CACHE_BYTES * kept * size,
    )
