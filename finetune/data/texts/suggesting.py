"""What a table seems to be, for somebody who has not chosen columns yet."""

from __future__ import annotations

import re
from typing import NamedTuple

from finetune.data.texts.errors import DataError
from finetune.data.texts.rendering import ALPACA_NAME, CHAT, MESSAGES, Template
from finetune.data.texts.table import Table
from finetune.recipes.lm import TextRows

_SAMPLE = 200
_NUMBER = re.compile(r"[-+]?[\d.,:/\s%]+")
_DEFAULT = TextRows.model_fields["text"].default
# Columns of a prompt, then of its answer: what people call them.
_PAIRS = (
    ("question", "answer"),
    ("prompt", "completion"),
    ("prompt", "response"),
    ("instruction", "response"),
    ("question", "sql"),
    ("input", "output"),
    ("text", "label"),
    ("text", "summary"),
)


class Suggestion(NamedTuple):
    """Templates that fit a table, and why."""

    text: str
    answer: str | None
    is_chat: bool
    about: str


def suggest(table: Table) -> Suggestion:
    """Say how rows of this table are best written.

    Raises DataError if no column holds texts.
    """
    columns = set(table.columns)
    if MESSAGES in columns and _is_chats(table):
        return Suggestion(CHAT, None, True, "Rows are chats, as in files for OpenAI.")
    if {"instruction", "output"} <= columns:
        about = "Rows are instructions with answers, as in Alpaca."
        return Suggestion(ALPACA_NAME, "{output}", False, about)
    for prompt, answer in _PAIRS:
        if {prompt, answer} <= columns:
            asks = f"{{{prompt}}}\n"
            if answer == "sql" and "schema" in columns:
                asks = f"{{schema}}\n{asks}"
            about = f"Rows are prompts ({prompt}) with answers ({answer})."
            return Suggestion(asks, f"{{{answer}}}", False, about)
    column = first_text_column(table)
    return Suggestion(f"{{{column}}}", None, False, f"Texts are in {column}.")


def resolve(table: Table, data: TextRows) -> TextRows:
    """Return the settings as they are used with a table.

    The template of those who chose none is `{text}`. Where there is no such column,
    the first one with texts is taken, or chats are if the rows are chats. Raises
    DataError if no column holds texts.
    """
    if data.text.strip() == CHAT and data.answer is None and MESSAGES in table.columns:
        return data
    if data.text != _DEFAULT or "text" in table.columns:
        return data
    if data.answer is None and MESSAGES in table.columns and _is_chats(table):
        return data.model_copy(update={"text": CHAT, "is_chat": True})
    # What is the answer must not be in the prompt already.
    taken = Template(data.answer or "", table.columns).names
    return data.model_copy(
        update={"text": f"{{{first_text_column(table, without=taken)}}}"}
    )


def first_text_column(table: Table, *, without: list[str] | None = None) -> str:
    """Return the first column in which most values are texts, not numbers or lists."""
    for column in table.columns:
        if without and column in without:
            continue
        values = [row[column].strip() for row in table.rows[:_SAMPLE]]
        filled = [value for value in values if value]
        texts = [v for v in filled if not _NUMBER.fullmatch(v) and v[0] not in "[{"]
        if filled and 2 * len(texts) >= len(filled):
            return column
    raise DataError(
        f"No column holds texts; columns are {', '.join(table.columns[:12])}: choose a"
        " file with sentences in it, or name columns in a template yourself."
    )


def _is_chats(table: Table) -> bool:
    values = [row[MESSAGES].lstrip() for row in table.rows[:_SAMPLE]]
    filled = [value for value in values if value]
    return bool(filled) and all(value.startswith("[{") for value in filled)
