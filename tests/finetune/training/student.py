"""Runs on rows of a student's text, small enough for a test."""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest

from finetune.data import sources
from finetune.data.packing import IGNORE, Document, PackedRows, pack
from finetune.data.sources import DialogueRows
from finetune.recipes.lm import LmRecipe
from finetune.training import lm
from finetune.training.control import Control
from finetune.training.course import Course
from finetune.training.events import record

WHO = ("the king", "an old fisher", "my sister", "the baker", "a small dog")
DOES = ("bakes", "finds", "carries", "paints", "forgets")
WHAT = ("bread", "a golden ring", "three apples", "the blue boat", "a letter")
WHERE = ("in the kitchen", "by the river", "at the market", "under the bridge")


def stories(count: int, seed: int = 0) -> list[str]:
    """Return short texts of a few words, which a small model learns quickly."""
    rng = random.Random(seed)
    said = []
    for _ in range(count):
        lines = [
            f"{rng.choice(WHO)} {rng.choice(DOES)} {rng.choice(WHAT)}"
            f" {rng.choice(WHERE)}.".capitalize()
            for _ in range(3)
        ]
        said.append(" ".join(lines))
    return said


def packed(texts: Iterable[str], tokenizer: Any, block: int) -> PackedRows:
    """Return texts as rows: every token is learned, and the end of each text."""

    def documents() -> Iterator[Document]:
        for text in texts:
            ids = tokenizer(text, add_special_tokens=False)["input_ids"]
            ids = [*ids, tokenizer.eos_token_id]
            yield Document(ids, [*ids[1:], IGNORE])

    return pack(documents(), block, filler=tokenizer.eos_token_id)


@pytest.fixture
def texts(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Let recipes of rows learn from these texts; the last tenth is held out."""
    written = stories(120)
    cut = len(written) * 9 // 10

    def rows(recipe: LmRecipe, tokenizer: Any) -> DialogueRows:
        parts = (written[:cut], written[cut:])
        return DialogueRows(*(packed(p, tokenizer, recipe.block) for p in parts))

    monkeypatch.setattr(lm, "read_rows", rows)
    monkeypatch.setattr(
        sources, "training_texts", lambda recipe: written[:cut], raising=False
    )
    return written


def student_recipe(base: str | Path, **changes: Any) -> LmRecipe:
    """Return a recipe of rows."""
    return LmRecipe.model_validate(
        {
            "kind": "lm",
            "name": "mine",
            "purpose": "For tests.",
            "base": str(base),
            "seed": 3,
            "data": {"source": "rows", "path": "stories.txt"},
            "fresh": {"vocabulary": 300, "layers": 2, "width": 64, "heads": 4},
            "block": 64,
            "rows": 4,
            "epochs": 1,
            "learning_rate": 0.005,
            "precision": "fp32",
            "log_every": 1,
            "eval_every": 1000,
        }
        | changes
    )


def train_student(
    chosen: LmRecipe,
    out: Path,
    *,
    resume: bool = False,
    control: Control | None = None,
    save_every: float | None = 120,
    events: list[dict[str, Any]] | None = None,
) -> tuple[dict[str, float], list[dict[str, Any]]]:
    """Train; return figures and events."""
    told: list[dict[str, Any]] = [] if events is None else events
    course = Course(
        chosen,
        out,
        resume=resume,
        emit=lambda event: told.append(record(event)),
        control=control,
        save_every=save_every,
    )
    return lm.train(chosen, course, cache=out / "models"), told


def named(events: list[dict[str, Any]], name: str) -> list[dict[str, Any]]:
    """Return the events of a name."""
    return [event for event in events if event["event"] == name]
