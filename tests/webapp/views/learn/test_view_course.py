"""The course: what there is, how far one is, and one button on."""

from __future__ import annotations

from tests.kit.browser import Browser, text_of
from webapp.llm.scripted import ScriptedBackend


def test_anybody_sees_the_course(browser: Browser) -> None:
    page = browser.get("/learn").text
    shown = text_of(page)
    assert "0 of 2 lessons done" in shown
    assert "Start: Say it again" in shown
    assert "A model can give back what it is given." in shown
    assert 'href="/learn/basics/order"' in page
    assert "can make a model <em>repeat</em> you" in page


def test_progress_is_shown_and_next_moves_on(
    browser: Browser, backend: ScriptedBackend
) -> None:
    browser.get("/learn")
    backend.enqueue("a toucan", "a toucan")
    browser.post("/learn/basics/say/say/runs", {"s.words": "a toucan"})
    shown = text_of(browser.get("/learn").text)
    assert "1 of 2 lessons done" in shown
    assert "Next: In order" in shown
    assert "Done" in shown


def test_the_first_page_leads_to_lessons_and_gates(browser: Browser) -> None:
    page = browser.get("/").text
    shown = text_of(page)
    assert "Start with a lesson: Say it again" in shown
    assert "2 short lessons" in shown
    assert 'action="/play"' in page
    assert page.count('href="/learn"') >= 1
