"""A tokenizer of one's own text: learn it, see its merges, and step through them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from webapp.domain.lab.aligning import Shown, byte_token
from webapp.domain.lab.tokenizers import OWN, TITLES
from webapp.domain.services import Services
from webapp.domain.texts import require_text
from webapp.errors import InvalidInput
from webapp.llm.tokenizers import Learned

TEXT_BYTES: Final = 200_000
LEAST_BYTES: Final = 200
SIZES: Final = (300, 4_000)
SENTENCE_CHARS: Final = 200
AGAINST: Final = "smollm2"
# All bytes, and the mark that ends a text.
BEFORE_MERGES: Final = 257


@dataclass(frozen=True, slots=True)
class Merge:
    """Two tokens that became one, by their place in the order of learning from 1."""

    number: int
    left: Shown
    right: Shown
    made: Shown


@dataclass(frozen=True, slots=True)
class OwnTokenizer:
    """A tokenizer that was learned. `is_full` is false where nothing more was found."""

    id: str
    name: str
    size: int
    asked: int
    is_full: bool
    bytes: int
    tokens: int
    other: str
    other_tokens: int
    merges: tuple[Merge, ...]


@dataclass(frozen=True, slots=True)
class Stepping:
    """A sentence after some steps; `merge` is the last one, None before the first."""

    sentence: str
    step: int
    steps: int
    tokens: tuple[Shown, ...]
    before: int
    merge: Merge | None
    other_tokens: int


def learn(services: Services, *, text: str, size: int | None) -> str:
    """Learn a tokenizer from a text; return its id. Raise InvalidInput."""
    least, most = SIZES
    if size is None or not least <= size <= most:
        raise InvalidInput(
            f"The vocabulary is a whole number from {least} to {most:,} tokens."
        )
    plain = require_text(text, what="text")
    count = len(plain.encode())
    if not LEAST_BYTES <= count <= TEXT_BYTES:
        raise InvalidInput(
            f"The text has {count:,} bytes. Bring {LEAST_BYTES} to {TEXT_BYTES:,}, so "
            "that there is something to count, and not too much to wait for."
        )
    return services.tokenizers.learn(plain, vocabulary=size, against=AGAINST).id


def find(services: Services, *, id: str) -> OwnTokenizer:
    """Return a tokenizer that was learned; raise NotFound."""
    return _own(services.tokenizers.learned(id))


def step_through(
    services: Services, *, own: OwnTokenizer, sentence: str, step: int | None
) -> Stepping:
    """Return a sentence after so many steps, by default after all of them.

    Raise InvalidInput.
    """
    plain = require_text(sentence, what="sentence")
    if not plain or len(plain) > SENTENCE_CHARS:
        raise InvalidInput(
            f"The sentence has {len(plain)} characters. Write 1 to {SENTENCE_CHARS}."
        )
    found = services.tokenizers.steps(own.id, plain)
    last = len(found) - 1
    at = last if step is None else max(0, min(step, last))
    merge = own.merges[found[at].merge] if at else None
    (other,) = services.tokenizers.cut(plain, tokenizers=[AGAINST], marks=False)
    return Stepping(
        sentence=plain,
        step=at,
        steps=last,
        tokens=tuple(byte_token(token) for token in found[at].tokens),
        before=len(found[0].tokens),
        merge=merge,
        other_tokens=len(other.pieces),
    )


def file(services: Services, *, id: str) -> bytes:
    """Return a learned tokenizer as a tokenizer.json; raise NotFound."""
    return services.tokenizers.file(id)


def _own(learned: Learned) -> OwnTokenizer:
    return OwnTokenizer(
        id=learned.id,
        name=f"{OWN}{learned.id}",
        size=learned.size,
        asked=learned.asked,
        is_full=learned.size >= learned.asked,
        bytes=learned.bytes,
        tokens=learned.tokens,
        other=TITLES.get(learned.against, learned.against),
        other_tokens=learned.against_tokens,
        merges=tuple(
            Merge(number, byte_token(left), byte_token(right), byte_token(left + right))
            for number, (left, right) in enumerate(learned.merges, start=1)
        ),
    )
