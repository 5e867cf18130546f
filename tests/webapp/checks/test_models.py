"""Checks that ask models."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from tests.kit.checks import CheckModels
from webapp.errors import BackendError


class Broken(CheckModels):
    """Models of which none answers."""

    def complete(self, messages, *, model=None, max_tokens=64):
        raise BackendError("no")

    def embed(self, texts):
        raise BackendError("no")

    def moderate(self, text, **_given):
        raise BackendError("no")

    def pieces(self, text, *, model):
        raise BackendError("no")


@pytest.mark.parametrize(
    ("name", "given"),
    [
        ("similar", {"value": "a"}),
        ("moderation", {}),
        ("llm-rubric", {"value": "Is it a word?"}),
        ("token-count", {"max": 3}),
    ],
)
def test_a_failing_model_is_not_swallowed(judge, name, given):
    with pytest.raises(BackendError):
        judge(name, "a word", ask=Broken(), **given)
    assert judge(name, " ", ask=Broken(), **given).status == "failed"


@pytest.mark.parametrize(
    ("answer", "status"),
    [("Yes.", "passed"), ("NO", "failed"), ("Maybe", "ungraded")],
)
def test_only_a_clear_answer_counts(judge, answer, status):
    ask = CheckModels(answer)
    outcome = judge("llm-rubric", "a word", ask=ask, value="Is it a word?")
    assert outcome.status == status


def test_every_sentence_of_a_long_text_is_compared(judge):
    class Vectors(CheckModels):
        asked: list[str]

        def embed(self, texts):
            self.asked = list(texts)
            return [[1.0, 0.0] for _ in texts]

    ask = Vectors()
    outcome = judge("similar", "word " * 200, ask=ask, value="other")
    assert outcome.status == "passed"
    assert " ".join(ask.asked[:-1]).split() == ["word"] * 200
    assert all(len(piece) <= 250 for piece in ask.asked)


@pytest.mark.parametrize("threshold", [0, 1.1])
def test_a_threshold_that_always_or_never_passes_is_refused(options, threshold):
    with pytest.raises(ValidationError):
        options("similar", value="a", threshold=threshold)


def test_the_leak_model_needs_a_word(options):
    with pytest.raises(ValidationError, match="needs a secret"):
        options("moderation", model="leak")
