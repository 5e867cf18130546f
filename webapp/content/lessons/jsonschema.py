"""JSON Schemas of lessons: front matter, panels and questions as authors write them.

A lesson is Markdown, so no schema is for the whole file. Editors take the part that
they need: `lesson.schema.json#/$defs/Panel` for the body of a panel.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

from pydantic import BaseModel

from webapp.content.lessons.schema import LessonInfo, Panel, Question
from webapp.content.lessons.specs import AT_LEAST, GROUPS, NOT, Common
from webapp.plugins import check as plugin
from webapp.plugins.check import Check
from webapp.reading.json_schemas import label_of, schema_of

PARTS: Final[tuple[type[BaseModel], ...]] = (LessonInfo, Panel, Question)

_TEXT: Final = {"type": ["string", "integer"]}
_CHECK: Final = {"$ref": "#/$defs/Check"}
_CHECKS: Final = {"type": "array", "items": _CHECK, "minItems": 1}


def definitions() -> dict[str, Any]:
    """Return the schemas of the parts of a lesson and of all that is in them."""
    found: dict[str, Any] = {}
    for part in PARTS:
        schema = schema_of(part)
        found |= schema.pop("$defs", {})
        found[part.__name__] = schema
    del found["CheckSpec"]
    _write_shorter(found)
    found["Check"] = {"anyOf": [*_single_checks(found), *_groups()]}
    return found


def _write_shorter(found: dict[str, Any]) -> None:
    """Replace what the reader expects by what authors write."""
    panel, question = found["Panel"], found["Question"]
    for record, keys in ((panel, ("name",)), (question, ("name", "kind"))):
        # They stand behind the word that begins the block.
        for key in keys:
            del record["properties"][key]
        record["required"] = [key for key in record["required"] if key not in keys]
    fields = panel["properties"]
    _widen(fields, "samples", {"type": "string", "pattern": r"^\d{1,2} of \d{1,2}$"})
    _widen(fields, "vary", {"type": "object", "additionalProperties": _several(_TEXT)})
    fields["checks"] = {**fields["checks"], "items": _CHECK}
    when = found["Mistake"]["properties"]["when"]
    found["Mistake"]["properties"]["when"] = {
        "anyOf": [_CHECK, _CHECKS],
        "description": when["description"],
    }
    typed = {
        "type": "object",
        "additionalProperties": {"anyOf": [_TEXT, {"type": "array", "items": _TEXT}]},
    }
    found["Mistake"]["properties"]["example"] |= typed
    proof = found["PanelProof"]["properties"]
    for key in ("solved_by", "not_solved_by"):
        proof[key]["items"] = typed
    _widen(fields, "solution", typed)


def _widen(fields: dict[str, Any], key: str, shorter: dict[str, Any]) -> None:
    longer = {k: v for k, v in fields[key].items() if k != "description"}
    fields[key] = {
        "anyOf": [shorter, longer],
        "description": fields[key]["description"],
    }


def _several(one: dict[str, Any]) -> dict[str, Any]:
    return {"anyOf": [one, {"type": "array", "items": one, "minItems": 1}]}


def _single_checks(found: dict[str, Any]) -> list[dict[str, Any]]:
    choices: list[dict[str, Any]] = []
    found["Common"] = schema_of(Common)
    for name, check in plugin.checks.items():
        options = schema_of(check.Options)
        found |= options.pop("$defs", {})
        key, label = f"check-{name}", label_of(check)
        own = options.get("properties", {})
        found[key] = {
            **options,
            "description": label,
            "properties": {**own, **_refs("Common", Common.model_fields)},
        }
        names = [name, f"{NOT}{name}"]
        if not options.get("required"):
            choices.append({"enum": names, "description": label})
        choices.append(_written(check, names, key, own))
    return choices


def _written(
    check: type[Check], names: list[str], key: str, own: dict[str, Any]
) -> dict[str, Any]:
    """Return a check with its options inside, or one as its value and others beside."""
    values: list[dict[str, Any]] = [{"$ref": f"#/$defs/{key}"}, {"type": "null"}]
    values += _refs(key, [one for one in own if one == check.SHORT]).values()
    beside = _refs(key, [one for one in own if one != check.SHORT])
    return {
        "type": "object",
        "description": label_of(check),
        "properties": {
            **_refs("Common", Common.model_fields),
            **beside,
            # Last, so that an option of the same name does not hide the check.
            **{name: {"anyOf": values} for name in names},
        },
        "anyOf": [{"required": [name]} for name in names],
        "additionalProperties": False,
    }


def _refs(key: str, names: Iterable[str]) -> dict[str, dict[str, Any]]:
    """Return references to the properties of a definition."""
    return {name: {"$ref": f"#/$defs/{key}/properties/{name}"} for name in names}


def _groups() -> list[dict[str, Any]]:
    common = _refs("Common", Common.model_fields)
    choices: list[dict[str, Any]] = []
    for name in GROUPS:
        value: dict[str, Any] = _CHECKS
        if name == AT_LEAST:
            least = {"type": "integer", "minimum": 1, "description": "How many."}
            value = {
                "type": "object",
                "properties": {**common, "n": least, "of": _CHECKS},
                "required": ["n", "of"],
                "additionalProperties": False,
            }
        names = [name, f"{NOT}{name}"]
        choices.append(
            {
                "type": "object",
                "description": GROUP_LABELS[name],
                "properties": {**common, **dict.fromkeys(names, value)},
                "anyOf": [{"required": [one]} for one in names],
                "additionalProperties": False,
            }
        )
    return choices


GROUP_LABELS: Final = {
    "all-of": "Passes if all of these checks pass.",
    "any-of": "Passes if one of these checks passes.",
    AT_LEAST: "Passes if at least n of these checks pass.",
}
