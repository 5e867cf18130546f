"""How many tokens texts have, before anything is trained."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from tokenizers import Tokenizer, models, pre_tokenizers, trainers

CountTokens = Callable[[list[str]], list[int]]
_SAMPLE_CHARACTERS = 300_000


def count_as_fresh(vocabulary: int) -> CountTokens:
    """Return a count by a tokenizer of so many tokens, made of the texts themselves.

    A model from nothing has such a one; here it is made of a sample.
    """

    def count(texts: list[str]) -> list[int]:
        made = Tokenizer(models.BPE())
        made.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
        trainer = trainers.BpeTrainer(
            vocab_size=vocabulary,
            initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()),
            show_progress=False,
        )
        made.train_from_iterator(_sample(texts), trainer)
        return [len(found.ids) for found in made.encode_batch(texts)]

    return count


def _sample(texts: Sequence[str]) -> list[str]:
    chosen, left = [], _SAMPLE_CHARACTERS
    for text in texts:
        chosen.append(text[:left])
        left -= len(chosen[-1])
        if left <= 0:
            break
    return chosen
