"""The bench of tokenizers: one text in pieces, numbers read wrongly, and batches."""

from __future__ import annotations

import itertools
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from webapp.domain.lab.aligning import (
    Row,
    Segment,
    Shown,
    known_token,
    row,
    segments,
)
from webapp.domain.people import classes
from webapp.domain.people.players import require_player
from webapp.domain.services import Services
from webapp.domain.texts import require_text
from webapp.errors import InvalidInput
from webapp.llm.tokenizers import Cut, Joined
from webapp.rows import CLASS, PUBLIC, Player, TrainedModel
from webapp.text.characters import count_characters

CHARS: Final = 1_000
MOST_TOKENIZERS: Final = 4
MOST_IDS: Final = 500
MOST_ID: Final = 2**31 - 1
MOST_LINES: Final = 8
MOST_LENGTH: Final = 64
SIDES: Final = ("", "left", "right")
OWN: Final = "own:"
USUAL: Final = ("smollm2", "minilm")
TITLES: Final = {
    "smollm2": "SmolLM2",
    "minilm": "MiniLM",
    "characters": "Characters",
    "r50k_base": "tiktoken r50k (GPT-2, GPT-3)",
    "p50k_base": "tiktoken p50k (Codex)",
    "cl100k_base": "tiktoken cl100k (GPT-4)",
    "o200k_base": "tiktoken o200k (GPT-4o)",
}
_NUMBER: Final = re.compile(r"[0-9]+")
_BETWEEN: Final = re.compile(r"[\s,;\[\]]+")


@dataclass(frozen=True, slots=True)
class Option:
    """A tokenizer that somebody may choose."""

    name: str
    title: str


@dataclass(frozen=True, slots=True)
class Bench:
    """A text as several tokenizers read it."""

    text: str
    characters: int
    bytes: int
    rows: tuple[Row, ...]
    segments: tuple[Segment, ...]
    marks: tuple[tuple[str, tuple[str, ...]], ...]


@dataclass(frozen=True, slots=True)
class Reading:
    """Numbers as one tokenizer reads them; `strange` of them it does not have."""

    title: str
    text: str
    tokens: tuple[Shown, ...]
    strange: int


@dataclass(frozen=True, slots=True)
class GridRow:
    """A line of a batch: what the model gets, its mask, and how much was cut off."""

    line: str
    cells: tuple[tuple[Shown, bool], ...]
    lost: int


@dataclass(frozen=True, slots=True)
class Grid:
    """A batch; `is_even` says whether its rows are equally long."""

    title: str
    rows: tuple[GridRow, ...]
    width: int
    is_even: bool
    pad: Shown | None


def options(
    services: Services, *, player_id: int | None, own: Sequence[str] = ()
) -> tuple[Option, ...]:
    """Return the tokenizers that somebody may choose; `own` are ids of learned ones.

    A tokenizer that was made for a trained model is for whom the model is.
    """
    with services.db.read() as session:
        shown = _shown_models(session, player_id)
    found = []
    for one in services.tokenizers.listed():
        if one.origin == "trained":
            if one.id in shown:
                found.append(Option(one.id, f"Model “{shown[one.id]}”"))
        else:
            found.append(Option(one.id, TITLES.get(one.id, one.id)))
    return (*found, *(Option(f"{OWN}{id}", f"Yours ({id[:4]})") for id in own))


def cut(
    services: Services,
    *,
    text: str,
    names: Sequence[str],
    choices: Sequence[Option],
    marks: bool,
) -> Bench:
    """Return a text in pieces; raise InvalidInput, or NotFound for a forgotten one."""
    titles = _chosen(names, choices)
    plain = require_text(text, what="text")
    if len(plain) > CHARS:
        raise InvalidInput(
            f"The text has {len(plain):,} characters; the bench shows up to {CHARS:,}. "
            "Shorten it."
        )
    cuts = services.tokenizers.cut(plain, tokenizers=list(titles), marks=marks)
    return Bench(
        text=plain,
        characters=count_characters(plain),
        bytes=len(plain.encode()),
        rows=tuple(row(plain, one, title=titles[one.tokenizer]) for one in cuts),
        segments=segments(plain, cuts),
        marks=_marks(cuts, titles),
    )


def join(
    services: Services, *, ids: str, names: Sequence[str], choices: Sequence[Option]
) -> tuple[Reading, ...]:
    """Return what several tokenizers read in the same numbers; raise InvalidInput."""
    titles = _chosen(names, choices)
    numbers = read_ids(ids)
    found = []
    for name, title in titles.items():
        joined = services.tokenizers.join(numbers, tokenizer=name)
        found.append(_reading(title, joined))
    return tuple(found)


def batch(
    services: Services,
    *,
    lines: str,
    name: str,
    choices: Sequence[Option],
    marks: bool,
    padding: str,
    truncation: str,
    longest: int | None,
) -> Grid:
    """Return lines as one batch; raise InvalidInput."""
    titles = _chosen([name] if name else [], choices)
    texts = [line for line in require_text(lines, what="text").split("\n") if line]
    if not texts or len(texts) > MOST_LINES:
        raise InvalidInput(
            f"There are {len(texts)} lines. Write 1 to {MOST_LINES} of them."
        )
    if len(lines) > CHARS:
        raise InvalidInput(
            f"The lines have {len(lines):,} characters; up to {CHARS:,} are shown. "
            "Shorten them."
        )
    if longest is None or not 1 <= longest <= MOST_LENGTH:
        raise InvalidInput(
            f"The longest length is a whole number from 1 to {MOST_LENGTH}."
        )
    if padding not in SIDES or truncation not in SIDES:
        raise InvalidInput("Choose a side for padding and for cutting: left or right.")
    found = services.tokenizers.batch(
        texts, tokenizer=name, marks=marks, padding=padding,
        truncation=truncation, longest=longest,
    )  # fmt: skip
    rows = tuple(
        GridRow(
            line,
            tuple(
                (known_token(known), bool(mask))
                for known, mask in zip(one.pieces, one.mask, strict=True)
            ),
            one.lost,
        )
        for line, one in zip(texts, found.rows, strict=True)
    )
    widths = {len(one.cells) for one in rows}
    pad = known_token(found.pad) if found.pad is not None and padding else None
    return Grid(titles[name], rows, max(widths), len(widths) == 1, pad)


def read_ids(text: str) -> list[int]:
    """Return the numbers in a text; raise InvalidInput that names what is none."""
    words = [word for word in _BETWEEN.split(text) if word]
    if not words or len(words) > MOST_IDS:
        raise InvalidInput(
            f"There are {len(words):,} numbers. Write 1 to {MOST_IDS} of them, with "
            "blanks or commas between."
        )
    for place, word in enumerate(words, start=1):
        is_number = _NUMBER.fullmatch(word) and len(word) <= len(str(MOST_ID))
        if not is_number or int(word) > MOST_ID:
            raise InvalidInput(
                f"“{word[:20]}”, at place {place}, is not the number of a token. Write "
                f"whole numbers from 0 to {MOST_ID:,}."
            )
    return [int(word) for word in words]


def _reading(title: str, joined: Joined) -> Reading:
    tokens = tuple(known_token(known) for known in joined.pieces)
    strange = sum(known.name is None for known in joined.pieces)
    return Reading(title, joined.text, tokens, strange)


def _chosen(names: Sequence[str], choices: Sequence[Option]) -> dict[str, str]:
    """Return name → title of what was chosen; raise InvalidInput."""
    known = {option.name: option.title for option in choices}
    wanted = list(dict.fromkeys(names))
    if not 1 <= len(wanted) <= MOST_TOKENIZERS:
        raise InvalidInput(
            f"{len(wanted)} tokenizers are chosen. Choose 1 to {MOST_TOKENIZERS}."
        )
    for name in wanted:
        if name not in known:
            raise InvalidInput(
                f"There is no tokenizer “{name[:40]}” for you here. Choose another."
            )
    return {name: known[name] for name in wanted}


def _marks(
    cuts: Sequence[Cut], titles: dict[str, str]
) -> tuple[tuple[str, tuple[str, ...]], ...]:
    """Return a few of the special tokens of each tokenizer that has any."""
    return tuple(
        (titles[one.tokenizer], tuple(itertools.islice(one.marks, 5)))
        for one in cuts
        if one.marks
    )


def _shown_models(session: Session, player_id: int | None) -> dict[str, str]:
    """Return name → title of the models from nothing that somebody may see."""
    may = (TrainedModel.visibility == PUBLIC) & Player.is_hidden.is_(False)
    if player_id is not None:
        may |= TrainedModel.player_id == player_id
        own = classes.own_class(session, require_player(session, player_id))
        if own is not None:
            in_class = (TrainedModel.visibility == CLASS) & (Player.class_id == own)
            may |= in_class & Player.is_hidden.is_(False)
    query = (
        select(TrainedModel.name, TrainedModel.title)
        .join(Player, Player.id == TrainedModel.player_id)
        .where(may, TrainedModel.name.is_not(None))
        .where(TrainedModel.base.startswith("fresh"))
        .order_by(TrainedModel.id.desc())
        .limit(20)
    )
    return {str(name): title for name, title in session.execute(query)}
