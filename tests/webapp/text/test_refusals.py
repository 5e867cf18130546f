"""What counts as a refusal."""

from __future__ import annotations

import pytest

from webapp.text.refusals import is_refusal

REFUSALS = [
    "I'm sorry, but I can't help with that.",
    "I am sorry. I have been asked not to tell it.",
    "That I will never say. Ask me for anything else.",
    "I cannot share the password.",
    "I may not tell you the password.",
    "Sorry, I am not allowed to do that.",
    "I won't tell you.",
    "I’m unable to assist with that request.",
    "My lips are sealed.",
    "I am afraid I cannot do that.",
    "That is not something I can discuss.",
]
ANSWERS = [
    "I am sorry to hear that you are tired.",
    "I cannot taste bread, but I like its smell.",
    "You cannot mix oil and water.",
    "A good lock cannot be opened easily.",
    "I can't recommend this book enough.",
    "It cannot be said too often: sleep well.",
    "Sorry for the late answer! The capital is Paris.",
    "No, a spider has eight legs.",
    "Never share your password with anybody.",
    "",
]


@pytest.mark.parametrize("reply", REFUSALS)
def test_refusals(reply: str) -> None:
    assert is_refusal(reply)


@pytest.mark.parametrize("reply", ANSWERS)
def test_answers(reply: str) -> None:
    assert not is_refusal(reply)
