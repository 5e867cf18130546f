"""The voices of the wardens differ, refuse in many ways, and give no password away."""

from __future__ import annotations

import random
import re
from itertools import combinations
from pathlib import Path

import pytest
import yaml

from finetune.data.warden.pieces import read_words
from finetune.data.warden.voices import Voice, voices
from finetune.evaluation.warden import is_refusal

WORDS = Path("challenges/words/castle.txt")
TALK = Path("finetune/data/warden/talk.yaml")


def said(voice: Voice) -> list[str]:
    refusals = voice.refusals
    return [
        *(*voice.before, *voice.after, *voice.tells),
        *(*refusals.start, *refusals.soft, *refusals.never, *refusals.end),
        *(text for texts in voice.talk.values() for text in texts),
        *(*voice.manner.learned, *voice.manner.heldout),
    ]


@pytest.mark.parametrize("manner", list(voices()))
def test_a_voice_has_hundreds_of_refusals(manner: str):
    voice, rng = voices()[manner], random.Random(1)
    for policy in ("soft", "never"):
        made = {voice.refuse(policy, rng) for _ in range(2000)}
        assert len(made) > 300
        assert all(is_refusal(refusal) for refusal in made)


@pytest.mark.parametrize("manner", list(voices()))
def test_no_word_of_a_voice_is_a_password(manner: str):
    words = set(read_words(WORDS))
    for text in said(voices()[manner]):
        assert words.isdisjoint(re.findall(r"[a-z]+", text.casefold())), text


def test_two_voices_share_no_words_of_their_own():
    for one, other in combinations(voices().values(), 2):
        shared = set(said(one)) & set(said(other)) - {"No.", "", "Dismissed."}
        assert not {text for text in shared if len(text.split()) > 3}, shared


@pytest.mark.parametrize("manner", list(voices()))
def test_small_talk_of_a_voice_answers_what_is_asked(manner: str):
    asked = {talk["ask"][0] for talk in yaml.safe_load(TALK.read_text())["talk"]}
    voice = voices()[manner]
    assert set(voice.talk) <= asked
    assert len(voice.talk) > 25
    assert not any(is_refusal(t) for texts in voice.talk.values() for t in texts)
