"""The shipped words: plain, enough, and nowhere to be read."""

from __future__ import annotations

import json
import re
from pathlib import Path

from flask import Flask

from webapp.content.wordlist import WordList, read_words
from webapp.content.words import find_shown, main, prune, shown_texts
from webapp.settings import PROJECT

CASTLE = PROJECT / "challenges" / "words" / "castle.txt"


def castle() -> WordList:
    """Return the shipped list, which must have no problem."""
    words, problems = read_words(CASTLE, CASTLE.read_bytes())
    assert problems == []
    return words


def test_the_list_is_long_sorted_and_plain() -> None:
    words = castle().words
    assert len(words) >= 2_000
    assert list(words) == sorted(words)
    assert [w for w in words if not re.fullmatch("[a-z]{5,9}", w)] == []


def test_no_word_is_the_plural_of_another() -> None:
    words = set(castle().words)
    assert [w for w in sorted(words) if {f"{w}s", f"{w}es"} & words] == []


def test_the_header_names_source_and_licence() -> None:
    header = CASTLE.read_text().partition("\nabdomen")[0]
    assert "wamerican" in header
    assert "SCOWL" in header
    assert "Copyright 2000-2011 by Kevin Atkinson" in header


def test_no_word_is_shown_anywhere() -> None:
    texts = shown_texts()
    # Without pages, styles, scripts, program and levels it would prove nothing.
    assert {".html", ".css", ".js", ".py", ".yaml"} <= {path.suffix for path in texts}
    assert (
        "password" in texts[PROJECT / "challenges" / "game" / "keep" / "01-open.yaml"]
    )
    found = [
        f"{one.word} is in {one.path.relative_to(PROJECT)}:{one.line}; "
        "run python -m webapp.content.words --prune"
        for one in find_shown(castle().lines, texts)
    ]
    assert found == []


def test_no_word_is_in_the_api_document(app: Flask) -> None:
    document = app.test_client().get("/api/v1/openapi.json")
    assert document.status_code == 200
    text = json.dumps(document.json).casefold()
    assert "password" in text
    assert [word for word in castle().words if word in text] == []


def test_a_word_is_found_inside_a_longer_one(tmp_path: Path) -> None:
    texts = {tmp_path / "a.html": "nothing\nbookshelves", tmp_path / "b.css": "shelf"}
    found = list(find_shown({"shelf": 1, "shelv": 2, "bread": 3}, texts))
    assert [(one.word, one.path.name, one.line) for one in found] == [
        ("shelf", "b.css", 1),
        ("shelv", "a.html", 2),
    ]


def test_pruning_deletes_words_and_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "list.txt"
    path.write_text("# shelf\nshelf\nbread\n\nwater\n")
    prune(path, {"shelf", "water"})
    assert path.read_text() == "# shelf\nbread\n\n"
    assert list(tmp_path.iterdir()) == [path]


def test_the_command_says_that_all_is_well(capsys) -> None:
    assert main([]) == 0
    assert capsys.readouterr().out == ""
