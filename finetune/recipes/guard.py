"""The YAML of a guard: what it learns from, and how."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field

from finetune.recipes.common import Part, Positive, Precision, Recipe, Share

# What an attack may be.
Kind = Literal["override", "extraction", "jailbreak", "planted"]
Rate = Annotated[float, Field(gt=0, lt=1)]


class RowFile(Part):
    """A file of labelled rows: `{"text", "label", "source"}` a line."""

    name: str = Field(description="Name of the file in the folder.")
    licence: str
    about: str = Field(description="Where it comes from, for the card.")
    kind: Kind | None = Field(None, description="What kind its attacks are of, if one.")
    kinds: dict[str, Kind] = Field(
        {}, description="What kind the attacks of a category are of."
    )
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
    share: Share = Field(
        0.35, description="How much of what a gate learns from: less than half."
    )
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
    window: Annotated[int, Field(ge=16, le=256)] = Field(
        128, description="Tokens that are read at a time."
    )
    frozen: Annotated[int, Field(ge=1, le=5)] = Field(
        2, description="Lower layers that stay as they are."
    )
    heads: Annotated[int, Field(ge=1, le=16)] = Field(
        4, description="Small networks on what the layers say untuned."
    )
    head_epochs: Annotated[float, Field(gt=0)] = Field(
        5.0, description="How often the heads see as many rows as there are."
    )
    tuned: Share = Field(
        0.5, description="Weight of the tuned layers beside the mean of the heads."
    )
    epochs: Annotated[float, Field(gt=0)] = 2.0
    batch: Annotated[int, Field(ge=4)] = 96
    learning_rate: Rate = Field(2e-4, description="Of the uppermost layer.")
    head_rate: Rate = 2e-3
    layer_decay: Annotated[float, Field(gt=0, le=1)] = Field(
        0.8, description="Each layer learns at this share of the rate above it."
    )
    margin: float = Field(4.0, description="Benign logits above minus this cost extra.")
    margin_weight: Annotated[float, Field(ge=0)] = 0.03
    false_alarms: Rate = Field(
        0.01, description="Share of benign texts that may be flagged."
    )
    precision: Precision = "auto"
    log_every: Positive = 20
