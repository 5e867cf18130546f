"""What instructors see, and nobody else."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from tests.kit.browser import Browser, text_of
from tests.kit.content import write_level
from webapp.domain.people import accounts, classes

PASSWORD = "correct horse"


@pytest.fixture
def instructor(browser: Browser) -> Browser:
    accounts.create_player(
        browser.services, name="Teacher", role="instructor", password=PASSWORD
    )
    browser.get("/login")
    browser.post("/login", {"name": "Teacher", "password": PASSWORD})
    return browser


def test_players_have_no_business_here(player: Browser) -> None:
    assert player.get("/teach").status_code == 403
    assert "/teach" not in player.get("/keep").text


def test_strangers_are_asked_who_they_are(browser: Browser) -> None:
    assert browser.get("/teach").location == "/join?next=/teach"


def test_classes_and_codes_are_shown(instructor: Browser) -> None:
    code = classes.add_class(instructor.services, name="9b").join_code
    page = text_of(instructor.get("/teach").text)
    assert f"9b {code} 1" in page
    assert "Every level file is fine" in page
    assert 'href="/teach"' in instructor.get("/keep").text


def test_a_broken_level_is_named_and_announced(
    instructor: Browser, tmp_path: Path
) -> None:
    write_level(tmp_path / "content", "open", pionts=3)
    deadline = time.monotonic() + 10
    while not instructor.services.content.stale and time.monotonic() < deadline:
        time.sleep(0.05)
    page = text_of(instructor.get("/teach").text)
    assert "open.yaml:" in page
    assert "pionts" in page
    assert "last good version" in text_of(instructor.get("/keep").text)
