"""From dialogues to rows of tokens: no padding, no looking across documents."""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import islice
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import torch

# What torch's cross entropy leaves out.
IGNORE = -100
_WINDOW = 512
_OPEN_ROWS = 64

Tokens = Sequence[int] | npt.NDArray[np.int32]
# Each has a role and a content. An answer whose `learn` is False is read, not learned.
Messages = Sequence[Mapping[str, Any]]


class Document(NamedTuple):
    """Tokens of one dialogue; `targets` are IGNORE where nothing is to be learned.

    targets[i] is the token that follows ids[i].
    """

    ids: Tokens
    targets: Tokens


@dataclass(frozen=True, slots=True)
class PackedRows:
    """Packed rows, each a tensor of (rows, block).

    `document` numbers the documents of a row from 0; unused positions at the end
    count as one more document without targets.
    """

    ids: torch.Tensor
    targets: torch.Tensor
    positions: torch.Tensor
    document: torch.Tensor

    def __len__(self) -> int:
        return len(self.ids)

    def pick(self, indices: torch.Tensor) -> PackedRows:
        """Return some of the rows."""
        return PackedRows(
            self.ids[indices],
            self.targets[indices],
            self.positions[indices],
            self.document[indices],
        )

    def split(self, count: int) -> list[PackedRows]:
        """Return parts of so many rows; the last may have fewer."""
        numbers = torch.arange(len(self))
        return [self.pick(part) for part in torch.split(numbers, count)]

    def used(self) -> PackedRows:
        """Return the rows cut after the last target: no loss depends on the rest."""
        columns = (self.targets != IGNORE).any(0).nonzero()
        width = int(columns[-1]) + 1 if len(columns) else 1
        parts = (self.ids, self.targets, self.positions, self.document)
        return PackedRows(*(part[:, :width] for part in parts))

    def to(self, device: torch.device) -> PackedRows:
        """Return the rows on a device."""
        parts = (self.ids, self.targets, self.positions, self.document)
        return PackedRows(*(part.to(device, non_blocking=True) for part in parts))

    def mask(self) -> torch.Tensor:
        """Return what each token may look at: (rows, 1, block, block), bool.

        Earlier tokens of the same document, and itself.
        """
        same = self.document[:, :, None] == self.document[:, None, :]
        return (same & torch.ones_like(same).tril())[:, None]


def encode_dialogue(messages: Messages, tokenizer: Any) -> Document:
    """Write one dialogue as `encode_dialogues` does."""
    return next(encode_dialogues([messages], tokenizer))


def encode_dialogues(
    dialogues: Iterable[Messages], tokenizer: Any
) -> Iterator[Document]:
    """Write dialogues in ChatML; the answers and the mark that ends each are targets.

    The text between the marks is tokenised without its control tokens, as the
    sidecar does, so that a forged role is plain text in training too.
    """
    waiting = iter(dialogues)
    # Many texts at a time are tokenised on all cores.
    while window := list(islice(waiting, _WINDOW)):
        texts = [message["content"] for messages in window for message in messages]
        bodies = iter(_plain(texts, tokenizer))
        for messages in window:
            yield _document(messages, [next(bodies) for _ in messages], tokenizer)


def _document(messages: Messages, bodies: list[list[int]], tokenizer: Any) -> Document:
    start, end, *newline = _frame("\n", tokenizer)
    ids: list[int] = []
    is_target: list[bool] = []
    for message, text in zip(messages, bodies, strict=True):
        role = message["role"]
        head = [start, *_frame(f"{role}\n", tokenizer)[2:]]
        learns = role == "assistant" and message.get("learn", True)
        ids += [*head, *text, end, *newline]
        is_target += [False] * len(head) + [learns] * (len(text) + 1)
        is_target += [False] * len(newline)
    targets = [
        token if learned else IGNORE
        for token, learned in zip(ids[1:], is_target[1:], strict=True)
    ]
    return Document(ids, [*targets, IGNORE])


def pack(documents: Iterable[Document], block: int, *, filler: int) -> PackedRows:
    """Put documents into rows of `block` tokens, each where it fits best.

    Best fit, longest first, within a window of documents. A document longer than a
    row is cut. `filler` stands in the unused positions.
    """
    rows: list[list[Document]] = []
    # (free positions, number of the row), the fullest first.
    open_rows: list[tuple[int, int]] = []
    for document in _longest_first(documents):
        cut = Document(document.ids[:block], document.targets[:block])
        best = bisect_left(open_rows, (len(cut.ids), 0))
        if best < len(open_rows):
            free, number = open_rows.pop(best)
        else:
            free, number = block, len(rows)
            rows.append([])
        rows[number].append(cut)
        insort(open_rows, (free - len(cut.ids), number))
        # The fullest rows are closed, or the search would take ever longer.
        del open_rows[:-_OPEN_ROWS]
    return _stack(rows, block, filler)


def _longest_first(documents: Iterable[Document]) -> Iterator[Document]:
    """Sort within a window, so that not all documents are held at once."""
    waiting = iter(documents)
    while window := list(islice(waiting, _WINDOW)):
        yield from sorted(window, key=lambda document: -len(document.ids))


def _stack(rows: list[list[Document]], block: int, filler: int) -> PackedRows:
    shape = (len(rows), block)
    ids = np.full(shape, filler, np.int32)
    targets = np.full(shape, IGNORE, np.int32)
    positions = np.zeros(shape, np.int32)
    document = np.zeros(shape, np.int32)
    for n, row in enumerate(rows):
        at = 0
        for number, doc in enumerate(row):
            end = at + len(doc.ids)
            ids[n, at:end] = doc.ids
            targets[n, at:end] = doc.targets
            positions[n, at:end] = np.arange(len(doc.ids))
            document[n, at:end] = number
            at = end
        positions[n, at:] = np.arange(block - at)
        document[n, at:] = len(row)
    return PackedRows(
        *(torch.from_numpy(part) for part in (ids, targets, positions, document))
    )


@lru_cache(maxsize=32)
def _frame(text: str, tokenizer: Any) -> tuple[int, ...]:
    """Return the marks that begin and end a message, and the tokens of a text."""
    marks = ("<|im_start|>", "<|im_end|>")
    return (
        *(int(tokenizer.convert_tokens_to_ids(mark)) for mark in marks),
        *_plain([text], tokenizer)[0],
    )


def _plain(texts: list[str], tokenizer: Any) -> list[list[int]]:
    ids: list[list[int]] = tokenizer(
        texts,
        add_special_tokens=False,
        split_special_tokens=True,
        return_attention_mask=False,
    )["input_ids"]
    return ids
