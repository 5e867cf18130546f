"""Redis goes away and comes back, and nobody is shut out."""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask

from tests.kit.redis_server import NoRedis, RedisServer, redis_server
from webapp.app import create_app
from webapp.llm.gateway import Gateway
from webapp.llm.scripted import ScriptedBackend
from webapp.settings import Settings
from webapp.web import counters

AWAY = {
    "status": "warning",
    "detail": "does not answer: each process counts limits for itself",
}


@pytest.fixture
def server() -> Iterator[RedisServer]:
    """Return a server that is not started yet."""
    try:
        with redis_server() as server:
            yield server
    except NoRedis as why:
        pytest.skip(f"not tested with Redis: {why}")


@pytest.fixture
def app(
    settings: Settings, migrated_file: Path, server: RedisServer
) -> Iterator[Flask]:
    """Return a site whose Redis is not there yet."""
    shutil.copyfile(migrated_file, settings.instance / "wordkeep.db")
    gateway = Gateway.scripted(ScriptedBackend())
    site = settings.but(redis_url=server.url, sign_ups_per_hour=2)
    app = create_app(site, gateway=gateway)
    yield app
    app.extensions["wordkeep"].db.dispose()
    app.extensions["wordkeep"].boot.close()


def join(app: Flask, name: str) -> int:
    answer = app.test_client(use_cookies=False).post(
        "/api/v1/players", json={"name": name}
    )
    return answer.status_code


def health(app: Flask) -> tuple[int, object]:
    time.sleep(1.1)  # An answer is kept for a second.
    answer = app.test_client().get("/health")
    return answer.status_code, answer.get_json()["checks"]["redis"]


def test_limits_are_kept_while_redis_is_away(
    app: Flask, server: RedisServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(counters, "AWAY_SECONDS", 0.2)
    assert health(app) == (200, AWAY)
    assert [join(app, f"First {n}") for n in range(3)] == [201, 201, 429]
    server.start()
    assert health(app) == (200, {"status": "ok", "detail": "answers"})
    # It counts from the start, and for all processes.
    assert [join(app, f"Second {n}") for n in range(3)] == [201, 201, 429]
    assert [key for key in server.names() if "join address" in key]
    server.stop()
    assert join(app, "Third") == 429
    assert health(app) == (200, AWAY)
    page = app.test_client().post("/login", data={"name": "Ada", "password": "x"})
    assert page.status_code == 400
    server.start()
    time.sleep(0.3)
    assert join(app, "Fourth") == 201
