"""Checks of JSON, XML and calls of tools."""

from __future__ import annotations

import time

import pytest
from pydantic import ValidationError

AGE = {"type": "object", "properties": {"age": {"type": "integer", "const": 36}}}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            '{"a" 1}',
            "The reply is not JSON: in line 1, character 6, a colon is needed.",
        ),
        (
            "{\n'a': 1}",
            'The reply is not JSON: in line 2, character 1, a name in "double quotes" '
            "is needed.",
        ),
        (
            '{"a": 1',
            "The reply is not JSON: in line 1, character 8, the text ends too early.",
        ),
        ('Here: {"a": 1}', "The reply has JSON in it, but other text around it."),
        ("[" * 50_000, "The reply is nested too deep to be read."),
        ("9" * 5000, "The reply has a number in it that JSON does not have."),
        ("Infinity", "The reply has a number in it that JSON does not have."),
    ],
)
def test_what_is_wrong_with_json(judge, text, message):
    assert judge("is-json", text).message == message


def test_a_schema_is_not_quoted(judge):
    outcome = judge("is-json", '{"age": 35}', value=AGE)
    assert outcome.status == "failed"
    assert "36" not in outcome.message
    assert '"age"' in outcome.message


def test_an_age_in_quotes_is_told(judge):
    assert judge(
        "is-json", '{"age": "36"}', value={"properties": {"age": {"type": "integer"}}}
    ).message == ('The reply is JSON, but the value at "age" should be a whole number.')


@pytest.mark.parametrize(
    "schema",
    [
        {"$ref": "https://example.org/schema"},
        {"properties": {"a": {"$ref": "file:///etc/passwd"}}},
        {"patternProperties": {"a": {}}},
        {"type": "nothing"},
        {"pattern": "(?=a)"},
        {},
    ],
)
@pytest.mark.parametrize("name", ["is-json", "contains-json"])
def test_schemas_that_are_wrong_or_fetch_are_refused(options, name, schema):
    with pytest.raises(ValidationError):
        options(name, value=schema)


def test_a_schema_may_refer_to_itself(judge):
    schema = {"$defs": {"n": {"type": "integer"}}, "items": {"$ref": "#/$defs/n"}}
    assert judge("is-json", "[1, 2]", value=schema).status == "passed"
    assert judge("is-json", '[1, "2"]', value=schema).status == "failed"


def test_a_pattern_in_a_schema_takes_no_time(judge):
    start = time.process_time()
    text = f'"{"a" * 5000}!"'
    assert judge("is-json", text, value={"pattern": "^(a+)+$"}).status == "failed"
    assert time.process_time() - start < 0.5


def test_json_in_a_text_is_underlined(judge):
    outcome = judge("contains-json", 'So: {"a": [1]}.')
    assert outcome.span == (4, 14)


def test_many_brackets_take_no_time(judge):
    start = time.process_time()
    assert judge("contains-json", "[" * 4_000).status == "failed"
    assert time.process_time() - start < 2


def test_entities_are_not_expanded(judge):
    bomb = '<!DOCTYPE a [<!ENTITY b "bbbbbbbb">]><a>&b;&b;</a>'
    assert judge("is-xml", bomb).message == (
        "The reply has a document type, which is not read here."
    )
    assert "nested too deep" in judge("is-xml", "<a>" * 500).message


def test_elements_of_xml_are_counted(judge):
    outcome = judge("is-xml", "<a><b/></a>", elements=["a.b", "a.c"])
    assert (outcome.status, outcome.count) == ("failed", 1)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ('{"name": "x"}', '"arguments" is not an object'),
        ('{"name": "x", "arguments": "{"}', 'the text in "arguments" is not JSON'),
        ('{"arguments": {}}', 'no "name" of a tool'),
        ('{"name": "y", "arguments": {}}', "no tool of that name"),
        ('{"name": "x", "arguments": {"n": "1"}}', "should be a whole number"),
        ("[1]", "not an object"),
    ],
)
def test_what_is_wrong_with_a_call(judge, text, why):
    tools = {"x": {"type": "object", "properties": {"n": {"type": "integer"}}}}
    outcome = judge("is-valid-openai-tools-call", text, value=tools)
    assert outcome.status == "failed"
    assert why in outcome.message
