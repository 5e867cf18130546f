"""From the YAML of a run to its recipe, or to one sentence that names file and line."""

from __future__ import annotations

from pathlib import Path

from finetune.recipes.common import Recipe, RecipeError
from finetune.recipes.guard import ClassifierRecipe
from finetune.recipes.lined import read_lined
from finetune.recipes.lm import LmRecipe

_KINDS: dict[str, type[Recipe]] = {"lm": LmRecipe, "classifier": ClassifierRecipe}


def load_recipe(path: Path) -> Recipe:
    """Read a recipe; raise RecipeError with file and line about what is wrong."""
    lined = read_lined(path, RecipeError)
    if not isinstance(lined.data, dict):
        raise RecipeError(f"{path}:1: a recipe is a list of settings: name: value.")
    kind = lined.data.get("kind")
    if kind not in _KINDS:
        raise RecipeError(
            f"{path}:{lined.line(('kind',))}: kind must be {' or '.join(_KINDS)},"
            f" not {kind!r}."
        )
    return lined.into(_KINDS[kind])
