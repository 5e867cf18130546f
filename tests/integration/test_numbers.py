"""Every number in an address, however large, is answered on each kind of database."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from flask import Flask

from tests.kit.browser import Browser
from tests.kit.content import write_content
from tests.kit.postgres import Postgres
from webapp.app import create_app
from webapp.content.store import ContentStore
from webapp.domain.people import accounts
from webapp.domain.services import Services
from webapp.llm.gateway import Gateway
from webapp.llm.scripted import ScriptedBackend
from webapp.settings import Settings

NUMBERS = [
    "0",
    "-1",
    "1",
    str(2**31),
    str(-(2**31) - 1),
    str(2**63),
    "9" * 30,
    "-" + "9" * 30,
    "9" * 3_000,
    "-" + "9" * 5_000,
    "٣" * 30,
    "1e400",
    "NaN",
    "1.5",
]
QUERIES = [
    "/notebook?before={}",
    "/keep/open?attempt={}",
    "/keep/open?hint={}",
    "/leaderboard?v={}",
    "/leaderboard?page={}",
    "/leaderboard?class={}",
    "/gallery/picture?piece={}",
    "/gallery/gates/open?attempt={}",
    "/lab/chats/file?chat={}",
    "/lab/playground?chat={}",
    "/teach/calibration?ladder={}",
    "/teach/trials?thing={}",
    "/teach/trials?thing=open%23{}",
    "/api/v1/me/attempts?before={}",
    "/api/v1/leaderboard?class={}",
    "/api/v1/leaderboard?page={}",
    "/api/v1/leaderboard?class=mine&season={}",
]


@pytest.fixture(params=["sqlite", "postgresql"])
def app(
    request: pytest.FixtureRequest,
    settings: Settings,
    migrated_file: Path,
    tmp_path: Path,
) -> Iterator[Flask]:
    """Return the site on the small keep, on each kind of database."""
    if request.param == "sqlite":
        shutil.copyfile(migrated_file, settings.instance / "wordkeep.db")
    else:
        server: Postgres = request.getfixturevalue("postgres")
        database = server.fresh()
        url = database.engine.url.render_as_string(hide_password=False)
        settings = settings.but(database_url=url)
        database.dispose()
    app = create_app(settings, gateway=Gateway.scripted(ScriptedBackend()))
    content = ContentStore([write_content(tmp_path / "content")])
    services: Services = replace(app.extensions["wordkeep"], content=content)
    app.extensions["wordkeep"] = services
    yield app
    services.db.dispose()
    services.boot.close()


def test_every_number_in_a_query(app: Flask) -> None:
    browser, token = instructor(app)
    statuses = {
        (query, number[:40]): browser.client.get(
            query.format(number), headers=bearer(token)
        ).status_code
        for query in QUERIES
        for number in NUMBERS
    }
    assert {
        place: s for place, s in statuses.items() if s not in {200, 400, 404, 422}
    } == {}


def test_every_number_in_a_path(app: Flask) -> None:
    browser, token = instructor(app)
    statuses = {}
    for rule in app.url_map.iter_rules():
        if "<int:" not in rule.rule:
            continue
        (method,) = (rule.methods or set()) & {"GET", "POST"}
        for number in NUMBERS:
            path = re.sub(r"<int:\w+>", number, rule.rule)
            path = path.replace("<level_id>", "open")
            form: dict[str, Any] = {"data": {"csrf_token": browser.token, "note": "x"}}
            if rule.rule.startswith("/api/"):
                asked = {"do": "cancel"} if "<int:run_id>" in rule.rule else {}
                form = {"json": asked}
            answer = browser.client.open(
                path, method=method, headers=bearer(token), **form
            )
            statuses[rule.rule, number[:40]] = answer.status_code
    assert len({rule for rule, _ in statuses}) >= 4
    known = {200, 303, 404, 405, 422}
    # Of a class that is not there nothing is told, and an empty form is refused.
    of_classes = known | {400, 403, 409}
    assert {
        place: s
        for place, s in statuses.items()
        if s
        not in (of_classes if place[0].startswith(("/teach/", "/wall/")) else known)
    } == {}


def instructor(app: Flask) -> tuple[Browser, str]:
    """Return a browser whose player sees all pages, and that player's API token."""
    browser = Browser(app)
    accounts.create_player(
        browser.services,
        name="Grace",
        role="instructor",
        password="correct horse",
    )
    signed_in = browser.post("/login", {"name": "Grace", "password": "correct horse"})
    assert signed_in.status_code == 303
    browser.get("/me")
    return browser, accounts.create_token(
        browser.services, player_id=browser.player_id()
    )


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}
