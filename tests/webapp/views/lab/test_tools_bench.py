"""The page of the tools bench, without Python and without scripts."""

from __future__ import annotations

import html
import json
import re
from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from flask import Flask
from sqlalchemy import select

from tests.kit.browser import Browser, text_of
from webapp.domain.lab import pyodide
from webapp.domain.lab.tool_starters import STARTERS, starter
from webapp.llm.gateway import Gateway
from webapp.llm.scripted import ScriptedBackend
from webapp.rows import Generation

TWO = starter("two")
FORM = {
    "starter": "two",
    "code": TWO.code,
    "tools": TWO.tools_text,
    "question": "What is 23 times 9?",
    "has_none": "1",
    "is_held": "1",
    "temperature": "0",
    "seed": "7",
}
TIMES = '{"tool": "times", "arguments": {"a": 23, "b": 9}}'


@pytest.fixture
def model(player: Browser) -> ScriptedBackend:
    """Return the scripted model of the site."""
    backend = ScriptedBackend()
    services = player.services
    object.__setattr__(services, "gateway", Gateway.scripted(backend))
    return backend


def test_anybody_sees_functions_to_begin_with(browser: Browser) -> None:
    for one in STARTERS:
        page = browser.get(f"/lab/tools?starter={one.name}").text
        assert html.escape(one.code.splitlines()[0]) in page
        assert html.unescape(page).count(one.questions[0]) >= 2
        assert "Fetch Python" in page


def test_a_call_is_shown_and_waits_for_a_yes(
    player: Browser, model: ScriptedBackend
) -> None:
    model.enqueue(" " + TIMES)
    part = player.swap("/lab/tools/call", FORM)
    assert part.status_code == 200
    page = text_of(part.text)
    assert "It asks you to run times" in page
    assert '{"a": 23, "b": 9}' in page
    (request,) = model.history
    assert request.text is not None
    assert request.text.endswith("Question: What is 23 times 9?\nCall:")
    assert request.sampling.seed == 7
    names = [
        one["properties"]["tool"]["const"]
        for one in json.loads(request.schema)["anyOf"]
    ]
    assert names == ["times", "count_letter", "none"]
    assert request.common == request.public == request.text.rindex("Question: ")


def test_tools_of_ones_own_are_read_for_oneself_alone(
    player: Browser, model: ScriptedBackend
) -> None:
    model.enqueue(TIMES)
    own = TWO.tools_text.replace("Multiply two numbers", "My way to multiply")
    player.swap("/lab/tools/call", FORM | {"tools": own})
    (request,) = model.history
    assert (request.common, request.public > 100) == (0, True)
    assert request.cache_salt == f"tools of player-{player.player_id()}"


def test_a_free_reply_may_be_no_call(player: Browser, model: ScriptedBackend) -> None:
    model.enqueue("It is 207, I think.")
    free = {name: value for name, value in FORM.items() if name != "is_held"}
    page = text_of(player.swap("/lab/tools/call", free).text)
    assert "This is not JSON" in page
    assert "Hold the reply to the schema" in page
    assert model.history[0].schema == ""


def test_the_model_may_say_that_no_tool_fits(
    player: Browser, model: ScriptedBackend
) -> None:
    model.enqueue('{"tool": "none", "arguments": {}}', "I am well.")
    page = player.swap("/lab/tools/call", FORM).text
    assert "no tool fits" in text_of(page)
    assert "data-run" not in page
    said = player.swap("/lab/tools/answer", FORM | {"said": "none"}).text
    assert "I am well." in said
    assert model.history[1].text is not None
    assert "Result" not in model.history[1].text


@pytest.mark.parametrize(
    ("said", "line"), [("yes", "Result: 207"), ("no", "Result: the user said no")]
)
def test_the_result_or_a_no_goes_back(
    player: Browser, model: ScriptedBackend, said: str, line: str
) -> None:
    model.enqueue("It is <207>.")
    sent = FORM | {"said": said, "result": "207", "tool": "times"}
    part = player.swap("/lab/tools/answer", sent)
    assert "It is &lt;207&gt;." in part.text
    assert model.history[0].text is not None
    assert model.history[0].text.endswith(f"{line}\nAnswer:")


def test_without_scripts_the_whole_page_comes_back(
    player: Browser, model: ScriptedBackend
) -> None:
    model.enqueue(TIMES)
    page = player.post("/lab/tools/call", FORM | {"code": "def mine(): pass"}).text
    assert "def mine(): pass" in page
    assert 'name="question"' in page
    assert "It asks you to run times" in text_of(page)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"tools": "["}, "not JSON"),
        ({"question": " "}, "question is empty"),
        ({"question": "x" * 301}, "limit here is 300"),
        ({"seed": "-1"}, "seed must be a number"),
        ({"temperature": "hot"}, "temperature must be a number"),
        ({"temperature": "nan"}, "temperature must be a number"),
        ({"seed": "9" * 400}, "seed must be a number"),
    ],
)
def test_what_cannot_be_asked_is_said_and_nothing_is_asked(
    player: Browser, model: ScriptedBackend, change: dict[str, str], words: str
) -> None:
    part = player.swap("/lab/tools/call", FORM | change)
    assert part.status_code == 400
    assert words in text_of(part.text)
    assert model.history == []


def test_an_empty_result_is_not_sent(player: Browser, model: ScriptedBackend) -> None:
    part = player.swap("/lab/tools/answer", FORM | {"said": "yes", "result": ""})
    assert part.status_code == 400
    assert "The result is empty" in part.text
    assert model.history == []


def test_a_visitor_becomes_a_guest_and_each_reply_is_a_row(
    browser: Browser, app: Flask
) -> None:
    browser.get("/lab/tools")
    assert browser.swap("/lab/tools/call", FORM).status_code == 200
    with browser.services.db.read() as session:
        (row,) = session.scalars(select(Generation))
        assert (row.feature, row.status, row.seed) == ("lab", "finished", 7)
        assert row.settings["is_held"] is True
        assert row.player_id == browser.player_id()


def test_who_needs_a_person_is_answered_by_the_site(
    player: Browser, model: ScriptedBackend
) -> None:
    asked = FORM | {"question": "I want to kill myself"}
    page = text_of(player.swap("/lab/tools/call", asked).text)
    help_text = player.services.content.current().help_texts.distress
    assert " ".join(help_text.split()) in page
    assert model.history == []


def test_replies_are_limited(player: Browser, model: ScriptedBackend) -> None:
    player.limit(lab_runs_per_minute=1)
    object.__setattr__(player.services, "gateway", Gateway.scripted(model))
    assert player.swap("/lab/tools/call", FORM).status_code == 200
    assert player.swap("/lab/tools/call", FORM).status_code == 429


def test_python_that_cannot_be_had_is_said_plainly(player: Browser) -> None:
    player.limit(pyodide_url="")
    part = player.swap("/lab/tools/python")
    assert part.status_code == 502
    assert "type the result" in text_of(part.text)
    assert "Fetch Python" in part.text


@pytest.fixture
def python(player: Browser) -> Browser:
    """Return a browser of a site that has Python."""
    folder = pyodide.folder(player.services.settings)
    folder.mkdir(parents=True)
    for name in pyodide.TYPES:
        (folder / name).write_text(name)
    return player


def test_python_is_sent_with_its_types(python: Browser) -> None:
    assert "Read my functions" in python.get("/lab/tools").text
    for name, kind in pyodide.TYPES.items():
        with python.get(f"/lab/tools/python/{name}") as answer:
            assert (answer.mimetype, answer.data) == (kind, name.encode())
    assert python.get("/lab/tools/python/wordkeep.db").status_code == 404


def test_only_the_worker_may_compile_and_it_reaches_one_folder(
    python: Browser,
) -> None:
    folder = "http://localhost/lab/tools/python/"
    with python.get("/lab/tools/python/worker.js") as worker:
        assert worker.mimetype == "text/javascript"
        assert worker.headers["Content-Security-Policy"] == (
            f"default-src 'none'; script-src {folder} 'wasm-unsafe-eval'; "
            f"connect-src {folder}"
        )
    page = python.get("/lab/tools").headers["Content-Security-Policy"]
    assert "eval" not in page
    assert page.startswith("default-src 'self'")


def test_the_weather_service_fails_by_turns_and_says_when_to_come_back(
    player: Browser, new_browser: Callable[[], Browser]
) -> None:
    moment = datetime(2026, 11, 30, tzinfo=UTC).timestamp()
    object.__setattr__(
        player.services, "now", lambda: datetime.fromtimestamp(moment, UTC)
    )
    statuses = []
    for _ in range(4):
        answer = player.get("/lab/tools/weather?city=Rome")
        statuses.append(answer.status_code)
        moment += int(answer.headers.get("Retry-After", 0))
        assert ("Retry-After" in answer.headers) == (answer.status_code == 429)
        assert ("degrees" in answer.get_json()) == (answer.status_code == 200)
    assert sorted(statuses) == [200, 429, 429, 503]
    assert new_browser().get("/lab/tools/weather").status_code == 400


def test_every_button_without_python_has_a_place_to_go(player: Browser) -> None:
    page = player.get("/lab/tools").text
    places = re.findall(r'formaction="([^"]+)"', page)
    assert places == ["/lab/tools/python"]
