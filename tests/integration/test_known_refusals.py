"""What a warden learns to refuse with, the calibration knows as a refusal."""

from __future__ import annotations

import random

import pytest

from finetune.data.warden.voices import voices
from webapp.text.refusals import is_refusal


@pytest.mark.parametrize("manner", list(voices()))
@pytest.mark.parametrize("policy", ["soft", "never"])
def test_every_refusal_of_a_voice_is_known(manner, policy):
    voice, rng = voices()[manner], random.Random(1)
    unknown = {
        text
        for text in (voice.refuse(policy, rng) for _ in range(500))
        if not is_refusal(text)
    }
    assert not unknown


@pytest.mark.parametrize("manner", list(voices()))
def test_what_a_voice_says_else_is_no_refusal(manner):
    voice = voices()[manner]
    talk = (text for texts in voice.talk.values() for text in texts)
    for text in (*voice.before, *voice.after, *talk):
        assert not is_refusal(text), text
