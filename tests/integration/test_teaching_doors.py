"""Who gets in where teachers are: every address, also those that are yet to come."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from werkzeug.routing import IntegerConverter, Rule
from werkzeug.test import TestResponse

from tests.kit.browser import Browser, text_of
from tests.kit.content import write_content
from webapp.content.store import ContentStore
from webapp.domain.people import accounts, classes
from webapp.domain.play import attack
from webapp.domain.services import Services
from webapp.rows import Attempt

PLACES = ("/teach", "/wall")
# What belongs to one class.
OWNED = {"class_id", "player_id", "attempt_id"}


@dataclass(frozen=True, slots=True)
class Doors:
    """Browsers of a class's student, of another class's teacher and of nobody.

    `ids` are of the class, of a student in it and of a message of theirs.
    """

    app: Flask
    nobody: Browser
    student: Browser
    other: Browser
    ids: dict[str, int]

    def rules(self, *, is_owned: bool) -> list[tuple[str, Rule]]:
        """Return methods and rules, either of one class's things or of all others."""
        return [
            (method, rule)
            for rule in self.app.url_map.iter_rules()
            for method in sorted((rule.methods or set()) & {"GET", "POST"})
            if rule.rule.startswith(PLACES) and bool(OWNED & rule.arguments) == is_owned
        ]

    def ask(
        self, browser: Browser, method: str, rule: Rule, **ids: int
    ) -> TestResponse:
        """Open an address, or send it an empty form."""
        values: dict[str, Any] = {
            name: 1 if isinstance(converter, IntegerConverter) else "nothing"
            for name, converter in rule._converters.items()
        }
        built = rule.build(values | {k: v for k, v in ids.items() if k in values})
        assert built is not None
        answer = browser.get(built[1]) if method == "GET" else browser.post(built[1])
        assert isinstance(answer, TestResponse)
        return answer


@pytest.fixture
def doors(app: Flask, tmp_path: Path) -> Doors:
    """Return everybody who is not to get in."""
    content = ContentStore([write_content(tmp_path / "content")])
    services: Services = replace(app.extensions["wordkeep"], content=content)
    app.extensions["wordkeep"] = services
    here = classes.add_class(services, name="7a")
    there = classes.add_class(services, name="7b")
    student = _signed_in(app, name="Ada", class_code=here.join_code)
    run = attack.attack(
        services, player_id=student.player_id(), level_id="open", message="Hello"
    )
    assert list(run)
    with services.db.read() as session:
        attempt_id = session.query(Attempt).one().id
    return Doors(
        app=app,
        nobody=Browser(app),
        student=student,
        other=_signed_in(
            app, name="Mr Blue", class_code=there.join_code, role="instructor"
        ),
        ids={
            "class_id": here.id,
            "player_id": student.player_id(),
            "attempt_id": attempt_id,
        },
    )


def _signed_in(app: Flask, **who: Any) -> Browser:
    services: Services = app.extensions["wordkeep"]
    code = accounts.create_player(services, **who).recovery_code
    browser = Browser(app)
    assert browser.post("/recover", {"code": code}).status_code == 303
    browser.get("/me")
    return browser


def test_nobody_is_asked_who_they_are(doors: Doors) -> None:
    open_doors = {}
    for method, rule in doors.rules(is_owned=True) + doors.rules(is_owned=False):
        answer = doors.ask(doors.nobody, method, rule, **doors.ids)
        is_asked = answer.status_code == 303 and answer.location.startswith("/join")
        if not is_asked and answer.status_code not in {401, 403}:
            open_doors[method, rule.rule] = answer.status_code
    assert open_doors == {}


def test_a_student_of_the_class_gets_in_nowhere(doors: Doors) -> None:
    rules = doors.rules(is_owned=True) + doors.rules(is_owned=False)
    assert len(rules) > 12
    statuses = {
        (method, rule.rule): doors.ask(
            doors.student, method, rule, **doors.ids
        ).status_code
        for method, rule in rules
    }
    assert {place: s for place, s in statuses.items() if s != 403} == {}


def test_the_teacher_of_another_class_is_told_nothing(doors: Doors) -> None:
    told: dict[tuple[str, str], set[tuple[int, str]]] = {}
    for method, rule in doors.rules(is_owned=True):
        for ids in (doors.ids, dict.fromkeys(OWNED, 2**31 - 7)):
            answer = doors.ask(doors.other, method, rule, **ids)
            page = text_of(answer.text.partition("<main")[2].partition("</main")[0])
            told.setdefault((method, rule.rule), set()).add((answer.status_code, page))
    # The same for what there is and for what there is not.
    assert {
        place: answers
        for place, answers in told.items()
        if len(answers) != 1 or {status for status, _ in answers} != {403}
    } == {}
