"""What was sent: the lists, the request for programs, and the files."""

from __future__ import annotations

import json

from webapp.domain.lab import sent
from webapp.domain.lab.bench import Bench, Pane, Turn, request_of
from webapp.domain.lab.starters import STARTERS, starter

NASTY = "It's '''quoted''' \"twice\" \\n $HOME `ls` {x}\nnew line, ünïcode ✓"
BENCH = Bench(turns=(Turn("user", NASTY),), stop="\\n")
REQUEST = request_of(BENCH, Pane("local/smollm2", "0", "0.9", "40"), seed=7)
BODY = {
    "model": "local/smollm2",
    "messages": [{"role": "user", "content": NASTY}],
    "default_system": True,
    "temperature": 0,
    "top_p": 0.9,
    "top_k": 40,
    "max_tokens": 120,
    "seed": 7,
    "stop": ["\n"],
}


def test_the_body_names_every_sampler() -> None:
    assert sent.body(REQUEST) == BODY


def test_a_begun_reply_is_the_last_message() -> None:
    begun = (Turn("user", "Hi"), Turn("assistant", "Hel"))
    request = request_of(Bench(turns=begun), Pane("m"), seed=1)
    assert sent.body(request)["messages"][-1] == {"role": "assistant", "content": "Hel"}


def test_each_reply_has_taken_the_list_so_far() -> None:
    turns = (
        Turn("user", "One"),
        Turn("assistant", "First."),
        Turn("user", "Two"),
        Turn("assistant", "Second."),
    )
    bench = Bench(system="own", system_text="Count.", turns=turns, message="Three")
    found = sent.lists(bench, "")
    assert [(one.title, len(one.messages)) for one in found] == [
        ("For reply 1", 2),
        ("For reply 2", 4),
        ("For the next reply", 6),
    ]
    assert json.loads(found[0].as_json) == [
        {"role": "system", "content": "Count."},
        {"role": "user", "content": "One"},
    ]


def test_files_hold_the_conversation() -> None:
    turns = (Turn("user", "One\n\ntwo"), Turn("assistant", "First."))
    bench = Bench(turns=turns, seed="7")
    data = json.loads(sent.as_file("Numbers", bench, ""))
    assert data["title"] == "Numbers"
    assert data["messages"][1] == {"role": "assistant", "content": "First."}
    assert data["settings"]["seed"] == "7"
    assert sent.as_markdown("Numbers", bench, "") == (
        "# Numbers\n\n**You**\n\n> One\n>\n> two\n\n**The model**\n\n> First.\n"
    )
    text = Bench(mode="text", text="Once")
    assert json.loads(sent.as_file("T", text, ""))["text"] == "Once"
    assert sent.as_markdown("T", text, "") == "# T\n\n> Once\n"


def test_every_starter_can_be_asked_at_once() -> None:
    assert len(STARTERS) == 5
    for one in STARTERS:
        assert starter(one.id) is one
        bench = one.bench
        assert bench.text or bench.message or bench.turns[-1].role == "user"
    assert starter("nothing") is None
