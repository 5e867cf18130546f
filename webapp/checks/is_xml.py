"""The whole text is XML."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, ClassVar, Final, NoReturn
from xml.parsers import expat

from pydantic import Field

from webapp.checks.shared.containing import nothing_there
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

_DEEPEST: Final = 100
_FAULTS: Final = {
    expat.errors.codes[expat.errors.XML_ERROR_TAG_MISMATCH]: (
        "the closing tag does not fit the opening one"
    ),
    expat.errors.codes[expat.errors.XML_ERROR_NO_ELEMENTS]: (
        "the end comes before all tags are closed"
    ),
    expat.errors.codes[expat.errors.XML_ERROR_JUNK_AFTER_DOC_ELEMENT]: (
        "something comes after the last tag"
    ),
}


class _Forbidden(Exception):
    """The XML uses what is not read here."""


@checks.register("is-xml")
class IsXml(Check):
    """The whole text is XML, with certain elements if they are named.

    Document types and entities of its own are not read.
    """

    class Options(CheckOptions):
        """What the XML has in it."""

        elements: tuple[Annotated[str, Field(min_length=1, max_length=200)], ...] = (
            Field(
                (),
                max_length=50,
                description=(
                    "Elements that must be there, by their way from the outermost "
                    "one, as in recipe.step."
                ),
            )
        )

    SHORT: ClassVar[str] = "elements"
    EXAMPLES: ClassVar[tuple[CheckExample, ...]] = (
        CheckExample({}, Subject("<a><b>1</b></a>\n"), "passed"),
        CheckExample({}, Subject("<a><b>1</a></b>"), "failed"),
        CheckExample({}, Subject("<a>1"), "failed"),
        CheckExample({}, Subject("Here: <a>1</a>"), "failed"),
        CheckExample({}, Subject("<a>1</a> Done."), "failed"),
        CheckExample({}, Subject("1 < 2"), "failed"),
        CheckExample({}, Subject('<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>'), "failed"),
        CheckExample(
            {"elements": ["meal.bread"]}, Subject("<meal><bread/></meal>"), "passed"
        ),
        CheckExample(
            {"elements": ["meal.bread"]}, Subject("<meal><breads/></meal>"), "failed"
        ),
        CheckExample({}, Subject(""), "failed"),
    )

    def __init__(self, options: Options) -> None:
        self._options = options

    def judge(self, subject: Subject, ask: CheckAsk) -> Outcome:
        """Read it, then look for the elements."""
        if is_blank(subject.text):
            return nothing_there(subject)
        try:
            ways = _ways(subject.text.strip())
        except _Forbidden as error:
            return failed(f"{subject.who} {error}.")
        except expat.ExpatError as error:
            why = _FAULTS.get(error.code, "something does not fit there")
            return failed(
                f"{subject.who} is not XML: in line {error.lineno}, character "
                f"{error.offset + 1}, {why}."
            )
        wanted = self._options.elements
        found = sum(way in ways for way in wanted)
        if found < len(wanted):
            return failed(
                f"{subject.who} is XML, with {found} of the {len(wanted)} elements "
                "that are needed.",
                score=0.5 + 0.5 * found / len(wanted),
                count=found,
            )
        return passed(f"{subject.who} is XML.")


def _ways(text: str) -> set[str]:
    """Return the ways to all elements; raise ExpatError or _Forbidden."""
    ways: set[str] = set()
    path: list[str] = []

    def start(name: str, _attributes: Sequence[str]) -> None:
        path.append(name)
        if len(path) > _DEEPEST:
            raise _Forbidden("is nested too deep to be read")
        ways.add(".".join(path))

    def end(_name: str) -> None:
        path.pop()

    def doctype(*_given: object) -> NoReturn:
        # Entities can make a few characters as long as a book.
        raise _Forbidden("has a document type, which is not read here")

    parser = expat.ParserCreate()
    parser.StartElementHandler = start
    parser.EndElementHandler = end
    parser.StartDoctypeDeclHandler = doctype
    parser.Parse(text, True)
    return ways
