"""GET /health tells what is wrong, and never where."""

from __future__ import annotations

import os
import threading
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from finetune.work.alive import alive
from tests.kit.caller import check
from tests.kit.clocks import patient
from tests.kit.content import write_level
from webapp.api.health import Health, Monitor
from webapp.domain.services import Services
from webapp.llm.gateway import EndpointHealth, Gateway, ModelInfo
from webapp.web.counters import Counters


class Endpoints(Gateway):
    """A gateway whose endpoints are as a test says."""

    def __init__(self, *found: EndpointHealth, models: tuple[str, ...] = ()) -> None:
        super().__init__([])
        self.found = found
        self.names = models
        self.hangs = threading.Event()
        self.hangs.set()
        self.asked = 0

    def health(self) -> list[EndpointHealth]:
        """Return what the test said, unless it shall hang."""
        self.asked += 1
        self.hangs.wait(30)
        return list(self.found)

    def models(self) -> list[ModelInfo]:
        """Return models named place/name."""
        return [ModelInfo(n, n.partition("/")[0], n, True) for n in self.names]


GOOD = EndpointHealth("local", True, "ok")
LOCAL = ("local/warden",)


def look(services: Services, gateway: Gateway) -> Health:
    return Monitor(replace(services, gateway=gateway), Counters("")).look()


def test_a_whole_site_is_ok(client: FlaskClient) -> None:
    answer = client.get("/health")
    assert answer.status_code == 200
    check({"$ref": "#/components/schemas/Health"}, answer.get_json())
    found = answer.get_json()
    assert found["status"] == "ok"
    assert set(found["checks"]) == {"database", "content", "disk", "endpoint local"}
    assert found["checks"]["content"]["detail"] == "8 levels"
    assert "Set-Cookie" not in answer.headers


def test_a_dead_endpoint_that_levels_need(services: Services) -> None:
    dead = EndpointHealth("local", False, "does not answer")
    found = look(services, Endpoints(dead, models=LOCAL))
    assert found.status == "failing"
    assert found.checks["endpoint local"].detail == "does not answer"


def test_a_dead_endpoint_that_no_level_needs(services: Services) -> None:
    dead = EndpointHealth("hosted", False, "does not answer")
    models = (*LOCAL, "hosted/smollm2")
    found = look(services, Endpoints(GOOD, dead, models=models))
    assert found.status == "ok"
    assert found.checks["endpoint hosted"].status == "warning"


def test_a_level_with_an_unknown_model(services: Services) -> None:
    found = look(services, Endpoints(GOOD, models=("local/other",)))
    assert found.status == "failing"
    assert "no endpoint has" in found.checks["models"].detail


def test_a_hanging_endpoint_takes_a_second_and_one_thread(services: Services) -> None:
    gateway = Endpoints(GOOD, models=LOCAL)
    gateway.hangs.clear()
    monitor = Monitor(replace(services, gateway=gateway), Counters(""))
    started = time.monotonic()
    found = monitor.look()
    assert time.monotonic() - started < patient(3)
    assert found.status == "failing"
    assert found.checks["endpoints"].detail == "no answer within a second"
    assert found.checks["database"].status == "ok"
    monitor._until = 0
    monitor.look()
    assert gateway.asked == 1
    gateway.hangs.set()
    while monitor.look().status != "ok":
        monitor._until = 0


def test_while_one_looks_the_others_get_the_last_answer(services: Services) -> None:
    gateway = Endpoints(GOOD, models=LOCAL)
    monitor = Monitor(replace(services, gateway=gateway), Counters(""))
    assert monitor.look().status == "ok"
    gateway.hangs.clear()
    monitor._until = 0
    first = threading.Thread(target=monitor.look)
    first.start()
    while gateway.asked < 2:
        time.sleep(0.01)
    assert [monitor.look().status for _ in range(5)] == ["ok"] * 5
    assert first.is_alive()
    gateway.hangs.set()
    first.join()


def test_many_visitors_are_one_visit(services: Services) -> None:
    gateway = Endpoints(GOOD, models=LOCAL)
    monitor = Monitor(replace(services, gateway=gateway), Counters(""))
    for _ in range(50):
        monitor.look()
    assert gateway.asked == 1


def test_broken_content_is_told_and_the_game_goes_on(
    client: FlaskClient, content: Path, services: Services
) -> None:
    write_level(content, "open", points="many")
    deadline = time.monotonic() + 10
    while not services.content.stale and time.monotonic() < deadline:
        time.sleep(0.1)
    answer = client.get("/health")
    found = answer.get_json()
    assert (answer.status_code, found["status"]) == (200, "ok")
    assert found["checks"]["content"]["status"] == "warning"
    assert "1 error" in found["checks"]["content"]["detail"]
    assert str(content) not in answer.text


@pytest.fixture
def no_tables(services: Services) -> None:
    """Take a table away."""
    with services.db.write() as session:
        session.connection().exec_driver_sql("ALTER TABLE players RENAME TO gone")


@pytest.mark.usefixtures("no_tables")
def test_a_broken_database(client: FlaskClient) -> None:
    answer = client.get("/health")
    assert answer.status_code == 503
    assert answer.get_json()["checks"]["database"]["status"] == "failing"
    for leak in ("players", "SELECT", "/tmp", ".db"):
        assert leak not in answer.text


def test_a_check_that_breaks_fails(
    services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> Any:
        raise RuntimeError("secret path")

    monkeypatch.setattr("shutil.disk_usage", fail)
    found = look(services, Endpoints(GOOD, models=LOCAL))
    assert found.checks["disk"].detail == "cannot be used"


def test_a_full_disk(services: Services, monkeypatch: pytest.MonkeyPatch) -> None:
    class Usage:
        free = 1000

    monkeypatch.setattr("shutil.disk_usage", lambda path: Usage)
    found = look(services, Endpoints(GOOD, models=LOCAL))
    assert found.status == "failing"
    assert found.checks["disk"].detail == "is nearly full"


def test_the_site_needs_no_token_for_it(app: Flask) -> None:
    assert app.test_client().get("/health").status_code == 200


def test_the_worker_is_told_of_where_up_started_one(services: Services) -> None:
    instance = services.settings.instance
    settings = services.settings.but(sidecar_url="unix:/nowhere.sock")
    started = replace(services, settings=settings)
    found = look(started, Endpoints(GOOD, models=LOCAL))
    assert found.status == "ok"
    worker = found.checks["worker"]
    assert worker.status == "warning"
    assert worker.detail == "does not run: what is to be trained waits"
    # One that died leaves its file.
    (instance / "run" / "worker-1.alive").touch()
    found = look(started, Endpoints(GOOD, models=LOCAL))
    assert found.checks["worker"].status == "warning"
    with alive(instance / "run"):
        found = look(started, Endpoints(GOOD, models=LOCAL))
        assert found.checks["worker"].status == "ok"
        assert [path.name for path in (instance / "run").glob("*.alive")] == [
            f"worker-{os.getpid()}.alive"
        ]
    found = look(started, Endpoints(GOOD, models=LOCAL))
    assert found.checks["worker"].status == "warning"
    assert "worker" not in look(services, Endpoints(GOOD, models=LOCAL)).checks
