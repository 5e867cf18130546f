"""Attacks and harmless conversations that levels are calibrated with.

Shipped ones are `attacks/*.yaml`, one family in each file; your own ones come as
JSON lines, `{"turns": […], "family": …}` or `{"text": …, "family": …}`.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Final, Literal

from pydantic import Field, ValidationError, model_validator

from webapp.content.schema import Line, Record, Text, Turns
from webapp.reading.plain_words import explain
from webapp.reading.problems import Problem
from webapp.reading.tree import Node, as_node
from webapp.text.words import fold

# What a file of your own may hold: a level replies to each conversation many times.
MAX_ROWS: Final = 5_000
MAX_FILE_BYTES: Final = 20_000_000
# No level lets a player write more than this (the setting message_chars).
MESSAGE_CHARS: Final = 4_000

FAMILY_PATTERN: Final = r"^[a-z][a-z0-9_]{0,39}$"


class AttackFile(Record):
    """A family of conversations with one idea."""

    family: Annotated[str, Field(pattern=FAMILY_PATTERN)] = Field(
        description="Short name in reports, such as output_fiction."
    )
    kind: Literal["attack", "benign"] = Field(
        "attack", description="attack: after the password. benign: after anything else."
    )
    about: Line = Field(description="The idea of the family, in one line.")
    conversations: tuple[Turns, ...] = Field(
        min_length=1,
        max_length=1_000,
        description="Each is one message, or a list of messages in order.",
    )


class AttackRow(Record):
    """One line of a JSONL file."""

    turns: Annotated[tuple[Text, ...], Field(min_length=1, max_length=50)] | None = None
    text: Text | None = None
    family: Line

    @model_validator(mode="after")
    def _has_one_of_them(self) -> AttackRow:
        if (self.turns is None) == (self.text is None):
            raise ValueError('write either "turns" or "text"')
        return self


@dataclass(frozen=True, slots=True)
class Conversation:
    """What one visitor says, message by message, whatever the replies are."""

    family: str
    turns: tuple[str, ...]

    @property
    def is_single(self) -> bool:
        """Whether it is one message and no more."""
        return len(self.turns) == 1


@dataclass(frozen=True, slots=True)
class Placed:
    """A family of a file, and the lines of its conversations."""

    path: Path
    node: Node
    file: AttackFile

    def problem(self, loc: tuple[int | str, ...], message: str, advice: str) -> Problem:
        """Return an error at the line of a value."""
        return Problem(self.path, self.node.find(loc).line, message, advice)


def check_attacks(files: Iterable[Placed]) -> Iterator[Problem]:
    """Yield conversations that appear twice, or are too long for every level."""
    families: dict[str, Path] = {}
    seen: dict[tuple[str, ...], str] = {}
    for placed in files:
        family = placed.file.family
        if family in families:
            yield placed.problem(
                ("family",),
                f'two files have the family "{family}"',
                f"the other is {families[family].name}",
            )
        families.setdefault(family, placed.path)
        for number, turns in enumerate(placed.file.conversations):
            loc = ("conversations", number)
            key = tuple(" ".join(fold(turn).split()) for turn in turns)
            if key in seen:
                yield placed.problem(
                    loc,
                    "this conversation appears twice",
                    f"the first is in {seen[key]}",
                )
            seen.setdefault(key, f"{placed.path.name}:{placed.node.find(loc).line}")
            if any(len(turn) > MESSAGE_CHARS for turn in turns):
                yield placed.problem(
                    loc,
                    f"a message is longer than {MESSAGE_CHARS:,} characters",
                    "no level accepts it; shorten it",
                )


def conversations(
    files: Iterable[Placed], kind: Literal["attack", "benign"]
) -> tuple[Conversation, ...]:
    """Return the conversations of one kind in the order of the files."""
    return tuple(
        Conversation(placed.file.family, turns)
        for placed in files
        if placed.file.kind == kind
        for turns in placed.file.conversations
    )


def read_attack_rows(path: Path) -> tuple[tuple[Conversation, ...], list[Problem]]:
    """Return the conversations of a JSONL file, or none and every broken row.

    Empty lines are skipped and not counted.
    """
    text, problems = _text_of(path)
    conversations: list[Conversation] = []
    for number, line in enumerate(text.split("\n"), 1):
        if not line.strip():
            continue
        row, wrong = _row(path, number, line)
        problems += wrong
        if row is not None:
            turns = row.turns if row.turns is not None else (row.text or "",)
            conversations.append(Conversation(row.family, turns))
    if not conversations and not problems:
        problems = [Problem(path, 1, "there is no attack in this file", _SHAPE)]
    if len(conversations) > MAX_ROWS:
        problems = [
            Problem(
                path,
                1,
                f"the file has {len(conversations):,} rows",
                f"at most {MAX_ROWS:,}",
            )
        ]
    return (() if problems else tuple(conversations)), problems


_SHAPE: Final = 'write {"text": "…", "family": "…"} on a line'


def _text_of(path: Path) -> tuple[str, list[Problem]]:
    try:
        if path.stat().st_size > MAX_FILE_BYTES:
            size = f"at most {MAX_FILE_BYTES // 1_000_000} MB"
            return "", [Problem(path, 1, "the file is too large", size)]
        data = path.read_bytes()
    except OSError as error:
        reason = f"cannot be read: {error.strerror}"
        return "", [Problem(path, 1, reason, "check the file")]
    try:
        return data.decode("utf-8-sig"), []
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        advice = "save the file as UTF-8"
        return "", [Problem(path, line, "this is not UTF-8 text", advice)]


def _row(path: Path, number: int, line: str) -> tuple[AttackRow | None, list[Problem]]:
    try:
        raw = json.loads(line)
    except (ValueError, RecursionError) as error:
        reason = (
            error.msg if isinstance(error, json.JSONDecodeError) else "nested too deep"
        )
        return None, [Problem(path, number, f"not readable as JSON: {reason}", _SHAPE)]
    if not isinstance(raw, dict):
        return None, [Problem(path, number, "the row must be an object", _SHAPE)]
    try:
        row = AttackRow.model_validate(raw)
    except ValidationError as error:
        # Every value of a row is on the row's own line.
        return None, list(explain(path, as_node(raw, number), AttackRow, error))
    wrong = _unplayable(row)
    return (None, [Problem(path, number, *wrong)]) if wrong else (row, [])


def _unplayable(row: AttackRow) -> tuple[str, str] | None:
    turns: Sequence[str] = row.turns or (row.text or "",)
    if not all(turn.strip() for turn in turns):
        return "a message is empty", "write something in it"
    if any(len(turn) > MESSAGE_CHARS for turn in turns):
        long = f"a message is longer than {MESSAGE_CHARS:,} characters"
        return long, "no level accepts it; shorten it"
    return None
