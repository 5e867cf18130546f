"""The YAML of a language model: which dialogues it learns from, and how."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field

from finetune.recipes.common import Part, Positive, Precision, Recipe, Share

FRESH = "fresh"


class WardenData(Part):
    """Dialogues from the generator in `finetune/data/warden`."""

    source: Literal["warden"]
    words: Path = Field(description="List of secret words, one a line.")
    dialogues: Positive = 20_000


class ScribeData(Part):
    """Dialogues from the generator in `finetune/data/scribe`."""

    source: Literal["scribe"]
    words: Path = Field(description="List of common nouns, one a line.")
    dialogues: Positive = 20_000


class DialogueFile(Part):
    """Dialogues from a file: one `{"messages": [{"role", "content"}, …]}` a line."""

    source: Literal["dialogues"]
    path: Path
    heldout: Annotated[float, Field(gt=0, lt=1)] = Field(
        0.05, description="Share of dialogues kept for the held-out loss."
    )


class TextRows(Part):
    """Texts or prompts with answers, from rows of a file; students bring these.

    Texts in braces name columns: `"{title}: {steps}"`. Rows are split into parts before
    anything is cut, and equal rows are never on two sides.
    """

    source: Literal["rows"]
    path: Path
    format: Literal["auto", "txt", "csv", "json", "jsonl"] = Field(
        "auto", description="auto: by what is in the file. txt: a row is a line."
    )
    documents: Literal["lines", "paragraphs", "whole"] = Field(
        "lines", description="What a row of a txt file is."
    )
    text: str = Field("{text}", description="What a row is written as.")
    answer: str | None = Field(
        None,
        description="What follows `text` and alone is learned. null: all of it is.",
    )
    is_chat: bool = Field(
        False, description="Write text and answer as the turns of a chat."
    )
    system: str = Field("", description="System message of each chat.")
    validation: Share = Field(0.1, description="Share of rows for the held-out loss.")
    test: Share = Field(0.1, description="Share that stays locked until one asks.")
    most_rows: Positive | None = Field(
        None, description="Learn from at most so many rows."
    )


class Fresh(Part):
    """The sizes of a model from nothing: `base: fresh` has no weights to begin with.

    Its tokens are bytes, and the merges that are found in the data to learn from: 256
    is one token for each byte.
    """

    vocabulary: Annotated[int, Field(ge=256, le=32_768)] = 512
    layers: Annotated[int, Field(ge=1, le=24)] = 4
    width: Annotated[int, Field(ge=32, le=1024, multiple_of=32)] = 128
    heads: Annotated[int, Field(ge=1, le=32)] = 4


class Sampling(Part):
    """What the model is asked to continue while it learns, to see how it changes."""

    prompt: Annotated[str, Field(max_length=2000)] = ""
    every_seconds: Annotated[float, Field(ge=1)] = 20.0
    tokens: Annotated[int, Field(ge=1, le=300)] = 60
    temperature: Annotated[float, Field(ge=0, le=2)] = 0.8


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
    data: Annotated[
        WardenData | ScribeData | DialogueFile | TextRows,
        Field(discriminator="source"),
    ]
    fresh: Fresh = Field(Fresh(), description="Only for `base: fresh`.")
    lora: Lora | None = Field(Lora(), description="null: train all weights.")
    frozen: Annotated[int, Field(ge=0)] = Field(
        0,
        description="With `lora: null`: so many of the lowest blocks, and what lies"
        " below them, stay as they are.",
    )
    sample: Sampling | None = None
    updates: Positive | None = Field(
        None, description="Most updates, whatever epochs and minutes say."
    )
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
    eval_rows: Annotated[int, Field(ge=1, le=1000)] = Field(
        32, description="Held-out rows in an evaluation, at most."
    )
    on_gpu: OnGpu | None = Field(
        None, description="Settings that replace these where there is a GPU."
    )

    @property
    def is_fresh(self) -> bool:
        """Whether the model begins with random weights."""
        return self.base == FRESH

    @property
    def adapters(self) -> Lora | None:
        """The adapters that are trained; a model from nothing learns as a whole."""
        return None if self.is_fresh else self.lora

    def on_this_machine(self, *, has_gpu: bool) -> LmRecipe:
        """Return the recipe as it is run: with or without what is for a GPU."""
        changes: dict[str, Any] = {}
        if has_gpu and self.on_gpu is not None:
            changes = self.on_gpu.model_dump(exclude_none=True)
        dialogues = changes.pop("dialogues", None)
        if dialogues is not None and isinstance(self.data, WardenData | ScribeData):
            changes["data"] = self.data.model_copy(update={"dialogues": dialogues})
        return self.model_copy(update={**changes, "on_gpu": None})
