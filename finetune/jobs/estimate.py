"""What a training would take: tokens, updates, time, arithmetic and memory."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass

import psutil

from finetune.jobs.bases import BaseModel
from finetune.jobs.speeds import Speeds
from finetune.recipes.lm import LmRecipe

# The program itself, with torch.
_PROGRAM_BYTES = 700_000_000


@dataclass(frozen=True, slots=True)
class Estimate:
    """What is likely. `seconds` are those of the whole run, once it has its turn."""

    tokens_per_epoch: int
    tokens: int
    updates: int
    seconds: float
    flops: float
    memory_bytes: int
    memory_free_bytes: int
    fits: bool
    learned: int
    parameters: int
    tokens_per_second: float
    measured: bool
    sentence: str

    def told(self) -> dict[str, object]:
        """Return it as JSON."""
        return asdict(self)


def estimate(
    recipe: LmRecipe, base: BaseModel, *, tokens_per_epoch: int, speeds: Speeds
) -> Estimate:
    """Foretell a training; raise ModelMissing, MetadataError or OSError."""
    shape = base.shape(recipe)
    speed = speeds.of(base.name, recipe)
    each = shape.flops(recipe)
    per_second = speed.flops / each
    batch = recipe.rows * recipe.accumulate  # rows of an update
    rows = max(1, math.ceil(tokens_per_epoch / recipe.block))
    per_epoch = max(1, rows // batch)
    updates = max(1, math.ceil(recipe.epochs * per_epoch))
    updates = min(updates, recipe.updates or updates)
    tokens = round(updates * tokens_per_epoch / per_epoch)
    seconds = tokens / per_second
    is_cut = recipe.minutes is not None and seconds > 60 * recipe.minutes
    if recipe.minutes is not None and is_cut:
        share = 60 * recipe.minutes / seconds
        seconds, tokens = 60 * recipe.minutes, round(share * tokens)
        updates = max(1, round(share * updates))
    memory = shape.memory(recipe) + _PROGRAM_BYTES
    free = psutil.virtual_memory().available
    return Estimate(
        tokens_per_epoch=tokens_per_epoch,
        tokens=tokens,
        updates=updates,
        seconds=round(seconds + speed.start_seconds, 1),
        flops=each * tokens,
        memory_bytes=memory,
        memory_free_bytes=free,
        fits=memory <= free,
        learned=shape.learned(recipe),
        parameters=shape.parameters,
        tokens_per_second=round(per_second, 1),
        measured=speed.is_measured,
        sentence=_sentence(
            seconds=seconds + speed.start_seconds,
            updates=updates,
            epochs=tokens / max(1, tokens_per_epoch),
            is_cut=is_cut,
            memory=memory,
            fits=memory <= free,
        ),
    )


def _sentence(
    *,
    seconds: float,
    updates: int,
    epochs: float,
    is_cut: bool,
    memory: int,
    fits: bool,
) -> str:
    if epochs < 0.95:
        read = f"reads {max(1, round(100 * epochs))} % of your data"
    else:
        read = (
            f"reads your data {epochs:.1f} times"
            if epochs < 10
            else (f"reads your data {epochs:.0f} times")
        )
    told = f"It will take {spoken_time(seconds)}: {updates} updates, in which it {read}"
    told += ", and then the time you gave it is over." if is_cut else "."
    if not fits:
        told += (
            f" It needs about {memory / 1e9:.1f} GB of memory, and this computer has"
            " less to spare: choose fewer rows at a time, or a smaller model."
        )
    return told


def spoken_time(seconds: float) -> str:
    """Return a time in words for a person, rounded as one would say it."""
    if seconds < 90:
        tens = max(10, 10 * round(seconds / 10))
        return f"about {tens} seconds"
    minutes = round(seconds / 60)
    return f"about {minutes} minutes"
