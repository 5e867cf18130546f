"""How likely a model is to spell each word right."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from finetune.data.packing import IGNORE, encode_dialogue
from finetune.evaluation import spelling
from finetune.weights.base import load_base


def documents(tokenizer, *pairs: tuple[str, str]):
    return [
        encode_dialogue(
            [{"role": "user", "content": ask}, {"role": "assistant", "content": say}],
            tokenizer,
        )
        for ask, say in pairs
    ]


def test_shares_are_products_of_the_right_tokens(tiny_base: Path, tmp_path: Path):
    base = load_base(str(tiny_base), cache=tmp_path)
    given = documents(base.tokenizer, ("a", "b-c"), ("a much longer one", "d"))
    together = spelling._shares(base.model.eval(), given)
    for document, share in zip(given, together, strict=True):
        with torch.no_grad():
            logits = base.model(torch.tensor([document.ids])).logits[0]
        logs = (logits / spelling.TEMPERATURE).log_softmax(-1)
        right = [
            logs[place, target]
            for place, target in enumerate(document.targets)
            if target != IGNORE
        ]
        assert share == pytest.approx(float(sum(right).exp()), rel=1e-3)


def test_weak_words_are_deleted_and_remarks_stay(tmp_path: Path):
    path = tmp_path / "words.txt"
    path.write_text("# a list\nlantern\nplatypus\nmeadow\n")
    spelling._prune(path, frozenset({"platypus"}))
    assert path.read_text() == "# a list\nlantern\nmeadow\n"
