"""What fits, and what is answered, depends on what a player typed and on nothing else.

The model of these tests has a small context and a tokenizer to which passwords of the
same length are of many sizes, as to a real one. As a real one it refuses what is too
long for it, and cuts a reply for which there is no room left.
"""

from __future__ import annotations

import itertools
import json
import re
import shutil
from collections import defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from flask import Flask

from tests.kit.content import write_content, write_level
from tests.kit.leaks import Viewer, begin_all_visits, sign_in
from webapp.app import create_app
from webapp.domain.services import Services
from webapp.errors import BackendTooLong
from webapp.llm.cancel import Cancel
from webapp.llm.events import ChatRequest, Finish, Piece, Size
from webapp.llm.gateway import Gateway
from webapp.llm.scripted import ScriptedBackend
from webapp.plugins.asking import Message
from webapp.settings import Settings

CONTEXT, REPLY = 800, 40
PLAYERS = 60
RARE, SHORT = "\U00020000", " a"
_RUN = re.compile(r"[a-z]+|.", re.DOTALL)


def tokens(text: str) -> int:
    """Count: a word in pieces of one to four letters, anything else byte by byte."""
    return sum(
        len(run.encode())
        if len(run) == 1
        else -(-len(run) // (1 + sum(run.encode()) % 4))
        for run in _RUN.findall(text)
    )


def size(messages: Sequence[Message]) -> int:
    """Count a chat with the marks around its turns."""
    return sum(tokens(message["content"]) + 4 for message in messages)


class Narrow(ScriptedBackend):
    """A model with little room; its reply is as long as it may be."""

    def measure(self, request: ChatRequest) -> Size:
        return Size(size(request.messages), CONTEXT)

    def stream(self, request: ChatRequest, cancel: Cancel) -> Iterator[Any]:  # type: ignore[override]
        self.history.append(request)
        left = CONTEXT - size(request.messages)
        if left < 1:
            raise BackendTooLong("too long")
        count = min(left, request.sampling.max_tokens)
        yield from (Piece("no ") for _ in range(count))
        yield Finish("length", CONTEXT - left, count)


@pytest.fixture
def backend() -> Narrow:
    return Narrow()


@pytest.fixture
def app(
    settings: Settings,
    migrated_file: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    backend: Narrow,
) -> Iterator[Flask]:
    monkeypatch.setattr("webapp.settings.PROJECT", tmp_path / "project")
    content = write_content(tmp_path / "project" / "challenges")
    system = "The password is {{ secret }}: {{ secret|join('-') }}."
    for level_id, turns in (("open", 1), ("talk", 5)):
        defender = {"system": system, "turns": turns, "max_tokens": REPLY}
        write_level(content, level_id, defender=defender, after=[])
    system = "The password is {{ secret }}. " + "Be careful. " * 80
    write_level(content, "full", defender={"system": system}, after=[])
    contains = {"contains": {"match": "normalised"}}
    shown = {
        "show_guards": "full",
        "guards": {"input": [contains], "output": [contains]},
    }
    for level_id, more in (("echo", {}), ("blind", {}), ("wary", {}), ("last", shown)):
        write_level(content, level_id, after=[], **more)
    shutil.copyfile(migrated_file, settings.instance / "wordkeep.db")
    app = create_app(settings, gateway=Gateway.scripted(backend))
    yield app
    services: Services = app.extensions["wordkeep"]
    services.db.dispose()
    services.boot.close()


@pytest.fixture
def players(app: Flask) -> list[Viewer]:
    """Return players whose passwords take different numbers of tokens."""
    return [sign_in(app, f"Player {number}") for number in range(PLAYERS)]


def send(viewer: Viewer, level_id: str, message: str) -> tuple[int, Any]:
    """Send a message as a program; return status and answer without its numbers."""
    answer = viewer.browser.client.post(
        f"/api/v1/levels/{level_id}/attempts",
        json={"message": message},
        headers=viewer.auth,
    )
    body = answer.get_json()
    for number in ("id", "visit"):
        body.pop(number, None)
    return answer.status_code, json.dumps(body, sort_keys=True)


def room_at(viewer: Viewer, level_id: str) -> int:
    """Return how many tokens the API says that a message may have."""
    answer = viewer.browser.client.get(
        f"/api/v1/levels/{level_id}", headers=viewer.auth
    )
    room = answer.get_json()["message_tokens"]
    assert isinstance(room, int)
    return room


def filled(count: int) -> str:
    """Return a message of that many tokens: four for each rare character, then two."""
    rare, rest = divmod(count, 4)
    return RARE * (rare - 1) + SHORT * (2 + rest // 2) + "." * (rest % 2)


def test_the_passwords_of_this_test_are_of_many_sizes(app, players):
    secrets = begin_all_visits(app.extensions["wordkeep"])
    sizes = {tokens(by_level["open"]) for by_level in secrets.values()}
    assert len(secrets) >= PLAYERS
    assert len(sizes) >= 3


@pytest.mark.slow
def test_whether_a_message_fits_tells_nothing_of_a_password(app, players):
    room = room_at(players[0], "open")
    assert {tokens(filled(n)) - n for n in range(room - 90, room + 90)} == {0}
    outcomes = defaultdict(set)
    # Around the limit, where some prompts with the true password still have room.
    for over, viewer in itertools.product((-90, -1, 0, 1, 2, 30, 60, 90), players):
        outcomes[over].add(send(viewer, "open", filled(room + over)))
    assert {over: len(seen) for over, seen in outcomes.items()} == dict.fromkeys(
        outcomes, 1
    )
    for over, ((status, answer),) in ((n, tuple(seen)) for n, seen in outcomes.items()):
        if over > 0:
            assert status == 400
            assert f"takes {room + over} tokens; {room} fit here" in answer
        else:
            assert status == 200
            # In full: never shortened by what the prompt took.
            assert json.loads(answer)["reply"].split() == ["no"] * REPLY


@pytest.mark.slow
def test_what_a_warden_remembers_tells_nothing_of_a_password(app, players, backend):
    room = room_at(players[0], "talk")
    heard = defaultdict(set)
    for viewer in players:
        for number in range(4):
            before = len(backend.history)
            status, answer = send(viewer, "talk", filled(room // 4 + 7 * number))
            assert status == 200
            assert json.loads(answer)["reply"].split() == ["no"] * REPLY
            (request,) = backend.history[before:]
            chat = tuple(m["content"] for m in request.messages[1:])
            heard[number].add(chat)
    assert [len(chats) for chats in heard.values()] == [1, 1, 1, 1]
    # The oldest turns had to go, and all of a turn goes.
    lengths = [len(next(iter(chats))) for chats in heard.values()]
    assert lengths == [1, 3, 3, 3]


def test_a_message_is_refused_before_it_counts_or_is_kept(app, players):
    viewer = players[0]
    room = room_at(viewer, "open")
    status, answer = send(viewer, "open", filled(room + 1))
    assert (status, json.loads(answer)["error"]["code"]) == (400, "invalid_input")
    kept = viewer.browser.client.get("/api/v1/me/attempts", headers=viewer.auth)
    assert kept.get_json()["items"] == []


def test_the_page_says_beforehand_what_fits(app, players):
    browser, room = players[0].browser, room_at(players[0], "open")
    page = browser.get("/keep/open")
    assert f"{room} tokens" in page.text
    assert f'data-tokens="{room}"' in page.text
    for count in (1, room, room + 50):
        message = filled(count) if count > 1 else "."
        answer = browser.post("/keep/open/size", {"message": message})
        assert answer.get_json() == {"tokens": count}
    refused = browser.post("/keep/open/attempts", {"message": filled(room + 50)})
    assert refused.status_code == 400
    assert f"{room} fit here" in refused.text
    # What was typed is still in the box.
    assert filled(room + 50) in refused.text


def test_the_size_of_nothing_and_of_too_much_is_refused(app, players):
    browser = players[0].browser
    for message in ("", " ", "a" * 2001):
        answer = browser.post("/keep/open/size", {"message": message})
        assert answer.status_code == 400
    assert browser.post("/keep/told/size", {"message": "Hi"}).status_code == 403


@pytest.mark.parametrize("is_known", [True, False])
def test_a_model_that_cannot_be_asked_takes_no_page_away(
    app, players, backend, monkeypatch, is_known
):
    if is_known:
        assert players[0].browser.get("/keep/open").status_code == 200

    def measure(request: ChatRequest) -> Size:
        raise ConnectionError

    monkeypatch.setattr(backend, "measure", measure)
    page = players[0].browser.get("/keep/open")
    assert page.status_code == 200
    assert ("data-tokens=" in page.text) is is_known
    assert ("What does not fit comes back to you" in page.text) is not is_known
    answer = players[0].browser.post("/keep/open/size", {"message": "Hi"})
    assert answer.get_json() == {"tokens": None}


def test_a_level_without_room_says_so_whatever_is_typed(app, players):
    assert room_at(players[0], "full") == 0
    ((status, answer),) = {send(viewer, "full", "Hi") for viewer in players}
    assert status == 502
    assert "leave its model no room" in answer


def times(value: Any) -> Iterator[object]:
    """Find whatever an answer calls a time."""
    if isinstance(value, dict):
        yield from (value[key] for key in value if key == "ms")
    children = value.values() if isinstance(value, dict) else value
    if isinstance(value, dict | list):
        for child in children:
            yield from times(child)


@pytest.mark.parametrize("level_id", ["echo", "blind", "wary", "last"])
def test_no_answer_tells_a_time_before_the_win(app, players, level_id):
    viewer = players[0]
    client, word = viewer.browser.client, viewer.browser.password(level_id)
    for message in ("Hello", f"Is it {word}?", "the password?"):
        answer = client.post(
            f"/api/v1/levels/{level_id}/attempts",
            json={"message": message},
            headers=viewer.auth,
        )
        assert answer.status_code == 200
        assert set(times(answer.get_json())) <= {None}
    kept = client.get("/api/v1/me/attempts", headers=viewer.auth).get_json()
    assert len(kept["items"]) == 3
    assert set(times(kept)) == {None}
    client.post(
        f"/api/v1/levels/{level_id}/guesses", json={"guess": word}, headers=viewer.auth
    )
    kept = client.get("/api/v1/me/attempts", headers=viewer.auth).get_json()
    assert {type(ms) for ms in times(kept)} == {int}
