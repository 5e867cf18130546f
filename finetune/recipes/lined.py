"""Reads a YAML file into a pydantic model and says on which line it is wrong."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from finetune.errors import FinetuneError

Loc = tuple[int | str, ...]
Model = TypeVar("Model", bound=BaseModel)

_SAID = {
    "missing": "is missing",
    "string_type": "must be text: put it in quotes",
    "int_type": "must be a whole number",
    "int_parsing": "must be a whole number",
    "int_from_float": "must be a whole number",
    "float_type": "must be a number",
    "float_parsing": "must be a number",
    "bool_type": "must be true or false",
    "bool_parsing": "must be true or false",
    "tuple_type": 'must be a list: start each line with "- "',
    "list_type": 'must be a list: start each line with "- "',
    "dict_type": "must be a list of name: value",
    "model_type": "must be a list of name: value",
    "path_type": "must be the path of a file",
    "literal_error": "must be {expected}",
    "too_short": "needs at least {min_length} in the list",
    "too_long": "may have at most {max_length} in the list",
    "string_too_short": "must not be empty",
    # The only pattern is that of names.
    "string_pattern_mismatch": "use small letters, digits and hyphens, a letter first",
    "union_tag_not_found": "needs {discriminator}",
    "union_tag_invalid": "knows no {discriminator} {tag}; use {expected_tags}",
    "greater_than": "must be more than {gt:.10g}",
    "greater_than_equal": "must be at least {ge:.10g}",
    "less_than": "must be less than {lt:.10g}",
    "less_than_equal": "must be at most {le:.10g}",
    "value_error": "{error}",
}


@dataclass(frozen=True, slots=True)
class LinedYaml:
    """The values of a file, and the line of each; `error` is what is raised."""

    path: Path
    data: Any
    lines: dict[Loc, int]
    error: type[FinetuneError]

    def into(self, model: type[Model]) -> Model:
        """Return the values as a model; raise `error` with file, line and name."""
        try:
            return model.model_validate(self.data)
        except ValidationError as error:
            mistakes = error.errors(include_url=False)
        # What is missing is often there, under a misspelled name.
        first = min(mistakes, key=lambda detail: detail["type"] != "extra_forbidden")
        loc = self._known(first["loc"])
        raise self.error(f"{self.path}:{self.line(loc)}: {say(loc, first)}.")

    def line(self, loc: Loc) -> int:
        """Return the line of a value, or of the nearest one around it."""
        while loc and loc not in self.lines:
            loc = loc[:-1]
        return self.lines.get(loc, 1)

    def _known(self, loc: Loc) -> Loc:
        """Leave out what pydantic adds to a path, such as the form of a union."""
        if loc[-1:] == ("[key]",):
            loc = loc[:-1]
        steps: Loc = ()
        for step in loc[:-1]:
            if (*steps, step) in self.lines:
                steps = (*steps, step)
        return (*steps, *loc[-1:])


def read_lined(path: Path, error: type[FinetuneError]) -> LinedYaml:
    """Read a YAML file with the lines of its values; raise `error` if it is broken."""
    try:
        text = path.read_text("utf-8-sig")
    except (OSError, UnicodeDecodeError) as problem:
        raise error(f"{path} cannot be read: {problem}.") from problem
    # The loader in C: the lists of phrasings have thousands of lines.
    loader = yaml.CSafeLoader(text)
    try:
        node = loader.get_single_node()
        lines = {} if node is None else dict(_lines(node, ()))
        data = None if node is None else loader.construct_document(node)
    except yaml.YAMLError as problem:
        mark = getattr(problem, "problem_mark", None)
        told = getattr(problem, "problem", None) or "this is not YAML"
        raise error(f"{path}:{mark.line + 1 if mark else 1}: {told}.") from problem
    finally:
        loader.dispose()
    return LinedYaml(path, data, lines, error)


def _lines(node: yaml.Node, loc: Loc) -> Iterator[tuple[Loc, int]]:
    yield loc, node.start_mark.line + 1
    yield from _lines_within(node, loc)


def _lines_within(node: yaml.Node, loc: Loc) -> Iterator[tuple[Loc, int]]:
    if isinstance(node, yaml.SequenceNode):
        for number, item in enumerate(node.value):
            yield from _lines(item, (*loc, number))
    elif isinstance(node, yaml.MappingNode):
        seen: set[str] = set()
        for key, value in node.value:
            if key.value in seen:
                raise yaml.MarkedYAMLError(
                    problem=f'"{key.value}" is here twice',
                    problem_mark=key.start_mark,
                )
            seen.add(key.value)
            yield (*loc, key.value), key.start_mark.line + 1
            yield from _lines_within(value, (*loc, key.value))


def say(loc: Loc, detail: ErrorDetails) -> str:
    """Return what pydantic found wrong with a value, without a full stop."""
    name = ".".join(map(str, loc))
    kind = detail["type"]
    if kind == "extra_forbidden":
        return f"there is no setting {name}"
    said = _SAID.get(kind)
    if said is None:
        return f"{name}: {detail['msg']}".removeprefix(": ")
    return f"{name}: {said.format(**detail.get('ctx', {}))}".removeprefix(": ")
