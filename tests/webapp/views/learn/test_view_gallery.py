"""The gallery of a panel: open after a pass, looked after by the teacher."""

from __future__ import annotations

from tests.kit.browser import Browser, text_of
from webapp.llm.scripted import ScriptedBackend

SAY = "/learn/basics/say"
GALLERY = f"{SAY}/say/gallery"


def passed(browser: Browser, backend: ScriptedBackend, words: str) -> str:
    """Pass the panel; return the id of the run."""
    backend.enqueue("a toucan", "a toucan")
    browser.get(SAY)
    response = browser.post(f"{SAY}/say/runs", {"s.words": words})
    run: str = response.location.partition("run=")[2].partition("#")[0]
    return run


def test_it_is_shut_before_a_pass(player: Browser) -> None:
    response = player.get(GALLERY)
    assert response.status_code == 403
    assert "once you have passed this panel yourself" in text_of(response.text)


def test_it_asks_strangers_who_they_are(browser: Browser) -> None:
    assert browser.get(GALLERY).status_code == 303


def test_a_run_is_handed_in_and_taken_back(
    player: Browser, backend: ScriptedBackend
) -> None:
    run = passed(player, backend, "a <b>toucan</b>, please")
    assert "Nobody in your class has handed anything in" in player.get(GALLERY).text
    response = player.post(GALLERY, {"run": run, "note": "Politely."})
    assert response.status_code == 303
    page = player.get(GALLERY)
    shown = text_of(page.text)
    assert "(you)" in shown
    assert "Politely." in shown
    assert "a &lt;b&gt;toucan&lt;/b&gt;, please" in page.text
    assert player.post(f"{GALLERY}/take-back").status_code == 303
    assert "Politely." not in player.get(GALLERY).text


def test_a_run_that_failed_is_refused(
    player: Browser, backend: ScriptedBackend
) -> None:
    passed(player, backend, "a toucan")
    backend.enqueue("no", "no")
    failed = player.post(f"{SAY}/say/runs", {"s.words": "a wren"})
    run = failed.location.partition("run=")[2].partition("#")[0]
    response = player.post(GALLERY, {"run": run})
    assert response.status_code == 409
    assert "Only a run that passed" in text_of(response.text)


def test_only_instructors_hide(player: Browser, backend: ScriptedBackend) -> None:
    run = passed(player, backend, "a toucan")
    player.post(GALLERY, {"run": run})
    assert player.post("/gallery/pieces/1/hide", {"hidden": "1"}).status_code == 403
