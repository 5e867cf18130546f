"""What a GGUF file says about itself, and how much memory it takes to serve."""

from __future__ import annotations

import math
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from finetune.errors import FinetuneError

_MAGIC = b"GGUF"
_STRING, _ARRAY = 8, 9
_NUMBERS = {
    0: "B", 1: "b", 2: "H", 3: "h", 4: "I", 5: "i", 6: "f", 7: "?", 10: "Q", 11: "q",
    12: "d",
}  # fmt: skip
_LONGEST_TEXT = 100_000
_MOST_FIELDS = 10_000
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
        among them, and each slot holds `context` tokens.
        """
        held = copies * math.ceil(slots / copies) * context * self.token_bytes
        return (
            self.file_bytes + held + copies * (_COPY_BYTES + _STEP_BYTES * self.words)
        )


def read_header(path: Path) -> Header:
    """Read the beginning of a GGUF file, up to its tokenizer.

    Raises HeaderError for another kind of file, OSError if it cannot be read.
    """
    try:
        with path.open("rb") as file:
            fields = dict(_fields(file))
    except (struct.error, ValueError, UnicodeDecodeError) as error:
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


def _fields(file: BinaryIO) -> Any:
    """Yield (name, value) until the tokenizer, whose lists are long, begins."""
    if file.read(4) != _MAGIC:
        raise ValueError("another magic number")
    _, _, count = struct.unpack("<IQQ", file.read(20))
    for _ in range(min(count, _MOST_FIELDS)):
        name = _text(file)
        if name.startswith("tokenizer."):
            return
        yield name, _value(file, _number(file, "I"))


def _value(file: BinaryIO, kind: int) -> Any:
    if kind == _STRING:
        return _text(file)
    if kind == _ARRAY:
        inner, count = _number(file, "I"), _number(file, "Q")
        if count > _LONGEST_TEXT:
            raise ValueError("a list that is too long")
        return [_value(file, inner) for _ in range(count)]
    if kind not in _NUMBERS:
        raise ValueError("a value of an unknown kind")
    return _number(file, _NUMBERS[kind])


def _number(file: BinaryIO, form: str) -> Any:
    size = struct.calcsize(f"<{form}")
    return struct.unpack(f"<{form}", file.read(size))[0]


def _text(file: BinaryIO) -> str:
    size = _number(file, "Q")
    if size > _LONGEST_TEXT:
        raise ValueError("a text that is too long")
    return file.read(size).decode()
