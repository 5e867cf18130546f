"""Schemas that a reply may be held to, and those that are refused by name."""

from __future__ import annotations

from typing import Any

import pytest

from finetune.serving.errors import ApiError
from finetune.serving.routes.chat import engine_request
from finetune.serving.routes.json_schemas import MOST_DEPTH, MOST_PARTS
from finetune.serving.routes.schemas import ChatRequest, CompletionRequest, parse

CHAT = {"model": "m", "messages": [{"role": "user", "content": "Hello"}]}
TEXT = {"model": "m", "prompt": "Hello"}
PERSON = {
    "title": "A person",
    "type": "object",
    "properties": {
        "name": {"type": "string", "maxLength": 20, "description": "the whole name"},
        "age": {"type": ["integer", "null"]},
        "kind": {"enum": ["cat", "dog"]},
        "tags": {"type": "array", "items": {"type": "string"}, "maxItems": 3},
        "is": {"anyOf": [{"const": 1}, {"type": "boolean"}]},
    },
    "required": ["name"],
    "additionalProperties": False,
}


def held(schema: Any, **more: Any) -> dict[str, Any]:
    named = {"name": "reply", "schema": schema, **more}
    return {"response_format": {"type": "json_schema", "json_schema": named}}


def nested(depth: int) -> dict[str, Any]:
    schema: dict[str, Any] = {"type": "string"}
    for _ in range(depth):
        schema = {"type": "array", "items": schema}
    return schema


@pytest.mark.parametrize("body", [CHAT, TEXT], ids=["chat", "text"])
def test_a_schema_becomes_a_grammar(body):
    given = body | held(PERSON, strict=True)
    asked: ChatRequest | CompletionRequest
    if body is CHAT:
        asked = parse(ChatRequest, given)
    else:
        asked = parse(CompletionRequest, given)
    sent = engine_request(asked, [1], 9)["grammar"]
    assert '"name"' in sent
    assert "whole name" not in sent, "descriptions are for people"


def test_any_object_can_be_asked_for():
    asked = parse(ChatRequest, CHAT | {"response_format": {"type": "json_object"}})
    assert '"object"' in engine_request(asked, [1], 9)["grammar"]


def test_a_reply_is_held_to_choices():
    choice = ["yes", "no", 'a "word"', "día"]
    asked = parse(ChatRequest, CHAT | {"structured_outputs": {"choice": choice}})
    grammar = engine_request(asked, [1], 9)["grammar"]
    assert grammar.endswith('start: " "? ("yes" | "no" | "a \\"word\\"" | "día")\n')


@pytest.mark.parametrize(
    "more",
    [
        {"structured_outputs": {"choice": []}},
        {"structured_outputs": {"choice": ["yes", ""]}},
        {"structured_outputs": {"choice": ["yes\nno"]}},
        {"structured_outputs": {"regex": ".*"}},
        {
            "structured_outputs": {"choice": ["yes"]},
            "response_format": {"type": "json_object"},
        },
    ],
)
def test_choices_that_cannot_be_held_to_are_refused(more):
    with pytest.raises(ApiError) as caught:
        parse(ChatRequest, CHAT | more)
    assert (caught.value.param or "").startswith("structured_outputs")


@pytest.mark.parametrize("format_", [None, {"type": "text"}])
def test_text_is_free(format_):
    asked = parse(ChatRequest, CHAT | {"response_format": format_})
    assert "grammar" not in engine_request(asked, [1], 9)


@pytest.mark.parametrize(
    ("schema", "words"),
    [
        ({"$ref": "https://example.org/x.json"}, '"$ref"'),
        ({"type": "string", "pattern": "(a+)+"}, '"pattern"'),
        ({"type": "text"}, "type must be one of"),
        ({"type": {"a": 1}}, "type must be one of"),
        ({"type": "string", "maxLength": 10**9}, "maxLength"),
        ({"type": "array", "minItems": -1}, "minItems"),
        ({"type": "array", "maxItems": True}, "maxItems"),
        ({"enum": []}, "enum"),
        ({"enum": ["x"] * 101}, "100 values"),
        ({"const": "x" * 300}, "200 characters"),
        ({"anyOf": []}, "anyOf"),
        ({"anyOf": [7]}, "must be an object"),
        ({"properties": []}, "properties"),
        ({"additionalProperties": {"type": "string"}}, "additionalProperties"),
        ({"type": "object", "required": ["x"]}, "required"),
        ({"type": "object", "required": [{}]}, "required"),
        ({"type": "number", "multipleOf": 0}, "multipleOf"),
        ({"type": "number", "maximum": 1e16}, "maximum"),
        ({"type": "number", "minimum": True}, "minimum"),
        (nested(MOST_DEPTH + 1), f"{MOST_DEPTH} levels"),
        (
            {"properties": {str(n): {"type": "null"} for n in range(MOST_PARTS)}},
            f"{MOST_PARTS} parts",
        ),
    ],
)
def test_what_cannot_be_held_to_is_refused_by_name(schema, words):
    with pytest.raises(ApiError) as caught:
        parse(ChatRequest, CHAT | held(schema))
    assert words in caught.value.message
    assert caught.value.status == 400
    assert caught.value.param == "response_format"


@pytest.mark.parametrize(
    "format_",
    [
        {"type": "json_schema"},
        {"type": "text", "json_schema": {"schema": {}}},
        {"type": "grammar"},
        {"type": "json_schema", "json_schema": {"schema": []}},
    ],
)
def test_a_format_is_complete_or_refused(format_):
    with pytest.raises(ApiError) as caught:
        parse(ChatRequest, CHAT | {"response_format": format_})
    assert (caught.value.param or "").startswith("response_format")
