"""What benchmarks say is kept beside a model, and its card tells it once."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from finetune.weights.benchmarks import (
    LESSON,
    Benchmark,
    BenchmarkError,
    keep_benchmarks,
    read_benchmarks,
    tell_benchmarks,
)

ARC = Benchmark(
    task="arc_easy",
    questions=100,
    version="1.0",
    is_chat=False,
    program="lm-eval 0.4.13",
    figures={"acc": 0.41, "acc_stderr": 0.0494, "acc_norm": 0.4},
    base={"acc": 0.47, "acc_stderr": 0.0502},
)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "king" / "tasks.json"


def test_the_same_questions_are_kept_once_and_others_beside_them(file: Path) -> None:
    assert read_benchmarks(file) == []
    others = [
        replace(ARC, task="hellaswag"), replace(ARC, questions=20),
        replace(ARC, is_chat=True),
    ]  # fmt: skip
    keep_benchmarks(file, [ARC, *others])
    again = replace(ARC, figures={"acc": 0.5})
    assert keep_benchmarks(file, [again]) == [again, *others]
    assert read_benchmarks(file) == [again, *others]


@pytest.mark.parametrize("text", ["{", "{}", '{"data": [{"task": "arc"}]}', "[]"])
def test_a_file_that_cannot_be_read_says_so(file: Path, text: str) -> None:
    file.parent.mkdir()
    file.write_text(text)
    with pytest.raises(BenchmarkError, match=r"king/tasks.json cannot be read: delete"):
        read_benchmarks(file)


def test_a_card_tells_them_once_and_keeps_its_text(tmp_path: Path) -> None:
    card = tmp_path / "card.md"
    card.write_text("# King\n\nA model.\n", "utf-8")
    tell_benchmarks(card, [ARC, replace(ARC, task="hellaswag")])
    tell_benchmarks(card, [ARC, replace(ARC, is_chat=True, figures={"acc": 0.5})])
    assert card.read_text("utf-8") == (
        "# King\n\nA model.\n\n## Benchmarks\n\n"
        "| benchmark | questions | measure | before | after |\n|---|---|---|---|---|\n"
        "| arc_easy | 100 | acc | 0.470 ± 0.050 | 0.410 ± 0.049 |\n"
        "| arc_easy | 100 | acc_norm |  | 0.400 |\n"
        "| arc_easy, as a chat | 100 | acc | 0.470 ± 0.050 | 0.500 |\n"
        "\nAsked by lm-eval 0.4.13; behind ± is the standard error. "
        f"{LESSON}\n"
    )
