"""JSON schemas that a reply is held to: a part of the standard that is safe to compile.

The engine turns a schema into a grammar, and lets the model choose only among tokens
that the grammar allows. Its compiler is made for schemas of one's own: what makes it
fetch, recurse or grow without end is refused here.
"""

from __future__ import annotations

import json
from typing import Annotated, Any, Final, Literal

import xllamacpp
from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from finetune.serving.routes.fields import Body, unsupported

MOST_DEPTH: Final = 8
MOST_PARTS: Final = 200
# A repetition is written out in the grammar as often as it may happen.
MOST_REPEATS: Final = 500
MOST_VALUES: Final = 100
VALUE_CHARS: Final = 200
_TYPES: Final = frozenset(
    {"object", "array", "string", "number", "integer", "boolean", "null"}
)
# One line, as people write it: a model may not fill its reply with blanks.
_LAYOUT: Final = {
    "x-guidance": {
        "whitespace_flexible": False,
        "item_separator": ", ",
        "key_separator": ": ",
    }
}
_COUNTS: Final = ("minLength", "maxLength", "minItems", "maxItems")
_BOUNDS: Final = ("minimum", "maximum", "multipleOf")
# Further digits than these are no number that a program keeps.
MOST_NUMBER: Final = 1e15
_IGNORED: Final = frozenset({"title", "description", "default", "examples"})
_KNOWN: Final = _IGNORED | {
    "type",
    "properties",
    "required",
    "additionalProperties",
    "items",
    "anyOf",
    "oneOf",
    "enum",
    "const",
    *_COUNTS,
    *_BOUNDS,
}


class NamedSchema(Body):
    """The schema of a reply; its name and its strictness change nothing here."""

    name: str = ""
    description: str = ""
    strict: bool = True
    schema_: dict[str, Any] = Field(alias="schema")


class ReplyFormat(Body):
    """`response_format`: plain text, any JSON object, or one that fits a schema."""

    type: Literal["text", "json_object", "json_schema"]
    json_schema: NamedSchema | None = None

    @model_validator(mode="after")
    def _check_schema(self) -> ReplyFormat:
        if (self.type == "json_schema") != (self.json_schema is not None):
            raise ValueError("json_schema comes with the type json_schema, and only so")
        self.grammar()
        return self

    def grammar(self) -> str:
        """Return what the reply is held to, in the engine's words; empty: nothing."""
        if self.type == "text":
            return ""
        named = self.json_schema
        return grammar_of(named.schema_ if named else {"type": "object"})


class StructuredOutputs(Body):
    """`structured_outputs`, as vLLM has it: the reply is one of `choice`."""

    choice: list[Annotated[str, Field(min_length=1, max_length=VALUE_CHARS)]] = Field(
        min_length=1, max_length=MOST_VALUES
    )

    @model_validator(mode="after")
    def _check_lines(self) -> StructuredOutputs:
        if any(not text.isprintable() for text in self.choice):
            raise ValueError("a choice is one line of characters that can be seen")
        return self

    def grammar(self) -> str:
        """Return what the reply is held to, in the engine's words."""
        texts = " | ".join(json.dumps(one, ensure_ascii=False) for one in self.choice)
        return f'%llguidance {{}}\nstart: " "? ({texts})\n'


def grammar_of(schema: dict[str, Any]) -> str:
    """Return the engine's grammar for a schema; raise the error of a field."""
    plain = _Reading().read(schema, 0)
    try:
        grammar = str(xllamacpp.json_schema_to_grammar(plain | _LAYOUT))
    except (RuntimeError, ValueError):
        raise _wrong("the engine cannot follow this schema") from None
    # A text goes on with a blank before its next word, and so does a model's habit.
    return grammar.replace("start: %json", 'start: " "? json\njson: %json', 1)


class _Reading:
    """Reads one schema, and counts its parts."""

    def __init__(self) -> None:
        self._parts = 0

    def read(self, schema: object, depth: int) -> dict[str, Any]:
        """Return a schema without what changes nothing; raise what is wrong with it."""
        self._parts += 1
        if depth > MOST_DEPTH or self._parts > MOST_PARTS:
            raise unsupported(
                f"a schema may be {MOST_DEPTH} levels deep and have {MOST_PARTS} parts"
            )
        if not isinstance(schema, dict):
            raise _wrong("each part of a schema must be an object")
        for key in schema:
            if key not in _KNOWN:
                raise unsupported(f'a schema may not have "{str(key)[:40]}" here')
        plain = {key: schema[key] for key in schema if key not in _IGNORED}
        _check_type(plain.get("type"))
        _check_counts(plain)
        _check_bounds(plain)
        _check_values(plain)
        self._read_parts(plain, depth + 1)
        return plain

    def _read_parts(self, plain: dict[str, Any], depth: int) -> None:
        for key in ("anyOf", "oneOf"):
            if key in plain:
                if not isinstance(plain[key], list) or not plain[key]:
                    raise _wrong(f"{key} must be a list of schemas")
                plain[key] = [self.read(one, depth) for one in plain[key]]
        if "items" in plain:
            plain["items"] = self.read(plain["items"], depth)
        if "properties" in plain:
            if not isinstance(plain["properties"], dict):
                raise _wrong("properties must be an object")
            plain["properties"] = {
                name: self.read(one, depth) for name, one in plain["properties"].items()
            }
        if not isinstance(plain.get("additionalProperties", False), bool):
            raise unsupported("additionalProperties may only be true or false")
        required = plain.get("required", [])
        known = list(plain.get("properties", {}))
        if not isinstance(required, list) or any(
            name not in known for name in required
        ):
            raise _wrong("required must be a list of names from properties")


def _check_type(kind: object) -> None:
    kinds = kind if isinstance(kind, list) else [] if kind is None else [kind]
    if any(not isinstance(one, str) or one not in _TYPES for one in kinds):
        raise _wrong(f"type must be one of {', '.join(sorted(_TYPES))}")


def _check_counts(plain: dict[str, Any]) -> None:
    for key in _COUNTS:
        count = plain.get(key, 0)
        if type(count) is not int or not 0 <= count <= MOST_REPEATS:
            raise _wrong(f"{key} must be a whole number from 0 to {MOST_REPEATS}")


def _check_bounds(plain: dict[str, Any]) -> None:
    for key in _BOUNDS:
        bound = plain.get(key, 1)
        if type(bound) not in (int, float) or not abs(bound) <= MOST_NUMBER:
            raise _wrong(f"{key} must be a number up to {MOST_NUMBER:g}")
    if plain.get("multipleOf", 1) <= 0:
        raise _wrong("multipleOf must be more than 0")


def _check_values(plain: dict[str, Any]) -> None:
    values = plain.get("enum", [])
    if not isinstance(values, list) or ("enum" in plain and not values):
        raise _wrong("enum must be a list of values")
    listed = [*values, plain.get("const")]
    if len(values) > MOST_VALUES or any(_size(one) > VALUE_CHARS for one in listed):
        raise unsupported(
            f"enum may have {MOST_VALUES} values of {VALUE_CHARS} characters"
        )


def _size(value: object) -> int:
    return len(json.dumps(value))


def _wrong(why: str) -> PydanticCustomError:
    return PydanticCustomError("json_schema", "{why}", {"why": why})
