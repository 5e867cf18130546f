"""What every recipe says, and the error of one that cannot be used.

Each shipped run is a YAML file in `finetune/recipes/`; a user's own may lie anywhere.
Paths in a recipe are relative to the folder that the command is run in.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from finetune.errors import FinetuneError

Share = Annotated[float, Field(ge=0, le=1)]
Positive = Annotated[int, Field(ge=1)]
Precision = Annotated[
    Literal["auto", "fp32", "bf16"],
    Field(description="auto: bf16 where a probe finds it faster."),
]


class RecipeError(FinetuneError):
    """A recipe, or what it names, cannot be used; one sentence for a person."""


class Part(BaseModel):
    """A group of settings: nothing unknown in it, and it never changes."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Recipe(Part):
    """What all recipes have in common."""

    name: Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]{0,40}$")]
    purpose: str = Field(description="One sentence for the card.")
    base: str = Field(description="Place of the base model: a path, package:… or hub.")
    seed: int = 0
    minutes: Annotated[float, Field(gt=0)] | None = Field(
        None, description="Time budget; the learning rate decays over it."
    )
