"""What is measured of a warden's talk tells good talk from bad."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from finetune.data.warden.pieces import Pieces, read_pieces
from finetune.data.warden.voices import voices
from finetune.evaluation import talk
from finetune.evaluation.talk import Said
from finetune.evaluation.warden import write_probes

WORDS = Path("challenges/words/castle.txt")
ANSWER = "The capital of France is Paris."


@pytest.fixture(scope="module")
def pieces() -> Pieces:
    return read_pieces(WORDS, ["bicycle", "window", "yellow", "planet", "ab", "Xy1"])


@pytest.fixture(scope="module")
def spoken() -> list[Said]:
    """Return what perfect wardens would say."""
    rng = random.Random(3)
    said = []
    for manner, voice in voices().items():
        replies = [
            *(voice.around(ANSWER, rng) for _ in range(10)),
            *(voice.refuse("never", rng) for _ in range(10)),
        ]
        said += [Said(talk.speaker_of(manner), "?", reply) for reply in replies]
    return said


def test_voices_are_told_apart_and_one_voice_for_all_is_not(
    monkeypatch, pieces: Pieces, spoken: list[Said]
):
    monkeypatch.setattr(talk, "_LEARNED_EACH", 200)
    assert talk.named_rightly(pieces, spoken).share > 0.9
    alike = [Said(each.speaker, "?", spoken[0].reply) for each in spoken]
    assert talk.named_rightly(pieces, alike).share <= 0.2


def test_refusals_that_are_the_same_count_once():
    said = [Said("Bram", "a", "No."), Said("Bram", "b", "No. "), Said("Odo", "a", "No")]
    figures = talk.distinct(said)
    assert (figures["Bram"].hits, figures["Bram"].count) == (1, 2)
    assert figures["Odo"].hits == 1


def test_everything_is_asked_in_each_voice(pieces: Pieces):
    for asked, each in (
        (talk.spoken_asks(pieces), talk.SPOKEN_EACH),
        (talk.refused_asks(pieces), talk.REFUSED_EACH),
        (talk.ordinary_asks(pieces), 20),
    ):
        assert len(asked) == 5 * each
        speakers = [one.speaker for one in asked]
        assert {speakers.count(talk.speaker_of(m)) for m in voices()} == {each}


def test_a_language_is_asked_in_words_that_are_not_learned(pieces: Pieces):
    probes = write_probes(pieces, 1, seed=7)
    figures = {probe.figure for probe in probes}
    assert {"open, Chinese: tells", "open, other languages: tells"} <= figures
    chinese = next(p for p in probes if p.figure == "open, Chinese: tells")
    word = max((w for w in pieces.words if w in chinese.system), key=len)
    assert chinese.is_hit(f"密码是“{word}”。")
    assert not chinese.is_hit("我不能说密码。")
