"""Rows in JSON: a list of objects, or one object a line."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

from finetune.data.texts.cells import clean_name
from finetune.data.texts.errors import DataError
from finetune.data.texts.table import check_columns, check_rows

_SHOWN = 40


class Objects(NamedTuple):
    """Names of columns, and rows with a text for each."""

    columns: tuple[str, ...]
    rows: list[dict[str, str]]


def read_json(text: str, name: str) -> Objects:
    """Read a list of objects, or `{"data": [ … ]}`; raise DataError."""
    whole = _parse(text, name)
    rows = whole.get("data") if isinstance(whole, dict) else whole
    if not isinstance(rows, list):
        raise DataError(
            f'{name} is JSON without rows: write [{{"text": "…"}}, …], or'
            ' {"data": [{"text": "…"}, …]}.'
        )
    check_rows(len(rows), name)
    return _objects(
        ((f"{name}, row {number}", row) for number, row in enumerate(rows, 1)), name
    )


def read_lines(text: str, name: str) -> Objects:
    """Read one object a line; blank lines are left out. Raise DataError."""
    return _objects(_parsed_lines(text, name), name)


def has_object_lines(text: str, *, expected: str) -> bool:
    """Say whether each line is an object, and not all lines together one list.

    `expected` is "json" or "jsonl", what the file is said to be.
    """
    first, _, rest = text.strip("\ufeff \t\n").partition("\n")
    try:
        row = json.loads(first)
    except (ValueError, RecursionError):
        return expected == "jsonl" and not first.startswith("[")
    if rest.strip():
        return expected == "jsonl" or isinstance(row, dict)
    return isinstance(row, dict) and not isinstance(row.get("data"), list)


def is_json(text: str) -> bool:
    """Say whether a text of unknown format is JSON, though perhaps a broken one."""
    start = text[:200].lstrip("\ufeff \t\n")
    bare = "".join(start.split())
    return bare.startswith(('{"', '[{"', "[]", "{}"))


def _parsed_lines(text: str, name: str) -> Iterator[tuple[str, Any]]:
    # Not by splitlines(): JSON may hold other ends of lines inside of a text.
    for number, line in enumerate(text.split("\n"), 1):
        check_rows(number, name)
        if line.strip():
            where = f"{name}, line {number}"
            yield where, _parse(line, where, is_line=True)


def _parse(text: str, where: str, *, is_line: bool = False) -> Any:
    try:
        return json.loads(text)
    except RecursionError as error:
        raise DataError(f"{where} is nested too deep: flatten its values.") from error
    except json.JSONDecodeError as error:
        if not is_line:
            where += f", line {error.lineno}"
        raise DataError(
            f"{where} is broken JSON at character {error.colno} ({error.msg}): check"
            " quotes, commas and brackets there."
        ) from error
    except ValueError as error:
        raise DataError(
            f"{where} holds a number that is too long: put it in quotes."
        ) from error


def _objects(found: Iterable[tuple[str, Any]], name: str) -> Objects:
    columns: dict[str, str] = {}
    rows: list[dict[str, str]] = []
    for where, row in found:
        if not isinstance(row, dict):
            raise DataError(
                f"{where} is not an object but {_shown(row)}: a row names its columns,"
                ' as in {"text": "…"}.'
            )
        for key in row:
            if key not in columns:
                columns[key] = _free_name(key, columns)
                check_columns(len(columns), name)
        rows.append({columns[key]: _text(value) for key, value in row.items()})
    names = tuple(columns.values())
    return Objects(names, [{n: row.get(n, "") for n in names} for row in rows])


def _free_name(key: str, taken: dict[str, str]) -> str:
    name = clean_name(key) or f"column{len(taken) + 1}"
    return name if name not in taken.values() else f"{name}_{len(taken) + 1}"


def _text(value: object) -> str:
    if isinstance(value, str):
        return value.replace("\r\n", "\n").replace("\r", "\n")
    return "" if value is None else json.dumps(value, ensure_ascii=False)


def _shown(value: object) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"
