"""The languages that rows are in, by py3langid: a table of its own, and no network."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import Any, Final, NamedTuple

from py3langid.langid import MODEL_FILE, LanguageIdentifier

from finetune.data.texts.rendering import Rendered

_NAMES: Final = Path(__file__).with_name("languages.tsv")
_ROWS: Final = 2_000  # looked at, spread over all
_PIECE: Final = 500  # characters of a row that are enough to tell
# Below this probability it is said that the language cannot be told. Of 115 short
# English questions one is then named wrongly, and 17 are left open.
_SURE: Final = 0.5
_WORTH_A_WORD: Final = 0.02  # share of rows; of less, some are wrong by chance
_ALL, _MOST = 0.95, 0.5
_MANY_OPEN: Final = 0.05


class Languages(NamedTuple):
    """Shares of rows by language, the most frequent first; `untold` is the rest.

    Languages of less than 2 % of the rows are in neither.
    """

    shares: dict[str, float]
    untold: float


def find_languages(texts: Sequence[Rendered]) -> Languages:
    """Return which languages rows are in, by their beginnings.

    Of many rows 2,000 are looked at; a single long text is looked at piece by piece.
    Rows too short to tell by, and those without words, are untold.
    """
    seen = Counter(map(_language, _pieces(texts)))
    total = max(1, seen.total())
    untold = seen.pop(None, 0)
    shares = {name: count / total for name, count in seen.most_common() if name}
    return Languages(
        {n: round(share, 3) for n, share in shares.items() if share >= _WORTH_A_WORD},
        round(untold / total, 3),
    )


def in_words(found: Languages) -> str:
    """Say the shares in words, such as "mostly English, 12 % German"."""
    if not found.shares:
        return "cannot be told: too few words in each row" if found.untold else ""
    (first, share), *others = found.shares.items()
    # What could not be told is no reason to say less of what could.
    told = max(1e-9, 1 - found.untold)
    if share / told >= _ALL:
        words = [first]
    elif share / told >= _MOST:
        words = [f"mostly {first}"]
    else:
        words = [f"{_percent(share)} {first}"]
    words += [f"{_percent(share)} {name}" for name, share in others]
    if found.untold >= _MANY_OPEN:
        words.append(f"{_percent(found.untold)} cannot be told")
    return ", ".join(words)


@cache
def names() -> dict[str, str]:
    """Return the English names of the languages that can be told, by their codes."""
    lines = _NAMES.read_text("utf-8").splitlines()
    return dict(line.split("\t") for line in lines)


@cache
def identifier() -> Any:
    """Return what tells languages; reading its table takes a second, once."""
    return LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)


def _pieces(texts: Sequence[Rendered]) -> Iterator[str]:
    if len(texts) == 1:
        whole = texts[0].content or texts[0].whole()
        starts = range(0, len(whole), _PIECE)
        step = -(-len(starts) // _ROWS) or 1
        yield from (whole[at : at + _PIECE] for at in starts[::step])
        return
    step = -(-len(texts) // _ROWS) or 1
    for each in texts[::step]:
        yield (each.content or each.whole())[:_PIECE]


def _language(text: str) -> str | None:
    code, probability = identifier().classify(text)
    # Its code for what is no language, such as numbers, is not among the names.
    return names().get(code) if probability >= _SURE else None


def _percent(share: float) -> str:
    return f"{round(100 * share)} %"
