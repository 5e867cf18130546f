"""Limits of length."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from webapp.guards.length import Length


@pytest.mark.parametrize(
    ("options", "text", "reason"),
    [
        ({"max_chars": 3}, "abcd", "The reply has more than 3 characters."),
        ({"min_chars": 3}, "ab", "The reply has fewer than 3 characters."),
        ({"max_words": 2}, "a b c", "The reply has more than 2 words."),
        ({"max_words": 2, "max_chars": 9}, "a b", None),
    ],
)
def test_reason_names_the_limit(judge, options, text, reason):
    verdict = judge("length", text, **options)
    assert verdict.allowed is (reason is None)
    assert verdict.reason == (reason or "The reply is within the allowed length.")


@pytest.mark.parametrize(
    "options",
    [{}, {"max_chars": 0}, {"max_chars": 5, "min_chars": 6}, {"max_words": "many"}],
)
def test_limits_that_make_no_sense(options):
    with pytest.raises(ValidationError):
        Length.Options.model_validate(options)
