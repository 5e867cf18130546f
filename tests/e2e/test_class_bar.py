"""What an instructor shows a class appears on open pages, and goes away again."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from playwright.sync_api import expect

from webapp.db import Database
from webapp.rows import SchoolClass
from webapp.security import new_code

CODE = new_code(groups=2)


@pytest.fixture
def school(site) -> Iterator[Any]:
    """Return what changes a class of the site, as its instructor would."""
    database = Database(site.instance / "wordkeep.db")
    now = datetime.now(UTC)
    with database.write() as session:
        row = SchoolClass(name="Class bar", join_code=CODE, created_at=now)
        session.add(row)
        session.flush()
        class_id = row.id

    def change(**values: Any) -> None:
        with database.write() as session:
            row = session.get_one(SchoolClass, class_id)
            for name, value in values.items():
                setattr(row, name, value)

    yield change
    database.dispose()


def test_a_pause_comes_to_an_open_page_and_what_is_typed_stays(window, school):
    answer = window.post("/join", name="Bar Reader", class_code=CODE, next="/rules")
    assert answer.url.endswith("/rules"), answer.text()
    spoken = window.listen()
    window.at("yard-tell")
    page = window.page
    box = page.get_by_label("Your message to the warden")
    box.fill("Half a thought")
    school(look_here="Eyes to the board", clock_title="Gate 1")
    sentence = page.get_by_text("Eyes to the board")
    expect(sentence.first).to_be_visible()
    assert "Everybody look here: Eyes to the board" in spoken()
    page.get_by_role("button", name="Send").click()
    expect(page.get_by_role("alert")).to_contain_text("paused play")
    expect(box).to_have_value("Half a thought")
    ends = datetime.now(UTC) + timedelta(minutes=20)
    school(look_here=None, clock_ends_at=ends)
    timer = page.get_by_role("timer")
    expect(timer).to_have_text(re.compile(r"^(19|20):\d\d$"))
    assert "You can go on." in spoken()
    window.assert_fits()
    school(clock_ends_at=datetime.now(UTC) - timedelta(seconds=5))
    expect(timer).to_have_text("Time is up")
    page.get_by_role("button", name="Send").click()
    expect(box).to_have_value("")
