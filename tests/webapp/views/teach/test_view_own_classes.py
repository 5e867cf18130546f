"""Classes in the browser: made, filled from a list, joined, limited and deleted."""

from __future__ import annotations

import io
import re
from typing import Any

import pytest

from tests.kit.browser import Browser, text_of
from tests.webapp.views.teach.test_view_roster import School, school  # noqa: F401
from webapp.domain.people import accounts, classes
from webapp.web.context import PLAYER_GONE, SIGNED_OUT

CARD = re.compile(r'class="card-out__name">([^<]+)<.*?class="code-word">([^<]+)<', re.S)


@pytest.fixture
def base(school: School) -> str:  # noqa: F811
    """Return the address of the class."""
    return f"/teach/classes/{school.class_id}"


@pytest.fixture
def teacher(school: School) -> Browser:  # noqa: F811
    """Return the browser of its instructor."""
    return school.browser


def test_a_class_is_made_renamed_and_deleted(teacher: Browser) -> None:
    assert 'href="/teach/classes/new"' in teacher.get("/teach").text
    refused = teacher.post("/teach/classes/new", {"name": "7B"})
    assert refused.status_code == 409
    assert "There is already a class named &#34;7b&#34;." in refused.text
    made = teacher.post("/teach/classes/new", {"name": "8a"})
    base = made.location.removesuffix("/join")
    assert "Join 8a" in text_of(teacher.get(made.location).text)
    teacher.post(f"{base}/name", {"name": "8b"})
    page = teacher.get(f"{base}/settings").text
    assert "<h1>8b</h1>" in page
    assert "0 players with 0 prompts to models" in text_of(page)
    for sent in ({"is_sure": "y"}, {"name": "8b"}, {"name": "7b", "is_sure": "y"}):
        assert teacher.post(f"{base}/delete", sent).status_code == 400
    done = teacher.post(f"{base}/delete", {"name": "8b", "is_sure": "y"})
    assert done.location == "/teach"
    assert "“8b” and everything in it have been deleted." in teacher.get("/teach").text
    assert teacher.get(f"{base}/settings").status_code == 403


def test_a_file_becomes_cards_that_sign_in(
    teacher: Browser, base: str, new_browser: Any
) -> None:
    content = "name;class\nZoë;7b\nADA;7b\n".encode("utf-16")
    looked = teacher.post(
        f"{base}/import", {"file": (io.BytesIO(content), "7b.csv"), "names": ""}
    )
    shown = text_of(looked.text)
    assert "3 ADA Somebody in this class has this name" in shown
    assert "1 player would be added to 7b: Zoë" in shown
    names = re.search(r'name="names" type="hidden" value="([^"]*)"', looked.text)
    assert names is not None
    assert names[1] == "Zoë"
    seal = teacher.token
    printed = teacher.post(f"{base}/import/add", {"names": names[1]})
    ((name, code),) = CARD.findall(printed.text)
    assert name == "Zoë"
    assert printed.text.count('class="qrline"') == 1
    assert "has not come yet" in teacher.get(f"{base}/people").text
    # The same form once more, not a new one.
    teacher.token = seal
    again = teacher.post(f"{base}/import/add", {"names": names[1]})
    assert CARD.findall(again.text) == [(name, code)]
    pupil = new_browser()
    pupil.post("/recover", {"code": code})
    assert "Class 7b" in text_of(pupil.get("/me").text)
    arrived = teacher.get(f"{base}/join", headers={"HX-Request": "true"}).text
    assert "2 players have joined" in text_of(arrived)
    assert "<h1>" not in arrived


def test_new_cards(teacher: Browser, base: str) -> None:
    teacher.post(f"{base}/import/add", {"names": "Grace\nAlan"})
    page = teacher.get(f"{base}/cards").text
    boxes = re.findall(r'name="player" value="(\d+)" checked', page)
    assert len(boxes) == 2
    some = teacher.post(f"{base}/cards", {"player": boxes[1]})
    assert [name for name, _ in CARD.findall(some.text)] == ["Grace"]
    refused = teacher.post(f"{base}/cards/all")
    assert refused.status_code == 400
    assert "Tick the box first" in refused.text
    everybody = teacher.post(f"{base}/cards/all", {"is_sure": "y"})
    assert [name for name, _ in CARD.findall(everybody.text)] == [
        "Ada",
        "Alan",
        "Grace",
    ]


def test_a_closed_class_says_so_wherever_its_code_is_used(
    teacher: Browser, base: str, new_browser: Any
) -> None:
    page = teacher.get(f"{base}/join").text
    code = re.search(r'class="projected__code">([^<]+)<', page)
    assert code is not None
    pupil = new_browser()
    assert "You are joining the class 7b" in text_of(
        pupil.get(f"/join?code={code[1]}").text
    )
    teacher.post(f"{base}/join/close")
    assert "takes nobody new" in text_of(teacher.get(f"{base}/join").text)
    told = "“7b” takes nobody new at the moment."
    assert told in text_of(pupil.get(f"/join?code={code[1]}").text)
    for path in ("/join", "/play"):
        refused = pupil.post(path, {"name": "Bob", "class_code": code[1]})
        assert refused.status_code == 409
        assert told in text_of(refused.text)
        assert '<a href="#class_code">' in refused.text
    call = pupil.client.post(
        "/api/v1/players", json={"name": "Bob", "class_code": code[1]}
    )
    assert call.status_code == 409
    assert call.json["error"]["code"] == "join_closed"
    teacher.post(f"{base}/join/open")
    joined = pupil.post("/join", {"name": "Bob", "class_code": code[1]})
    assert joined.status_code == 303


def test_limits_are_set_and_refused_at_their_fields(
    teacher: Browser, base: str
) -> None:
    path = f"{base}/limits"
    for typed, said in (
        ("many", "Write a whole number"),
        ("-1", "Write a whole number"),
        ("2001", "This may be at most 2,000"),
        ("9" * 3_000, "Write a whole number"),
    ):
        refused = teacher.post(path, {"attempts_per_day": typed})
        assert refused.status_code == 400
        assert '<a href="#attempts_per_day">' in refused.text
        assert said in refused.text
    assert teacher.post(path, {"attempts_per_day": "1,000"}).status_code == 303
    page = teacher.get(path).text
    assert re.search(r'id="attempts_per_day"[^>]* value="1000"', page)
    assert "Ada 0 0 1,000" in text_of(page)
    teacher.post(path, {"attempts_per_day": ""})
    assert "Ada 0 0 2,000" in text_of(teacher.get(path).text)


def test_a_player_is_moved(school: School) -> None:  # noqa: F811
    browser = school.browser
    path = f"/teach/players/{school.ada}"
    assert "Move to this class" not in browser.get(path).text
    made = browser.post("/teach/classes/new", {"name": "8a"}).location
    number = re.search(r"\d+", made)
    assert number is not None
    browser.post(f"{path}/class", {"to": number[0]})
    assert "This player is in “8a” now" in browser.get(path).text
    refused = browser.post(f"{path}/class", {"to": number[0]})
    assert refused.status_code == 409
    assert browser.post(f"{path}/class", {"to": "999"}).status_code == 403
    assert browser.post(f"{path}/class", {"to": "x"}).status_code == 403


def test_another_instructor_is_let_in_and_taken_out(
    teacher: Browser, base: str, new_browser: Any
) -> None:
    services = teacher.services
    code = accounts.create_player(services, name="Mr Brown", role="instructor")
    other = new_browser()
    other.post("/recover", {"code": code.recovery_code})
    assert other.get(f"{base}/settings").status_code == 403
    refused = teacher.post(f"{base}/instructors", {"colleague": "9" * 30})
    assert refused.status_code == 400
    teacher.post(f"{base}/instructors", {"colleague": str(code.player_id)})
    assert "Ms Gray" in other.get(f"{base}/settings").text
    gone = other.post(f"{base}/instructors/{code.player_id}/remove")
    assert gone.location == "/teach"
    assert other.get(f"{base}/people").status_code == 403


def test_who_was_deleted_or_signed_out_is_told(
    teacher: Browser, base: str, new_browser: Any
) -> None:
    (group,) = classes.classes(teacher.services)[:1]
    grace, alan = new_browser(), new_browser()
    for pupil, name in ((grace, "Grace"), (alan, "Alan")):
        pupil.post("/join", {"name": name, "class_code": group.join_code})
        pupil.get("/keep")
    teacher.post(f"/teach/players/{grace.player_id()}/code")
    away = grace.get("/me")
    assert away.status_code == 303
    assert SIGNED_OUT in grace.get(away.location).text
    assert SIGNED_OUT not in grace.get("/join").text
    teacher.post(f"{base}/delete", {"name": "7b", "is_sure": "y"})
    sent = alan.post("/keep/open/attempts", {"message": "Hello"})
    assert sent.status_code == 303
    assert PLAYER_GONE in alan.get("/leaderboard").text
