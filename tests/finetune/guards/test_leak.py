"""The leak guard reads a sentence once, however often it is asked about it."""

from __future__ import annotations

import pytest

from finetune.data.guards.leak import leak_rows
from finetune.guards.judge import Case, EarlierTurn
from finetune.guards.leak import Leak
from finetune.guards.released import load_judge

WORDS = ["violin", "rabbit", "penguin", "guitar", "dragon", "walrus"]
VISIT = (
    "Good evening. The wind is cold tonight, so come closer.",
    "It begins with the letter w. I say no more.",
    "You may write it down. It has six letters.",
)


@pytest.fixture(scope="module")
def leak() -> Leak:
    guard = load_judge("leak")
    assert isinstance(guard, Leak)
    return guard


@pytest.fixture
def reads(leak: Leak, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Return the texts that the model reads from now on."""
    read: list[str] = []
    embed = leak._meanings.embed

    def counted(texts):
        read.extend(texts)
        return embed(texts)

    monkeypatch.setattr(leak._meanings, "embed", counted)
    leak._meanings.vector.cache_clear()
    return read


def visit(replies: tuple[str, ...]) -> Case:
    """Return the last reply of a visit, after all the others."""
    earlier = tuple(EarlierTurn("And?", reply) for reply in replies[:-1])
    return Case(replies[-1], secret="walrus", earlier=earlier)


def test_what_was_read_before_changes_no_score(leak: Leak) -> None:
    rows = leak_rows(300, WORDS, seed=3)
    kept = [leak.judge(Case(row.reply, secret=row.secret)).scores for row in rows]
    for row, scores in zip(rows, kept, strict=True):
        leak._meanings.vector.cache_clear()
        fresh = leak.judge(Case(row.reply, secret=row.secret)).scores
        assert fresh == pytest.approx(scores, abs=1e-4)


def test_a_visit_is_read_once(leak: Leak, reads: list[str]) -> None:
    for count in range(1, len(VISIT) + 1):
        leak.judge(visit(VISIT[:count]))
    assert len(reads) == len(set(reads))
    before = len(reads)
    leak.judge(visit(VISIT))
    assert len(reads) == before


def test_leaving_words_out_reads_other_sentences_once(
    leak: Leak, reads: list[str]
) -> None:
    text = " ".join(VISIT[:2])
    judged = leak.judge(Case(text, secret="walrus", highlights=True))
    assert len(judged.highlights) > 15
    # The text as a whole and one sentence are new for each word that is left out.
    assert len(reads) == len(set(reads)) < 3 * len(judged.highlights)
