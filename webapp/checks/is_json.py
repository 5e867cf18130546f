"""The whole text is JSON."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from webapp.checks.shared.containing import nothing_there
from webapp.checks.shared.json_reading import (
    NotJson,
    Schema,
    find_json,
    judge_schema,
    read_json,
)
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

_PERSON = {
    "type": "object",
    "required": ["name", "age"],
    "properties": {"name": {"type": "string"}, "age": {"type": "integer"}},
}


@checks.register("is-json")
class IsJson(Check):
    """The whole text is JSON, and fits a schema if there is one.

    A program must be able to read it as it is: nothing may stand around it.
    """

    class Options(CheckOptions):
        """What the JSON is like."""

        value: Schema | None = Field(
            None, description="JSON Schema that it must fit, as a mapping."
        )

    SHORT: ClassVar[str] = "value"
    EXAMPLES: ClassVar[tuple[CheckExample, ...]] = (
        CheckExample({}, Subject(' {"name": "Ada"}\n'), "passed"),
        CheckExample({}, Subject("{'name': 'Ada'}"), "failed"),
        CheckExample({}, Subject('{"name": "Ada",}'), "failed"),
        CheckExample({}, Subject('{"name": "Ada"'), "failed"),
        CheckExample({}, Subject('Here it is: {"name": "Ada"}'), "failed"),
        CheckExample({}, Subject('```json\n{"name": "Ada"}\n```'), "failed"),
        CheckExample({}, Subject("NaN"), "failed"),
        CheckExample({}, Subject("[" * 5000), "failed"),
        CheckExample(
            {"value": _PERSON}, Subject('{"name": "Ada", "age": 36}'), "passed"
        ),
        CheckExample(
            {"value": _PERSON}, Subject('{"name": "Ada", "age": "36"}'), "failed"
        ),
        CheckExample({"value": _PERSON}, Subject('{"name": "Ada"}'), "failed"),
        CheckExample(
            {"value": {"properties": {"name": {"const": "Ada"}}}},
            Subject('{"name": "Adam"}'),
            "failed",
        ),
        CheckExample(
            {"value": {"properties": {"name": {"pattern": "^(a+)+$"}}}},
            Subject('{"name": "' + "a" * 500 + '!"}'),
            "failed",
        ),
        CheckExample({}, Subject(""), "failed"),
    )

    def __init__(self, options: Options) -> None:
        self._options = options

    def judge(self, subject: Subject, ask: CheckAsk) -> Outcome:
        """Read it, then compare it with the schema."""
        if is_blank(subject.text):
            return nothing_there(subject)
        try:
            value = read_json(subject.text.strip())
        except NotJson as error:
            if next(find_json(subject.text), None) is not None:
                return failed(
                    f"{subject.who} has JSON in it, but other text around it.",
                    score=0.5,
                )
            return failed(f"{subject.who} {error}.")
        wrong = judge_schema(value, self._options.value, subject)
        return wrong or passed(f"{subject.who} is JSON.")
