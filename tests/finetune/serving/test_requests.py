"""What callers may send: everything that changes nothing, and clear words else."""

from __future__ import annotations

from typing import Any

import pytest

from finetune.serving.errors import ApiError
from finetune.serving.routes.schemas import (
    ChatRequest,
    CompletionRequest,
    EmbeddingsRequest,
    ModerationsRequest,
    StreamOptions,
    parse,
)

CHAT = {"model": "m", "messages": [{"role": "user", "content": "Hello"}]}
TEXT = {"model": "m", "prompt": "Hello"}


def chat(**change):
    return parse(ChatRequest, CHAT | change)


def said(*messages):
    return [
        (t.role, t.content)
        for t in (m.turn() for m in chat(messages=messages).messages)
    ]


def refused(model, body):
    with pytest.raises(ApiError) as caught:
        parse(model, body)
    error = caught.value
    assert error.status == 400
    assert error.message.endswith(".")
    assert error.message.count(". ") == 0
    assert error.param is None or error.param in error.message
    return error


WITHOUT_EFFECT = [
    {"response_format": {"type": "text"}},
    {"logit_bias": {}},
    {"tools": []},
    {"tools": [], "tool_choice": "none"},
    {"tool_choice": "auto", "parallel_tool_calls": True},
    {"functions": [], "function_call": "none"},
    {"store": True, "metadata": {"class": "7b"}},
    {"user": "ann", "safety_identifier": "ann", "prompt_cache_key": "k"},
    {"n": 1, "seed": None, "service_tier": "auto"},
    {"stream_options": {"include_usage": None, "include_obfuscation": False}},
    {"modalities": ["text"], "reasoning_effort": "none", "verbosity": "medium"},
    {"max_completion_tokens": 5, "stop": []},
]


@pytest.mark.parametrize("change", WITHOUT_EFFECT, ids=lambda c: "+".join(c))
def test_what_changes_nothing_is_taken(change):
    assert chat(**change).messages == chat().messages


@pytest.mark.parametrize(
    "model", [ChatRequest, CompletionRequest, EmbeddingsRequest, ModerationsRequest]
)
def test_an_optional_field_that_is_null_counts_as_left_out(model):
    body = {"model": "m", "messages": CHAT["messages"], "prompt": "x", "input": "x"}
    body = {name: body[name] for name in body if name in model.model_fields}
    nulls = {name: None for name in model.model_fields if name not in body}
    assert parse(model, nulls | body) == parse(model, body)


def test_null_in_the_options_of_a_stream_is_left_out():
    options = chat(stream_options={"include_usage": None}).stream_options
    assert options == StreamOptions()


@pytest.mark.parametrize("name", ["model", "messages"])
def test_null_does_not_replace_what_is_needed(name):
    assert refused(ChatRequest, CHAT | {name: None}).param == name


def test_a_reply_may_be_sent_back_as_it_came():
    reply: dict[str, Any] = {
        "role": "assistant",
        "content": "Hello Ann.",
        "refusal": None,
        "annotations": [],
        "audio": None,
        "function_call": None,
        "tool_calls": None,
        "reasoning_content": "She is called Ann.",
    }
    assert said(reply) == [("assistant", "Hello Ann.")]


def test_a_reply_that_declined_may_be_sent_back():
    parts = [{"type": "text", "text": "No: "}, {"type": "refusal", "refusal": "never"}]
    assert said(
        {"role": "assistant", "content": None, "refusal": "I will not."},
        {"role": "assistant", "content": parts},
        {"role": "user", "content": "Why?", "name": "ann"},
    ) == [
        ("assistant", "I will not."),
        ("assistant", "No: never"),
        ("user", "Why?"),
    ]


TOOL = {"type": "function", "function": {"name": "f"}}
IMAGE = {"type": "image_url", "image_url": {"url": "data:image/png;base64,AA"}}


def message(content, **more):
    return {
        "messages": [CHAT["messages"][0], {"role": "user", "content": content, **more}]
    }


CANNOT = [
    ({"tools": [TOOL]}, "tools", "call no tools"),
    ({"tool_choice": "required"}, "tool_choice", "call no tools"),
    ({"function_call": {"name": "f"}}, "function_call", "call no tools"),
    ({"logit_bias": {"50256": -100}}, "logit_bias", "token"),
    ({"modalities": ["text", "audio"]}, "modalities", "plain text"),
    ({"reasoning_effort": "high"}, "reasoning_effort", "think"),
    ({"n": 2}, "n", "n = 1"),
    (message("x", tool_calls=[TOOL]), "messages.1.tool_calls", "call no tools"),
    (message("x", role="tool", tool_call_id="c"), "messages.1.role", "call no tools"),
    (message([IMAGE]), "messages.1.content.0.type", "cannot read images"),
    (
        message([{"type": "text", "text": "What is it?"}, IMAGE]),
        "messages.1.content.1.type",
        "cannot read images",
    ),
    (
        message([{"type": "input_audio", "input_audio": {}}]),
        "messages.1.content.0.type",
        "cannot read sound",
    ),
]


@pytest.mark.parametrize(
    ("change", "param", "words"), CANNOT, ids=lambda c: str(c)[:40]
)
def test_what_cannot_be_served_is_told_by_its_name(change, param, words):
    error = refused(ChatRequest, CHAT | change)
    assert (error.code, error.param) == ("unsupported_value", param)
    assert words in error.message


@pytest.mark.parametrize("name", ["best_of", "echo", "suffix"])
def test_older_options_are_taken_where_they_change_nothing(name):
    neutral = {"best_of": 1, "echo": False, "suffix": None}
    wrong = {"best_of": 3, "echo": True, "suffix": "the end"}
    assert parse(CompletionRequest, TEXT | {name: neutral[name]}).prompt == "Hello"
    error = refused(CompletionRequest, TEXT | {name: wrong[name]})
    assert (error.code, error.param) == ("unsupported_value", name)


MEANT = [
    (ChatRequest, CHAT | {"stop": ["", "x"]}, "stop.0", "at least 1 character"),
    (ChatRequest, CHAT | {"stop": ["x", 5]}, "stop.1", "valid string"),
    (ChatRequest, CHAT | {"stop": ""}, "stop", "at least 1 character"),
    (ChatRequest, CHAT | {"stop": 5}, "stop", "a string or a list"),
    (ChatRequest, CHAT | {"stop": ["x", "y" * 201]}, "stop.1", "at most 200"),
    (ChatRequest, CHAT | message(5), "messages.1.content", "a string or a list"),
    (ChatRequest, CHAT | message(IMAGE), "messages.1.content", "a string or a list"),
    (ChatRequest, CHAT | message(["x"]), "messages.1.content.0", "an object"),
    (
        ChatRequest,
        CHAT | message([{"type": "text"}]),
        "messages.1.content.0.text",
        "required",
    ),
    (
        ChatRequest,
        CHAT | message([{"type": "text", "text": 5}]),
        "messages.1.content.0.text",
        "valid string",
    ),
    (EmbeddingsRequest, {"model": "m", "input": ["a", 5]}, "input.1", "valid string"),
    (EmbeddingsRequest, {"model": "m", "input": [[1, 2]]}, "input.0", "valid string"),
    (EmbeddingsRequest, {"model": "m", "input": 5}, "input", "a string or a list"),
    (ModerationsRequest, {"input": ["a", None]}, "input.1", "valid string"),
    (ModerationsRequest, {"input": {"a": 1}}, "input", "a string or a list"),
]


@pytest.mark.parametrize(("model", "body", "param", "words"), MEANT)
def test_the_error_is_about_the_shape_that_was_sent(model, body, param, words):
    error = refused(model, body)
    assert error.param == param
    assert words in error.message


def test_an_unknown_field_is_refused():
    error = refused(ChatRequest, CHAT | {"wizard": None})
    assert (error.code, error.param) == ("unknown_parameter", "wizard")


def test_an_error_repeats_nothing_that_was_typed():
    for body in (message("x", role="zebra-71"), message([{"type": "zebra-71"}])):
        assert "zebra" not in refused(ChatRequest, CHAT | body).message
