"""Replies that were begun, texts to continue, tokens and their chances."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.webapp.llm.conftest import KEY, MESSAGES
from tests.webapp.llm.upstream import reply
from webapp.errors import BackendError, BackendRefused
from webapp.llm.endpoints import Endpoint
from webapp.llm.events import Chance, ChatRequest, Size, TextToken, WrittenToken
from webapp.llm.gateway import Gateway
from webapp.llm.memory import Memory
from webapp.llm.scripted import ScriptedBackend
from webapp.security import Secret

BEGUN = ChatRequest("smollm2", tuple(MESSAGES), start_reply="1.")
TEXT = ChatRequest("smollm2", text="One, two,")


def taking_starts(upstream) -> Gateway:
    endpoint = Endpoint(
        "vllm",
        "openai",
        {"smollm2": "big"},
        base_url=upstream.url,
        key=Secret(KEY),
        start_reply=True,
    )
    return Gateway([endpoint], chance=lambda: -0.49)


def test_our_sidecar_is_told_how_the_prompt_is_made(upstream, gateway_of):
    upstream.answer(reply(" Cat"))
    request = ChatRequest(
        "smollm2",
        tuple(MESSAGES),
        start_reply="1.",
        default_system=False,
        public=12,
        common=4,
        cache_salt="run-1",
        top_logprobs=3,
    )
    assert gateway_of().whole_reply(request).text == " Cat"
    sent = upstream.calls[0].body
    assert sent["messages"] == [*MESSAGES, {"role": "assistant", "content": "1."}]
    assert sent["continue_final_message"] is True
    assert sent["add_generation_prompt"] is False
    assert sent["default_system"] is False
    assert (sent["public"], sent["common"]) == (12, 4)
    assert sent["cache_salt"] == "run-1"
    assert (sent["logprobs"], sent["top_logprobs"]) == (True, 3)


def test_the_beginning_of_a_reply_is_counted(upstream, gateway_of):
    upstream.answer(lambda call: call.json({"count": 21, "max_model_len": 512}))
    assert gateway_of().size(BEGUN) == Size(21, 512)
    assert upstream.calls[0].body["messages"][-1]["content"] == "1."
    assert upstream.calls[0].body["continue_final_message"] is True


def test_an_endpoint_that_would_begin_anew_is_not_asked(upstream, gateway_of):
    with pytest.raises(BackendRefused, match="Choose another model") as refused:
        gateway_of("openai").whole_reply(BEGUN)
    assert refused.value.code == "backend_refused"
    with pytest.raises(BackendRefused):
        gateway_of("openai").size(BEGUN)
    assert upstream.calls == []


def test_an_endpoint_that_carries_on_gets_the_beginning_and_no_more(upstream):
    upstream.answer(reply(" Cat"))
    gateway = taking_starts(upstream)
    request = ChatRequest(
        "smollm2",
        tuple(MESSAGES),
        start_reply="1.",
        default_system=False,
        public=12,
        common=4,
        cache_salt="run-1",
    )
    assert gateway.whole_reply(request).text == " Cat"
    sent = upstream.calls[0].body
    assert sent["messages"][-1] == {"role": "assistant", "content": "1."}
    assert sent["continue_final_message"] is True
    assert not {"default_system", "public", "common", "cache_salt"} & sent.keys()


@pytest.mark.parametrize("kind", ["wordkeep", "openai"])
def test_a_text_is_continued_without_a_template(upstream, gateway_of, kind):
    def answer(call):
        call.start()
        for text in (" three", ", four"):
            call.send({"choices": [{"index": 0, "text": text, "logprobs": None}]})
        call.send({"choices": [{"index": 0, "text": "", "finish_reason": "stop"}]})
        call.done()

    upstream.answer(answer)
    assert gateway_of(kind).whole_reply(TEXT).text == " three, four"
    (call,) = upstream.calls
    assert call.path == "/v1/completions"
    assert call.body["prompt"] == "One, two,"
    assert "messages" not in call.body
    assert ("raw_tokens" in call.body) == (kind == "wordkeep")


def test_the_size_of_a_text(upstream, gateway_of):
    upstream.answer(lambda call: call.json({"count": 5, "max_model_len": 512}))
    assert gateway_of().size(TEXT) == Size(5, 512)
    assert upstream.calls[0].body["prompt"] == "One, two,"
    assert gateway_of("openai").size(TEXT) == Size(25, 8192)


CAT = {
    "token": " Cat",
    "logprob": -0.5,
    "bytes": [],
    "top_logprobs": [
        {"token": " Cat", "logprob": -0.5},
        {"token": " Dog", "logprob": -1.5},
    ],
}
OLD = {
    "tokens": [" Cat"],
    "token_logprobs": [-0.5],
    "top_logprobs": [{" Cat": -0.5, " Dog": -1.5}],
}


@pytest.mark.parametrize(
    ("request_", "choice"),
    [
        (BEGUN, {"delta": {"content": " Cat"}, "logprobs": {"content": [CAT]}}),
        (TEXT, {"text": " Cat", "logprobs": OLD}),
    ],
    ids=["chat", "text"],
)
def test_tokens_come_with_their_chances(upstream, gateway_of, request_, choice):
    def answer(call):
        call.start()
        call.send({"choices": [{"index": 0, **choice}]})
        call.finish()

    upstream.answer(answer)
    whole = gateway_of().whole_reply(request_)
    top = (Chance(" Cat", -0.5), Chance(" Dog", -1.5))
    assert whole.tokens == (WrittenToken(" Cat", -0.5, top),)


@pytest.mark.parametrize(
    "logprobs",
    [
        {"content": [{"token": "x"}]},
        {"content": [{"token": "x", "logprob": "low", "top_logprobs": []}]},
        {"tokens": ["x"], "token_logprobs": [None], "top_logprobs": None},
        {"tokens": ["x"]},
        ["x"],
    ],
)
def test_garbled_chances(upstream, gateway_of, logprobs):
    def answer(call):
        call.start()
        choice = {"index": 0, "delta": {"content": "x"}, "logprobs": logprobs}
        call.send({"choices": [choice]})
        call.finish()

    upstream.answer(answer)
    with pytest.raises(BackendError) as caught:
        gateway_of().whole_reply(BEGUN)
    assert caught.value.code == "backend_garbage"


def test_our_sidecar_shows_the_tokens_of_a_text(upstream, gateway_of):
    answer = {
        "count": 2,
        "max_model_len": 512,
        "tokens": [7, 9],
        "token_strs": ["Hel", "lo"],
    }
    upstream.answer(lambda call: call.json(answer))
    tokens = gateway_of().tokens("smollm2", "Hello")
    assert tokens == (TextToken(7, "Hel"), TextToken(9, "lo"))
    assert upstream.calls[0].path == "/v1/tokenize"
    assert upstream.calls[0].body == {
        "model": "smol-upstream",
        "prompt": "Hello",
        "add_special_tokens": False,
    }


@pytest.mark.parametrize(
    "answer", [{}, {"tokens": [1], "token_strs": []}, {"tokens": "1", "token_strs": []}]
)
def test_garbled_tokens(upstream, gateway_of, answer):
    upstream.answer(lambda call: call.json(answer))
    with pytest.raises(BackendError) as caught:
        gateway_of().tokens("smollm2", "Hello")
    assert caught.value.code == "backend_garbage"


def test_other_endpoints_show_no_tokens(upstream, gateway_of):
    with pytest.raises(BackendRefused, match="does not show the tokens"):
        gateway_of("openai").tokens("smollm2", "Hello")
    assert upstream.calls == []


def test_the_scripted_model_takes_all_of_it():
    backend = ScriptedBackend(["Good evening."])
    gateway = Gateway.scripted(backend)
    whole = gateway.whole_reply(
        ChatRequest("warden", text="Who goes there?", top_logprobs=1)
    )
    assert whole.text == "Good evening."
    assert [token.text for token in whole.tokens] == ["Good ", "evening."]
    assert whole.tokens[0].top == (Chance("Good ", 0.0),)
    assert gateway.size(ChatRequest("warden", text="Who goes there?")).tokens == 3
    assert [token.text for token in gateway.tokens("warden", "a b")] == ["a ", "b"]


def test_a_reply_is_remembered_with_its_beginning(tmp_path):
    backend = ScriptedBackend(["one", "two", "three"])
    memory = Memory(tmp_path / "replies")
    gateway = Gateway.scripted(backend).remembering(memory)
    first = ChatRequest("warden", tuple(MESSAGES))
    requests = (
        first,
        replace(first, start_reply="1."),
        replace(first, default_system=False),
        # Who else may use what was read changes nothing in a reply.
        replace(first, public=9, cache_salt="x"),
    )
    texts = [gateway.whole_reply(request).text for request in requests]
    assert texts == ["one", "two", "three", "one"]
