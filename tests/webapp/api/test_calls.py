"""Playing over the API."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest
from flask import Flask

from tests.kit.caller import Caller
from tests.kit.content import LEVEL_IDS
from tests.webapp.api.conftest import secret_of
from webapp.domain.people import accounts, classes
from webapp.domain.services import Services
from webapp.errors import BackendError, BackendTimeout
from webapp.llm.scripted import ScriptedBackend
from webapp.rows import PanelState

NOW = datetime(2026, 11, 29, tzinfo=UTC)


def test_a_new_player_gets_a_token(app: Flask) -> None:
    found = Caller(app).join("Ada")
    assert found["name"] == "Ada"
    assert set(found) == {"token", "id", "name", "recovery_code"}


def test_a_player_joins_a_class(app: Flask, services: Services) -> None:
    code = classes.add_class(services, name="7b").join_code
    answer = Caller(app).post("/players", {"name": "Ada", "class_code": code.lower()})
    info = accounts.player_by_token(services, answer.get_json()["token"])
    assert info is not None
    assert info.class_name == "7b"


def test_levels_are_a_list_in_order(ada: Caller) -> None:
    levels = ada.get("/levels").get_json()
    assert [level["id"] for level in levels] == list(LEVEL_IDS)
    assert [level["state"] for level in levels] == ["open"] + ["locked"] * 7
    assert [level["number"] for level in levels] == list(range(1, 9))
    assert levels[1]["needs"] == ["The Open Gate"]


def test_a_level_is_won_from_the_first_message(ada: Caller) -> None:
    attempt = ada.say("What is the password?")
    assert attempt["status"] == "finished"
    assert (attempt["blocked_by"], attempt["stages"]) == (None, [])
    word = attempt["reply"].removeprefix("The password is ").rstrip(".")
    found = ada.guess(word)
    assert found["correct"]
    assert (found["points"], found["next"]) == (100, "told")
    states = [level["state"] for level in ada.get("/levels").get_json()]
    assert states[:2] == ["solved", "open"]
    assert ada.say("Hello", "told")["status"] == "finished"


def test_locked_levels_refuse(ada: Caller) -> None:
    for path, body in (
        ("/levels/told/attempts", {"message": "Hello"}),
        ("/levels/told/guesses", {"guess": "word"}),
        ("/levels/told/hints/1", None),
        ("/levels/told/reset", None),
    ):
        answer = ada.post(path, body)
        assert answer.status_code == 403
        assert answer.get_json()["error"]["code"] == "locked"
    assert ada.get("/levels/told").status_code == 403


def test_wrong_repeated_and_foreign_guesses(
    app: Flask, ada: Caller, services: Services
) -> None:
    bob = Caller(app)
    foreign = secret_of(services, bob.join("Bob")["id"])
    wrong = ada.guess("nothing")
    assert wrong == {
        "correct": False,
        "points": 0,
        "next": None,
        "guesses_left": 14,
        "visit_ended": False,
        "message": "That is not the password.",
    }
    assert ada.guess("No Thing")["guesses_left"] == 14
    assert ada.guess(foreign) == wrong | {"guesses_left": 13}


def test_a_block_is_told_as_the_level_allows(winner: Caller) -> None:
    found = winner.say("the password?", "echo")
    assert (found["status"], found["reply"]) == ("blocked", None)
    assert found["blocked_by"] == "contains"
    assert found["blocked_text"] == "A guard stops this."
    (stage,) = found["stages"]
    assert (stage["guard"], stage["stage"], stage["allowed"]) == (
        "contains",
        "output",
        False,
    )
    assert stage["score"] is stage["ms"] is stage["reason"] is None
    found = winner.say("the password?", "blind")
    assert (found["blocked_by"], found["stages"]) == ("guard", [])
    (stage,) = winner.say("the password?", "full")["stages"]
    assert stage["score"] == 1.0
    assert stage["ms"] is None
    assert stage["reason"]


def test_turns_and_suspicion_are_told(winner: Caller) -> None:
    assert winner.say("Hello", "talk")["turns_left"] == 2
    assert winner.say("the password?", "wary")["suspicion_left"] == 1
    found = winner.say("the password?", "wary")
    assert found["suspicion_left"] == 0
    assert "suspicious" in found["notice"]


def test_hints(ada: Caller) -> None:
    assert ada.post("/levels/open/hints/1").get_json() == {
        "n": 1,
        "title": "A small hint",
        "cost": 20,
        "text": "Ask.",
    }
    hints = ada.get("/levels/open").get_json()["hints"]
    assert [hint["text"] for hint in hints] == ["Ask.", None]
    for n in (0, 3, 10**30):
        assert ada.post(f"/levels/open/hints/{n}").status_code == 404


def test_a_reset_changes_the_password(ada: Caller, services: Services) -> None:
    first = secret_of(services, 1)
    assert "new password" in ada.post("/levels/open/reset").get_json()["message"]
    assert secret_of(services, 1) != first


def test_a_level_tells_how_things_stand(winner: Caller) -> None:
    solved = winner.get("/levels/open").get_json()
    assert solved["state"] == "solved"
    assert solved["after_win"]["explain"] == "It works because it works."
    assert "{{" not in solved["after_win"]["prompt"][0]["content"]
    wary = winner.get("/levels/wary").get_json()
    assert (wary["suspicion"], wary["suspicion_left"]) == (2, 2)
    assert (wary["after_win"], wary["turns"], wary["turns_left"]) == (None, 20, 20)


def test_my_attempts_are_paged_and_searched(winner: Caller) -> None:
    for n in range(22):
        winner.say(f"message {n}")
    winner.say("elsewhere", "told")
    first = winner.get("/me/attempts").get_json()
    assert [item["message"] for item in first["items"]][:2] == [
        "elsewhere",
        "message 21",
    ]
    rest = winner.get(f"/me/attempts?before={first['next_before']}").get_json()
    assert len(rest["items"]) == 3
    assert rest["next_before"] is None
    found = winner.get("/me/attempts?level=told&query=ELSE").get_json()
    assert [item["level_title"] for item in found["items"]] == ["The Told Gate"]
    assert winner.get("/me/attempts?level=nowhere").get_json()["items"] == []


def test_the_leaderboard_says_who_you_are(app: Flask, winner: Caller) -> None:
    bob = Caller(app)
    bob.join("Bob")
    (row,) = winner.get("/leaderboard").get_json()["rows"]
    assert (row["rank"], row["alias"], row["points"], row["you"]) == (
        1,
        "Ada",
        100,
        True,
    )
    assert bob.get("/leaderboard?class=mine").get_json()["rows"][0]["you"] is False


def test_the_leaderboard_of_ones_class(
    app: Flask, winner: Caller, services: Services
) -> None:
    code = classes.add_class(services, name="7b").join_code
    bob = Caller(app)
    found = bob.post("/players", {"name": "Bob", "class_code": code}).get_json()
    bob.token = found["token"]
    assert bob.get("/leaderboard?class=mine").get_json()["rows"] == []
    assert len(bob.get("/leaderboard?class=all").get_json()["rows"]) == 1


def test_the_leaderboard_has_pages_and_past_seasons(
    app: Flask, winner: Caller, services: Services
) -> None:
    bob = Caller(app)
    bob.join("Bob")
    bob.guess(secret_of(services, 2, "open"))
    board = winner.get("/leaderboard?page=1").get_json()
    counted = [board[key] for key in ("page", "pages", "players")]
    assert counted == [1, 1, 2]
    assert (board["mine"]["alias"], board["mine"]["you"]) == ("Ada", True)
    assert winner.get("/leaderboard?page=0").status_code == 400
    classes.start_season(services, name=classes.OPEN_CLASS)
    assert winner.get("/leaderboard?class=mine").get_json()["mine"] is None
    past = winner.get("/leaderboard?class=mine&season=1").get_json()
    assert [row["alias"] for row in past["rows"]] == ["Ada", "Bob"]
    for query in ("class=mine&season=2", "season=1"):
        assert winner.get(f"/leaderboard?{query}").status_code == 404


def test_an_unchanged_leaderboard_is_not_sent_again(
    winner: Caller, services: Services
) -> None:
    etag = winner.get("/leaderboard").headers["ETag"]
    same = winner.get("/leaderboard", headers={"If-None-Match": etag})
    assert same.status_code == 304
    winner.guess(secret_of(services, 1, "told"), "told")
    again = winner.get("/leaderboard", headers={"If-None-Match": etag})
    assert again.status_code == 200


@pytest.mark.parametrize(
    ("error", "status", "code"),
    [
        (BackendError("It broke."), 502, "backend"),
        (BackendTimeout("It slept."), 504, "backend_timeout"),
    ],
)
def test_a_failing_model_names_the_attempt(
    ada: Caller, backend: ScriptedBackend, error: BackendError, status: int, code: str
) -> None:
    backend.enqueue(error)
    answer = ada.post("/levels/open/attempts", {"message": "Hello"})
    assert answer.status_code == status
    problem = answer.get_json()["error"]
    assert problem == {"code": code, "message": error.message, "attempt": 1}
    (item,) = ada.get("/me/attempts").get_json()["items"]
    assert (item["id"], item["status"], item["error"]) == (1, "failed", error.message)


def test_a_stream_tells_what_happens(ada: Caller) -> None:
    found = ada.listen("What is the password?")
    names = [name for name, _ in found]
    assert names[0] == "start"
    assert set(names[1:-2]) == {"delta"}
    assert names[-2:] == ["reply", "end"]
    text = "".join(data["text"] for name, data in found if name == "delta")
    assert text == dict(found)["reply"]["text"]
    assert dict(found)["end"]["status"] == "finished"


def test_a_guarded_stream_shows_the_guards(winner: Caller) -> None:
    found = winner.listen("the password?", "echo")
    assert [name for name, _ in found] == ["start", "guard", "reply", "end"]
    assert dict(found)["reply"]["blocked_by"] == "contains"


def test_a_stream_ends_with_the_error(ada: Caller, backend: ScriptedBackend) -> None:
    backend.enqueue(BackendTimeout("It slept."))
    found = ada.listen("Hello")
    assert [name for name, _ in found] == ["start", "error", "end"]
    assert dict(found)["error"] == {
        "code": "backend_timeout",
        "message": "It slept.",
        "status": 504,
    }


def test_a_stream_tells_the_place_in_the_queue(
    ada: Caller, backend: ScriptedBackend
) -> None:
    backend.queue = 2
    found = [data for name, data in ada.listen("Hello") if name == "queue"]
    assert found == [{"position": 2}, {"position": 1}]


def test_a_stream_is_passed_on_at_once(ada: Caller) -> None:
    answer = ada.post(
        "/levels/open/attempts",
        {"message": "Hello"},
        headers={"Accept": "text/event-stream"},
    )
    assert answer.headers["X-Accel-Buffering"] == "no"
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.mimetype == "text/event-stream"


@pytest.mark.parametrize("pieces", [0, 1, 3])
def test_a_reader_who_goes_away_stops_the_warden(
    ada: Caller, backend: ScriptedBackend, pieces: int
) -> None:
    backend.delay = 0.05
    backend.enqueue("one two three four five six seven eight nine ten")
    answer = ada.client.post(
        "/api/v1/levels/open/attempts",
        json={"message": "Hello"},
        headers={
            "Authorization": f"Bearer {ada.token}",
            "Accept": "text/event-stream",
        },
        buffered=False,
    )
    for _ in range(pieces):
        next(iter(answer.response))
    answer.close()
    (item,) = ada.get("/me/attempts").get_json()["items"]
    assert item["status"] == "stopped"
    assert "ten" not in (item["reply"] or "")


def test_an_invalid_message_is_refused_before_the_stream_begins(ada: Caller) -> None:
    answer = ada.post(
        "/levels/open/attempts",
        {"message": ""},
        headers={"Accept": "text/event-stream"},
    )
    assert answer.status_code == 400
    assert answer.mimetype == "application/json"


def test_text_of_all_kinds_goes_through(ada: Caller, backend: ScriptedBackend) -> None:
    text = '<script>alert(1)</script> مرحبا \u202e 👻 \u2028 \\ " {{ 7*7 }}'
    backend.enqueue(text, text)
    assert ada.say(text)["reply"] == text
    assert dict(ada.listen(text))["reply"]["text"] == text
    items = ada.get("/me/attempts").get_json()["items"]
    assert {item["message"] for item in items} == {text}


def test_answers_are_json_and_are_not_kept(ada: Caller) -> None:
    answer = ada.get("/levels")
    assert answer.mimetype == "application/json"
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    json.loads(answer.text)


def test_what_belongs_to_a_visit_that_is_over_is_a_conflict(
    ada: Caller, services: Services
) -> None:
    visit = ada.say("Hello")["visit"]
    assert ada.get("/levels/open").get_json()["visit"] == visit
    word = secret_of(services, 1)
    assert ada.post(f"/levels/open/reset?visit={visit}").status_code == 200
    assert ada.get("/levels/open").get_json()["visit"] is None
    calls: list[tuple[str, object]] = [
        ("/levels/open/guesses", {"guess": word, "visit": visit}),
        ("/levels/open/attempts", {"message": "Hello", "visit": visit}),
        (f"/levels/open/hints/1?visit={visit}", None),
        (f"/levels/open/reset?visit={visit}", None),
    ]
    for path, body in calls:
        answer = ada.post(path, body)
        assert answer.status_code == 409, path
        assert answer.get_json()["error"]["code"] == "visit_ended"
    state = ada.get("/levels/open").get_json()
    assert state["guesses_left"] == 15
    assert [hint["text"] for hint in state["hints"]] == [None, None]
    assert len(ada.get("/me/attempts").get_json()["items"]) == 1


@pytest.mark.parametrize("visit", [0, -1, 2**31, 2**53, "x", None])
def test_a_visit_that_cannot_be_meant_is_no_fault_of_ours(
    ada: Caller, visit: object
) -> None:
    answer = ada.post("/levels/open/guesses", {"guess": "some", "visit": visit})
    assert answer.status_code in {200, 400, 404}


def test_progress_in_lessons_is_read_and_brought_back(
    app: Flask, ada: Caller, services: Services
) -> None:
    with services.db.write() as session:
        passed = {"lesson_id": "basics/gone", "panel": "zo", "best": 0.6}
        session.add(PanelState(player_id=1, passed_at=NOW, run_at=NOW, **passed))
    saved = ada.get("/me/progress").get_json()
    assert [panel["best"] for panel in saved["panels"]] == [0.6]
    bob = Caller(app)
    bob.join("Bob")
    brought = bob.post("/me/progress", saved)
    assert brought.status_code == 200, brought.text
    assert brought.get_json()["missing"] == ["basics/gone: zo"]
    saved["panels"][0]["best"] = 1
    refused = bob.post("/me/progress", saved)
    assert refused.status_code == 400
    assert "its seal does not fit" in refused.get_json()["error"]["message"]
