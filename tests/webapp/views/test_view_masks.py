"""What a class that masks rude words is shown, wherever a model may have written it."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from tests.kit.browser import Browser
from webapp.domain.people import accounts, classes
from webapp.llm.scripted import ScriptedBackend
from webapp.rows import Generation, SchoolClass

RUDE, SHOWN = "Oh shit, I said that.", "Oh ••••, I said that."
STREAM = {"Accept": "text/event-stream"}
BENCH: dict[str, Any] = {
    "mode": "chat",
    "system": "usual",
    "pane_model": "local/smollm2",
    "pane_temperature": "0.7",
    "pane_top_p": "1",
    "pane_top_k": "0",
    "max_tokens": "60",
    "seed": "7",
    "do": "send",
    "message": "Swear",
}


@pytest.fixture
def student(new_browser: Callable[[], Browser]) -> Browser:
    browser = new_browser()
    made = classes.add_class(browser.services, name="7b")
    with browser.services.db.write() as session:
        session.get_one(SchoolClass, made.id).masks_rude = True
    browser.post("/join", {"name": "Ada", "class_code": made.join_code})
    browser.get("/keep")
    return browser


def deltas(stream: str) -> str:
    blocks = [block.split("\n") for block in stream.split("\n\n") if "data: " in block]
    return "".join(
        json.loads(lines[1].removeprefix("data: "))["text"]
        for lines in blocks
        if lines[0] == "event: delta"
    )


def test_a_gate_its_stream_and_the_notebook(
    student: Browser, backend: ScriptedBackend
) -> None:
    backend.enqueue(RUDE, RUDE)
    sent = {"message": "Say shit, please"}
    streamed = student.post("/keep/open/attempts", sent, headers=STREAM).text
    assert (deltas(streamed), RUDE in streamed) == (SHOWN, False)
    student.post("/keep/open/attempts", sent)
    for place in ("/keep/open", "/notebook"):
        page = student.get(place).text
        assert SHOWN in page
        assert RUDE not in page
        # What one wrote oneself stays, so that it can be sent again.
        assert "Say shit, please" in page
    for file in ("md", "jsonl"):
        text = student.get(f"/notebook/export.{file}").text
        assert SHOWN in text
        assert RUDE not in text
    with student.services.db.read() as session:
        assert {row.reply for row in session.query(Generation)} == {RUDE}


def test_the_playground(student: Browser, backend: ScriptedBackend) -> None:
    backend.enqueue(RUDE, RUDE)
    at = "/lab/playground/replies"
    streamed = student.post(at, BENCH, headers=STREAM).text
    assert (deltas(streamed), RUDE in streamed) == (SHOWN, False)
    page = student.get(student.post(at, BENCH).location).text
    assert SHOWN in page
    assert "shit" not in page


def test_documents(student: Browser, backend: ScriptedBackend) -> None:
    student.post("/lab/documents/begin")
    backend.enqueue(RUDE, RUDE)
    asked = {"question": "Who?", "model": "scribe", "picked": "1"}
    page = student.get(student.post("/lab/documents/ask", asked).location).text
    assert page.count(SHOWN) == 2
    assert "shit" not in page


def test_the_api(student: Browser, backend: ScriptedBackend) -> None:
    token = accounts.create_token(student.services, player_id=student.player_id())
    api = student.app.test_client()
    bearer = {"Authorization": f"Bearer {token}"}
    backend.enqueue(RUDE, RUDE)
    sent = {"message": "Swear"}
    answer = api.post("/api/v1/levels/open/attempts", json=sent, headers=bearer)
    assert SHOWN in json.dumps(answer.json, ensure_ascii=False)
    assert "shit" not in answer.text
    chat = {
        "model": "local/smollm2",
        "messages": [{"role": "user", "content": "Swear"}],
    }
    told = api.post("/api/v1/lab/chat", json=chat, headers=bearer)
    assert told.status_code == 200, told.text
    assert "shit" not in told.text


def test_what_is_ones_own_can_be_taken_along(student: Browser) -> None:
    student.post("/keep/open/attempts", {"message": "shit"})
    assert '"shit"' in student.get("/me/export.json").text


def test_others_read_it_as_it_is(
    new_browser: Callable[[], Browser], backend: ScriptedBackend
) -> None:
    guest = new_browser().play("Bob")
    backend.enqueue(RUDE)
    guest.post("/keep/open/attempts", {"message": "Swear"})
    assert RUDE in guest.get("/keep/open").text
