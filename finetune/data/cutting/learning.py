"""A tokenizer that is learned from somebody's own text, and what it does step by step.

Byte-pair encoding begins with single bytes. Again and again, the two tokens that stand
side by side most often become one (Sennrich et al. 2016, arXiv 1508.07909).
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Sequence
from typing import Final, NamedTuple

from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

from finetune.data.cutting.alphabet import token_bytes

END: Final = "<|endoftext|>"
# A pair that stands there only once is nothing that could be learned.
_LEAST_OFTEN: Final = 2

Pair = tuple[str, str]


class Step(NamedTuple):
    """A merge that changes a text: its number, and the tokens after it, in bytes."""

    merge: int
    tokens: tuple[bytes, ...]


def learn(text: str, vocabulary: int) -> Tokenizer:
    """Return a tokenizer of at most so many tokens: 256 bytes, a mark, and merges."""
    made = Tokenizer(models.BPE())
    made.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    made.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=vocabulary,
        min_frequency=_LEAST_OFTEN,
        special_tokens=[END],
        # In a fixed order, or equal texts would number the bytes differently.
        initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()),
        show_progress=False,
    )
    made.train_from_iterator(text.splitlines(keepends=True), trainer)
    return made


def merges_of(tokenizer: Tokenizer) -> list[Pair]:
    """Return what was merged, in the order of learning."""
    told = json.loads(tokenizer.to_str())["model"]["merges"]
    return [(left, right) for left, right in told]


def steps(tokenizer: Tokenizer, text: str) -> list[Step]:
    """Return how a text is merged, from its bytes to its tokens.

    Each merge that changes the text is one step, in the order of learning; the first
    step has no merge, and so the number -1.
    """
    ranks = {pair: number for number, pair in enumerate(merges_of(tokenizer))}
    cut = tokenizer.pre_tokenizer.pre_tokenize_str(text)
    words = [list(word) for word, _ in cut]
    found = [Step(-1, _bytes(words))]
    while (best := _lowest(words, ranks)) is not None:
        words = [_merged(word, best) for word in words]
        found.append(Step(ranks[best], _bytes(words)))
    return found


def _lowest(words: Sequence[Sequence[str]], ranks: dict[Pair, int]) -> Pair | None:
    pairs = {pair for word in words for pair in itertools.pairwise(word)} & ranks.keys()
    return min(pairs, key=lambda pair: ranks[pair], default=None)


def _merged(word: Sequence[str], pair: Pair) -> list[str]:
    made: list[str] = []
    place = 0
    while place < len(word):
        if tuple(word[place : place + 2]) == pair:
            made.append(word[place] + word[place + 1])
            place += 2
        else:
            made.append(word[place])
            place += 1
    return made


def _bytes(words: Sequence[Sequence[str]]) -> tuple[bytes, ...]:
    return tuple(token_bytes(token) for word in words for token in word)
