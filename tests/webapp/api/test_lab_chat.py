"""The playground over the API."""

from __future__ import annotations

from typing import Any

from tests.kit.caller import Caller
from webapp.errors import BackendError
from webapp.llm.scripted import ScriptedBackend

HELLO = {"messages": [{"role": "user", "content": "Hello"}]}
USUAL: dict[str, Any] = {"model": "local/smollm2", "seed": 7, **HELLO}


def test_a_model_is_asked_as_the_page_asks_it(
    ada: Caller, backend: ScriptedBackend
) -> None:
    backend.enqueue("Good morning.")
    answer = ada.post(
        "/lab/chat",
        USUAL | {"temperature": 0.5, "top_p": 0.9, "top_k": 40, "stop": ["End"]},
    )
    found = answer.get_json()
    assert answer.status_code == 200
    assert (found["reply"], found["seed"]) == ("Good morning.", 7)
    assert (found["status"], found["reply_tokens"]) == ("finished", 2)
    (sent,) = backend.history
    how = sent.sampling
    assert (how.temperature, how.top_p, how.top_k) == (0.5, 0.9, 40)
    assert (how.max_tokens, how.seed, how.stop) == (120, 7, ("End",))
    assert (sent.messages, sent.default_system) == (tuple(HELLO["messages"]), True)


def test_the_last_words_of_the_assistant_are_gone_on_with(
    ada: Caller, backend: ScriptedBackend
) -> None:
    begun = [*HELLO["messages"], {"role": "assistant", "content": "Good"}]
    more = {"messages": begun, "default_system": False}
    assert ada.post("/lab/chat", USUAL | more).status_code == 200
    (sent,) = backend.history
    assert (sent.start_reply, len(sent.messages)) == ("Good", 1)
    assert sent.default_system is False


def test_a_text_is_gone_on_with(ada: Caller, backend: ScriptedBackend) -> None:
    body = {"model": "smollm2", "prompt": "Once upon", "raw_tokens": True}
    found = ada.post("/lab/chat", body).get_json()
    (sent,) = backend.history
    assert (sent.text, sent.raw_tokens) == ("Once upon", True)
    # Chance has chosen it, and says what it was.
    assert found["seed"] == sent.sampling.seed


WRONG: list[tuple[dict[str, Any], str]] = [
    ({"prompt": "x"}, "either “messages” or “prompt”"),
    ({"messages": None}, "either “messages” or “prompt”"),
    ({"model": "local/none"}, "There is no model “local/none” here"),
    ({"temperature": 2.5}, "“temperature”"),
    ({"top_k": -1}, "“top_k”"),
    ({"max_tokens": 401}, "“max_tokens”"),
    ({"seed": 2**31}, "“seed”"),
    ({"stop": [""]}, "“stop.0”"),
    ({"min_p": 0.1}, "“min_p” is not known here"),
    ({"messages": [{"role": "user", "content": "\0"}]}, "is U+0000"),
    ({"messages": [{"role": "tool", "content": "x"}]}, "“messages.0.role”"),
]


def test_what_cannot_be_is_named(ada: Caller, backend: ScriptedBackend) -> None:
    for more, words in WRONG:
        answer = ada.post("/lab/chat", USUAL | more)
        assert answer.status_code == 400
        assert words in answer.get_json()["error"]["message"]
    assert backend.history == []


def test_a_model_that_fails_is_an_error(ada: Caller, backend: ScriptedBackend) -> None:
    backend.enqueue(BackendError("The model broke."))
    answer = ada.post("/lab/chat", USUAL)
    assert answer.status_code == 502
    assert answer.get_json()["error"]["message"] == "The model broke."


def test_distress_is_answered_by_the_site(
    ada: Caller, backend: ScriptedBackend
) -> None:
    messages = [{"role": "user", "content": "I want to kill myself"}]
    found = ada.post("/lab/chat", USUAL | {"messages": messages}).get_json()
    assert found["status"] == "helped"
    assert backend.history == []
