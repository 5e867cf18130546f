"""Judge replies: what is wrong with each, and which rows the model has learned from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from webapp.domain.services import Services
from webapp.domain.train import analysis
from webapp.domain.train.analysis import Finding, Known
from webapp.domain.train.copying import Copied, longest_copies
from webapp.domain.train.learned import Learned
from webapp.domain.train.spelling import language_of
from webapp.errors import LabError
from webapp.text.wordlists import word_set

# So much of a row, or so many words of it, must be in what was learned from.
_WHOLE: Final = 0.95
_TELLING_WORDS: Final = 6
# Enough of a text to tell its language by.
_SAMPLE: Final = 20_000
NO_EMBEDDINGS: Final = (
    "The model that compares meanings does not answer just now, so nothing is said of"
    " topic and similarity."
)


@dataclass(frozen=True, slots=True)
class Asked:
    """A row, and what each model wrote; None for one that is not judged."""

    prompt: str
    target: str | None
    replies: tuple[str | None, ...]


@dataclass(frozen=True, slots=True)
class Judged:
    """What was found in a reply. Without a target nothing is said of likeness to it."""

    findings: tuple[Finding, ...] = ()
    is_match: bool | None = None
    similarity: float | None = None

    def as_row(self) -> dict[str, Any]:
        """Return it as it is kept."""
        return {
            "findings": [finding.as_row() for finding in self.findings],
            "is_match": self.is_match,
            "similarity": self.similarity,
        }


@dataclass(frozen=True, slots=True)
class JudgedRow:
    """A row with what was found; `is_learned` is whether the model knows it already."""

    is_learned: bool
    replies: tuple[Judged, ...]


@dataclass(frozen=True, slots=True)
class Judgement:
    """All rows; `note` says what could not be judged."""

    rows: tuple[JudgedRow, ...]
    note: str


def judge(services: Services, asked: Sequence[Asked], known: Learned) -> Judgement:
    """Look at all replies at once; what was learned from is read one time only."""
    vectors, note = _embed(services, asked)
    copies = _copies(asked, known)
    sample = "\n".join(known.texts)[:_SAMPLE]
    language = language_of(sample or "\n".join(map(_row_text, asked)))
    learned_words = word_set("\n".join(known.texts))
    rows = []
    for n, row in enumerate(asked):
        vocabulary = learned_words | word_set(_row_text(row))
        replies = []
        for side, reply in enumerate(row.replies):
            if reply is None:
                replies.append(Judged())
                continue
            facts = Known(
                language=language,
                vocabulary=vocabulary,
                copied=copies.replies[n][side],
                to_prompt=_near(vectors, reply, row.prompt),
                to_target=_near(vectors, reply, row.target),
            )
            replies.append(_judged(reply, row.target, facts))
        rows.append(JudgedRow(copies.learned[n], tuple(replies)))
    return Judgement(tuple(rows), note)


def _judged(reply: str, target: str | None, facts: Known) -> Judged:
    return Judged(
        findings=analysis.inspect(reply, target=target, known=facts),
        is_match=None if target is None else analysis.is_match(reply, target),
        similarity=facts.to_target,
    )


@dataclass(frozen=True, slots=True)
class _Copies:
    """The longest copy in each reply, and which rows are learned from."""

    replies: tuple[tuple[Copied | None, ...], ...]
    learned: tuple[bool, ...]


def _copies(asked: Sequence[Asked], known: Learned) -> _Copies:
    texts: list[str] = []
    allowed: list[tuple[str, ...]] = []
    for row in asked:
        # To repeat the prompt, or to say what is wanted, is no copy.
        right = (row.prompt, row.target or "")
        texts += [reply or "" for reply in row.replies]
        allowed += [right] * len(row.replies)
        texts += [row.prompt, row.target or "", _row_text(row)]
        allowed += [()] * 3
    found = longest_copies(texts, known.texts, unless_in=allowed)
    replies, is_learned = [], []
    at = 0
    for row in asked:
        end = at + len(row.replies)
        replies.append(found[at:end])
        prompt, target, both = found[end : end + 3]
        is_learned.append(_is_learned(row, prompt, target, both))
        at = end + 3
    return _Copies(tuple(replies), tuple(is_learned))


def _is_learned(
    row: Asked, prompt: Copied | None, target: Copied | None, both: Copied | None
) -> bool:
    telling = prompt if row.target is None else target
    return _is_whole(both, words=1) or _is_whole(telling, words=_TELLING_WORDS)


def _is_whole(copied: Copied | None, *, words: int) -> bool:
    return copied is not None and copied.share >= _WHOLE and copied.count >= words


def _row_text(row: Asked) -> str:
    return f"{row.prompt}\n{row.target or ''}"


def _embed(
    services: Services, asked: Sequence[Asked]
) -> tuple[dict[str, list[float]], str]:
    texts: dict[str, None] = {}
    for row in asked:
        for text in (row.prompt, row.target, *row.replies):
            if text is not None and text.strip():
                texts[text] = None
    try:
        vectors = services.gateway.embed(list(texts))
    except LabError:
        return {}, NO_EMBEDDINGS
    return dict(zip(texts, vectors, strict=True)), ""


def _near(
    vectors: dict[str, list[float]], reply: str, other: str | None
) -> float | None:
    if other is None or reply not in vectors or other not in vectors:
        return None
    return round(analysis.cosine(vectors[reply], vectors[other]), 3)
