"""The tokenizer that is stored in a GGUF file, as `tokenizers` runs it.

llama.cpp has its own; tests hold the two against each other.
"""

from __future__ import annotations

import struct
from pathlib import Path
from typing import Any, Final

from gguf import TokenType
from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, pre_tokenizers
from tokenizers.pre_tokenizers import PreTokenizer

from finetune.weights.metadata import MetadataError, read_tokenizer

_BYTES_KIND: Final = "gpt2"
_USUAL_CUT: Final = "gpt-2"
_WORDS: Final = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}%s"
    r"| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
)
# llama.cpp knows ways to cut a text before merging by name.
_RULES: Final = {
    "llama-bpe": _WORDS % "{1,3}",
    "qwen2": _WORDS % "",
    "bloom": r" ?[^(\s|[.,!?…。，、।۔،])]+",
}
_MARKS: Final = (int(TokenType.CONTROL), int(TokenType.USER_DEFINED))


def gguf_tokenizer(path: Path) -> Tokenizer:
    """Return the tokenizer of a GGUF file.

    Raises MetadataError if it is not one of bytes and merges, or cuts texts in a way
    that is not known here; OSError if the file cannot be read.
    """
    told = read_tokenizer(path)
    try:
        return _build(told, path.name)
    except (KeyError, TypeError, ValueError, struct.error) as error:
        raise MetadataError(f"The tokenizer in {path.name} cannot be read.") from error


def _build(told: dict[str, Any], name: str) -> Tokenizer:
    cut = told.get("pre", _USUAL_CUT)
    if told["model"] != _BYTES_KIND or not _is_known(cut):
        raise MetadataError(f"The tokenizer in {name} is of a kind that is not shown.")
    tokens: list[str] = told["tokens"]
    kinds: list[int] = told["token_type"]
    vocabulary = {token: number for number, token in enumerate(tokens)}
    merges = [_pair(line) for line in told["merges"]]
    known = [p for p in merges if {*p, "".join(p)} <= vocabulary.keys()]
    made = Tokenizer(models.BPE(vocab=vocabulary, merges=known))
    made.pre_tokenizer = _cutting(cut)
    made.decoder = decoders.ByteLevel()
    marks = [
        AddedToken(token, special=kind == int(TokenType.CONTROL), normalized=False)
        for token, kind in zip(tokens, kinds, strict=True)
        if kind in _MARKS
    ]
    made.add_tokens(marks)
    return made


def _pair(line: str) -> tuple[str, str]:
    left, _, right = line.partition(" ")
    return left, right


def _is_known(cut: str) -> bool:
    return cut in {_USUAL_CUT, "smollm", *_RULES}


def _cutting(cut: str) -> PreTokenizer:
    if cut in _RULES:
        split = pre_tokenizers.Split(Regex(_RULES[cut]), "isolated")
        whole = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
        return pre_tokenizers.Sequence([split, whole])
    plain = pre_tokenizers.ByteLevel(add_prefix_space=False)
    if cut == "smollm":
        return pre_tokenizers.Sequence([pre_tokenizers.Digits(True), plain])
    return plain
