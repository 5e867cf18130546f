"""JSON Schemas of records, as editors like them."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel


def schema_of(model: type[BaseModel]) -> dict[str, Any]:
    """Return the schema of a record, without titles that say nothing."""
    schema = model.model_json_schema(ref_template="#/$defs/{model}")
    _drop_titles(schema)
    return schema


def label_of(plugin: type) -> str:
    """Return the one line in which a plug-in describes itself."""
    return (plugin.__doc__ or "").strip().partition("\n")[0]


def _drop_titles(node: Any) -> None:
    """Delete the titles that pydantic makes up: they hide the key in editors."""
    if isinstance(node, list):
        for entry in node:
            _drop_titles(entry)
    elif isinstance(node, dict):
        # A property may be called "title"; then its value is not text.
        if isinstance(node.get("title"), str):
            del node["title"]
        for entry in node.values():
            _drop_titles(entry)
