"""Markdown of authors, and words as pages need them."""

from __future__ import annotations

from datetime import timedelta

import pytest

from webapp.plugins.guard import guards
from webapp.web.rendering import (
    as_label,
    author_markdown,
    count,
    guard_label,
    in_words,
    opening,
    ordinal,
    span,
)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("It is **so**.", "<p>It is <strong>so</strong>.</p>\n"),
        ("a `b`", "<p>a <code>b</code></p>\n"),
        ("<b>x</b>", "<p>&lt;b&gt;x&lt;/b&gt;</p>\n"),
        ("<script>x</script>", "<p>&lt;script&gt;x&lt;/script&gt;</p>\n"),
        (
            "[a](https://e.example/)",
            '<p><a href="https://e.example/" rel="noopener noreferrer">a</a></p>\n',
        ),
    ],
)
def test_author_markdown(text: str, expected: str) -> None:
    assert author_markdown(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "![a](https://e.example/x.png)",
        "[a](javascript:alert(1))",
        "[a](data:text/html,x)",
    ],
)
def test_author_markdown_loads_and_runs_nothing(text: str) -> None:
    html = author_markdown(text)
    assert "<img" not in html
    assert 'href="javascript' not in html
    assert 'href="data' not in html


def test_words_open_a_sentence_and_name_a_field() -> None:
    assert opening("the LLM judge") == "The LLM judge"
    assert opening("") == ""
    assert as_label("class_code-two") == "Class code two"


def test_guards_have_labels(app) -> None:
    for name in guards.names():
        assert guard_label(name).endswith(".")
    assert guard_label("gone") == ""


@pytest.mark.parametrize(
    ("number", "written"),
    [
        (1, "1st"),
        (2, "2nd"),
        (3, "3rd"),
        (4, "4th"),
        (11, "11th"),
        (13, "13th"),
        (112, "112th"),
        (131, "131st"),
        (1023, "1,023rd"),
    ],
)
def test_ordinals(number: int, written: str) -> None:
    assert ordinal(number) == written


def test_count() -> None:
    assert count(1, "attempt", "attempts") == "1 attempt"
    assert count(2000, "attempt", "attempts") == "2,000 attempts"


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0.4, "0 seconds"),
        (1, "1 second"),
        (61, "1 minute 1 second"),
        (3_600, "1 hour"),
        (3_605, "1 hour"),
        (4_320, "1 hour 12 minutes"),
        (200_000, "2 days 7 hours"),
    ],
)
def test_span(seconds: float, words: str) -> None:
    assert span(timedelta(seconds=seconds)) == words


def test_in_words() -> None:
    assert [in_words(n) for n in (1, 8, 12, 13, 2_000)] == [
        "one",
        "eight",
        "twelve",
        "13",
        "2,000",
    ]
