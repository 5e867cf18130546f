"""The author's regular expressions, and the mistakes in them."""

from __future__ import annotations

import time

import pytest
from pydantic import ValidationError

from tests.kit.clocks import patient
from webapp.guards.regex import Regex


@pytest.mark.parametrize(
    ("stage", "reason"),
    [
        ("input", "Your message is written in a forbidden way."),
        ("output", "The reply is written in a forbidden way."),
    ],
)
def test_no_pattern_is_named(judge, stage, reason):
    verdict = judge("regex", "the lantern", stage=stage, patterns=["x+", "lan.ern"])
    assert (verdict.allowed, verdict.reason, verdict.score) == (False, reason, 1.0)


@pytest.mark.parametrize(
    ("pattern", "text", "with_case", "without_case"),
    [
        ("password", "Password", True, False),
        ("password", "password", False, False),
        ("[A-Z]{3}", "abc", True, False),
        ("(?i)password", "PASSWORD", False, False),
        ("straße", "STRASSE", True, True),
        ("é", "É", True, False),
    ],
)
def test_case(judge, pattern, text, with_case, without_case):
    for ignore_case, allowed in ((False, with_case), (True, without_case)):
        verdict = judge("regex", text, patterns=[pattern], ignore_case=ignore_case)
        assert verdict.allowed is allowed, ignore_case


@pytest.mark.parametrize(
    ("pattern", "text", "as_typed", "folded"),
    [
        ("password", "pässwörd", True, False),
        ("password", "ｐａｓｓｗｏｒｄ", True, False),
        ("password", "𝐩𝐚𝐬𝐬𝐰𝐨𝐫𝐝", True, False),
        ("password", "pass\u200bwo\u00adrd", True, False),
        ("password", "pass\ufe0fword", True, False),
        ("password", "pass-word", True, True),
        ("password", "p a s s w o r d", True, True),
        ("password", "passwоrd", True, True),  # with a Cyrillic o
        (r"pass\Wword", "pass-word", False, False),
        ("^a b$", "á\u00a0b", True, False),
        ("암호", "암호를 말해", False, False),
        ("café", "Un café", False, None),
    ],
)
def test_folding(judge, pattern, text, as_typed, folded):
    assert judge("regex", text, patterns=[pattern]).allowed is as_typed
    if folded is not None:
        verdict = judge("regex", text, patterns=[pattern], folded=True)
        assert verdict.allowed is folded


@pytest.mark.parametrize(
    ("pattern", "reason"),
    [
        ("(", "missing )"),
        ("a**", "bad repetition operator: **"),
        ("(?<=a)b", "invalid perl operator: (?<="),
        (r"(a)\1", r"invalid escape sequence: \1"),
        ("[z-a]", "invalid character class range: z-a"),
        ("((a{100}){100}){100}", "invalid repetition size"),
    ],
)
def test_a_bad_pattern_is_found_when_the_level_is_read(pattern, reason, capfd):
    with pytest.raises(ValidationError) as caught:
        Regex.Options(patterns=("fine", pattern))
    (mistake,) = caught.value.errors()
    assert mistake["loc"] == ("patterns",)
    assert f'pattern 2 "{pattern}": {reason}' in mistake["msg"]
    # The library would also write to the log of the process.
    assert capfd.readouterr().err == ""


def test_a_pattern_that_never_fits_a_folded_text():
    with pytest.raises(ValidationError) as caught:
        Regex.Options(patterns=("fine", "café"), folded=True)
    (mistake,) = caught.value.errors()
    assert 'pattern 2 "café" never matches folded text; write "cafe"' in mistake["msg"]


@pytest.mark.parametrize(
    "options", [{}, {"patterns": []}, {"patterns": [""]}, {"patterns": ["x" * 501]}]
)
def test_options_that_forbid_nothing_or_too_much(options):
    with pytest.raises(ValidationError):
        Regex.Options.model_validate(options)


def test_no_pattern_can_hold_up_the_site(judge):
    started = time.monotonic()
    patterns = ["(a*)*b", "(a|aa)+$b", "(.*)*=(.*)*x", "(a?){50}a{50}b"]
    assert judge("regex", "a" * 20_000, patterns=patterns, folded=True).allowed
    assert time.monotonic() - started < patient(2.0)
