"""What a row is written as: templates with the names of columns in braces."""

from __future__ import annotations

import difflib
import json
import re
from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple

from finetune.data.texts.errors import DataError
from finetune.data.texts.table import Table
from finetune.recipes.lm import TextRows

# As in Stanford's Alpaca. `text: alpaca` takes one or the other by whether a row has
# an input.
ALPACA_WITH_INPUT: Final = (
    "Below is an instruction that describes a task, paired with an input that provides"
    " further context. Write a response that appropriately completes the request.\n\n"
    "### Instruction:\n{instruction}\n\n### Input:\n{input}\n\n### Response:\n"
)
ALPACA: Final = (
    "Below is an instruction that describes a task. Write a response that"
    " appropriately completes the request.\n\n"
    "### Instruction:\n{instruction}\n\n### Response:\n"
)
ALPACA_NAME: Final = "alpaca"
# The column of OpenAI's files; alone in a template, its turns are the turns of a chat.
MESSAGES: Final = "messages"
CHAT: Final = "{messages}"

_ROLES = ("system", "user", "assistant")
_PIECE = re.compile(r"\{\{|\}\}|\{([^{}\n]*)\}|[{}]")
_SHOWN_COLUMNS = 12
_UNSEEN = re.compile("[\\s\u200b\u200c\u200d\u2060\ufeff\u00ad]+")

Message = Mapping[str, Any]


class Rendered(NamedTuple):
    """A row as it is learned: `text`, and after it `answer` if only that is learned.

    `content` is what the row itself gave, without the words of the template. `messages`
    are the turns of a row that is a chat. A row with nothing to learn has no text.
    """

    text: str
    answer: str | None = None
    content: str = ""
    messages: tuple[Message, ...] | None = None

    def whole(self) -> str:
        """Return text and answer as one."""
        return self.text + (self.answer or "")

    def is_empty(self) -> bool:
        """Say whether there is nothing to learn."""
        return is_blank(self.whole())


class Template:
    """A text with `{column}` in it; `{{` and `}}` are braces."""

    def __init__(self, text: str, columns: Sequence[str]) -> None:
        """Check a template; raise DataError if it names what is no column."""
        self.names: list[str] = []
        # Text and names of columns by turns, beginning and ending with text.
        self._parts: list[str] = [""]
        at = 0
        for piece in _PIECE.finditer(text):
            self._parts[-1] += text[at : piece.start()]
            at = piece.end()
            if piece[0] in ("{{", "}}"):
                self._parts[-1] += piece[0][0]
            elif piece[1] is None:
                raise DataError(
                    f"The template {_short(text)} has a single {piece[0]}: write"
                    f" {piece[0] * 2} for a brace, or {{column}} for a column."
                )
            else:
                self.names.append(_column(piece[1].strip(), columns))
                self._parts += [self.names[-1], ""]
        self._parts[-1] += text[at:]

    def fill(self, row: Mapping[str, str]) -> str:
        """Put the values of a row in."""
        return "".join(
            row[part] if place % 2 else part for place, part in enumerate(self._parts)
        )


class Renderer:
    """Writes rows by the template of a text and, if there is one, of an answer.

    `text` is a template, "alpaca" for Alpaca's two, or "{messages}" for chats.
    """

    def __init__(self, text: str, answer: str | None, columns: Sequence[str]) -> None:
        """Check the templates; raise DataError if they do not fit the columns."""
        self.is_chat_rows = (
            text.strip() == CHAT and MESSAGES in columns and answer is None
        )
        self._short: Template | None = None
        if text.strip() in (ALPACA_NAME, ALPACA_WITH_INPUT.strip()):
            self._short = Template(ALPACA, columns)
            text = ALPACA_WITH_INPUT if "input" in columns else ALPACA
        self._text = Template(text, columns)
        self._answer = None if answer is None else Template(answer, columns)
        if not self._text.names and not (self._answer and self._answer.names):
            raise DataError(
                f"The template {_short(text)} names no column, so all rows would be the"
                f" same: write one in braces, as in {{{next(iter(columns), 'text')}}}."
            )
        if self._answer is not None and not self._answer.names:
            raise DataError(
                f"The answer {_short(answer or '')} names no column, so nothing is"
                f" learned: write one in braces; {_known(columns)}."
            )

    def render(self, row: Mapping[str, str]) -> Rendered:
        """Write a row; raise DataError if it should be a chat and is none."""
        if self.is_chat_rows:
            return _chat(row[MESSAGES])
        template = self._text
        if self._short is not None and is_blank(row.get("input", "")):
            template = self._short
        values = [row[name] for name in template.names]
        text = template.fill(row)
        if self._answer is None:
            content = _content(values)
            return Rendered(text, None, content) if content else Rendered("")
        answers = [row[name] for name in self._answer.names]
        # Without an answer there is nothing to learn, however long the text.
        if not _content(answers):
            return Rendered("")
        content = _content([*values, *answers])
        return Rendered(text, self._answer.fill(row), content)


def render_rows(table: Table, data: TextRows) -> list[Rendered]:
    """Write all rows of a table, also the empty ones; raise DataError with the row."""
    renderer = Renderer(data.text, data.answer, table.columns)
    if data.is_chat and data.answer is None and not renderer.is_chat_rows:
        raise DataError(
            "A chat needs an answer: say which column holds what the model should"
            f" reply; {_known(table.columns)}."
        )
    written = []
    for number, row in enumerate(table.rows, 1):
        try:
            written.append(renderer.render(row))
        except DataError as error:
            raise DataError(f"Row {number}: {error}") from error
    return written


def is_blank(text: str) -> bool:
    """Say whether nothing of a text can be seen."""
    return not text or _UNSEEN.fullmatch(text) is not None


def _content(values: Sequence[str]) -> str:
    return "\n".join(value for value in values if not is_blank(value))


def _column(name: str, columns: Sequence[str]) -> str:
    if name in columns:
        return name
    folded = {column.casefold(): column for column in columns}
    near = difflib.get_close_matches(name.casefold(), folded, 1, 0.6)
    meant = f" Did you mean {{{folded[near[0]]}}}?" if near else ""
    raise DataError(f"There is no column {{{name}}}; {_known(columns)}.{meant}")


def _known(columns: Sequence[str]) -> str:
    shown = ", ".join(columns[:_SHOWN_COLUMNS])
    more = len(columns) - _SHOWN_COLUMNS
    shown += f" and {more} more" if more > 0 else ""
    return f"the column is {shown}" if len(columns) == 1 else f"columns are {shown}"


def _short(text: str) -> str:
    line = " ".join(text.split())
    return f"“{line}”" if len(line) <= 60 else f"“{line[:60]}…”"


def _chat(value: str) -> Rendered:
    if is_blank(value):
        return Rendered("")
    try:
        found = json.loads(value)
        messages = tuple(_message(each) for each in found)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise DataError(
            'messages are written as [{"role": "user", "content": "…"}, {"role":'
            ' "assistant", "content": "…"}].'
        ) from error
    if not any(m["role"] == "assistant" and m.get("learn", True) for m in messages):
        raise DataError("there is nothing to learn: no message is the assistant's.")
    text = "\n".join(f"{each['role']}: {each['content']}" for each in messages)
    said = [each["content"] for each in messages if each["role"] != "system"]
    return Rendered(text, None, _content(said), messages)


def _message(given: Any) -> Message:
    role, content = given["role"], given["content"]
    if isinstance(content, list):
        content = "".join(part["text"] for part in content)
    if role not in _ROLES or not isinstance(content, str):
        raise ValueError(role)
    # OpenAI's way to say that an answer is only to be read.
    if given.get("weight", 1) == 0:
        return {"role": role, "content": content, "learn": False}
    return {"role": role, "content": content}
