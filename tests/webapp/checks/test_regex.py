"""The author's regular expressions."""

from __future__ import annotations

import time

import pytest
from pydantic import ValidationError

from tests.kit.clocks import patient
from webapp.checks.regex import Regex
from webapp.plugins.check import Span


@pytest.mark.parametrize(
    "pattern", ["{word}", r"\b{word}zo\b", "({a}|{b})+", "[{a}]", "{word}{2}", "x{2,3}"]
)
def test_a_pattern_may_hold_what_is_filled_in_later(options, pattern):
    assert options("regex", value=pattern).value == pattern


@pytest.mark.parametrize(
    ("pattern", "why"),
    [
        ("(", "missing"),
        ("*a", "repetition"),
        ("{word}(", "missing"),
        ("(?=a)", "invalid"),
        (r"(a)\1", "invalid"),
        ("x*", "matches every text"),
        ("(a|)", "matches every text"),
    ],
)
def test_a_pattern_that_does_not_work_is_refused(options, pattern, why):
    with pytest.raises(ValidationError, match=why):
        options("regex", value=pattern)


def test_what_is_filled_in_is_no_pattern():
    assert Regex.quoted("C++ (a.b)") == r"C\+\+\ \(a\.b\)"


@pytest.mark.parametrize(
    ("text", "pattern", "span"),
    [
        ("été: 1342", r"\d+", (5, 9)),
        ("  7 ", r"^\d$", (2, 3)),
        ("cafe\u0301 2", "2", (6, 7)),
        ("\u200bab", "b", (2, 3)),
    ],
)
def test_what_was_found_is_underlined(judge, text, pattern, span):
    assert judge("regex", text, value=pattern).span == Span(*span)


@pytest.mark.parametrize(
    "pattern", ["^(a+)+$", "^(a|a)*$", "(.*a){12}$", "^(\\w+\\s?)*$"]
)
def test_no_pattern_takes_long(judge, pattern):
    def seconds(length: int) -> float:
        text = "a" * length + "!"
        start = time.process_time()
        assert judge("regex", text, value=pattern).status == "failed"
        return time.process_time() - start

    # Some thousandths of a second; other engines never come to an end.
    assert min(seconds(10_000) for _ in range(3)) < patient(0.1)
