"""Reads JSON in texts, and compares it with a JSON Schema."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Final, NoReturn

import re2
from jsonschema import Draft202012Validator, SchemaError, ValidationError
from jsonschema.validators import extend
from pydantic import AfterValidator, Field
from referencing import Registry

from webapp.checks.shared.options import with_sample
from webapp.checks.shared.patterns import compile_pattern
from webapp.plugins.check import Outcome, Subject, failed

_OPENING: Final = re.compile(r"[\[{]")
# Texts in the JSON are named in messages up to this length.
_NAMED_CHARS: Final = 30
# Each opening bracket may take as long as the rest of the text.
_MOST_TRIES: Final = 200
_KINDS: Final = {
    "object": "an object in { }",
    "array": "a list in [ ]",
    "string": "a text in quotes",
    "number": "a number",
    "integer": "a whole number",
    "boolean": "true or false",
    "null": "null",
}


class NotJson(ValueError):
    """A text is not JSON; the message says where, as the end of a sentence."""


@dataclass(frozen=True, slots=True)
class FoundJson:
    """A value in JSON, and where it is in the text."""

    value: Any
    start: int
    end: int


def read_json(text: str) -> Any:
    """Return the value that a whole text is; raise NotJson."""
    try:
        return json.loads(text, parse_constant=_refuse)
    except json.JSONDecodeError as error:
        raise NotJson(_where(error)) from None
    except RecursionError:
        raise NotJson("is nested too deep to be read") from None
    except ValueError:
        raise NotJson("has a number in it that JSON does not have") from None


def find_json(text: str) -> Iterator[FoundJson]:
    """Yield the objects and lists in a text, without those inside of others."""
    decoder = json.JSONDecoder(parse_constant=_refuse)
    at = 0
    for _ in range(_MOST_TRIES):
        opening = _OPENING.search(text, at)
        if opening is None:
            return
        start = opening.start()
        try:
            value, at = decoder.raw_decode(text, start)
        except RecursionError:
            return
        except ValueError:
            at = start + 1
        else:
            yield FoundJson(value, start, at)


def _refuse(constant: str) -> NoReturn:
    raise ValueError(constant)


def _where(error: json.JSONDecodeError) -> str:
    if error.msg == "Extra data":
        what = "something comes after the end of the JSON"
    elif error.pos >= len(error.doc.rstrip()):
        what = "the text ends too early"
    else:
        what = _FAULTS.get(error.msg, "something else is needed there")
    return f"is not JSON: in line {error.lineno}, character {error.colno}, {what}"


_FAULTS: Final = {
    "Expecting property name enclosed in double quotes": (
        'a name in "double quotes" is needed'
    ),
    "Expecting ',' delimiter": "a comma or a closing bracket is needed",
    "Expecting ':' delimiter": "a colon is needed",
    "Expecting value": "a value is needed",
    "Illegal trailing comma before end of object": "there is a comma too many",
    "Illegal trailing comma before end of array": "there is a comma too many",
    "Invalid control character at": "a line end or tab is inside of a text",
}


def _check_schema(schema: dict[str, Any]) -> dict[str, Any]:
    for key, value in _pairs(schema):
        if key in {"$ref", "$dynamicRef"} and not str(value).startswith("#"):
            raise ValueError(f'{key} must begin with "#": nothing is fetched')
        if key == "patternProperties":
            raise ValueError("patternProperties is not known here; use properties")
        if key == "pattern" and isinstance(value, str):
            try:
                compile_pattern(with_sample(value, "x"), False)
            except re2.error:
                raise ValueError(f'the pattern "{value}" cannot be read') from None
    try:
        Draft202012Validator.check_schema(schema)
    except SchemaError as error:
        raise ValueError(f"it is not a JSON Schema: {error.message}") from None
    return schema


Schema = Annotated[dict[str, Any], Field(min_length=1), AfterValidator(_check_schema)]


def _pairs(value: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(value, dict):
        for key, inner in value.items():
            yield key, inner
            yield from _pairs(inner)
    elif isinstance(value, list | tuple):
        for inner in value:
            yield from _pairs(inner)


def _judge_pattern(
    _validator: Any, pattern: str, value: Any, _schema: Any
) -> Iterator[ValidationError]:
    # The library's own pattern would search with `re`, which can take for ever.
    if isinstance(value, str) and compile_pattern(pattern, False).search(value) is None:
        yield ValidationError("does not match")


_Validator: Final = extend(  # type: ignore[no-untyped-call]
    Draft202012Validator, {"pattern": _judge_pattern}
)


def faults(value: Any, schema: Mapping[str, Any]) -> list[str]:
    """Return what does not fit a schema, each as the end of a sentence.

    Nothing of the schema is quoted but kinds of values: it may hold the answer.
    """
    validator = _Validator(schema, registry=Registry())
    errors = sorted(
        validator.iter_errors(value), key=lambda error: list(map(str, error.path))
    )
    return list(dict.fromkeys(map(_in_words, errors)))


def _in_words(error: ValidationError) -> str:
    place = _place(error)
    match error.validator:
        case "type":
            wanted = error.validator_value
            kinds = wanted if isinstance(wanted, list) else [wanted]
            named = " or ".join(_KINDS.get(str(kind), "of its kind") for kind in kinds)
            return f"{place} should be {named}"
        case "required":
            return f"{place} lacks a name that is needed"
        case "additionalProperties" | "unevaluatedProperties":
            return f"{place} has a name that does not belong there"
        case "minItems" | "minLength" | "minProperties" | "minimum":
            return f"{place} is too short or too small"
        case "maxItems" | "maxLength" | "maxProperties" | "maximum":
            return f"{place} is too long or too large"
        case _:
            return f"{place} does not have the value or form that is needed"


def _place(error: ValidationError) -> str:
    """Name a place by the names that are in the JSON itself, counted as people do."""
    if not error.path:
        return "the JSON as a whole"
    steps = [
        f"item {step + 1}" if isinstance(step, int) else f'"{step[:_NAMED_CHARS]}"'
        for step in list(error.path)[-2:]
    ]
    return f"the value at {', '.join(steps)}"


def judge_schema(
    value: Any, schema: Mapping[str, Any] | None, subject: Subject
) -> Outcome | None:
    """Return the outcome of a value that does not fit, or None if it does."""
    found = faults(value, schema) if schema is not None else []
    if not found:
        return None
    more = f", and {len(found) - 1} more" if len(found) > 1 else ""
    return failed(
        f"{subject.who} is JSON, but {found[0]}{more}.",
        score=0.5,
        count=len(found),
    )
