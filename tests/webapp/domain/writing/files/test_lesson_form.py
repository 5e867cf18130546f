"""The form for a lesson changes what it says in the Markdown, and nothing else."""

from __future__ import annotations

from difflib import unified_diff
from pathlib import Path

import pytest

from tests.kit.content import SHIPPED
from webapp.domain.writing.lesson_form import Field, read_form, write_form
from webapp.domain.writing.reference import example_text
from webapp.errors import InvalidInput

LESSON = """\
---
# Ours.
title: Zo  # its name
idea: Examples teach.
minutes: 5
can_do: teach
---
In **Zo** every word ends in *-zo*.

```panel tell
# Short.
task: Explain the rule.
messages:
  # Their own words come first.
  - user: "{rule} What is {word}?"
slots:
  rule: {start: "", lines: 2}
vary: {word: [lamp, tree]}
checks:
  - not-contains: "{word}zo"   # it should fail
    say: It worked!
hints:
  - title: The idea
    text: Try it.
proof:
  solved_by: [{rule: Add zo.}]
```

Two more lines
of prose.

```question choose
ask: What helped?
choices: [examples, words]
answer: examples
```
"""


def fields(text: str) -> dict[str, Field]:
    return {one.id: one for part in read_form(text) for one in part.fields}


def changed(**typed: str) -> list[str]:
    """Return the lines that are gone and new, by ids written with __ for dots."""
    given = {key.strip("_").replace("__", "."): value for key, value in typed.items()}
    assert given.keys() <= fields(LESSON).keys()
    found = unified_diff(
        LESSON.split("\n"), write_form(LESSON, given).split("\n"), n=0, lineterm=""
    )
    return [
        line for line in found if line[0] in "+-" and line[:3] not in ("---", "+++")
    ]


def test_a_lesson_is_read_as_the_form_shows_it() -> None:
    shown = {key: one.value for key, one in fields(LESSON).items() if one.value}
    assert shown == {
        "front.title": "Zo",
        "front.idea": "Examples teach.",
        "front.minutes": "5",
        "front.can_do": "teach",
        "1": "In **Zo** every word ends in *-zo*.",
        "2.task": "Explain the rule.",
        "2.messages.0.user": "{rule} What is {word}?",
        "2.checks.0.say": "It worked!",
        "2.hints.0.title": "The idea",
        "2.hints.0.text": "Try it.",
        "3": "Two more lines\nof prose.",
        "4.ask": "What helped?",
        "4.choices": "examples\nwords",
        "4.answer": "examples",
    }


@pytest.mark.parametrize(
    ("typed", "lines"),
    [
        ({"front__minutes": "8"}, ["-minutes: 5", "+minutes: 8"]),
        ({"_1": "Zo."}, ["-In **Zo** every word ends in *-zo*.", "+Zo."]),
        ({"_3": ""}, ["-Two more lines", "-of prose."]),
        ({"_2__task": "Tell it."}, ["-task: Explain the rule.", "+task: Tell it."]),
        (
            {"_2__messages__0__user": "{rule} {word}?"},
            ['-  - user: "{rule} What is {word}?"', "+  - user: '{rule} {word}?'"],
        ),
        (
            {"_2__checks__0__say": "Oh.\nIt did."},
            ["-    say: It worked!", "+    say: |", "+      Oh.", "+      It did."],
        ),
        ({"_2__checks__0__say": ""}, ["-    say: It worked!"]),
        ({"_2__model": "warden"}, ["+model: warden"]),
        (
            {"_2__hints__0__title": "An idea"},
            ["-  - title: The idea", "+  - title: An idea"],
        ),
        (
            {"_2__hints__1__title": "More", "_2__hints__1__text": "Look."},
            ["+  - title: More", "+    text: Look."],
        ),
        (
            {"_2__hints__0__title": "", "_2__hints__0__text": ""},
            ["-hints:", "-  - title: The idea", "-    text: Try it."],
        ),
        (
            {"_4__choices": "examples\n\nrules\n"},
            ["-choices: [examples, words]", "+choices:", "+  - examples", "+  - rules"],
        ),
    ],
)
def test_a_field_changes_its_own_lines_alone(
    typed: dict[str, str], lines: list[str]
) -> None:
    if "_2__hints__0__title" in typed and "_2__hints__0__text" not in typed:
        typed = {**typed, "_2__hints__0__text": "Try it."}
    if "_2__hints__1__title" in typed:
        typed = {
            **typed,
            "_2__hints__0__title": "The idea",
            "_2__hints__0__text": "Try it.",
        }
    assert changed(**typed) == lines


@pytest.mark.parametrize(
    ("typed", "told"),
    [
        ({"front__minutes": "soon"}, "Minutes it takes: write a whole number"),
        ({"_3": "```panel more\ntask: x\n```"}, "Blocks are added and taken out"),
        ({"_1": "```"}, "Blocks are added and taken out"),
    ],
)
def test_what_cannot_be_written_is_told(typed: dict[str, str], told: str) -> None:
    with pytest.raises(InvalidInput, match=told):
        changed(**typed)


@pytest.mark.parametrize("text", ["title: x", "---\ntitle: [\n---\n"])
def test_a_broken_lesson_has_no_form(text: str) -> None:
    with pytest.raises(InvalidInput, match="The form can be used once"):
        read_form(text)


FILES = sorted((SHIPPED / "lessons").glob("*/*.md"))


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_sent_unchanged_it_changes_no_shipped_lesson(path: Path) -> None:
    text = path.read_text("utf-8")
    sent = {key: one.value for key, one in fields(text).items()}
    assert write_form(text, sent) == text


@pytest.mark.parametrize(
    "text",
    [example_text("lesson.md"), FILES[0].read_text("utf-8")],
    ids=["own", "first"],
)
def test_any_field_can_be_changed_alone(text: str) -> None:
    before = {key: one.value for key, one in fields(text).items()}
    for key, one in fields(text).items():
        if one.kind == "number":
            typed = "7"
        elif one.path[:1] == ("hints",) and not one.value:
            continue
        else:
            typed = f"{one.value.strip()} Again".strip()
        after = fields(write_form(text, {**before, key: typed}))
        for other in before.keys() - {key}:
            assert after[other].value == before[other], (key, other)
        assert after[key].value.strip() == typed, key
