"""Somebody's own messages, of which a small guard can be made."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from finetune.data.guards.rows import Row, read_rows
from finetune.errors import FinetuneError
from finetune.guards.text import fold

# Of each class; of both; and characters of one message.
LEAST, MOST, LONGEST = 10, 2000, 4000


class OwnGuardError(FinetuneError):
    """A guard cannot be made of these messages; one sentence for a person."""


def read_messages(path: Path, *, called: str = "") -> list[Row]:
    """Return the different messages of a file, each once, in their order.

    `called` is what a person calls the file. Raises RecipeError about a line that is
    not a row, and OwnGuardError about a message that is empty, too long or in both
    classes, or too few or too many of them.
    """
    found: dict[str, Row] = {}
    for number, given in enumerate(read_rows(path, called=called), 1):
        row = Row(given["text"].strip(), given["label"], "own")
        where = f"{called or path}: message {number}"
        key = " ".join(fold(row.text).casefold().split())
        if not key:
            raise OwnGuardError(f"{where} is empty: leave it out.")
        if len(row.text) > LONGEST:
            raise OwnGuardError(
                f"{where} has {len(row.text)} characters: shorten it to {LONGEST}."
            )
        if found.setdefault(key, row).label != row.label:
            raise OwnGuardError(
                f"{where} is both an attack and harmless: keep it in one class."
                f" It begins: {row.text[:60]!r}."
            )
    rows = list(found.values())
    _check_counts(rows)
    return rows


def _check_counts(rows: Sequence[Row]) -> None:
    for label, called in ((1, "attacks"), (0, "harmless messages")):
        count = sum(row.label == label for row in rows)
        if count < LEAST:
            raise OwnGuardError(
                f"There are {count} different {called}: a guard needs at least {LEAST}"
                " of each class. Add more."
            )
    if len(rows) > MOST:
        raise OwnGuardError(f"There are {len(rows)} messages: keep at most {MOST}.")
