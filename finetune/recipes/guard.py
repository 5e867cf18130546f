"""The YAML of a guard: what it learns from, and how."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, ValidationInfo, field_validator

from finetune.recipes.common import Part, Positive, Precision, Recipe, Share

Rate = Annotated[float, Field(gt=0, lt=1)]


class RowFile(Part):
    """A file of labelled rows: `{"text", "label", "source"}` a line."""

    name: str = Field(description="Name of the file in the folder.")
    licence: str
    about: str = Field(description="Where it comes from, for the card.")
    limit: Positive | None = Field(
        None, description="Use as many rows as this, picked by seed."
    )
    without: tuple[str, ...] = Field((), description="Leave out these categories.")


class RowFolder(Part):
    """A folder of such files. What is missing there is named, and left out."""

    folder: Path
    files: tuple[RowFile, ...]


class Generated(Part):
    """Rows from the generator in `finetune/data/guards`."""

    rows: Positive = 24_000
    words: Path | None = Field(None, description="List of secret words, for `leak`.")


class ClassifierRecipe(Recipe):
    """Training of a guard on the sentence model."""

    kind: Literal["classifier"]
    task: Literal["gate", "leak"]
    generated: Generated = Generated()
    data: tuple[RowFolder, ...] = ()
    held_out: tuple[str, ...] = Field(
        (), description="Sources (by their beginning) that set the threshold only."
    )
    folds: dict[str, tuple[str, ...]] = Field(
        {}, description="Sources that are left out together to see how it generalises."
    )
    first_without: str | None = Field(
        None,
        description="Train twice: without the sources of this fold, then with them.",
    )
    start: Path | None = Field(
        None, description="Folder of a trained gate to go on from."
    )
    window: Annotated[int, Field(ge=16, le=256)] = Field(
        128, description="Tokens that are read at a time."
    )
    frozen: Annotated[int, Field(ge=0, le=6)] = Field(
        2, description="Lower layers that stay as they are."
    )
    epochs: Annotated[float, Field(gt=0)] = 2.0
    batch: Annotated[int, Field(ge=4)] = 96
    learning_rate: Rate = Field(2e-4, description="Of the uppermost layer.")
    head_rate: Rate = 2e-3
    layer_decay: Annotated[float, Field(gt=0, le=1)] = Field(
        0.8, description="Each layer learns at this share of the rate above it."
    )
    contrast: Share = Field(
        0.2, description="First part of the run, on attacks beside their twins."
    )
    margin: float = Field(4.0, description="Benign logits above minus this cost extra.")
    margin_weight: Annotated[float, Field(ge=0)] = 0.03
    false_alarms: Rate = Field(
        0.01, description="Share of benign texts that may be flagged."
    )
    precision: Precision = "auto"
    log_every: Positive = 20

    @field_validator("first_without")
    @classmethod
    def _is_a_fold(cls, name: str | None, info: ValidationInfo) -> str | None:
        if name is not None and name not in info.data.get("folds", {}):
            raise ValueError(f"there is no fold {name}")
        return name
