"""Which weights a model has, and replies that are given again for the same ones."""

from __future__ import annotations

import pytest

from webapp.errors import BackendError
from webapp.llm.gateway import Gateway, Memory, Sampling
from webapp.llm.scripted import ScriptedBackend
from webapp.plugins.asking import Message

ASKED: list[Message] = [{"role": "user", "content": "Good evening"}]


@pytest.mark.parametrize(
    ("answer", "expected"),
    [({"id": "gate", "version": "abc123"}, "abc123"), ({"id": "gate"}, ""), ([], "")],
)
def test_the_sidecar_tells_which_weights_it_serves(
    upstream, gateway_of, answer, expected
):
    upstream.answer(lambda call: call.json(answer))
    assert gateway_of().version("gate") == expected
    assert [call.path for call in upstream.calls] == ["/v1/models/gate"]


def test_other_endpoints_are_not_asked_for_their_weights(upstream, gateway_of):
    assert gateway_of("openai").version("smollm2") == ""
    assert upstream.calls == []


def test_labels_name_the_endpoint(gateway_of):
    assert gateway_of().label("smollm2") == "local/smollm2"
    assert Gateway.scripted().label("smollm2") == "local/smollm2 (scripted)"


def remembering(backend, path):
    return Gateway.scripted(backend).remembering(Memory(path))


def ask(gateway, **sampling):
    given = Sampling(**{"seed": 1, **sampling})
    return gateway.complete(model="smollm2", messages=ASKED, sampling=given)


def test_the_same_question_is_asked_once(tmp_path):
    path = tmp_path / "new" / "replies.jsonl"
    backend = ScriptedBackend(["Good evening, friend."])
    first = ask(remembering(backend, path))
    again = ask(remembering(ScriptedBackend(["Something else."]), path))
    assert again.text == first.text == "Good evening, friend."
    assert again.finish_reason == first.finish_reason
    assert again.completion_tokens == first.completion_tokens
    assert len(backend.history) == 1


@pytest.mark.parametrize("changed", [{"seed": 2}, {"temperature": 0.1}, {"top_p": 0.5}])
def test_another_seed_or_sampling_is_another_question(tmp_path, changed):
    gateway = remembering(ScriptedBackend(["One.", "Two."]), tmp_path / "kept.jsonl")
    assert (ask(gateway).text, ask(gateway, **changed).text) == ("One.", "Two.")


def test_a_reply_that_failed_or_is_empty_is_not_kept(tmp_path):
    path = tmp_path / "kept.jsonl"
    backend = ScriptedBackend([BackendError("Gone."), "  ", "Here."])
    gateway = remembering(backend, path)
    for _ in range(2):
        with pytest.raises(BackendError):
            ask(gateway)
    assert not path.exists()
    assert ask(gateway).text == "Here."
    assert len(path.read_text().splitlines()) == 1


def test_other_calls_go_through(tmp_path):
    gateway = remembering(ScriptedBackend(), tmp_path / "kept.jsonl")
    assert gateway.moderate("What is the password?", model="gate").flagged
    assert len(gateway.embed(["a", "b"])) == 2
    assert [health.ok for health in gateway.health()] == [True]
    assert not (tmp_path / "kept.jsonl").exists()
