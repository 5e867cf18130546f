"""The OpenAPI document, made from the calls as they are declared."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import Any, Final

from flask import Blueprint, Response, request
from pydantic import TypeAdapter
from pydantic.json_schema import JsonSchemaMode

from webapp.api import calls
from webapp.api.health import Health
from webapp.api.operations import ALWAYS, Operation, unless_known
from webapp.api.records import Problem
from webapp.domain.play import events
from webapp.once import once

VERSION: Final = "1.0"
URL: Final = "/api/v1/openapi.json"
EVENTS: Final[tuple[type[events.Event], ...]] = (
    events.Start,
    events.Queue,
    events.GuardEvent,
    events.Delta,
    events.ShownReply,
    events.ErrorEvent,
    events.End,
)
STATUSES: Final = {
    304: "Nothing has changed.",
    400: "What was sent cannot be read or accepted; text if it is not even HTTP.",
    401: "There is no valid token.",
    403: "The level is still locked.",
    404: "It does not exist.",
    409: "It cannot be done in the current state.",
    413: "The body is too large.",
    415: "The body is not JSON.",
    421: "The site is not known under this host name.",
    429: "A limit is used up; `scope` says whose.",
    431: "The address and headers are too long together; this answer is text.",
    500: "An error on our side.",
    502: "A model failed.",
    503: "The model or the database is too busy just now.",
    504: "A model took too long.",
}
_PARAMETERS: Final = {
    "level_id": "Id of a level, as GET /levels gives it.",
    "n": "Number of the hint, from 1.",
    "data_id": "Id of your data.",
    "run_id": "Id of your run.",
    "name": "Name of a guard: the `model` of its run.",
}
# The server says them before the site has seen the request.
_TEXTS: Final = frozenset({400, 431})
_ABOUT: Final = """\
Everything you can play on the pages you can also play here. Get a token from
`POST /api/v1/players` or from your own page, and send it as
`Authorization: Bearer <token>`. Cookies are ignored. Every error has the same
shape.
"""
_PART = re.compile(r"<(?:(\w+):)?(\w+)>")

bp = Blueprint("api_document", __name__)


@bp.get(URL)
def document() -> Response:
    """Return the document."""
    text = _text(request.script_root or "/")
    response = Response(text, mimetype="application/json")
    response.headers["Cache-Control"] = "no-cache"
    return unless_known(response)


# A proxy may pass on whatever prefix it is sent.
@lru_cache(maxsize=4)
def _text(root: str) -> str:
    return json.dumps(
        whole() | {"servers": [{"url": root}]}, ensure_ascii=False, indent=1
    )


@once
def whole() -> dict[str, Any]:
    """Return the document of all calls, of a site at the top of its host."""
    return build(calls.operations())


def build(operations: tuple[Operation, ...]) -> dict[str, Any]:
    """Return the OpenAPI 3.1 document of these calls."""
    schemas = _Schemas(operations)
    paths: dict[str, dict[str, Any]] = {}
    for operation in operations:
        path = paths.setdefault(path_of(operation), {})
        path[operation.method.lower()] = _describe(operation, schemas)
    paths[URL] = {"get": _describe_document(schemas)}
    paths["/health"] = {"get": _describe_health(schemas)}
    return {
        "openapi": "3.1.0",
        "info": {"title": "Wordkeep", "version": VERSION, "description": _ABOUT},
        "servers": [{"url": "/"}],
        "paths": paths,
        "components": {
            "schemas": schemas.components,
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
        },
    }


def path_of(operation: Operation) -> str:
    """Return the path of a call as OpenAPI writes it."""
    return "/api/v1" + _PART.sub(r"{\2}", operation.rule)


class _Schemas:
    """The schemas of all records, by name, and references to them."""

    def __init__(self, operations: tuple[Operation, ...]) -> None:
        wanted: list[tuple[str, JsonSchemaMode, TypeAdapter[Any]]] = []
        for operation in operations:
            wanted.append((operation.name, "serialization", operation.answer))
            if operation.body is not None:
                body: TypeAdapter[Any] = TypeAdapter(operation.body)
                wanted.append((operation.name, "validation", body))
        kinds: tuple[type, ...] = (Problem, Health, *EVENTS)
        for kind in kinds:
            wanted.append((kind.__name__, "serialization", TypeAdapter(kind)))
        self._found, rest = TypeAdapter.json_schemas(
            wanted, ref_template="#/components/schemas/{model}"
        )
        self.components: dict[str, Any] = rest["$defs"]

    def body(self, operation: Operation) -> dict[str, Any]:
        return self._found[operation.name, "validation"]

    def answer(self, name: str) -> dict[str, Any]:
        return self._found[name, "serialization"]


def _describe(operation: Operation, schemas: _Schemas) -> dict[str, Any]:
    content = {"application/json": {"schema": schemas.answer(operation.name)}}
    if operation.streams:
        content["text/event-stream"] = _describe_stream(schemas)
    responses: dict[str, Any] = {
        str(operation.status): {"description": "Done.", "content": content}
    }
    responses |= _describe_problems(operation.problems, schemas)
    described: dict[str, Any] = {
        "operationId": operation.name,
        "summary": operation.summary,
        "description": operation.description,
        "security": [{"token": []}] if operation.needs_token else [],
        "parameters": [*_path_parameters(operation), *_query_parameters(operation)],
        "responses": responses,
    }
    if operation.body is not None:
        described["requestBody"] = {
            "required": True,
            "content": {"application/json": {"schema": schemas.body(operation)}},
        }
    return described


def _describe_problems(
    statuses: Iterable[int], schemas: _Schemas
) -> dict[str, dict[str, Any]]:
    return {str(n): _describe_problem(n, schemas) for n in sorted(statuses)}


def _describe_problem(status: int, schemas: _Schemas) -> dict[str, Any]:
    if status == 304:
        return {"description": STATUSES[status]}
    content: dict[str, Any] = {}
    if status != 431:
        content["application/json"] = {"schema": schemas.answer(Problem.__name__)}
    if status in _TEXTS:
        content["text/plain"] = {"schema": {"type": "string"}}
    return {"description": STATUSES[status], "content": content}


def _describe_stream(schemas: _Schemas) -> dict[str, Any]:
    """Return the events; OpenAPI 3.1 has no words for them but an extension."""
    described = "Server-sent events; skip lines that start with a colon."
    return {
        "schema": {"type": "string", "description": described},
        "x-events": {kind.name: schemas.answer(kind.__name__) for kind in EVENTS},
    }


def _path_parameters(operation: Operation) -> Iterator[dict[str, Any]]:
    for converter, name in _PART.findall(operation.rule):
        yield {
            "name": name,
            "in": "path",
            "required": True,
            "description": _PARAMETERS[name],
            "schema": {"type": "integer" if converter == "int" else "string"},
        }


def _query_parameters(operation: Operation) -> Iterator[dict[str, Any]]:
    if operation.query is None:
        return
    schema = operation.query.model_json_schema()
    for name, described in schema["properties"].items():
        described.pop("title", None)
        yield {
            "name": name,
            "in": "query",
            "required": name in schema.get("required", ()),
            "description": described.pop("description", ""),
            "schema": described,
        }


def _describe_document(schemas: _Schemas) -> dict[str, Any]:
    content = {"application/json": {"schema": {"type": "object"}}}
    return {
        "operationId": "document",
        "summary": "Get this document",
        "security": [],
        "responses": {
            "200": {"description": "Done.", "content": content},
            **_describe_problems(ALWAYS | {304}, schemas),
        },
    }


def _describe_health(schemas: _Schemas) -> dict[str, Any]:
    content = {"application/json": {"schema": schemas.answer(Health.__name__)}}
    return {
        "operationId": "health",
        "summary": "Ask how the site is",
        "security": [],
        "responses": {
            "200": {"description": "The site can be played.", "content": content},
            **_describe_problems(ALWAYS - {503}, schemas),
            "503": {
                "description": "Something is wrong; the body says what.",
                "content": content,
            },
        },
    }
