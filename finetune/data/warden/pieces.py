"""The files that dialogues are written from, read and split once."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import yaml

from finetune.errors import FinetuneError

_FOLDER = Path(__file__).parent
# Share of the words outside the list that are kept to judge by.
_HELDOUT_OTHERS = 10
_LENGTHS = range(4, 11)
_SHORTEST = 3


class PiecesError(FinetuneError):
    """A file that dialogues are written from is broken; one sentence for a person."""


class Talk(NamedTuple):
    """A harmless request: phrasings, and answers written for it.

    In small talk {name} and {gate} stand for the keeper's name and place.
    """

    asks: tuple[str, ...]
    says: tuple[str, ...]


class Hint(NamedTuple):
    """A riddle for a word, and a rhyme or nothing."""

    hint: str
    rhyme: str


class Reply(NamedTuple):
    """An ordinary request and what the base model says to it."""

    ask: str
    reply: str


@dataclass(frozen=True, slots=True)
class Pieces:
    """Everything that dialogues are written from.

    `words` are the secrets; `others` are words to practise on. What is held out is in
    no dialogue that is trained on.
    """

    words: tuple[str, ...]
    others: tuple[str, ...]
    heldout_others: tuple[str, ...]
    hints: dict[str, Hint]
    talk: tuple[Talk, ...]
    heldout_talk: tuple[Talk, ...]
    answers: tuple[Talk, ...]
    heldout_answers: tuple[Talk, ...]
    replies: tuple[Reply, ...]
    heldout_replies: tuple[Reply, ...]
    heldout_asks: tuple[str, ...]


def read_pieces(words_path: Path, vocabulary: Iterable[str]) -> Pieces:
    """Read all pieces; `vocabulary` are the words that the tokenizer knows whole.

    Raises PiecesError if the word list or a file of the package cannot be used.
    """
    words = read_words(words_path)
    shipped = frozenset(words)
    free = sorted({w for w in vocabulary if _is_word(w)} - shipped)
    benign, talk = _read_yaml("benign.yaml"), _read_yaml("talk.yaml")
    answers = _talks(_read_yaml("answers.yaml")["answers"])
    replies = read_replies()
    return Pieces(
        words=words,
        others=tuple(w for w in free if not is_heldout(w)),
        heldout_others=tuple(w for w in free if is_heldout(w)),
        hints=_read_hints(),
        talk=_talks(talk["talk"]),
        heldout_talk=_talks(talk["heldout"]),
        answers=tuple(a for a in answers if not is_heldout(a.asks[0])),
        heldout_answers=tuple(a for a in answers if is_heldout(a.asks[0])),
        replies=tuple(r for r in replies if not is_heldout(r.ask)),
        heldout_replies=tuple(r for r in replies if is_heldout(r.ask)),
        heldout_asks=(*benign["heldout_plain"], *benign["heldout_near"]),
    )


def read_words(path: Path) -> tuple[str, ...]:
    """Read a list of secret words; lines that begin with # are remarks."""
    try:
        lines = path.read_text("utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise PiecesError(f"The word list {path} cannot be read: {error}.") from error
    words = tuple(line.strip() for line in lines if line.strip()[:1] not in ("", "#"))
    for number, line in enumerate(lines, 1):
        word = line.strip()
        if word[:1] not in ("", "#") and not (word.isascii() and word.isalpha()):
            raise PiecesError(f"{path}:{number}: {word!r} is no word of plain letters.")
        if 0 < len(word) < _SHORTEST and word[:1] != "#":
            raise PiecesError(
                f"{path}:{number}: {word!r} has fewer than {_SHORTEST} letters."
            )
    if len(words) < 2:
        raise PiecesError(f"The word list {path} holds fewer than two words.")
    return words


def is_heldout(text: str) -> bool:
    """Say whether a word, or a request, is kept to judge by: one in ten, by hash."""
    digest = hashlib.sha256(text.encode()).digest()
    return digest[0] % _HELDOUT_OTHERS == 0


def benign_asks() -> tuple[str, ...]:
    """Return the ordinary requests that the base model is asked for training."""
    benign = _read_yaml("benign.yaml")
    return (*benign["plain"], *benign["near"])


def read_replies() -> tuple[Reply, ...]:
    """Read what the base model said; made by `python -m finetune sample-replies`."""
    path = _FOLDER / "replies.jsonl"
    replies = []
    for number, line in enumerate(path.read_text("utf-8").splitlines(), 1):
        try:
            replies.append(Reply(**json.loads(line)))
        except (ValueError, TypeError) as error:
            raise PiecesError(f"{path}:{number}: {error}.") from error
    return tuple(replies)


def _is_word(text: str) -> bool:
    return (
        text.isascii()
        and text.isalpha()
        and text.islower()
        and len(text) in _LENGTHS
        and any(vowel in text for vowel in "aeiouy")
    )


def _read_yaml(name: str) -> dict[str, Any]:
    data = yaml.safe_load((_FOLDER / name).read_text("utf-8"))
    if not isinstance(data, dict):
        raise PiecesError(f"{_FOLDER / name} holds no lists.")
    return data


def _talks(entries: list[dict[str, list[str]]]) -> tuple[Talk, ...]:
    return tuple(Talk(tuple(e["ask"]), tuple(e["say"])) for e in entries)


def _read_hints() -> dict[str, Hint]:
    hints = {}
    for line in (_FOLDER / "hints.tsv").read_text("utf-8").splitlines():
        word, hint, rhyme = [*line.split("\t"), ""][:3]
        hints[word] = Hint(hint, rhyme)
    return hints
