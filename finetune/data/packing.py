"""From dialogues to rows of tokens: no padding, no looking across documents."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import islice
from typing import Any, NamedTuple

import torch

# What torch's cross entropy leaves out.
IGNORE = -100
_WINDOW = 512
_OPEN_ROWS = 64


class Document(NamedTuple):
    """Tokens of one dialogue; `targets` are IGNORE where nothing is to be learned.

    targets[i] is the token that follows ids[i].
    """

    ids: list[int]
    targets: list[int]


@dataclass(frozen=True, slots=True)
class Rows:
    """Packed rows, each a tensor of (rows, block).

    `document` numbers the documents of a row from 0; unused places at the end count
    as one more document without targets.
    """

    ids: torch.Tensor
    targets: torch.Tensor
    positions: torch.Tensor
    document: torch.Tensor

    def __len__(self) -> int:
        return len(self.ids)

    def pick(self, indices: torch.Tensor) -> Rows:
        """Return some of the rows."""
        return Rows(
            self.ids[indices],
            self.targets[indices],
            self.positions[indices],
            self.document[indices],
        )

    def mask(self) -> torch.Tensor:
        """Return what each token may look at: (rows, 1, block, block), bool.

        Earlier tokens of the same document, and itself.
        """
        same = self.document[:, :, None] == self.document[:, None, :]
        return (same & torch.ones_like(same).tril())[:, None]


def encode_dialogue(messages: Sequence[dict[str, str]], tokenizer: Any) -> Document:
    """Write a dialogue in ChatML; the answers and the mark that ends each are targets.

    The text between the marks is tokenised without its control tokens, as the
    sidecar does, so that a forged role is plain text in training too.
    """
    start, end = (
        tokenizer.convert_tokens_to_ids(mark) for mark in ("<|im_start|>", "<|im_end|>")
    )
    newline = _constant("\n", tokenizer)
    ids: list[int] = []
    is_target: list[bool] = []
    for message in messages:
        head = [start, *_constant(f"{message['role']}\n", tokenizer)]
        body = [*_plain(message["content"], tokenizer), end]
        ids += [*head, *body, *newline]
        learns = message["role"] == "assistant"
        is_target += [False] * len(head) + [learns] * len(body)
        is_target += [False] * len(newline)
    targets = [
        token if learned else IGNORE
        for token, learned in zip(ids[1:], is_target[1:], strict=True)
    ]
    return Document(ids, [*targets, IGNORE])


def pack(documents: Iterable[Document], block: int, *, filler: int) -> Rows:
    """Put documents into rows of `block` tokens, each where it fits best.

    Best fit, longest first, within a window of documents. A document longer than a
    row is cut. `filler` stands in the unused places.
    """
    rows: list[list[Document]] = []
    open_rows: list[tuple[int, list[Document]]] = []
    for document in _longest_first(documents):
        cut = Document(document.ids[:block], document.targets[:block])
        fitting = [n for n, (free, _) in enumerate(open_rows) if free >= len(cut.ids)]
        if fitting:
            best = min(fitting, key=lambda n: open_rows[n][0])
            free, row = open_rows.pop(best)
        else:
            free, row = block, []
            rows.append(row)
        row.append(cut)
        open_rows.append((free - len(cut.ids), row))
        # The fullest rows are closed, or the search would grow and grow.
        open_rows = sorted(open_rows, key=lambda entry: entry[0])[-_OPEN_ROWS:]
    return _stack(rows, block, filler)


def _longest_first(documents: Iterable[Document]) -> Iterator[Document]:
    """Sort within a window, so that not all documents are held at once."""
    waiting = iter(documents)
    while window := list(islice(waiting, _WINDOW)):
        yield from sorted(window, key=lambda document: -len(document.ids))


def _stack(rows: list[list[Document]], block: int, filler: int) -> Rows:
    shape = (len(rows), block)
    ids = torch.full(shape, filler, dtype=torch.int32)
    targets = torch.full(shape, IGNORE, dtype=torch.int32)
    positions = torch.zeros(shape, dtype=torch.int32)
    document = torch.zeros(shape, dtype=torch.int32)
    for n, row in enumerate(rows):
        at = 0
        for number, doc in enumerate(row):
            end = at + len(doc.ids)
            ids[n, at:end] = torch.tensor(doc.ids)
            targets[n, at:end] = torch.tensor(doc.targets)
            positions[n, at:end] = torch.arange(len(doc.ids))
            document[n, at:end] = number
            at = end
        positions[n, at:] = torch.arange(block - at)
        document[n, at:] = len(row)
    return Rows(ids, targets, positions, document)


@lru_cache(maxsize=32)
def _constant(text: str, tokenizer: Any) -> tuple[int, ...]:
    # What stands in every dialogue is not worth encoding each time.
    return tuple(_plain(text, tokenizer))


def _plain(text: str, tokenizer: Any) -> list[int]:
    found: list[int] = tokenizer.encode(
        text, add_special_tokens=False, split_special_tokens=True
    )
    return found
