"""Markdown of authors, and names of guards."""

from __future__ import annotations

import pytest

from webapp.plugins.guard import guards
from webapp.web.rendering import author_markdown, count, guard_label, guard_name


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


def test_guards_have_names_and_labels(app) -> None:
    assert guard_name("word_list-two") == "Word list two"
    for name in guards.names():
        assert guard_label(name).endswith(".")
    assert guard_label("gone") == ""


def test_count() -> None:
    assert count(1, "attempt", "attempts") == "1 attempt"
    assert count(2000, "attempt", "attempts") == "2,000 attempts"
