"""The form changes what it says in the YAML, and nothing else."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from webapp.domain.writing.level_form import (
    GuardRow,
    HintRow,
    LevelFields,
    read_fields,
    write_fields,
)
from webapp.errors import InvalidInput

LEVEL = """\
# Ours.
id: one
title: The Gate  # on the map
story: >-
  A gate that is
  told about.

# Who answers.
defender:
  model: warden
  # Do not tell.
  system: |
    You keep a gate.
    The password is {{ secret }}.
  max_tokens: 80
secret: {words: plain}
guards:
  output:
    - contains: {match: exact}

    # The last one.
    - length: {max_chars: 80}
points: 100
hints: [{cost: 20, title: A hint, text: Ask.}]
explain: It works.
"""


def changed(**fields: Any) -> list[str]:
    """Return the lines that are gone and new, as the form writes them."""
    before = read_fields(LEVEL)
    after = write_fields(LEVEL, replace(before, **fields))
    old, new = LEVEL.split("\n"), after.split("\n")
    gone = [f"-{line}" for line in old if line not in new]
    return gone + [f"+{line}" for line in new if line not in old]


def test_a_level_is_read_as_the_form_shows_it() -> None:
    assert read_fields(LEVEL) == LevelFields(
        title="The Gate",
        story="A gate that is told about.",
        system="You keep a gate.\nThe password is {{ secret }}.\n",
        model="warden",
        turns="",
        words="plain",
        points="100",
        explain="It works.",
        input=(),
        output=(
            GuardRow("contains", "match: exact"),
            GuardRow("length", "max_chars: 80"),
        ),
        hints=(HintRow("20", "A hint", "Ask."),),
    )


def test_a_form_that_is_sent_unchanged_changes_nothing() -> None:
    sent = replace(
        read_fields(LEVEL),
        story="A gate that is told about.\n",
        output=(*read_fields(LEVEL).output, GuardRow(), GuardRow("", "left")),
        hints=(*read_fields(LEVEL).hints, HintRow()),
    )
    assert write_fields(LEVEL, sent) == LEVEL


@pytest.mark.parametrize(
    ("fields", "lines"),
    [
        ({"points": "150"}, ["-points: 100", "+points: 150"]),
        (
            {"title": "No: not this"},
            ["-title: The Gate  # on the map", "+title: 'No: not this'"],
        ),
        (
            {"story": "Short."},
            ["-story: >-", "-  A gate that is", "-  told about.", "+story: Short."],
        ),
        (
            {"system": "New.\nAnd {{ secret }}."},
            [
                "-    You keep a gate.",
                "-    The password is {{ secret }}.",
                "+    New.",
                "+    And {{ secret }}.",
            ],
        ),
        ({"turns": "3"}, ["+  turns: 3"]),
        ({"words": "ours"}, ["-secret: {words: plain}", "+secret:", "+  words: ours"]),
        (
            {"input": (GuardRow("blocklist", 'words: ["a: b", no, 12]'),)},
            [
                "+  input:",
                "+    - blocklist:",
                "+        words:",
                "+          - 'a: b'",
                "+          - 'no'",
                "+          - 12",
            ],
        ),
        (
            {"output": ()},
            [
                "-guards:",
                "-  output:",
                "-    - contains: {match: exact}",
                "-    # The last one.",
                "-    - length: {max_chars: 80}",
            ],
        ),
        (
            {"hints": ()},
            ["-hints: [{cost: 20, title: A hint, text: Ask.}]"],
        ),
        (
            {"explain": "Two\nlines"},
            ["-explain: It works.", "+explain: |", "+  Two", "+  lines"],
        ),
    ],
)
def test_a_field_changes_its_own_lines_alone(
    fields: dict[str, object], lines: list[str]
) -> None:
    assert changed(**fields) == lines


def test_a_new_key_stands_where_people_write_it() -> None:
    after = write_fields(LEVEL, replace(read_fields(LEVEL), turns="3")).split("\n")
    assert after[after.index("  turns: 3") - 1] == "    The password is {{ secret }}."


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({"points": "many"}, "points must be a whole number"),
        ({"turns": "1.5"}, "turns must be a whole number"),
        ({"hints": (HintRow("-1", "a", "b"),)}, "points of hint 1 must be a whole"),
        (
            {"input": (GuardRow("length", "max_chars: 5}, {x: ["),)},
            "options of the input guard length cannot be read",
        ),
    ],
)
def test_what_cannot_be_read_is_told(fields: dict[str, object], told: str) -> None:
    with pytest.raises(InvalidInput, match=told):
        write_fields(LEVEL, replace(read_fields(LEVEL), **fields))  # type: ignore[arg-type]


def test_a_file_that_is_no_yaml_has_no_form() -> None:
    with pytest.raises(InvalidInput, match=r"Line 1: .*The form can be used once"):
        read_fields("id: [one\n")
    with pytest.raises(InvalidInput, match="one key on each line"):
        write_fields("{id: one}", replace(read_fields("{id: one}"), title="x"))
