"""The number in the text is the right one, as a calculator finds it."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Literal

from pydantic import BeforeValidator, Field, field_validator

from webapp.checks.shared.arithmetic import calculate, numbers, written
from webapp.checks.shared.containing import nothing_there
from webapp.checks.shared.limits import numbered
from webapp.checks.shared.options import (
    CheckOptions,
    has_placeholder,
    with_sample,
)
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


def _as_text(value: Any) -> Any:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return str(value) if is_number else value


@checks.register("number")
class Number(Check):
    """The number in the text is the one that a calculator finds.

    Exact arithmetic works it out, so that no model decides what is right. `1,234.5` is
    one number, and `1, 2, 3` are three. Numbers in words are not read.
    """

    class Options(CheckOptions):
        """What is worked out, and which number of the text counts."""

        value: Annotated[
            str,
            BeforeValidator(_as_text, json_schema_input_type=str | int | float),
            Field(min_length=1, max_length=200),
        ] = Field(
            description=(
                "A number, or a sum with + - * / and brackets. It may hold {slots}, as "
                'in "{a} + {b}".'
            )
        )
        which: Literal["last", "first", "only"] = Field(
            "last",
            description=(
                "The number that counts. only: there is no other number in the text."
            ),
        )
        tolerance: Annotated[float, Field(ge=0)] = Field(
            0.0, description="How far off the number may be."
        )

        @field_validator("value")
        @classmethod
        def _can_be_worked_out(cls, value: str) -> str:
            try:
                calculate(with_sample(value, "(7)"))
            except ZeroDivisionError:
                # The samples of two slots are the same; what they hold is not.
                if not has_placeholder(value):
                    raise ValueError("it divides by zero") from None
            return value

    SHORT: ClassVar[str] = "value"
    EXAMPLES: ClassVar[tuple[CheckExample, ...]] = (
        CheckExample({"value": "17 + 25"}, Subject("17 + 25 = 42."), "passed"),
        CheckExample({"value": "17 + 25"}, Subject("It is 142."), "failed"),
        CheckExample({"value": "17 + 25"}, Subject("It is 42.5"), "failed"),
        CheckExample({"value": "17 + 25"}, Subject("It is 42, not 43."), "failed"),
        CheckExample({"value": 3}, Subject("1923"), "failed"),
        CheckExample({"value": "2 * (3 - 5)"}, Subject("So it is −4."), "passed"),
        CheckExample({"value": "2 * (3 - 5)"}, Subject("So it is 4."), "failed"),
        CheckExample({"value": 1234.5}, Subject("1,234.50 euros"), "passed"),
        CheckExample({"value": "0.1 + 0.2"}, Subject("0.3"), "passed"),
        CheckExample({"value": "10 / 3"}, Subject("3.33"), "failed"),
        CheckExample({"value": "10 / 3", "tolerance": 0.01}, Subject("3.33"), "passed"),
        CheckExample(
            {"value": 12, "which": "first"}, Subject("12\n3 + 4 = 7"), "passed"
        ),
        CheckExample({"value": 12, "which": "only"}, Subject("12 or 13"), "failed"),
        CheckExample({"value": 66}, Subject("route66"), "failed"),
        CheckExample({"value": 0}, Subject(""), "failed"),
    )

    def __init__(self, options: Options) -> None:
        self._options = options
        self._wanted = calculate(options.value)

    def judge(self, subject: Subject, ask: CheckAsk) -> Outcome:
        """Read the number, and compare."""
        if is_blank(subject.text):
            return nothing_there(subject)
        seen = numbers(subject.text)
        if not seen:
            return failed(f"{subject.who} has no number in digits.", count=0)
        which = self._options.which
        if which == "only" and len(seen) > 1:
            return failed(
                f"{subject.who} has {numbered(len(seen), 'number')}; only one is "
                "wanted.",
                count=len(seen),
            )
        number = seen[0] if which == "first" else seen[-1]
        span = Span(number.start, number.end)
        if abs(number.value - self._wanted) <= self._options.tolerance:
            return passed(f"The number in {subject.called} is right.", span=span)
        said = written(number.value)
        what = "number" if which == "only" or len(seen) == 1 else f"{which} number"
        return failed(
            f"The {what} in {subject.called} is {said}, and that is not right.",
            span=span,
        )
