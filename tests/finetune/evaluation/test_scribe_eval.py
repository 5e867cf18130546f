"""What the scribe is judged by: enough different requests, and naive ones too."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from finetune.data.scribe.cases import user
from finetune.evaluation.scribe import (
    Answered,
    Probe,
    figures_of,
    write_probes,
)

WORDS = Path("challenges/words/castle.txt")
COUNT = 20
# Of these there are few things to ask about.
SMALL = ("naive: one sentence", "naive: at most five words", "naive: one word",
         "naive: persona with its words", "naive: list with dashes",
         "one word, young")  # fmt: skip


# Families whose answer has a form of its own.
FORMS = ("few-shot", "labels", "JSON", "XML", "form", "table", "tool call", "list,",
         "yes or no", "condition", "sum,", "naive: JSON", "naive: tool")  # fmt: skip


@pytest.fixture(scope="module")
def probes() -> list[Probe]:
    return write_probes(WORDS, COUNT, 7)


def test_each_figure_has_different_requests(probes: list[Probe]):
    counts = Counter(probe.figure for probe in probes)
    few = {name for name, count in counts.items() if count < COUNT}
    assert few <= set(SMALL)
    assert min(counts.values()) >= 8
    keys = {(probe.figure, probe.key()) for probe in probes}
    assert len(keys) == len(probes)


def test_there_are_families_never_seen_weak_ones_and_naive_prompts(
    probes: list[Probe],
):
    parts = Counter(p.figure.partition(": ")[0] for p in probes)
    assert parts["unseen"] == 3 * COUNT
    assert parts["weak"] == 3 * COUNT
    assert parts["naive"] > 10 * COUNT


def test_a_prompt_that_is_given_back_is_no_hit(probes: list[Probe]):
    """Else a model that only repeats would look good."""
    judged = [probe for probe in probes if probe.figure.startswith(FORMS)]
    assert len(judged) > 10 * COUNT
    assert [p for p in judged if p.is_hit(p.turns[-1]["content"])] == []


def test_figures_are_shares_by_temperature():
    probe = Probe("family", user("Say hi."), lambda reply: reply == "hi")
    answers = [Answered(probe, 0.2, said) for said in ("hi", "hi", "no", "")]
    answers.append(Answered(probe, 0.7, "hi"))
    figures = figures_of(answers)
    assert figures["family, T 0.2"]["share"] == 0.5
    assert figures["family, T 0.2"]["count"] == 4
    assert figures["family, T 0.7"]["share"] == 1
