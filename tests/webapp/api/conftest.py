"""The site on the small keep, and programs that play it."""

from __future__ import annotations

from pathlib import Path

import pytest
from flask import Flask

from tests.kit.caller import Caller
from tests.kit.content import write_content
from webapp.domain.play.visits import current_visit, visit_secret
from webapp.domain.services import Services
from webapp.rows import Player


@pytest.fixture(autouse=True)
def content(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the content root of the small keep, which the site reads."""
    monkeypatch.setattr("webapp.settings.PROJECT", tmp_path / "project")
    return write_content(tmp_path / "project" / "challenges")


@pytest.fixture
def ada(app: Flask) -> Caller:
    """Return a player with a token."""
    caller = Caller(app)
    caller.join()
    return caller


@pytest.fixture
def winner(ada: Caller, services: Services) -> Caller:
    """Return a player who has opened the first gate."""
    assert ada.guess(secret_of(services, 1))["correct"]
    return ada


def secret_of(services: Services, player: int, level: str = "open") -> str:
    """Return the password of a player's present visit."""
    rules = services.content.current().level(level)
    with services.db.write() as session:
        row = session.get(Player, player)
        assert row is not None
        visit = current_visit(session, services, player=row, level=rules)
        return visit_secret(services, visit, rules).reveal()
