"""Embeddings, judgements and health."""

from __future__ import annotations

import time

import pytest

from tests.kit.clocks import patient
from tests.webapp.llm.conftest import KEY, MESSAGES, SECRET
from tests.webapp.llm.upstream import reply
from webapp.errors import (
    BackendError,
    BackendOverloaded,
    BackendTimeout,
    BackendTooLong,
)
from webapp.llm.ask import GatewayAsk
from webapp.llm.gateway import EndpointHealth, Size
from webapp.plugins.asking import Highlight, Look, Moderation
from webapp.security import Secret


def numbered(call):
    """Answer with a vector that tells the texts apart, in the wrong order."""
    data = [
        {"index": n, "embedding": [1.0, float(text)]}
        for n, text in enumerate(call.body["input"])
    ]
    call.json({"data": data[::-1]})


def test_vectors_are_units_in_the_order_of_the_texts(upstream, gateway_of):
    upstream.answer(numbered)
    vectors = gateway_of().embed(["0", "3", "0", "1"], model="minilm")
    assert [round(v[1] / v[0], 6) for v in vectors] == [0, 3, 0, 1]
    assert all(abs(x * x + y * y - 1) < 1e-9 for x, y in vectors)
    assert upstream.calls[0].body == {
        "model": "minilm",
        "input": ["0", "3", "1"],
        "encoding_format": "float",
    }


def test_texts_seen_lately_are_not_asked_again(upstream, gateway_of):
    upstream.answer(numbered)
    gateway = gateway_of()
    first = gateway.embed(["1", "2"], model="minilm")
    assert gateway.embed(["2", "5", "1"], model="minilm") == [
        first[1],
        gateway.embed(["5"], model="minilm")[0],
        first[0],
    ]
    assert [call.body["input"] for call in upstream.calls] == [["1", "2"], ["5"]]


def test_the_cache_is_bounded_and_keeps_what_is_used(upstream, gateway_of):
    upstream.answer(numbered)
    gateway = gateway_of()
    for start in range(0, 1800, 60):
        texts = ["9999", *(str(n) for n in range(start, start + 60))]
        gateway.embed(texts, model="minilm")
    assert len(gateway._vectors._vectors) == 1024
    asked = [text for call in upstream.calls for text in call.body["input"]]
    assert asked.count("9999") == 1
    gateway.embed(["0"], model="minilm")
    assert upstream.calls[-1].body["input"] == ["0"]


def test_no_texts_need_no_call(upstream, gateway_of):
    assert gateway_of().embed([]) == []
    assert upstream.calls == []


GARBAGE_VECTORS = {
    "too few": {"data": []},
    "no list": {"data": "none"},
    "no data": {},
    "a list": [1],
    "no index": {"data": [{"embedding": [1.0]}]},
    "words": {"data": [{"index": 0, "embedding": ["a"]}]},
    "empty": {"data": [{"index": 0, "embedding": []}]},
    "zero": {"data": [{"index": 0, "embedding": [0.0, 0.0]}]},
    "not finite": {"data": [{"index": 0, "embedding": [float("nan")]}]},
    "infinite": {"data": [{"index": 0, "embedding": [float("inf"), 1.0]}]},
    "null": {"data": [None]},
}


@pytest.mark.parametrize("body", GARBAGE_VECTORS.values(), ids=GARBAGE_VECTORS)
def test_garbage_vectors(upstream, gateway_of, body):
    upstream.answer(lambda call: call.json(body))
    with pytest.raises(BackendError) as caught:
        gateway_of().embed(["a"], model="minilm")
    assert caught.value.code == "backend_garbage"


def test_vectors_of_different_lengths_are_garbage(upstream, gateway_of):
    data = [{"index": n, "embedding": [1.0] * (n + 1)} for n in range(2)]
    upstream.answer(lambda call: call.json({"data": data}))
    with pytest.raises(BackendError):
        gateway_of().embed(["a", "b"], model="minilm")


KINDS = {"attack": 0.8, "other": 0.1}


def judgement(score=0.8, flagged=True, **more):
    result = {
        "flagged": flagged,
        "categories": {"attack": flagged},
        "category_scores": {"attack": score, "other": 0.1},
        **more,
    }
    answer = {"id": "m", "model": "gate", "version": "v7", "results": [result]}
    return lambda call: call.json(answer)


def test_judgement_of_the_sidecar(upstream, gateway_of):
    upstream.answer(judgement(threshold=0.7))
    found = gateway_of().moderate("hello", model="leak", secret=Secret(SECRET))
    assert found == Moderation(True, 0.8, 0.7, "leak", "v7", kinds=KINDS)
    assert upstream.calls[0].path == "/v1/moderations"
    assert upstream.calls[0].body == {
        "model": "leak",
        "input": "hello",
        "secret": SECRET,
    }


def test_other_endpoints_are_not_told_the_secret(upstream, gateway_of):
    upstream.answer(judgement())
    found = gateway_of("openai").moderate("hi", model="gate", secret=Secret(SECRET))
    assert found == Moderation(True, 0.8, 0.5, "gate", "v7", kinds=KINDS)
    assert upstream.calls[0].body == {"model": "gate", "input": "hi"}


def test_our_sidecar_is_asked_which_words_counted(upstream, gateway_of):
    parts = [{"text": "tell ", "weight": 0.25}, {"text": "me", "weight": -1}]
    upstream.answer(judgement(highlights=parts))
    look = Look(as_typed=True, highlights=True)
    found = gateway_of().moderate("tell me", model="gate", look=look)
    assert found.highlights == (Highlight("tell ", 0.25), Highlight("me", -1.0))
    assert upstream.calls[0].body == {
        "model": "gate",
        "input": "tell me",
        "as_typed": True,
        "highlights": True,
    }


def test_a_version_is_a_short_text_or_nothing(upstream, gateway_of):
    result = {"flagged": False, "category_scores": {"attack": 0.1}}
    for version, expected in ((7, ""), ("v" * 999, "v" * 80)):
        body = {"version": version, "results": [result]}
        upstream.answer(lambda call, body=body: call.json(body))
        assert gateway_of().moderate("hi", model="gate").version == expected


@pytest.mark.parametrize(
    "answer",
    [
        lambda call: call.json({"results": []}),
        lambda call: call.json({"results": [{"flagged": True}]}),
        lambda call: call.json({}),
        lambda call: call.json([]),
        lambda call: call.raw(b"<html>", "text/html"),
        lambda call: call.raw(b"{", "application/json"),
        judgement(score=float("nan")),
        judgement(score=1.5),
        judgement(score="high"),
        judgement(flagged="yes"),
        judgement(threshold=-1),
        judgement(highlights=None),
        judgement(highlights=["word"]),
        judgement(highlights=[{"text": "a"}]),
        judgement(highlights=[{"text": "a", "weight": 200}]),
        judgement(highlights=[{"text": "a", "weight": float("nan")}]),
        judgement(highlights=[{"text": "a", "weight": 0}] * 201),
        judgement(highlights=[{"text": "a" * 100_001, "weight": 0}]),
    ],
)
def test_garbage_judgements(upstream, gateway_of, answer):
    upstream.answer(answer)
    with pytest.raises(BackendError) as caught:
        gateway_of().moderate("hi", model="leak", secret=Secret(SECRET))
    assert caught.value.code == "backend_garbage"
    assert SECRET not in caught.value.message


def test_a_busy_guard_model_is_asked_again(upstream, gateway_of):
    busy = {"error": {"message": "full", "type": "overloaded", "code": "queue_full"}}
    upstream.answer(lambda call: call.json(busy, 429), judgement())
    assert gateway_of().moderate("hi", model="gate").flagged
    upstream.answer(lambda call: call.json(busy, 429))
    with pytest.raises(BackendOverloaded):
        gateway_of().moderate("hi", model="gate")
    assert len(upstream.calls) == 5


@pytest.mark.parametrize("trickles", [True, False])
def test_a_guard_model_that_does_not_come_to_an_end(upstream, gateway_of, trickles):
    def answer(call):
        call.start()
        while not call.wait_for_hang_up(0.05):
            if trickles:
                call.write(b" ")

    upstream.answer(answer)
    started = time.monotonic()
    with pytest.raises(BackendTimeout) as caught:
        gateway_of(call_seconds=0.4).moderate("hi", model="gate")
    assert time.monotonic() - started < patient(1.2)
    assert KEY not in str(caught.value)
    assert upstream.calls[0].hung_up.wait(1.0)


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (lambda c: c.json({"status": "ok"}), (True, "ok")),
        (lambda c: c.json({"status": "starting"}, 503), (False, "starting")),
        (lambda c: c.json({"status": "failed"}, 503), (False, "failed")),
        (lambda c: c.json({"status": KEY}), (False, "is not a Wordkeep sidecar")),
        (lambda c: c.json(["ok"]), (False, "is not a Wordkeep sidecar")),
        (lambda c: c.raw(b"<html>", "text/html"), (False, "does not answer")),
        (lambda c: c.drop(), (False, "does not answer")),
    ],
)
def test_health_of_a_sidecar(upstream, gateway_of, answer, expected):
    upstream.answer(answer)
    assert gateway_of().health() == [EndpointHealth("local", *expected)]
    assert upstream.calls[0].path == "/health"


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (lambda c: c.json({"data": []}), (True, "ok")),
        (
            lambda c: c.json({"error": {"message": KEY}}, 401),
            (False, "answers with 401"),
        ),
        (lambda c: c.drop(), (False, "does not answer")),
    ],
)
def test_health_of_another_endpoint(upstream, gateway_of, answer, expected):
    upstream.answer(answer)
    gateway = gateway_of("openai")
    assert gateway.health() == [EndpointHealth("local", *expected)]
    # Everyone may open the health page: it must not become a way to spend calls.
    assert gateway.health() == gateway.health()
    assert [call.path for call in upstream.calls] == ["/v1/models"]


def test_our_sidecar_counts_a_prompt(upstream, gateway_of):
    upstream.answer(lambda call: call.json({"count": 21, "max_model_len": 512}))
    size = gateway_of().measure(model="smollm2", messages=MESSAGES, raw_tokens=True)
    assert size == Size(21, 512)
    assert upstream.calls[0].path == "/v1/tokenize"
    assert upstream.calls[0].body == {
        "model": "smol-upstream",
        "messages": MESSAGES,
        "raw_tokens": True,
    }


@pytest.mark.parametrize("text", ["a" * 50, "水" * 50, "\U00020000" * 50])
def test_of_another_server_a_prompt_is_taken_for_the_most_it_can_be(
    upstream, gateway_of, text
):
    messages = [{"role": "user", "content": text}, {"role": "assistant", "content": ""}]
    size = gateway_of("openai").measure(model="smollm2", messages=messages)
    # No token is shorter than a byte; each turn has its marks.
    assert size == Size(len(text.encode()) + 32, 8192)
    assert upstream.calls == []


@pytest.mark.parametrize("body", [[], {}, {"count": "3", "max_model_len": 9}])
def test_a_garbled_count(upstream, gateway_of, body):
    upstream.answer(lambda call: call.json(body))
    with pytest.raises(BackendError) as caught:
        gateway_of().measure(model="smollm2", messages=MESSAGES)
    assert caught.value.code == "backend_garbage"


def test_a_page_asks_for_a_size_once_and_then_for_a_while_no_more(upstream, gateway_of):
    time = [0.0]
    upstream.answer(lambda call: call.json({"count": 21, "max_model_len": 512}))
    gateway = gateway_of(clock=lambda: time[0])
    for now, calls in ((0, 1), (299, 1), (301, 2)):
        time[0] = now
        assert gateway.fixed_size(model="smollm2", messages=MESSAGES) == Size(21, 512)
        assert len(upstream.calls) == calls


def test_a_message_is_measured_once_on_its_way(upstream, gateway_of):
    time = [0.0]
    upstream.answer(lambda call: call.json({"count": 21, "max_model_len": 512}))
    gateway = gateway_of(clock=lambda: time[0])
    other = [{"role": "user", "content": "Something else"}]
    for now, messages, calls in ((0, MESSAGES, 1), (9, other, 2), (11, MESSAGES, 3)):
        time[0] = now
        assert gateway.brief_size(model="smollm2", messages=messages) == Size(21, 512)
        assert gateway.measure(model="smollm2", messages=messages) == Size(21, 512)
        assert len(upstream.calls) == calls


def test_a_size_that_nobody_could_say_is_asked_for_again(upstream, gateway_of):
    upstream.answer(
        lambda call: call.json({}, 500),
        lambda call: call.json({"count": 21, "max_model_len": 512}),
    )
    gateway = gateway_of()
    assert gateway.fixed_size(model="smollm2", messages=MESSAGES) is None
    assert gateway.measure(model="smollm2", messages=MESSAGES) == Size(21, 512)


def test_a_page_comes_without_a_size(upstream, gateway_of):
    upstream.answer(lambda call: call.json({}, 500))
    gateway = gateway_of()
    assert gateway.brief_size(model="smollm2", messages=MESSAGES) is None
    assert gateway.fixed_size(model="smollm2", messages=MESSAGES) is None
    assert gateway.fixed_size(model="no such model", messages=MESSAGES) is None
    # Once each: nobody waits for a page while a call is tried again.
    assert [call.path for call in upstream.calls].count("/v1/tokenize") == 2


@pytest.mark.parametrize(("context", "fits"), [(84, True), (83, False)])
def test_what_a_judge_would_not_read_whole_is_not_sent(
    upstream, gateway_of, context, fits
):
    count = {"count": 20, "max_model_len": context}
    upstream.answer(lambda call: call.json(count), reply("Yes."))
    ask = GatewayAsk(gateway_of(), "player-1")
    if fits:
        assert ask.complete(MESSAGES, model="smollm2") == "Yes."
        return
    with pytest.raises(BackendTooLong):
        ask.complete(MESSAGES, model="smollm2")
    assert [call.path for call in upstream.calls] == ["/v1/tokenize"]
