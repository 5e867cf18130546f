"""Lists of tools, the schema of their calls, and what is read in a reply."""

from __future__ import annotations

import dataclasses
import json
import re
from typing import Any

import pytest

from webapp.domain.lab.tool_calls import Wanted, answer_prompt, call_prompt
from webapp.domain.lab.tool_starters import STARTERS, is_shipped, starter
from webapp.domain.lab.tools import Example, read_call, read_tools, schema_of
from webapp.domain.lab.weather import SKIES
from webapp.errors import InvalidInput
from webapp.settings import PROJECT

TOOL: dict[str, Any] = {
    "name": "paint",
    "description": "Paint a wall.",
    "parameters": {
        "type": "object",
        "properties": {
            "colour": {"type": "string", "enum": ["red", "blue"]},
            "coats": {"type": "integer", "description": "how often"},
            "height": {"type": "number"},
            "rooms": {"type": "array", "items": {"type": "string"}},
            "is_wet": {"type": "boolean"},
        },
        "required": ["colour", "coats"],
    },
    "examples": [
        {"question": "Make it blue.", "arguments": {"colour": "blue", "coats": 1}}
    ],
}


def changed(**change: Any) -> str:
    return json.dumps([TOOL | change])


def with_field(**field: Any) -> str:
    parameters = {"type": "object", "properties": {"x": field}}
    return changed(parameters=parameters, examples=[])


def test_a_list_is_read() -> None:
    (tool,) = read_tools(json.dumps([TOOL]))
    assert tool.signature == "paint(colour, coats, height, rooms, is_wet)"
    assert tool.required == ("colour", "coats")
    assert tool.examples == (Example("Make it blue.", {"colour": "blue", "coats": 1}),)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "not JSON: line 1, column 1"),
        ("[" * 3_000, "nested too deeply"),
        ("{}", "a list of 1 to 5"),
        ("[]", "a list of 1 to 5"),
        (json.dumps([TOOL] * 6), "a list of 1 to 5"),
        (json.dumps([TOOL] * 2), "same name"),
        ("[7]", "Tool 1 must be an object"),
        (changed(name="a b"), "Tool 1 needs a name"),
        (changed(name="none"), "stands for no tool"),
        (changed(more=1), "has “more”"),
        (changed(description=7), "description"),
        (changed(parameters={"type": "string"}), "type object"),
        (changed(parameters={"properties": {"a b": {}}}), "whose name"),
        (changed(parameters={"required": ["x"]}), "requires a parameter"),
        (changed(parameters={"required": [["x"]]}), "requires a parameter"),
        (changed(examples=[{}]), "needs a question"),
        (
            changed(examples=[{"question": "x", "arguments": {"colour": "red"}}]),
            "“coats” is missing",
        ),
        (with_field(type="date"), "needs a type"),
        (with_field(type=["string"]), "needs a type"),
        (with_field(type="string", pattern="a*"), "has “pattern”"),
        (with_field(type="string", enum=[]), "up to 20 values"),
        (with_field(type="string", maxLength=True), "up to 200 characters"),
        (with_field(type="array"), "in its list, must be an object"),
        (with_field(type="array", items={"type": "array"}), "needs a type"),
        ("x" * 8_001, "at most 8,000 characters"),
    ],
)
def test_a_mistake_in_a_list_is_named(text: str, words: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        read_tools(text)
    assert words in caught.value.message


def test_the_schema_of_a_call_has_an_end() -> None:
    schema = schema_of(read_tools(json.dumps([TOOL])), has_none=True)
    paint, none = schema["anyOf"]
    assert none["properties"]["tool"] == {"const": "none"}
    fields = paint["properties"]["arguments"]["properties"]
    assert fields["colour"] == {"type": "string", "enum": ["red", "blue"]}
    assert fields["coats"]["maximum"] == 10**9
    assert fields["height"]["multipleOf"] == 0.0001
    assert fields["rooms"]["maxItems"] == 10
    assert fields["rooms"]["items"]["maxLength"] == 60
    assert paint["properties"]["arguments"]["required"] == ["colour", "coats"]


def test_one_tool_alone_needs_no_choice() -> None:
    schema = schema_of(read_tools(json.dumps([TOOL])), has_none=False)
    assert schema["properties"]["tool"] == {"const": "paint"}


def said(tool: str, **arguments: Any) -> str:
    return json.dumps({"tool": tool, "arguments": arguments})


@pytest.mark.parametrize(
    ("reply", "problem"),
    [
        (said("paint", colour="red", coats=2, height=2.5, is_wet=True), ""),
        (said("none"), ""),
        ("paint it red", "not JSON"),
        ("[1]", "names no tool"),
        ('{"tool": "paint"}', "no arguments"),
        (said("sing"), "no tool “sing”"),
        (said("paint", colour="red"), "“coats” is missing"),
        (said("paint", colour="red", coats=1, size=3), "no argument “size”"),
        (said("paint", colour="green", coats=1), "one of red, blue"),
        (said("paint", colour="red", coats=1.5), "a whole number"),
        (said("paint", colour="red", coats=True), "a whole number"),
        (said("paint", colour="red", coats=1, is_wet=1), "true or false"),
        (said("paint", colour="red", coats=1, rooms=[1]), "a list"),
    ],
)
def test_a_reply_is_a_call_or_says_why_not(reply: str, problem: str) -> None:
    call = read_call(reply, read_tools(json.dumps([TOOL])))
    assert problem in call.problem
    assert bool(call.problem) == bool(problem)


def test_the_prompt_shows_examples_in_turn_and_ends_where_the_model_writes() -> None:
    tools = read_tools(starter("two").tools_text)
    prompt = call_prompt(Wanted("What is 2 times 2?", tools))
    first = [line.split('"')[3] for line in prompt.splitlines() if "Call: {" in line]
    assert first == ["none", "times", "count_letter"] * 3
    assert prompt.endswith("\n\nQuestion: What is 2 times 2?\nCall:")
    assert "Multiply" not in prompt


def test_the_prompt_may_list_the_tools_and_leave_none_out() -> None:
    tools = read_tools(starter("two").tools_text)
    told = call_prompt(Wanted("Hi", tools, is_told=True, has_none=False))
    assert told.startswith("Tools:\ntimes(a, b): Multiply two numbers.\n")
    assert "none" not in told
    assert "none(): No tool fits." in call_prompt(Wanted("Hi", tools, is_told=True))


def test_the_answer_is_asked_for_by_what_was_said() -> None:
    yes = answer_prompt("How much?", "42", said="yes")
    assert yes.endswith("Question: How much?\nResult: 42\nAnswer:")
    no = answer_prompt("How much?", "42", said="no")
    assert no.endswith("Question: How much?\nResult: the user said no\nAnswer:")
    none = answer_prompt("How much?", "42", said="none")
    assert none.endswith("Question: How much?\nAnswer:")
    assert "Result" not in none


def test_starters_and_weather_say_no_password() -> None:
    passwords = {
        line.strip().casefold()
        for path in (PROJECT / "challenges" / "words").glob("*.txt")
        for line in path.read_text().splitlines()
        if not line.startswith("#")
    }
    said = json.dumps([dataclasses.asdict(one) for one in STARTERS])
    words = set(re.findall(r"[a-z]+", f"{said} {' '.join(SKIES)}".casefold()))
    assert words & passwords == set()
    assert len(passwords) > 100


@pytest.mark.parametrize("one", STARTERS, ids=lambda one: one.name)
def test_a_starter_is_shared_by_all_until_somebody_changes_it(one: Any) -> None:
    tools = read_tools(one.tools_text)
    assert is_shipped(tools)
    assert not is_shipped(read_tools(changed()))
    assert starter(one.name) is one
