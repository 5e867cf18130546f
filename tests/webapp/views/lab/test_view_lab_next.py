"""Pages about what may come next, as a browser without scripts sees them."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace

import pytest
from flask import Flask
from sqlalchemy import select

from tests.kit.browser import Browser, text_of
from webapp.domain.lab import trees
from webapp.domain.people import accounts
from webapp.llm.gateway import Gateway
from webapp.llm.scripted import ScriptedBackend
from webapp.rows import LabNode, LabTree

SCRIPT = "<script>alert(1)</script>"
CUT = {"temperature": "1", "top_p": "1", "top_k": "0"}


@pytest.fixture
def backend() -> ScriptedBackend:
    return ScriptedBackend()


@pytest.fixture
def app(app: Flask, backend: ScriptedBackend) -> Flask:
    """Return the site with a model that expects the same six words everywhere."""
    services = app.extensions["wordkeep"]
    gateway = Gateway.scripted(backend)
    settings = services.settings.but(lab_runs_per_minute=1000)
    app.extensions["wordkeep"] = replace(services, gateway=gateway, settings=settings)
    return app


@pytest.fixture
def plant(player: Browser) -> Callable[..., str]:
    """Return what plants a tree in the player's browser, and says where it is."""

    def plant(**fields: str) -> str:
        player.get("/lab/next")
        form = {"text": "Once upon a", "model": "warden", **CUT, **fields}
        answer = player.post("/lab/next", form)
        assert answer.status_code == 303, answer.text
        return str(answer.location)

    return plant


def tree_at(browser: Browser, url: str) -> trees.TreeView:
    found = re.search(r"/lab/next/(\d+)", url)
    assert found is not None
    tree_id = int(found[1])
    return trees.find(browser.services, player_id=browser.player_id(), tree_id=tree_id)


def test_opening_a_page_asks_no_model(app, browser, backend):
    link = "/lab/next?text=Roses+are&talk=chat&reply=Red"
    page = browser.get(link).text
    assert "Roses are" in page
    assert 'value="Red"' in page
    for path in ("/lab/next/text?text=Hello", "/lab/next/guess?passage=bus&place=6"):
        assert browser.get(path).status_code == 200
    assert backend.history == []


def test_a_visitor_becomes_a_guest_and_sees_all_chances(browser, backend):
    browser.get("/lab/next")
    answer = browser.post("/lab/next", {"text": "Once upon a", "model": "warden"})
    page = browser.get(answer.location).text
    said = text_of(page)
    assert "before: 50 percent" in said
    assert "before: 25 percent" in said
    assert "all other 94 tokens" in said
    asked = backend.history[0]
    sampling = asked.sampling
    assert (sampling.temperature, sampling.top_p, sampling.top_k) == (1, 1, 0)


def test_bars_before_and_after_the_cut(player, plant):
    url = plant(temperature="0.5", top_k="2")
    said = text_of(player.get(url).text)
    assert "before: 50 percent after: 80 percent" in said
    assert "before: 25 percent after: 20 percent" in said
    assert "before: 12 percent after: cut off" in said
    assert player.post(f"{url}/look", {"at": "0", **CUT}).status_code == 404
    root = tree_at(player, url).root
    player.post(f"{url}/look", {"at": str(root.id), **CUT, "temperature": "0"})
    assert "before: 50 percent after: 100 percent" in text_of(player.get(url).text)


def test_step_branch_and_come_back(player, plant, backend):
    url = plant()
    root = tree_at(player, url).root
    start = backend.history[0]
    one = player.post(f"{url}/draw", {"at": root.id, "tokens": "1", **CUT})
    tree = tree_at(player, url)
    (first,) = tree.children(tree.root)
    assert f"at={first.id}#text" in one.location
    drawn = backend.history[-1]
    assert len(drawn.ids) == 3
    # Another way from the beginning: exactly what was read before, and this token.
    assert tree.root.ahead is not None
    assert first.word is not None
    come = first.word.id
    other = next(word for word in tree.root.ahead.words if word.id != come)
    way = player.post(f"{url}/choose", {"pick": f"{root.id}:{other.id}", **CUT})
    assert backend.history[-1].ids == (*drawn.ids, other.id)
    assert start.text == "Once upon a"
    page = player.get(way.location).text
    said = text_of(page)
    assert "chosen by you" in said
    assert "2 tokens" not in said
    tree = tree_at(player, url)
    assert {node.how for node in tree.nodes} == {"", "drawn", "chosen"}
    # The same way again asks nobody and adds nothing.
    calls = len(backend.history)
    again = player.post(f"{url}/choose", {"pick": f"{root.id}:{other.id}", **CUT})
    assert again.location == way.location
    assert len(backend.history) == calls
    assert tree_at(player, url) == tree
    assert text_of(player.get(one.location).text).count("you are here") == 1


def test_ten_tokens_have_their_own_chances(player, plant):
    url = plant()
    root = tree_at(player, url).root
    cut = {**CUT, "temperature": "0"}
    answer = player.post(f"{url}/draw", {"at": root.id, "tokens": "10", **cut})
    said = text_of(player.get(answer.location).text)
    assert said.count("50 percent, 1st by chance") >= 10
    tree = tree_at(player, url)
    assert tree.text(tree.nodes[-1]) == " time" * 10
    assert all(node.ahead is not None for node in tree.nodes)


def test_a_reply_that_has_ended_grows_no_more(player, plant, backend):
    url = plant(talk="chat", system="Be brief.", reply="Well,")
    tree = tree_at(player, url)
    assert tree.root.ahead is not None
    end = next(word for word in tree.root.ahead.words if word.is_special)
    calls = len(backend.history)
    answer = player.post(f"{url}/choose", {"pick": f"{tree.root.id}:{end.id}"})
    assert len(backend.history) == calls
    page = player.get(answer.location).text
    assert "has ended its reply" in page
    assert "One token" not in page
    at = tree_at(player, url).nodes[-1].id
    player.post(f"{url}/draw", {"at": at, "tokens": "1", **CUT})
    assert "The reply has ended here." in player.get(url).text
    chat = backend.history[0]
    assert [m["role"] for m in chat.messages] == ["system", "user"]
    assert (chat.start_reply, chat.default_system) == ("Well,", False)


@pytest.mark.parametrize(
    ("fields", "why"),
    [
        ({"text": " "}, "The text is empty."),
        ({"text": "x" * 2001}, "at most 2,000 characters"),
        ({"talk": "song"}, "Choose whether it is a text or a chat."),
        ({"temperature": "hot"}, "The temperature must be a number from 0 to 2."),
        ({"top_p": "1.5"}, "The top-p must be a number from 0 to 1."),
        ({"top_k": "-1"}, "The top-k must be a number from 0 to 1,000."),
        ({"model": "nobody"}, "There is no model “nobody” here."),
        ({"text": "a\x00b"}, "U+0000"),
    ],
)
def test_what_cannot_be_planted_is_said(player, backend, fields, why):
    player.get("/lab/next")
    form = {"text": "Once", "model": "warden", **CUT, **fields}
    answer = player.post("/lab/next", form)
    assert answer.status_code == 400
    assert why in text_of(answer.text)
    assert backend.history == []


@pytest.mark.parametrize("pick", ["", "1", "x:y", "999999999999999999:1", "1:99999999"])
def test_a_token_that_is_not_listed_cannot_be_chosen(player, plant, backend, pick):
    url = plant()
    calls = len(backend.history)
    answer = player.post(f"{url}/choose", {"pick": pick, **CUT})
    assert answer.status_code in {303, 404}
    assert len(backend.history) == calls
    assert len(tree_at(player, url).nodes) == 1


def test_what_was_typed_is_text(player, plant):
    url = plant(text=SCRIPT)
    page = player.get(url).text
    assert SCRIPT not in page
    assert SCRIPT in text_of(page)


def test_marks_names_and_the_end_of_a_tree(player, plant, new_browser):
    url = plant()
    root = tree_at(player, url).root
    player.post(f"{url}/mark", {"at": root.id, "note": "where it began", "marked": "1"})
    player.post(f"{url}/draw", {"at": root.id, "tokens": "1", **CUT})
    assert "where it began" in player.get(url).text
    player.post(f"{url}/mark", {"at": root.id})
    assert "where it began" not in player.get(url).text
    player.post(f"{url}/mark", {"at": root.id, "note": "x" * 61, "marked": "1"})
    assert "at most 60 characters" in player.get(url).text
    player.post(f"{url}/name", {"name": "  My   tree "})
    assert "My tree" in player.get("/lab/next").text
    player.post(f"{url}/name", {"name": " "})
    assert "has 1 to 80 characters" in player.get(url).text
    stranger = new_browser().play("Eve")
    assert stranger.get(url).status_code == 404
    for act in ("draw", "choose", "look", "mark", "name", "delete"):
        sent = {"at": root.id, "tokens": "1", "pick": f"{root.id}:1", "name": "x"}
        assert stranger.post(f"{url}/{act}", sent).status_code == 404
    assert player.post(f"{url}/delete").status_code == 303
    assert player.get(url).status_code == 404


def test_a_form_sent_twice_plants_one_tree(player, backend):
    player.get("/lab/next")
    form = {"text": "Once", "model": "warden", **CUT}
    first, second = (player.post("/lab/next", form) for _ in range(2))
    assert first.location == second.location
    assert len(backend.history) == 1


def test_a_cry_for_help_is_answered_by_the_site(player, backend):
    player.get("/lab/next")
    form = {"text": "I want to kill myself", "model": "warden", **CUT}
    answer = player.post("/lab/next", form)
    assert "no model has read it" in text_of(answer.text)
    assert backend.history == []


def test_a_tree_has_its_limit(player, plant, monkeypatch):
    monkeypatch.setattr("webapp.domain.lab.trees.MOST_NODES", 2)
    url = plant()
    root = tree_at(player, url).root
    player.post(f"{url}/draw", {"at": root.id, "tokens": "10", **CUT})
    assert "which is as many as one may have" in player.get(url).text
    assert len(tree_at(player, url).nodes) == 1


def test_trees_go_with_their_player(player, plant):
    plant()
    accounts.delete_player(player.services, player_id=player.player_id())
    with player.services.db.read() as session:
        assert session.scalars(select(LabTree.id)).all() == []
        assert session.scalars(select(LabNode.id)).all() == []


def test_a_used_up_quota_says_when_to_go_on(player, plant):
    url = plant()
    player.limit(lab_runs_per_minute=1)
    root = tree_at(player, url).root
    answer = player.post(f"{url}/draw", {"at": root.id, "tokens": "1", **CUT})
    assert answer.status_code == 429


def test_a_given_text_and_its_surprise(player):
    player.get("/lab/next/text")
    answer = player.post(
        "/lab/next/text", {"text": "Once upon a time", "model": "warden"}
    )
    said = text_of(answer.text)
    assert "Perplexity 2.0" in said
    assert "Bits per byte 0.27" in said
    assert "the first token, so it has no chance" in said
    assert said.count(", 1st by chance") == 6
    assert 'data-bits="[null, 1.0, 1.0, 1.0]"' in answer.text


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "The text is empty."),
        ("x" * 1501, "at most 1,500 characters"),
        ("word", "a single token"),
    ],
)
def test_a_text_that_cannot_be_looked_at(player, text, why):
    player.get("/lab/next/text")
    answer = player.post("/lab/next/text", {"text": text, "model": "warden"})
    assert answer.status_code in {400, 502}
    assert why in text_of(answer.text)


def test_a_guess_is_compared_with_the_odds_of_the_model(player, backend):
    page = player.get("/lab/next/guess?passage=tea&place=3").text
    assert "Put some water into" in text_of(page)
    fields = {"passage": "tea", "place": "4", "model": "warden"}
    wrong = player.post("/lab/next/guess", {**fields, "word": "a"})
    said = text_of(wrong.text)
    assert "The word is “the”." in said
    assert "The model's first token time" in said
    right = player.post("/lab/next/guess", {**fields, "word": "The"})
    assert "That is the word." in text_of(right.text)
    assert "place=5" in right.text
    two = player.post("/lab/next/guess", {**fields, "word": "two words"})
    assert two.status_code == 400
    assert "Guess one word" in text_of(two.text)
