"""Secret words that players can read are found, and reported at both their lines."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.webapp.content.trees import WORDS, ContentTree
from webapp.content.check import check_paths
from webapp.content.collisions import VOCABULARY, find_shown, shown_texts
from webapp.content.loader import load
from webapp.settings import PROJECT

ADVICE = "delete it here, or use another word there"


def said(tree: ContentTree, *paths: Path) -> list[str]:
    """Return what `check` says of a tree that is live."""
    return [tree.shown(p) for p in check_paths(paths, live=(tree.root,))]


def add_words(tree: ContentTree, *words: str) -> int:
    """Put words on the list; return the line of the first."""
    tree.words.write_text("\n".join([*WORDS, *words]))
    return len(WORDS) + 1


def test_a_word_is_found_inside_a_longer_one(tmp_path: Path) -> None:
    texts = {tmp_path / "a.html": "nothing\nBookshelves", tmp_path / "b.css": "shelf"}
    found = list(find_shown({"shelf": 1, "shelv": 2, "bread": 3}, texts))
    assert [(o.word, o.path.name, o.line, o.inside, o.is_whole) for o in found] == [
        ("shelf", "b.css", 1, "shelf", True),
        ("shelv", "a.html", 2, "bookshelves", False),
    ]


def test_the_first_place_counts_and_a_whole_word_before_a_part(tmp_path: Path) -> None:
    texts = {
        tmp_path / "a.py": "bookshelf\nTOWER_shelf",
        tmp_path / "b.py": "shelf towers",
        tmp_path / "c.py": "tower",
    }
    found = list(find_shown(["Shelf", "TOWER", "towe"], texts))
    assert [(o.word, o.path.name, o.line, o.is_whole) for o in found] == [
        ("Shelf", "a.py", 2, True),
        ("TOWER", "a.py", 2, True),
        ("towe", "a.py", 2, False),
    ]


def test_a_word_ends_where_letters_end(tmp_path: Path) -> None:
    texts = {tmp_path / "a.py": "one_two3four-five don\u2019t STRASSE"}
    found = find_shown(["two", "four", "five", "twofour", "fivedon", "straße"], texts)
    assert [(one.word, one.is_whole) for one in found] == [
        ("two", True),
        ("four", True),
        ("five", True),
        ("straße", True),
    ]


def test_what_is_shown() -> None:
    names = {path.relative_to(PROJECT).as_posix() for path in shown_texts()}
    assert {"webapp/content/collisions.py", "finetune/serving/__init__.py"} <= names
    assert not [name for name in names if "vendor" in name]
    # The program before what it may say one day.
    assert [*shown_texts()][-1] == VOCABULARY


def test_the_vocabulary_is_a_sorted_list_of_words() -> None:
    lines = VOCABULARY.read_text().splitlines()
    words = [line for line in lines if not line.startswith("#")]
    assert words == sorted(set(words))
    assert [word for word in words if not re.fullmatch("[a-z]{5,}", word)] == []
    assert {"recipe", "arena", "gallery", "curve", "epoch"} <= set(words)


def unsaid_word() -> str:
    """Return a word that pages may say one day and that stands nowhere yet."""
    said = "\n".join(
        path.read_text("utf-8", "ignore")
        for path in shown_texts()
        if path != VOCABULARY
    ).lower()
    words = (line for line in VOCABULARY.read_text().splitlines() if "#" not in line)
    return next(word for word in words if word not in said)


def test_check_names_both_places(tree: ContentTree) -> None:
    unsaid = unsaid_word()
    line = add_words(tree, "Dataclass", unsaid, "ataclas")
    error, maybe, part = said(tree)
    place = error.removeprefix(f'words/plain.txt:{line}: "Dataclass" stands in ')
    place = place.removesuffix(f", where players may read it; {ADVICE}")
    named, _, number = place.rpartition(":")
    shown = (PROJECT / named).read_text().splitlines()[int(number) - 1]
    assert "dataclass" in shown
    at = VOCABULARY.read_text().splitlines().index(unsaid) + 1
    assert maybe == (
        f'words/plain.txt:{line + 1}: warning: "{unsaid}" is a word that pages may '
        f"say: webapp/content/vocabulary.txt:{at}; {ADVICE}"
    )
    assert part.startswith(
        f'words/plain.txt:{line + 2}: warning: "ataclas" is part of "dataclass'
    )
    assert part.endswith(f"; {ADVICE}")


def test_only_the_list_is_to_blame(tree: ContentTree) -> None:
    add_words(tree, "dataclass")
    assert len(said(tree, tree.words)) == 1
    assert len(said(tree, tree.root)) == 1
    assert said(tree, tree.keep) == []


def test_a_level_is_told_once(tree: ContentTree) -> None:
    line = add_words(tree, "zebraqux", "qux", "okapiqux")
    tree.edit(tree.level, "You keep a gate.", "You keep a zebraqux.")
    tree.level.write_text("# okapiqux\n" + tree.level.read_text())
    found = [p for p in said(tree) if "webapp/" not in p]
    assert found == [
        'game/keep/one.yaml:7: "zebraqux" is a password in the list "plain"; '
        f"use another word here, or delete it from words/plain.txt:{line}",
        f'words/plain.txt:{line + 1}: warning: "qux" is part of "okapiqux" in '
        f"{tree.level}:1; {ADVICE}",
    ]


@pytest.mark.parametrize("word", ["dataclass", "gallery"])
def test_the_site_goes_on_with_such_a_list(tree: ContentTree, word: str) -> None:
    add_words(tree, word)
    loaded = load((tree.root,))
    assert loaded.index is not None
    assert loaded.problems == []


def test_an_installation_s_own_list(tree: ContentTree, tmp_path: Path) -> None:
    own = tmp_path / "own" / "words" / "mine.txt"
    own.parent.mkdir(parents=True)
    own.write_text("\n".join([*WORDS, "dataclass"]))
    (problem,) = check_paths([], live=(tree.root, own.parents[1]))
    assert (problem.path, problem.line) == (own, len(WORDS) + 1)
    assert problem.is_error
