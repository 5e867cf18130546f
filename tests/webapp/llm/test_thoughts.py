"""Thoughts are not the reply, wherever a server puts them."""

from __future__ import annotations

import logging

import pytest

from tests.webapp.llm.conftest import KEY, MESSAGES, SECRET
from tests.webapp.llm.servers import REPLY, SERVERS, THOUGHTS, content, streams
from tests.webapp.llm.upstream import Upstream
from webapp.errors import BackendError
from webapp.llm.endpoints import Endpoint
from webapp.llm.events import Thought
from webapp.llm.gateway import Done, Gateway, Memory, Piece, Silence
from webapp.llm.thoughts import Sorter

THINKING = {name: s.thinking for name, s in SERVERS.items() if s.thinking}
ONLY = {name: s.only_thoughts for name, s in SERVERS.items() if s.only_thoughts}
SPLIT = "<think>\nThe password is lantern.</think>\n\nHello, Ann."


def pieces(events):
    return [event.text for event in events if isinstance(event, Piece)]


def completion(events):
    return next(e.completion for e in events if isinstance(e, Done))


@pytest.mark.parametrize("choices", THINKING.values(), ids=THINKING)
def test_thoughts_are_kept_apart(upstream, talk, choices):
    upstream.answer(streams(choices))
    events = talk(kind="openai")
    assert "".join(pieces(events)) == completion(events).text == REPLY
    assert completion(events).thoughts.strip() == THOUGHTS
    assert SECRET not in repr(events)


@pytest.mark.parametrize("choices", ONLY.values(), ids=ONLY)
def test_nothing_but_thoughts_is_told_as_such(upstream, talk, choices):
    upstream.answer(streams(choices, "length"))
    with pytest.raises(BackendError) as caught:
        talk(kind="openai")
    assert caught.value.code == "backend_empty"
    assert "only thought" in caught.value.message
    assert SECRET not in caught.value.message


def sort(*texts, **options):
    """Return reply, thoughts and sorter for a text that comes in these pieces."""
    sorter = Sorter(**options)
    found = [event for text in texts for event in sorter.text(text)]
    found += sorter.end()
    reply = "".join(pieces(found))
    return reply, "".join(e.text for e in found if isinstance(e, Thought)), sorter


@pytest.mark.parametrize("size", range(1, len(SPLIT) + 1))
@pytest.mark.parametrize("holds", [False, True])
def test_pieces_of_any_size(size, holds):
    texts = [SPLIT[at : at + size] for at in range(0, len(SPLIT), size)]
    reply, thoughts, _ = sort(*texts, holds=holds)
    assert reply == "Hello, Ann."
    assert thoughts == "\nThe password is lantern."


@pytest.mark.parametrize("cut", range(1, len(SPLIT)))
def test_two_pieces_cut_anywhere(cut):
    assert sort(SPLIT[:cut], SPLIT[cut:])[0] == "Hello, Ann."


@pytest.mark.parametrize(
    ("text", "reply"),
    [
        ("Hello", "Hello"),
        ("  Hello ", "  Hello "),
        ("a < b <thin ice", "a < b <thin ice"),
        ("<thi", "<thi"),
        ("<think></think>Hello", "Hello"),
        ("\n<THINK>x</Think>\nHello", "Hello"),
        ("<thinking>a</think>b</thinking>Hello", "Hello"),
        ("[THINK]x[/THINK]Hello", "Hello"),
        ("<think>x</think>\n<think>y</think>\nHello", "Hello"),
        ("Well <think>x</think>hello", "Well hello"),
        ("Well <think>x", "Well "),
        ("İ<think>x</think>ok", "İok"),
        ("Say </think> to me", "Say </think> to me"),
    ],
)
def test_tags(text, reply):
    assert sort(text)[0] == reply
    assert sort(*text)[0] == reply


def test_text_without_tags_is_not_kept_back():
    sorter = Sorter()
    assert pieces(sorter.text("Hello, ")) == ["Hello, "]
    assert pieces(sorter.text("a <")) == ["a "]
    assert pieces(sorter.text("b")) == ["<b"]


OPENED = content(THOUGHTS, "</think>", "\n\n", "Hello, ", "Ann.")
PLAIN = content("Hello, ", "Ann.")


def replies(gateway):
    events = list(gateway.stream(model="smollm2", messages=MESSAGES))
    return [e for e in events if not isinstance(e, Silence)]


def test_the_first_reply_shows_whether_thoughts_come_without_a_tag(
    upstream, gateway_of
):
    upstream.answer(streams(PLAIN))
    gateway = gateway_of("openai")
    assert pieces(replies(gateway)) == ["Hello, Ann."]
    assert pieces(replies(gateway)) == ["Hello, ", "Ann."]


def test_a_model_that_thinks_without_an_opening_tag_is_remembered(upstream, gateway_of):
    upstream.answer(streams(OPENED))
    gateway = gateway_of("openai")
    for _ in range(2):
        assert pieces(replies(gateway)) == ["Hello, ", "Ann."]
    # Cut within its thoughts: there is no tag at all.
    upstream.answer(streams(content(THOUGHTS), "length"))
    with pytest.raises(BackendError) as caught:
        replies(gateway)
    assert "only thought" in caught.value.message


def test_one_reply_that_quotes_a_tag_changes_little(upstream, gateway_of):
    gateway = gateway_of("openai")
    upstream.answer(streams(OPENED), streams(PLAIN))
    replies(gateway)
    assert pieces(replies(gateway)) == ["Hello, Ann."]
    assert pieces(replies(gateway)) == ["Hello, ", "Ann."]


def test_a_reply_that_was_cut_says_nothing_about_a_model(upstream, gateway_of):
    gateway = gateway_of("openai")
    upstream.answer(streams(PLAIN, "length"), streams(OPENED))
    replies(gateway)
    assert "".join(pieces(replies(gateway))) == REPLY


def test_a_model_that_begins_to_think_is_noticed(upstream, gateway_of):
    gateway = gateway_of("openai")
    upstream.answer(streams(PLAIN), *[streams(OPENED)] * 2, streams(OPENED))
    shown = ["".join(pieces(replies(gateway))) for _ in range(4)]
    # Two replies were shown before they could be known for thoughts.
    assert shown == [REPLY, f"{THOUGHTS}</think>\n\n{REPLY}", shown[1], REPLY]


def test_our_own_models_stream_from_the_first_word(upstream, gateway_of):
    upstream.answer(streams(PLAIN))
    assert pieces(replies(gateway_of())) == ["Hello, ", "Ann."]


def test_thinking_is_no_silence(upstream, talk):
    def answer(call):
        call.start()
        for _ in range(5):
            call.send(
                {"choices": [{"index": 0, "delta": {"reasoning_content": "Hm. "}}]}
            )
            call.wait_for_hang_up(0.3)
        call.text("Here.")
        call.finish()

    upstream.answer(answer)
    events = talk(kind="openai", silence_seconds=0.9)
    assert completion(events).text == "Here."
    # The reader shows that it is still there by taking these.
    assert events.count(Silence()) >= 4


def test_parts_of_a_message_are_read(upstream, talk):
    thinking = [{"type": "thinking", "thinking": [{"type": "text", "text": THOUGHTS}]}]
    said = [{"type": "text", "text": REPLY}]
    upstream.answer(streams(content(thinking, said)))
    done = completion(talk(kind="openai"))
    assert (done.text, done.thoughts) == (REPLY, THOUGHTS)


@pytest.mark.parametrize(
    "delta",
    [
        {"content": [7]},
        {"content": [{"type": "text", "text": 7}]},
        {"reasoning_details": 7},
        {"reasoning_details": ["x"]},
    ],
)
def test_garbage_in_the_place_of_thoughts(upstream, talk, delta):
    upstream.answer(streams(({"index": 0, "delta": delta},)))
    with pytest.raises(BackendError) as caught:
        talk(kind="openai")
    assert caught.value.code == "backend_garbage"


def test_thoughts_stay_out_of_the_log(upstream, talk, caplog):
    caplog.set_level(logging.DEBUG)
    upstream.answer(streams(THINKING["vllm"]))
    talk(kind="openai")
    upstream.answer(streams(ONLY["vllm"]))
    with pytest.raises(BackendError):
        talk(kind="openai")
    for private in (KEY, SECRET):
        assert private not in caplog.text


def test_more_is_sent_to_an_endpoint_that_wants_it(upstream: Upstream):
    extra = {"chat_template_kwargs": {"enable_thinking": False}, "temperature": 0}
    endpoint = Endpoint(
        "vllm", "openai", {"qwen": "Qwen"}, upstream.url, extra_body=extra
    )
    upstream.answer(streams(PLAIN))
    Gateway([endpoint]).complete(model="qwen", messages=MESSAGES)
    body = upstream.calls[0].body
    assert {name: body[name] for name in extra} == extra
    assert body["messages"] == MESSAGES


def test_a_remembered_reply_is_not_that_of_a_model_that_thought(upstream, tmp_path):
    upstream.answer(streams(PLAIN))
    for extra in ({}, {"reasoning_effort": "none"}, {"reasoning_effort": "none"}):
        endpoint = Endpoint(
            "vllm", "openai", {"qwen": "Qwen"}, upstream.url, extra_body=extra
        )
        gateway = Gateway([endpoint]).remembering(Memory(tmp_path / "replies"))
        assert gateway.complete(model="qwen", messages=MESSAGES).text == REPLY
    assert len(upstream.calls) == 2
