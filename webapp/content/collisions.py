"""Keeps secret words out of everything that players can read anyway.

`./wordkeep check` holds every word list against the pages, styles, scripts and program
text, against the levels, and against `vocabulary.txt`: the words that pages are likely
to say one day. A list cleared of those need not be edited for each new page.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import regex

from webapp.content.files import find_files
from webapp.content.wordlist import WordList
from webapp.reading.problems import Problem, shown_path
from webapp.settings import PROJECT
from webapp.text.words import fold

VOCABULARY: Final = PROJECT / "webapp" / "content" / "vocabulary.txt"

# Program text counts as well: its messages, field names and addresses are shown.
_SHOWN: Final = (
    ("webapp", (".py", ".html", ".css", ".js", ".svg", ".txt")),
    ("finetune/serving", (".py",)),
)
_HIDDEN: Final = ("vendor",)
_LETTERS: Final = regex.compile(r"\p{L}[\p{L}\p{M}]*")


@dataclass(frozen=True, slots=True)
class Occurrence:
    """The first place where a secret word is shown, and the word it is a part of."""

    word: str
    path: Path
    line: int
    inside: str

    @property
    def is_whole(self) -> bool:
        """Whether the word stands there by itself, and not inside a longer one."""
        return self.inside == fold(self.word)


def check_lists(lists: Iterable[WordList], roots: Sequence[Path]) -> Iterator[Problem]:
    """Yield a problem for each secret word that is shown, at its line of the list.

    A word that the program says is an error; one that is only part of a longer word,
    or that pages may say one day, is a warning. Whole words in a level are reported
    where the level is read.
    """
    levels = _level_texts(roots)
    texts = shown_texts() | levels
    for wordlist in lists:
        for one in find_shown(wordlist.lines, texts):
            if not (one.is_whole and one.path in levels):
                yield _problem(wordlist, one)


def shown_texts(project: Path = PROJECT) -> dict[Path, str]:
    """Return the text of every file of the program that reaches a page or an answer.

    The vocabulary comes last: what is said already is the better reason.
    """
    paths = [
        path
        for folder, suffixes in _SHOWN
        for path in sorted((project / folder).rglob("*"))
        if path.suffix in suffixes and not set(path.parts) & set(_HIDDEN)
    ]
    paths.sort(key=lambda path: path == VOCABULARY)
    return {path: path.read_text(encoding="utf-8") for path in paths}


def find_shown(words: Iterable[str], texts: Mapping[Path, str]) -> Iterator[Occurrence]:
    """Yield the first place of each word that occurs, in the order of the words.

    A place where it stands by itself is preferred to one inside a longer word.
    """
    places = _first_places(texts)
    wanted = {fold(word): word for word in words}
    around = _longer_words(wanted.keys(), places)
    for folded, word in wanted.items():
        inside = folded if folded in places else around.get(folded)
        if inside is not None:
            path, at = places[inside]
            line = fold(texts[path]).count("\n", 0, at) + 1
            yield Occurrence(word, path, line, inside)


def _first_places(texts: Mapping[Path, str]) -> dict[str, tuple[Path, int]]:
    """Return where each run of letters stands first: the file and the character."""
    places: dict[str, tuple[Path, int]] = {}
    for path, text in texts.items():
        for run in _LETTERS.finditer(fold(text)):
            places.setdefault(run[0], (path, run.start()))
    return places


def _longer_words(words: Iterable[str], shown: Iterable[str]) -> dict[str, str]:
    """Return the first shown word that each word is only a part of."""
    wanted = frozenset(words)
    lengths = sorted({len(word) for word in wanted})
    around: dict[str, str] = {}
    for one in shown:
        for length in lengths:
            for start in range(len(one) - length + 1):
                part = one[start : start + length]
                if part in wanted and part != one:
                    around.setdefault(part, one)
    return around


def _level_texts(roots: Sequence[Path]) -> dict[Path, str]:
    texts: dict[Path, str] = {}
    for name, file in find_files(roots).items():
        # What cannot be read is a problem where the level is read.
        if name.parts[0] == "game" and name.suffix == ".yaml" and not file.fault:
            with suppress(OSError):
                texts[file.path] = file.path.read_text("utf-8", errors="replace")
    return texts


def _problem(wordlist: WordList, one: Occurrence) -> Problem:
    where = f"{shown_path(one.path)}:{one.line}"
    is_certain = one.is_whole and one.path != VOCABULARY
    if is_certain:
        said = f"stands in {where}, where players may read it"
    elif one.is_whole:
        said = f"is a word that pages may say: {where}"
    else:
        said = f'is part of "{one.inside}" in {where}'
    return Problem(
        wordlist.path,
        wordlist.lines[one.word],
        f'"{one.word}" {said}',
        "delete it here, or use another word there",
        "error" if is_certain else "warning",
    )
