"""GET /metrics: figures for those who run the site, and nothing about anybody."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient
from prometheus_client.parser import text_string_to_metric_families

from webapp import meters
from webapp.domain.people import accounts
from webapp.domain.services import Services
from webapp.rows import ADMIN, INSTRUCTOR, Generation
from webapp.settings import PROJECT, Settings, load_settings

KEY = "a key of the watcher"
Series = dict[tuple[str, tuple[tuple[str, str], ...]], float]


@pytest.fixture
def settings(settings: Settings) -> Settings:
    return settings.but(metrics_key=KEY)


def read(text: str) -> Series:
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def look(client: FlaskClient, token: str = KEY) -> Series:
    answer = client.get("/metrics", headers={"Authorization": f"Bearer {token}"})
    assert answer.status_code == 200
    assert answer.content_type == "text/plain; version=0.0.4; charset=utf-8"
    assert answer.headers["Cache-Control"] == "no-store"
    return read(answer.text)


def grown(before: Series, after: Series, name: str, **labels: str) -> float:
    key = name, tuple(sorted(labels.items()))
    return after[key] - before.get(key, 0)


@pytest.mark.parametrize(
    ("headers", "status", "code"),
    [
        ({}, 401, "not_signed_in"),
        ({"Authorization": "Bearer another key"}, 401, "wrong_token"),
        ({"Authorization": f"Basic {KEY}"}, 401, "not_signed_in"),
        ({"Authorization": "Bearer "}, 401, "not_signed_in"),
    ],
)
def test_nobody_else_reads_it(
    client: FlaskClient, headers: dict[str, str], status: int, code: str
) -> None:
    answer = client.get("/metrics", headers=headers)
    assert (answer.status_code, answer.get_json()["error"]["code"]) == (status, code)
    assert "wordkeep_" not in answer.text


def test_an_admin_reads_it_and_an_instructor_does_not(
    client: FlaskClient, services: Services
) -> None:
    tokens = {}
    for role in (ADMIN, INSTRUCTOR):
        new = accounts.create_player(services, name=f"The {role}", role=role)
        tokens[role] = accounts.create_token(services, player_id=new.player_id)
    look(client, tokens[ADMIN])
    answer = client.get(
        "/metrics", headers={"Authorization": f"Bearer {tokens[INSTRUCTOR]}"}
    )
    assert answer.status_code == 403
    assert "wordkeep_" not in answer.text


def test_without_a_key_no_key_opens_it(
    app: Flask, client: FlaskClient, services: Services
) -> None:
    object.__setattr__(services, "settings", services.settings.but(metrics_key=""))
    answer = client.get("/metrics", headers={"Authorization": "Bearer "})
    assert answer.status_code == 401


def test_the_key_is_in_no_repr() -> None:
    settings = load_settings({"WORDKEEP_METRICS_KEY": KEY})
    assert settings.metrics_key == KEY
    assert KEY not in repr(settings)


def test_it_tells_what_was_done(client: FlaskClient, services: Services) -> None:
    before = look(client)
    joined = client.post("/api/v1/players", json={"name": "Ada"}).get_json()
    auth = {"Authorization": f"Bearer {joined['token']}"}
    path = "/api/v1/levels/<level_id>/attempts"
    level = client.get("/api/v1/levels", headers=auth).get_json()[0]["id"]
    sent = client.post(
        path.replace("<level_id>", level), json={"message": "Hello"}, headers=auth
    )
    assert sent.status_code == 200
    client.get("/no/such/page/of/ours")
    after = look(client)
    assert grown(before, after, "wordkeep_sign_ups_total") == 1
    told = {"level": level, "status": "finished"}
    assert grown(before, after, "wordkeep_attempts_total", **told) == 1
    told = {"feature": "attempt", "status": "finished"}
    assert grown(before, after, "wordkeep_generations_total", **told) == 1
    with services.db.read() as session:
        row = session.get(Generation, sent.get_json()["id"])
    assert row is not None
    for kind, count in (("read", row.prompt_tokens), ("written", row.reply_tokens)):
        told = {"feature": "attempt", "kind": kind}
        assert grown(before, after, "wordkeep_tokens_total", **told) == count
    request = {"route": path, "method": "POST", "status": "200"}
    assert grown(before, after, "wordkeep_requests_total", **request) == 1
    missed = {"route": "other", "method": "GET", "status": "404"}
    assert grown(before, after, "wordkeep_requests_total", **missed) == 1
    timed = {"route": path}
    assert grown(before, after, "wordkeep_request_seconds_count", **timed) == 1
    assert after["wordkeep_replies_running", ()] == 0
    assert after["wordkeep_replies_waiting", ()] == 0
    assert after["wordkeep_part_ok", (("part", "database"),)] == 1
    labels = {value for _, pairs in after for _, value in pairs}
    assert not {value for value in labels if "Ada" in value or "such" in value}


def test_a_method_of_a_stranger_makes_no_series(client: FlaskClient) -> None:
    client.open("/health", method="BREW")
    methods = {dict(pairs).get("method") for _, pairs in look(client)}
    assert "BREW" not in methods
    assert "other" in methods


_COUNTING = """
import os
from webapp import meters

meters.SIGN_UPS.inc(2)
if os.fork() == 0:
    meters.SIGN_UPS.inc(3)
    os._exit(0)
pid, _ = os.wait()
meters.forget_process(pid)
value = meters.registry().get_sample_value("wordkeep_sign_ups_total")
print(value)
"""


def test_several_processes_count_together(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", _COUNTING],
        env={**os.environ, "PYTHONPATH": str(PROJECT), meters.FOLDER: str(tmp_path)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == "5.0\n"
