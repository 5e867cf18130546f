"""Benchmarks of others, such as ARC, by lm-eval, on any model that is served here.

`python -m finetune tasks MODEL --tasks arc_easy --limit 100`. What a model began as is
asked the same. lm-eval is not installed with Wordkeep: it brings some thirty packages,
and its sets come from the internet.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import torch

from finetune.errors import FinetuneError
from finetune.recipes.lm import FRESH
from finetune.serving.catalogue.entries import Entry
from finetune.serving.catalogue.manifests import read_manifest
from finetune.serving.catalogue.sources import ModelFolder, fixed_entries
from finetune.settings import Settings
from finetune.weights.base import Base, load_adapted, load_base
from finetune.weights.benchmarks import (
    LESSON,
    RESULTS,
    Benchmark,
    keep_benchmarks,
    tell_benchmarks,
)
from finetune.weights.releases import CARD

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
    ) -> list[Benchmark]:
        """Ask a model the questions; `limit` is how many of each set, the first."""
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
        return read_results(asked, is_chat=is_chat, version=self.lm_eval.__version__)


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
    parser.add_argument(
        "--alone",
        action="store_true",
        help="do not ask what the model began as, which takes as long again",
    )


def main(chosen: argparse.Namespace, settings: Settings) -> int:
    """Ask the questions; print what came out, and keep it beside the model.

    Raises TasksError, ModelMissing, ManifestError, ReleaseError or BenchmarkError.
    """
    entry = find_model(chosen.model, settings)
    names = [name.strip() for name in chosen.tasks.split(",") if name.strip()]
    tasks = open_tasks(names, chosen.folder)
    how: dict[str, Any] = {"limit": chosen.limit, "is_chat": chosen.chat}
    place = None if chosen.alone else base_place(entry)
    before = []
    if place is not None:
        # First: a base that is gone is told before the work, not after.
        base = load_base(place, cache=settings.instance / "models")
        before = tasks.ask(base, **how)
        del base
    found = beside(tasks.ask(load_model(entry, settings), **how), before)
    path = keep_results(entry, settings, found)
    end = ("Behind ± is the standard error.", LESSON, f"Kept in {path}.")
    sys.stdout.write("\n".join([*_lines(found), *end]) + "\n")
    return 0


def read_results(
    asked: Mapping[str, Any], *, is_chat: bool, version: str
) -> list[Benchmark]:
    """Return what lm-eval has found, as it gives it and writes it to files."""
    questions = asked["n-samples"]
    return [
        Benchmark(
            task=name,
            # Of a group of tasks it tells none.
            questions=questions.get(name, {}).get("effective", 0),
            version=str(asked["versions"].get(name, "")),
            is_chat=is_chat,
            program=f"lm-eval {version}",
            figures=_measures(of),
            base={},
        )
        for name, of in asked["results"].items()
    ]


def beside(after: Sequence[Benchmark], before: Sequence[Benchmark]) -> list[Benchmark]:
    """Put the figures of what a model began as beside its own."""
    base = {one.task: one.figures for one in before}
    return [replace(one, base=base.get(one.task, {})) for one in after]


def keep_results(entry: Entry, settings: Settings, found: Sequence[Benchmark]) -> Path:
    """Keep results beside a model, and in the card of one that was trained here.

    Returns the file. Raises BenchmarkError or OSError.
    """
    path = results_file(entry, settings)
    kept = keep_benchmarks(path, found)
    card = path.with_name(CARD)
    if card.is_file():
        tell_benchmarks(card, kept)
    return path


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


def base_place(entry: Entry) -> str | None:
    """Return the place of what a model began as; None for nothing, or not known.

    Raises ManifestError.
    """
    if entry.folder is None:
        return None
    place = read_manifest(entry.folder).recipe.base
    return None if place == FRESH else place


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


def _lines(found: Sequence[Benchmark]) -> Iterator[str]:
    for one in found:
        of = f" (of {one.questions:,} questions)" if one.questions else ""
        yield f"{one.title}{of}:"
        for name, was, now in one.measures:
            yield f"  {name} {f'{was} before, {now} after' if was else now}"


def _count(text: str) -> int:
    if not text.isascii() or not text.isdigit() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text} is not a whole number from 1")
    return int(text)
