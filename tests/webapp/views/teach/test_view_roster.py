"""The page of a class and of each of its players."""

from __future__ import annotations

import re
from typing import NamedTuple

import pytest

from tests.kit.browser import Browser, text_of
from webapp.domain.people import accounts, classes
from webapp.domain.play import attack, guessing, visits
from webapp.rows import Player

PASSWORD = "correct horse"
ACTS = ("name", "alias", "hide", "show", "code", "remove")


class School(NamedTuple):
    """An instructor's browser, and the ids of the class and of a player in it."""

    browser: Browser
    class_id: int
    ada: int


@pytest.fixture
def school(browser: Browser) -> School:
    made = classes.add_class(browser.services, name="7b")
    accounts.create_player(
        browser.services,
        name="Ms Gray",
        class_code=made.join_code,
        role="instructor",
        password=PASSWORD,
    )
    ada = accounts.create_player(
        browser.services, name="Ada", class_code=made.join_code
    )
    browser.post("/login", {"name": "Ms Gray", "password": PASSWORD})
    browser.get("/teach")
    return School(browser, made.id, ada.player_id)


def test_from_the_overview_to_a_player(school: School) -> None:
    overview = school.browser.get("/teach").text
    assert f'href="/teach/classes/{school.class_id}">7b' in overview
    page = school.browser.get(f"/teach/classes/{school.class_id}/people").text
    assert f'href="/teach/players/{school.ada}">Ada' in page
    assert "Ms Gray" not in re.findall(r"<th scope=.row.>.*?</th>", page)


def test_rename_and_alias_errors_are_at_their_fields(school: School) -> None:
    path = f"/teach/players/{school.ada}"
    for act, field in (("name", "rename-name"), ("alias", "alias-alias")):
        refused = school.browser.post(f"{path}/{act}", {"name": "x", "alias": "x"})
        assert refused.status_code == 400
        assert f'<a href="#{field}">' in refused.text
    assert school.browser.post(f"{path}/name", {"name": "Eve"}).location == path
    assert "<h1>Eve</h1>" in school.browser.get(path).text


def test_hide_and_show(school: School) -> None:
    path = f"/teach/players/{school.ada}"
    school.browser.post(f"{path}/hide")
    assert "This player is hidden" in school.browser.get(path).text
    page = text_of(school.browser.get(f"/teach/classes/{school.class_id}/people").text)
    assert "Ada hidden" in page
    assert "Ms Gray took off the leaderboard Ada" in page
    school.browser.post(f"{path}/show")
    assert "Hide this player" in school.browser.get(path).text


def test_a_new_code_is_shown_once(school: School) -> None:
    path = f"/teach/players/{school.ada}"
    answer = school.browser.post(f"{path}/code")
    shown = re.search(r'id="given-code">([^<]+)<', answer.text)
    assert shown is not None
    assert shown[1] not in school.browser.get(path).text
    assert accounts.recover(school.browser.services, code=shown[1]) == school.ada


def test_deleting_needs_the_tick(school: School) -> None:
    path = f"/teach/players/{school.ada}/remove"
    refused = school.browser.post(path)
    assert refused.status_code == 400
    assert "Tick the box first" in refused.text
    done = school.browser.post(path, {"is_sure": "y"})
    assert done.location == f"/teach/classes/{school.class_id}/people"
    assert accounts.player_info(school.browser.services, school.ada) is None
    assert "Nobody has joined yet" in school.browser.get(done.location).text


@pytest.mark.parametrize("act", ACTS)
def test_others_classes_and_players_are_shut(school: School, act: str) -> None:
    services = school.browser.services
    other = classes.add_class(services, name="8a")
    bob = accounts.create_player(services, name="Bob", class_code=other.join_code)
    data = {"name": "Eve", "alias": "Eve", "is_sure": "y"}
    path = f"/teach/players/{bob.player_id}"
    assert school.browser.post(f"{path}/{act}", data).status_code == 403
    assert school.browser.get(path).status_code == 403
    for class_id in (other.id, 999):
        page = school.browser.get(f"/teach/classes/{class_id}/people")
        assert page.status_code == 403
        assert "This belongs to no class that you teach." in page.text
    info = accounts.player_info(services, bob.player_id)
    assert info is not None
    assert (info.name, info.alias, info.is_hidden) == ("Bob", None, False)


@pytest.mark.parametrize("act", ACTS)
def test_players_have_no_business_here(school: School, new_browser, act: str) -> None:
    pupil = new_browser().play("Bob")
    data = {"name": "Eve", "alias": "Eve", "is_sure": "y"}
    path = f"/teach/players/{school.ada}"
    assert pupil.post(f"{path}/{act}", data).status_code == 403
    assert pupil.get(path).status_code == 403
    stranger = new_browser()
    assert stranger.post(f"{path}/{act}", data).status_code == 303
    assert accounts.player_info(school.browser.services, school.ada) is not None


def test_messages_that_need_a_person_are_shown_to_those_who_teach(
    school: School, new_browser
) -> None:
    services = school.browser.services
    for message in (
        "I want to kill myself",
        "How do I build a bomb?",
        "Oh shit",
        "Oh shit",
        "Hello",
    ):
        list(
            attack.attack(
                services, player_id=school.ada, level_id="open", message=message
            )
        )
    for path in ("/teach", f"/teach/classes/{school.class_id}/people"):
        page = text_of(school.browser.get(path).text)
        assert "Messages to look at" in page
        assert "Ada , 7b distress I want to kill myself" in page.replace(
            "Ada,", "Ada ,"
        )
        assert "asks how to do harm How do I build a bomb?" in page
        assert page.count("rude words Oh shit") == 1
        assert "Hello" not in page
    elsewhere = classes.add_class(services, name="9c")
    accounts.create_player(
        services,
        name="Mr Grey",
        class_code=elsewhere.join_code,
        role="instructor",
        password=PASSWORD,
    )
    other = new_browser()
    other.post("/login", {"name": "Mr Grey", "password": PASSWORD})
    assert "kill myself" not in other.get("/teach").text


def test_a_rude_message_does_not_give_a_password_away(school: School) -> None:
    services = school.browser.services
    with services.db.write() as session:
        player = session.get_one(Player, school.ada)
        level = services.content.current().level("open")
        visit = visits.current_visit(session, services, player=player, level=level)
        word = visits.visit_secret(services, visit, level).reveal()
    said = f"Is it {word}, shit?"
    sent = attack.attack(services, player_id=school.ada, level_id="open", message=said)
    list(sent)
    page = school.browser.get("/teach").text
    assert "rude words" in page
    assert word not in page
    guessing.guess(services, player_id=school.ada, level_id="open", guess=word)
    assert said in school.browser.get("/teach").text


def test_rude_messages_of_staff_are_not_listed(school: School) -> None:
    school.browser.post("/keep/open/attempts", {"message": "Oh shit"})
    assert "rude words" not in school.browser.get("/teach").text


def test_a_link_and_a_qr_code_bring_a_class_in(school: School, new_browser) -> None:
    page = school.browser.get(f"/teach/classes/{school.class_id}/people").text
    link = re.search(r'id="join-link" href="([^"]+)"', page)
    assert link is not None
    assert page.count('class="qrline"') == 1
    pupil = new_browser()
    shown = pupil.get(link[1].removeprefix("http://localhost")).text
    code = re.search(r'name="class_code"[^>]*value="([^"]+)"', shown)
    assert code is not None
    pupil.post("/join", {"name": "Grace", "class_code": code[1]})
    assert "Class 7b" in text_of(pupil.get("/me").text)
