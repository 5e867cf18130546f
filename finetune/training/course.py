"""The course of a run: how far it is, how long it may take, and how it ends.

A run has one `Course`, and one `Stage` for each of its loops. A loop is then

    stage = course.stage("answers", model=model, kept={"optimizer": optimizer}, of=900)
    while stage.goes_on():
        …                                  # one update; `stage.done` sets its rate
        stage.step(loss=loss, tokens=count, rate=rate)

and everything that all loops need lies here: a clock that stands still while nothing is
learned, a budget in updates and minutes, checkpoints, events, pauses, and the end that
somebody asks for. Such an end is always the same: the update is finished, a checkpoint
is written, `stopped` is told, and RunStopped raised. Nothing is released then. With the
same recipe the run goes on exactly there, and comes to the figures of a run that nobody
interrupted, if its budget is in updates; with a budget in minutes the seconds go on.
"""

from __future__ import annotations

import json
import math
import shutil
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

from torch import Tensor, nn

from finetune.recipes.common import Recipe, RecipeError
from finetune.training.checkpoint import Checkpoint, Kept, Progress, learned_weights
from finetune.training.clock import Clock
from finetune.training.control import Control
from finetune.training.errors import RunStopped
from finetune.training.events import (
    Continued,
    Emit,
    Event,
    Figures,
    Finished,
    Judged,
    Paused,
    Saved,
    StageBegan,
    Started,
    Step,
    Stopped,
    ignore,
)
from finetune.training.files import RUN, write_run
from finetune.training.losses import Losses
from finetune.training.processes import Processes
from finetune.weights.files import write_json

T = TypeVar("T")

_CHECKPOINTS, _BEGUN, _MADE = "checkpoint", "begun.json", "made"
# A recipe that differs in nothing else is the same run.
_MAY_DIFFER = {"purpose", "minutes", "log_every", "eval_every", "eval_rows"}
_SAVE_SECONDS = 120.0
_POLL_SECONDS = 0.1


class Course:
    """A run as a whole: where it writes, its budget, who hears of it and steers it."""

    def __init__(
        self,
        recipe: Recipe,
        out: Path,
        *,
        minutes: float | None = None,
        resume: bool = False,
        emit: Emit = ignore,
        control: Control | None = None,
        save_every: float | None = _SAVE_SECONDS,
        is_main: bool = True,
    ) -> None:
        """Begin a run in the folder `out`, or go on with the one that is there.

        A new one removes checkpoints and `run.json` of an older one. `minutes` replaces
        the budget of the recipe. `save_every` are seconds of learning between two
        checkpoints; None: only where the run is stopped. Of several processes only the
        main one writes and tells. Raises RecipeError if there is nothing to go on with.
        """
        self.out = out
        self.minutes = recipe.minutes if minutes is None else minutes
        self.is_resumed = resume
        self.is_main = is_main
        self.control = Control() if control is None else control
        self.save_every = save_every
        self.clock = Clock()
        self._recipe = recipe
        self._emit = emit
        self._checkpoints = out / _CHECKPOINTS
        self.clock.start()
        self.emit(Started(name=recipe.name, minutes=self.minutes, is_resumed=resume))
        self._begun = self._go_on() if resume else self._begin()

    @property
    def made(self) -> Path:
        """Folder for what a finished stage leaves to the next; it ends with the run."""
        return self._checkpoints / _MADE

    def emit(self, event: Event) -> None:
        """Tell an event, in the main process."""
        if self.is_main:
            self._emit(event)

    def once(self, name: str, find: Callable[[], T]) -> T:
        """Find something out once for the run; one that goes on is told the same.

        What depends on the moment, such as which type is faster, must not differ
        before and after an interruption. It is kept as JSON.
        """
        if name not in self._begun:
            self._begun[name] = find()
            self._write_begun(self._begun)
        found: T = self._begun[name]
        return found

    def stage(
        self,
        name: str,
        *,
        model: nn.Module | None,
        kept: Mapping[str, Kept],
        of: int,
        share: float = 1.0,
        log_every: int = 1,
        precision: str = "fp32",
        processes: Processes | None = None,
        hint: str = "lower learning_rate",
    ) -> Stage:
        """Begin a loop of at most `of` updates, or go on with it.

        A checkpoint of it holds the weights of `model` that are learned, and what is in
        `kept`. `share` is its part of the minutes; `hint` says what helps against
        a loss that is not a number.
        """
        stage = Stage(
            self,
            name,
            model=model,
            kept=kept,
            of=of,
            minutes=None if self.minutes is None else share * self.minutes,
            log_every=log_every,
            processes=processes or Processes(),
            hint=hint,
            checkpoint=Checkpoint(self._checkpoints / name),
        )
        learned = learned_weights(model)
        devices = {str(weight.device) for weight in learned.values()}
        self.emit(
            StageBegan(
                stage=name,
                update=stage.update,
                of=of,
                learned=sum(weight.numel() for weight in learned.values()),
                parameters=sum(weight.numel() for weight in model.parameters())
                if model is not None
                else 0,
                device=", ".join(sorted(devices)) or "cpu",
                precision=precision,
            )
        )
        return stage

    def finish(self, figures: Figures) -> None:
        """Write `run.json`, which says that the run is complete; tell it.

        The checkpoints stay until it is written.
        """
        seconds = self.clock.seconds
        if self.is_main:
            write_run(self.out, self._recipe, figures, seconds)
        self.emit(Finished(figures=figures, seconds=seconds))
        self.close()

    def close(self) -> None:
        """Remove the checkpoints: nothing needs to go on."""
        if self.is_main:
            shutil.rmtree(self._checkpoints, ignore_errors=True)

    def _begin(self) -> dict[str, Any]:
        begun = {"recipe": self._recipe.model_dump_json(exclude=_MAY_DIFFER)}
        if self.is_main:
            self.close()
            (self.out / RUN).unlink(missing_ok=True)
            self._write_begun(begun)
        return begun

    def _go_on(self) -> dict[str, Any]:
        try:
            begun: dict[str, Any] = json.loads(
                (self._checkpoints / _BEGUN).read_text("utf-8")
            )
        except (OSError, ValueError) as error:
            raise RecipeError(
                f"There is no checkpoint in {self._checkpoints}:"
                " train without --resume."
            ) from error
        mine = self._recipe.model_dump_json(exclude=_MAY_DIFFER)
        if _comparable(begun["recipe"]) != _comparable(mine):
            raise RecipeError(
                f"The checkpoint in {self._checkpoints} is of another model or recipe:"
                " train without --resume."
            )
        return begun

    def _write_begun(self, begun: Mapping[str, Any]) -> None:
        if self.is_main:
            write_json(self._checkpoints / _BEGUN, begun)


def _comparable(told: str) -> Any:
    """Return a recipe without the folder of its data: each machine has its own."""
    recipe = json.loads(told)
    data = recipe.get("data")
    if isinstance(data, dict) and "path" in data:
        data["path"] = Path(data["path"]).name
    return recipe


class Stage:
    """One loop of a run; make it with `Course.stage`."""

    def __init__(
        self,
        course: Course,
        name: str,
        *,
        model: nn.Module | None,
        kept: Mapping[str, Kept],
        of: int,
        minutes: float | None,
        log_every: int,
        processes: Processes,
        hint: str,
        checkpoint: Checkpoint,
    ) -> None:
        self.name = name
        self.of = of
        self._course = course
        self._model = model
        self._kept = kept
        self._budget = math.inf if minutes is None else 60 * minutes
        self._log_every = log_every
        self._processes = processes
        self._checkpoint = checkpoint
        self._progress = Progress()
        self._reads_texts = False
        self._rate: float | None = None
        self._losses = Losses(hint)
        if course.is_resumed and checkpoint.exists():
            self._progress = checkpoint.load(model, kept)
            course.clock.move_to(self._progress.whole)
        self._logged = self._progress.update
        self._saved: int | None = self._logged or None
        self._saved_at = self._progress.seconds
        self._clock = Clock(self._progress.seconds)
        self._clock.start()

    @property
    def update(self) -> int:
        """How many updates are made."""
        return self._progress.update

    @property
    def tokens(self) -> int:
        """How many tokens were learned from, without filling."""
        return self._progress.tokens

    @property
    def seconds(self) -> float:
        """How long it has learned, as of the last update."""
        return self._progress.seconds

    @property
    def done(self) -> float:
        """Which share of the stage is over, by updates or by time, whichever is more.

        The same number for all of an update; a learning rate depends on it.
        """
        return max(self.update / self.of, self.seconds / self._budget)

    def goes_on(self) -> bool:
        """Say whether another update is to be made; pauses and checkpoints happen here.

        Raises RunStopped, with a checkpoint written, if somebody asked for the end, and
        TrainingError if the loss is not a number any more.
        """
        self._obey()
        if self.done >= 1:
            self._end()
            return False
        every = self._course.save_every
        if every is not None and self.seconds - self._saved_at >= every:
            self._save()
        return True

    def step(
        self,
        *,
        loss: Tensor | None = None,
        parts: Mapping[str, Tensor] | None = None,
        tokens: int | None = None,
        rate: float | None = None,
    ) -> None:
        """Count one update.

        `loss` is its mean loss, and `parts` what that is the sum of; both may stay on
        the device, as reading them waits for it. `tokens` are those of its texts,
        without filling, `rate` is its learning rate.
        """
        progress = self._progress
        progress.update += 1
        if tokens is not None:
            self._reads_texts = True
            progress.tokens += tokens
        self._losses.add(loss, parts)
        self._rate = rate
        # One clock, or the processes would have different rates and ends.
        progress.seconds = self._processes.of_first(self._clock.seconds)
        if progress.update % self._log_every == 0:
            self._log()

    @contextmanager
    def resting(self) -> Iterator[None]:
        """Stand the clock still inside the block: nothing is learned there."""
        self._losses.mean()  # waits for the device
        with self._clock.resting():
            yield

    @contextmanager
    def judging(self) -> Iterator[dict[str, float]]:
        """Stand the clock still inside the block, and tell the figures put in there."""
        figures: dict[str, float] = {}
        with self.resting():
            yield figures
        self._course.emit(Judged(stage=self.name, update=self.update, figures=figures))

    def _obey(self) -> None:
        """Wait and stop as others want it; all processes do the same."""
        wants_pause, wants_stop = self._wishes()
        if wants_pause and not wants_stop:
            wants_stop = self._wait()
        if wants_stop:
            self._log()
            self._save()
            self._course.emit(Stopped(stage=self.name, update=self.update))
            raise RunStopped(f"Stopped after update {self.update} of {self.of}.")

    def _wait(self) -> bool:
        """Wait with all clocks still; return whether the run is to stop."""
        self._losses.mean()
        self._course.emit(Paused(stage=self.name, update=self.update))
        with self._clock.resting(), self._course.clock.resting():
            wants_pause, wants_stop = True, False
            while wants_pause and not wants_stop:
                time.sleep(_POLL_SECONDS)
                wants_pause, wants_stop = self._wishes()
        self._course.emit(Continued(stage=self.name, update=self.update))
        return wants_stop

    def _wishes(self) -> tuple[bool, bool]:
        """Return whether somebody wants a pause, and whether somebody wants the end."""
        control = self._course.control
        pause, stop = self._processes.any(control.is_pausing, control.is_stopping)
        return pause, stop

    def _end(self) -> None:
        """Keep what is learned, should the judging break off."""
        self._log()
        if self._course.save_every is not None:
            self._save()

    def _save(self) -> None:
        self._losses.mean()
        if self._saved == self.update:
            return
        with self._clock.resting():
            self._progress.whole = self._course.clock.seconds
            self._checkpoint.save(
                self._model,
                self._kept,
                self._progress,
                writes=self._course.is_main,
            )
            # Whoever leaves first would take the others with it.
            self._processes.wait()
        self._saved, self._saved_at = self.update, self.seconds
        self._course.emit(
            Saved(stage=self.name, update=self.update, seconds=self.seconds)
        )

    def _log(self) -> None:
        """Tell what came of the updates since the last time; there may be none."""
        if self._logged == self.update:
            return
        tokens = self.tokens if self._reads_texts else None
        self._course.emit(
            Step(
                stage=self.name,
                update=self.update,
                of=self.of,
                loss=self._losses.mean(),
                parts=self._losses.parts(),
                rate=self._rate,
                tokens=tokens,
                tokens_per_second=(
                    None if tokens is None else tokens / max(self.seconds, 1e-9)
                ),
                seconds=self.seconds,
            )
        )
        self._losses.clear()
        self._logged = self.update
