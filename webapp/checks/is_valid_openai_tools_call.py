"""The text is a call of a tool, as programs read it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Final

from pydantic import Field, field_validator

from webapp.checks.shared.containing import nothing_there
from webapp.checks.shared.json_reading import NotJson, Schema, faults, read_json
from webapp.checks.shared.options import CheckOptions
from webapp.plugins.check import (
    Check,
    CheckAsk,
    CheckExample,
    Outcome,
    Subject,
    checks,
    failed,
    passed,
)
from webapp.text.characters import is_blank

ToolName = Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{1,64}$")]

_SUMS: Final = {
    "calculate": {
        "type": "object",
        "required": ["sum"],
        "properties": {"sum": {"type": "string"}},
    }
}


@checks.register("is-valid-openai-tools-call")
class IsValidOpenaiToolsCall(Check):
    """The text is JSON that calls one of the tools with what it needs.

    A call is {"name": …, "arguments": {…}}, also inside of "function" as OpenAI sends
    it, with the arguments as JSON in a text; a list of calls is read, too.
    """

    class Options(CheckOptions):
        """The tools that may be called."""

        value: dict[ToolName, Schema] = Field(
            {},
            max_length=20,
            description=(
                "Name of each tool, and the JSON Schema of its arguments. Empty: any "
                "tool."
            ),
        )

        @field_validator("value")
        @classmethod
        def _arguments_are_objects(
            cls, tools: dict[str, dict[str, Any]]
        ) -> dict[str, dict[str, Any]]:
            for name, schema in tools.items():
                if schema.get("type") != "object":
                    raise ValueError(f'the schema of "{name}" needs type: object')
            return tools

    SHORT: ClassVar[str] = "value"
    EXAMPLES: ClassVar[tuple[CheckExample, ...]] = (
        CheckExample(
            {"value": _SUMS},
            Subject('{"name": "calculate", "arguments": {"sum": "6 * 7"}}'),
            "passed",
        ),
        CheckExample(
            {"value": _SUMS},
            Subject(
                '[{"id": "1", "type": "function", "function": {"name": "calculate", '
                '"arguments": "{\\"sum\\": \\"6 * 7\\"}"}}]'
            ),
            "passed",
        ),
        CheckExample(
            {"value": _SUMS},
            Subject('{"name": "calculator", "arguments": {"sum": "6 * 7"}}'),
            "failed",
        ),
        CheckExample(
            {"value": _SUMS},
            Subject('{"name": "calculate", "arguments": {"sums": "6 * 7"}}'),
            "failed",
        ),
        CheckExample(
            {"value": _SUMS},
            Subject('{"name": "calculate", "arguments": "6 * 7"}'),
            "failed",
        ),
        CheckExample({}, Subject('{"name": "look_up", "arguments": {}}'), "passed"),
        CheckExample({}, Subject('{"name": "look_up"}'), "failed"),
        CheckExample({}, Subject('{"name": "look up", "arguments": {}}'), "failed"),
        CheckExample({}, Subject("calculate(6 * 7)"), "failed"),
        CheckExample({}, Subject("[]"), "failed"),
        CheckExample({}, Subject(""), "failed"),
    )

    def __init__(self, options: Options) -> None:
        self._options = options

    def judge(self, subject: Subject, ask: CheckAsk) -> Outcome:
        """Read the calls, and look at each."""
        if is_blank(subject.text):
            return nothing_there(subject)
        try:
            value = read_json(subject.text.strip())
        except NotJson as error:
            return failed(f"{subject.who} {error}.")
        if isinstance(value, dict) and "tool_calls" in value:
            value = value["tool_calls"]
        calls = value if isinstance(value, list) else [value]
        if not calls:
            return failed(f"{subject.who} calls no tool.", score=0.3)
        for call in calls:
            wrong = self._wrong(call)
            if wrong:
                return failed(f"{subject.who} is JSON, but {wrong}.", score=0.3)
        return passed(f"{subject.who} calls a tool as it should be called.")

    def _wrong(self, call: object) -> str:
        """Return what is wrong with a call, as the end of a sentence."""
        if isinstance(call, Mapping) and isinstance(call.get("function"), Mapping):
            call = call["function"]
        if not isinstance(call, Mapping):
            return "not an object in { } that calls a tool"
        name, arguments = call.get("name"), call.get("arguments")
        if not isinstance(name, str) or not name:
            return 'it has no "name" of a tool'
        if not name.replace("_", "").replace("-", "").isalnum() or not name.isascii():
            return "the name of the tool has other characters than letters and digits"
        if isinstance(arguments, str):
            try:
                arguments = read_json(arguments)
            except NotJson:
                return 'the text in "arguments" is not JSON'
        if not isinstance(arguments, Mapping):
            return '"arguments" is not an object in { }'
        if not self._options.value:
            return ""
        schema = self._options.value.get(name)
        if schema is None:
            return "there is no tool of that name"
        found = faults(arguments, schema)
        return f"its arguments do not fit: {found[0]}" if found else ""
