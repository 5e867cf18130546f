"""Checks that look for texts, or compare with one."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from tests.kit.checks import CheckModels
from webapp.checks.contains import Contains
from webapp.checks.levenshtein import edit_distance
from webapp.plugins.check import Span, Subject


@pytest.mark.parametrize(
    ("name", "text", "value", "span"),
    [
        ("contains", "It is riverzo.", "riverzo", (6, 13)),
        ("icontains", "It is RIVERZO.", "riverzo", (6, 13)),
        ("icontains-any", "A tree, a LAMP", ["lamp", "tree"], (2, 6)),
        ("contains-all", "b, then a", ["a", "b"], (0, 1)),
        ("starts-with", "\n Yes, sir", "Yes", (2, 5)),
        ("ends-with", "Yes. Yes. ", "Yes.", (5, 9)),
    ],
)
def test_what_was_found_is_underlined(judge, name, text, value, span):
    outcome = judge(name, text, value=value)
    assert (outcome.status, outcome.span) == ("passed", Span(*span))


@pytest.mark.parametrize(
    ("name", "text", "options", "message"),
    [
        (
            "contains",
            "it is paris",
            {"value": "Paris"},
            "The reply comes close: only capital and small letters are different.",
        ),
        (
            "contains",
            "See you soon",
            {"value": "soo"},
            "The reply comes close: what was looked for is there only as a part of "
            "something longer.",
        ),
        (
            "contains",
            "",
            {"value": "soo"},
            "The reply is empty.",
        ),
        (
            "contains-all",
            "a cat",
            {"value": ["cat", "dog", "owl"]},
            "The reply contains 1 of the 3 things that were looked for.",
        ),
        (
            "equals",
            "Paris.",
            {"value": "Paris"},
            "The reply comes close: only punctuation, spaces or capital letters are "
            "different.",
        ),
        (
            "equals",
            "It is Paris",
            {"value": "Paris"},
            "The reply has more in it than what was looked for.",
        ),
    ],
)
def test_the_message_says_how_near_it_was(judge, name, text, options, message):
    assert judge(name, text, **options).message == message


def test_a_part_of_all_is_a_part_of_the_score(judge):
    outcome = judge("contains-all", "a cat and an owl", value=["cat", "dog", "owl"])
    assert outcome.score == pytest.approx(2 / 3)
    assert outcome.count == 2


@pytest.mark.parametrize(
    ("value", "text", "status"),
    [
        ("cat", "catalogue", "failed"),
        ("lamp", "lamps", "passed"),
        ("I am", "PI am", "passed"),
        ("->", "a->b", "passed"),
    ],
)
def test_only_short_words_are_whole_by_themselves(judge, value, text, status):
    assert judge("contains", text, value=value).status == status


@pytest.mark.parametrize(
    ("name", "given"),
    [
        ("contains", {"value": ""}),
        ("contains", {"value": "\u200b"}),
        ("contains-any", {"value": []}),
        ("contains-any", {"value": ["a", ""]}),
        ("equals", {"value": "a", "ignore": True}),
        ("equals", {}),
    ],
)
def test_options_that_find_nothing_or_everything_are_refused(options, name, given):
    with pytest.raises(ValidationError):
        options(name, **given)


def test_one_text_may_stand_for_a_list(options):
    assert options("contains-any", value="a").value == ("a",)


@pytest.mark.parametrize(
    ("first", "second", "limit", "distance"),
    [
        ("", "", 0, 0),
        ("kitten", "sitting", 3, 3),
        ("kitten", "sitting", 2, 3),
        ("abc", "abc", 0, 0),
        ("abc", "abd", 0, 1),
        ("flaw", "lawn", 5, 2),
        ("", "abc", 3, 3),
        ("abcdef", "a", 4, 5),
    ],
)
def test_edit_distance(first, second, limit, distance):

    assert edit_distance(first, second, limit=limit) == distance
    assert edit_distance(second, first, limit=limit) == distance


def test_a_slot_is_called_by_its_name(judge, options):

    check = Contains(options("contains", value="cat"))
    subject = Subject("dog", called="your rule")
    message = check.judge(subject, CheckModels()).message
    assert message == "Your rule does not contain what was looked for."
