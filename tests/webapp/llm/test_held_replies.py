"""Replies that are held to a JSON schema, through each part of the gateway."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from tests.webapp.llm.conftest import MESSAGES
from tests.webapp.llm.upstream import reply
from webapp.errors import BackendRefused
from webapp.llm.events import ChatRequest
from webapp.llm.gateway import Gateway
from webapp.llm.memory import Memory
from webapp.llm.scripted import ScriptedBackend

SCHEMA = {
    "anyOf": [
        {
            "type": "object",
            "properties": {
                "kind": {"const": "cat"},
                "name": {"type": "string"},
                "legs": {"type": "integer"},
                "tags": {"type": "array"},
                "size": {"enum": ["small", "large"]},
                "is_wet": {"type": "boolean"},
                "owner": {"type": "null"},
                "age": {"type": "number"},
            },
            "required": ["kind", "name", "legs", "tags", "size", "is_wet", "owner"],
        },
        {"type": "string"},
    ]
}
CHOSEN = ChatRequest("smollm2", tuple(MESSAGES), choices=("yes", "no"))
HELD = ChatRequest("smollm2", tuple(MESSAGES), schema=json.dumps(SCHEMA))


@pytest.mark.parametrize("kind", ["wordkeep", "openai"])
def test_the_schema_is_sent_as_the_openai_api_has_it(upstream, gateway_of, kind):
    upstream.answer(reply("{}"))
    assert gateway_of(kind).whole_reply(HELD).text == "{}"
    (call,) = upstream.calls
    named = {"name": "reply", "schema": SCHEMA}
    assert call.body["response_format"] == {"type": "json_schema", "json_schema": named}


def test_a_free_reply_names_no_format(upstream, gateway_of):
    upstream.answer(reply("Hello"))
    gateway_of().whole_reply(replace(HELD, schema=""))
    assert "response_format" not in upstream.calls[0].body


def test_the_scripted_model_says_the_least_that_fits():
    said = json.loads(Gateway.scripted().whole_reply(HELD).text)
    assert said == {
        "kind": "cat",
        "name": "",
        "legs": 0,
        "tags": [],
        "size": "small",
        "is_wet": False,
        "owner": None,
    }


def test_choices_are_sent_to_our_own_sidecar(upstream, gateway_of):
    upstream.answer(reply("no"))
    assert gateway_of().whole_reply(CHOSEN).text == "no"
    (call,) = upstream.calls
    assert call.body["structured_outputs"] == {"choice": ["yes", "no"]}


def test_another_endpoint_is_not_asked_to_choose(upstream, gateway_of):
    with pytest.raises(BackendRefused, match="cannot hold its reply to a few choices"):
        gateway_of("openai").whole_reply(CHOSEN)
    assert upstream.calls == []


def test_the_scripted_model_chooses_the_first():
    assert Gateway.scripted().whole_reply(CHOSEN).text == "yes"


def test_a_chosen_reply_is_remembered_apart(tmp_path):
    backend = ScriptedBackend(["no", "Maybe.", "yes"])
    gateway = Gateway.scripted(backend).remembering(Memory(tmp_path / "replies"))
    requests = (CHOSEN, replace(CHOSEN, choices=()), CHOSEN)
    texts = [gateway.whole_reply(request).text for request in requests]
    assert texts == ["no", "Maybe.", "no"]


def test_a_held_reply_is_remembered_apart(tmp_path):
    backend = ScriptedBackend(["one", "two"])
    gateway = Gateway.scripted(backend).remembering(Memory(tmp_path / "replies"))
    requests = (HELD, replace(HELD, schema=""), HELD)
    texts = [gateway.whole_reply(request).text for request in requests]
    assert texts == ["one", "two", "one"]
