"""What is in a file, for those who want to learn from it."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from pathlib import Path
from typing import Any, Final, Generic, TypeVar

from finetune.data.texts.reading import read_table
from finetune.data.texts.rendering import render_rows
from finetune.data.texts.report import preview
from finetune.data.texts.splitting import split, take
from finetune.data.texts.suggesting import resolve
from finetune.data.texts.table import Table
from finetune.jobs.counting import CountTokens
from finetune.recipes.lm import TextRows

Json = dict[str, Any]
T = TypeVar("T")

# Tables may be large; figures are not.
_MOST_TABLES: Final = 2
_MOST_FIGURES: Final = 200
_COUNTED: Final = 400  # texts whose tokens are counted; the others are estimated
_COUNTED_CHARACTERS: Final = 200_000


class _Kept(Generic[T]):
    """The results that were asked for last. Those under way are not waited for."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._lock = threading.Lock()  # protects the results
        self._results: OrderedDict[Hashable, T] = OrderedDict()

    def get(self, key: Hashable, find: Callable[[], T]) -> T:
        """Return the result of a key; found now if it is not there."""
        with self._lock:
            if key in self._results:
                self._results.move_to_end(key)
                return self._results[key]
        found = find()
        with self._lock:
            self._results[key] = found
            while len(self._results) > self._most:
                self._results.popitem(last=False)
        return found


class Datasets:
    """Tables of files, and figures about them; both are kept, as a page asks often.

    Files never change. Safe to use from many threads.
    """

    def __init__(self) -> None:
        self._tables: _Kept[Table] = _Kept(_MOST_TABLES)
        self._figures: _Kept[int] = _Kept(_MOST_FIGURES)

    def table(self, path: Path, data: TextRows, *, limit: int, name: str) -> Table:
        """Read a file; raise DataError."""
        key = (path, data.format, data.documents)
        return self._tables.get(
            key,
            lambda: read_table(
                path,
                format=data.format,
                documents=data.documents,
                limit=limit,
                name=name,
            ),
        )

    def tokens_per_epoch(
        self,
        table: Table,
        data: TextRows,
        *,
        count: CountTokens,
        seed: int,
        tokenizer: Hashable,
    ) -> int:
        """Return how many tokens are read in an epoch; `tokenizer` names who counts.

        Raises DataError if the settings do not fit, or there is too little to split.
        """
        key = (data, tokenizer, seed)
        return self._figures.get(
            key, lambda: _tokens_per_epoch(table, data, count=count, seed=seed)
        )


def resolved(table: Table, data: TextRows) -> TextRows:
    """Return settings that fit a table; raise DataError if they do not."""
    data = resolve(table, data)
    render_rows(table, data)
    return data


def report(
    table: Table, data: TextRows, *, count: CountTokens, seed: int, rows: int
) -> Json:
    """Return preview and figures of a table; raise DataError."""
    return preview(table, data, count_tokens=count, seed=seed, rows=rows)


def _tokens_per_epoch(
    table: Table, data: TextRows, *, count: CountTokens, seed: int
) -> int:
    parts = split(
        render_rows(table, data), validation=data.validation, test=data.test, seed=seed
    )
    texts = [each.whole() for each in take(parts.train, data.most_rows, seed=seed)]
    chosen, left = [], _COUNTED_CHARACTERS
    # Spread over the file: its end is often unlike its beginning.
    for text in texts[:: max(1, len(texts) // _COUNTED)]:
        chosen.append(text[:left])
        left -= len(chosen[-1])
        if left <= 0:
            break
    counted, characters = sum(count(chosen)), sum(map(len, chosen))
    # Each text ends with a token of its own.
    return round(counted / max(1, characters) * sum(map(len, texts))) + len(texts)
