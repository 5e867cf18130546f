"""A reply on its way: pieces, places in the queue, heartbeats, Stop."""

from __future__ import annotations

import threading
import time
from itertools import pairwise

import pytest

from tests.kit.clocks import patient
from tests.webapp.llm.conftest import KEY, MESSAGES
from tests.webapp.llm.upstream import reply, until
from webapp.llm.gateway import Done, InQueue, Piece, Sampling, Silence


def threads_of_replies():
    return [t for t in threading.enumerate() if t.name.startswith("reply from")]


def test_pieces_come_in_order_and_end_with_the_whole(upstream, talk):
    upstream.answer(reply("Good ", "evening, ", "friend."))
    events = [e for e in talk() if not isinstance(e, Silence)]
    assert events[:3] == [Piece("Good "), Piece("evening, "), Piece("friend.")]
    assert isinstance(events[3], Done)
    whole = events[3].completion
    assert whole.text == "Good evening, friend."
    assert (whole.model, whole.finish_reason) == ("local/smollm2", "stop")
    assert (whole.prompt_tokens, whole.completion_tokens) == (11, 3)
    assert 0 < whole.first_token_ms <= whole.ms


def test_sidecar_is_sent_everything_it_understands(upstream, gateway_of):
    upstream.answer(reply("Yes."))
    gateway_of().complete(
        model="smollm2",
        messages=MESSAGES,
        sampling=Sampling(0.5, 0.9, 40, seed=7, stop=("\n",)),
        user="player-3",
        raw_tokens=True,
    )
    assert upstream.calls[0].headers["authorization"] == f"Bearer {KEY}"
    assert upstream.calls[0].path == "/v1/chat/completions"
    assert upstream.calls[0].body == {
        "model": "smol-upstream",
        "messages": MESSAGES,
        "stream": True,
        "stream_options": {"include_usage": True},
        "temperature": 0.5,
        "top_p": 0.9,
        "max_tokens": 40,
        "seed": 7,
        "stop": ["\n"],
        "user": "player-3",
        "raw_tokens": True,
        "queue_events": True,
    }


def test_other_endpoints_get_no_player_and_no_extensions(upstream, gateway_of):
    upstream.answer(reply("Yes."))
    gateway_of("openai").complete(
        model="smollm2", messages=MESSAGES, user="player-3", raw_tokens=True
    )
    assert sorted(upstream.calls[0].body) == [
        "max_tokens",
        "messages",
        "model",
        "stream",
        "stream_options",
        "temperature",
        "top_p",
    ]


def test_places_in_the_queue_are_told(upstream, talk):
    def answer(call):
        call.start()
        for position in (3, 2, 1):
            call.send({"choices": [], "queue": {"position": position}})
        call.text("Here.")
        call.finish()

    upstream.answer(answer)
    events = [e for e in talk() if not isinstance(e, Silence)]
    assert events[:4] == [InQueue(3), InQueue(2), InQueue(1), Piece("Here.")]


@pytest.mark.parametrize("sends_comments", [True, False])
@pytest.mark.parametrize("sends_headers", [True, False])
def test_silence_is_filled_with_heartbeats(
    upstream, gateway_of, sends_headers, sends_comments
):
    def answer(call):
        if sends_headers:
            call.start()
        for _ in range(3):
            time.sleep(0.4)
            if sends_headers and sends_comments:
                call.write(b": waiting\n\n")
        if not sends_headers:
            call.start()
        call.text("At last.")
        call.finish()

    upstream.answer(answer)
    times = [time.monotonic()]
    for event in gateway_of().stream(model="smollm2", messages=MESSAGES):
        times.append(time.monotonic())
        if isinstance(event, Piece):
            break
    # A beat each quarter of a second, with room for a busy machine.
    assert len(times) >= 5
    assert max(b - a for a, b in pairwise(times)) < 0.8


def test_nothing_is_asked_before_the_first_read(upstream, gateway_of):
    upstream.answer(reply("Yes."))
    stream = gateway_of().stream(model="smollm2", messages=MESSAGES)
    stream.close()
    assert upstream.calls == []


@pytest.mark.parametrize("moment", ["before headers", "before text", "in the text"])
def test_stop_closes_the_connection_within_a_second(upstream, gateway_of, moment):
    stopped_after = []

    def answer(call):
        if moment != "before headers":
            call.start()
        if moment == "in the text":
            call.text("Once ")
        call.wait_for_hang_up()
        stopped_after.append(time.monotonic())

    upstream.answer(answer)
    stream = gateway_of().stream(model="smollm2", messages=MESSAGES)
    wanted = Piece if moment == "in the text" else Silence
    for event in stream:
        if isinstance(event, wanted) and upstream.calls:
            break
    stopped = time.monotonic()
    stream.close()
    assert time.monotonic() - stopped < patient(0.1)
    assert upstream.calls[0].hung_up.wait(1.0)
    assert stopped_after[0] - stopped < 1.0
    assert until(lambda: not threads_of_replies(), 1.0)
    assert len(upstream.calls) == 1


def test_a_stream_that_is_dropped_unread_stops_as_well(upstream, gateway_of):
    def answer(call):
        call.start()
        call.text("Once ")
        call.wait_for_hang_up()

    upstream.answer(answer)
    stream = gateway_of().stream(model="smollm2", messages=MESSAGES)
    next(stream)
    del stream
    assert until(lambda: bool(upstream.calls) and upstream.calls[0].hung_up.is_set())


def test_thirty_replies_at_once_do_not_mix(upstream, gateway_of):
    def answer(call):
        call.start()
        call.text(call.body["messages"][0]["content"])
        time.sleep(0.05)
        call.text("!")
        call.finish()

    upstream.answer(answer)
    gateway, replies = gateway_of(), {}

    def ask(number):
        message = {"role": "user", "content": f"I am {number}"}
        done = gateway.complete(model="smollm2", messages=[message])
        replies[number] = done.text

    threads = [threading.Thread(target=ask, args=(n,)) for n in range(30)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert replies == {n: f"I am {n}!" for n in range(30)}
    assert until(lambda: not threads_of_replies())
