"""Lessons are read while the models still load, and while they hang."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Iterator

import pytest
from flask import Flask

from tests.kit.browser import Browser, text_of
from tests.webapp.llm.upstream import Call, Upstream
from webapp.llm.endpoints import LOCAL, Endpoint
from webapp.llm.gateway import Gateway

# The endpoint is silent for much longer.
SOON = 10.0


@pytest.fixture
def upstream() -> Iterator[Upstream]:
    """Return an endpoint that takes every call and says nothing."""
    server = Upstream()
    server.answer(_hang)
    yield server
    server.close()


def _hang(call: Call) -> None:
    call.wait_for_hang_up(60)


@pytest.fixture
def app(app: Flask, upstream: Upstream, monkeypatch: pytest.MonkeyPatch) -> Flask:
    """Return the site with a sidecar that hangs."""
    monkeypatch.setattr("webapp.llm.remote.LIST_SECONDS", 60.0)
    endpoint = Endpoint(LOCAL, "wordkeep", {}, base_url=upstream.url)
    app.extensions["wordkeep"] = dataclasses.replace(
        app.extensions["wordkeep"], gateway=Gateway([endpoint])
    )
    return app


def test_pages_of_lessons_come_while_the_models_hang(
    browser: Browser, upstream: Upstream
) -> None:
    started = time.monotonic()
    for path in ("/", "/learn", "/learn/basics/say", "/learn/basics/order", "/learn"):
        page = browser.get(path)
        assert page.status_code == 200
    assert time.monotonic() - started < SOON
    shown = text_of(browser.get("/learn/basics/say").text)
    assert "The model has not answered yet: it may still be starting." in shown
    assert "Tip: Read the task first." in shown
    assert upstream.calls, "the endpoint was asked, and nobody waited for it"
