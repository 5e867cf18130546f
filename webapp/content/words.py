"""Keeps secret words out of everything that players can read anyway.

`python -m webapp.content.words` lists the words of all shipped lists that occur in a
page, style, script, program text or level. `--prune` also deletes them from the lists.
Run it after writing pages or levels.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from webapp.content.wordlist import read_words
from webapp.settings import PROJECT

# Program text counts as well: its messages, field names and addresses are shown.
_SHOWN: Final = (
    ("webapp", (".py", ".html", ".css", ".js", ".svg", ".txt")),
    ("finetune/serving", (".py",)),
    ("challenges/game", (".yaml",)),
)
_HIDDEN: Final = ("vendor",)


@dataclass(frozen=True, slots=True)
class Occurrence:
    """A secret word that stands somewhere in a shown file."""

    word: str
    path: Path
    line: int


def shown_texts(project: Path = PROJECT) -> dict[Path, str]:
    """Return the small-letter text of every file that reaches a page or an answer."""
    return {
        path: path.read_text(encoding="utf-8").casefold()
        for folder, suffixes in _SHOWN
        for path in sorted((project / folder).rglob("*"))
        if path.suffix in suffixes and not set(path.parts) & set(_HIDDEN)
    }


def find_shown(
    words: Mapping[str, int], texts: Mapping[Path, str]
) -> Iterator[Occurrence]:
    """Yield the first place of each word that occurs, also inside longer words."""
    for word in words:
        for path, text in texts.items():
            at = text.find(word.casefold())
            if at >= 0:
                yield Occurrence(word, path, text.count("\n", 0, at) + 1)
                break


def prune(path: Path, words: set[str]) -> None:
    """Delete words from a list; the file is replaced in one step."""
    lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
    kept = [line for line in lines if line.strip() not in words]
    fresh = path.with_suffix(".new")
    fresh.write_text("".join(kept), encoding="utf-8")
    fresh.replace(path)


def main(arguments: list[str] | None = None) -> int:
    """Check the shipped lists; exit status 1 if a word is shown and was not pruned."""
    parser = argparse.ArgumentParser(
        prog="python -m webapp.content.words", description=__doc__
    )
    parser.add_argument("--prune", action="store_true", help="delete what is found")
    chosen = parser.parse_args(arguments)
    texts = shown_texts()
    is_clean = True
    for path in sorted((PROJECT / "challenges/words").glob("*.txt")):
        wordlist, _ = read_words(path, path.read_bytes())
        found = list(find_shown(wordlist.lines, texts))
        for one in found:
            place = one.path.relative_to(PROJECT)
            line = f"{path.name}: {one.word} occurs in {place}:{one.line}\n"
            sys.stdout.write(line)
        if chosen.prune:
            prune(path, {one.word for one in found})
        is_clean = is_clean and (chosen.prune or not found)
    return 0 if is_clean else 1


if __name__ == "__main__":
    sys.exit(main())
