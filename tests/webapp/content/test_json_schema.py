"""The JSON Schemas are those of the code, and the shipped files fit them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from tests.webapp.content.trees import LEVEL
from webapp.content import jsonschema
from webapp.reading.tree import read_tree
from webapp.settings import PROJECT

FOLDER = PROJECT / "challenges"
NAMES = [
    "level.schema.json",
    "ladder.schema.json",
    "attacks.schema.json",
    "data.schema.json",
    "help.schema.json",
    "lesson.schema.json",
    "track.schema.json",
]


def validator(name: str) -> Draft202012Validator:
    """Return a validator for a committed schema."""
    schema = json.loads((FOLDER / name).read_text())
    Draft202012Validator.check_schema(schema)
    return Draft202012Validator(schema)


@pytest.mark.parametrize("name", NAMES)
def test_the_committed_schema_is_up_to_date(name: str) -> None:
    assert (FOLDER / name).read_text() == jsonschema.rendered()[name], (
        "run python -m webapp.commands.schemas"
    )


def test_writing(tmp_path: Path) -> None:
    assert jsonschema.write(tmp_path) == [tmp_path / name for name in NAMES]
    assert [(tmp_path / name).read_text() for name in NAMES] == [
        (FOLDER / name).read_text() for name in NAMES
    ]


@pytest.mark.parametrize(
    "path", sorted(FOLDER.glob("game/*/*.yaml")), ids=lambda path: path.name
)
def test_shipped_files_fit_and_name_their_schema(path: Path) -> None:
    name = "ladder.schema.json" if path.name == "ladder.yaml" else "level.schema.json"
    first, _, _ = path.read_text().partition("\n")
    assert first == f"# yaml-language-server: $schema=../../{name}"
    document = read_tree(path.read_bytes()).plain()
    assert [e.message for e in validator(name).iter_errors(document)] == []


@pytest.mark.parametrize(
    "path", sorted(FOLDER.glob("attacks/*.yaml")), ids=lambda path: path.name
)
def test_shipped_attacks_fit_and_name_their_schema(path: Path) -> None:
    first, _, _ = path.read_text().partition("\n")
    assert first == "# yaml-language-server: $schema=../attacks.schema.json"
    document = read_tree(path.read_bytes()).plain()
    assert [e.message for e in validator(NAMES[2]).iter_errors(document)] == []


@pytest.mark.parametrize(
    "path", sorted(FOLDER.glob("data/*.yaml")), ids=lambda path: path.name
)
def test_shipped_sets_of_data_fit_and_name_their_schema(path: Path) -> None:
    first, _, _ = path.read_text().partition("\n")
    assert first == "# yaml-language-server: $schema=../data.schema.json"
    document = read_tree(path.read_bytes()).plain()
    assert [e.message for e in validator(NAMES[3]).iter_errors(document)] == []


@pytest.mark.parametrize(
    "path", sorted(FOLDER.glob("lessons/*/track.yaml")), ids=lambda p: p.parent.name
)
def test_shipped_tracks_fit_and_name_their_schema(path: Path) -> None:
    first, _, _ = path.read_text().partition("\n")
    assert first == "# yaml-language-server: $schema=../../track.schema.json"
    document = read_tree(path.read_bytes()).plain()
    errors = validator("track.schema.json").iter_errors(document)
    assert [error.message for error in errors] == []


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("title: The Gate", "titel: The Gate"),
        ("- contains: {match: exact}", "- contians: {}"),
        ("- contains: {match: exact}", "- contains: {match: exakt}"),
        ("- contains: {match: exact}", "- blocklist: {words: [x]}"),
        ("points: 100", "points: many"),
    ],
)
def test_mistakes_do_not_fit(old: str, new: str) -> None:
    document = read_tree(LEVEL.replace(old, new).encode()).plain()
    assert not validator("level.schema.json").is_valid(document)


@pytest.mark.parametrize(
    "entry", ["contains", "contains: {}", "contains: {match: [exact, spelled]}"]
)
def test_ways_to_write_a_guard_fit(entry: str) -> None:
    text = LEVEL.replace("contains: {match: exact}", entry)
    document = read_tree(text.encode()).plain()
    assert validator("level.schema.json").is_valid(document)


def resolved(schema: dict[str, Any], field: dict[str, Any]) -> dict[str, Any]:
    """Return a field, or the one that it refers to."""
    if "$ref" not in field:
        return field
    for step in field["$ref"].removeprefix("#/").split("/"):
        schema = schema[step]
    return schema


def test_every_field_explains_itself() -> None:
    for name in NAMES:
        schema = json.loads((FOLDER / name).read_text())
        records = [schema, *schema.get("$defs", {}).values()]
        silent = [
            key
            for record in records
            for key, field in record.get("properties", {}).items()
            if "description" not in resolved(schema, field)
        ]
        assert silent == []
