"""Sets of data to train on that are written as content: `data/NAME.yaml`."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Final

from pydantic import Field, StrictBool, StrictFloat, StrictInt

from webapp.content.schema import Line, Record, Story, Text
from webapp.reading.plain_words import did_you_mean
from webapp.reading.problems import Problem
from webapp.reading.tree import Node

MOST_ROWS: Final = 5_000
MOST_COLUMNS: Final = 20
# Braces as the trainer reads them: `{{` and `}}` are braces, `{name}` is a column.
_PIECE: Final = re.compile(r"\{\{|\}\}|\{([^{}\n]*)\}|[{}]")

Column = Annotated[str, Field(min_length=1, max_length=60, pattern=r"^[^{}\n]+$")]
Value = Annotated[str, Field(max_length=8_000)] | StrictInt | StrictFloat
Row = Annotated[dict[Column, Value], Field(min_length=1, max_length=MOST_COLUMNS)]


class DataSet(Record):
    """Rows to train on, and how each is written for the model."""

    title: Line = Field(description="How it is called on the page of data.")
    about: Story = Field(description="What it is, and what a model learns from it.")
    licence: Line | None = Field(
        None, description="Who wrote it, and what others may do with it."
    )
    text: Text = Field(
        description="What a row becomes. {name} is the value of a column, {{ a brace."
    )
    answer: Text | None = Field(
        None, description="Where there is one, only this is learned, after the text."
    )
    is_chat: StrictBool = Field(
        False, description="Text and answer are a message and its reply."
    )
    rows: tuple[Row, ...] = Field(
        min_length=2,
        max_length=MOST_ROWS,
        description="Each has the same columns: name: value.",
    )

    @property
    def columns(self) -> tuple[str, ...]:
        """The names of the columns, in the order of the first row."""
        return tuple(self.rows[0])

    @property
    def lines(self) -> str:
        """The rows as a file to train on: one JSON object a line."""
        return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in self.rows)


@dataclass(frozen=True, slots=True)
class PlacedSet:
    """A set, and the lines of its file."""

    path: Path
    node: Node
    found: DataSet

    def problems(self) -> Iterator[Problem]:
        """Yield rows with other columns, and templates that do not fit them."""
        columns = self.found.columns
        for number, row in enumerate(self.found.rows):
            if set(row) != set(columns):
                yield self._problem(
                    ("rows", number),
                    "this row has other columns than the first one",
                    f"give it {', '.join(columns)}",
                )
        named = list(self._names("text"))
        if self.found.answer is not None:
            in_answer = list(self._names("answer"))
            if not in_answer:
                yield self._problem(("answer",), "the answer names no column", _ADVICE)
            named += in_answer
        if not named:
            yield self._problem(
                ("text",), "the text names no column, so all rows are the same", _ADVICE
            )
        yield from self._unfit("text")
        yield from self._unfit("answer")

    def _names(self, key: str) -> Iterator[str]:
        for piece in _PIECE.finditer(getattr(self.found, key) or ""):
            if piece[1] is not None:
                yield piece[1].strip()

    def _unfit(self, key: str) -> Iterator[Problem]:
        columns = self.found.columns
        for name in self._names(key):
            if name not in columns:
                what = f'there is no column "{name}"'
                yield self._problem((key,), what, did_you_mean(name, columns))
        for piece in _PIECE.finditer(getattr(self.found, key) or ""):
            if piece[0] in {"{", "}"}:
                yield self._problem(
                    (key,),
                    f"there is a single {piece[0]}",
                    f"write {2 * piece[0]} for a brace, or {{name}} for a column",
                )

    def _problem(self, loc: tuple[int | str, ...], what: str, advice: str) -> Problem:
        return Problem(self.path, self.node.find(loc).line, what, advice)


_ADVICE: Final = "write one in braces, as in {text}"
