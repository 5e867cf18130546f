"""JSON is somewhere in the text."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from webapp.checks.shared.containing import nothing_there
from webapp.checks.shared.json_reading import Schema, find_json, judge_schema
from webapp.checks.shared.options import CheckOptions
from webapp.plugins.check import (
    Check,
    CheckAsk,
    CheckExample,
    Outcome,
    Span,
    Subject,
    checks,
    failed,
    passed,
)
from webapp.text.characters import is_blank

_CAT = {"type": "object", "required": ["cat"]}


@checks.register("contains-json")
class ContainsJson(Check):
    """The text has JSON in it, which fits a schema if there is one.

    It looks for objects in { } and lists in [ ]; one that fits is enough.
    """

    class Options(CheckOptions):
        """What the JSON is like."""

        value: Schema | None = Field(
            None, description="JSON Schema that it must fit, as a mapping."
        )

    SHORT: ClassVar[str] = "value"
    EXAMPLES: ClassVar[tuple[CheckExample, ...]] = (
        CheckExample({}, Subject('Sure:\n```json\n{"cat": 1}\n```'), "passed"),
        CheckExample({}, Subject("A list: [1, 2"), "failed"),
        CheckExample({}, Subject('A "cat", 1 and {2}'), "failed"),
        CheckExample({"value": _CAT}, Subject('{"dog": 1} {"cat": 2}'), "passed"),
        CheckExample({"value": _CAT}, Subject('{"dog": 1}'), "failed"),
        CheckExample({"value": _CAT}, Subject('{"x": {"cat": 1}}'), "failed"),
        CheckExample({}, Subject(""), "failed"),
    )

    def __init__(self, options: Options) -> None:
        self._options = options

    def judge(self, subject: Subject, ask: CheckAsk) -> Outcome:
        """Look at each piece of JSON; the first that fits counts."""
        if is_blank(subject.text):
            return nothing_there(subject)
        wrong: Outcome | None = None
        for found in find_json(subject.text):
            misfit = judge_schema(found.value, self._options.value, subject)
            if misfit is None:
                return passed(
                    f"{subject.who} has JSON in it.", span=Span(found.start, found.end)
                )
            wrong = wrong or misfit
        return wrong or failed(f"{subject.who} has no complete JSON in it.")
