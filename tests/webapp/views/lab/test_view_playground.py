"""The pages of the playground, without scripts and as its script asks for them."""

from __future__ import annotations

import html
import json
import re
from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask

from tests.kit.browser import Browser, text_of
from webapp.domain.lab.starters import STARTERS
from webapp.domain.people import accounts, classes
from webapp.errors import BackendError
from webapp.llm.scripted import ScriptedBackend

AT = "/lab/playground"
STREAM = {"Accept": "text/event-stream"}
SETTINGS: dict[str, Any] = {
    "mode": "chat",
    "system": "usual",
    "pane_model": "local/smollm2",
    "pane_temperature": "0.7",
    "pane_top_p": "1",
    "pane_top_k": "0",
    "max_tokens": "60",
    "seed": "7",
}


def form(**more: Any) -> dict[str, Any]:
    return SETTINGS | more


def ask(browser: Browser, **more: Any) -> Any:
    return browser.post(f"{AT}/replies", form(do="send", **more))


def edit(browser: Browser, do: str, **more: Any) -> str:
    answer = browser.swap(f"{AT}/edit", form(do=do, **more))
    assert answer.status_code == 200, answer.text
    return str(answer.text)


def said(page: str) -> list[str]:
    """Return the turns of a page."""
    found = re.findall(r'<textarea id="said-\d+"[^>]*>\n(.*?)</textarea>', page, re.S)
    return [html.unescape(text) for text in found]


def box(page: str, name: str) -> str:
    found = re.search(rf'<textarea id="{name}"[^>]*>\n(.*?)</textarea>', page, re.S)
    assert found is not None
    return html.unescape(found[1])


def source(page: str, name: str) -> str:
    found = re.search(rf'<pre class="source" id="{name}"[^>]*>(.*?)</pre>', page, re.S)
    assert found is not None
    return html.unescape(found[1])


def events_of(answer: Any) -> list[tuple[str, Any]]:
    blocks = re.findall(r"event: (\w+)\ndata: (.*)\n", answer.text)
    return [(name, json.loads(data)) for name, data in blocks]


def test_opening_the_page_asks_no_model(
    browser: Browser, backend: ScriptedBackend
) -> None:
    starts = [f"?start={one.id}" for one in STARTERS]
    for query in ("", *starts, "?start=nothing"):
        page = browser.get(AT + query)
        assert page.status_code == 200, query
        assert re.search(r'name="seed"[^>]* value="\d+"', page.text), query
    assert backend.history == []


def test_a_starter_fills_the_page(browser: Browser) -> None:
    page = browser.get(f"{AT}?start=seven-eights").text
    assert said(page)[1:] == [
        "Six times seven is 42.",
        "And what is seven times eight?",
    ]
    assert "whether it believes itself" in page
    pack = browser.get(f"{AT}?start=instructions").text
    assert "message begins with vv" in box(pack, "instructions")
    assert box(pack, "message") == "vv Why is the sky blue?"


def test_a_guest_asks_and_comes_back_to_the_conversation(
    browser: Browser, backend: ScriptedBackend
) -> None:
    backend.enqueue("Good <b>morning</b>.")
    browser.get(AT)
    answer = ask(browser, message="Hello {{ secret }}")
    assert answer.status_code == 303
    assert answer.headers["Location"] == f"{AT}?chat=1"
    page = browser.get(answer.headers["Location"]).text
    assert said(page) == ["Hello {{ secret }}", "Good <b>morning</b>."]
    assert "<b>morning" not in page
    assert "Read 4 tokens, wrote 2" in text_of(page)
    # Coming back asks nothing again.
    assert len(backend.history) == 1
    assert backend.history[0].messages == (
        {"role": "user", "content": "Hello {{ secret }}"},
    )


def test_the_list_grows_with_each_reply(
    player: Browser, backend: ScriptedBackend
) -> None:
    backend.enqueue("First.", "Second.")
    ask(player, message="One")
    turns = {"role": ["user", "assistant"], "said": ["One", "First."]}
    ask(player, message="Two", chat="1", **turns)
    page = player.get(f"{AT}?chat=1").text
    assert said(page) == ["One", "First.", "Two", "Second."]
    assert "For reply 1: 1 message" in text_of(page)
    assert "For reply 2: 3 messages" in text_of(page)
    assert [len(one.messages) for one in backend.history] == [1, 3]
    body = json.loads(source(page, "json-1"))
    assert [m["content"] for m in body["messages"]] == ["One", "First.", "Two"]


def test_another_reply_with_the_same_or_another_seed(
    player: Browser, backend: ScriptedBackend
) -> None:
    backend.enqueue("Same.", "Other.")
    turns = {"role": ["user", "assistant"], "said": ["One", "First."]}
    for do in ("retry", "fresh"):
        answer = player.post(f"{AT}/replies", form(do=do, **turns))
        assert answer.status_code == 303
    same, fresh = (one.sampling.seed for one in backend.history)
    assert same == 7
    assert fresh != 7
    page = player.get(f"{AT}?chat=2").text
    assert said(page) == ["One", "Other."]
    assert f'value="{fresh}"' in page


def test_several_models_stand_side_by_side_until_one_is_chosen(
    player: Browser, backend: ScriptedBackend
) -> None:
    backend.enqueue("Left.", "Right.")
    panes = {
        "pane_model": ["local/smollm2", "local/scribe"],
        "pane_temperature": ["0", "1"],
        "pane_top_p": ["1", "0.5"],
        "pane_top_k": ["0", "40"],
    }
    answer = ask(player, message="Hello", **panes)
    page = player.get(answer.headers["Location"]).text
    assert said(page) == ["Hello"]
    assert text_of(page).count("Go on with this one") == 2
    assert "smollm2, temperature 0 Left." in text_of(page)
    assert "scribe, temperature 1, top-p 0.5, top-k 40 Right." in text_of(page)
    assert [one.sampling.top_k for one in backend.history] == [0, 40]
    assert [one.model for one in backend.history] == ["keeper", "keeper"]
    second = re.findall(r'value="keep\.(\d+)"', page)[1]
    turns = {"role": ["user"], "said": ["Hello"]}
    chosen = edit(player, f"keep.{second}", chat="1", **turns, **panes)
    assert said(chosen) == ["Hello", "Right."]
    assert len(backend.history) == 2


def test_raw_text_goes_on_where_it_ends(
    player: Browser, backend: ScriptedBackend
) -> None:
    backend.enqueue(" a time")
    answer = ask(player, mode="text", text="Once upon")
    page = player.get(answer.headers["Location"]).text
    assert box(page, "text") == "Once upon a time"
    (sent,) = backend.history
    assert (sent.text, sent.messages, sent.raw_tokens) == ("Once upon", (), False)
    assert json.loads(source(page, "json-1"))["prompt"] == "Once upon"


def test_a_stream_tells_the_seed_and_the_pieces(
    browser: Browser, backend: ScriptedBackend
) -> None:
    backend.enqueue("Good morning.")
    browser.get(AT)
    fields = form(do="send", message="Hello", pane="1", seed="")
    answer = browser.post(f"{AT}/replies", fields, headers=STREAM)
    told = events_of(answer)
    assert [name for name, _ in told] == ["start", "delta", "delta", "end"]
    start, end = dict(told)["start"], dict(told)["end"]
    assert start["seed"] == backend.history[0].sampling.seed
    assert (start["id"], end["status"]) == (end["id"], "finished")
    page = edit(
        browser, "took.send", message="Hello", run=start["id"], seed=start["seed"]
    )
    assert said(page) == ["Hello", "Good morning."]
    assert 'data-address="/lab/playground?chat=1"' in page
    assert page.lstrip().startswith("<form")


WRONG = [
    ({"pane_temperature": "3"}, "The temperature must be a number from 0 to 2"),
    ({"pane_top_k": "x"}, "The top-k must be a whole number"),
    ({"pane_model": "local/none"}, "There is no model “local/none” here"),
    ({"message": ""}, "There is no message yet"),
]


def test_what_cannot_be_is_said_and_what_was_typed_stays(
    player: Browser, backend: ScriptedBackend
) -> None:
    for wrong, words in WRONG:
        fields = form(do="send", message="Hello <there>") | wrong
        page = player.post(f"{AT}/replies", fields)
        assert page.status_code == 400
        assert words in text_of(page.text)
        assert box(page.text, "message") == fields["message"]
    for wrong, words in (*WRONG, ({"pane": "2"}, "There is no such pane")):
        fields = form(do="send", message="Hello") | wrong
        stream = player.post(f"{AT}/replies", fields, headers=STREAM)
        assert stream.status_code == 400
        assert words in stream.get_json()["error"]["message"]
    assert backend.history == []


def test_a_used_up_quota_says_when_to_go_on(
    player: Browser, backend: ScriptedBackend
) -> None:
    player.limit(lab_runs_per_minute=1)
    ask(player, message="Hello")
    answer = ask(player, message="Hello again")
    assert answer.status_code == 429
    assert int(answer.headers["Retry-After"]) > 0
    assert box(answer.text, "message") == "Hello again"


def test_a_model_that_fails_leaves_the_message(
    player: Browser, backend: ScriptedBackend
) -> None:
    backend.enqueue(BackendError("The model broke."))
    page = ask(player, message="Hello")
    assert page.status_code == 200
    assert "The model broke." in text_of(page.text)
    assert (box(page.text, "message"), said(page.text)) == ("Hello", [])


def test_the_site_answers_somebody_in_distress(
    player: Browser, backend: ScriptedBackend
) -> None:
    page = ask(player, message="I want to kill myself").text
    assert player.services.content.current().help_texts.distress.split("\n")[0] in (
        html.unescape(page)
    )
    assert (box(page, "message"), said(page), backend.history) == ("", [], [])


def test_turns_and_panes_come_and_go(browser: Browser) -> None:
    turns = {"role": ["user", "assistant", "user"], "said": ["a\r\nb", "<c>", "d"]}
    assert said(edit(browser, "delete.2", **turns)) == ["a\nb", "d"]
    assert said(edit(browser, "add.assistant", **turns)) == ["a\nb", "<c>", "d", ""]
    for nothing in ("delete.4", "delete.x", "delete.٣", "fewer-panes.1", "", "what"):
        page = edit(browser, nothing, **turns)
        assert said(page) == ["a\nb", "<c>", "d"]
        assert page.count('name="pane_model"') == 1
    two = edit(browser, "more-panes")
    assert two.count('name="pane_model"') == 2
    panes = {
        "pane_model": ["local/smollm2", "local/warden"],
        "pane_temperature": ["0", "1"],
        "pane_top_p": ["1", "1"],
        "pane_top_k": ["0", "0"],
    }
    left = edit(browser, "fewer-panes.1", **panes)
    assert re.findall(r'value="([^"]*)"[^>]* selected>', left)[-1] == "local/warden"


def test_what_the_other_mode_holds_is_not_lost(browser: Browser) -> None:
    turns = {"role": ["user"], "said": ["kept"], "system": "own", "is_brief": "1"}
    raw = edit(browser, "mode.text", **turns, text="a text", message="m")
    assert box(raw, "text") == "a text"
    for hidden in ("kept", 'name="is_brief"', 'name="system" value="own"', ">\nm</"):
        assert hidden in raw


def test_instructions_are_saved_and_sent(
    player: Browser, backend: ScriptedBackend
) -> None:
    page = player.post(
        f"{AT}/instructions", form(instructions="I am 14.", message="typed")
    ).text
    assert box(page, "instructions") == "I am 14."
    assert box(page, "message") == "typed"
    assert re.search(r'name="with_instructions" value="1" checked', page)
    ask(player, message="Hello", with_instructions="1", is_brief="1")
    first = backend.history[0].messages[0]
    brief = "Answer in one or two short sentences."
    assert first == {"role": "system", "content": f"I am 14.\n\n{brief}"}
    # What stands in the box is what is sent.
    ask(player, message="Hello", with_instructions="1", instructions="I am 15.")
    assert backend.history[1].messages[0]["content"] == "I am 15."
    long = player.post(f"{AT}/instructions", form(instructions="x" * 2_001))
    assert long.status_code == 400
    assert "more than 2,000 characters" in text_of(long.text)


def test_the_template_is_shown_with_its_numbers(
    browser: Browser, backend: ScriptedBackend
) -> None:
    page = edit(browser, "render", message="Hello")
    shown = text_of(page)
    assert "<user>" in shown
    assert "3 tokens." in shown
    raw = edit(browser, "raw", message="Hello")
    assert box(raw, "text") == "<user>Hello<assistant>"
    assert 'name="with_marks" value="1" checked' in raw
    assert backend.history == []
    nothing = browser.swap(f"{AT}/edit", form(do="render"))
    assert nothing.status_code == 400


def test_a_reply_that_is_over_needs_no_stop(
    player: Browser, new_browser: Callable[[], Browser]
) -> None:
    ask(player, message="Hello")
    assert player.post(f"{AT}/replies/1/stop").status_code == 204
    other = new_browser().play("Bob")
    # A number that is not theirs shows nothing.
    assert "wrote" not in text_of(edit(other, "look", run=["1", "9" * 12]))
    assert other.post(f"{AT}/replies/1/stop").status_code == 404
    assert other.swap(f"{AT}/edit", form(do="took.send", run="1")).status_code == 404
    assert other.swap(f"{AT}/edit", form(do="keep.1")).status_code == 404


@pytest.fixture
def mates(app: Flask, new_browser: Callable[[], Browser]) -> tuple[Browser, Browser]:
    """Return the browsers of two players of a class."""
    services = app.extensions["wordkeep"]
    code = classes.add_class(services, name="7b").join_code
    both = new_browser(), new_browser()
    for browser, name in zip(both, ("Ada", "Bob"), strict=True):
        answer = browser.post("/join", {"name": name, "class_code": code})
        assert answer.status_code == 303
        browser.get("/keep")
    return both


def test_a_shared_link_fills_the_page_and_runs_nothing(
    mates: tuple[Browser, Browser],
    new_browser: Callable[[], Browser],
    backend: ScriptedBackend,
) -> None:
    ada, bob = mates
    backend.enqueue("Wet.")
    ask(ada, message="What are rivers?")
    assert ada.post("/lab/chats/1/share").status_code == 303
    listed = ada.get("/lab/chats").text
    found = re.search(r'href="http://localhost(/lab/playground\?shared=[^"]+)"', listed)
    assert found is not None
    page = bob.get(found[1])
    assert said(page.text) == ["What are rivers?", "Wet."]
    assert "tokens a second" not in page.text
    assert 'name="chat"' not in page.text
    assert len(backend.history) == 1
    stranger = new_browser()
    assert stranger.get(found[1]).status_code == 303
    assert stranger.play("Cyd").get(found[1]).status_code == 404
    ada.post("/lab/chats/1/unshare")
    assert bob.get(found[1]).status_code == 404


def test_conversations_are_named_found_and_saved(
    player: Browser, backend: ScriptedBackend
) -> None:
    backend.enqueue("Wet.")
    ask(player, message="What are rivers?")
    assert player.post("/lab/chats/1/name", {"name": "Water <i>"}).status_code == 303
    assert "Water &lt;i&gt;" in player.get("/lab/chats?q=wet").text
    assert "has these words" in player.get("/lab/chats?q=stars").text
    assert player.post("/lab/chats/1/name", {"name": ""}).status_code == 400
    file = player.get("/lab/chats/file?chat=1")
    assert file.headers["Content-Disposition"] == 'attachment; filename="chat-1.json"'
    assert file.get_json()["messages"][1]["content"] == "Wet."
    text = player.get("/lab/chats/file?chat=1&as=markdown")
    assert text.mimetype == "text/markdown"
    assert "> Wet." in text.text
    assert player.post("/lab/chats/1/share").status_code == 409
    player.post("/lab/chats/1/delete")
    assert "There is none yet" in player.get("/lab/chats").text
    for path in ("/lab/chats/file?chat=1", f"{AT}?chat=1", f"{AT}?chat={10**30}"):
        assert player.get(path).status_code == 404


def test_an_instructor_writes_what_tokens_cost(
    app: Flask, player: Browser, new_browser: Callable[[], Browser]
) -> None:
    assert player.get("/teach/prices").status_code == 403
    assert player.post("/teach/prices", {}).status_code == 403
    services = app.extensions["wordkeep"]
    accounts.create_player(
        services, name="Doe", password="a long one", role="instructor"
    )
    teacher = new_browser()
    teacher.post("/login", {"name": "Doe", "password": "a long one"})
    teacher.get("/teach/prices")
    lines = {
        "currency": "Ft",
        "pattern": ["local/*", ""],
        "read": ["500", ""],
        "written": ["1500", ""],
    }
    wrong = teacher.post("/teach/prices", lines | {"read": ["much", ""]})
    assert wrong.status_code == 400
    assert "Line 1: write both prices" in text_of(wrong.text)
    assert 'value="much"' in wrong.text
    assert teacher.post("/teach/prices", lines).status_code == 303
    assert 'value="local/*"' in teacher.get("/teach/prices").text
    answer = ask(player, message="Hello")
    shown = text_of(player.get(answer.headers["Location"]).text)
    # 1 × 500 + 11 × 1500, for a million.
    assert "Cost: 0.017 Ft; 10,000 such replies: 170.00 Ft." in shown
