"""From what a caller asks to a whole recipe, with nothing in it that leads elsewhere.

A recipe may name files. A caller's may not: it learns from the uploaded file, and from
nothing else on this computer.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import yaml
from pydantic import ValidationError

from finetune.jobs.bases import BaseModel
from finetune.jobs.errors import JobError
from finetune.recipes.lined import say
from finetune.recipes.lm import LmRecipe

Json = dict[str, Any]

_OURS: Final = ("name", "kind", "base", "on_gpu")
_OUR_DATA: Final = ("path",)
# What a row is cut into and how many there are at a time decide the memory.
_MOST: Final = {"block": 2048, "rows": 256, "accumulate": 256}
_MOST_RANK: Final = 256
_LONGEST_SLUG: Final = 32
# What pydantic puts into the place of a mistake: which kind of data it took it for.
_TAG: Final = "rows"


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What a caller wants: the settings of a recipe, and OpenAI's own few."""

    recipe: Json = field(default_factory=dict)
    seed: int | None = None
    epochs: float | None = None
    batch: int | None = None
    rate_factor: float | None = None


def build_recipe(
    asked: Asked, base: BaseModel, *, path: Path, minutes: int, name: str = "student"
) -> LmRecipe:
    """Return the whole recipe; raise JobError with one sentence about what is wrong.

    `minutes` is the longest time for anybody.
    """
    given = dict(asked.recipe)
    _refuse(given)
    data = given.pop("data", {})
    chosen = base.usual | _openai(asked, base)
    says_how_much = asked.epochs is not None or any(
        given.get(name) is not None for name in ("minutes", "epochs", "updates")
    )
    if says_how_much:
        # Who says how much does not mean the usual time as well.
        chosen["minutes"] = float(minutes)
    chosen |= {name: value for name, value in given.items() if value is not None
               or name == "lora"}  # fmt: skip
    if base.fresh is not None:
        chosen |= {"lora": None, "frozen": 0}
        chosen["fresh"] = base.fresh.model_dump() | (given.get("fresh") or {})
    chosen |= {
        "kind": "lm",
        "name": name,
        "base": base.place,
        "purpose": given.get("purpose") or "Trained in Wordkeep.",
        "data": data | {"source": "rows", "path": str(path)},
    }
    recipe = _validated(chosen)
    _check(recipe, minutes)
    return recipe


def with_path(recipe: Json, path: str) -> Json:
    """Return a recipe that reads its data elsewhere."""
    return recipe | {"data": recipe["data"] | {"path": path}}


def recipe_yaml(recipe: Json, *, filename: str) -> str:
    """Return a recipe as `./wordkeep train` reads it, with the data file beside it."""
    whole = LmRecipe.model_validate(with_path(recipe, filename)).model_dump(
        mode="json", exclude_defaults=True
    )
    # Defaults that tell the kind of a part are left out above, and needed.
    whole = {"kind": "lm", **whole}
    whole["data"] = {"source": "rows", **whole["data"]}
    text = yaml.safe_dump(whole, sort_keys=False, allow_unicode=True)
    return f"# Run it with: ./wordkeep train THIS_FILE, beside {filename}\n{text}"


def slug(text: str) -> str:
    """Return a name of small letters, digits and hyphens, a letter first."""
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode()
    joined = re.sub(r"[^a-z0-9]+", "-", plain.lower()).strip("-")[:_LONGEST_SLUG]
    joined = joined.strip("-") or "model"
    return joined if joined[0].isalpha() else f"m-{joined}"


def free_name(wanted: str, taken: set[str]) -> str:
    """Return the slug of a wish; a number follows if another model has the name."""
    name, number = slug(wanted), 1
    while (found := name if number == 1 else f"{name}-{number}") in taken:
        number += 1
    return found


def _refuse(given: Mapping[str, Any]) -> None:
    for name in _OURS:
        if name in given:
            raise JobError(
                f"recipe.{name} is decided by the training itself: leave it out.",
                param=f"recipe.{name}",
            )
    data = given.get("data", {})
    if not isinstance(data, dict):
        raise JobError("recipe.data must be an object.", param="recipe.data")
    if data.get("source", "rows") != "rows":
        raise JobError(
            "recipe.data.source can only be rows.", param="recipe.data.source"
        )
    for name in _OUR_DATA:
        if name in data:
            raise JobError(
                f"recipe.data.{name} is that of training_file: leave it out.",
                param=f"recipe.data.{name}",
            )
    lora = given.get("lora")
    if isinstance(lora, dict) and lora.get("start") is not None:
        raise JobError(
            "recipe.lora.start names a folder of this computer: leave it out.",
            param="recipe.lora.start",
        )


def _openai(asked: Asked, base: BaseModel) -> Json:
    chosen: Json = {}
    if asked.seed is not None:
        chosen["seed"] = asked.seed
    if asked.epochs is not None:
        chosen["epochs"] = asked.epochs
    if asked.batch is not None:
        chosen["rows"] = asked.batch
    if asked.rate_factor is not None:
        chosen["learning_rate"] = base.usual["learning_rate"] * asked.rate_factor
    return chosen


def _validated(chosen: Json) -> LmRecipe:
    try:
        return LmRecipe.model_validate(chosen)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
    loc = tuple(first["loc"])
    if loc[:2] == ("data", _TAG):
        loc = ("data", *loc[2:])
    told = say(("recipe", *loc), first)
    if first["type"] == "extra_forbidden":
        told = told[0].upper() + told[1:]
    raise JobError(f"{told}.", param=".".join(("recipe", *map(str, loc))))


def _check(recipe: LmRecipe, minutes: int) -> None:
    for name, most in _MOST.items():
        if getattr(recipe, name) > most:
            raise JobError(
                f"recipe.{name} must be at most {most}.", param=f"recipe.{name}"
            )
    if recipe.lora is not None and recipe.lora.rank > _MOST_RANK:
        raise JobError(
            f"recipe.lora.rank must be at most {_MOST_RANK}.", param="recipe.lora.rank"
        )
    if recipe.minutes is not None and recipe.minutes > minutes:
        raise JobError(
            f"recipe.minutes must be at most {minutes}: others wait for this computer,"
            " too.",
            param="recipe.minutes",
        )
