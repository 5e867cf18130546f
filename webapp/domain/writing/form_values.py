"""What the forms for levels and lessons share: values as they stand in YAML."""

from __future__ import annotations

from typing import Any

from webapp.domain.writing.files import told
from webapp.domain.writing.yaml_edits import Path, at_path
from webapp.errors import InvalidInput
from webapp.reading.tree import TreeProblem, read_tree


def mapping_of(text: str, line: int = 1) -> dict[str, Any]:
    """Return what YAML says; raise InvalidInput if it is none, or no mapping.

    `line` is the one of the file on which the text begins.
    """
    try:
        data = read_tree(("\n" * (line - 1) + text).encode()).plain()
    except TreeProblem as problem:
        raise InvalidInput(
            f"{told(problem)} The form can be used once this is put right."
        ) from problem
    if not isinstance(data, dict):
        raise InvalidInput("The file must be a mapping: write key: value.")
    return data


def text_at(data: dict[str, Any], key: str) -> str:
    """Return a value as a field shows it; nothing for a list or a mapping."""
    found = data.get(key)
    return "" if found is None or isinstance(found, dict | list) else str(found)


def as_before(typed: str, before: str) -> str:
    """Return a text with the end that texts of several lines have in YAML."""
    text = typed.strip()
    is_block = before.endswith("\n") or "\n" in text
    return f"{text}\n" if text and is_block else text


def is_same(text: str, path: Path, value: Any) -> bool:
    """Say whether YAML has the value already, but for blanks at its ends."""
    found = at_path(mapping_of(text), path)
    if isinstance(found, str) and isinstance(value, str):
        return found.strip() == value.strip()
    return bool(found == value or (found is None and value in ("", None)))
