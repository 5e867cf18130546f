"""What callers send, or an error that names the place."""

from __future__ import annotations

import json
from typing import Any, TypeVar

from flask import request
from pydantic import ValidationError
from pydantic_core import from_json

from webapp.api.problems import InvalidField, NotJson
from webapp.api.records import Given
from webapp.errors import InvalidInput
from webapp.reading.plain_words import what_is_wrong

G = TypeVar("G", bound=Given)


def read_body(kind: type[G]) -> G:
    """Return the JSON body as `kind`."""
    if not request.is_json:
        raise NotJson("Send JSON, with the header “Content-Type: application/json”.")
    body = request.get_data()
    try:
        # Not json.loads: this one refuses NaN, half characters and deep nesting.
        from_json(body, allow_inf_nan=False)
        # But it takes the last of two keys, and others may take the first.
        data = json.loads(body, object_pairs_hook=_each_once)
    except ValueError as error:
        raise InvalidInput(
            f"The body is not valid JSON: {error}.", code="invalid_json"
        ) from None
    if not isinstance(data, dict):
        raise InvalidInput("The body must be a JSON object: {…}.", code="invalid_json")
    return _validate(kind, data)


def _each_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        twice = next(key for n, (key, _) in enumerate(pairs) if key in dict(pairs[:n]))
        raise InvalidField(f"“{twice[:60]}” appears twice.", field=twice[:60])
    return found


def read_query(kind: type[G]) -> G:
    """Return the parameters of the address as `kind`."""
    for name, values in request.args.lists():
        if len(values) > 1:
            raise InvalidField(f"“{name[:60]}” appears twice.", field=name[:60])
    return _validate(kind, request.args.to_dict())


def _validate(kind: type[G], data: dict[str, Any]) -> G:
    try:
        return kind.model_validate(data)
    except ValidationError as error:
        # Without the input: what was sent is not sent back.
        first = error.errors(include_input=False, include_url=False)[0]
    field = ".".join(str(part) for part in first["loc"])[:60]
    if first["type"] == "extra_forbidden":
        known = ", ".join(
            info.alias or name for name, info in kind.model_fields.items()
        )
        message = f"“{field}” is not known here. There are: {known}."
    else:
        wrong, _ = what_is_wrong(first, first["loc"])
        message = f"“{field}”{wrong}."
    raise InvalidField(message, field=field)
