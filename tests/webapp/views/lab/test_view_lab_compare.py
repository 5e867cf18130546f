"""Pages of the fair test, as a browser without scripts sees them."""

from __future__ import annotations

import csv
import io
import re
from dataclasses import replace

import pytest
from flask import Flask

from tests.kit.browser import Browser, text_of
from tests.kit.judging import Speakers, add_model, with_speakers
from webapp.domain.lab import matrix_run

CHECKED = re.compile(r'value="([^"]+)" checked')
SCRIPT = "<script>alert(1)</script>"
FORM = {
    "prompt": ["Where is {input}?", f"{SCRIPT} {{input}}:"],
    "items": "Paris → France\nRome → Italy",
    "model": ["local/smollm2"],
    "temperature": ["0.7"],
    "samples": "2",
    "check": "icontains",
    "option-value": "{wanted}",
}


@pytest.fixture
def speakers() -> Speakers:
    found = Speakers()
    found.says["smollm2"].append("=France()")
    return found


@pytest.fixture
def app(app: Flask, speakers: Speakers, monkeypatch: pytest.MonkeyPatch) -> Flask:
    services = with_speakers(app.extensions["wordkeep"], speakers, "soup")
    app.extensions["wordkeep"] = replace(services)
    # In the request and not in a thread, so that it is over when the page is read.
    monkeypatch.setattr(matrix_run, "set_going", matrix_run.work)
    return app


def begin(browser: Browser, **change: object) -> str:
    answer = browser.post("/lab/compare", FORM | change)
    assert answer.status_code == 303, text_of(answer.text)
    return str(answer.location)


def test_a_visitor_sees_the_form_and_becomes_a_guest_by_sending_it(app: Flask) -> None:
    visitor = Browser(app)
    page = visitor.get("/lab/compare")
    assert "A fair test" in text_of(page.text)
    usual = visitor.services.gateway.usual("chat")
    assert CHECKED.findall(page.text) == [f"local/{usual}"]
    assert "minilm" not in page.text
    seen = visitor.get(begin(visitor))
    assert "0 of 8 replies, at most" in text_of(seen.text)


def test_nothing_is_asked_before_start_and_then_the_table_says_what_came(
    player: Browser, speakers: Speakers
) -> None:
    path = begin(player)
    player.get(path)
    assert speakers.history == []
    assert player.post(f"{path}/start").status_code == 303
    page = player.get(path)
    shown = text_of(page.text)
    assert "Done 8 of 8 replies" in shown
    assert "2 of 4" in shown
    assert "Prompt 1 or Prompt 2? It cannot be told yet: 2 of 4 passed" in shown
    assert SCRIPT not in page.text
    assert len(speakers.history) == 8
    assert "Replies to prompt 2" not in shown
    cell = player.get(f"{path}?cell=1")
    assert "Replies to prompt 2" in text_of(cell.text)
    assert "Line 1: Paris → France =France() good" in text_of(cell.text)
    for wrong in ("9", "x", "-1", "²"):
        assert player.get(f"{path}?cell={wrong}").status_code in {200, 404}


def test_the_table_has_every_reply_and_no_formula(player: Browser) -> None:
    path = begin(player)
    player.post(f"{path}/start")
    rows = list(csv.DictReader(io.StringIO(player.get(f"{path}/table.csv").text)))
    assert len(rows) == 8
    assert {row["reply"] for row in rows} == {"'=France()"}
    assert [row["check"] for row in rows if row["line"] == "Rome"] == ["failed"] * 4


def test_what_was_typed_stays_when_it_cannot_be_asked(player: Browser) -> None:
    answer = player.post("/lab/compare", FORM | {"samples": "99"})
    assert answer.status_code == 400
    assert "The number of samples is a whole number from 1 to 10." in answer.text
    assert "Paris → France" in answer.text
    assert "{wanted}" in answer.text


def test_the_options_of_a_check_come_as_a_part(player: Browser) -> None:
    part = player.get("/lab/compare/check?check=number").text
    assert re.findall(r'name="(option-\w+)"', part) == [
        "option-value",
        "option-which",
        "option-tolerance",
    ]
    assert "<html" not in part
    assert player.get("/lab/compare/check?check=llm-rubric").status_code == 400


def test_a_trained_models_page_leads_to_a_test_of_it_and_its_base(
    player: Browser,
) -> None:
    add_model(player.services, player.player_id(), "soup", title="Soup bot")
    page = player.get("/train/models/soup").text
    (link,) = re.findall(r'href="(/lab/compare[^"]+)"', page)
    form = player.get(link.replace("&amp;", "&")).text
    assert CHECKED.findall(form) == [
        "local/smollm2",
        "local/soup",
    ]


def test_stop_delete_and_the_part_that_changes(player: Browser) -> None:
    path = begin(player)
    assert "<html" not in player.get(f"{path}/state").text
    assert player.post(f"{path}/stop").status_code == 303
    assert player.post(f"{path}/delete").status_code == 303
    assert player.get(path).status_code == 404
    assert player.post(f"{path}/start").status_code == 404


def test_nobody_else_opens_it(app: Flask, player: Browser) -> None:
    path = begin(player)
    other = Browser(app).play("Eve")
    for address in (path, f"{path}/state", f"{path}/table.csv"):
        assert other.get(address).status_code == 404
    for address in (f"{path}/start", f"{path}/stop", f"{path}/delete"):
        assert other.post(address).status_code == 404
