"""From rows of text to windows of tokens, as the gate reads them, and to batches."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

from tokenizers import Tokenizer

from finetune.data.guards.rows import Row
from finetune.guards.canonical import Canonicaliser
from finetune.guards.detector import Detector, logits_of, tokenise, windows
from finetune.guards.minilm import load_tokenizer

# Where an attack stands among other text.
_BURIED = ("made/hidden", "made/paper")
# Windows of one long attack that are trained on: its first ones.
_MOST_TRAINED = 4
# As many batches are sorted by length together.
_POOL = 32


class Window(NamedTuple):
    """A part of a row: tokens with their marks, 1 for an attack, and its twin's number.

    An attack and its harmless twin, or the parts of one row, have the same `pair`.
    """

    ids: list[int]
    label: int
    pair: int | None


class Reader:
    """Texts → windows of tokens, in the plain form that the guard reads."""

    def __init__(self, folder: Path, window: int) -> None:
        """`folder` is that of the sentence model, `window` the most tokens of one."""
        self._tokenizer: Tokenizer = load_tokenizer(folder)
        vocabulary = (folder / "vocab.txt").read_text("utf-8").splitlines()
        self._plain = Canonicaliser(vocabulary)
        self._window = window

    def windows(self, texts: Sequence[str]) -> list[list[list[int]]]:
        """Return the windows of each text."""
        plain = [self._plain(text) for text in texts]
        return [windows(ids, self._window) for ids in tokenise(self._tokenizer, plain)]

    def examples(self, rows: Sequence[Row]) -> list[Window]:
        """Return what is trained on, once and for all epochs.

        Of a harmless text every window is harmless. Of an attack that was put into
        other text, only the window around it is known to be one.
        """
        found = []
        cut = self.windows([row.text for row in rows])
        for row, parts in zip(rows, cut, strict=True):
            if row.label and row.source in _BURIED and len(parts) > 1:
                continue
            used = parts[:_MOST_TRAINED]
            found += [Window(part, row.label, row.pair) for part in used]
        return found

    def logits(self, detector: Detector, rows: Sequence[Row]) -> list[float]:
        """Return for each row the highest logit of its windows."""
        return [
            max(logits_of(detector, parts))
            for parts in self.windows([row.text for row in rows])
        ]


class Batches:
    """Batches without end: of pairs alone while that is asked for, or of all windows.

    Each time through, they come in a new order. It depends on the seed alone, so that
    a checkpoint needs no more than how many of each kind were taken.
    """

    def __init__(self, examples: list[Window], size: int, *, seed: int) -> None:
        pairs = [example for example in examples if example.pair is not None]
        self.has_pairs = bool(pairs)
        self._kinds = {"pairs": pairs, "all": examples}
        self._size, self._seed = size, seed
        self._taken = {"pairs": 0, "all": 0}
        self._waiting = self._in_order()

    def take(self, *, pairs_only: bool) -> list[Window]:
        """Return the next batch of a kind; without any pairs it is of all windows."""
        kind = "pairs" if pairs_only and self.has_pairs else "all"
        self._taken[kind] += 1
        return next(self._waiting[kind])

    def state_dict(self) -> dict[str, Any]:
        """Return what a checkpoint keeps."""
        return dict(self._taken)

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Take back what `state_dict` gave."""
        self._taken = dict(state)
        self._waiting = self._in_order()

    def _in_order(self) -> dict[str, Iterator[list[Window]]]:
        """Return the batches of each kind from the first that was not taken."""
        return {
            kind: islice(
                in_batches(examples, self._size, seed=self._seed),
                self._taken[kind],
                None,
            )
            for kind, examples in self._kinds.items()
        }


def in_batches(
    examples: list[Window], size: int, *, seed: int
) -> Iterator[list[Window]]:
    """Yield batches for ever, of about equal lengths; twins stay side by side.

    A batch is filled up to its longest window. So some batches are drawn at a time,
    sorted by length, cut, and then given in any order.
    """
    rng = random.Random(seed)  # noqa: S311 -- an order, no secret
    while examples:
        places: dict[object, int] = {}
        order = []
        for number, example in enumerate(examples):
            key = number if example.pair is None else ("pair", example.pair)
            order.append((places.setdefault(key, rng.getrandbits(40)), number))
        shuffled = [examples[number] for _, number in sorted(order)]
        pool = _POOL * size
        batches = []
        for start in range(0, len(shuffled), pool):
            near = _by_length(shuffled[start : start + pool])
            batches += [near[i : i + size] for i in range(0, len(near), size)]
        rng.shuffle(batches)
        yield from batches


def _by_length(examples: list[Window]) -> list[Window]:
    longest: dict[int | None, int] = {}
    for example in examples:
        size = len(example.ids)
        longest[example.pair] = max(size, longest.get(example.pair, 0))
    return sorted(
        examples,
        key=lambda e: (
            len(e.ids) if e.pair is None else longest[e.pair],
            -1 if e.pair is None else e.pair,
        ),
    )
