"""From the YAML of a run to its recipe, or to one sentence that names file and line."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError
from pydantic_core import ErrorDetails

from finetune.recipes.common import Recipe, RecipeError
from finetune.recipes.guard import ClassifierRecipe
from finetune.recipes.lm import LmRecipe

Place = tuple[Any, ...]

_KINDS: dict[str, type[Recipe]] = {"lm": LmRecipe, "classifier": ClassifierRecipe}
# Names of the forms that `data` has: pydantic puts them between it and its settings.
_FORMS = (["warden"], ["dialogues"])
_SAID = {
    "missing": "is missing",
    "string_type": "must be text",
    "int_type": "must be a whole number",
    "int_parsing": "must be a whole number",
    "int_from_float": "must be a whole number",
    "float_type": "must be a number",
    "float_parsing": "must be a number",
    "tuple_type": "must be a list",
    "dict_type": "must be a list of name: value",
    "model_type": "must be a list of name: value",
    "path_type": "must be the path of a file",
    "literal_error": "must be {expected}",
    "union_tag_not_found": "needs {discriminator}",
    "union_tag_invalid": "knows no {discriminator} {tag}; use {expected_tags}",
    "greater_than": "must be more than {gt:.10g}",
    "greater_than_equal": "must be at least {ge:.10g}",
    "less_than": "must be less than {lt:.10g}",
    "less_than_equal": "must be at most {le:.10g}",
    "value_error": "{error}",
    "string_pattern_mismatch": "use small letters, digits and hyphens, a letter first",
}


def load_recipe(path: Path) -> Recipe:
    """Read a recipe; raise RecipeError with file and line about what is wrong."""
    data, lines = _read(path)
    kind = data.get("kind")
    if kind not in _KINDS:
        line = lines.get(("kind",), 1)
        raise RecipeError(
            f"{path}:{line}: kind must be {' or '.join(_KINDS)}, not {kind!r}."
        )
    try:
        return _KINDS[kind].model_validate(data)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
    place = list(first["loc"])
    if place[:1] == ["data"] and place[1:2] in _FORMS:
        del place[1]
    raise RecipeError(f"{path}:{_line(place, lines)}: {_say(place, first)}.")


def _line(place: list[Any], lines: dict[Place, int]) -> int:
    """Return the line of a setting, or of the nearest one around it."""
    around = (tuple(place[:n]) for n in range(len(place), -1, -1))
    return next((lines[key] for key in around if key in lines), 1)


def _say(place: list[Any], detail: ErrorDetails) -> str:
    name = ".".join(str(part) for part in place)
    if detail["type"] == "extra_forbidden":
        return f"there is no setting {name}"
    said = _SAID.get(detail["type"])
    if said is None:
        return f"{name}: {detail['msg']}"
    return f"{name}: {said.format(**detail.get('ctx', {}))}"


def _read(path: Path) -> tuple[dict[str, Any], dict[Place, int]]:
    try:
        text = path.read_text("utf-8")
        node = yaml.compose(text, Loader=yaml.SafeLoader)
        data = yaml.safe_load(text)
    except (OSError, UnicodeDecodeError) as error:
        raise RecipeError(f"{path} cannot be read: {error}.") from error
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = mark.line + 1 if mark else 1
        problem = getattr(error, "problem", None) or "this is not YAML"
        raise RecipeError(f"{path}:{line}: {problem}.") from error
    if not isinstance(data, dict) or node is None:
        raise RecipeError(f"{path}:1: a recipe is a list of settings: name: value.")
    return data, dict(_lines(node, ()))


def _lines(node: yaml.Node, place: Place) -> list[tuple[Place, int]]:
    found = [(place, node.start_mark.line + 1)]
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            inside = (*place, key.value)
            found += [(inside, key.start_mark.line + 1)]
            found += _lines(value, inside)[1:]
    elif isinstance(node, yaml.SequenceNode):
        for number, value in enumerate(node.value):
            found += _lines(value, (*place, number))
    return found
