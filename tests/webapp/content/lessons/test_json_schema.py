"""What authors write in a lesson fits the schema that editors use."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from tests.webapp.content.lessons.samples import NEXT_WORD, SHOW, checks
from webapp.content import jsonschema
from webapp.content.lessons.markdown import Block, divide
from webapp.plugins import check as plugin
from webapp.reading.tree import read_tree


@pytest.fixture(scope="module")
def schema() -> dict[str, Any]:
    """Return the schema with the three checks of these tests."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(plugin, "checks", checks)
        schema = jsonschema.lesson_schema()
    Draft202012Validator.check_schema(schema)
    return schema


def validator(schema: dict[str, Any], part: str) -> Draft202012Validator:
    """Return a validator for one part of a lesson."""
    return Draft202012Validator({"$ref": f"#/$defs/{part}", "$defs": schema["$defs"]})


def parts(text: str) -> Iterator[tuple[str, Any]]:
    """Yield what the YAML of a lesson says, and which part it is."""
    divided = divide(text)
    yield "LessonInfo", read_tree(divided.front.text.encode()).plain()
    for part in divided.parts:
        if isinstance(part, Block):
            kind = {"panel": "Panel", "question": "Question"}[part.kind]
            yield kind, read_tree(part.body.text.encode()).plain()


@pytest.mark.parametrize("text", [SHOW, NEXT_WORD], ids=["show", "next-word"])
def test_real_lessons_fit(schema: dict[str, Any], text: str) -> None:
    found = list(parts(text))
    assert len(found) >= 4
    for part, document in found:
        assert [e.message for e in validator(schema, part).iter_errors(document)] == []


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("system: none", "sistem: none"),
        ("samples: 4 of 5", "samples: most"),
        ("- size: {min: 5, of: rule}", "- sise: {min: 5, of: rule}"),
        ("- size: {min: 5, of: rule}", "- size: {mim: 5, of: rule}"),
        ("- size: {min: 5, of: rule}", "- size: {min: five, of: rule}"),
        ("  - when: {contains: [lampzo,", "  - when: {contained: [lampzo,"),
        ("say: That is {count} so", "says: That is {count} so"),
        ("max_tokens: 24", "max_tokens: lots"),
        ("answer: two or three", "answers: two or three"),
        ("minutes: 6", "minutes: six"),
    ],
)
def test_errors_do_not_fit(schema: dict[str, Any], old: str, new: str) -> None:
    assert SHOW.count(old) == 1
    fits = [
        validator(schema, part).is_valid(document)
        for part, document in parts(SHOW.replace(old, new))
    ]
    assert fits.count(False) == 1
