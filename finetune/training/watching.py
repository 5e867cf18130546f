"""What a person sees of a model while it learns: its figures, and what it writes."""

from __future__ import annotations

import time
from typing import Any

from accelerate import Accelerator

from finetune.data.packing import PackedRows
from finetune.recipes.lm import LmRecipe, ScribeData, TextRows, WardenData
from finetune.training.course import Course, Stage
from finetune.training.events import Sampled
from finetune.training.judging import judge, token_bytes
from finetune.training.memory import Batches
from finetune.training.processes import Processes
from finetune.training.sampling import Writer
from finetune.training.sharding import in_parts

BASE = "base_"
# Looking takes at most a part of the time, however slow the machine is.
_JUDGED_PART, _SAMPLED_PART = 9.0, 5.0
_JUDGED_SECONDS = 10.0
# Held-out tokens that are judged of a student's text. Twice as many would take as long
# as the first minute of learning where there is no GPU, and tell little more.
_JUDGED_TOKENS, _LEAST_ROWS = 2048, 4


class Watch:
    """Judges a model and lets it write: before, during and after it learns."""

    def __init__(
        self,
        model: Any,
        heldout: PackedRows,
        recipe: LmRecipe,
        course: Course,
        *,
        tokenizer: Any,
        accelerator: Accelerator,
        batches: Batches,
    ) -> None:
        self._model = model
        self._heldout = heldout
        self._recipe = recipe
        self._course = course
        self._accelerator = accelerator
        self._batches = batches
        self._sizes = token_bytes(tokenizer)
        self._rows = recipe.eval_rows
        if isinstance(recipe.data, TextRows) and not recipe.is_fresh:
            rows = max(_LEAST_ROWS, _JUDGED_TOKENS // recipe.block)
            self._rows = min(rows, recipe.eval_rows)
        # All come to the same times and texts, or one would wait for the others.
        self._processes = Processes(accelerator)
        self._writing_too = Processes(accelerator if in_parts(accelerator) else None)
        self._writer = None
        if recipe.sample is not None and (course.is_main or in_parts(accelerator)):
            self._writer = Writer(
                recipe.sample, recipe, tokenizer, heldout, processes=self._writing_too
            )
        self._base: dict[str, float] = {}
        self._last: tuple[int, dict[str, float]] = (-1, {})
        self._judged_at = self._sampled_at = 0.0
        self._judging = self._writing = 0.0  # seconds that the last one took

    def begin(self, stage: Stage) -> None:
        """Judge the model as it is before the first update, if its recipe wants that.

        A run that goes on is told what was found then.
        """
        # Of the models that we release ourselves the base is known.
        if not isinstance(self._recipe.data, WardenData | ScribeData):
            self._base = self._course.once("base", lambda: self._judge(stage))
        if stage.update == 0:
            self._sample(stage)
        self._judged_at = self._sampled_at = stage.seconds

    def look(self, stage: Stage) -> None:
        """Judge and sample after an update, where it is time."""
        since = stage.seconds - self._judged_at
        is_time = isinstance(self._recipe.data, TextRows) and since > max(
            _JUDGED_SECONDS, _JUDGED_PART * self._judging
        )
        if is_time or stage.update % self._recipe.eval_every == 0:
            self._judge(stage)
        sample = self._recipe.sample
        if sample is not None and stage.seconds - self._sampled_at > max(
            sample.every_seconds, _SAMPLED_PART * self._writing
        ):
            self._sample(stage)

    def end(self, stage: Stage) -> dict[str, float]:
        """Return the figures of the model as it is now, and those of before."""
        update, figures = self._last
        if update != stage.update:
            figures = self._judge(stage)
        if self._sampled_at < stage.seconds:
            self._sample(stage)
        return figures | {BASE + name: value for name, value in self._base.items()}

    def _judge(self, stage: Stage) -> dict[str, float]:
        began = time.monotonic()
        with stage.judging() as figures:
            figures |= self._batches.fitted(
                lambda rows: judge(
                    self._model,
                    self._heldout,
                    self._accelerator,
                    at_once=rows,
                    sizes=self._sizes,
                    most_rows=self._rows,
                )
            )
        self._judging = self._processes.of_first(time.monotonic() - began)
        self._judged_at = stage.seconds
        self._last = (stage.update, figures)
        return figures

    def _sample(self, stage: Stage) -> None:
        if self._writer is None:
            return
        began = time.monotonic()
        with stage.resting():
            text = self._writer.write(self._model, self._accelerator)
        self._writing = self._writing_too.of_first(time.monotonic() - began)
        self._sampled_at = stage.seconds
        self._course.emit(
            Sampled(
                stage=stage.name,
                update=stage.update,
                prompt=self._writer.prompt,
                text=text,
            )
        )
