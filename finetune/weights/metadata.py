"""What a GGUF file says of itself, read without its weights."""

from __future__ import annotations

import struct
from collections.abc import Iterator
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
_MOST_TOKENS = 1_000_000
_TOKENIZER = "tokenizer."
_GGML = "tokenizer.ggml."
_MOST_FIELDS = 10_000


class MetadataError(FinetuneError):
    """The file is not a GGUF file; the message is one sentence."""


def read_metadata(path: Path) -> dict[str, Any]:
    """Return name → value, up to the tokenizer.

    Raises MetadataError for another kind of file, OSError if it cannot be read.
    """
    return _read(path, wants_tokenizer=False)


def read_tokenizer(path: Path) -> dict[str, Any]:
    """Return what llama.cpp is told of the tokenizer: name → value.

    Raises as `read_metadata` does.
    """
    found = _read(path, wants_tokenizer=True)
    return {
        name.removeprefix(_GGML): value
        for name, value in found.items()
        if name.startswith(_GGML)
    }


def _read(path: Path, *, wants_tokenizer: bool) -> dict[str, Any]:
    try:
        with path.open("rb") as file:
            return dict(_fields(file, wants_tokenizer=wants_tokenizer))
    except (struct.error, ValueError, UnicodeDecodeError) as error:
        raise MetadataError(f"{path.name} is not a GGUF model file.") from error


def _fields(file: BinaryIO, *, wants_tokenizer: bool) -> Iterator[tuple[str, Any]]:
    """Yield (name, value); the tokenizer, whose lists are long, only if wanted."""
    if file.read(4) != _MAGIC:
        raise ValueError("another magic number")
    _, _, count = struct.unpack("<IQQ", file.read(20))
    for _ in range(min(count, _MOST_FIELDS)):
        name = _text(file)
        if name.startswith(_TOKENIZER) and not wants_tokenizer:
            return
        most = _MOST_TOKENS if name.startswith(_TOKENIZER) else _LONGEST_TEXT
        yield name, _value(file, _number(file, "I"), most)


def _value(file: BinaryIO, kind: int, most: int) -> Any:
    if kind == _STRING:
        return _text(file)
    if kind == _ARRAY:
        inner, count = _number(file, "I"), _number(file, "Q")
        if count > most:
            raise ValueError("a list that is too long")
        return [_value(file, inner, most) for _ in range(count)]
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
