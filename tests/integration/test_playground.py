"""The playground with the real model: what is asked is what the page shows, no more.

The template of the shipped model adds a system message of its own where none is sent,
and with it the model does not know the capital of France.
"""

from __future__ import annotations

import dataclasses
import html
import re
from collections.abc import Iterator
from typing import Any

import pytest
from flask import Flask

from tests.kit.browser import Browser
from tests.kit.sidecar import KEY, MODEL, RunningSidecar, running_sidecar
from webapp.llm.endpoints import Endpoint
from webapp.llm.gateway import Gateway
from webapp.security import Secret

pytestmark = pytest.mark.integration

FRANCE = "What is the capital of France?"
SAID = re.compile(r'<textarea id="said-\d+"[^>]*>\n(.*?)</textarea>', re.S)


@pytest.fixture(scope="module")
def sidecar(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningSidecar]:
    folder = tmp_path_factory.mktemp("playground")
    with running_sidecar(folder, context=512, slots=1) as sidecar:
        yield sidecar


@pytest.fixture
def app(app: Flask, sidecar: RunningSidecar) -> Flask:
    endpoint = Endpoint(
        "local", "wordkeep", {MODEL: MODEL}, f"{sidecar.url}/v1", key=Secret(KEY)
    )
    app.extensions["wordkeep"] = dataclasses.replace(
        app.extensions["wordkeep"], gateway=Gateway([endpoint])
    )
    return app


def ask(browser: Browser, system: str) -> str:
    """Send the question from the page; return what the model's turn says then."""
    browser.get("/lab/playground")
    fields: dict[str, Any] = {
        "do": "send",
        "mode": "chat",
        "system": system,
        "message": FRANCE,
        "pane_model": f"local/{MODEL}",
        "pane_temperature": "0",
        "pane_top_p": "1",
        "pane_top_k": "0",
        "max_tokens": "40",
        "seed": "7",
    }
    answer = browser.post("/lab/playground/replies", fields)
    assert answer.status_code == 303, answer.text
    turns = SAID.findall(browser.get(answer.location).text)
    assert html.unescape(turns[0]) == FRANCE
    return html.unescape(turns[1])


def test_paris_without_a_system_message_at_temperature_0(app: Flask) -> None:
    first, second = (ask(Browser(app).play(name), "none") for name in ("Ada", "Bob"))
    assert "Paris" in first
    # At temperature 0 it is the same for everybody.
    assert first == second
    assert "Paris" not in ask(Browser(app).play("Eve"), "usual")


def test_what_is_copied_from_the_page_gets_the_reply_of_the_page(app: Flask) -> None:
    browser = Browser(app).play("Ada")
    seen = ask(browser, "none")
    client = app.test_client(use_cookies=False)
    token = client.post("/api/v1/players", json={"name": "Bob"}).get_json()["token"]
    answer = client.post(
        "/api/v1/lab/chat",
        json={
            "model": MODEL,
            "messages": [{"role": "user", "content": FRANCE}],
            "default_system": False,
            "temperature": 0,
            "max_tokens": 40,
            "seed": 7,
        },
        headers={"Authorization": f"Bearer {token}"},
    )
    assert answer.get_json()["reply"].strip() == seen.strip()
