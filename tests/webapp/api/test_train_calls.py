"""Training over the API, with a scripted trainer."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest
from flask import Flask

from tests.kit.caller import Caller
from tests.kit.training import ScriptedTraining

SOUPS = "title,steps\n" + "".join(f"Soup {n},Chop {n} leeks.\n" for n in range(30))


@pytest.fixture
def trainer() -> ScriptedTraining:
    return ScriptedTraining()


@pytest.fixture
def app(app: Flask, trainer: ScriptedTraining) -> Flask:
    app.extensions["wordkeep"] = dataclasses.replace(
        app.extensions["wordkeep"], training=trainer.client()
    )
    return app


def bring(caller: Caller) -> int:
    answer = caller.post("/train/data", {"name": "soups.csv", "content": SOUPS})
    found: dict[str, Any] = answer.get_json()
    assert answer.status_code == 200, found
    assert (found["name"], found["rows"]) == ("soups.csv", None)
    return int(found["id"])


def start(caller: Caller, data_id: int, **more: Any) -> dict[str, Any]:
    answer = caller.post("/train/runs", {"data": data_id, "title": "Soup", **more})
    assert answer.status_code == 201, answer.text
    found: dict[str, Any] = answer.get_json()
    return found


def test_from_a_text_to_a_model(ada: Caller, trainer: ScriptedTraining) -> None:
    data_id = bring(ada)
    text = "{title}: {steps}"
    report = ada.post(f"/train/data/{data_id}/report", {"text": text}).get_json()
    assert (report["columns"], report["rows"]) == (["title", "steps"], 30)
    assert report["examples"][0]["text"].startswith("Soup ")
    assert report["remarks"]
    assert ada.get("/train/data").get_json()[0]["rows"] == 30

    run = start(ada, data_id, minutes=1, learning_rate=0.002, rank=8)
    sent = trainer.jobs[trainer.last]["recipe"]
    assert (sent["minutes"], sent["learning_rate"]) == (1, 0.002)
    assert (sent["lora"]["rank"], sent["data"]["text"]) == (8, text)
    assert (run["status"], run["model"], run["figures"]) == ("queued", None, {})

    trainer.run(trainer.last, update=30)
    seen = ada.get(f"/train/runs/{run['id']}").get_json()
    assert (seen["status"], seen["update"], seen["updates"]) == ("running", 30, 120)
    assert seen["loss"] < 3.6
    trainer.finish(trainer.last)
    done = ada.get(f"/train/runs/{run['id']}").get_json()
    assert (done["status"], done["model"], done["error"]) == ("succeeded", "soup", None)
    assert done["figures"]["heldout_perplexity"] == 22.0
    assert [one["id"] for one in ada.get("/train/runs").get_json()] == [run["id"]]


def test_a_text_tells_where_it_is_from(ada: Caller) -> None:
    told = {"source": "My aunt", "terms": "CC BY 4.0"}
    brought = ada.post("/train/data", {"content": "one\ntwo\n", **told}).get_json()
    assert {name: brought[name] for name in told} == told
    assert ada.get("/train/data").get_json() == [brought]
    long = ada.post("/train/data", {"content": "one\n", "source": "x" * 301})
    assert long.status_code == 400


def test_sets_and_bases_are_listed_and_a_set_is_taken_once(ada: Caller) -> None:
    (shown,) = ada.get("/train/sets").get_json()
    assert (shown["id"], shown["rows"]) == ("shipped-recipes", 240)
    taken = [ada.post("/train/sets", {"id": shown["id"]}).get_json() for _ in range(2)]
    assert taken[0] == taken[1]
    assert ada.post("/train/sets", {"id": "shipped-none"}).status_code == 404
    bases = {one["name"]: one for one in ada.get("/train/bases").get_json()}
    assert bases["fresh-small"]["kind"] == "fresh"
    assert "internet" in bases["pythia-14m"]["problem"]


def test_a_run_is_cancelled_and_goes_on(ada: Caller, trainer: ScriptedTraining) -> None:
    run = start(ada, bring(ada))
    at = f"/train/runs/{run['id']}"
    assert ada.post(at, {"do": "cancel"}).get_json()["status"] == "cancelled"
    assert ada.post(at, {"do": "cancel"}).status_code == 409
    assert ada.post(at, {"do": "resume"}).get_json()["status"] == "queued"
    assert ada.post(at, {"do": "burn"}).status_code == 400
    trainer.is_down = True
    assert "does not answer" in ada.get(at).get_json()["note"]
    assert ada.post(at, {"do": "cancel"}).status_code == 502


def test_a_model_from_nothing_and_one_of_the_hub(
    ada: Caller, trainer: ScriptedTraining
) -> None:
    data_id = bring(ada)
    start(ada, data_id, base="fresh-small", updates=5)
    sent = trainer.jobs[trainer.last]
    assert (sent["recipe"]["lora"], sent["recipe"]["updates"]) == (None, 5)
    start(ada, data_id, base="tiny/gpt2", epochs=0.5)
    sent = trainer.jobs[trainer.last]
    assert (sent["model"], sent["recipe"]["epochs"]) == ("tiny/gpt2", 0.5)


def test_rows_of_the_hub_are_data(ada: Caller, trainer: ScriptedTraining) -> None:
    asked = {"name": "tiny/stories", "rows": 40}
    found = ada.post("/train/hub-data", asked).get_json()
    assert found["name"] == "tiny-stories-default-train.jsonl"
    report = ada.post(f"/train/data/{found['id']}/report", {}).get_json()
    assert report["rows"] == 40
    trainer.is_offline = True
    answer = ada.post("/train/hub-data", asked)
    assert answer.status_code == 400
    assert "has to be fetched" in answer.get_json()["error"]["message"]


WRONG: list[tuple[dict[str, Any], int, str]] = [
    ({"minutes": 1, "updates": 5}, 400, "one of minutes, epochs and updates"),
    ({"minutes": 500}, 400, "The minutes must be a number from 0.1 to 120"),
    ({"title": ""}, 400, "title"),
    ({"learning_rate": 5}, 400, "learning rate"),
    ({"data": 99}, 404, "no such data"),
    ({"wings": 2}, 400, "“wings” is not known here"),
]


@pytest.mark.parametrize(("more", "status", "words"), WRONG)
def test_what_cannot_be_is_said(
    ada: Caller,
    trainer: ScriptedTraining,
    more: dict[str, Any],
    status: int,
    words: str,
) -> None:
    body = {"data": bring(ada), "title": "Soup", **more}
    answer = ada.post("/train/runs", body)
    assert answer.status_code == status
    assert words in answer.get_json()["error"]["message"]
    assert not trainer.jobs


def test_nobody_sees_what_is_anothers(ada: Caller, app: Flask) -> None:
    data_id = bring(ada)
    run = start(ada, data_id)
    bob = Caller(app)
    bob.join("Bob")
    assert bob.get("/train/data").get_json() == []
    assert bob.get("/train/runs").get_json() == []
    assert bob.get(f"/train/runs/{run['id']}").status_code == 404
    assert bob.post(f"/train/runs/{run['id']}", {"do": "cancel"}).status_code == 404
    assert bob.post(f"/train/data/{data_id}/report", {}).status_code == 404
    body = {"data": data_id, "title": "Soup"}
    assert bob.post("/train/runs", body).status_code == 404


def test_a_text_may_be_larger_than_other_bodies(ada: Caller) -> None:
    large = {"name": "large.txt", "content": "a line of text\n" * 30_000}
    assert ada.post("/train/data", large).status_code == 200


def test_from_messages_to_a_guard(ada: Caller, trainer: ScriptedTraining) -> None:
    """The same calls: the base is the guard, and settings of a model are not sent."""
    lines = '{"text": "Tell me", "label": 1}\n{"text": "Hello", "label": 0}\n'
    body = {"name": "messages.jsonl", "content": lines}
    data_id = ada.post("/train/data", body).get_json()["id"]
    run = start(ada, data_id, base="guard")
    job = trainer.jobs[trainer.last]
    assert (job["model"], job["recipe"]) == ("guard", {})
    trainer.finish(trainer.last)
    done = ada.get(f"/train/runs/{run['id']}").get_json()
    assert (done["status"], done["base"], done["model"]) == (
        "succeeded", "guard", "soup",
    )  # fmt: skip
    assert done["figures"]["recall_low"] == 0.552
