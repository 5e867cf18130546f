"""Writes the JSON Schemas that let editors complete and explain content files.

`python -m webapp.commands.schemas` puts them beside the content. A test fails when they
are out of date, for example after a new guard.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Final, get_args

from pydantic import BaseModel

from webapp.content.attacks import AttackFile
from webapp.content.schema import Ladder, Level
from webapp.files import write_whole
from webapp.plugins.guard import Guard, Stage, guards
from webapp.settings import PROJECT

FOLDER: Final = PROJECT / "challenges"
_DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"


def level_schema() -> dict[str, Any]:
    """Return the schema of a level, with each registered guard and its options."""
    schema = _schema(Level)
    definitions = schema["$defs"]
    del definitions["GuardSpec"]
    for stage in get_args(Stage):
        entries = definitions["Guards"]["properties"][stage]
        entries["items"] = {"anyOf": _choices(stage)}
    for name, guard in guards.items():
        options = _schema(guard.Options)
        definitions |= options.pop("$defs", {})
        definitions[_key(name)] = {**options, "description": _label(guard)}
    return _document(schema, definitions)


def ladder_schema() -> dict[str, Any]:
    """Return the schema of a ladder."""
    schema = _schema(Ladder)
    return _document(schema, schema.get("$defs", {}))


def attacks_schema() -> dict[str, Any]:
    """Return the schema of a family of attacks or harmless conversations."""
    schema = _schema(AttackFile)
    return _document(schema, schema.get("$defs", {}))


def rendered() -> dict[str, str]:
    """Return the text of each schema file by its name."""
    documents = {
        "level.schema.json": level_schema(),
        "ladder.schema.json": ladder_schema(),
        "attacks.schema.json": attacks_schema(),
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


def _schema(model: type[BaseModel]) -> dict[str, Any]:
    schema = model.model_json_schema(ref_template="#/$defs/{model}")
    _drop_titles(schema)
    return schema


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


def _choices(stage: Stage) -> list[dict[str, Any]]:
    """Return one bare name and one mapping for each guard of a stage."""
    choices: list[dict[str, Any]] = []
    for name, guard in guards.items():
        if stage not in guard.stages:
            continue
        label = _label(guard)
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


def _label(guard: type[Guard]) -> str:
    return (guard.__doc__ or "").strip().partition("\n")[0]


def _document(schema: dict[str, Any], definitions: dict[str, Any]) -> dict[str, Any]:
    body = {key: value for key, value in schema.items() if key != "$defs"}
    document = {"$schema": _DIALECT, **body}
    if definitions:
        document["$defs"] = dict(sorted(definitions.items()))
    return document
