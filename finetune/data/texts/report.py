"""What a person should know of their texts before a model learns from them."""

from __future__ import annotations

import random
import unicodedata
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from finetune.data.texts.duplicates import count_exact, count_near
from finetune.data.texts.errors import DataError
from finetune.data.texts.languages import find_languages, in_words
from finetune.data.texts.rendering import Rendered, render_rows
from finetune.data.texts.splitting import Split, key, split, take
from finetune.data.texts.suggesting import resolve, suggest
from finetune.data.texts.table import Table
from finetune.data.texts.verdicts import Facts, Verdict, is_long, judge
from finetune.recipes.lm import TextRows

# Returns how many tokens each text has.
CountTokens = Callable[[list[str]], list[int]]

_SAMPLE = 2_000  # texts whose tokens are counted; those of more are estimated
_SAMPLE_CHARACTERS = 2_000_000
_LETTERS = 400_000  # characters that scripts are counted in
_BINS = 12
_END = 1  # the token that ends a text
_TURN = 5  # tokens around a turn of a chat
_PREVIEW = 400  # characters of a cell that are shown
_SHOWN = 2_000  # characters of a rendered text that are shown
_BYTES_PER_TOKEN = 4
_SCRIPTS = {"CJK": "Han"}
_NO_SCRIPT = frozenset(("MODIFIER", "FULLWIDTH", "FEMININE", "MASCULINE", "MICRO"))


def count_roughly(texts: list[str]) -> list[int]:
    """Estimate tokens where no tokenizer is at hand: one for every four bytes."""
    return [-(-len(text.encode()) // _BYTES_PER_TOKEN) for text in texts]


def describe(
    table: Table,
    data: TextRows,
    *,
    count_tokens: CountTokens,
    seed: int,
    budget: int | None = None,
) -> dict[str, Any]:
    """Return the figures of texts as JSON, with what they mean in words.

    Lengths and totals are in tokens, bytes of UTF-8. Of many texts a sample is counted.
    `budget` is how many tokens can be learned in the time there is. Raises DataError
    if the settings do not fit the table; too little to split is a verdict.
    """
    data = resolve(table, data)
    written = render_rows(table, data)
    return _figures(table, data, written, count_tokens, seed=seed, budget=budget)


def preview(
    table: Table,
    data: TextRows,
    *,
    count_tokens: CountTokens,
    seed: int,
    rows: int = 5,
    budget: int | None = None,
) -> dict[str, Any]:
    """Return what the table is, some rows by chance, how they are written, the report.

    Raises DataError if the settings do not fit the table.
    """
    data = resolve(table, data)
    written = render_rows(table, data)
    report = _figures(table, data, written, count_tokens, seed=seed, budget=budget)
    filled = [number for number, each in enumerate(written) if not each.is_empty()]
    drawn = random.Random(seed).sample(filled, min(rows, len(filled)))
    return {
        "format": table.format,
        "encoding": table.encoding,
        "repaired": table.repaired,
        "columns": list(table.columns),
        "rows": len(table.rows),
        "text": data.text,
        "answer": data.answer,
        "is_chat": data.is_chat,
        "suggestion": _suggestion(table),
        "preview": [
            {name: _cut(value, _PREVIEW) for name, value in table.rows[n].items()}
            for n in drawn
        ],
        "rendered": [
            {
                "text": _cut(written[n].text, _SHOWN),
                "answer": written[n].answer and _cut(written[n].answer or "", _SHOWN),
            }
            for n in drawn
        ],
        "report": report,
    }


def _figures(
    table: Table,
    data: TextRows,
    written: Sequence[Rendered],
    count_tokens: CountTokens,
    *,
    seed: int,
    budget: int | None,
) -> dict[str, Any]:
    texts = [each for each in written if not each.is_empty()]
    keys = [key(each) for each in texts]
    near = count_near(keys, seed=seed)
    lengths = _Lengths(texts, data, count_tokens, seed)
    parts, trouble = _split(written, data, seed)
    per_epoch, held_out = lengths.total(parts.train), lengths.total(parts.validation)
    counted = lengths.counted
    scripts = find_scripts(texts)
    languages = find_languages(texts)
    facts = Facts(
        rows=len(table.rows),
        empty=len(written) - len(texts),
        exact=count_exact(keys),
        near=near,
        repaired=table.repaired,
        is_one_text=len(texts) == 1,
        held_out=len(parts.validation),
        held_out_tokens=held_out,
        tokens_per_epoch=per_epoch,
        longest=max(counted, default=0),
        long=round(lengths.scale * sum(map(is_long, counted))),
        scripts=scripts,
        languages=languages,
        budget=budget,
    )
    verdicts = judge(facts) if trouble is None else [Verdict("error", trouble)]
    return {
        "rows": facts.rows,
        "train": len(parts.train),
        "validation": len(parts.validation),
        "test": len(parts.test),
        "empty": facts.empty,
        "exact_duplicates": facts.exact,
        "near_duplicates": near.repeats,
        "near_compared": near.compared,
        "tokens": lengths.total(texts),
        "tokens_per_epoch": per_epoch,
        "tokens_estimated": len(counted) < len(texts),
        "bytes": sum(len(each.whole().encode()) for each in texts),
        "lengths": _histogram(counted),
        "scripts": scripts,
        "languages": languages.shares,
        "language": in_words(languages),
        "verdicts": [verdict._asdict() for verdict in verdicts],
    }


class _Lengths:
    """Tokens of a sample of texts, and from that of any others by their characters."""

    def __init__(
        self,
        texts: Sequence[Rendered],
        data: TextRows,
        count_tokens: CountTokens,
        seed: int,
    ) -> None:
        self._data = data
        most = min(len(texts), _SAMPLE)
        chosen: list[str] = []
        numbers: list[int] = []
        extra: list[int] = []
        # A long text is counted by its beginning.
        stretch: list[float] = []
        left = _SAMPLE_CHARACTERS
        for number in random.Random(seed).sample(range(len(texts)), most):
            whole = texts[number].whole()
            chosen.append(whole[:left])
            numbers.append(number)
            stretch.append(len(whole) / max(1, len(chosen[-1])))
            extra.append(self._extra(texts[number]))
            left -= len(chosen[-1])
            if left <= 0:
                break
        bodies = count_tokens(chosen) if chosen else []
        characters = sum(map(len, chosen))
        self._rate = sum(bodies) / max(1, characters)
        self.counted = [
            round(body * factor) + more
            for body, factor, more in zip(bodies, stretch, extra, strict=True)
        ]
        # The texts live as long as this does.
        self._known = {
            id(texts[n]): tokens
            for n, tokens in zip(numbers, self.counted, strict=True)
        }
        self.scale = len(texts) / max(1, len(chosen))

    def total(self, texts: Sequence[Rendered]) -> int:
        """Return the tokens of texts: counted, or by the characters that they have."""
        return round(
            sum(
                self._known.get(id(t), self._rate * len(t.whole()) + self._extra(t))
                for t in texts
            )
        )

    def _extra(self, text: Rendered) -> int:
        if not self._data.is_chat:
            return _END
        if text.messages is not None:
            return _TURN * len(text.messages)
        system = len(self._data.system.encode()) // _BYTES_PER_TOKEN
        return 2 * _TURN + (_TURN + system if system else 0)


def _split(
    written: Sequence[Rendered], data: TextRows, seed: int
) -> tuple[Split, str | None]:
    """Return the parts, or empty ones and why there are none."""
    try:
        parts = split(written, validation=data.validation, test=data.test, seed=seed)
    except DataError as error:
        return Split([], [], []), str(error)
    train = take(parts.train, data.most_rows, seed=seed)
    return Split(train, parts.validation, parts.test), None


def find_scripts(texts: Sequence[Rendered]) -> dict[str, float]:
    """Return the share of each script among the letters, the most frequent first."""
    seen: Counter[str] = Counter()
    step = max(1, len(texts) // 2_000)
    left = _LETTERS
    for each in texts[::step]:
        text = (each.content or each.whole())[:left]
        seen.update(text)
        left -= len(text)
        if left <= 0:
            break
    scripts: Counter[str] = Counter()
    for character, count in seen.items():
        script = _script(character) if character.isalpha() else None
        if script is not None:
            scripts[script] += count
    letters = sum(scripts.values())
    shares = {name: round(n / letters, 3) for name, n in scripts.most_common(6)}
    return {name: share for name, share in shares.items() if share > 0}


def _script(letter: str) -> str | None:
    word = unicodedata.name(letter, "").partition(" ")[0]
    if not word or word in _NO_SCRIPT:
        return None
    word = word.partition("-")[0]
    return _SCRIPTS.get(word, word.capitalize())


def _histogram(lengths: Sequence[int]) -> dict[str, Any]:
    """Return counts of lengths between edges that grow by the same factor."""
    if not lengths:
        return {"edges": [], "counts": [], "median": 0, "p95": 0}
    scale = np.geomspace(max(1, min(lengths)), max(2, max(lengths) + 1), _BINS + 1)
    edges = np.unique(np.floor(scale).astype(int))
    edges[-1] = max(lengths) + 1
    counts, _ = np.histogram(lengths, edges)
    return {
        "edges": edges.tolist(),
        "counts": counts.tolist(),
        "median": int(np.median(lengths)),
        "p95": int(np.percentile(lengths, 95)),
    }


def _suggestion(table: Table) -> dict[str, Any] | None:
    try:
        return suggest(table)._asdict()
    except DataError:
        # Nothing to suggest; the person has named columns, or is told elsewhere.
        return None


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else f"{text[:most]}…"
