"""Every shipped set of data is trained on once, from the job to the released model."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from finetune.data.shipped import SETS
from finetune.jobs.asking import Asked, build_recipe
from finetune.jobs.files import SHIPPED
from finetune.jobs.job import NewJob
from finetune.jobs.learning import Learning
from finetune.settings import load_settings
from finetune.work.trainer import LocalTrainer
from finetune.work.worker import Worker
from tests.kit.trainings import NoPlayers

pytestmark = pytest.mark.slow

SMALL = {"vocabulary": 300, "layers": 1, "width": 32, "heads": 2}


def test_each_set_trains_a_model(tmp_path: Path) -> None:
    learning = Learning(load_settings({}, instance=tmp_path))
    jobs = {}
    for name, shipped in SETS.items():
        base = learning.base("fresh-small")
        file_id = f"{SHIPPED}{name}"
        # As the page begins with it; a model from nothing has no turns of a chat.
        data = {"text": shipped.text, "answer": shipped.answer}
        recipe = build_recipe(
            Asked(recipe={"fresh": SMALL, "updates": 1, "block": 64, "data": data}),
            base,
            path=learning.data_path(file_id),
            minutes=30,
        )
        new = NewJob(
            user=name,
            name=name,
            model=base.name,
            training_file=file_id,
            asked={"metadata": {"data_source": f"The set {name}", "data_terms": "CC0"}},
            recipe=recipe.model_dump(mode="json"),
            expected=1.0,
        )
        jobs[name] = learning.jobs.create(new, most=1)
    Worker(
        store=learning.jobs,
        runs=learning.runs,
        engine=NoPlayers(),
        load_trainer=lambda: LocalTrainer(learning),
    ).work()
    for name, job in jobs.items():
        done = learning.jobs.get(job.id)
        assert done.status == "succeeded", (name, done.error)
        assert done.figures["heldout_loss"] > 0
        made = learning.models / name
        assert json.loads((made / "manifest.json").read_text())["name"] == name
        told = f"from: The set {name}. Under what terms it may be used: CC0."
        assert told in (made / "card.md").read_text("utf-8")
