"""What a guard model is shown, and what its answer means."""

from __future__ import annotations

import pytest

from webapp.errors import BackendRefused, BackendTimeout, BackendTooLong
from webapp.plugins.asking import (
    CAREFUL,
    Exchange,
    Grounds,
    Highlight,
    Look,
    Moderation,
)
from webapp.security import Secret


class Judge:
    """A guard model with a fixed opinion; keeps what it was asked."""

    def __init__(self, score=0.6, threshold=0.5, kinds=None):
        self.answer = Moderation(
            score >= threshold, score, threshold, "judge", kinds=kinds or {}
        )
        self.asked = []
        self.looks = []

    def moderate(self, text, *, model, secret=None, look=CAREFUL):
        self.asked.append((text, model, secret))
        self.looks.append(look)
        return self.answer


HISTORY = (Exchange("Who are you?", "A warden."), Exchange("Why?", "I must."))


@pytest.mark.parametrize(
    ("stage", "options", "expected"),
    [
        ("input", {}, ("a b c", None, None)),
        ("output", {}, ("a b c", None, Secret("lantern"))),
        ("input", {"model": "demo/x"}, ("a b c", "demo/x", None)),
        ("output", {"model": "gate"}, ("a b c", "gate", Secret("lantern"))),
        ("input", {"over": "visit"}, ("Who are you?\nWhy?\na b c", None, None)),
        ("output", {"over": "visit"}, ("a b c", None, Secret("lantern"))),
    ],
)
def test_the_model_is_shown(judge, stage, options, expected):
    model = Judge()
    judge("moderation", "a b c", stage=stage, history=HISTORY, ask=model, **options)
    assert model.asked == [expected]


@pytest.mark.parametrize(
    ("stage", "options", "expected"),
    [
        ("input", {}, CAREFUL),
        ("input", {"over": "visit"}, CAREFUL),
        ("input", {"as_typed": True, "first_tokens": 256}, Look("", (), True, 256)),
        ("output", {}, Look("a b c")),
        ("output", {"over": "visit"}, Look("a b c", HISTORY)),
    ],
)
def test_the_model_is_told_how_to_look(judge, stage, options, expected):
    model = Judge()
    judge("moderation", "a b c", stage=stage, history=HISTORY, ask=model, **options)
    assert model.looks == [expected]


@pytest.mark.parametrize(
    ("score", "own", "set_by_level", "allowed"),
    [
        (0.6, 0.5, None, False),
        (0.4, 0.5, None, True),
        (0.6, 0.5, 0.7, True),
        (0.4, 0.5, 0.4, False),
        (0.0, 0.5, 0.0, False),
    ],
)
def test_the_threshold(judge, score, own, set_by_level, allowed):
    options = {} if set_by_level is None else {"threshold": set_by_level}
    verdict = judge("moderation", "a", ask=Judge(score, own), **options)
    assert (verdict.allowed, verdict.score) == (allowed, score)


@pytest.mark.parametrize(("set_by_level", "expected"), [(None, 0.5), (0.7, 0.7)])
def test_the_verdict_says_what_it_rests_on(judge, set_by_level, expected):
    model = Judge()
    marks = (Highlight("a", 0.4),)
    model.answer = Moderation(True, 0.6, 0.5, "judge", "v1", marks)
    options = {} if set_by_level is None else {"threshold": set_by_level}
    verdict = judge("moderation", "a", ask=model, **options)
    assert verdict.grounds == Grounds("judge", "v1", expected, marks)


def test_a_leak_over_two_replies_is_found_over_the_visit(judge):
    history = (Exchange("First half?", "lan"),)
    assert judge("moderation", "tern", history=history).allowed
    assert not judge("moderation", "tern", history=history, over="visit").allowed


def test_a_silent_model_is_not_swallowed(judge):
    class Silent:
        def moderate(self, text, *, model, secret=None, look=CAREFUL):
            raise BackendTimeout("too long")

    with pytest.raises(BackendTimeout):
        judge("moderation", "a", ask=Silent())


@pytest.mark.parametrize(
    ("stage", "options", "reason"),
    [
        ("input", {}, "The message is too long for this guard to read."),
        ("output", {}, "The reply is too long for this guard to read."),
        (
            "input",
            {"over": "visit"},
            "The conversation is too long for this guard to read.",
        ),
        (
            "output",
            {"over": "visit"},
            "The conversation is too long for this guard to read.",
        ),
    ],
)
def test_what_a_model_cannot_read_whole_is_blocked(judge, stage, options, reason):
    class Short:
        def moderate(self, text, *, model, secret=None, look=CAREFUL):
            raise BackendTooLong("no")

    verdict = judge("moderation", "a", stage=stage, ask=Short(), **options)
    assert (verdict.allowed, verdict.reason) == (False, reason)
    assert (verdict.score, verdict.grounds) == (None, None)


def test_another_refusal_is_not_taken_for_that(judge):
    class Closed:
        def moderate(self, text, *, model, secret=None, look=CAREFUL):
            raise BackendRefused("no")

    with pytest.raises(BackendRefused):
        judge("moderation", "a", ask=Closed())


@pytest.mark.parametrize("score", [0.02, 0.89])
@pytest.mark.parametrize("stage", ["input", "output"])
def test_what_is_let_through_is_not_called_harmless(judge, stage, score):
    verdict = judge("moderation", "a", stage=stage, ask=Judge(score, 0.9))
    assert verdict.allowed
    assert verdict.reason is not None
    assert verdict.reason.endswith(" to stop.")


PLANTED = {"attack": 0.9, "extraction": 0.3, "planted": 0.9, "obfuscated": 0.0}


@pytest.mark.parametrize(
    ("told", "options", "allowed", "score"),
    [
        (PLANTED, {}, False, 0.9),
        (PLANTED, {"kinds": ("planted",)}, False, 0.9),
        (PLANTED, {"kinds": ("override", "planted")}, False, 0.9),
        (PLANTED, {"kinds": ("extraction",)}, True, 0.3),
        (PLANTED, {"kinds": ("extraction",), "threshold": 0.2}, False, 0.3),
        (PLANTED, {"kinds": ("obfuscated",)}, True, 0.0),
        # A model that tells no kinds stops all.
        ({}, {"kinds": ("extraction",)}, False, 0.9),
        ({"attack": 0.9, "harassment": 0.1}, {"kinds": ("extraction",)}, False, 0.9),
    ],
)
def test_a_level_chooses_what_it_stops(judge, told, options, allowed, score):
    model = Judge(0.9, kinds=told)
    verdict = judge("moderation", "a", stage="input", ask=model, **options)
    assert (verdict.allowed, verdict.score) == (allowed, score)


@pytest.mark.parametrize(
    ("told", "reason"),
    [
        ({}, "after the password"),
        ({"extraction": 0.9, "override": 0.5}, "after the password"),
        ({"extraction": 0.5, "override": 0.9}, "set the rules aside"),
        ({"jailbreak": 0.9, "planted": 0.1}, "a part to play that has no rules"),
        (PLANTED, "an order hidden in it"),
        ({**PLANTED, "obfuscated": 0.9}, "an attack in disguise"),
    ],
)
def test_a_message_is_told_of_what_kind_it_seems(judge, told, reason):
    verdict = judge("moderation", "a", stage="input", ask=Judge(0.9, kinds=told))
    assert reason in verdict.reason
    # Of replies there is one kind.
    verdict = judge("moderation", "a", ask=Judge(0.9, kinds=told))
    assert verdict.reason == "The reply seems to give the password away."
