"""Which words counted? Leave each one out once, and see how the odds change.

Odds and not scores: near 0 and 1 a score hardly moves, whatever is left out.
Slower than following gradients back to the words, but it says exactly what it measures,
and it works for exact decoders and for a model in 8 bits alike.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable

from finetune.guards.judge import WeighedPiece

# A word with the gap after it; text without gaps is cut as well.
_PIECES = re.compile(r"\S{1,24}\s*|\s+")
# One reading for each piece: longer texts are cut into longer pieces.
MOST_PIECES = 40
# What an exact finding counts as; its odds would be infinite.
_SUREST = 1 - 1e-6


def pieces_of(text: str, most: int = MOST_PIECES) -> list[str]:
    """Cut a text into at most `most` pieces, of one word or a few neighbours."""
    words = _PIECES.findall(text)
    each = max(1, -(-len(words) // most))
    return ["".join(words[n : n + each]) for n in range(0, len(words), each)]


def weigh(
    pieces: list[str], scores_of: Callable[[list[str]], list[float]]
) -> tuple[WeighedPiece, ...]:
    """Return each piece with the difference that it makes to the log odds."""
    if not pieces:
        return ()
    without = ("".join(pieces[:n] + pieces[n + 1 :]) for n in range(len(pieces)))
    whole, *rest = map(_log_odds, scores_of(["".join(pieces), *without]))
    return tuple(
        WeighedPiece(piece, round(whole - odds, 4))
        for piece, odds in zip(pieces, rest, strict=True)
    )


def _log_odds(score: float) -> float:
    score = min(max(score, 1 - _SUREST), _SUREST)
    return math.log(score / (1 - score))
