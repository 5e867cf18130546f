"""Tools that a model may call: their list, and what a model's call of one holds.

A tool is a function that somebody wrote in a browser. The site gets its name, its
description and its parameters, as the OpenAI API has them; the function stays where
it is, and nothing of it ever runs here.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, NoReturn

from webapp.domain.texts import require_text
from webapp.errors import InvalidInput

MOST_TOOLS: Final = 5
MOST_PARAMETERS: Final = 6
MOST_EXAMPLES: Final = 3
LIST_CHARS: Final = 8_000
LINE_CHARS: Final = 200
# What a text may have where its schema names no limit: a call is one line.
TEXT_CHARS: Final = 60
MOST_NUMBER: Final = 10**9
NONE: Final = "none"
_NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,39}")
_PARTS: Final = frozenset({"name", "description", "parameters", "examples"})
_FIELDS: Final = frozenset({"type", "description", "enum", "items", "maxLength"})
_TYPES: Final[Mapping[str, tuple[type, ...]]] = {
    "string": (str,),
    "number": (int, float),
    "integer": (int,),
    "boolean": (bool,),
    "array": (list,),
}
_WORDS: Final = {
    "string": "a text",
    "number": "a number",
    "integer": "a whole number",
    "boolean": "true or false",
    "array": "a list",
}


@dataclass(frozen=True, slots=True)
class Example:
    """A question, and the arguments of the call that fits it."""

    question: str
    arguments: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Tool:
    """A function as a model is told of it."""

    name: str
    description: str
    properties: Mapping[str, Mapping[str, Any]]
    required: tuple[str, ...]
    examples: tuple[Example, ...] = ()

    @property
    def signature(self) -> str:
        """How it is called, on one line."""
        return f"{self.name}({', '.join(self.properties)})"


@dataclass(frozen=True, slots=True)
class Call:
    """What a model wrote, read as a call; `problem` says why it is none."""

    tool: str = ""
    arguments: Mapping[str, Any] | None = None
    problem: str = ""

    @property
    def arguments_text(self) -> str:
        """The arguments as JSON."""
        return as_json(self.arguments or {})


def read_tools(text: str) -> tuple[Tool, ...]:
    """Return the tools of a list in JSON; raise InvalidInput about what is wrong."""
    if len(text) - text.count("\r\n") > LIST_CHARS:
        raise InvalidInput(f"The list of tools has at most {LIST_CHARS:,} characters.")
    plain = require_text(text, what="list of tools")
    try:
        listed = json.loads(plain)
    except json.JSONDecodeError as error:
        raise InvalidInput(
            f"The list of tools is not JSON: line {error.lineno}, column "
            f"{error.colno}. Read the functions again, or correct it there."
        ) from None
    except RecursionError:
        raise InvalidInput("The list of tools is nested too deeply.") from None
    if not isinstance(listed, list) or not 1 <= len(listed) <= MOST_TOOLS:
        raise InvalidInput(
            f"The tools must be a list of 1 to {MOST_TOOLS}. Write a function, and let "
            "it be read."
        )
    tools = tuple(_tool(one, number) for number, one in enumerate(listed, start=1))
    names = [tool.name for tool in tools]
    if len(set(names)) < len(names):
        raise InvalidInput("Two tools have the same name. Rename one of them.")
    return tools


def schema_of(tools: Sequence[Tool], *, has_none: bool) -> dict[str, Any]:
    """Return the JSON schema that a call of one of the tools fits."""
    calls = [_call_schema(tool.name, tool.properties, tool.required) for tool in tools]
    if has_none:
        calls.append(_call_schema(NONE, {}, ()))
    return calls[0] if len(calls) == 1 else {"anyOf": calls}


def read_call(reply: str, tools: Sequence[Tool]) -> Call:
    """Return what a reply calls, or what is wrong with it in one sentence."""
    try:
        said = json.loads(reply)
    except (ValueError, RecursionError):
        return Call(problem="This is not JSON, so no program can read a call in it.")
    if not isinstance(said, dict) or not isinstance(said.get("tool"), str):
        return Call(problem="This is JSON, but it names no tool.")
    name, arguments = said["tool"], said.get("arguments")
    if not isinstance(arguments, dict):
        return Call(name, problem="It names a tool, but gives no arguments for it.")
    if name == NONE:
        return Call(NONE, {})
    tool = next((tool for tool in tools if tool.name == name), None)
    if tool is None:
        return Call(
            name[:40], arguments, f"There is no tool “{name[:40]}”. It was made up."
        )
    return Call(name, arguments, _misfit(tool, arguments))


def as_json(value: object) -> str:
    """Return a value as JSON on one line, in letters of every script."""
    return json.dumps(value, ensure_ascii=False)


def _misfit(tool: Tool, arguments: Mapping[str, Any]) -> str:
    for name in tool.required:
        if name not in arguments:
            return f"The argument “{name}” is missing."
    for name, value in arguments.items():
        if name not in tool.properties:
            return f"{tool.name} has no argument “{name[:40]}”."
        wanted = tool.properties[name]
        if not _fits(value, wanted):
            return f"The argument “{name}” should be {_words(wanted)}."
    return ""


def _fits(value: Any, wanted: Mapping[str, Any]) -> bool:
    kind = wanted["type"]
    if isinstance(value, bool) != (kind == "boolean"):
        return False
    if not isinstance(value, _TYPES[kind]):
        return False
    if "enum" in wanted and value not in wanted["enum"]:
        return False
    return not isinstance(value, list) or all(
        _fits(one, wanted["items"]) for one in value
    )


def _words(wanted: Mapping[str, Any]) -> str:
    if "enum" in wanted:
        return "one of " + ", ".join(map(str, wanted["enum"]))
    return _WORDS[wanted["type"]]


def _call_schema(
    name: str, properties: Mapping[str, Any], required: Sequence[str]
) -> dict[str, Any]:
    bounded = {key: _bounded(one) for key, one in properties.items()}
    arguments = {
        "type": "object",
        "properties": bounded,
        "required": list(required),
        "additionalProperties": False,
    }
    return {
        "type": "object",
        "properties": {"tool": {"const": name}, "arguments": arguments},
        "required": ["tool", "arguments"],
        "additionalProperties": False,
    }


def _bounded(wanted: Mapping[str, Any]) -> dict[str, Any]:
    """Return a schema in which nothing can go on without end."""
    bounded = dict(wanted)
    if bounded["type"] == "string" and "enum" not in bounded:
        bounded.setdefault("maxLength", TEXT_CHARS)
    if bounded["type"] in {"number", "integer"} and "enum" not in bounded:
        bounded |= {"minimum": -MOST_NUMBER, "maximum": MOST_NUMBER}
    if bounded["type"] == "number" and "enum" not in bounded:
        bounded["multipleOf"] = 0.0001
    if bounded["type"] == "array":
        bounded |= {"items": _bounded(bounded["items"]), "maxItems": 10}
    return bounded


def _tool(given: object, number: int) -> Tool:
    where = f"Tool {number}"
    if not isinstance(given, dict):
        _refuse(where, "must be an object with a name, a description and parameters")
    _only(given, _PARTS, where)
    name = given.get("name")
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        _refuse(where, "needs a name of letters, digits and _")
    if name == NONE:
        _refuse(where, "cannot be called “none”: that stands for no tool at all")
    properties, required = _parameters(given.get("parameters"), f"“{name}”")
    tool = Tool(name, _line(given, "description", f"“{name}”"), properties, required)
    listed = given.get("examples", [])
    if not isinstance(listed, list) or len(listed) > MOST_EXAMPLES:
        _refuse(f"“{name}”", f"may have a list of up to {MOST_EXAMPLES} examples")
    examples = tuple(_example(one, tool) for one in listed)
    return Tool(name, tool.description, properties, required, examples)


def _parameters(
    given: object, where: str
) -> tuple[dict[str, dict[str, Any]], tuple[str, ...]]:
    given = {} if given is None else given
    if not isinstance(given, dict) or given.get("type", "object") != "object":
        _refuse(where, "needs parameters of the type object")
    known = frozenset({"type", "properties", "required", "additionalProperties"})
    _only(given, known, where)
    listed = given.get("properties", {})
    if not isinstance(listed, dict) or len(listed) > MOST_PARAMETERS:
        _refuse(where, f"may have up to {MOST_PARAMETERS} parameters")
    for name, one in listed.items():
        if not _NAME.fullmatch(name):
            _refuse(where, "has a parameter whose name is not letters, digits and _")
        _check_field(one, f"The parameter “{name}” of {where}")
    required = given.get("required", [])
    if not isinstance(required, list) or any(one not in [*listed] for one in required):
        _refuse(where, "requires a parameter that it does not have")
    return listed, tuple(required)


def _check_field(given: object, where: str, *, is_inner: bool = False) -> None:
    if not isinstance(given, dict):
        _refuse(where, "must be an object with a type")
    _only(given, _FIELDS, where)
    kind = given.get("type")
    if (
        not isinstance(kind, str)
        or kind not in _TYPES
        or (is_inner and kind == "array")
    ):
        _refuse(where, f"needs a type: {', '.join(_TYPES)}")
    _line(given, "description", where)
    values = given.get("enum", ["x"])
    if not isinstance(values, list) or not 1 <= len(values) <= 20:
        _refuse(where, "may have a list of up to 20 values")
    if any(len(as_json(value)) > LINE_CHARS for value in values):
        _refuse(where, "has a value that is too long")
    most = given.get("maxLength", 1)
    if type(most) is not int or not 1 <= most <= LINE_CHARS:
        _refuse(where, f"may have up to {LINE_CHARS} characters")
    if kind == "array":
        _check_field(given.get("items"), f"{where}, in its list,", is_inner=True)


def _example(given: object, tool: Tool) -> Example:
    where = f"An example of “{tool.name}”"
    if not isinstance(given, dict):
        _refuse(where, "must be an object with a question and arguments")
    _only(given, frozenset({"question", "arguments"}), where)
    question, arguments = _line(given, "question", where), given.get("arguments")
    if not question or not isinstance(arguments, dict):
        _refuse(where, "needs a question and arguments")
    problem = _misfit(tool, arguments)
    if problem:
        raise InvalidInput(f"{where} does not fit. {problem}")
    return Example(question, arguments)


def _line(given: Mapping[str, Any], part: str, where: str) -> str:
    text = given.get(part, "")
    if not isinstance(text, str) or len(text) > LINE_CHARS:
        _refuse(where, f"needs a {part} of up to {LINE_CHARS} characters")
    return " ".join(require_text(text, what=part).split())


def _only(given: Mapping[str, Any], known: frozenset[str], where: str) -> None:
    for key in given:
        if key not in known:
            _refuse(where, f"has “{key[:40]}”, which is not understood here")


def _refuse(where: str, why: str) -> NoReturn:
    raise InvalidInput(f"{where} {why}.")
