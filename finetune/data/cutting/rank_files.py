"""Files of tiktoken: a token in base64 and its rank on each line.

Such a file has no merges. They are found again: a token was made of the two parts that
the tokens before it leave.
"""

from __future__ import annotations

import base64
import binascii
from pathlib import Path
from typing import Final

from tokenizers import Regex, Tokenizer, decoders, models, pre_tokenizers

from finetune.data.cutting.alphabet import LETTERS
from finetune.errors import FinetuneError

_OLD: Final = r"'(?:[sdmt]|ll|ve|re)| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"
_CL100K: Final = (
    r"'(?i:[sdmt]|ll|ve|re)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}"
    r"| ?[^\s\p{L}\p{N}]+[\r\n]*|\s+\z|\s*[\r\n]|\s+(?!\S)|\s"
)
_UPPER: Final = r"[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]"
_LOWER: Final = r"[\p{Ll}\p{Lm}\p{Lo}\p{M}]"
_ENDING: Final = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)?"
_O200K: Final = (
    rf"[^\r\n\p{{L}}\p{{N}}]?{_UPPER}*{_LOWER}+{_ENDING}"
    rf"|[^\r\n\p{{L}}\p{{N}}]?{_UPPER}+{_LOWER}*{_ENDING}"
    r"|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+"
)
# How a text is cut before merging goes by the name of the file.
_RULES: Final = {
    "r50k_base": _OLD,
    "p50k_base": _OLD,
    "cl100k_base": _CL100K,
    "o200k_base": _O200K,
}


class RankFileError(FinetuneError):
    """The file is no such file; the message is one sentence."""


def read_ranks(path: Path) -> Tokenizer:
    """Return the tokenizer of a file; raise RankFileError, or OSError."""
    if path.stem not in _RULES:
        raise RankFileError(
            f"{path.name}: how it cuts a text is not known. Name it as tiktoken does:"
            f" {', '.join(_RULES)}."
        )
    try:
        lines = [line.split() for line in path.read_bytes().splitlines() if line]
        ranks = {base64.b64decode(token): int(rank) for token, rank in lines}
    except (ValueError, binascii.Error) as error:
        raise RankFileError(f"{path.name} is not a file of tiktoken.") from error
    words = {_letters(token): rank for token, rank in ranks.items()}
    found = (_parts(token, ranks) for token in sorted(ranks, key=ranks.__getitem__))
    merges = [(_letters(parts[0]), _letters(parts[1])) for parts in found if parts]
    made = Tokenizer(models.BPE(vocab=words, merges=merges))
    made.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(_RULES[path.stem]), "isolated"),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )
    made.decoder = decoders.ByteLevel()
    return made


def _letters(token: bytes) -> str:
    return "".join(LETTERS[byte] for byte in token)


def _parts(token: bytes, ranks: dict[bytes, int]) -> tuple[bytes, bytes] | None:
    """Return the two parts that are left if only tokens of lower rank are merged."""
    parts = [bytes([byte]) for byte in token]
    most = ranks[token]
    while len(parts) > 2:
        lowest, at = most, -1
        for place in range(len(parts) - 1):
            rank = ranks.get(parts[place] + parts[place + 1], most)
            if rank < lowest:
                lowest, at = rank, place
        if at < 0:
            return None
        parts[at : at + 2] = [parts[at] + parts[at + 1]]
    return (parts[0], parts[1]) if len(parts) == 2 else None
