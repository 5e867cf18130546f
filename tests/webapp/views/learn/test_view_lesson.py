"""The page of a lesson: read by anybody, tried by guests, with scripts and without."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

from flask import Flask
from sqlalchemy import func, select

import webapp
from tests.kit.browser import Browser, text_of
from tests.webapp.views.play.test_view_keep import STREAM, events_of
from webapp.llm.scripted import ScriptedBackend
from webapp.rows import Player, Practice

STATIC = Path(webapp.__file__).parent / "static"
SAY = "/learn/basics/say"
ORDER = "/learn/basics/order"


def generate(browser: Browser, words: str, **more: Any):
    return browser.post(f"{SAY}/say/runs", {"s.words": words}, **more)


def rows(app: Flask, kind: type[Any]) -> int:
    with app.extensions["wordkeep"].db.read() as session:
        return session.scalar(select(func.count()).select_from(kind)) or 0


def test_reading_needs_no_player_and_asks_no_model(
    app: Flask, browser: Browser, backend: ScriptedBackend
) -> None:
    page = browser.get(SAY)
    assert page.status_code == 200
    shown = text_of(page.text)
    assert "A model can give back what it is given." in shown
    assert "Tip: Read the task first." in shown
    assert "warden · chat" in shown
    assert "No system prompt is sent." in shown
    assert "Stored answer of an echo, 2026-01-31: not live." in shown
    assert "After this you can make a model repeat a word" in shown
    assert 'href="https://example.org/toucans"' in page.text
    assert rows(app, Player) == rows(app, Practice) == 0
    assert backend.history == []


def test_nothing_is_given_away_before_it_is_shown(browser: Browser) -> None:
    page = browser.get(SAY).text
    for secret in ("toucan, please", "1st", "Look at your own words", "another one"):
        assert secret not in page
    assert "Hint: The idea" in page


def test_a_page_is_light(browser: Browser) -> None:
    page = browser.get(SAY)
    waiting = re.findall(r'(?:href|src)="/static/([^"#]+\.(?:css|js))"', page.text)
    fonts = (STATIC / "vendor" / "grenze").glob("*.woff2")
    size = len(page.data) + sum(font.stat().st_size for font in fonts)
    seen: set[str] = set()
    while waiting:
        path = waiting.pop()
        if path in seen:
            continue
        seen.add(path)
        text = (STATIC / path).read_text()
        size += len(text.encode())
        used = re.findall(r'^(?:import|.* from) "\./(.+?)";$', text, re.MULTILINE)
        waiting += [f"js/{name}" for name in used]
    assert "js/live-run.js" in seen
    assert not any("htmx" in path for path in seen)
    assert size < 150_000


def test_generate_without_scripts_makes_a_guest_and_shows_the_outcome(
    app: Flask, browser: Browser, backend: ScriptedBackend
) -> None:
    backend.enqueue("a sparrow", "a sparrow", "a sparrow")
    browser.get(SAY)
    response = generate(browser, "Say a bird.")
    assert response.status_code == 303
    assert re.fullmatch(rf"{SAY}\?run=\d+#run-\d+", response.location)
    assert rows(app, Player) == rows(app, Practice) == 1
    page = browser.get(response.location).text
    shown = text_of(page)
    assert "Guest " in shown
    assert "Not yet" in shown
    assert "There is no such bird in the reply." in shown
    assert "An echo says only what it hears." in shown
    assert "Reply 1 not right. Reply 2 not right. Reply 3 to come." in shown
    assert "Stored answer" not in shown
    assert len(backend.history) == 2, "it stops once it is decided"


def test_a_stream_tells_of_each_sample_and_signs_the_guest_in(
    browser: Browser, backend: ScriptedBackend
) -> None:
    backend.enqueue("a toucan", "a toucan")
    browser.get(SAY)
    response = generate(browser, "a toucan", headers=STREAM)
    names = [name for name, _ in events_of(response)]
    assert names.count("judged") == 2
    assert names[0] == "start"
    assert names[-2:] == ["outcome", "end"]
    assert dict(events_of(response))["outcome"]["status"] == "passed"
    shown = text_of(browser.get(SAY).text)
    assert "You can now make a model repeat a word" in shown
    assert "Next: In order" in shown
    assert "toucan, please" in shown, "a solution beside one's own"


def test_a_named_mistake_is_told(browser: Browser, backend: ScriptedBackend) -> None:
    backend.enqueue("penguin", "penguin")
    browser.get(SAY)
    generate(browser, "penguin")
    assert "That is a bird, but another one." in text_of(browser.get(SAY).text)


def test_what_people_and_models_write_is_text(
    browser: Browser, backend: ScriptedBackend
) -> None:
    evil = "<img src=x onerror=alert(1)> ![x](http://e.example/x) <script>1</script>"
    backend.enqueue(evil, evil)
    browser.get(SAY)
    generate(browser, evil)
    for path in (SAY, "/notebook"):
        page = browser.get(path).text
        assert "<img" not in page
        assert "<script>1" not in page
        assert "&lt;img" in page


def test_what_was_typed_stays_when_nothing_was_run(browser: Browser) -> None:
    browser.get(SAY)
    response = generate(browser, "x" * 1_001)
    assert response.status_code == 400
    assert "x" * 1_001 in response.text
    assert "the limit here is 1,000" in text_of(response.text)


def test_a_locked_part_cannot_be_sent(browser: Browser) -> None:
    browser.get(SAY)
    response = browser.post(f"{SAY}/say/runs", {"s.words": "a", "s.nth": "4th"})
    assert response.status_code == 400
    assert "no box named" in text_of(response.text)


def test_a_link_fills_the_boxes_and_runs_nothing(
    browser: Browser, backend: ScriptedBackend
) -> None:
    page = browser.get(f"{SAY}?panel=say&s.words=A+{{nth}}+%3Cb%3Ebird")
    assert "A {nth} &lt;b&gt;bird</textarea>" in page.text
    assert backend.history == []


def test_hints_open_one_after_the_other_and_keep_what_is_typed(
    browser: Browser,
) -> None:
    browser.get(SAY)
    response = browser.post(f"{SAY}/say/hints", {"n": "1", "s.words": "half an idea"})
    assert response.status_code == 200
    assert "half an idea</textarea>" in response.text
    assert "It gives back what <em>you</em> write." in response.text
    part = browser.swap(f"{SAY}/say/hints", {"n": "2"})
    assert "The next one opens in" in text_of(part.text)
    assert "Look at your own words" not in part.text
    assert part.text.lstrip().startswith('<div class="after" id="after-say"')


def test_a_solution_is_not_shown_too_early(browser: Browser) -> None:
    browser.get(SAY)
    part = browser.swap(f"{SAY}/say/solution")
    assert "Try another idea first" in text_of(part.text)
    assert "toucan, please" not in part.text


def test_questions_are_answered_and_told_why(browser: Browser) -> None:
    browser.get(SAY)
    at = f"{SAY}/questions/guess"
    assert browser.post(at, {"choice": "nothing"}).status_code == 303
    assert "Not that one. Try once more." in text_of(browser.get(SAY).text)
    part = browser.swap(at, {"choice": "the same"})
    assert "Yes." in text_of(part.text)
    assert "It is an <em>echo</em>." in part.text
    assert 'value="the same" checked' in part.text


def test_a_question_without_an_answer_says_so(browser: Browser) -> None:
    browser.get(SAY)
    response = browser.post(f"{SAY}/questions/why", {"text": "  "})
    assert "Write a sentence first." in text_of(response.text)
    part = browser.swap(f"{SAY}/questions/guess")
    assert "Choose one of the answers." in text_of(part.text)


def test_what_was_written_is_in_the_notebook(
    browser: Browser, backend: ScriptedBackend
) -> None:
    backend.enqueue("a toucan", "a toucan")
    browser.get(SAY)
    generate(browser, "say toucan")
    browser.post(f"{SAY}/questions/why", {"text": "Because it is an echo."})
    shown = text_of(browser.get("/notebook").text)
    assert "Because it is an echo." in shown
    assert "say toucan" in shown
    assert "say toucan" not in text_of(browser.get("/notebook?kind=keep").text)
    assert "say toucan" in text_of(browser.get("/notebook?kind=lessons&q=TOUCAN").text)
    assert "matches" in text_of(browser.get("/notebook?q=walrus").text)


def test_somebody_in_distress_is_answered_by_the_site(
    browser: Browser, backend: ScriptedBackend
) -> None:
    browser.get(SAY)
    response = browser.post(f"{SAY}/questions/why", {"text": "I want to kill myself"})
    assert "note--info" in response.text
    assert len(text_of(response.text)) > 0
    assert backend.history == []


def test_lines_are_put_in_order_without_scripts(browser: Browser) -> None:
    page = browser.get(ORDER).text
    lines = re.findall(r'name="order\.line" value="([^"]+)"', page)
    assert sorted(lines) == ["boil water", "put the egg in", "take it out"]
    right = ["boil water", "put the egg in", "take it out"]
    form = {
        "order.line": lines,
        "order.place": [str(right.index(line) + 1) for line in lines],
    }
    part = browser.swap(f"{ORDER}/questions/steps", form)
    assert "Yes." in text_of(part.text)


def test_a_panel_with_lines_and_a_menu_is_run(
    browser: Browser, backend: ScriptedBackend
) -> None:
    backend.enqueue("Be kind.")
    browser.get(ORDER)
    form = {
        "s.lines.line": ["a wren", "a toucan"],
        "s.lines.place": ["2", "1"],
        "s.mood": "Be kind.",
    }
    response = browser.post(f"{ORDER}/order/runs", form)
    assert response.status_code == 303, text_of(response.text)
    (asked,) = backend.history
    assert asked.messages[0]["content"] == "a toucan\na wren"
    page = browser.get(ORDER).text
    shown = text_of(page)
    assert "a toucan" in shown, shown
    assert shown.index("a toucan") < shown.index("a wren")
    (own,) = re.findall(r">Yours<.*?beside__text\">(.*?)</p>", page, re.DOTALL)[:1]
    assert own == "a toucan\na wren"


def test_a_run_of_somebody_else_is_not_found(
    browser: Browser,
    new_browser: Callable[[], Browser],
    backend: ScriptedBackend,
) -> None:
    backend.enqueue("a", "a")
    browser.get(SAY)
    at = generate(browser, "mine").location.partition("#")[0]
    other = new_browser()
    assert other.get(at).status_code == 404
    assert other.play("Bea").get(at).status_code == 404
    assert browser.get(at).status_code == 200


def test_unknown_lessons_and_panels_are_not_found(browser: Browser) -> None:
    browser.get(SAY)
    assert browser.get("/learn/basics/nothing").status_code == 404
    assert browser.post(f"{SAY}/nothing/runs").status_code == 404
    assert browser.post(f"{SAY}/questions/nothing").status_code == 404


def test_the_lesson_is_linked_at_its_gate_and_after_the_win(player: Browser) -> None:
    link = f'<a href="{SAY}">Say it again</a>'
    assert link in player.get("/keep/open").text
    player.win("open")
    page = player.get("/keep/open").text
    assert "The lesson behind it" in page
    assert page.count(link) == 1
    assert link not in player.get("/keep/told").text


def test_a_page_says_what_a_held_reply_can_be(browser: Browser, tmp_path: Path) -> None:
    assert "can only reply" not in text_of(browser.get(SAY).text)
    (file,) = (tmp_path / "content").rglob("*say.md")
    held = 'samples: 2 of 3\nchoices: [yes, "no", a toucan]'
    file.write_text(file.read_text().replace("samples: 2 of 3", held))
    browser.use_content(tmp_path / "content")
    shown = text_of(browser.get(SAY).text)
    assert "The model can only reply one of these: yes, no, a toucan." in shown
    generate(browser, "a toucan")
    shown = text_of(browser.get(SAY).text)
    assert "The reply is held to one of these: yes, no, a toucan." in shown


def test_no_two_parts_of_a_page_have_one_name(
    browser: Browser, backend: ScriptedBackend, tmp_path: Path
) -> None:
    backend.enqueue(*["a toucan"] * 4)
    browser.get(SAY)
    (file,) = (tmp_path / "content").rglob("*say.md")
    text = file.read_text()
    (panel,) = re.findall(r"```panel say\n.*?```\n", text, re.DOTALL)
    file.write_text(text + panel.replace("panel say", "panel again"))
    browser.use_content(tmp_path / "content")
    generate(browser, "a toucan")
    browser.post(f"{SAY}/again/runs", {"s.words": "a toucan"})
    page = browser.get(SAY).text
    assert page.count(">A solution beside yours<") == 2
    ids = re.findall(r'<(?:section|aside|nav)[^>]* aria-labelledby="([^"]+)"', page)
    names = [re.findall(rf'id="{one}"[^>]*>([^<]+)', page) for one in ids]
    assert [name for name in names if name and names.count(name) > 1] == []
