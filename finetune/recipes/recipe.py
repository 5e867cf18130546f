"""The YAML of a training run, as typed records.

Every shipped run is a file in `finetune/recipes/`; a user's own may lie anywhere.
Paths in a recipe are relative to the folder that the command is run in.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from finetune.errors import FinetuneError

Share = Annotated[float, Field(ge=0, le=1)]
Positive = Annotated[int, Field(ge=1)]


class RecipeError(FinetuneError):
    """A recipe, or what it names, cannot be used; one sentence for a person."""


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Recipe(_Part):
    """What all recipes have in common."""

    name: Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]{0,40}$")]
    purpose: str = Field(description="One sentence for the card.")
    base: str = Field(description="Place of the base model: a path, package:… or hub.")
    seed: int = 0
    minutes: Annotated[float, Field(gt=0)] | None = Field(
        None, description="Time budget; the learning rate decays over it."
    )


class WardenData(_Part):
    """Dialogues from the generator in `finetune/data/warden`."""

    source: Literal["warden"]
    words: Path = Field(description="List of secret words, one a line.")
    dialogues: Positive = 20_000


class DialogueFile(_Part):
    """Dialogues from a file: one `{"messages": [{"role", "content"}, …]}` a line."""

    source: Literal["dialogues"]
    path: Path
    heldout: Annotated[float, Field(gt=0, lt=1)] = Field(
        0.05, description="Share of dialogues kept for the held-out loss."
    )


class Lora(_Part):
    """Low-rank adapters on every linear layer of the blocks."""

    rank: Positive = 32
    alpha: Positive = 64
    dropout: Share = 0.0
    start: Path | None = Field(
        None, description="Folder of an adapter of this rank to go on from."
    )


class OnGpu(_Part):
    """What changes where there is a GPU: it learns from more at a time, and in all."""

    dialogues: Positive | None = Field(None, description="Of a generator.")
    block: Annotated[int, Field(ge=32)] | None = None
    rows: Positive | None = None
    epochs: Annotated[float, Field(gt=0)] | None = None
    learning_rate: Annotated[float, Field(gt=0)] | None = None


class LmRecipe(Recipe):
    """Fine-tuning of a causal language model on the answers of dialogues."""

    kind: Literal["lm"]
    data: Annotated[WardenData | DialogueFile, Field(discriminator="source")]
    lora: Lora | None = Field(Lora(), description="null: train all weights.")
    block: Annotated[int, Field(ge=32)] = Field(
        512, description="Tokens of a row; dialogues are packed into rows."
    )
    rows: Positive = Field(4, description="Rows that are worked on at a time.")
    accumulate: Positive = Field(1, description="Such batches before each update.")
    epochs: Annotated[float, Field(gt=0)] = 1.0
    learning_rate: Annotated[float, Field(gt=0)] = 1e-3
    weight_decay: Annotated[float, Field(ge=0)] = 0.01
    warmup: Annotated[float, Field(ge=0, lt=1)] = Field(
        0.03, description="Share of the run with a rising rate."
    )
    clip: Annotated[float, Field(gt=0)] = Field(1.0, description="Largest gradient.")
    precision: Literal["auto", "fp32", "bf16"] = Field(
        "auto", description="auto: bf16 where a probe finds it faster."
    )
    log_every: Positive = Field(10, description="Updates between two loss events.")
    eval_every: Positive = Field(100, description="Updates between two evaluations.")
    on_gpu: OnGpu | None = Field(
        None, description="Settings that replace these where there is a GPU."
    )

    def on_this_machine(self, *, has_gpu: bool) -> LmRecipe:
        """Return the recipe as it is run: with or without what is for a GPU."""
        changes: dict[str, Any] = {}
        if has_gpu and self.on_gpu is not None:
            changes = self.on_gpu.model_dump(exclude_none=True)
        dialogues = changes.pop("dialogues", None)
        if dialogues is not None and isinstance(self.data, WardenData):
            changes["data"] = self.data.model_copy(update={"dialogues": dialogues})
        return self.model_copy(update={**changes, "on_gpu": None})


def load_recipe(path: Path) -> Recipe:
    """Read a recipe; raise RecipeError with file and line about what is wrong."""
    # Here, because a classifier recipe is itself built on Recipe.
    from finetune.recipes.classifier import ClassifierRecipe  # noqa: PLC0415 -- breaks a cycle

    kinds: dict[str, type[Recipe]] = {"lm": LmRecipe, "classifier": ClassifierRecipe}
    data, lines = _read(path)
    kind = data.get("kind")
    if kind not in kinds:
        raise RecipeError(f"{path}:1: kind must be lm or classifier, not {kind!r}.")
    try:
        return kinds[kind].model_validate(data)
    except ValidationError as error:
        first = error.errors(include_url=False, include_context=False)[0]
    place = list(first["loc"])
    # Between a field of several forms and what is in it stands the name of the form.
    if place[:1] == ["data"] and place[1:2] in (["warden"], ["dialogues"]):
        del place[1]
    line = next(
        (
            lines[key]
            for n in range(len(place), -1, -1)
            if (key := tuple(place[:n])) in lines
        ),
        1,
    )
    name = ".".join(str(part) for part in place)
    if first["type"] == "extra_forbidden":
        raise RecipeError(f"{path}:{line}: there is no setting {name}.")
    raise RecipeError(f"{path}:{line}: {name}: {first['msg']}.")


def _read(path: Path) -> tuple[dict[str, Any], dict[tuple[Any, ...], int]]:
    try:
        text = path.read_text("utf-8")
        node = yaml.compose(text, Loader=yaml.SafeLoader)
        data = yaml.safe_load(text)
    except (OSError, UnicodeDecodeError) as error:
        raise RecipeError(f"{path} cannot be read: {error}.") from error
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = mark.line + 1 if mark else 1
        problem = getattr(error, "problem", None) or "this is no YAML"
        raise RecipeError(f"{path}:{line}: {problem}.") from error
    if not isinstance(data, dict) or node is None:
        raise RecipeError(f"{path}:1: a recipe is a list of settings: name: value.")
    return data, dict(_lines(node, ()))


def _lines(
    node: yaml.Node, place: tuple[Any, ...]
) -> list[tuple[tuple[Any, ...], int]]:
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
