"""The locked part is judged: figures of model and base, and what the model replies."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from finetune.recipes.lm import LmRecipe
from finetune.work.testing import MOST_REPLIES, judge_test
from tests.finetune.training.student import student_recipe, train_student

# Whatever is asked, what is wanted is the same: a small model learns that in seconds.
SAYS = "four apples"


def asking(folder: Path, rows: list[dict[str, str]]) -> dict[str, Any]:
    path = folder / "rows.jsonl"
    path.write_text("".join(f"{json.dumps(row)}\n" for row in rows))
    return {
        "source": "rows",
        "path": str(path),
        "text": "{question}\n",
        "answer": "{answer}",
        "test": 0.3,
    }


def judged(chosen: LmRecipe, folder: Path) -> dict[str, Any]:
    train_student(chosen, folder)
    return judge_test(chosen, folder, cache=folder / "models")


def test_a_model_replies_to_rows_that_it_has_never_seen(tmp_path: Path) -> None:
    asked = [{"question": f"What is number {n}?", "answer": SAYS} for n in range(90)]
    # Too long to be kept with a job.
    asked += [{"question": f"{n} " * 600, "answer": SAYS} for n in range(9)]
    data = asking(tmp_path, asked)
    found = judged(student_recipe("fresh", data=data, epochs=15), tmp_path / "run")
    assert found["test_perplexity"] < found["test_base_perplexity"]
    replies = found["test_replies"]
    assert len(replies) == MOST_REPLIES
    assert all(len(reply["prompt"]) < 40 for reply in replies)
    assert {reply["target"] for reply in replies} == {SAYS}
    assert len({reply["prompt"] for reply in replies}) == MOST_REPLIES
    right = [reply for reply in replies if reply["text"] == SAYS]
    assert len(right) > 15
    # Judged once more, it says the same: nothing is drawn.
    again = judge_test(
        student_recipe("fresh", data=data), tmp_path / "run", cache=tmp_path / "models"
    )
    assert again["test_replies"] == replies


# That of peft: it asks transformers by an older name.
@pytest.mark.filterwarnings("ignore:`is_gradient_checkpointing`:FutureWarning")
def test_an_adapter_replies_and_not_its_base(tmp_path: Path, tiny_base: Path) -> None:
    asked = [{"question": f"{n}?", "answer": "ab"} for n in range(40)]
    data = asking(tmp_path, asked)
    chosen = student_recipe(
        tiny_base,
        data=data,
        lora={"rank": 8, "alpha": 16},
        epochs=30,
        learning_rate=0.02,
    )
    found = judged(chosen, tmp_path / "run")
    assert found["test_replies"][0]["text"] == "ab"


@pytest.mark.parametrize("answer", [None, "{answer}"])
def test_rows_of_plain_text_have_no_replies(tmp_path: Path, answer: str | None) -> None:
    asked = [{"question": f"Story {n} ends.", "answer": "So."} for n in range(30)]
    data = asking(tmp_path, asked) | {"text": "{question}", "answer": answer}
    found = judged(student_recipe("fresh", data=data), tmp_path / "run")
    assert ("test_replies" in found) is (answer is not None)
    assert "test_perplexity" in found
