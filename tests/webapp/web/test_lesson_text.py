"""Markdown of lessons: what it makes of a text, and what it never lets through."""

from __future__ import annotations

import pytest
from flask import Flask

from webapp.web.lesson_text import lesson_inline, lesson_markdown


def test_a_folded_block_ends_at_its_mark() -> None:
    html = lesson_markdown("Before\n\n??? Why & how\nInner *text*\n???\nAfter")
    assert "<summary>Why &amp; how</summary>" in html
    inner, after = html.split("</details>")
    assert "<em>text</em>" in inner
    assert "After" in after
    assert "???" not in html


def test_an_indented_block_ends_with_its_indent() -> None:
    html = lesson_markdown("??? Why\n    one\n\n    two\n\nAfter")
    inner, after = html.split("</details>")
    assert "<p>one</p>\n<p>two</p>" in inner
    assert after.strip() == "<p>After</p>"


def test_a_block_without_an_end_goes_to_the_end() -> None:
    html = lesson_markdown("??? Why\none\n\n??? More\ntwo")
    assert html.count("<details") == html.count("</details>") == 2


def test_three_question_marks_in_code_are_code() -> None:
    html = lesson_markdown("```\n??? code\n```")
    assert "<details" not in html
    assert "??? code" in html


@pytest.mark.parametrize(
    ("kind", "name"), [("note", "Note"), ("tip", "Tip"), ("WARNING", "Careful")]
)
def test_a_callout_says_what_it_is(kind: str, name: str) -> None:
    html = lesson_markdown(f"> [!{kind}]\n> Mind *this*.\n\n> said")
    assert f'<div class="callout callout--{kind.lower()}">' in html
    assert f"<strong>{name}:</strong> Mind <em>this</em>." in html
    assert "<blockquote>\n<p>said</p>" in html


@pytest.mark.parametrize(
    "evil",
    [
        "<script>alert(1)</script>",
        "<img src=x onerror=alert(1)>",
        "![x](http://e.example/x.png)",
        "[x](javascript:alert(1))",
        '<div class="note" onclick="x()">',
        "??? <script>alert(1)</script>\nx\n???",
        "> [!note]\n> <iframe src=//e.example></iframe>",
    ],
)
def test_nothing_that_acts_gets_through(evil: str) -> None:
    html = lesson_markdown(evil).lower()
    for part in ("<script", "<img", 'href="javascript', "<iframe", '<div class="note"'):
        assert part not in html


def test_wide_parts_scroll_without_a_mouse() -> None:
    html = lesson_markdown("| a |\n|---|\n| 1 |\n\n```\nlong\n```")
    assert '<div class="scroll-x" tabindex="0" role="region"' in html
    assert '<pre tabindex="0">' in html


def test_a_line_has_no_paragraph() -> None:
    html = lesson_inline("How *many*\n<b>x</b>?")
    assert html == "How <em>many</em> &lt;b&gt;x&lt;/b&gt;?"


def test_the_empty_corner_of_a_table_heads_nothing() -> None:
    html = lesson_markdown("| | a |\n|---|---|\n| b | c |\n")
    assert "<th></th>" not in html
    assert "<td></td>" in html
    assert "<th>a</th>" in html


def test_a_link_to_a_page_of_the_site_works_under_a_prefix() -> None:
    text = "[own](/train/data), [other](https://e.example/train), [here](#x)"
    with Flask("site").test_request_context(base_url="http://localhost/school"):
        shown = (lesson_markdown(text), lesson_inline(text))
    for html in shown:
        assert 'href="/school/train/data"' in html
        assert 'href="https://e.example/train"' in html
        assert 'href="#x"' in html
    assert 'href="/train/data"' in lesson_markdown(text)
