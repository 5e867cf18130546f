"""One process makes runs of several precisions, as a worker does."""

from __future__ import annotations

from finetune.training.precision import new_accelerator


def test_a_run_may_have_another_precision_than_the_one_before() -> None:
    told = [
        str(new_accelerator(is_bf16=is_bf16).mixed_precision)
        for is_bf16 in (False, True, False)
    ]
    assert told == ["no", "bf16", "no"]
