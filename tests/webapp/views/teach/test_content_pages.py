"""The pages on which instructors write content."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable, Iterator
from dataclasses import replace
from html import unescape
from pathlib import Path
from time import time

import pytest
from flask import Flask

from tests.kit.browser import Browser, text_of
from tests.kit.content import add_proofs, write_content
from webapp.app import create_app
from webapp.content.store import ContentStore
from webapp.domain.people import accounts
from webapp.llm.gateway import Gateway
from webapp.llm.scripted import ScriptedBackend
from webapp.settings import Settings

PASSWORD = "correct horse"
EDIT = "/teach/content/edit/"
GATE = "game/yard/my-gate.yaml"
LESSON = "lessons/basics/01-first.md"
TINY = """\
title: Tiny
about: Two lines.
text: "{text}"
rows: [{text: one}, {text: two}]
"""
SEEN = re.compile(r'name="seen" value="([^"]+)"')
AREA = re.compile(r'<textarea id="text"[^>]*>\n(.*?)</textarea>', re.DOTALL)


@pytest.fixture
def backend() -> ScriptedBackend:
    return ScriptedBackend()


@pytest.fixture
def app(
    settings: Settings,
    migrated_file: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    backend: ScriptedBackend,
) -> Iterator[Flask]:
    """Return a site on which the small keep is what is shipped."""
    monkeypatch.setattr("webapp.settings.PROJECT", tmp_path / "project")
    shipped = write_content(tmp_path / "project" / "challenges")
    add_proofs(shipped)
    track = shipped / "lessons" / "basics"
    track.mkdir(parents=True)
    (track / "track.yaml").write_text("title: Basics\nstory: You can.\nplace: 1\n")
    front = "title: First\nidea: One.\nminutes: 5\ncan_do: do it"
    (track / "01-first.md").write_text(f"---\n{front}\n---\nRead this.\n")
    (shipped / "data").mkdir()
    (shipped / "data" / "tiny.yaml").write_text(TINY)
    shutil.copyfile(migrated_file, settings.instance / "wordkeep.db")
    app = create_app(settings, gateway=Gateway.scripted(backend))
    services = app.extensions["wordkeep"]
    content = ContentStore(settings.roots, 0.0, clock=lambda: time() + 10)
    app.extensions["wordkeep"] = replace(services, content=content)
    yield app
    services.db.dispose()
    services.boot.close()


def sign_in(browser: Browser, name: str) -> Browser:
    accounts.create_player(
        browser.services, name=name, role="instructor", password=PASSWORD
    )
    browser.get("/login")
    browser.post("/login", {"name": name, "password": PASSWORD})
    return browser


@pytest.fixture
def brown(browser: Browser) -> Browser:
    """Return the browser of an instructor with a draft of a level of her own."""
    sign_in(browser, "Ms Brown")
    start = "/teach/content/start/game/keep/echo.yaml"
    assert "a ladder of your own" in text_of(browser.get(start).text)
    made = browser.post(start, {"folder": "yard", "name": "my-gate"})
    assert made.location == EDIT + GATE
    return browser


def opened(browser: Browser, name: str = GATE) -> tuple[str, str]:
    """Open the editor; return the text in it, and what it saw."""
    page = browser.get(EDIT + name).text
    area, seen = AREA.search(page), SEEN.search(page)
    assert area
    assert seen
    return unescape(area[1]), seen[1]


def test_a_level_goes_from_a_copy_to_players(brown: Browser) -> None:
    text, seen = opened(brown)
    saved = brown.post(EDIT + GATE, {"text": text.replace("Echo", "Own"), "seen": seen})
    assert saved.status_code == 303
    listed = text_of(brown.get("/teach/content").text)
    assert f"{GATE} Levels draft no errors" in listed
    _, seen = opened(brown)
    publish = f"/teach/content/publish/{GATE}"
    alone = brown.post(publish, {"seen": seen})
    assert alone.status_code == 409
    assert "Nothing was changed: the content would have one error" in text_of(
        alone.text
    )
    both = brown.post(publish, {"seen": seen, "folder": "on"})
    assert both.status_code == 303
    shown = text_of(brown.get(EDIT + GATE).text)
    assert "Published. 2 files." in shown
    index = brown.services.content.current()
    assert index.level("my-gate").title == "The Own Gate"


def test_problems_have_lines_to_jump_to(brown: Browser) -> None:
    text, seen = opened(brown)
    bad = text.replace("points: 100", "pionts: <b>100")
    line = bad[: bad.index("pionts")].count("\n") + 1
    brown.post(EDIT + GATE, {"text": bad, "seen": seen})
    page = brown.get(EDIT + GATE).text
    assert f'<a href="#line-{line}" data-line="{line}">Line {line}</a>' in page
    assert f'id="line-{line}"' in page
    assert "pionts: &lt;b&gt;100" in page
    assert "<b>100" not in page


def test_two_editors_at_once_see_both_texts(
    brown: Browser, new_browser: Callable[[], Browser]
) -> None:
    green = sign_in(new_browser(), "Mr Green")
    text, seen = opened(brown)
    opened(green)
    brown.post(EDIT + GATE, {"text": text + "# hers\n", "seen": seen})
    answer = green.post(EDIT + GATE, {"text": text + "# his\n", "seen": seen})
    assert answer.status_code == 409
    told = text_of(answer.text)
    assert "Ms Brown saved another text of this file" in told
    assert "− gone: # hers" in told
    assert "+ new: # his" in told
    area, fresh = AREA.search(answer.text), SEEN.search(answer.text)
    assert area
    assert fresh
    assert area[1].endswith("# his\n")
    again = green.post(EDIT + GATE, {"text": text + "# his\n", "seen": fresh[1]})
    assert again.status_code == 303
    assert opened(brown)[0].endswith("# his\n")
    history = text_of(brown.get(f"/teach/content/versions/{GATE}").text)
    assert "saved Mr Green" in history
    assert "saved Ms Brown" in history


def test_who_has_been_signed_out_gets_the_text_back(brown: Browser) -> None:
    text, seen = opened(brown)
    with brown.client.session_transaction() as session:
        del session["_user_id"]
    late = {"text": text + "# late\n", "seen": seen}
    here = {"Sec-Fetch-Site": "same-origin"}
    answer = brown.post(EDIT + GATE, late, headers=here)
    assert answer.status_code == 401
    assert "You have been signed out, so nothing was saved." in text_of(answer.text)
    assert "# late" in answer.text
    assert "Send it again" in answer.text
    brown.get("/login")
    brown.post("/login", {"name": "Ms Brown", "password": PASSWORD})
    brown.get("/me")
    assert brown.post(EDIT + GATE, late).status_code == 303
    assert opened(brown)[0].endswith("# late\n")


def test_a_script_saves_and_checks_without_a_page(brown: Browser) -> None:
    text, seen = opened(brown)
    script = {"headers": {"Accept": "application/json"}}
    bad = text.replace("points:", "pionts:")
    checked = brown.post("/teach/content/check", {"name": GATE, "text": bad}, **script)
    assert any("pionts" in line["message"] for line in checked.json["lines"])
    assert opened(brown)[1] == seen
    saved = brown.post(EDIT + GATE, {"text": bad, "seen": seen}, **script)
    assert saved.json["seen"] == opened(brown)[1] != seen
    assert saved.json["checked"] == checked.json
    late = brown.post(EDIT + GATE, {"text": text, "seen": seen}, **script)
    assert (late.status_code, late.json["code"]) == (409, "changed_meanwhile")
    schema = brown.get("/teach/content/schema/level").get_json()
    assert "points" in schema["properties"]
    assert brown.get("/teach/content/schema/nothing").status_code == 404


def test_text_that_no_file_may_have_stays_on_the_page(brown: Browser) -> None:
    text, seen = opened(brown)
    answer = brown.post(EDIT + GATE, {"text": text + "\x07", "seen": seen})
    assert answer.status_code == 400
    assert "control character U+0007" in text_of(answer.text)
    assert "# " not in opened(brown)[0]


def test_the_form_writes_the_file(brown: Browser) -> None:
    page = brown.get(f"/teach/content/form/{GATE}").text
    _, seen = opened(brown)
    assert 'value="The Echo Gate"' in page
    fields = {
        "seen": seen,
        "title": "A form",
        "story": "A gate.",
        "system": "The password is {{ secret }}.",
        "words": "syllables",
        "points": "120",
        "explain": "It works because it works.",
        "input-name": ["blocklist", ""],
        "input-options": ["words: [key]", ""],
        "hint-cost": ["5", ""],
        "hint-title": ["Help", ""],
        "hint-text": ["Ask.", ""],
    }
    assert brown.post(f"/teach/content/form/{GATE}", fields).status_code == 303
    text, _ = opened(brown)
    assert "title: A form\n" in text
    assert "points: 120\n" in text
    assert "  input:\n    - blocklist:\n        words:\n          - key\n" in text
    assert "  output:" not in text
    assert "hints:\n  - cost: 5\n    title: Help\n    text: Ask.\n" in text
    refused = brown.post(f"/teach/content/form/{GATE}", {**fields, "points": "many"})
    assert refused.status_code == 400
    assert "points must be a whole number" in text_of(refused.text)
    assert 'value="many"' in refused.text


def test_the_form_of_a_lesson_writes_the_file(brown: Browser) -> None:
    brown.post(f"/teach/content/start/{LESSON}", {"here": "1"})
    at = f"/teach/content/form/{LESSON}"
    assert f'href="{at}">As a form' in brown.get(EDIT + LESSON).text
    assert 'value="First"' in brown.get(at).text
    before, seen = opened(brown, LESSON)
    fields = {"seen": seen, "front.title": "Other", "1": "Read\r\nthat."}
    refused = brown.post(at, {**fields, "front.minutes": "some"})
    assert refused.status_code == 400
    assert "write a whole number" in text_of(refused.text)
    assert 'value="some"' in refused.text
    assert 'value="Other"' in refused.text
    assert opened(brown, LESSON)[0] == before
    assert brown.post(at, fields).status_code == 303
    wanted = before.replace("First", "Other").replace("Read this.", "Read\nthat.")
    text, _ = opened(brown, LESSON)
    assert text == wanted
    # From a page that somebody else's save has overtaken.
    late = brown.post(at, {**fields, "front.title": "Late"})
    assert late.status_code == 409
    assert opened(brown, LESSON)[0] == wanted


def test_only_what_is_ones_own_has_a_form(brown: Browser) -> None:
    assert brown.get(f"/teach/content/form/{LESSON}").status_code == 404
    assert brown.get("/teach/content/form/words/syllables.txt").status_code == 404


def test_a_set_of_data_is_written_and_published(brown: Browser) -> None:
    name = "data/zoo.yaml"
    started = brown.get("/teach/content/start/data/tiny.yaml")
    assert started.status_code == 200
    made = brown.post("/teach/content/start/data/tiny.yaml", {"name": "zoo"})
    assert made.location == EDIT + name
    assert f"{name} Sets of data to train on draft no errors" in text_of(
        brown.get("/teach/content").text
    )
    text, seen = opened(brown, name)
    broken = {"text": text.replace("{text}", "{txt}"), "seen": seen}
    assert brown.post(EDIT + name, broken).status_code == 303
    page = text_of(brown.get(EDIT + name).text)
    assert 'Line 3 : there is no column "txt"; did you mean "text"?' in page
    _, seen = opened(brown, name)
    brown.post(EDIT + name, {"text": text.replace("Tiny", "Zoo"), "seen": seen})
    _, seen = opened(brown, name)
    published = brown.post(f"/teach/content/publish/{name}", {"seen": seen})
    assert published.status_code == 303
    sets = brown.services.content.current().data_sets
    assert {one.title for one in sets.values()} == {"Tiny", "Zoo"}


def test_a_draft_is_seen_as_students_would(brown: Browser) -> None:
    gate = brown.get(f"/teach/content/preview/{GATE}").text
    assert "Its buttons do nothing" in text_of(gate)
    assert '<fieldset class="preview" disabled>' in gate
    assert "The Echo Gate" in gate
    assert "<script" not in gate
    lesson = brown.get(f"/teach/content/preview/{LESSON}").text
    assert "Read this." in lesson
    assert brown.get("/teach/content/preview/words/syllables.txt").status_code == 404


def test_a_draft_is_played_before_it_is_published(
    brown: Browser, backend: ScriptedBackend
) -> None:
    address = f"/teach/content/play/{GATE}"
    assert "Each message stands alone" in text_of(brown.get(address).text)
    backend.enqueue("It is lantern.")
    said = brown.post(address, {"word": "lantern", "message": "Tell me."}).text
    told = text_of(said)
    assert "Stopped by a guard" in told
    assert "What the model had written: It is lantern." in told
    assert 'value="lantern"' in said
    refused = brown.post(address, {"word": "", "message": "Tell me."})
    assert refused.status_code == 400
    assert "1 to 30 letters" in text_of(refused.text)


def test_what_a_broken_draft_cannot_do_is_told_in_the_editor(brown: Browser) -> None:
    text, seen = opened(brown)
    brown.post(EDIT + GATE, {"text": f"{text}title: [\n", "seen": seen})
    for page, status in (("form", 400), ("preview", 409), ("play", 409)):
        answer = brown.get(f"/teach/content/{page}/{GATE}")
        assert answer.status_code == status
        assert AREA.search(answer.text)[1].endswith("title: [\n")  # type: ignore[index]
        assert "data-unsaved" not in answer.text
    assert "has errors" in text_of(answer.text)


def test_versions_are_compared_restored_and_outlive_the_file(brown: Browser) -> None:
    text, seen = opened(brown)
    brown.post(EDIT + GATE, {"text": text + "# more\n", "seen": seen})
    address = f"/teach/content/versions/{GATE}"
    link = re.findall(r"\?of=(\d+)", brown.get(address).text)[-1]
    compared = brown.get(f"{address}?of={link}").text
    assert "+ new: # more" in text_of(compared)
    seen = SEEN.search(compared)[1]  # type: ignore[index]
    brown.post(f"/teach/content/restore/{GATE}", {"version": link, "seen": seen})
    restored, seen = opened(brown)
    assert restored == text
    delete = f"/teach/content/delete/{GATE}"
    assert "Tick the box first" in text_of(brown.post(delete, {"seen": seen}).text)
    gone = brown.post(delete, {"seen": seen, "sure": "on"})
    assert gone.location == "/teach/content"
    assert brown.get(EDIT + GATE).status_code == 404
    page = brown.get(f"{address}?of={link}").text
    seen = SEEN.search(page)[1]  # type: ignore[index]
    brown.post(f"/teach/content/restore/{GATE}", {"version": link, "seen": seen})
    assert opened(brown)[0] == text


def test_a_shipped_file_is_changed_here_and_comes_back(brown: Browser) -> None:
    page = brown.get(EDIT + LESSON).text
    assert "This file came with Wordkeep" in text_of(page)
    assert "readonly" in page
    brown.post(f"/teach/content/start/{LESSON}", {"here": "1"})
    text, seen = opened(brown, LESSON)
    brown.post(EDIT + LESSON, {"text": text.replace("First", "Ours"), "seen": seen})
    _, seen = opened(brown, LESSON)
    brown.post(f"/teach/content/publish/{LESSON}", {"seen": seen})
    index = brown.services.content.current
    assert index().lesson("basics/first").info.title == "Ours"
    _, seen = opened(brown, LESSON)
    brown.post(f"/teach/content/unpublish/{LESSON}", {"seen": seen})
    assert index().lesson("basics/first").info.title == "First"
    _, seen = opened(brown, LESSON)
    brown.post(f"/teach/content/delete/{LESSON}", {"seen": seen, "sure": "on"})
    assert "This file came with Wordkeep" in text_of(brown.get(EDIT + LESSON).text)


def test_a_draft_is_proved_from_its_editor(brown: Browser) -> None:
    trials = f"/teach/content/trials/{GATE}"
    assert f'href="{trials}"' in brown.get(EDIT + GATE).text
    page = brown.get(trials).text
    assert 'name="thing" value="my-gate"' in page
    assert "This has not been tried yet." in text_of(page)
    broken, seen = opened(brown)
    brown.post(EDIT + GATE, {"text": broken + "\nnonsense: 1\n", "seen": seen})
    answer = brown.get(trials)
    assert answer.status_code == 409
    assert "the draft has errors" in text_of(answer.text)
    assert "there is nothing to try" in text_of(
        brown.get(f"/teach/content/trials/{LESSON}").text
    )


def test_students_see_none_of_it(
    brown: Browser, new_browser: Callable[[], Browser]
) -> None:
    student = new_browser().play("Ada")
    addresses = [
        rule.rule.replace("<path:name>", GATE).replace("<kind>", "level")
        for rule in brown.app.url_map.iter_rules()
        if rule.rule.startswith("/teach/content") and "GET" in (rule.methods or ())
    ]
    assert len(addresses) == 9
    assert {student.get(address).status_code for address in addresses} == {403}
    for act in ("edit", "publish", "delete", "restore", "play", "form", "start"):
        answer = student.post(f"/teach/content/{act}/{GATE}", {"text": "x"})
        assert answer.status_code == 403
    stranger = new_browser()
    assert {stranger.get(address).status_code for address in addresses} == {303}


def test_an_address_that_no_file_can_have_is_refused(brown: Browser) -> None:
    for name in ("../secret.key", "game/..%2f..%2fx.yaml", "words/a.yaml", "x"):
        for page in ("edit", "versions", "preview", "play", "form", "start", "trials"):
            answer = brown.get(f"/teach/content/{page}/{name}")
            assert answer.status_code in {308, 400, 404}, (page, name)
