"""What a JSON Schema says of a key, in plain words."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

_NAMES: Final = {
    "string": "text",
    "integer": "a whole number",
    "number": "a number",
    "boolean": "true or false",
    "object": "keys",
    "null": "nothing",
}
_PATTERNS: Final = {
    "^[a-z][a-z0-9-]{0,39}$": "a short name (small letters, digits and hyphens)",
    "^[a-z0-9][a-z0-9-]*/[a-z0-9][a-z0-9-]*$": "track/name",
    r"^[a-z][a-z0-9-]*/[a-z][a-z0-9-]*$": "track/name",
    "^[a-z0-9-]+/[a-z0-9-]+$": "ladder/level",
    r"^\d{4}-\d{2}-\d{2}$": "a date, as 2026-11-29",
    r"^\d{1,2} of \d{1,2}$": "k of n, as 3 of 5",
    r"^https?://[^\s<>\"]+$": "an address that begins with https://",
}


def type_words(schema: Mapping[str, Any]) -> str:
    """Return what may be written for a key."""
    if "$ref" in schema:
        is_check = schema["$ref"].endswith("/Check")
        return "a check" if is_check else "keys, explained below"
    if "anyOf" in schema:
        return _choice_words(schema["anyOf"])
    if "enum" in schema:
        return " or ".join(str(value) for value in schema["enum"])
    if "const" in schema:
        return str(schema["const"])
    if schema.get("pattern") in _PATTERNS:
        return _PATTERNS[schema["pattern"]]
    kind = schema.get("type", "")
    if isinstance(kind, list):
        return " or ".join(_NAMES[one] for one in kind)
    if kind == "array":
        return _list_words(schema)
    return _NAMES.get(kind, "anything") + _bounds(schema)


def _list_words(schema: Mapping[str, Any]) -> str:
    if "prefixItems" in schema:
        inside = ", ".join(type_words(one) for one in schema["prefixItems"])
        return f"a list of {len(schema['prefixItems'])}: {inside}"
    most = schema.get("maxItems")
    inside = type_words(schema.get("items", {}))
    return f"a list of up to {most}: {inside}" if most else f"a list of: {inside}"


def _choice_words(schemas: Sequence[Mapping[str, Any]]) -> str:
    """Return what one may choose from; one of a kind, or a list of them, as that."""
    kinds = list(dict.fromkeys(map(type_words, schemas)))
    kinds = [kind for kind in kinds if kind != _NAMES["null"]]
    one, *more = kinds
    if len(more) == 1 and more[0].startswith("a list") and more[0].endswith(f": {one}"):
        return f"{one}, or a list of these"
    return " or ".join(kinds)


def _bounds(schema: Mapping[str, Any]) -> str:
    low = schema.get("minimum", schema.get("exclusiveMinimum"))
    high = schema.get("maximum", schema.get("exclusiveMaximum"))
    if low is not None and high is not None:
        return f" ({_number(low)} to {_number(high)})"
    if low is not None:
        return f" ({_number(low)} or more)"
    if high is not None:
        return f" (up to {_number(high)})"
    if "maxLength" in schema:
        return f" (up to {_number(schema['maxLength'])} characters)"
    return ""


def _number(value: float) -> str:
    return f"{value:,}"


def default_words(schema: Mapping[str, Any]) -> str:
    """Return what holds where a key is not written; empty if that is nothing."""
    if "default" not in schema or schema["default"] in (None, "", [], {}):
        return ""
    value = schema["default"]
    if isinstance(value, dict) and not any(value.values()):
        return ""
    if isinstance(value, list):
        return ", ".join(map(str, value))
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def path_to(
    name: str, top: Mapping[str, Any], records: Mapping[str, Any]
) -> tuple[str, ...]:
    """Return the keys that lead from the top of a file to a record; () if none do."""
    waiting: list[tuple[tuple[str, ...], Mapping[str, Any]]] = [((), top)]
    seen: set[str] = set()
    while waiting:
        path, schema = waiting.pop(0)
        for key, value in schema.get("properties", {}).items():
            for below in _references(value):
                if below == name:
                    return (*path, key)
                if below in records and below not in seen:
                    seen.add(below)
                    waiting.append(((*path, key), records[below]))
    return ()


def _references(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        if "$ref" in value:
            yield str(value["$ref"]).rpartition("/")[2]
        for below in value.values():
            yield from _references(below)
    elif isinstance(value, list):
        for below in value:
            yield from _references(below)


def block(text: str, key: str) -> str:
    """Return a key at the top of a YAML text with all that is written under it."""
    found = re.search(rf"^{re.escape(key)}:.*\n(?:[ \t]+.*\n|\n(?=[ \t]))*", text, re.M)
    return found[0] if found else ""
