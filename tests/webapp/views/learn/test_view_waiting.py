"""Lessons are read while the models still load, and while they hang."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator

import pytest
from flask import Flask

from tests.kit.browser import Browser, text_of
from tests.webapp.llm.upstream import Call, Upstream
from webapp.llm.endpoints import LOCAL, Endpoint
from webapp.llm.gateway import Gateway

# Longer than the pages take on any machine.
SILENT_SECONDS = 300.0


@pytest.fixture
def ended() -> list[str]:
    """Return the addresses of those calls that are over."""
    return []


@pytest.fixture
def upstream(ended: list[str]) -> Iterator[Upstream]:
    """Return an endpoint that takes every call and says nothing."""

    def hang(call: Call) -> None:
        call.wait_for_hang_up(SILENT_SECONDS)
        ended.append(call.path)

    server = Upstream()
    server.answer(hang)
    yield server
    server.close()


@pytest.fixture
def app(app: Flask, upstream: Upstream, monkeypatch: pytest.MonkeyPatch) -> Flask:
    """Return the site with a sidecar that hangs."""
    monkeypatch.setattr("webapp.llm.remote.LIST_SECONDS", SILENT_SECONDS)
    monkeypatch.setattr("webapp.domain.learn.lately.LONGEST_SECONDS", SILENT_SECONDS)
    endpoint = Endpoint(LOCAL, "wordkeep", {}, base_url=upstream.url)
    app.extensions["wordkeep"] = dataclasses.replace(
        app.extensions["wordkeep"], gateway=Gateway([endpoint])
    )
    return app


def test_pages_of_lessons_come_while_the_models_hang(
    browser: Browser, upstream: Upstream, ended: list[str]
) -> None:
    for path in ("/", "/learn", "/learn/basics/say", "/learn/basics/order", "/learn"):
        page = browser.get(path)
        assert page.status_code == 200
    shown = text_of(browser.get("/learn/basics/say").text)
    assert "The model has not answered yet: it may still be starting." in shown
    assert "Tip: Read the task first." in shown
    assert upstream.calls, "the endpoint was asked"
    assert not ended, "and nobody waited for it"
