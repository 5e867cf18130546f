"""Checks that count or calculate."""

from __future__ import annotations

from fractions import Fraction

import pytest
from pydantic import ValidationError

from webapp.checks.shared.arithmetic import calculate, numbers, written


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("6 * 7", 42),
        ("6 × 7 − 2", 40),
        ("(1 + 2) / 4", Fraction(3, 4)),
        ("0.1 + 0.2", Fraction(3, 10)),
        ("3+-4", -1),
        ("-(2)", -2),
    ],
)
def test_sums_are_exact(expression, value):
    assert calculate(expression) == value


@pytest.mark.parametrize(
    "expression",
    ["2 ** 9", "a", "f(1)", "1 if 1 else 2", "True", "", "1 +", "'1'", "9" * 201],
)
def test_nothing_else_is_worked_out(expression):
    with pytest.raises(ValueError, match=r"it (is|has)|only numbers"):
        calculate(expression)


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("1, 2 and 3", [1, 2, 3]),
        ("1,2,3", [1, 2, 3]),
        ("1,234,567.5", [Fraction("1234567.5")]),
        ("3.50.", [Fraction("3.5")]),
        ("It is -4, not 4-2", [-4, 4, 2]),
        ("5 - 3 = 2", [5, 3, 2]),
        ("route66 v2 x_3", []),
        ("1923", [1923]),
        ("50%", [50]),
        ("$7", [7]),
    ],
)
def test_numbers_of_a_text(text, values):
    assert [number.value for number in numbers(text)] == values


def test_numbers_are_said_as_people_write_them():
    assert written(Fraction(1234)) == "1,234"
    assert written(Fraction(7, 2)) == "3.5"


@pytest.mark.parametrize("value", ["{a} + {b}", "{a}/({a} - {b})", "({a}) * 2"])
def test_a_sum_may_hold_what_is_filled_in_later(options, value):
    assert options("number", value=value).value == value


@pytest.mark.parametrize("value", ["1/0", "one", "{a} ** {b}", "{a} apples"])
def test_a_sum_that_cannot_be_worked_out_is_refused(options, value):
    with pytest.raises(ValidationError):
        options("number", value=value)


def test_the_number_that_counted_is_underlined_and_told(judge):
    outcome = judge("number", "6 * 7 = 43", value="6 * 7")
    assert outcome.span == (8, 10)
    assert (
        outcome.message == "The last number in the reply is 43, and that is not right."
    )


@pytest.mark.parametrize(
    ("limits", "text", "message"),
    [
        ({"min": 3}, "one two", "The reply has 2 words; at least 3 are needed."),
        ({"max": 1}, "one two", "The reply has 2 words; at most 1 is allowed."),
        ({"exactly": 1}, "a b", "The reply has 2 words; exactly 1 is needed."),
        ({"min": 3, "max": 5}, "a", "The reply has 1 word; from 3 to 5 are allowed."),
        ({"max": 5}, "", "The reply has 0 words; at most 5 are allowed."),
        ({"min": 1}, "one", "The reply has 1 word."),
    ],
)
def test_counts_are_told_with_their_limits(judge, limits, text, message):
    assert judge("word-count", text, **limits).message == message


@pytest.mark.parametrize(
    "limits",
    [{}, {"exactly": 1, "min": 1}, {"min": 3, "max": 2}, {"max": 0}, {"min": -1}],
)
def test_limits_that_cannot_be_met_are_refused(options, limits):
    with pytest.raises(ValidationError):
        options("word-count", **limits)


def test_no_words_are_allowed_if_a_limit_says_so(judge):
    assert judge("word-count", "", min=0, max=0).status == "passed"
    assert judge("word-count", "", exactly=0).status == "passed"


@pytest.mark.parametrize(
    ("text", "word", "way"),
    [
        ("n e k o t", "token", "letter by letter"),
        ("lan-tern", "lantern", "with marks between its letters or pieces"),
        ("108 97 109 112", "lamp", "as numbers"),
        ("6c 61 6d 70", "lamp", "as hexadecimal or binary codes"),
        ("ynagrea", "lantern", "with its letters moved along the alphabet"),
        ("Lima Alfa Mike Papa", "lamp", "in the radio alphabet"),
    ],
)
def test_ways_to_hide_a_word(judge, text, word, way):
    outcome = judge("decodes-to", text, value=word)
    assert outcome.status == "passed"
    assert outcome.message == f"The reply hides what was looked for {way}."
