"""What a student trained is served a moment later, under its name, beside the rest."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import openai
import pytest
from safetensors.numpy import save_file

from finetune.releasing.student import release_run
from finetune.training.events import EVENTS
from finetune.weights.merge import ADAPTER, CONFIG
from tests.finetune.training.student import student_recipe, texts, train_student
from tests.kit.models import GGUF_PLACE
from tests.kit.sidecar import RunningSidecar, running_sidecar, wait_until

__all__ = ["texts"]  # a fixture
pytestmark = [pytest.mark.integration, pytest.mark.slow]

LEAN = {"preload": "", "slots": 2, "engine_copies": 1, "context": 512}


@pytest.fixture(scope="module")
def sidecar(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningSidecar]:
    with running_sidecar(tmp_path_factory.mktemp("instance"), **LEAN) as running:
        yield running


def kinds(client: openai.OpenAI) -> dict[str, str]:
    return {model.id: model.kind for model in client.models.list()}  # type: ignore[attr-defined]


def trained(out: Path, **changes: Any) -> Path:
    """Train a model from nothing, and leave what a worker leaves."""
    events: list[dict[str, Any]] = []
    chosen = student_recipe("fresh", **changes)
    train_student(chosen, out, events=events)
    (out / EVENTS).write_text("".join(json.dumps(e) + "\n" for e in events), "utf-8")
    return out


def adapter_on_the_shipped_model(out: Path, *, is_chat: bool) -> Path:
    """Write the run of an adapter that has learned nothing: the base as it is."""
    name = "base_model.model.model.layers.0.mlp.up_proj"
    halves = {
        f"{name}.lora_A.weight": np.zeros((2, 576), np.float32),
        f"{name}.lora_B.weight": np.zeros((1536, 2), np.float32),
    }
    save_file(halves, out / ADAPTER)
    (out / CONFIG).write_text(json.dumps({"r": 2, "lora_alpha": 64}), "utf-8")
    recipe = student_recipe(GGUF_PLACE, lora={"rank": 2, "alpha": 64})
    told = recipe.model_dump(mode="json")
    told["data"]["is_chat"] = is_chat
    run = {"recipe": told, "figures": {"heldout_loss": 2.0}, "seconds": 1.0}
    rows = {"event": "rows", "train": 1, "held_out": 1, "tokens": 9}
    stage = {"event": "stage", "learned": 5, "parameters": 9, "precision": "fp32"}
    step = {"event": "step", "update": 1, "tokens": 9, "seconds": 1.0}
    events = [rows, stage | {"device": "cpu"}, step]
    (out / EVENTS).write_text("\n".join(json.dumps(e) for e in events), "utf-8")
    (out / "run.json").write_text(json.dumps(run), "utf-8")
    return out


def test_a_model_from_nothing_goes_on_with_a_text(
    texts: list[str], sidecar: RunningSidecar, tmp_path: Path
) -> None:
    models = sidecar.log.parent / "models"
    release_run(trained(tmp_path / "run", epochs=15), models, "teller", about={})
    with sidecar.client() as client:
        wait_until(lambda: "teller" in kinds(client), seconds=5)
        assert kinds(client)["teller"] == "base"
        said = client.completions.create(
            model="teller", prompt="The king", max_tokens=12, temperature=0
        )
        known = {word for text in texts for word in text.split()}
        words = said.choices[0].text.split()
        assert len(words) > 3
        assert sum(word in known for word in words) >= len(words) - 1
        with pytest.raises(openai.BadRequestError, match="not learnt to chat"):
            client.chat.completions.create(
                model="teller", messages=[{"role": "user", "content": "Hi"}]
            )


def test_a_chat_from_nothing_answers(
    texts: list[str], sidecar: RunningSidecar, tmp_path: Path
) -> None:
    data = {"source": "rows", "path": "stories.txt", "is_chat": True}
    run = trained(tmp_path / "run", data=data)
    release_run(run, sidecar.log.parent / "models", "talker", about={})
    with sidecar.client() as client:
        wait_until(lambda: kinds(client).get("talker") == "chat", seconds=5)
        reply = client.chat.completions.create(
            model="talker", messages=[{"role": "user", "content": "Hi"}], max_tokens=9
        )
        assert reply.usage
        assert reply.usage.completion_tokens > 0


@pytest.mark.parametrize("is_chat", [False, True])
def test_an_adapter_on_the_shipped_model_says_what_it_says(
    sidecar: RunningSidecar, tmp_path: Path, is_chat: bool
) -> None:
    run = tmp_path / "run"
    run.mkdir()
    name = f"same-{is_chat}".lower()
    models = sidecar.log.parent / "models"
    adapter_on_the_shipped_model(run, is_chat=is_chat)
    release_run(run, models, name, about={})
    options: dict[str, Any] = {"max_tokens": 8, "temperature": 0}
    with sidecar.client() as client:
        wait_until(lambda: name in kinds(client), seconds=5)
        assert kinds(client)[name] == ("chat" if is_chat else "base")
        prompt = "The capital of France is"
        said, wanted = (
            client.completions.create(model=model, prompt=prompt, **options)
            for model in (name, "smollm2")
        )
        assert said.choices[0].text == wanted.choices[0].text
        if is_chat:
            reply = client.chat.completions.create(
                model=name, messages=[{"role": "user", "content": "Hi"}], **options
            )
            assert reply.choices[0].message.content
