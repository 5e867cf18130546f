"""The pages of the documents bench."""

from __future__ import annotations

import io
import re

from tests.kit.browser import Browser, text_of
from webapp.domain.lab.starting_pages import PAGES, POISON
from webapp.llm.scripted import ScriptedBackend

HERE = "/lab/documents"


def test_a_guest_takes_pages_asks_and_asks_on(
    browser: Browser, backend: ScriptedBackend
) -> None:
    assert "Take three pages" in browser.get(HERE).text
    assert browser.post(f"{HERE}/begin").location == HERE
    page = text_of(browser.get(HERE).text)
    assert all(each.name in page for each in PAGES)
    backend.enqueue("Made <b>up</b>.", "Ida Brand.")
    sent = browser.post(
        f"{HERE}/ask",
        {"question": "Who is the head?", "model": "scribe", "picked": "2"},
    )
    assert (sent.status_code, sent.location) == (303, f"{HERE}/asked/1")
    answer = browser.get(sent.location).text
    assert "Made &lt;b&gt;up&lt;/b&gt;." in answer
    assert "Ida Brand." in answer
    assert len(re.findall("dot__ring", answer)) == 2
    assert answer.count("in the prompt</span>") == 2
    backend.enqueue("No.", "Yes.")
    follow = browser.post(f"{HERE}/asked/1", {"question": "And the pool?"})
    assert follow.location == f"{HERE}/asked/2"
    told = text_of(browser.get(follow.location).text)
    assert "Searched for: Who is the head? And the pool?" in told


def test_looking_asks_no_model(browser: Browser, backend: ScriptedBackend) -> None:
    browser.post(f"{HERE}/begin")
    browser.post(f"{HERE}/ask", {"question": "When?", "model": "scribe", "picked": "1"})
    backend.history.clear()
    for path in (HERE, f"{HERE}?question=When", f"{HERE}/1", f"{HERE}/asked/1"):
        assert browser.get(path).status_code == 200
    assert backend.history == []


def test_a_file_is_taken_as_it_is(player: Browser) -> None:
    def bring(name: str, data: bytes) -> tuple[int, str]:
        answer = player.post(
            HERE,
            {"file": (io.BytesIO(data), name)},
            content_type="multipart/form-data",
        )
        return answer.status_code, text_of(answer.text)

    assert bring("soup.md", "\ufeffSuppe für alle".encode())[0] == 303
    shown = player.get(f"{HERE}/1").text
    assert '<p class="said">Suppe für alle</p>' in shown
    for name, data, said in (
        ("soup.pdf", b"x", "neither a .txt nor a .md file"),
        ("soup.txt", b"\xff\xfe\x00", "not UTF-8 text"),
        ("soup.txt", b"x" * 200_001, "larger than 200 KB"),
        ("soup.txt", b" ", "no text in it"),
    ):
        status, page = bring(name, data)
        assert status == 400
        assert said in page


def test_what_was_typed_stays_when_it_is_refused(player: Browser) -> None:
    player.post(f"{HERE}/begin")
    refused = player.post(
        f"{HERE}/ask",
        {"question": "Who <is> it?", "model": "scribe", "picked": "99"},
    )
    assert refused.status_code == 400
    assert "Who &lt;is&gt; it?</textarea>" in refused.text
    assert 'value="99"' in refused.text


def test_a_page_is_poisoned_cut_and_deleted(player: Browser) -> None:
    player.post(f"{HERE}/begin")
    player.post(f"{HERE}/begin", {"what": "poison"})
    assert POISON.name in text_of(player.get(HERE).text)
    player.post(f"{HERE}/cut", {"size": "5", "overlap": "2"})
    cut = text_of(player.get(f"{HERE}/4").text)
    assert "passages of up to 5 words. Each shares 2 words" in cut
    player.post(f"{HERE}/4/delete")
    assert POISON.name not in text_of(player.get(HERE).text)
    assert player.get(f"{HERE}/4").status_code == 404
