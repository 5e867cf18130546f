"""The OpenAPI document says what the code does."""

from __future__ import annotations

import re
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from jsonschema import Draft202012Validator

from tests.kit.caller import DOCUMENT, Caller, check
from webapp.api import calls, openapi

_PART = re.compile(r"<(?:\w+:)?(\w+)>")


def operations() -> list[tuple[str, str, dict[str, Any]]]:
    return [
        (path, method, call)
        for path, methods in DOCUMENT["paths"].items()
        for method, call in methods.items()
    ]


def test_every_rule_is_described_and_nothing_else(app: Flask) -> None:
    rules = {
        (_PART.sub(r"{\1}", rule.rule), method)
        for rule in app.url_map.iter_rules()
        if rule.rule.startswith("/api/") or rule.rule == "/health"
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
    }
    assert rules == {(path, method.upper()) for path, method, _ in operations()}


def test_the_document_is_served(client: FlaskClient) -> None:
    answer = client.get("/api/v1/openapi.json")
    assert answer.get_json() == DOCUMENT
    again = client.get(
        "/api/v1/openapi.json", headers={"If-None-Match": answer.headers["ETag"]}
    )
    assert again.status_code == 304


@pytest.mark.parametrize("path", ["/api/v1/openapi.json", "/api/v1/leaderboard"])
@pytest.mark.parametrize(
    ("header", "given", "status"),
    [
        ("If-None-Match", "*", 304),
        ("If-None-Match", '"other"', 200),
        # Meant for changes; a status for it is not in the document.
        ("If-Match", '"other"', 200),
        ("If-Match", '"other', 200),
        ("Range", "bytes=0-1", 200),
        ("If-Modified-Since", "never", 200),
    ],
)
def test_what_a_caller_may_know_already(
    app: Flask, path: str, header: str, given: str, status: int
) -> None:
    caller = Caller(app)
    caller.join()
    answer = caller.client.get(
        path, headers={"Authorization": f"Bearer {caller.token}", header: given}
    )
    assert answer.status_code == status


def test_every_schema_is_a_schema_and_every_reference_leads_somewhere() -> None:
    schemas = DOCUMENT["components"]["schemas"]
    for name, schema in schemas.items():
        Draft202012Validator.check_schema(schema)
        assert schema.get("description"), name
    text = str(DOCUMENT)
    for name in re.findall(r"#/components/schemas/(\w+)", text):
        assert name in schemas


def test_every_example_fits_its_schema() -> None:
    examples = [
        (name, example)
        for name, schema in DOCUMENT["components"]["schemas"].items()
        for example in schema.get("examples", ())
    ]
    assert len(examples) >= 6
    for name, example in examples:
        check({"$ref": f"#/components/schemas/{name}"}, example)


def test_names_are_unique_and_all_is_said() -> None:
    names = [call["operationId"] for _, _, call in operations()]
    assert len(set(names)) == len(names)
    for path, method, call in operations():
        assert call["summary"], path
        parameters = {
            p["name"] for p in call.get("parameters", ()) if p["in"] == "path"
        }
        assert parameters == set(re.findall(r"{(\w+)}", path)), path
        assert all(p["description"] for p in call.get("parameters", ())), path
        if call["security"] == [{"token": []}]:
            assert "401" in call["responses"], (path, method)


def test_every_call_may_be_answered_by_what_every_request_may() -> None:
    for path, _, call in operations():
        assert {"400", "421", "431", "500", "503"} <= set(call["responses"]), path
        # The server's own words, where it has not understood what was asked.
        assert "text/plain" in call["responses"]["400"]["content"], path
        assert list(call["responses"]["431"]["content"]) == ["text/plain"], path


def test_only_joining_needs_no_token() -> None:
    public = {
        call["operationId"] for _, _, call in operations() if not call["security"]
    }
    assert public == {"create_player", "document", "health"}


def test_every_answer_of_the_code_is_described() -> None:
    """Each return annotation is the schema of its call, field by field."""
    for operation in calls.operations():
        call = DOCUMENT["paths"][openapi.path_of(operation)][operation.method.lower()]
        content = call["responses"][str(operation.status)]["content"]
        schema = content["application/json"]["schema"]
        name = (schema.get("items") or schema)["$ref"].rpartition("/")[2]
        described = DOCUMENT["components"]["schemas"][name]
        own = operation.answer.json_schema(mode="serialization")
        own = own["$defs"][name] if "items" in own else own
        assert set(described["properties"]) == set(own["properties"])
        assert described["additionalProperties"] is False


def test_every_event_is_described() -> None:
    attempts = DOCUMENT["paths"]["/api/v1/levels/{level_id}/attempts"]["post"]
    content = attempts["responses"]["200"]["content"]["text/event-stream"]
    assert list(content["x-events"]) == [
        "start",
        "queue",
        "guard",
        "delta",
        "reply",
        "error",
        "end",
    ]


def test_the_page_shows_every_call_and_runs_no_script(client: FlaskClient) -> None:
    page = client.get("/api")
    assert page.status_code == 200
    for operation in calls.operations():
        assert f'id="{operation.name}"' in page.text
        assert f"{operation.method} {openapi.path_of(operation)}" in page.text
    # One of them sends on what another one gives.
    assert page.text.count("curl ") == len(calls.operations()) + 1
    assert not re.search(r"<script(?![^>]*\bsrc=)|\son\w+=|javascript:", page.text)
    assert "style=" not in page.text


@pytest.mark.parametrize("operation", calls.operations(), ids=lambda o: o.name)
def test_a_view_takes_what_its_rule_gives(operation: Any) -> None:
    assert operation.summary
    assert set(operation.problems) <= set(openapi.STATUSES)
