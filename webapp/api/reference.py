"""The page at /api: the OpenAPI document as a person reads it."""

from __future__ import annotations

import json
import shlex
from dataclasses import dataclass
from typing import Any, Final

from flask import Blueprint, render_template, request, url_for

from webapp.api import calls, openapi
from webapp.api.operations import Operation
from webapp.api.records import SOURCE
from webapp.once import once

_SAMPLES: Final = {
    "{level_id}": "open",
    "{n}": "1",
    "{data_id}": "1",
    "{run_id}": "1",
    "{name}": "my-guard",
}
_TYPES: Final = {
    "string": "text",
    "integer": "whole number",
    "number": "number",
    "boolean": "true or false",
    "null": "null",
    "object": "object",
}

bp = Blueprint("reference", __name__)


@dataclass(frozen=True, slots=True)
class Field:
    """One key, parameter or line of a record."""

    name: str
    kind: str
    meaning: str
    is_required: bool


@dataclass(frozen=True, slots=True)
class Call:
    """One call as the page shows it."""

    name: str
    method: str
    path: str
    summary: str
    description: str
    parameters: tuple[Field, ...]
    body: tuple[Field, ...]
    answer: str
    record: str
    example: str
    problems: tuple[tuple[int, str], ...]
    curl: str


@dataclass(frozen=True, slots=True)
class Record:
    """A kind of answer, with its keys."""

    name: str
    meaning: str
    fields: tuple[Field, ...]


@dataclass(frozen=True, slots=True)
class Reference:
    """All that the page shows."""

    calls: tuple[Call, ...]
    records: tuple[Record, ...]
    events: tuple[Record, ...]


@bp.get("/api")
def page() -> str:
    """Show all calls, each with an example for the command line."""
    return render_template(
        "api/reference.html",
        reference=_reference(),
        site=request.url_root.rstrip("/"),
        document_url=url_for("api_document.document"),
    )


@once
def _reference() -> Reference:
    document = openapi.whole()
    schemas = document["components"]["schemas"]
    names = {kind.__name__: kind.name for kind in openapi.EVENTS}
    records = {name: _record(name, schema) for name, schema in schemas.items()}
    bodies = {op.body.__name__ for op in calls.operations() if op.body is not None}
    return Reference(
        calls=tuple(_call(op, document) for op in calls.operations()),
        records=tuple(
            record
            for name, record in sorted(records.items())
            if name not in names and name not in bodies
        ),
        events=tuple(_record(event, schemas[name]) for name, event in names.items()),
    )


def _call(operation: Operation, document: dict[str, Any]) -> Call:
    path = openapi.path_of(operation)
    described = document["paths"][path][operation.method.lower()]
    schemas = document["components"]["schemas"]
    answer = described["responses"][str(operation.status)]["content"]
    schema = answer["application/json"]["schema"]
    body = schemas[operation.body.__name__] if operation.body else {}
    return Call(
        name=operation.name,
        method=operation.method,
        path=path,
        summary=described["summary"],
        description=described["description"],
        parameters=tuple(_parameter(p) for p in described["parameters"]),
        body=_fields(body),
        answer=_kind(schema),
        record=_kind(schema.get("items") or schema),
        example=_example(schema, schemas),
        problems=tuple((s, openapi.STATUSES[s]) for s in operation.problems),
        curl=_curl(operation, path, body),
    )


def _record(name: str, schema: dict[str, Any]) -> Record:
    meaning = " ".join(schema.get("description", "").split())
    return Record(name, meaning, _fields(schema))


def _fields(schema: dict[str, Any]) -> tuple[Field, ...]:
    required = schema.get("required", ())
    return tuple(
        Field(name, _kind(part), part.get("description", ""), name in required)
        for name, part in schema.get("properties", {}).items()
    )


def _parameter(described: dict[str, Any]) -> Field:
    return Field(
        described["name"],
        _kind(described["schema"]),
        described["description"],
        described["required"],
    )


def _kind(schema: dict[str, Any]) -> str:
    """Return a schema in words."""
    if "$ref" in schema:
        return str(schema["$ref"]).rpartition("/")[2]
    if "anyOf" in schema:
        return " or ".join(_kind(part) for part in schema["anyOf"])
    if "enum" in schema:
        return " | ".join(str(value) for value in schema["enum"])
    if schema.get("type") == "array":
        return f"list of {_kind(schema['items'])}"
    if schema.get("format") == "date-time":
        return "time"
    values = schema.get("additionalProperties")
    if isinstance(values, dict):
        return f"object of {_kind(values)}"
    return _TYPES.get(schema.get("type", ""), "anything")


def _example(schema: dict[str, Any], schemas: dict[str, Any]) -> str:
    examples = schemas.get(_kind(schema), {}).get("examples")
    return json.dumps(examples[0], ensure_ascii=False, indent=2) if examples else ""


def _curl(operation: Operation, path: str, body: dict[str, Any]) -> str:
    """Return the command after `curl`, without the address of the site."""
    for name, sample in _SAMPLES.items():
        path = path.replace(name, sample)
    parts = [f'"$SITE{path}"']
    if operation.method == "POST":
        parts.insert(0, "-X POST")
    if operation.needs_token:
        parts.append('-H "Authorization: Bearer $TOKEN"')
    if not body:
        return _command(parts)
    parts.append('-H "Content-Type: application/json"')
    if source := body.get(SOURCE):
        # What the site itself has sealed cannot be written down here.
        asked = [f'"$SITE{source}"', '-H "Authorization: Bearer $TOKEN"']
        return f"{_command(asked)} |\n  {_command([*parts, '-d @-'])}"
    sent = json.dumps(body["examples"][0], ensure_ascii=False)
    return _command([*parts, f"-d {shlex.quote(sent)}"])


def _command(parts: list[str]) -> str:
    return "curl " + " \\\n  ".join(parts)
