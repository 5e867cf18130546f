"""GET /v1/fine_tuning/jobs/ID/rows: what was learned from, and what was kept back."""

from __future__ import annotations

from typing import Any

import pytest
from flask import Flask

from tests.finetune.serving.test_training_routes import ROWS, Caller, app

__all__ = ["app"]


@pytest.fixture
def caller(app: Flask) -> Caller:
    found = app.test_client()
    assert isinstance(found, Caller)
    return found


DATA = {"text": "Q: {question}\n", "answer": "{answer}", "validation": 0.2, "test": 0.1}


def rows(caller: Caller, job: dict[str, Any], query: str) -> dict[str, Any]:
    answer = caller.get(f"/v1/fine_tuning/jobs/{job['id']}/rows?{query}")
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.get_json()
    return found


def as_pairs(found: dict[str, Any]) -> set[tuple[str, str]]:
    return {(row["text"], row["answer"]) for row in found["data"]}


def test_the_parts_are_apart_and_the_test_part_is_in_neither(caller: Caller) -> None:
    job = caller.job(recipe={"data": DATA, "updates": 5}, seed=3)
    train = as_pairs(rows(caller, job, "part=train&limit=100"))
    kept = as_pairs(rows(caller, job, "part=validation&limit=100"))
    whole = {(f"Q: {row['question']}\n", row["answer"]) for row in ROWS}
    assert (len(train), len(kept)) == (42, 12)
    assert not train & kept
    assert len(whole - train - kept) == 6
    assert train | kept < whole


def test_rows_are_drawn_by_the_seed(caller: Caller) -> None:
    job = caller.job(recipe={"data": DATA, "updates": 5})
    first = rows(caller, job, "part=validation&limit=5&seed=1")
    assert first == rows(caller, job, "part=validation&limit=5&seed=1")
    assert first != rows(caller, job, "part=validation&limit=5&seed=2")
    assert (len(first["data"]), first["has_more"]) == (5, True)
    assert rows(caller, job, "limit=12")["has_more"] is False


def test_only_what_was_learned_from_is_the_train_part(caller: Caller) -> None:
    recipe = {"data": DATA | {"most_rows": 4}, "updates": 5}
    job = caller.job(recipe=recipe)
    assert len(rows(caller, job, "part=train&limit=100")["data"]) == 4


@pytest.mark.parametrize(
    ("query", "says"),
    [
        ("part=test", "part must be train or validation."),
        ("limit=0", "limit must be a whole number from 1 to 100000."),
        ("limit=x", "limit must be"),
        ("seed=-1", "seed must be a whole number from 0"),
        ("seed=99999999999", "seed must be a whole number from 0"),
    ],
)
def test_what_cannot_be_asked_is_a_sentence(
    caller: Caller, query: str, says: str
) -> None:
    job = caller.job()
    answer = caller.get(f"/v1/fine_tuning/jobs/{job['id']}/rows?{query}")
    assert answer.status_code == 400
    assert answer.get_json()["error"]["message"].startswith(says)


def test_a_file_that_is_gone_is_not_found(caller: Caller) -> None:
    job = caller.job()
    caller.post(f"/v1/fine_tuning/jobs/{job['id']}/cancel")
    assert caller.delete(f"/v1/files/{job['training_file']}").status_code == 200
    answer = caller.get(f"/v1/fine_tuning/jobs/{job['id']}/rows")
    assert answer.status_code == 404
    assert caller.get("/v1/fine_tuning/jobs/ftjob-none/rows").status_code == 404
