"""The YAML of a language model: which dialogues it learns from, and how."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field

from finetune.recipes.common import Part, Positive, Precision, Recipe, Share


class WardenData(Part):
    """Dialogues from the generator in `finetune/data/warden`."""

    source: Literal["warden"]
    words: Path = Field(description="List of secret words, one a line.")
    dialogues: Positive = 20_000


class DialogueFile(Part):
    """Dialogues from a file: one `{"messages": [{"role", "content"}, …]}` a line."""

    source: Literal["dialogues"]
    path: Path
    heldout: Annotated[float, Field(gt=0, lt=1)] = Field(
        0.05, description="Share of dialogues kept for the held-out loss."
    )


class Lora(Part):
    """Low-rank adapters on every linear layer of the blocks."""

    rank: Positive = 32
    alpha: Positive = 64
    dropout: Share = 0.0
    start: Path | None = Field(
        None, description="Folder of an adapter of this rank to go on from."
    )


class OnGpu(Part):
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
    precision: Precision = "auto"
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
