"""What the server process does before it serves."""

from __future__ import annotations

from dataclasses import replace

import pytest
from flask import Flask

from webapp import server
from webapp.db import Database
from webapp.errors import StorageError
from webapp.llm.scripted import ScriptedBackend
from webapp.migrations import migrate
from webapp.settings import Settings
from webapp.web.context import services_of


def test_tables_are_up_to_date_before_anything_is_served(settings: Settings) -> None:
    server.prepare(settings)
    database = Database(settings.database)
    assert migrate(database) is False
    database.dispose()


def test_a_full_disk_does_not_keep_the_site_away(
    settings: Settings,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    def fail(*_: object) -> int:
        raise StorageError("The disk is full.")

    monkeypatch.setattr("webapp.server.sweep_interrupted", fail)
    server.prepare(settings)
    assert "could not be marked: The disk is full." in caplog.text


@pytest.mark.parametrize("is_loaded", [True, False])
def test_the_first_gate_is_read_at_the_start_if_its_model_is_there(
    app: Flask,
    backend: ScriptedBackend,
    monkeypatch: pytest.MonkeyPatch,
    is_loaded: bool,
) -> None:
    listed = {
        name: replace(model, is_loaded=is_loaded)
        for name, model in backend.models().items()
    }
    monkeypatch.setattr(backend, "models", lambda: listed)
    server._warm_up(app)
    ladders = services_of(app).content.current().ladders
    assert len(backend.history) == (len(ladders) if is_loaded else 0)
    for request in backend.history:
        assert request.sampling.max_tokens == 1
        assert request.common > 100
