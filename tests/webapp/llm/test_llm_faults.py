"""Endpoints that are slow, dead, broken or rude."""

from __future__ import annotations

import logging
import time
import traceback

import pytest

from tests.kit.clocks import patient
from tests.webapp.llm.conftest import KEY, MESSAGES, SECRET
from tests.webapp.llm.servers import SERVERS, says
from tests.webapp.llm.upstream import reply, until
from webapp.errors import (
    BackendError,
    BackendOverloaded,
    BackendRefused,
    BackendTimeout,
    BackendTooLong,
)
from webapp.llm.gateway import Done, Piece, Silence


def error_body(code, kind="invalid_request_error"):
    # Upstream errors quote what they were sent; none of it may come through.
    message = f"Incorrect key {KEY} at http://inner.example/v1 for {MESSAGES}"
    return {"error": {"message": message, "type": kind, "param": None, "code": code}}


def fails_with(talk, **options):
    """Return the error of a reply, and check what no error may ever say."""
    with pytest.raises(BackendError) as caught:
        talk(**options)
    shown = "".join(traceback.format_exception(caught.value))
    for private in (KEY, SECRET, "127.0.0.1", "inner.example", "smol-upstream"):
        assert private not in str(caught.value)
        assert private not in shown
    assert caught.value.message.endswith(".")
    return caught.value


STATUSES = [
    (400, "context_length_exceeded", BackendTooLong, "context_length", 1),
    (400, "something_else", BackendRefused, "backend_refused", 1),
    (401, "invalid_api_key", BackendRefused, "backend_refused", 1),
    (403, None, BackendRefused, "backend_refused", 1),
    (404, "model_not_found", BackendRefused, "backend_refused", 1),
    (408, None, BackendTimeout, "backend_timeout", 1),
    (422, None, BackendRefused, "backend_refused", 1),
    (429, "insufficient_quota", BackendRefused, "backend_refused", 1),
    (429, "queue_full", BackendOverloaded, "backend_overloaded", 3),
    (500, None, BackendError, "backend", 3),
    (503, None, BackendOverloaded, "backend_overloaded", 3),
    (504, None, BackendTimeout, "backend_timeout", 1),
]


@pytest.mark.parametrize(("status", "code", "kind", "own_code", "tries"), STATUSES)
def test_status(upstream, talk, status, code, kind, own_code, tries):
    upstream.answer(lambda call: call.json(error_body(code), status))
    error = fails_with(talk)
    assert (type(error), error.code) == (kind, own_code)
    assert len(upstream.calls) == tries


TOO_LONG = [
    pytest.param(*fault, id=f"{name} {number}")
    for name, server in SERVERS.items()
    for number, fault in enumerate(server.too_long)
]


@pytest.mark.parametrize(("status", "body"), TOO_LONG)
def test_each_server_says_too_long_in_its_own_way(upstream, talk, status, body):
    upstream.answer(says(status, body))
    error = fails_with(talk, kind="openai")
    assert (type(error), error.code) == (BackendTooLong, "context_length")
    assert "too long for this model" in error.message
    assert len(upstream.calls) == 1


OTHER_WORDS = [
    # Azure and others read along; the player can do something about it.
    (400, "content_filter", "", BackendRefused, "filter"),
    (402, 402, "", BackendRefused, "budget"),
    (200, 402, "", BackendRefused, "budget"),
    (200, 429, "", BackendOverloaded, "busy"),
    (200, 503, "", BackendOverloaded, "busy"),
    (200, 401, "", BackendRefused, "key"),
    (200, 404, "", BackendRefused, "model"),
    (400, 400, "exceed_the_patience_error", BackendRefused, "refused"),
    (400, ["a list"], {"an": "object"}, BackendRefused, "refused"),
]


@pytest.mark.parametrize(("status", "code", "kind", "raised", "word"), OTHER_WORDS)
def test_what_other_servers_say(upstream, talk, status, code, kind, raised, word):
    upstream.answer(says(status, error_body(code, kind)))
    error = fails_with(talk, kind="openai")
    assert type(error) is raised
    assert word in error.message


def test_an_end_by_an_error_is_not_a_whole_reply(upstream, talk):
    def answer(call):
        call.start()
        call.text("Hello")
        call.finish("error")

    upstream.answer(answer)
    assert fails_with(talk).code == "backend_broke_off"


@pytest.mark.parametrize("status", [400, 500])
def test_an_error_page_instead_of_json(upstream, talk, status):
    page = f"<html><h1>Oh no</h1>{KEY}</html>".encode()
    upstream.answer(lambda call: call.raw(page, "text/html", status))
    fails_with(talk)


def test_a_redirect_is_not_followed(upstream, talk):
    elsewhere = {"Location": f"{upstream.url}/elsewhere"}
    upstream.answer(lambda call: call.raw(b"", "text/plain", 307, elsewhere))
    assert fails_with(talk).code == "backend_garbage"
    assert [call.path for call in upstream.calls] == ["/v1/chat/completions"]


def test_busy_then_free(upstream, talk):
    def busy(call):
        call.json(error_body("queue_full"), 429, {"Retry-After": "1"})

    upstream.answer(busy, reply("Welcome."))
    started = time.monotonic()
    events = talk(chance=lambda: 0.0)
    # Half of the wished second.
    assert 0.5 <= time.monotonic() - started < patient(2.0)
    assert events[0] == Silence()
    assert isinstance(events[-1], Done)
    assert events[-1].completion.text == "Welcome."
    assert len(upstream.calls) == 2


def test_a_long_retry_after_does_not_hold_the_player(upstream, talk):
    upstream.answer(
        lambda call: call.json(error_body("queue_full"), 429, {"Retry-After": "600"})
    )
    started = time.monotonic()
    assert isinstance(fails_with(talk, chance=lambda: 0.0), BackendOverloaded)
    # Two pauses of at most two seconds, halved.
    assert time.monotonic() - started < patient(3.0)


def test_dead_before_the_first_word_is_tried_again(upstream, talk):
    upstream.answer(lambda call: call.drop(), reply("Welcome."))
    assert talk()[-1].completion.text == "Welcome."
    assert len(upstream.calls) == 2


def test_nothing_listens(upstream, talk):
    upstream.close()
    error = fails_with(talk)
    assert (error.code, error.status) == ("backend_unreachable", 502)


def test_killed_in_the_middle_is_not_tried_again(upstream, gateway_of):
    def answer(call):
        call.start()
        call.text("The way is ")
        call.drop()

    upstream.answer(answer)
    stream = gateway_of().stream(model="smollm2", messages=MESSAGES)
    assert next(e for e in stream if e != Silence()) == Piece("The way is ")
    with pytest.raises(BackendError):
        list(stream)
    assert len(upstream.calls) == 1


def broken(*events, ends="done"):
    def answer(call):
        call.start()
        for event in events:
            call.write(event)
        if ends == "done":
            call.done()
        else:
            call.handler.wfile.write(b"0\r\n\r\n")

    return answer


TEXT = b'data: {"choices":[{"delta":{"content":"Hi"}}]}\n\n'
GARBAGE = {
    "no json": broken(b"data: {nonsense\n\n"),
    "no utf-8": broken(b"data: \xff\xfe\xfa\n\n"),
    "no object": broken(b"data: [1, 2]\n\n"),
    "a number": broken(b"data: 7\n\n"),
    "choices is a word": broken(b'data: {"choices": "many"}\n\n'),
    "choice is a word": broken(b'data: {"choices": ["one"]}\n\n'),
    "delta is a list": broken(b'data: {"choices": [{"delta": [1]}]}\n\n'),
    "text is a number": broken(b'data: {"choices":[{"delta":{"content":5}}]}\n\n'),
    "queue is a word": broken(b'data: {"choices": [], "queue": "long"}\n\n'),
    "queue below one": broken(b'data: {"queue": {"position": 0}}\n\n'),
    "deep json": broken(b"data: " + b"[" * 100_000 + b"\n\n"),
    "garbage after text": broken(TEXT, b"data: }\n\n"),
    "nothing": broken(),
    "only comments": broken(b": waiting\n\n"),
    "an html page": lambda call: call.raw(b"<html>Welcome</html>", "text/html"),
    "no stream": lambda call: call.json({"choices": [{"message": {"content": "a"}}]}),
    "more than any reply": broken(*[TEXT.replace(b"Hi", b"a" * 30_000)] * 4),
}


@pytest.mark.parametrize("answer", GARBAGE.values(), ids=GARBAGE)
def test_garbage(upstream, talk, answer):
    upstream.answer(answer)
    error = fails_with(talk)
    assert (error.code, error.status) == ("backend_garbage", 502)
    assert len(upstream.calls) == 1


@pytest.mark.parametrize("ends", ["done", "closed"])
def test_a_reply_without_its_end_is_not_whole(upstream, talk, ends):
    upstream.answer(broken(TEXT, ends=ends))
    assert fails_with(talk).code == "backend_broke_off"


@pytest.mark.parametrize("text", ["", "  \n "])
def test_an_empty_reply(upstream, talk, text):
    upstream.answer(reply(text))
    assert fails_with(talk).code == "backend_empty"


@pytest.mark.parametrize(
    ("code", "kind", "tries"),
    [
        ("queue_full", BackendOverloaded, 3),
        ("context_length_exceeded", BackendTooLong, 1),
        ("engine_failed", BackendError, 1),
    ],
)
def test_an_error_inside_the_stream(upstream, talk, code, kind, tries):
    def answer(call):
        call.start()
        call.send(error_body(code))
        call.done()

    upstream.answer(answer)
    assert type(fails_with(talk)) is kind
    assert len(upstream.calls) == tries


def test_silence_ends_the_wait(upstream, talk):
    upstream.answer(lambda call: call.wait_for_hang_up())
    started = time.monotonic()
    assert isinstance(fails_with(talk, silence_seconds=0.6), BackendTimeout)
    assert time.monotonic() - started < patient(1.5)
    assert upstream.calls[0].hung_up.wait(1.0)


def test_comments_do_not_count_as_an_answer(upstream, talk):
    def answer(call):
        call.start()
        while not call.wait_for_hang_up(0.1):
            call.write(b": waiting\n\n")

    upstream.answer(answer)
    assert isinstance(fails_with(talk, silence_seconds=0.6), BackendTimeout)


def test_moving_up_in_the_queue_is_no_silence(upstream, talk):
    def answer(call):
        call.start()
        for position in (4, 3, 2, 1):
            call.send({"choices": [], "queue": {"position": position}})
            time.sleep(0.4)
        call.text("Here.")
        call.finish()

    upstream.answer(answer)
    assert talk(silence_seconds=0.9)[-1].completion.text == "Here."


def test_a_reply_without_end_is_cut(upstream, talk):
    def answer(call):
        call.start()
        while not call.wait_for_hang_up(0.02):
            call.text("and ")

    upstream.answer(answer)
    started = time.monotonic()
    assert isinstance(fails_with(talk, reply_seconds=0.8), BackendTimeout)
    assert time.monotonic() - started < patient(1.8)
    assert until(upstream.calls[0].hung_up.is_set)


def test_a_line_without_end_is_cut(upstream, talk):
    def answer(call):
        call.start()
        while not call.wait_for_hang_up(0.02):
            call.write(b"data: " + b"x" * 1000)

    upstream.answer(answer)
    assert isinstance(fails_with(talk, reply_seconds=0.8), BackendTimeout)


def test_logs_say_what_happened_and_nothing_private(upstream, talk, caplog):
    caplog.set_level(logging.DEBUG)
    upstream.answer(lambda call: call.json(error_body("invalid_api_key"), 401))
    fails_with(talk)
    upstream.answer(reply("Welcome, lantern bearer."))
    talk()
    assert "endpoint local: AuthenticationError 401 invalid_api_key" in caplog.text
    for private in (KEY, SECRET, "127.0.0.1", "inner.example"):
        assert private not in caplog.text


def test_reprs_hide_key_address_and_prompt(upstream, gateway_of):
    gateway = gateway_of()
    endpoint = gateway._endpoints[0]
    shown = repr(endpoint) + repr(gateway) + repr(gateway._backends)
    assert endpoint.key.reveal() == KEY
    assert KEY not in shown
    assert upstream.url not in shown
