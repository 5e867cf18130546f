"""The page of the arena: blind before the vote, told after it."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from flask import Flask

from tests.kit.browser import Browser, text_of
from tests.kit.judging import Speakers, add_model, with_speakers
from tests.kit.training import ScriptedTraining
from webapp.errors import BackendOverloaded
from webapp.rows import PUBLIC

NAMES = ("soup", "bread")
ALL = (*NAMES, "salad", "stew")


@pytest.fixture
def speakers() -> Speakers:
    found = Speakers()
    found.says["soup"].append("A soup <b>text</b>")
    found.says["bread"].append("A bread text")
    return found


@pytest.fixture
def app(app: Flask, speakers: Speakers) -> Flask:
    app.extensions["wordkeep"] = with_speakers(
        app.extensions["wordkeep"], speakers, *ALL
    )
    return app


@pytest.fixture
def owner(new_browser: Callable[[], Browser]) -> Browser:
    browser = new_browser().play("Owner")
    for name in NAMES:
        add_model(
            browser.services,
            browser.player_id(),
            name,
            title=f"The {name} model",
            visibility=PUBLIC,
            prompt="Once <i>upon</i> a time",
        )
    return browser


def main_of(page: str) -> str:
    return page.partition("Which is better?")[2].partition("How they stand")[0]


def test_a_guest_judges_blind_and_is_told_afterwards(
    owner: Browser, new_browser: Callable[[], Browser]
) -> None:
    guest = new_browser()
    assert "Let two models write" in guest.get("/train/arena").text
    assert guest.post("/train/arena").location == "/train/arena"
    page = guest.get("/train/arena").text
    duel = main_of(page)
    for secret in ("soup model", "bread model", "Owner", "models/"):
        assert secret not in duel
    assert "A soup &lt;b&gt;text&lt;/b&gt;" in duel
    assert "Once &lt;i&gt;upon&lt;/i&gt; a time" in duel
    voted = guest.post("/train/arena/1", {"verdict": "right"})
    assert voted.location == "/train/arena?voted=1"
    told = text_of(guest.get(voted.location).text)
    is_soup_right = duel.index("A bread") < duel.index("A soup")
    left, right = ("bread", "soup") if is_soup_right else ("soup", "bread")
    assert "You chose the right one. Left was" in told
    assert f"Left was The {left} model by Owner , right was The {right} model" in told
    assert "You have judged every pair" in told
    assert f"The {right} model by Owner 1131 too few votes 1 0 0" in told


def test_what_was_chosen_becomes_data_once_it_is_enough(
    owner: Browser,
    new_browser: Callable[[], Browser],
    speakers: Speakers,
    trainer: ScriptedTraining,
) -> None:
    for name in ALL:
        # Each text comes once, so that each choice is a row.
        speakers.says[name].extend(f"A {name} text {n}" for n in range(4))
    for name in ("salad", "stew"):
        add_model(
            owner.services, owner.player_id(), name, visibility=PUBLIC, prompt="Soon"
        )
    bob = new_browser().play("Bob")
    assert "Train on what you chose" not in bob.get("/train/arena").text
    for number, verdict in enumerate(("left", "even", "skipped", "right"), start=1):
        bob.post("/train/arena")
        bob.post(f"/train/arena/{number}", {"verdict": verdict})
    page = text_of(bob.get("/train/arena").text)
    assert "You have chosen 2 texts." in page
    assert "nothing is learned from what lost" in page
    refused = bob.post("/train/arena/chosen")
    assert refused.location == "/train/arena"
    assert "at least 3 different rows" in text_of(bob.get("/train/arena").text)
    assert trainer.files == {}
    for number in (5, 6):
        bob.post("/train/arena")
        bob.post(f"/train/arena/{number}", {"verdict": "right"})
    made = bob.post("/train/arena/chosen")
    assert made.location.startswith("/train/data/")
    assert bob.get(made.location).status_code == 200
    (_, rows) = next(iter(trainer.files.values()))
    assert len(rows) == 4
    assert "Train on what you chose" not in owner.get("/train/arena").text
    assert new_browser().post("/train/arena/chosen").status_code != 200


def test_a_second_vote_is_refused_in_a_sentence(
    owner: Browser, new_browser: Callable[[], Browser]
) -> None:
    guest = new_browser()
    guest.post("/train/arena")
    guest.post("/train/arena/1", {"verdict": "skipped"})
    answer = guest.post("/train/arena/1", {"verdict": "left"})
    page = text_of(guest.get(answer.location).text)
    assert "each pair comes once" in page
    assert "Skipped: this counts for nobody." in page
    assert "no votes yet" in page


def test_nobody_reads_the_duel_of_another(
    owner: Browser, new_browser: Callable[[], Browser]
) -> None:
    guest, eve = new_browser(), new_browser().play("Eve")
    guest.post("/train/arena")
    assert eve.post("/train/arena/1", {"verdict": "left"}).status_code == 404
    guest.post("/train/arena/1", {"verdict": "left"})
    assert "Left was" not in eve.get("/train/arena?voted=1").text
    for odd in ("x", "9" * 30, "-1", "٣"):
        assert eve.get(f"/train/arena?voted={odd}").status_code == 200
    assert guest.client.post("/train/arena/1", data={}).status_code == 400


def test_models_that_are_away_are_a_sentence(
    owner: Browser, new_browser: Callable[[], Browser], speakers: Speakers
) -> None:
    speakers.enqueue(*[BackendOverloaded("The soup model is busy.")] * 3)
    guest = new_browser()
    answer = guest.post("/train/arena")
    page = text_of(guest.get(answer.location).text)
    assert "One of the two models could not be asked." in page
    assert "soup model is busy" not in page


def test_an_arena_without_models_says_how_to_fill_it(browser: Browser) -> None:
    page = text_of(browser.get("/train/arena").text)
    assert "Nobody shows a model here yet." in page
    assert "/train/arena" in browser.get("/train").text


def test_the_owner_sees_how_they_stand_and_judges_none(owner: Browser) -> None:
    page = text_of(owner.get("/train/arena").text)
    assert "The soup model by you" in page
    assert "Your own models are left to others." in page
