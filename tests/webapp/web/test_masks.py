"""Rude words on their way out: pages, data and streams, and what is left as it is."""

from __future__ import annotations

import pytest

from tests.kit.content import SHIPPED
from webapp.domain.generations.events import Delta, End, Event, Heartbeat, Queue
from webapp.web import masks


@pytest.mark.parametrize(
    ("page", "shown"),
    [
        ("<p>Oh shit.</p>", "<p>Oh ••••.</p>"),
        ("<p>&quot;Shit&quot; &amp; so on</p>", "<p>&quot;••••&quot; &amp; so on</p>"),
        ("<p><mark>sh</mark>it <b>happens</b></p>", None),
        ("<p>sh</p><p>it</p>", "<p>sh</p><p>it</p>"),
        ("<p data-own>shit</p><p>shit</p>", "<p data-own>shit</p><p>••••</p>"),
        ("<textarea>shit</textarea> shit", "<textarea>shit</textarea> ••••"),
        ("<textarea data-said>shit</textarea>", "<textarea data-said>••••</textarea>"),
        ("<option>shit</option>", "<option>shit</option>"),
        ('<a href="/shit" title="shit">x</a>', '<a href="/shit" title="••••">x</a>'),
        ('<input value="shit">', '<input value="shit">'),
        ("<!-- shit --> 1 < 2 shit", "<!-- shit --> 1 < 2 ••••"),
        ("<text>shit</text>", "<text>••••</text>"),
        ("", ""),
    ],
)
def test_a_page(page: str, shown: str | None) -> None:
    wanted = "<p><mark>••</mark>•• <b>happens</b></p>" if shown is None else shown
    assert masks.html(page) == wanted


def test_data_keeps_what_programs_go_by() -> None:
    told = {"model": "shit", "id": 3, "reply": "oh shit", "tokens": [{"text": "shit"}]}
    assert masks.data(told) == {
        "model": "shit",
        "id": 3,
        "reply": "oh ••••",
        "tokens": [{"text": "••••"}],
    }


def test_a_stream_shows_whole_words_and_each_reply_to_its_end() -> None:
    replies = masks.Replies()
    happened: list[Event] = [
        Queue(1),
        *map(Delta, ("Oh sh", "it, ", "as")),
        Heartbeat(),
        Delta("s"),
        End(1, "finished"),
        Delta("hole"),
        End(2, "finished"),
    ]
    told = [one for event in happened for one in replies.take(event)]
    assert [event.text for event, _ in told if isinstance(event, Delta)] == [
        "Oh ",
        "••••, ",
        "•••",
        "hole",
    ]
    names = [event.name for event, _ in told if not isinstance(event, Heartbeat)]
    assert names == ["queue", "delta", "delta", "delta", "end", "delta", "end"]


def test_templates_have_no_words_that_would_be_masked() -> None:
    for path in (SHIPPED.parent / "webapp" / "templates").rglob("*.html"):
        text = path.read_text("utf-8")
        assert masks.html(text) == text, path
