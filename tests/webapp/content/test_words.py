"""The shipped words: plain, enough, and nowhere to be read."""

from __future__ import annotations

import json
import re

from flask import Flask

from webapp.content.check import load_path
from webapp.content.collisions import VOCABULARY, find_shown, shown_texts
from webapp.content.wordlist import WordList, read_words
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
    levels = PROJECT / "challenges" / "game"
    texts |= {path: path.read_text() for path in levels.rglob("*.yaml")}
    # Without pages, styles, scripts, program and levels it would prove nothing.
    assert {".html", ".css", ".js", ".py", ".yaml"} <= {path.suffix for path in texts}
    assert "password" in texts[levels / "keep" / "01-open.yaml"]
    assert "recipe" in texts[VOCABULARY]
    found = [
        f"{one.word} is in {one.path.relative_to(PROJECT)}:{one.line}; delete it"
        for one in find_shown(castle().lines, texts)
    ]
    assert found == []


def test_check_has_nothing_to_say_of_it() -> None:
    problems = load_path(CASTLE, live=(PROJECT / "challenges",)).problems
    assert problems == []


def test_no_word_is_in_the_api_document(app: Flask) -> None:
    document = app.test_client().get("/api/v1/openapi.json")
    assert document.status_code == 200
    text = json.dumps(document.json).casefold()
    assert "password" in text
    assert [word for word in castle().words if word in text] == []
