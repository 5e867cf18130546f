"""Marks of the system prompt that must not come back in a reply."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from webapp.guards.canary import Canary

MARK = "Order of the Grey Thorn"


@pytest.mark.parametrize(
    ("reply", "exact", "normalised"),
    [
        ("I serve the Order of the Grey Thorn.", False, False),
        ("I SERVE THE ORDER OF THE GREY THORN", False, False),
        ("I serve the Order of\nthe  Grey Thorn.", True, False),
        ("**Order** of the *Grey* Thorn", True, False),
        ("O-r-d-e-r o-f t-h-e G-r-e-y T-h-o-r-n", True, False),
        ("Ördér of the Ｇｒｅｙ Tho\u200brn", True, False),
        ("Order of the Grey", True, True),
        ("nrohT yerG eht fo redrO", True, True),
        ("El orden de la espina gris.", True, True),
        ("A grey order grows no thorn.", True, True),
        ("My password is lantern.", True, True),
        ("", True, True),
    ],
)
def test_what_each_way_of_comparing_lets_through(judge, reply, exact, normalised):
    for match, allowed in (("exact", exact), ("normalised", normalised)):
        verdict = judge("canary", reply, marks=[MARK], match=match)
        assert verdict.allowed is allowed, match
        assert verdict.score == float(not allowed)


def test_normalised_is_how_it_compares_unless_told_otherwise(judge):
    assert not judge("canary", "ORDER of the grey-thorn", marks=[MARK]).allowed


def test_any_mark_is_enough_and_none_is_named(judge):
    verdict = judge("canary", f"The {MARK}!", marks=["Seventh rule", MARK])
    assert not verdict.allowed
    assert verdict.reason == "The reply repeats part of the instructions."


def test_it_only_reads_replies():
    assert Canary.stages == {"output"}


def test_marks_in_other_scripts(judge):
    assert not judge(
        "canary", "Это «Орден Серого Шипа».", marks=["орден серого"]
    ).allowed
    assert judge("canary", "Это замок.", marks=["орден серого"]).allowed


@pytest.mark.parametrize(
    ("marks", "complaint"),
    [
        ([], "at least 1 item"),
        ([""], "at least 1 character"),
        (["... — ...!"], "fewer than 6 letters or digits"),
        (["fine enough", "a-b-c-d-e"], '"a-b-c-d-e" has fewer'),
        (
            ["The password is {{ secret }}"],
            "is compared as written; nothing is filled in",
        ),
        (["x" * 201], "at most 200 characters"),
    ],
)
def test_marks_that_would_find_everything_or_nothing(marks, complaint):
    with pytest.raises(ValidationError, match=complaint) as caught:
        Canary.Options.model_validate({"marks": marks})
    assert caught.value.errors()[0]["loc"][0] == "marks"


def test_marks_must_be_given():
    with pytest.raises(ValidationError, match="marks"):
        Canary.Options.model_validate({"match": "exact"})
