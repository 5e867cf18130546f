"""Benchmarks of others, such as ARC, by lm-eval, on any model that is served here.

`python -m finetune tasks MODEL --tasks arc_easy --limit 100`. lm-eval is not installed
with Wordkeep: it brings some thirty packages, and its sets come from the internet.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import torch

from finetune.errors import FinetuneError
from finetune.serving.catalogue.entries import Entry
from finetune.serving.catalogue.sources import ModelFolder, fixed_entries
from finetune.settings import Settings
from finetune.weights.base import Base, load_adapted, load_base
from finetune.weights.files import write_json

RESULTS: Final = "tasks.json"
LESSON: Final = (
    "A benchmark asks what its authors wanted to know. A model can lose points here and"
    " write your texts better, or the other way round: perplexity on your held-out rows"
    " is nearer to your use, and replies that you have read are nearer still."
)
_EXTRA: Final = "lm-eval>=0.4.13"
_ROWS: Final = 8  # of a batch


class TasksError(FinetuneError):
    """A benchmark cannot be run; one sentence for a person."""


@dataclass(frozen=True, slots=True)
class Tasks:
    """Tasks whose sets are at hand; `lm_eval` is the package, `manager` its own."""

    names: tuple[str, ...]
    lm_eval: Any
    manager: Any

    def ask(
        self, base: Base, *, limit: int | None = None, is_chat: bool = False
    ) -> dict[str, Any]:
        """Ask a model the questions; return JSON: the measures of each task by name.

        Shares are between 0 and 1; `_stderr` is the standard error of one. `limit` is
        the number of questions of each task, the first of its set.
        """
        from lm_eval.models.huggingface import (  # noqa: PLC0415 -- optional dependency
            HFLM,
        )

        asked = self.lm_eval.simple_evaluate(
            HFLM(
                pretrained=base.model,
                tokenizer=base.tokenizer,
                device="cuda" if torch.cuda.is_available() else "cpu",
                batch_size=_ROWS,
            ),
            tasks=list(self.names),
            limit=limit,
            task_manager=self.manager,
            apply_chat_template=is_chat,
            log_samples=False,
        )
        return {
            "tasks": {name: _measures(of) for name, of in asked["results"].items()},
            "questions": {n: of["effective"] for n, of in asked["n-samples"].items()},
            "versions": dict(asked["versions"]),
            "limit": limit,
            "is_chat": is_chat,
            "lm_eval": self.lm_eval.__version__,
        }


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Say what `tasks` can be told."""
    parser.add_argument("model", help="name of a model, as `models` lists it")
    parser.add_argument(
        "--tasks", required=True, help="names of lm-eval, separated by commas"
    )
    parser.add_argument(
        "--limit", type=_count, help="questions of each set; default: all of them"
    )
    parser.add_argument("--folder", type=Path, help="folder with YAML of own tasks")
    parser.add_argument(
        "--chat", action="store_true", help="ask in the template of a chat"
    )


def main(chosen: argparse.Namespace, settings: Settings) -> int:
    """Ask the questions; print what came out, and keep it beside the model.

    Raises TasksError, ModelMissing or ReleaseError.
    """
    entry = find_model(chosen.model, settings)
    names = [name.strip() for name in chosen.tasks.split(",") if name.strip()]
    started = time.monotonic()
    tasks = open_tasks(names, chosen.folder)
    found = tasks.ask(
        load_model(entry, settings), limit=chosen.limit, is_chat=chosen.chat
    )
    found |= {"model": entry.name, "seconds": round(time.monotonic() - started)}
    path = results_file(entry, settings)
    write_json(path, found)
    sys.stdout.write("\n".join([*_lines(found), LESSON, f"Kept in {path}."]) + "\n")
    return 0


def find_model(name: str, settings: Settings) -> Entry:
    """Return a language model of this installation; raise TasksError."""
    fixed = fixed_entries(settings).entries
    own = ModelFolder(settings.instance / "models", fixed).current().entries
    entries = {**own, **fixed}
    writers = [n for n, entry in entries.items() if entry.kind in ("chat", "base")]
    if name not in writers:
        raise TasksError(
            f"There is no language model {name} here: take one of {', '.join(writers)}."
        )
    return entries[name]


def load_model(entry: Entry, settings: Settings) -> Base:
    """Load a model by transformers; raise ModelMissing or ReleaseError."""
    cache = settings.instance / "models"
    if entry.folder is not None and entry.base:
        return load_adapted(entry.folder, cache=cache)
    return load_base(entry.place, cache=cache)


def results_file(entry: Entry, settings: Settings) -> Path:
    """Return where results are kept: beside a model that was trained here."""
    models = settings.instance / "models"
    if entry.folder is not None and entry.folder.parent == models:
        return entry.folder / RESULTS
    return settings.instance / "tasks" / f"{entry.name}.json"


def open_tasks(names: Sequence[str], folder: Path | None = None) -> Tasks:
    """Read the sets of tasks, of lm-eval or of YAML files in a folder.

    Raises TasksError if lm-eval is not there, a task is unknown, or its set cannot be
    read.
    """
    lm_eval, manager = _manager(folder)
    unknown = [name for name in names if not manager.match_tasks([name])]
    if unknown or not names:
        raise TasksError(
            f"lm-eval has no task {', '.join(unknown) or 'without a name'}: its names"
            " are listed by `lm-eval ls tasks`, those of your own stand in --folder."
        )
    try:
        manager.load(list(names))
    except OSError as error:
        raise TasksError(
            f"The set of {', '.join(names)} cannot be read ({type(error).__name__}):"
            " the first time, it comes from huggingface.co. Go online, with"
            " HF_HUB_OFFLINE=0 if that is set to 1, and run this again."
        ) from error
    return Tasks(tuple(names), lm_eval, manager)


def _manager(folder: Path | None) -> tuple[Any, Any]:
    try:
        import lm_eval  # noqa: PLC0415 -- optional dependency
        from lm_eval.tasks import TaskManager  # noqa: PLC0415 -- optional dependency
    except ImportError as error:
        raise TasksError(
            f"lm-eval is not installed ({error}). Type this, and run it again:"
            f" {sys.executable} -m pip install '{_EXTRA}'"
        ) from error
    return lm_eval, TaskManager(include_path=folder and str(folder))


def _measures(of: Mapping[str, Any]) -> dict[str, float]:
    """Return the numbers of a task, by the name of each without its filter."""
    return {
        name.removesuffix(",none"): value
        for name, value in of.items()
        if isinstance(value, float)
    }


def _lines(found: Mapping[str, Any]) -> Iterator[str]:
    for name, measures in found["tasks"].items():
        questions = found["questions"].get(name)
        of = f" (of {questions:,} questions)" if questions else ""
        yield f"{name}{of}:"
        for measure, value in measures.items():
            if "_stderr" not in measure:
                error = measures.get(f"{measure}_stderr")
                spread = "" if error is None else f" ± {error:.3f} (standard error)"
                yield f"  {measure} {value:.3f}{spread}"


def _count(text: str) -> int:
    if not text.isascii() or not text.isdigit() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text} is not a whole number from 1")
    return int(text)
