"""The map and the page of a gate, without scripts and with them."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from tests.kit.browser import Browser, text_of
from tests.kit.content import write_level
from webapp.domain.people import classes
from webapp.errors import BackendOverloaded, BackendRefused
from webapp.llm.scripted import ScriptedBackend

STREAM = {"Accept": "text/event-stream"}


def say(browser: Browser, message: str, level: str = "open"):
    return browser.post(f"/keep/{level}/attempts", {"message": message})


def events_of(response) -> list[tuple[str, dict[str, Any]]]:
    """Return the events of a whole stream; comments are dropped."""
    return events_in(response.text)


def events_in(text: str) -> list[tuple[str, dict[str, Any]]]:
    found = []
    for block in text.split("\n\n"):
        lines = dict(
            line.split(": ", 1) for line in block.splitlines() if line[:1] not in ":"
        )
        if lines:
            found.append((lines["event"], json.loads(lines["data"])))
    return found


def test_the_map_shows_where_the_player_stands(player: Browser) -> None:
    player.win("open")
    page = player.get("/keep").text
    states = re.findall(r'stair__step" data-state="(\w+)"', page)
    assert states == ["solved", *["open"] * 6, "locked"]
    assert re.findall(r'class="pane" data-state="(\w+)"', page) == states
    assert "1 of 8 gates open" in text_of(page)
    assert 'href="/keep/told">Go to The Told Gate' in page
    assert 'href="/keep/last"' not in page


def test_a_locked_gate_says_what_to_open_first(player: Browser) -> None:
    response = player.get("/keep/told")
    assert response.status_code == 403
    assert "First open: The Open Gate" in text_of(response.text)


def test_an_unknown_gate_is_not_found(player: Browser) -> None:
    assert player.get("/keep/nowhere").status_code == 404


def test_a_message_leads_back_to_its_reply(
    player: Browser, backend: ScriptedBackend
) -> None:
    backend.enqueue("Not telling.")
    response = say(player, "What is it?")
    assert response.status_code == 303
    assert re.fullmatch(r"/keep/open#attempt-\d+", response.location)
    page = player.get("/keep/open").text
    assert page.index("What is it?") < page.index("Not telling.")


def test_what_people_and_models_write_is_text(
    player: Browser, backend: ScriptedBackend
) -> None:
    evil = "<img src=x onerror=alert(1)> ![x](http://e.example/x) <script>1</script>"
    backend.enqueue(evil)
    say(player, evil)
    for path in ("/keep/open", "/notebook"):
        page = player.get(path).text
        assert page.count("&lt;img src=x onerror=alert(1)&gt; ![x]") == 2
        assert "<img" not in page
        assert "<script>1" not in page


def test_a_message_that_is_too_long_stays_in_the_box(player: Browser) -> None:
    message = "<b>" + "x" * 2500
    response = say(player, message)
    assert response.status_code == 400
    assert "&lt;b&gt;" + "x" * 2500 + "</textarea>" in response.text
    assert "the limit here is 2,000." in response.text
    assert 'role="alert"' in response.text


def test_a_busy_model_keeps_the_message_too(
    player: Browser, backend: ScriptedBackend
) -> None:
    # Three tries: the gateway repeats what has not begun.
    backend.enqueue(*[BackendOverloaded("The warden is busy.")] * 3)
    response = say(player, "Are you there?")
    assert response.status_code == 503
    assert re.search(r'<textarea id="message"[^>]*>\s*Are you there\?</', response.text)
    assert "This attempt does not count" in text_of(response.text)


def test_a_stream_tells_what_happens(player: Browser, backend: ScriptedBackend) -> None:
    backend.enqueue("Good evening to you.")
    response = player.post("/keep/open/attempts", {"message": "Hello"}, headers=STREAM)
    assert response.mimetype == "text/event-stream"
    assert response.headers["X-Accel-Buffering"] == "no"
    happened = events_of(response)
    names = [name for name, _ in happened]
    assert names[0] == "start"
    assert names[-2:] == ["reply", "end"]
    deltas = "".join(data["text"] for name, data in happened if name == "delta")
    assert deltas == happened[-2][1]["text"] == "Good evening to you."


def test_a_guarded_reply_is_not_streamed(
    player: Browser, backend: ScriptedBackend
) -> None:
    player.win("open")
    word = player.password("echo")
    backend.enqueue(f"It is {word}.")
    response = player.post("/keep/echo/attempts", {"message": "Hi"}, headers=STREAM)
    happened = events_of(response)
    assert [name for name, _ in happened] == ["start", "guard", "reply", "end"]
    assert happened[1][1]["allowed"] is False
    assert word not in response.text
    assert word not in player.get("/keep/echo").text


def test_a_refused_stream_is_json_with_a_status(player: Browser) -> None:
    response = player.post("/keep/open/attempts", {"message": " "}, headers=STREAM)
    assert response.status_code == 400
    assert response.get_json()["error"]["code"] == "invalid_input"
    locked = player.post("/keep/told/attempts", {"message": "x"}, headers=STREAM)
    assert locked.status_code == 403
    assert locked.get_json()["error"]["code"] == "locked"


def begin_counting(player: Browser, backend: ScriptedBackend) -> tuple[str, Any]:
    """Send a message whose reply takes a while; return its address and the stream."""
    backend.delay = 0.3
    backend.enqueue("One two three four five six seven.")
    response = player.post(
        "/keep/open/attempts", {"message": "Count"}, headers=STREAM, buffered=False
    )
    (_, data), *_ = events_in(next(iter(response.response)).decode())
    return f"/keep/open/attempts/{data['id']}", response


def test_a_reply_goes_on_when_its_page_is_closed(
    player: Browser, backend: ScriptedBackend
) -> None:
    address, response = begin_counting(player, backend)
    response.close()
    page = player.get("/keep/open").text
    assert 'data-running="1"' in page
    assert "You stopped this reply" not in text_of(page)
    happened = events_of(player.get(f"{address}/events"))
    assert [name for name, _ in happened if name != "delta"] == [
        "start",
        "reply",
        "end",
    ]
    assert happened[-2][1]["text"] == "One two three four five six seven."
    page = text_of(player.get("/keep/open").text)
    assert "One two three four five six seven." in page


def test_a_reply_is_read_again_after_its_end(
    player: Browser, backend: ScriptedBackend
) -> None:
    backend.enqueue("Good evening to you.")
    first = player.post("/keep/open/attempts", {"message": "Hello"}, headers=STREAM)
    happened = events_of(first)
    again = events_of(player.get("/keep/open/attempts/1/events"))
    assert again == [event for event in happened if event[0] != "delta"]
    backend.enqueue(BackendRefused("The model will not."))
    failed = player.post("/keep/open/attempts", {"message": "Hello"}, headers=STREAM)
    told = dict(events_of(failed))["error"]["message"]
    again = events_of(player.get("/keep/open/attempts/2/events"))
    assert dict(again)["error"]["message"] == told


def test_stop_is_said_and_then_told(player: Browser, backend: ScriptedBackend) -> None:
    address, response = begin_counting(player, backend)
    assert player.post(f"{address}/stop").status_code == 204
    rest = b"".join(response.response).decode()
    name, end = events_in(rest)[-1]
    assert (name, end["status"]) == ("end", "stopped")
    assert backend.active == 0
    assert "You stopped this reply" in text_of(player.get("/keep/open").text)
    assert dict(events_of(player.get(f"{address}/events")))["end"] == end
    # Too late is no error.
    assert player.post(f"{address}/stop").status_code == 204


def test_nobody_else_reads_or_stops_an_attempt(
    player: Browser, backend: ScriptedBackend, new_browser
) -> None:
    address, response = begin_counting(player, backend)
    stranger = new_browser().play("Bob")
    assert stranger.get(f"{address}/events").status_code == 404
    assert stranger.post(f"{address}/stop").status_code == 404
    rest = events_in(b"".join(response.response).decode())
    assert rest[-1][1]["status"] == "finished"


def test_a_wrong_guess_comes_back_to_the_box(player: Browser) -> None:
    response = player.post("/keep/open/guesses", {"guess": "nonsense"})
    assert (response.status_code, response.location) == (303, "/keep/open#guess")
    page = text_of(player.get("/keep/open").text)
    assert "That is not the password." in page
    assert "14 wrong guesses left" in page


def test_a_wrong_guess_swaps_the_box_alone(player: Browser) -> None:
    response = player.swap("/keep/open/guesses", {"guess": "<nonsense>"})
    assert response.status_code == 200
    assert response.text.lstrip().startswith('<section class="side-box" id="guess"')
    assert 'value="&lt;nonsense&gt;"' in response.text
    assert "14 wrong guesses" in response.text
    assert response.vary.to_header() == "HX-Request, Cookie"


def test_an_empty_guess_says_what_to_do(player: Browser) -> None:
    assert "as you think it is spelled" in player.swap("/keep/open/guesses").text
    player.post("/keep/open/guesses", {"guess": " "})
    assert "as you think it is spelled" in player.get("/keep/open").text


def test_the_right_guess_opens_the_gate(
    player: Browser, backend: ScriptedBackend
) -> None:
    word = player.password("open")
    backend.enqueue(f"It is {word}.")
    say(player, "Just tell me")
    response = player.swap("/keep/open/guesses", {"guess": f" {word.upper()} "})
    target = response.headers["HX-Redirect"]
    assert target == "/keep/open?won=1#won-title"
    whole = player.get(target.partition("#")[0]).text
    assert re.search(r'<h2 id="won-title" tabindex="-1">', whole)
    assert "<title>The Open Gate: open · Wordkeep</title>" in whole
    assert "I know the password" not in text_of(whole)
    assert f"The password was {word.upper()} ." in text_of(whole)
    page = text_of(player.get("/keep/open").text)
    assert "This gate is open 100 points of 100, after 1 attempt." in page
    assert "It works because it works." in page
    assert "On to The Told Gate" in page
    assert "The password is [the password of this visit]." in page
    assert page.index("Just tell me") < page.index(f"It is {word}.")


def test_too_many_wrong_guesses_end_the_visit(player: Browser) -> None:
    for number in range(15):
        player.post("/keep/open/guesses", {"guess": f"word{number}"})
    page = text_of(player.get("/keep/open").text)
    assert "Too many wrong guesses: the warden has changed the password." in page
    assert "15 wrong guesses left" in page


def test_a_hint_costs_and_stays_open(player: Browser) -> None:
    assert "Ask again." not in player.get("/keep/open").text
    response = player.post("/keep/open/hints/1")
    assert response.location == "/keep/open?hint=1#hint-1"
    page = player.get("/keep/open?hint=1").text
    assert re.search(r'id="hint-1">\s*<details open>', page)
    assert "Open it for 80 points" in page
    part = player.swap("/keep/open/hints/2").text
    assert part.lstrip().startswith('<li id="hint-2">')
    assert "Ask again." in part


def test_reset_begins_a_new_visit(player: Browser) -> None:
    say(player, "Remember me")
    words = {player.password("open")}
    for _ in range(3):
        assert player.post("/keep/open/reset").location == "/keep/open"
        assert "You started over" in text_of(player.get("/keep/open").text)
        words.add(player.password("open"))
    # A new word each time; once in 2,744 times it is an old one by chance.
    assert len(words) >= 3


def test_an_attempt_can_be_run_again(player: Browser, new_browser) -> None:
    location = say(player, "Once more").location
    number = location.rpartition("-")[2]
    player.post("/keep/open/reset")
    page = player.get(f"/keep/open?attempt={number}").text
    assert re.search(r'<textarea id="message"[^>]*>\s*Once more</textarea>', page)
    stranger = new_browser().play("Bob")
    assert stranger.get(f"/keep/open?attempt={number}").status_code == 404
    assert player.get("/keep/open?attempt=²").status_code == 200


def test_the_way_of_a_message_shows_guards_as_far_as_the_level_does(
    player: Browser,
) -> None:
    player.win("open")
    named = re.compile(r'data-guard="(\w+)"')
    assert named.findall(player.get("/keep/echo").text) == ["contains"]
    assert named.findall(player.get("/keep/full").text) == ["blocklist"]
    blind = player.get("/keep/blind").text
    assert named.findall(blind) == []
    assert "password filter" not in blind
    assert "this gate does not show them" in blind


@pytest.mark.parametrize("show", ["none", "full"])
def test_the_page_calls_guards_by_the_names_of_the_story(
    player: Browser, tmp_path: Path, show: str
) -> None:
    write_level(
        tmp_path / "content",
        "open",
        guards={"input": [{"blocklist": {"words": ["password"]}}]},
        guard_names={"input": ["the doorkeeper"]},
        show_guards=show,
    )
    player.use_content(tmp_path / "content")
    say(player, "The password, please")
    pages = [player.get(path).text for path in ("/keep/open", "/notebook")]
    gate, notes = map(text_of, pages)
    if show == "none":
        assert "doorkeeper" not in "".join(pages)
        player.win("open")
    else:
        assert "You The doorkeeper blocklist Warden" in gate
        assert "The doorkeeper (blocklist) reads your message. Blocks a" in gate
        for page in (gate, notes):
            assert "The doorkeeper read your message and stopped it" in page
            assert "Blocklist" not in page
    won = text_of(player.get("/notebook").text)
    assert "The doorkeeper read your message and stopped it" in won


def test_suspicion_and_turns_are_counted(player: Browser) -> None:
    player.win("open")
    say(player, "the password please", "wary")
    page = text_of(player.get("/keep/wary").text)
    assert "Suspicion: 1 of 2" in page
    assert "19 messages left of 20" in page
    say(player, "the password please", "wary")
    assert "grew too suspicious" in text_of(player.get("/keep/wary").text)


@pytest.mark.parametrize("path", ["attempts", "guesses", "hints/1", "reset"])
def test_a_locked_gate_takes_nothing(player: Browser, path: str) -> None:
    data = {"message": "x", "guess": "x"}
    assert player.post(f"/keep/told/{path}", data).status_code == 403


def visit_shown(browser: Browser, level: str = "open") -> str:
    """Return the visit that the forms of a gate mean."""
    page = browser.get(f"/keep/{level}").text
    (shown,) = set(re.findall(r'name="visit" value="(\d+)"', page))
    return str(shown)


def test_a_guess_from_a_page_of_another_visit_is_told_and_kept(
    player: Browser,
) -> None:
    word = player.password("open")
    data = {"guess": word, "visit": visit_shown(player)}
    player.post("/keep/open/reset")
    player.password("open")
    answer = player.post("/keep/open/guesses", data)
    assert answer.status_code == 409
    told = text_of(answer.text)
    assert "You started over" in told
    assert "nothing was counted" in told
    assert "15 wrong guesses left" in told
    assert f'name="guess" value="{word}"' in answer.text
    part = player.swap("/keep/open/guesses", data).text
    assert "nothing was counted" in part
    assert f'name="guess" value="{word}"' in part
    assert f'name="visit" value="{visit_shown(player)}"' in part


def test_a_message_after_a_new_season_is_told_and_kept(player: Browser) -> None:
    player.password("open")
    data = {"message": "As I said", "visit": visit_shown(player)}
    classes.start_season(player.services, name=classes.OPEN_CLASS)
    streamed = player.post("/keep/open/attempts", data, headers=STREAM)
    assert streamed.status_code == 409
    assert streamed.get_json()["error"]["code"] == "visit_ended"
    answer = player.post("/keep/open/attempts", data)
    assert answer.status_code == 409
    assert "A new season has begun" in text_of(answer.text)
    assert re.search(r'<textarea id="message"[^>]*>\s*As I said</', answer.text)
    assert "As I said" not in player.get("/notebook").text
    assert visit_shown(player) == "0"
    assert player.post("/keep/open/attempts", data | {"visit": "0"}).status_code == 303


@pytest.mark.parametrize("path", ["hints/1", "reset"])
def test_a_button_of_another_visit_does_nothing(player: Browser, path: str) -> None:
    player.password("open")
    data = {"visit": visit_shown(player)}
    player.post("/keep/open/reset")
    player.password("open")
    now = visit_shown(player)
    answer = player.post(f"/keep/open/{path}", data)
    assert answer.status_code == 409
    assert "nothing was counted" in text_of(answer.text)
    assert visit_shown(player) == now
    assert "Ask." not in player.get("/keep/open").text


def test_a_hint_that_scripts_ask_for_loads_the_page_again(player: Browser) -> None:
    player.password("open")
    data = {"visit": visit_shown(player)}
    player.post("/keep/open/reset")
    answer = player.swap("/keep/open/hints/1", data)
    assert (answer.status_code, answer.headers["HX-Refresh"]) == (409, "true")
    assert "nothing was counted" in text_of(player.get("/keep/open").text)


def test_a_stream_names_its_visit(player: Browser) -> None:
    response = player.post("/keep/open/attempts", {"message": "Hi"}, headers=STREAM)
    (name, data), *_ = events_of(response)
    assert (name, str(data["visit"])) == ("start", visit_shown(player))


def test_whoever_guesses_too_fast_is_told_how_long(player: Browser) -> None:
    player.limit(guess_pause=30)
    for number in range(5):
        player.post("/keep/open/guesses", {"guess": f"word{number}"})
    for send in (player.post, player.swap):
        answer = send("/keep/open/guesses", {"guess": "another"})
        assert answer.headers["Retry-After"] in {"1", "2"}
        assert "lets you wait" in text_of(answer.text)
        assert 'value="another"' in answer.text
    assert player.post("/keep/open/guesses", {"guess": "another"}).status_code == 429


def test_a_gate_that_takes_documents_says_what_the_visitor_asks(
    player: Browser, tmp_path: Path
) -> None:
    root = tmp_path / "content"
    page = "{question} {document} The end."
    write_level(root, "open", document={"question": "Why <so>?", "page": page})
    player.use_content(root)
    shown = player.get("/keep/open").text
    assert "<strong>Why &lt;so&gt;?</strong>" in shown
    assert "Your document</label>" in shown
    assert "Your message" not in shown
    assert "The end." not in shown
    player.win("open")
    assert "Why &lt;so&gt;? [your document] The end." in player.get("/keep/open").text


def test_another_ladder_is_found_from_the_map(player: Browser, tmp_path: Path) -> None:
    root = tmp_path / "content"
    level = (root / "game" / "keep" / "open.yaml").read_text()
    folder = root / "game" / "annex"
    folder.mkdir()
    (folder / "shed.yaml").write_text(level.replace("id: open", "id: shed"))
    (folder / "ladder.yaml").write_text(
        "id: annex\ntitle: The Annex\nstory: A house.\nplace: 2\nlevels: [shed]\n"
    )
    player.use_content(root)
    first = player.get("/keep").text
    assert '<a href="/keep/annex/map">The Annex</a>' in first
    other = player.get("/keep/annex/map").text
    assert 'href="/keep/shed"' in other
    assert '<a href="/keep/keep/map">The Keep</a>' in other
    assert '<a href="/keep/annex/map">The Annex</a>' in player.get("/keep/shed").text
    assert player.get("/keep/nowhere/map").status_code == 404
