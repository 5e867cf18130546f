"""Models and data sets of a hub, from a job to a reply: real processes, a hub here."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import openai
import pytest
from openai.types.fine_tuning import FineTuningJob

from tests.finetune.tiny_models import write_tiny
from tests.finetune.training.student import stories
from tests.kit.hub import FakeHub, running_hub
from tests.kit.sidecar import KEY, RunningSidecar, running_sidecar, wait_until
from tests.kit.workers import running_worker
from webapp.domain.train.data import COUNTED_BY
from webapp.errors import InvalidInput
from webapp.llm.training import TrainingClient

pytestmark = [pytest.mark.integration, pytest.mark.slow]

# A worker imports torch for its first job, on a machine that is shared.
LONGEST = 600.0
SERVED = ("gpt2", "gpt_neox", "llama")
TEXTS = stories(120)
SETTINGS = {"block": 64, "rows": 4, "updates": 6, "log_every": 1}


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FakeHub]:
    folder = tmp_path_factory.mktemp("repositories")
    with running_hub() as running:
        for kind in (*SERVED, "bloom"):
            running.models[f"tiny/{kind}"] = write_tiny(folder / kind, kind, TEXTS)
            running.about[f"tiny/{kind}"] = {"cardData": {"license": "mit"}}
        # The engine knows no tokenizer that puts a space before each text.
        told = folder / "bloom" / "tokenizer.json"
        tokenizer = json.loads(told.read_text("utf-8"))
        tokenizer["pre_tokenizer"]["add_prefix_space"] = True
        told.write_text(json.dumps(tokenizer), "utf-8")
        yield running


@pytest.fixture(scope="module")
def instance(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("hub")


@pytest.fixture(scope="module")
def sidecar(instance: Path, hub: FakeHub) -> Iterator[RunningSidecar]:
    with pytest.MonkeyPatch.context() as patch:
        for name, value in hub.env().items():
            patch.setenv(name, value)
        address = {"preload": "", "datasets_url": hub.url}
        with running_sidecar(instance, **address) as running, running_worker(instance):
            yield running


@pytest.fixture(scope="module")
def client(sidecar: RunningSidecar) -> openai.OpenAI:
    return sidecar.client()


@pytest.fixture(scope="module")
def file_id(client: openai.OpenAI) -> str:
    text = "\n".join(TEXTS).encode()
    return client.files.create(file=("stories.txt", text), purpose="fine-tune").id


def done(client: openai.OpenAI, job_id: str) -> FineTuningJob:
    def is_over() -> bool:
        job = client.fine_tuning.jobs.retrieve(job_id)
        assert job.status in ("succeeded", "queued", "running"), job.error
        return job.status == "succeeded"

    wait_until(is_over, LONGEST)
    return client.fine_tuning.jobs.retrieve(job_id)


def train(
    client: openai.OpenAI, file_id: str, model: str, **recipe: Any
) -> FineTuningJob:
    job = client.fine_tuning.jobs.create(
        model=model,
        training_file=file_id,
        extra_body={"recipe": SETTINGS | recipe, "user": model},
    )
    return done(client, job.id)


@pytest.mark.parametrize("lora", [{"rank": 4, "alpha": 8}, None])
@pytest.mark.parametrize("kind", SERVED)
def test_a_model_of_the_hub_is_trained_and_answers(
    client: openai.OpenAI, instance: Path, file_id: str, kind: str, lora: Any
) -> None:
    job = train(client, file_id, f"tiny/{kind}", lora=lora)
    assert job.fine_tuned_model is not None
    assert job.fine_tuned_model.startswith(kind.replace("_", "-"))
    told = job.model_extra or {}
    assert told["not_served"] is None
    assert told["figures"]["heldout_loss"] < told["figures"]["base_heldout_loss"]
    reply = client.completions.create(
        model=job.fine_tuned_model, prompt="The king", max_tokens=8, temperature=0
    )
    assert reply.usage is not None
    assert reply.usage.completion_tokens > 0
    card = (instance / "models" / job.fine_tuned_model / "card.md").read_text("utf-8")
    assert (
        f"It began as tiny/{kind.replace('_', chr(92) + '_')} (licence: mit)." in card
    )


def test_what_the_engine_does_not_know_is_kept_to_be_taken_away(
    client: openai.OpenAI, file_id: str
) -> None:
    job = train(client, file_id, "tiny/bloom")
    told = job.model_extra or {}
    assert job.fine_tuned_model is None
    assert told["not_served"].startswith("It cannot be prompted here: Its tokenizer")
    assert told["name"] not in [model.id for model in client.models.list()]
    events = [e.message for e in client.fine_tuning.jobs.list_events(job.id, limit=3)]
    assert told["not_served"] in events
    url = f"{client.base_url}fine_tuning/jobs/{job.id}/files/model.safetensors"
    weights = client.get(url, cast_to=bytes)
    assert len(weights) > 10_000


def test_a_trained_model_is_sent_to_the_hub(
    client: openai.OpenAI, sidecar: RunningSidecar, hub: FakeHub, file_id: str
) -> None:
    hub.tokens["hf_ada"] = "ada"
    job = train(client, file_id, "tiny/gpt2", lora={"rank": 4, "alpha": 8})
    with closing(TrainingClient(f"{sidecar.url}/v1", key=KEY)) as training:
        url = training.push(
            job.id, repository="ada/soup", token="hf_ada", is_private=True
        )
        assert url == f"{hub.url}/ada/soup"
        with pytest.raises(InvalidInput, match="does not know this token"):
            training.push(
                job.id, repository="ada/soup", token="hf_bob", is_private=True
            )
    sent = hub.sent["ada/soup"]
    assert sent["README.md"].startswith(b"---\nlibrary_name: peft")
    config = json.loads(sent["adapter_config.json"])
    assert config["base_model_name_or_path"] == "tiny/gpt2"
    assert len(sent["adapter_model.safetensors"]) > 1_000


def test_a_data_set_of_the_hub_is_fetched_and_learned_from(
    client: openai.OpenAI, hub: FakeHub
) -> None:
    hub.data["tiny/stories"] = [{"story": text, "number": n} for n, text in
                                enumerate(TEXTS)]  # fmt: skip
    hub.about["tiny/stories"] = {"cardData": {"license": "cc0-1.0"}}
    asked = {"name": "tiny/stories", "split": "train", "rows": 110}
    kept = client.post("/files/hub", body=asked, cast_to=dict[str, Any])
    assert kept["origin"]["licence"] == "cc0-1.0"
    assert kept["origin"]["rows"] == 110
    job = train(client, kept["id"], "tiny/gpt2", data={"text": "{story}"})
    assert job.fine_tuned_model is not None
    client.post(f"/fine_tuning/jobs/{job.id}/test", cast_to=dict[str, Any])

    def is_tested() -> bool:
        found = client.fine_tuning.jobs.retrieve(job.id)
        assert found.error is None, found.error
        return bool((found.model_extra or {})["test"] == "done")

    wait_until(is_tested, LONGEST)
    figures = (client.fine_tuning.jobs.retrieve(job.id).model_extra or {})["figures"]
    assert figures["test_loss"] < figures["test_base_loss"]


def test_the_site_fetches_a_set_and_may_begin_with_any_name(
    sidecar: RunningSidecar, hub: FakeHub
) -> None:
    hub.data["tiny/poems"] = [{"poem": text} for text in TEXTS]
    wanted = {"name": "tiny/poems", "subset": "", "split": "", "rows": 40}
    with closing(TrainingClient(f"{sidecar.url}/v1", key=KEY)) as site:
        stored = site.fetch_file(wanted)
        assert stored.filename.startswith("tiny-poems-")
        report = site.report(stored.id, model=COUNTED_BY, data={}, seed=0)
        assert (report.columns, report.rows) == (("poem",), 40)
        job = {
            "model": "tiny/gpt2",
            "training_file": stored.id,
            "recipe": {**SETTINGS, "data": {"text": "{poem}"}},
        }
        assert site.estimate(job).updates == SETTINGS["updates"]
        with pytest.raises(InvalidInput, match="no data set tiny/none"):
            site.fetch_file(wanted | {"name": "tiny/none"})
        with pytest.raises(InvalidInput, match="tiny/none"):
            site.estimate(job | {"model": "tiny/none"})


def test_a_card_is_shown_of_any_name(client: openai.OpenAI) -> None:
    card = client.get("/fine_tuning/bases/tiny/llama", cast_to=dict[str, Any])
    assert (card["licence"], card["kind"], card["online"]) == ("mit", "base", True)
    assert card["parameters"] > 10_000
    assert card["fits"] is True
    found = client.get("/fine_tuning/bases", cast_to=dict[str, Any])["data"]
    bases = {base["name"]: base for base in found}
    assert bases["gpt2"]["parameters"] == 124_439_808
    assert bases["gpt2"]["problem"] is None
    assert bases["gpt2"]["here"] is False
    assert bases["tiny/gpt2"]["here"] is True
