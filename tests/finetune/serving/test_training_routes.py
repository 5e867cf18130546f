"""/v1/files and /v1/fine_tuning, with no worker: what is taken, and what is refused."""

from __future__ import annotations

import io
import json
import re
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest
import yaml
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from finetune.jobs.trainings import Trainings
from finetune.recipes.reading import load_recipe
from finetune.serving.routes.app import create_app
from finetune.settings import load_settings
from finetune.weights.benchmarks import RESULTS, Benchmark, keep_benchmarks

KEY = "the-key"
ROWS = [{"question": f"{n} + 1?", "answer": f"It is {n + 1}."} for n in range(60)]
JSONL = "".join(json.dumps(row) + "\n" for row in ROWS).encode()
CHATS = "".join(
    json.dumps(
        {
            "messages": [
                {"role": "user", "content": row["question"]},
                {"role": "assistant", "content": row["answer"]},
            ]
        }
    )
    + "\n"
    for row in ROWS
).encode()


class Caller(FlaskClient):
    """A client that sends the key."""

    def open(self, *args: Any, **kwargs: Any) -> TestResponse:
        headers = {"Authorization": f"Bearer {KEY}"} | dict(kwargs.pop("headers", {}))
        return super().open(*args, headers=headers, **kwargs)

    def upload(self, data: bytes = JSONL, name: str = "rows.jsonl") -> TestResponse:
        """Send a file."""
        sent = {"file": (io.BytesIO(data), name), "purpose": "fine-tune"}
        return self.post("/v1/files", data=sent)

    def file_id(self, data: bytes = JSONL, name: str = "rows.jsonl") -> str:
        """Send a file; return its id."""
        answer = self.upload(data, name)
        assert answer.status_code == 200, answer.text
        found: str = answer.get_json()["id"]
        return found

    def train(self, file_id: str, **changes: Any) -> TestResponse:
        """Ask for a training."""
        body: dict[str, Any] = {
            "model": "fresh-small",
            "training_file": file_id,
            "user": "ada",
        }
        body["recipe"] = {"data": {"text": "{question} {answer}"}, "updates": 5}
        return self.post("/v1/fine_tuning/jobs", json=body | changes)

    def job(self, **changes: Any) -> dict[str, Any]:
        """Ask for a training of a file of its own; return the job."""
        answer = self.train(self.file_id(), **changes)
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.get_json()
        return found


@pytest.fixture
def app(tmp_path: Path) -> Flask:
    settings = load_settings(
        {}, instance=tmp_path / "instance", preload="", key=KEY, file_bytes=20_000
    )
    made = create_app(settings)
    made.test_client_class = Caller
    return made


@pytest.fixture
def caller(app: Flask) -> Caller:
    found = app.test_client()
    assert isinstance(found, Caller)
    return found


@pytest.fixture
def trainings(app: Flask) -> Trainings:
    found: Trainings = app.extensions["trainings"]
    return found


def said(answer: TestResponse) -> str:
    """Return the message of an error, which is a sentence."""
    message: str = answer.get_json()["error"]["message"]
    assert re.search(r"[.]$", message), message
    return message


def test_a_file_comes_back_as_it_was_sent(caller):
    sent = caller.upload(name="../../my rows.jsonl").get_json()
    assert sent["object"] == "file"
    assert sent["status"] == "processed"
    assert (sent["filename"], sent["bytes"]) == ("my rows.jsonl", len(JSONL))
    assert caller.get(f"/v1/files/{sent['id']}").get_json() == sent
    assert caller.get("/v1/files").get_json()["data"] == [sent]
    content = caller.get(f"/v1/files/{sent['id']}/content", buffered=True)
    assert content.data == JSONL
    assert content.headers["Content-Disposition"].startswith("attachment")
    gone = caller.delete(f"/v1/files/{sent['id']}").get_json()
    assert gone == {"id": sent["id"], "object": "file", "deleted": True}
    assert caller.get(f"/v1/files/{sent['id']}").status_code == 404
    assert caller.get("/v1/files").get_json()["data"] == []


def test_a_script_that_is_sent_is_not_shown_as_a_page(caller):
    file_id = caller.file_id(b"<script>alert(1)</script>\nmore\n", "page.html")
    content = caller.get(f"/v1/files/{file_id}/content", buffered=True)
    assert content.mimetype == "application/octet-stream"


def test_a_file_that_is_too_large_is_refused(caller, trainings):
    answer = caller.upload(b"x" * 20_001, "large.txt")
    assert answer.status_code == 413
    assert "at most 0 MB" in said(answer)
    assert caller.upload(b"x" * 500_000, "larger.txt").status_code == 413
    assert caller.upload(b"x" * 20_000, "fits.txt").status_code == 200
    left = [path.name for path in (trainings.learning.files._folder).iterdir()]
    assert len(left) == 2


def test_other_routes_still_take_little(caller):
    answer = caller.post("/v1/fine_tuning/jobs", json={"model": "x" * 1_100_000})
    assert answer.status_code == 413


@pytest.mark.parametrize(
    "data",
    [
        {},
        {"purpose": "fine-tune"},
        {"file": (io.BytesIO(b"a\nb\n"), "a.txt"), "purpose": "assistants"},
        {"file": (io.BytesIO(b""), "a.txt")},
    ],
    ids=["nothing", "no file", "another purpose", "an empty file"],
)
def test_what_is_no_upload_is_refused(caller, data):
    answer = caller.post("/v1/files", data=data, content_type="multipart/form-data")
    assert answer.status_code == 400
    said(answer)


@pytest.mark.parametrize("path", [
    "/v1/files", "/v1/files/shipped", "/v1/files/file-x", "/v1/fine_tuning/bases",
    "/v1/fine_tuning/jobs", "/v1/fine_tuning/jobs/x/events",
])  # fmt: skip
def test_the_key_is_needed(caller, path):
    assert caller.get(path, headers={"Authorization": ""}).status_code == 401


@pytest.mark.parametrize("name", [
    "file-x", "..", "../jobs.db", "%2e%2e%2fjobs.db", "file-" + "0" * 24,
    "shipped-", "shipped-../../x", "shipped-nope", "file-" + "0" * 24 + "%0a",
])  # fmt: skip
@pytest.mark.parametrize("tail", ["", "/content"])
def test_no_id_leads_out_of_the_folder(caller, name, tail):
    caller.file_id()
    answer = caller.get(f"/v1/files/{name}{tail}")
    assert answer.status_code in (404, 308), answer.text


@pytest.mark.parametrize("path", [
    "", "/events", "/curves", "/recipe", "/files/model.gguf",
])  # fmt: skip
@pytest.mark.parametrize("job_id", ["x", "..", "ftjob-" + "0" * 24, "%2e%2e"])
def test_unknown_jobs_are_not_found(caller, job_id, path):
    answer = caller.get(f"/v1/fine_tuning/jobs/{job_id}{path}")
    assert answer.status_code == 404


@pytest.mark.parametrize("action", ["cancel", "pause", "resume", "keep", "test"])
def test_unknown_jobs_cannot_be_steered(caller, action):
    answer = caller.post(f"/v1/fine_tuning/jobs/ftjob-x/{action}")
    assert answer.status_code == 404
    assert said(answer) == "There is no training 'ftjob-x'."


@pytest.mark.parametrize(
    ("recipe", "says"),
    [
        ({"epochs": "x"}, "recipe.epochs: must be a number"),
        ({"epoch": 1}, "There is no setting recipe.epoch"),
        ({"name": "x"}, "recipe.name is decided by"),
        ({"base": "package:x/y"}, "recipe.base is decided by"),
        ({"data": {"path": "/etc/passwd"}}, "recipe.data.path is that of"),
        ({"data": {"source": "warden", "words": "/etc/passwd"}}, "can only be rows"),
        ({"data": []}, "recipe.data must be an object"),
        ({"data": {"text": "{nope}"}}, "There is no column {nope}"),
        ({"data": {"validation": 3}}, "recipe.data.validation: must be at most 1"),
        ({"data": {"validation": 0.6, "test": 0.4}}, "Nothing is left to learn from"),
        ({"lora": {"start": "/etc"}}, "names a folder of this computer"),
        ({"minutes": 31}, "recipe.minutes must be at most 30"),
        ({"rows": 1000}, "recipe.rows must be at most 256"),
        ({"block": 4096}, "recipe.block must be at most 2048"),
        ({"fresh": {"width": 1024, "layers": 24, "heads": 16, "vocabulary": 32768},
          "rows": 256, "block": 2048}, "of memory"),
    ],
)  # fmt: skip
def test_a_recipe_that_cannot_be_used_is_one_sentence(caller, recipe, says):
    data = recipe.get("data")
    if data is None:
        recipe = recipe | {"data": {"text": "{question}"}}
    answer = caller.train(caller.file_id(), recipe=recipe)
    assert answer.status_code == 400, answer.text
    assert says in said(answer)
    assert caller.get("/v1/fine_tuning/jobs").get_json()["data"] == []


@pytest.mark.parametrize(
    ("changes", "status", "says"),
    [
        ({"model": "gpt-4"}, 404, "There is no model 'gpt-4' to start from"),
        ({"training_file": "file-no"}, 404, "There is no file 'file-no'"),
        ({"seed": -1}, 400, "seed"),
        ({"hyperparameters": {"n_epochs": 0}}, 400, "n_epochs"),
        ({"hyperparameters": {"beta": 1}}, 400, "Unrecognized request argument"),
        ({"method": {"type": "dpo"}}, 400, "only supervised"),
        ({"validation_file": "file-x"}, 400, "a part of training_file"),
        ({"what": 1}, 400, "Unrecognized request argument: what"),
    ],
)
def test_a_body_that_cannot_be_used_is_one_sentence(caller, changes, status, says):
    answer = caller.train(caller.file_id(), **changes)
    assert answer.status_code == status, answer.text
    assert says in said(answer)


@pytest.mark.parametrize(
    ("data", "name"),
    [
        (b"one line only\n", "a.txt"),
        (b"\x89PNG\r\n\x1a\n\x00\x00\x00", "a.txt"),
        (b"PK\x03\x04\x00\x00\x00\x00", "a.csv"),
        (b'{"a": 1}\n{"a": \n', "a.jsonl"),
    ],
    ids=["one line", "an image", "a zip", "half a row"],
)
def test_a_file_that_is_no_text_is_one_sentence(caller, data, name):
    file_id = caller.file_id(data, name)
    for answer in (
        caller.post(f"/v1/files/{file_id}/report", json={"model": "fresh-small"}),
        caller.train(file_id, recipe={}),
    ):
        assert answer.status_code == 400, answer.text
        said(answer)


def test_a_report_shows_rows_and_figures(caller):
    body = {"model": "fresh-small", "data": {"text": "{question} ", "answer":
            "{answer}"}, "rows": 3}  # fmt: skip
    found = caller.post(f"/v1/files/{caller.file_id()}/report", json=body).get_json()
    assert found["columns"] == ["question", "answer"]
    assert len(found["preview"]) == len(found["rendered"]) == 3
    assert found["report"]["rows"] == 60
    parts = [found["report"][part] for part in ("train", "validation", "test")]
    assert parts == [48, 6, 6]
    assert found["report"]["tokens_per_epoch"] > 0


def test_an_estimate_follows_its_settings(caller):
    file_id = caller.file_id()

    def ask(**recipe: Any) -> dict[str, Any]:
        body = {"model": "fresh-small", "training_file": file_id}
        answer = caller.post("/v1/fine_tuning/estimate", json=body | {"recipe": recipe})
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.get_json()
        return found

    one, two = ask(epochs=1), ask(epochs=2)
    assert two["updates"] == 2 * one["updates"]
    assert two["tokens"] == pytest.approx(2 * one["tokens"], rel=0.01)
    assert two["flops"] == pytest.approx(2 * one["flops"], rel=0.01)
    assert one["memory_bytes"] < ask(epochs=1, rows=64)["memory_bytes"]
    assert ask(epochs=5000, minutes=0.1)["seconds"] < 15
    assert one["measured"] is False
    assert one["fits"] is True
    assert one["learned"] == one["parameters"] > 800_000
    assert "It will take about" in one["sentence"]


def test_a_job_is_told_in_openais_shape(caller):
    job = caller.job(suffix="Meine Rezepte", seed=7, metadata={"class": "8b"})
    assert job["object"] == "fine_tuning.job"
    assert job["status"] == "queued"
    assert job["seed"] == 7
    assert job["metadata"] == {"class": "8b"}
    assert job["fine_tuned_model"] is None
    assert (job["name"], job["position"]) == ("meine-rezepte", 1)
    assert job["recipe"]["updates"] == 5
    assert job["recipe"]["data"]["path"] == "rows.jsonl"
    assert caller.get(f"/v1/fine_tuning/jobs/{job['id']}").get_json() == job
    events = caller.get(f"/v1/fine_tuning/jobs/{job['id']}/events").get_json()
    assert (events["object"], events["data"]) == ("list", [])


def test_files_in_openais_form_need_no_recipe(caller):
    answer = caller.train(caller.file_id(CHATS), recipe={})
    assert answer.status_code == 200, answer.text
    data = answer.get_json()["recipe"]["data"]
    assert (data["text"], data["is_chat"]) == ("{messages}", True)


def test_openais_settings_are_those_of_the_recipe(caller):
    chosen = {"n_epochs": 4, "batch_size": 8, "learning_rate_multiplier": 0.5}
    job = caller.job(hyperparameters=chosen, recipe={})
    assert job["hyperparameters"] == chosen
    recipe = job["recipe"]
    assert (recipe["epochs"], recipe["rows"]) == (4, 8)
    assert recipe["learning_rate"] == pytest.approx(1.5e-3)
    assert recipe["minutes"] == 30


def test_two_of_one_name_have_two_models(caller):
    names = [caller.job(suffix="Cook", user=f"u{n}")["name"] for n in range(3)]
    assert names == ["cook", "cook-2", "cook-3"]
    # The name of a model that is served already is not taken either.
    assert caller.job(suffix="smollm2")["name"] == "smollm2-2"


def test_too_many_at_a_time_are_refused(caller):
    for _ in range(3):
        caller.job()
    answer = caller.train(caller.file_id())
    assert answer.status_code == 429
    assert int(answer.headers["Retry-After"]) > 0
    assert "3 of your trainings" in said(answer)
    assert caller.train(caller.file_id(), user="bo").status_code == 200


def test_the_wrong_moment_is_a_conflict(caller):
    address = f"/v1/fine_tuning/jobs/{caller.job()['id']}"
    answer = caller.post(f"{address}/resume")
    assert answer.status_code == 409
    assert "is queued: it cannot be resumed now" in said(answer)
    assert caller.get(f"{address}/files/model.gguf").status_code == 409
    paused = caller.post(f"{address}/pause").get_json()
    assert (paused["status"], paused["can_resume"]) == ("paused", True)
    answer = caller.post(f"{address}/keep")
    assert answer.status_code == 409
    assert "learned nothing yet" in said(answer)
    assert caller.post(f"{address}/cancel").get_json()["status"] == "cancelled"
    assert caller.post(f"{address}/resume").get_json()["status"] == "queued"


def test_a_file_in_use_is_not_deleted(caller):
    job = caller.job()
    file_id = job["training_file"]
    answer = caller.delete(f"/v1/files/{file_id}")
    assert answer.status_code == 409
    caller.post(f"/v1/fine_tuning/jobs/{job['id']}/cancel")
    assert caller.delete(f"/v1/files/{file_id}").status_code == 200


def test_the_recipe_is_one_that_the_command_reads(caller, tmp_path):
    job = caller.job(suffix="Cook")
    answer = caller.get(f"/v1/fine_tuning/jobs/{job['id']}/recipe")
    path = tmp_path / "cook.yaml"
    path.write_bytes(answer.data)
    assert yaml.safe_load(answer.data)["name"] == "cook"
    assert load_recipe(path).model_dump(mode="json") == job["recipe"]


def test_jobs_come_in_pages_and_by_user(caller):
    ids = [caller.job(user=f"u{n % 2}")["id"] for n in range(4)][::-1]
    page = caller.get("/v1/fine_tuning/jobs?limit=3").get_json()
    assert [job["id"] for job in page["data"]] == ids[:3]
    assert page["has_more"] is True
    page = caller.get(f"/v1/fine_tuning/jobs?limit=3&after={ids[2]}").get_json()
    assert ([job["id"] for job in page["data"]], page["has_more"]) == (ids[3:], False)
    mine = caller.get("/v1/fine_tuning/jobs?user=u1").get_json()["data"]
    assert {job["user"] for job in mine} == {"u1"}
    assert len(mine) == 2
    assert caller.get("/v1/fine_tuning/jobs?limit=x").status_code == 400
    assert caller.get("/v1/fine_tuning/jobs?after=x").status_code == 404


def test_places_and_waits_are_those_of_the_queue(caller):
    jobs = [caller.job(user=user) for user in ("ada", "ada", "bo")]
    told = [caller.get(f"/v1/fine_tuning/jobs/{job['id']}").get_json() for job in jobs]
    # Bo has had no turn: his first comes before Ada's second.
    assert [job["position"] for job in told] == [1, 3, 2]
    each = jobs[0]["expected_seconds"]
    assert [job["wait_seconds"] for job in told] == pytest.approx(
        [0, 2 * each, each], abs=2
    )


def test_events_curves_and_progress_are_read_as_they_are_written(caller, trainings):
    job = caller.job()
    path = trainings.learning.runs.events_file(job["id"])
    path.parent.mkdir(parents=True)
    steps = [
        {"time": 5.0 + n, "event": "step", "stage": "answers", "update": n, "of": 40,
         "loss": 3.0 - n / 100, "parts": {}, "rate": 1e-3, "tokens": 100 * n,
         "tokens_per_second": 50.0, "seconds": 2.0 * n}
        for n in range(1, 21)
    ]  # fmt: skip
    judged = {"event": "judged", "stage": "answers", "update": 20,
              "figures": {"heldout_loss": 2.5}}  # fmt: skip
    with path.open("w") as log:
        log.writelines(json.dumps(event) + "\n" for event in [*steps, judged])
        log.write('{"event": "st')
    address = f"/v1/fine_tuning/jobs/{job['id']}"
    progress = caller.get(address).get_json()["progress"]
    assert (progress["update"], progress["of"]) == (20, 40)
    assert progress["heldout_loss"] == 2.5
    assert progress["seconds_left"] == 40.0
    curves = caller.get(f"{address}/curves").get_json()
    assert curves["train"][-1] == [20, pytest.approx(2.8)]
    assert curves["heldout"] == [[20, 2.5]]
    newest = caller.get(f"{address}/events?limit=2").get_json()
    assert [event["type"] for event in newest["data"]] == ["metrics", "metrics"]
    assert newest["data"][1]["message"] == "Step 20 of 40, training loss 2.800."
    first = caller.get(f"{address}/events?order=asc&limit=1").get_json()["data"][0]
    rest = caller.get(f"{address}/events?order=asc&after={first['id']}").get_json()
    assert len(rest["data"]) == 20
    # It goes on from an earlier checkpoint: what was told later counts.
    again = {"event": "stage", "stage": "answers", "update": 10, "of": 40,
             "learned": 9, "device": "cpu", "precision": "fp32"}  # fmt: skip
    with path.open("a") as log:
        log.write("\n" + json.dumps(again) + "\n")
        log.write(json.dumps(steps[10] | {"loss": 9.0}) + "\n")
    curves = caller.get(f"{address}/curves").get_json()
    assert curves["train"][-1] == [11, 9.0]
    assert curves["heldout"] == []


def test_a_trained_model_can_be_deleted_and_no_other(caller, trainings):
    job = caller.job(suffix="Cook")
    learning = trainings.learning
    assert caller.delete("/v1/models/cook").status_code == 409  # it waits
    taken = learning.jobs.take("elsewhere:1:2.00:0")
    learning.jobs.succeed(taken, figures={}, tokens=1)
    folder = learning.settings.instance / "models" / "cook"
    folder.mkdir(parents=True)
    (folder / "card.md").write_text("A card.")
    merged = folder.with_name("cook-0123456789ab-chatml.gguf")
    others = folder.with_name("cook-book-0123456789ab-chatml.gguf")
    for file in (merged, others):
        file.write_bytes(b"GGUF")
    card = caller.get(f"/v1/fine_tuning/jobs/{job['id']}/files/card.md", buffered=True)
    assert card.data == b"A card."
    for name in ("smollm2", "warden", "..", "nope"):
        assert caller.delete(f"/v1/models/{name}").status_code == 404
    answer = caller.delete("/v1/models/cook")
    assert answer.get_json() == {"id": "cook", "object": "model", "deleted": True}
    assert not folder.exists()
    assert [merged.exists(), others.exists()] == [False, True]
    gone = caller.get(f"/v1/fine_tuning/jobs/{job['id']}/files/card.md")
    assert gone.status_code == 404
    assert "are gone" in said(gone)
    told = caller.get(f"/v1/fine_tuning/jobs/{job['id']}").get_json()
    assert told["machine"]


def test_what_benchmarks_found_is_told_of_a_model(caller, trainings):
    job = caller.job(suffix="Cook")
    address = f"/v1/fine_tuning/jobs/{job['id']}/benchmarks"
    assert caller.get(address).get_json() == {"object": "list", "data": []}
    learning = trainings.learning
    taken = learning.jobs.take("elsewhere:1:2.00:0")
    learning.jobs.succeed(taken, figures={}, tokens=1)
    assert caller.get(address).get_json()["data"] == []
    found = Benchmark(
        task="arc_easy", questions=100, version="1.0", is_chat=False,
        program="lm-eval 0.4.13", figures={"acc": 0.41}, base={"acc": 0.47},
    )  # fmt: skip
    file = learning.settings.instance / "models" / "cook" / RESULTS
    keep_benchmarks(file, [found])
    assert caller.get(address).get_json()["data"] == [asdict(found)]
    file.write_text("{}")
    broken = caller.get(address)
    assert broken.status_code == 400
    assert "cook/tasks.json cannot be read" in said(broken)
    assert caller.get("/v1/fine_tuning/jobs/x/benchmarks").status_code == 404


def test_a_full_disk_is_a_sentence_and_leaves_nothing(caller, trainings, monkeypatch):
    def no_space(*args: Any, **kwargs: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("finetune.jobs.files.write_json", no_space)
    answer = caller.upload()
    assert answer.status_code == 503
    assert "the disk of this computer is full" in said(answer)
    assert list(trainings.learning.files._folder.iterdir()) == []


def test_bases_say_what_they_would_take(caller):
    found = caller.get("/v1/fine_tuning/bases").get_json()["data"]
    sizes = {base["name"]: base["parameters"] for base in found}
    assert list(sizes)[:4] == ["smollm2", "fresh-small", "fresh", "fresh-large"]
    assert sizes["smollm2"] == 134_515_008
    assert sizes["fresh-small"] < 1_000_000
    assert sizes["fresh-large"] < 10_000_000
    assert all(base["memory_bytes"] > 0 for base in found)
