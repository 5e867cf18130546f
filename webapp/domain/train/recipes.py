"""The choices of a run as a recipe in YAML, and a recipe as choices."""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

import yaml

from webapp.domain.train.choices import (
    BOUNDS,
    NO_END,
    PROMPT_CHARS,
    TITLE_CHARS,
    Choices,
    check_number,
)
from webapp.domain.train.data import check_settings
from webapp.errors import InvalidInput

RECIPE_CHARS: Final = 20_000
# What a recipe may say that a page has no control for, or that is not the page's.
_PASSED_OVER: Final = frozenset(
    {
        "kind",
        "purpose",
        "accumulate",
        "clip",
        "precision",
        "log_every",
        "eval_every",
        "eval_rows",
        "on_gpu",
    }
)
_KNOWN: Final = frozenset(
    {
        "name",
        "base",
        "seed",
        "minutes",
        "data",
        "fresh",
        "lora",
        "frozen",
        "sample",
        "updates",
        "block",
        "rows",
        "epochs",
        "learning_rate",
        "weight_decay",
        "warmup",
    }
)
_NUMBERS: Final = (
    "seed",
    "block",
    "rows",
    "learning_rate",
    "weight_decay",
    "warmup",
    "frozen",
)
_FRESH: Final = ("vocabulary", "layers", "width", "heads")
# What the sidecar's data says besides what a page asks for.
_DATA_PASSED_OVER: Final = frozenset({"source", "path"})


class _Dumper(yaml.SafeDumper):
    """Writes texts of several lines as lines."""


def _write_text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    style = "|" if "\n" in text else None
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


_Dumper.add_representer(str, _write_text)


def to_yaml(choices: Choices, data: Mapping[str, Any], *, file_name: str) -> str:
    """Return the recipe that the choices are, with the data in a file of that name."""
    slug = re.sub(r"[^a-z0-9]+", "-", choices.title.lower()).strip("-")[:40]
    name = slug if slug and slug[0].isalpha() else f"model-{slug}".rstrip("-")
    recipe = choices.recipe({"source": "rows", "path": file_name, **data})
    whole = {
        "kind": "lm",
        "name": name,
        "purpose": "Made on the page Train.",
        "base": choices.base,
        "seed": choices.seed,
        **recipe,
    }
    return yaml.dump(
        whole, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=88
    )


def from_yaml(
    text: str, usual: Choices, *, bases: Mapping[str, bool]
) -> tuple[Choices, dict[str, Any]]:
    """Return the choices of a recipe, and how it reads its data.

    `bases` are the models to begin with, and whether each is an empty one. Raise
    InvalidInput, one sentence, for what cannot be used.
    """
    recipe = _load(text)
    for key in recipe.keys() - _KNOWN - _PASSED_OVER:
        raise InvalidInput(_unknown(str(key), _KNOWN | _PASSED_OVER))
    numbers: dict[str, Any] = {
        name: _checked(name, recipe[name]) for name in _NUMBERS if name in recipe
    }
    base = _base(recipe.get("base", usual.base), bases)
    lora = recipe.get("lora", {})
    if bases.get(base, False):
        numbers["method"] = "fresh"
    elif lora is None:
        numbers["method"] = "top" if numbers.get("frozen") else "full"
    else:
        numbers["method"] = "lora"
        rank = _part(lora, "lora").get("rank", usual.rank)
        numbers["rank"] = _checked("rank", rank)
    if "name" in recipe:
        numbers["title"] = str(recipe["name"])[:TITLE_CHARS]
    chosen = replace(
        usual, **numbers, **_ends(recipe), **_sample(recipe), **_fresh(recipe)
    )
    data = _part(recipe.get("data", {}), "data")
    given = {k: v for k, v in data.items() if k not in _DATA_PASSED_OVER}
    return replace(chosen, base=base), check_settings(given)


def _load(text: str) -> dict[str, Any]:
    if len(text) > RECIPE_CHARS:
        raise InvalidInput(f"A recipe has at most {RECIPE_CHARS:,} characters.")
    try:
        recipe = yaml.safe_load(text)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        where = f"Line {mark.line + 1} of the recipe" if mark else "The recipe"
        raise InvalidInput(
            f"{where} is not YAML: {error.problem or 'it cannot be read'}."
        ) from None
    except (yaml.YAMLError, ValueError, RecursionError):
        raise InvalidInput("This recipe is not YAML: it cannot be read.") from None
    return _part(recipe, "recipe")


def _part(value: object, what: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise InvalidInput(f"The {what} must be lines like “name: value”.")
    return value


def _ends(recipe: Mapping[str, Any]) -> dict[str, Any]:
    """Return what ends the run: the tightest of what the recipe says."""
    for length in ("updates", "minutes"):
        if recipe.get(length) is not None:
            return {"length": length, length: _checked(length, recipe[length])}
    epochs = recipe.get("epochs", 1.0)
    if isinstance(epochs, int | float) and epochs >= NO_END:
        raise InvalidInput("The recipe has no end: give it minutes, updates or epochs.")
    return {"length": "epochs", "epochs": _checked("epochs", epochs)}


def _sample(recipe: Mapping[str, Any]) -> dict[str, Any]:
    if recipe.get("sample") is None:
        return {"sample_prompt": ""}
    sample = _part(recipe["sample"], "sample")
    found: dict[str, Any] = {
        "sample_prompt": str(sample.get("prompt", ""))[:PROMPT_CHARS]
    }
    for key, name in (("every_seconds", "sample_every"), ("temperature",) * 2):
        if key in sample:
            found[name] = _checked(name, sample[key])
    return found


def _fresh(recipe: Mapping[str, Any]) -> dict[str, Any]:
    if recipe.get("fresh") is None or recipe.get("base") != "fresh":
        return {"fresh": None}
    fresh = _part(recipe["fresh"], "fresh")
    for key, value in fresh.items():
        if key not in _FRESH:
            raise InvalidInput(_unknown(str(key), _FRESH))
        if isinstance(value, bool) or not isinstance(value, int):
            raise InvalidInput(f"“{key}” of a model from nothing is a whole number.")
    return {"fresh": dict(fresh)}


def _base(given: object, bases: Mapping[str, bool]) -> str:
    name = str(given)
    if name in bases:
        return name
    # Where the command finds the model, in a recipe that came from a run.
    for base in bases:
        if not bases[base] and base in name.lower():
            return base
    raise InvalidInput(
        f"There is no model “{name[:60]}” to begin with here. There are: "
        f"{', '.join(bases)}."
    )


def _checked(name: str, value: object) -> float | int:
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise InvalidInput(f"“{name}” of the recipe must be a number.")
    try:
        # YAML reads 1e-3 as a text.
        number = float(value)
    except ValueError:
        raise InvalidInput(f"“{name}” of the recipe must be a number.") from None
    return check_number(name, number) if name in BOUNDS else number


def _unknown(key: str, known: object) -> str:
    near = difflib.get_close_matches(key, list(known), 1)  # type: ignore[call-overload]
    meant = f" Did you mean “{near[0]}”?" if near else ""
    return f"The recipe has a line “{key[:40]}” that means nothing here.{meant}"
