"""Says in plain words what pydantic found wrong, and on which line of a file."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_args

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from webapp.reading.problems import Problem
from webapp.reading.tree import Node

Loc = tuple[int | str, ...]

_KINDS = {
    "string_type": ("must be text", "put it in quotes"),
    "int_type": ("must be a whole number", "write digits without quotes"),
    "int_parsing": ("must be a whole number", "write digits"),
    "int_parsing_size": ("is too large", "write a smaller number"),
    "float_type": ("must be a number", "write digits without quotes"),
    "float_parsing": ("must be a number", "write digits"),
    "bool_type": ("must be true or false", "write true or false"),
    "bool_parsing": ("must be true or false", "write true or false"),
    "tuple_type": ("must be a list", 'start each line with "- "'),
    "list_type": ("must be a list", 'start each line with "- "'),
    "frozen_set_type": ("must be a list", 'start each line with "- "'),
    "model_type": ("must be a mapping", "write lines like key: value"),
    "dict_type": ("must be a mapping", "write lines like key: value"),
}
_BOUNDS = {
    "greater_than": "must be more than {gt:.10g}",
    "greater_than_equal": "must be at least {ge:.10g}",
    "less_than": "must be less than {lt:.10g}",
    "less_than_equal": "must be at most {le:.10g}",
    "string_too_short": "must not be empty",
    "string_too_long": "may have at most {max_length} characters",
    "too_short": "needs at least {min_length} in the list",
    "too_long": "may have at most {max_length} in the list",
}
_PATTERNS = {
    "id": "use small letters, digits and hyphens, and a letter first",
    "lesson": "write it as track/name, in small letters",
    "url": "write an address that starts with https://",
    "key_env": "write the name of an environment variable, such as OPENAI_API_KEY",
}

# Says what to do about an unknown key; "" leaves it to the usual advice.
Advise = Callable[[str], str]


@dataclass(frozen=True, slots=True)
class Mistake:
    """One thing that does not fit, the line it is on, and what to do about it."""

    line: int
    message: str
    advice: str


def explain(
    path: Path,
    node: Node,
    model: type[BaseModel],
    error: ValidationError,
    *,
    advise: Advise | None = None,
) -> Iterator[Problem]:
    """Yield one problem of a file for each thing that does not fit `model`.

    `node` is the part of the file that was checked against `model`.
    """
    for mistake in mistakes(node, model, error, advise=advise):
        yield Problem(path, mistake.line, mistake.message, mistake.advice)


def mistakes(
    node: Node,
    model: type[BaseModel],
    error: ValidationError,
    *,
    advise: Advise | None = None,
) -> Iterator[Mistake]:
    """Yield what does not fit `model`, in pydantic's order."""
    details = error.errors(include_url=False)
    mistyped = {_meant(model, detail) for detail in details}
    for detail in details:
        if detail["type"] == "missing" and detail["loc"] in mistyped:
            continue  # it is there, under a name that is listed as unknown
        loc = _steps(node, detail["loc"])
        message, advice = _say(model, detail, loc)
        if advise is not None and detail["type"] == "extra_forbidden":
            advice = advise(str(loc[-1])) or advice
        yield Mistake(node.find(loc).line, message, advice)


def what_is_wrong(detail: ErrorDetails, loc: Loc) -> tuple[str, str]:
    """Return what is wrong with the value at `loc`, and what to do about it.

    The first text goes right behind the name of the value: " must be text", or ": "
    and a sentence. The second may be empty. Neither holds the value itself.
    """
    kind = detail["type"]
    context: dict[str, Any] = detail.get("ctx", {})
    if kind == "missing":
        return " is missing", "add it"
    if kind == "literal_error":
        return f" must be {context['expected']}", "use one of these"
    if kind == "string_pattern_mismatch":
        advice = _PATTERNS.get(str(loc[-1]) if loc else "", _PATTERNS["id"])
        return " is not written in the right form", advice
    if kind in _KINDS:
        if detail.get("input", "") is None:
            return " is empty", "fill it in or delete the line"
        wrong, advice = _KINDS[kind]
        return f" {wrong}", advice
    if kind in _BOUNDS:
        return f" {_BOUNDS[kind].format(**context)}", ""
    return f": {context.get('error', detail['msg'])}", ""


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """Return advice that names the nearest known word, or all of them."""
    names = sorted(known)
    close = _nearest(word, names)
    if close:
        return f'did you mean "{close}"?'
    return f"known here: {', '.join(names)}" if names else "there are none yet"


def _nearest(word: str, names: Iterable[str]) -> str | None:
    return next(iter(difflib.get_close_matches(word, names, n=1)), None)


def _meant(model: type[BaseModel], detail: ErrorDetails) -> Loc | None:
    """Return the path that the author of an unknown key probably meant."""
    if detail["type"] != "extra_forbidden":
        return None
    above, key = detail["loc"][:-1], str(detail["loc"][-1])
    close = _nearest(key, _keys(model, above))
    return (*above, close) if close else None


def _keys(model: type[BaseModel], loc: Loc) -> list[str]:
    owner = _model_at(model, loc)
    return list(owner.model_fields) if owner else []


def _steps(node: Node, loc: Loc) -> Loc:
    """Drop what pydantic adds to a path for itself, such as `tuple[...]`."""
    steps: list[int | str] = []
    for number, step in enumerate(loc):
        here = node.find(tuple(steps))
        is_last = number == len(loc) - 1
        if here.has(step) or (is_last and here.value is dict):
            steps.append(step)
    return tuple(steps)


def _say(model: type[BaseModel], detail: ErrorDetails, loc: Loc) -> tuple[str, str]:
    if detail["type"] == "extra_forbidden":
        inside = f" in {_name(loc[:-1])}" if len(loc) > 1 else ""
        advice = did_you_mean(str(loc[-1]), _keys(model, loc[:-1]))
        return f'unknown key "{loc[-1]}"{inside}', advice
    wrong, advice = what_is_wrong(detail, loc)
    if not loc and wrong.startswith(": "):
        return wrong.removeprefix(": "), advice
    return f"{_name(loc)}{wrong}", advice


def _name(loc: Loc) -> str:
    """Return `"hints[2].cost"` for a path; lists count from one, as people do."""
    text = ""
    for step in loc:
        if isinstance(step, int):
            text += f"[{step + 1}]"
        else:
            text += f".{step}" if text else step
    return f'"{text}"' if text else "the file"


def _model_at(model: type[BaseModel], loc: Loc) -> type[BaseModel] | None:
    record: type[BaseModel] | None = model
    for step in loc:
        if isinstance(step, str) and record is not None:
            field = record.model_fields.get(step)
            record = _model_in(field.annotation) if field else None
    return record


def _model_in(annotation: Any) -> type[BaseModel] | None:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next(filter(None, map(_model_in, get_args(annotation))), None)
