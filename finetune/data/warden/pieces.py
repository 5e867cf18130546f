"""The files that dialogues are written from, read and split once."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Annotated, NamedTuple, TypeVar

from pydantic import Field

from finetune.data.phrases import Phrases, PiecesError, Texts, read_phrases
from finetune.weights.files import write_text

_FOLDER = Path(__file__).parent
HINTS = _FOLDER / "hints.tsv"
REPLIES = _FOLDER / "replies.jsonl"
# One in ten of the words outside the list, and of the requests, is kept to judge by.
_HELDOUT = 10
_LENGTHS = range(4, 11)
_SHORTEST = 3
T = TypeVar("T")


class Talk(Phrases):
    """A harmless request: phrasings, and answers written for it.

    In small talk {name} and {gate} stand for the keeper's name and place. What is in
    another language is answered alike in every voice.
    """

    asks: Texts = Field(alias="ask")
    says: Texts = Field(alias="say")
    is_foreign: bool = Field(False, alias="foreign")


class TaughtExchange(NamedTuple):
    """A request, the answer to learn, and what it is an example of."""

    ask: str
    answer: str
    topic: str


Talks = Annotated[tuple[Talk, ...], Field(min_length=1)]


class _TalkFile(Phrases):
    talk: Talks
    heldout: Talks


class _AnswersFile(Phrases):
    answers: Talks


class _BenignFile(Phrases):
    plain: Texts
    near: Texts
    heldout_plain: Texts
    heldout_near: Texts


class Hint(NamedTuple):
    """What is known about a word: a description, and a rhyme or nothing."""

    word: str
    description: str
    rhyme: str


class BaseReply(NamedTuple):
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
    heldout_asks: tuple[str, ...]


def read_pieces(words_path: Path, vocabulary: Iterable[str]) -> Pieces:
    """Read all pieces; `vocabulary` are the words that the tokenizer knows whole.

    Raises PiecesError if the word list or a file of the package cannot be used.
    """
    words = read_words(words_path)
    free = sorted({w for w in vocabulary if _is_word(w)} - frozenset(words))
    others, heldout_others = _split(free, lambda word: word)
    talk = read_phrases(_FOLDER / "talk.yaml", _TalkFile)
    answers, heldout_answers = _split(read_answers(), lambda answer: answer.asks[0])
    benign = _read_benign()
    return Pieces(
        words=words,
        others=others,
        heldout_others=heldout_others,
        hints={hint.word: hint for hint in read_hints(HINTS)},
        talk=talk.talk,
        heldout_talk=talk.heldout,
        answers=answers,
        heldout_answers=heldout_answers,
        heldout_asks=(*benign.heldout_plain, *benign.heldout_near),
    )


@cache
def read_answers() -> tuple[Talk, ...]:
    """Read the harmless requests that have answers written for them."""
    return read_phrases(_FOLDER / "answers.yaml", _AnswersFile).answers


def read_words(path: Path) -> tuple[str, ...]:
    """Read a list of secret words; lines that begin with # are remarks."""
    lines = _read(path).splitlines()
    words = tuple(line.strip() for line in lines if line.strip()[:1] not in ("", "#"))
    for number, line in enumerate(lines, 1):
        word = line.strip()
        if word[:1] not in ("", "#") and not (word.isascii() and word.isalpha()):
            raise PiecesError(
                f"{path}:{number}: {word!r} is not a word of plain letters."
            )
        if 0 < len(word) < _SHORTEST and word[:1] != "#":
            raise PiecesError(
                f"{path}:{number}: {word!r} has fewer than {_SHORTEST} letters."
            )
    if len(words) < 2:
        raise PiecesError(f"The word list {path} holds fewer than two words.")
    return words


def read_hints(path: Path) -> tuple[Hint, ...]:
    """Read a list of hints: a word, a tab, its description, a tab, and a rhyme or none.

    Raises PiecesError with file and line.
    """
    hints = []
    for number, line in enumerate(_read(path).splitlines(), 1):
        if line.strip()[:1] in ("", "#"):
            continue
        word, *rest = line.split("\t")
        if not rest or not rest[0] or len(rest) > 2:
            raise PiecesError(
                f"{path}:{number}: a line is a word, its description and, if there is"
                " one, a rhyme, with tabs between them."
            )
        hints.append(Hint(word, rest[0], "".join(rest[1:])))
    return tuple(hints)


def read_replies() -> tuple[BaseReply, ...]:
    """Read what the base model said; made by `python -m finetune sample-replies`."""
    replies = []
    for number, line in enumerate(_read(REPLIES).splitlines(), 1):
        try:
            replies.append(BaseReply(**json.loads(line)))
        except (ValueError, TypeError) as error:
            raise PiecesError(f"{REPLIES}:{number}: {error}.") from error
    return tuple(replies)


def write_replies(replies: Iterable[BaseReply]) -> None:
    """Write what the base model said, replacing what is there."""
    rows = (json.dumps(reply._asdict(), ensure_ascii=False) for reply in replies)
    write_text(REPLIES, "".join(f"{row}\n" for row in rows))


def is_heldout(text: str) -> bool:
    """Say whether a word, or a request, is kept to judge by: one in ten, by hash."""
    digest = hashlib.sha256(text.encode()).digest()
    return digest[0] % _HELDOUT == 0


def benign_asks() -> tuple[str, ...]:
    """Return the ordinary requests that the base model is asked for training."""
    benign = _read_benign()
    return (*benign.plain, *benign.near)


def _read_benign() -> _BenignFile:
    return read_phrases(_FOLDER / "benign.yaml", _BenignFile)


def _read(path: Path) -> str:
    try:
        return path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise PiecesError(f"{path} cannot be read: {error}.") from error


def _split(
    pieces: Sequence[T], key: Callable[[T], str]
) -> tuple[tuple[T, ...], tuple[T, ...]]:
    """Return the pieces to learn from, and those to judge by."""
    return (
        tuple(piece for piece in pieces if not is_heldout(key(piece))),
        tuple(piece for piece in pieces if is_heldout(key(piece))),
    )


def _is_word(text: str) -> bool:
    return (
        text.isascii()
        and text.isalpha()
        and text.islower()
        and len(text) in _LENGTHS
        and any(vowel in text for vowel in "aeiouy")
    )
