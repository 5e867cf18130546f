"""Cells of tables that spreadsheets open."""

from __future__ import annotations

from datetime import datetime
from typing import Final

# What begins like this is a formula to a spreadsheet, whoever wrote it.
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")


def neutral(value: object) -> str:
    """Return a value as a cell that no spreadsheet takes for a formula.

    None is an empty cell, a moment is written in UTC. Numbers stay numbers.
    """
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int | float):
        return str(value)
    if isinstance(value, datetime):
        return value.strftime("%Y-%m-%d %H:%M:%S")
    text = str(value)
    return f"'{text}" if text.startswith(_FORMULA) else text
