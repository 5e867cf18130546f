"""What is wrong with what a model wrote, and how near it comes to what was wanted."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final, Literal

from webapp.domain.train.copying import Copied
from webapp.domain.train.spelling import spelling
from webapp.text.wordlists import LANGUAGES
from webapp.text.words import words

Kind = Literal["empty", "memorised", "off_topic", "repetitive", "too_long", "misspelt"]
# As they are called on pages.
LABELS: Final[Mapping[Kind, str]] = {
    "empty": "Empty",
    "memorised": "Memorised",
    "off_topic": "Off topic",
    "repetitive": "Repetitive",
    "too_long": "Too long",
    "misspelt": "Misspelt",
}
# From which score on it is counted as an error.
_MISSPELT: Final = 0.02
_TOO_LONG: Final = 0.5
_REPETITIVE: Final = 0.2
# So near are two texts about the same to each other, at the least, by MiniLM: how a
# story goes on is hardly nearer to its beginning than a sentence about something else.
_ON_TOPIC_OF_PROMPT: Final = 0.1
_ON_TOPIC_OF_TARGET: Final = 0.2
# So many words in a row are no accident; or nearly the whole reply, if that is short.
_COPIED_WORDS: Final = 8
_COPIED_SHARE: Final = 0.8
# Words in a row whose repetition is counted, and how many of them are the least.
_ROW, _ROWS = 3, 6
_SPARE_WORDS: Final = 5
_SHOWN_WORDS: Final = 6
_SHOWN_CHARS: Final = 160


@dataclass(frozen=True, slots=True)
class Finding:
    """One way in which a reply may be bad: from 0 (not at all) to 1, and a sentence.

    `span` is the part of the reply that it is about, where there is one.
    """

    kind: Kind
    score: float
    is_error: bool
    sentence: str
    span: str = ""

    @property
    def label(self) -> str:
        """How it is called on pages."""
        return LABELS[self.kind]

    def as_row(self) -> dict[str, Any]:
        """Return it as it is kept."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Known:
    """What else is known of a reply.

    `language` has a word list; None where no list fits. `vocabulary` are words that are
    right whatever a list says. `copied` is the longest copy from what the model learned
    from. `to_prompt` and `to_target` are similarities of embeddings; None if unknown.
    """

    language: str | None = None
    vocabulary: Collection[str] = ()
    copied: Copied | None = None
    to_prompt: float | None = None
    to_target: float | None = None


@dataclass(frozen=True, slots=True)
class Count:
    """In how many replies of each model there is an error of a kind."""

    kind: Kind
    counts: tuple[int, ...]

    @property
    def label(self) -> str:
        """How the kind is called on pages."""
        return LABELS[self.kind]


def inspect(reply: str, *, target: str | None, known: Known) -> tuple[Finding, ...]:
    """Return what can be said of a reply, the worst first.

    What cannot be judged is left out: length without a target, for example.
    """
    if not reply.strip():
        return (Finding("empty", 1.0, True, "The model wrote nothing at all."),)
    found = [
        _misspelt(reply, known),
        _too_long(reply, target),
        _repetitive(reply),
        _off_topic(known),
        _memorised(known.copied),
    ]
    kept = [finding for finding in found if finding is not None]
    return tuple(sorted(kept, key=lambda f: (not f.is_error, -f.score, f.kind)))


def is_match(reply: str, target: str) -> bool:
    """Say whether a reply is the target, but for blanks before and after."""
    return reply.strip() == target.strip()


def cosine(first: Sequence[float], second: Sequence[float]) -> float:
    """Return how near two embeddings are: 1 is the same direction, 0 is unrelated."""
    size = math.sqrt(sum(a * a for a in first) * sum(b * b for b in second))
    if size == 0:
        return 0.0
    return sum(a * b for a, b in zip(first, second, strict=True)) / size


def counts(replies: Sequence[Iterable[Finding]], *, models: int) -> tuple[Count, ...]:
    """Return how many replies have which error, the most frequent first.

    Replies come row by row: of the first model, of the second, and so on.
    """
    per_model: list[Counter[Kind]] = [Counter() for _ in range(models)]
    for n, findings in enumerate(replies):
        per_model[n % models].update(f.kind for f in findings if f.is_error)
    seen = {kind for counter in per_model for kind in counter}
    found = [Count(kind, tuple(c[kind] for c in per_model)) for kind in seen]
    return tuple(sorted(found, key=lambda c: (-sum(c.counts), -max(c.counts), c.kind)))


def badness(findings: Iterable[Finding]) -> float:
    """Return how bad a reply is, to sort by: its errors, and their scores."""
    return sum(1 + f.score for f in findings if f.is_error)


def from_row(row: Mapping[str, Any]) -> Finding:
    """Return a finding as it was kept."""
    return Finding(**row)


def _misspelt(reply: str, known: Known) -> Finding | None:
    if known.language is None:
        return None
    found = spelling(reply, language=known.language, also=known.vocabulary)
    if not found.looked_at:
        return None
    score = len(found.unknown) / found.looked_at
    if not found.unknown:
        return Finding("misspelt", 0.0, False, "Every word of it is in a word list.")
    listed = f"the list of {LANGUAGES[known.language]} words"
    shown = ", ".join(f"“{word}”" for word in found.unknown[:_SHOWN_WORDS])
    more = len(found.unknown) - _SHOWN_WORDS
    tail = f" and {more} more are" if more > 0 else _is_or_are(len(found.unknown))
    return Finding(
        "misspelt",
        min(1.0, score),
        score >= _MISSPELT,
        f"{shown}{tail} neither in {listed} nor in the text it learned from.",
    )


def _is_or_are(count: int) -> str:
    return " is" if count == 1 else " are"


def _too_long(reply: str, target: str | None) -> Finding | None:
    if target is None or not target.strip():
        return None
    wrote, wanted = len(words(reply)), max(1, len(words(target)))
    ratio = wrote / wanted
    is_error = ratio >= 1 + _TOO_LONG and wrote - wanted >= _SPARE_WORDS
    if is_error:
        text = (
            f"It wrote {_words(wrote)} where {wanted} were wanted: it did not stop when"
            " it had said enough."
        )
    else:
        text = f"It wrote {_words(wrote)}, and {wanted} were wanted."
    return Finding("too_long", min(1.0, max(0.0, (ratio - 1) / 4)), is_error, text)


def _repetitive(reply: str) -> Finding | None:
    found = words(reply)
    rows = [tuple(found[at : at + _ROW]) for at in range(len(found) - _ROW + 1)]
    if len(rows) < _ROWS:
        return None
    counted = Counter(rows)
    score = 1 - len(counted) / len(rows)
    row, times = counted.most_common(1)[0]
    if score < _REPETITIVE:
        text = "It hardly repeats itself."
    else:
        text = (
            f"It repeats itself: “{' '.join(row)}” comes {times} times, and"
            f" {100 * score:.0f} % of it was there before."
        )
    return Finding("repetitive", score, score >= _REPETITIVE, text)


def _off_topic(known: Known) -> Finding | None:
    if known.to_target is not None:
        near, least, other = known.to_target, _ON_TOPIC_OF_TARGET, "what was wanted"
    elif known.to_prompt is not None:
        near, least, other = known.to_prompt, _ON_TOPIC_OF_PROMPT, "the prompt"
    else:
        return None
    score = min(1.0, max(0.0, 1 - near))
    if near < least:
        text = f"It is about something else: likeness to {other} {near:.2f} of 1."
    else:
        text = f"It stays with the topic: likeness to {other} {near:.2f} of 1."
    return Finding("off_topic", score, near < least, text)


def _memorised(copied: Copied | None) -> Finding | None:
    if copied is None:
        return None
    is_error = copied.count >= _COPIED_WORDS or copied.share >= _COPIED_SHARE
    shown = copied.text
    if len(shown) > _SHOWN_CHARS:
        shown = f"{shown[:_SHOWN_CHARS]}…"
    start = "Learned by heart" if is_error else "A short copy"
    text = (
        f"{start}: {_words(copied.count)} in a row are from its training text,"
        f" “{shown}”."
    )
    return Finding("memorised", copied.share, is_error, text, span=copied.text)


def _words(count: int) -> str:
    return f"{count} word{'' if count == 1 else 's'}"
