"""Why the model stopped."""

from __future__ import annotations

from typing import ClassVar, Final, Literal

from pydantic import Field

from webapp.checks.shared.containing import nothing_there
from webapp.checks.shared.options import CheckOptions
from webapp.plugins.check import (
    Aspect,
    Check,
    CheckAsk,
    CheckExample,
    Outcome,
    Sample,
    Subject,
    checks,
    failed,
    passed,
    ungraded,
)
from webapp.text.characters import is_blank

_SAID: Final = {
    "stop": "The model came to an end by itself.",
    "length": "The reply was cut off: it had as many tokens as are allowed.",
    "content_filter": "A filter ended the reply.",
    "tool_calls": "The model wants to call a tool.",
}


@checks.register("finish-reason")
class FinishReason(Check):
    """The model stopped for a certain reason."""

    class Options(CheckOptions):
        """The reason."""

        value: Literal["stop", "length", "content_filter", "tool_calls"] = Field(
            description=(
                "stop: by itself or at a stop text; length: cut off at max_tokens; "
                "content_filter or tool_calls, where an endpoint has them."
            )
        )

    SHORT: ClassVar[str] = "value"
    aspects: ClassVar[tuple[Aspect, ...]] = ("reply",)
    EXAMPLES: ClassVar[tuple[CheckExample, ...]] = (
        CheckExample(
            {"value": "stop"}, Subject("One.", sample=Sample("One.")), "passed"
        ),
        CheckExample(
            {"value": "stop"},
            Subject("One. Tw", sample=Sample("One. Tw", finish="length")),
            "failed",
        ),
        CheckExample(
            {"value": "length"},
            Subject("One. Tw", sample=Sample("One. Tw", finish="length")),
            "passed",
        ),
        CheckExample({"value": "stop"}, Subject("", sample=Sample("")), "failed"),
        CheckExample(
            {"value": "stop"},
            Subject("One.", sample=Sample("One.", finish="")),
            "ungraded",
        ),
        CheckExample({"value": "stop"}, Subject("One."), "ungraded"),
    )

    def __init__(self, options: Options) -> None:
        self._options = options

    def judge(self, subject: Subject, ask: CheckAsk) -> Outcome:
        """Compare with what the endpoint said."""
        if subject.sample is None or not subject.sample.finish:
            return ungraded("Nobody said why the model came to its end.")
        if is_blank(subject.sample.reply):
            return nothing_there(subject)
        reason = subject.sample.finish
        said = _SAID.get(reason, "The model ended for a reason that is not known here.")
        return passed(said) if reason == self._options.value else failed(said)
