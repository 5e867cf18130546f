"""The JSON of a request."""

from __future__ import annotations

import json
from typing import Any

from flask import request

from finetune.serving.errors import ApiError


def json_body() -> Any:
    """Return the object that was sent; raise ApiError if there is none."""
    try:
        text = request.get_data() if request.is_json else b""
        body = json.loads(text, object_pairs_hook=_each_once)
    except (ValueError, RecursionError):
        body = None
    if not isinstance(body, dict):
        raise ApiError("The body must be a JSON object.", code="invalid_json")
    return body


def _each_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Refuse two keys of one name: programs differ in which of them they take."""
    found = dict(pairs)
    if len(found) < len(pairs):
        twice = next(key for n, (key, _) in enumerate(pairs) if key in dict(pairs[:n]))
        raise ApiError(f"The key {twice[:60]!r} appears twice.", code="invalid_json")
    return found
