"""How often rows repeat each other, word for word or nearly."""

from __future__ import annotations

import random
import zlib
from collections.abc import Sequence
from typing import NamedTuple

_MOST = 5_000  # rows that are compared
_WORDS = 300  # of a row
_SHINGLE = 3  # words that are compared as one
_ALIKE = 0.8  # share of these that two rows have in common
_HASHES = 64
_BANDS = (10, 6)  # such rows meet with a probability of 0.95, those of 0.5 with 0.15


class Near(NamedTuple):
    """Rows that nearly repeat an earlier one, of so many that were compared."""

    repeats: int
    compared: int


def count_exact(keys: Sequence[str]) -> int:
    """Return how many texts repeat an earlier one."""
    return len(keys) - len(set(keys))


def count_near(keys: Sequence[str], *, seed: int) -> Near:
    """Count rows that share most of their words with an earlier one.

    Of many rows a sample is compared, drawn by the seed. Texts that are the same count
    once.
    """
    # Takes seconds, as it brings scipy along.
    import datasketch  # type: ignore[import-untyped]  # noqa: PLC0415 -- slow import

    different = sorted(set(keys))
    if len(different) > _MOST:
        different = random.Random(seed).sample(different, _MOST)
    index = datasketch.MinHashLSH(threshold=_ALIKE, num_perm=_HASHES, params=_BANDS)
    drawn = datasketch.MinHash.bulk(
        map(_shingles, different), num_perm=_HASHES, seed=1, hashfunc=zlib.crc32
    )
    count = 0
    for number, each in enumerate(drawn):
        # An estimate of the shingles that both have, of those that either has.
        shared = (each.jaccard(drawn[other]) for other in index.query(each))
        count += any(share >= _ALIKE for share in shared)
        index.insert(number, each)
    return Near(count, len(different))


def _shingles(text: str) -> list[bytes]:
    words = text.split()[:_WORDS]
    if len(words) < _SHINGLE:
        # Scripts without spaces, and texts of one word: by characters.
        return [text[at : at + _SHINGLE].encode() for at in range(len(text[:_WORDS]))]
    count = len(words) - _SHINGLE + 1
    return [" ".join(words[at : at + _SHINGLE]).encode() for at in range(count)]
