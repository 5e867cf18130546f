"""Writes the JSON Schemas that let editors complete and explain content files.

`python -m webapp.commands.schemas` puts them beside the content. A test fails when they
are out of date, for example after a new guard or check.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Final, get_args

from webapp.content.attacks import AttackFile
from webapp.content.data_sets import DataSet
from webapp.content.lessons import jsonschema as lessons
from webapp.content.lessons.schema import TrackInfo
from webapp.content.schema import HelpTexts, Ladder, Level
from webapp.files import write_whole
from webapp.plugins.guard import Stage, guards
from webapp.reading.json_schemas import label_of, schema_of
from webapp.settings import PROJECT

FOLDER: Final = PROJECT / "challenges"
_DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"


def level_schema() -> dict[str, Any]:
    """Return the schema of a level, with each registered guard and its options."""
    schema = schema_of(Level)
    definitions = schema["$defs"]
    del definitions["GuardSpec"]
    for stage in get_args(Stage):
        entries = definitions["Guards"]["properties"][stage]
        entries["items"] = {"anyOf": _choices(stage)}
    for name, guard in guards.items():
        options = schema_of(guard.Options)
        definitions |= options.pop("$defs", {})
        definitions[_key(name)] = {**options, "description": label_of(guard)}
    return _document(schema, definitions)


def ladder_schema() -> dict[str, Any]:
    """Return the schema of a ladder."""
    schema = schema_of(Ladder)
    return _document(schema, schema.get("$defs", {}))


def attacks_schema() -> dict[str, Any]:
    """Return the schema of a family of attacks or harmless conversations."""
    schema = schema_of(AttackFile)
    return _document(schema, schema.get("$defs", {}))


def data_schema() -> dict[str, Any]:
    """Return the schema of a set of data to train on."""
    schema = schema_of(DataSet)
    return _document(schema, schema.get("$defs", {}))


def help_schema() -> dict[str, Any]:
    """Return the schema of what the site answers instead of a model."""
    schema = schema_of(HelpTexts)
    return _document(schema, schema.get("$defs", {}))


def lesson_schema() -> dict[str, Any]:
    """Return the schema of each part of a lesson, with each registered check."""
    parts = [{"$ref": f"#/$defs/{part.__name__}"} for part in lessons.PARTS]
    return _document({"anyOf": parts}, lessons.definitions())


def track_schema() -> dict[str, Any]:
    """Return the schema of `track.yaml`."""
    schema = schema_of(TrackInfo)
    return _document(schema, schema.get("$defs", {}))


def rendered() -> dict[str, str]:
    """Return the text of each schema file by its name."""
    documents = {
        "level.schema.json": level_schema(),
        "ladder.schema.json": ladder_schema(),
        "attacks.schema.json": attacks_schema(),
        "data.schema.json": data_schema(),
        "help.schema.json": help_schema(),
        "lesson.schema.json": lesson_schema(),
        "track.schema.json": track_schema(),
    }
    return {
        name: json.dumps(document, indent=2, ensure_ascii=False) + "\n"
        for name, document in documents.items()
    }


def write(folder: Path = FOLDER) -> list[Path]:
    """Write the files; return their paths."""
    paths = []
    for name, text in rendered().items():
        path = folder / name
        write_whole(path, text)
        paths.append(path)
    return paths


def _choices(stage: Stage) -> list[dict[str, Any]]:
    """Return one bare name and one mapping for each guard of a stage."""
    choices: list[dict[str, Any]] = []
    for name, guard in guards.items():
        if stage not in guard.stages:
            continue
        label = label_of(guard)
        choices.append({"const": name, "description": label})
        choices.append(
            {
                "type": "object",
                "description": label,
                "properties": {name: {"$ref": f"#/$defs/{_key(name)}"}},
                "required": [name],
                "additionalProperties": False,
            }
        )
    return choices


def _key(guard: str) -> str:
    return f"guard-{guard}"


def _document(schema: dict[str, Any], definitions: dict[str, Any]) -> dict[str, Any]:
    body = {key: value for key, value in schema.items() if key != "$defs"}
    document = {"$schema": _DIALECT, **body}
    if definitions:
        document["$defs"] = dict(sorted(definitions.items()))
    return document
