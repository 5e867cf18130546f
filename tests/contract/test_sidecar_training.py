"""The official client drives a whole training: a file, a job, its events, a model.

A real sidecar and a real worker train a small model from nothing.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import openai
import pytest
from openai.types.fine_tuning import FineTuningJob

from tests.kit.sidecar import RunningSidecar, running_sidecar, wait_until
from tests.kit.workers import running_worker

pytestmark = [pytest.mark.integration, pytest.mark.slow]

# A worker imports torch for its first job, on a machine that is shared.
LONGEST = 600.0
TINY = {"vocabulary": 256, "layers": 1, "width": 32, "heads": 2}
SETTINGS = {
    "fresh": TINY,
    "block": 64,
    "rows": 8,
    "log_every": 1,
    "learning_rate": 0.01,
    "data": {"text": "{question} {answer}"},
}
ROWS = "".join(
    json.dumps({"question": f"{n} plus 1?", "answer": f"It is {n + 1}."}) + "\n"
    for n in range(200)
).encode()


@pytest.fixture(scope="module")
def instance(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("training")


@pytest.fixture(scope="module")
def sidecar(instance: Path) -> Iterator[RunningSidecar]:
    with (
        running_sidecar(instance, preload="smollm2", file_bytes=200_000) as running,
        running_worker(instance),
    ):
        yield running


@pytest.fixture(scope="module")
def client(sidecar: RunningSidecar) -> openai.OpenAI:
    return sidecar.client()


@pytest.fixture(scope="module")
def file_id(client: openai.OpenAI) -> str:
    return client.files.create(file=("sums.jsonl", ROWS), purpose="fine-tune").id


def train(
    client: openai.OpenAI, file_id: str, suffix: str, **recipe: Any
) -> FineTuningJob:
    extra = {"recipe": SETTINGS | recipe, "user": suffix}
    return client.fine_tuning.jobs.create(
        model="fresh-small", training_file=file_id, suffix=suffix, extra_body=extra
    )


def await_status(client: openai.OpenAI, job_id: str, *wanted: str) -> FineTuningJob:
    def has_it() -> bool:
        job = client.fine_tuning.jobs.retrieve(job_id)
        assert job.status in wanted or job.status in ("queued", "running"), job.error
        return job.status in wanted

    wait_until(has_it, LONGEST)
    return client.fine_tuning.jobs.retrieve(job_id)


def test_the_round_trip(client: openai.OpenAI, file_id: str) -> None:
    sent = client.files.retrieve(file_id)
    assert (sent.filename, sent.status, sent.bytes) == (
        "sums.jsonl",
        "processed",
        len(ROWS),
    )
    assert file_id in [file.id for file in client.files.list()]
    assert client.files.content(file_id).content == ROWS

    job = train(client, file_id, "sums", updates=12)
    assert job.status in ("queued", "running")
    assert job.id in [one.id for one in client.fine_tuning.jobs.list()]
    done = await_status(client, job.id, "succeeded")
    assert done.fine_tuned_model == "sums"
    assert done.trained_tokens is not None
    assert done.trained_tokens > 0
    assert done.finished_at is not None

    events = list(client.fine_tuning.jobs.list_events(job.id, limit=5))
    told = [event.message for event in events]
    assert told[0] == "The training is over."
    assert "Step 12 of 12" in " ".join(told)
    assert told[-1] == "The training begins."
    assert len({event.id for event in events}) == len(events)

    reply = client.completions.create(
        model="sums", prompt="7 plus 1?", max_tokens=8, temperature=0
    )
    assert reply.choices[0].text


def test_a_file_that_is_too_large_is_said_to_be(client: openai.OpenAI) -> None:
    with pytest.raises(openai.APIStatusError, match="The file is too large") as caught:
        client.files.create(file=("a.txt", b"x" * 30_000_000), purpose="fine-tune")
    assert caught.value.status_code == 413


def test_figures_curves_files_and_the_locked_part(
    sidecar: RunningSidecar, client: openai.OpenAI, file_id: str
) -> None:
    job = train(client, file_id, "figures", updates=20,
                data={"text": "{question}", "answer": " {answer}"},
                sample={"prompt": "3 plus", "every_seconds": 1})  # fmt: skip
    await_status(client, job.id, "succeeded")
    address = f"/fine_tuning/jobs/{job.id}"
    told: dict[str, Any] = client.get(address, cast_to=dict)
    figures = told["figures"]
    assert figures["heldout_loss"] < figures["base_heldout_loss"]
    assert figures["heldout_bits_per_byte"] < figures["base_heldout_bits_per_byte"]
    curves: dict[str, Any] = client.get(f"{address}/curves", cast_to=dict)
    assert [update for update, _ in curves["train"]] == list(range(1, 21))
    assert curves["heldout"][0][0] == 0
    assert curves["samples"][0]["prompt"] == "3 plus"

    status, _, answer = sidecar.post(f"{address}/test", {})
    assert status == 202, answer
    wait_until(lambda: client.get(address, cast_to=dict)["test"] == "done", LONGEST)
    figures = client.get(address, cast_to=dict)["figures"]
    assert figures["test_perplexity"] < figures["test_base_perplexity"]
    assert len(figures["test_replies"]) == 20
    assert all(
        row.keys() == {"prompt", "target", "text"} and row["target"]
        for row in figures["test_replies"]
    )
    assert sidecar.post(f"{address}/test", {})[0] == 409

    for name in ("model.gguf", "model.safetensors", "card.md"):
        found = client.get(
            f"{address}/files/{name}",
            cast_to=openai._legacy_response.HttpxBinaryResponseContent,
        )
        assert len(found.content) > 500


def test_cancel_then_go_on(client: openai.OpenAI, file_id: str) -> None:
    job = train(client, file_id, "long", updates=100_000, epochs=9999, minutes=5)
    wait_until(lambda: client.fine_tuning.jobs.list_events(job.id).data, LONGEST)
    wait_until(
        lambda: any(
            "Step" in e.message for e in client.fine_tuning.jobs.list_events(job.id)
        ),
        LONGEST,
    )
    client.fine_tuning.jobs.cancel(job.id)
    await_status(client, job.id, "cancelled")
    with pytest.raises(openai.ConflictError, match="is cancelled"):
        client.fine_tuning.jobs.cancel(job.id)
    client.fine_tuning.jobs.resume(job.id)
    await_status(client, job.id, "running")
    client.post(f"/fine_tuning/jobs/{job.id}/keep", cast_to=dict)
    done = await_status(client, job.id, "succeeded")
    assert done.fine_tuned_model == "long"


def test_pause_is_openais_too(client: openai.OpenAI, file_id: str) -> None:
    job = train(client, file_id, "pause", updates=100_000, epochs=9999, minutes=5)
    await_status(client, job.id, "running")
    client.fine_tuning.jobs.pause(job.id)
    await_status(client, job.id, "paused")
    client.fine_tuning.jobs.cancel(job.id)
    assert client.fine_tuning.jobs.retrieve(job.id).status == "cancelled"


def test_a_second_worker_takes_a_second_job(
    client: openai.OpenAI, file_id: str, instance: Path
) -> None:
    """Each may see another GPU: two students train at once on one computer."""

    def is_learning(job: FineTuningJob) -> bool:
        told: dict[str, Any] = client.get(f"/fine_tuning/jobs/{job.id}", cast_to=dict)
        return bool(told["status"] == "running" and told["progress"]["update"] > 0)

    jobs = [
        train(client, file_id, name, updates=100_000, epochs=9999, minutes=15)
        for name in ("first", "second")
    ]
    wait_until(lambda: any(map(is_learning, jobs)), LONGEST)
    assert not all(map(is_learning, jobs))
    with running_worker(instance):
        wait_until(lambda: all(map(is_learning, jobs)), LONGEST)
        for job in jobs:
            client.fine_tuning.jobs.cancel(job.id)
            await_status(client, job.id, "cancelled")


def test_openais_own_file_needs_nothing_of_ours(client: openai.OpenAI) -> None:
    """Rows of messages, `hyperparameters`, and nothing else."""
    rows = "".join(
        json.dumps({"messages": [
            {"role": "user", "content": f"Say {n}"},
            {"role": "assistant", "content": f"{n}!"},
        ]}) + "\n"
        for n in range(60)
    )  # fmt: skip
    file = client.files.create(file=("c.jsonl", rows.encode()), purpose="fine-tune")
    job = client.fine_tuning.jobs.create(
        model="fresh-small", training_file=file.id, suffix="chatty",
        hyperparameters={"n_epochs": 1, "batch_size": 2},
    )  # fmt: skip
    await_status(client, job.id, "succeeded")
    reply = client.chat.completions.create(
        model="chatty", messages=[{"role": "user", "content": "Say 3"}], max_tokens=5
    )
    assert reply.choices[0].message.content is not None
