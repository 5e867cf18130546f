"""What benchmarks say of a model: kept beside it, and told in its card."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

from finetune.errors import FinetuneError
from finetune.weights.files import write_json, write_text

RESULTS: Final = "tasks.json"
LESSON: Final = (
    "A benchmark asks what its authors wanted to know. A model can lose points here and"
    " write your texts better, or the other way round: perplexity on your held-out rows"
    " is nearer to your use, and replies that you have read are nearer still."
)
_STDERR: Final = "_stderr"
_HEADING: Final = "\n## Benchmarks\n"


class BenchmarkError(FinetuneError):
    """What was kept cannot be read; the message is one sentence for a person."""


@dataclass(frozen=True, slots=True)
class Benchmark:
    """A benchmark that a model was asked, with the measures of it by name.

    Shares are between 0 and 1, and `_stderr` is the standard error of one. `base` has
    the same of what the model began as; it is empty if that was not asked.
    """

    task: str
    questions: int
    version: str
    is_chat: bool
    program: str
    figures: Mapping[str, float]
    base: Mapping[str, float]

    @property
    def title(self) -> str:
        """Its name, and how it was asked if that is not the usual way."""
        return f"{self.task}, as a chat" if self.is_chat else self.task

    @property
    def measures(self) -> Iterator[tuple[str, str, str]]:
        """Each measure: its name, what it was before (or ""), and what it is."""
        for name in self.figures:
            if not name.endswith(_STDERR):
                yield name, _spread(self.base, name), _spread(self.figures, name)


def read_benchmarks(file: Path) -> list[Benchmark]:
    """Return what is kept in a file; nothing if it is not there.

    Raises BenchmarkError.
    """
    try:
        told = json.loads(file.read_text("utf-8"))
        return [Benchmark(**one) for one in told["data"]]
    except FileNotFoundError:
        return []
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise BenchmarkError(
            f"{file.parent.name}/{file.name} cannot be read: delete it, and ask the"
            " benchmarks again."
        ) from error


def keep_benchmarks(file: Path, new: Sequence[Benchmark]) -> list[Benchmark]:
    """Keep results beside earlier ones, and in their stead; return all of them.

    What was asked with as many questions, in the same way, is the same. Raises
    BenchmarkError or OSError.
    """
    found = {_key(one): one for one in (*read_benchmarks(file), *new)}
    write_json(file, {"data": [asdict(one) for one in found.values()]})
    return list(found.values())


def tell_benchmarks(card: Path, benchmarks: Sequence[Benchmark]) -> None:
    """Write them at the end of a card, in place of what it told before."""
    before = card.read_text("utf-8").partition(_HEADING)[0]
    rows = [
        f"| {one.title} | {one.questions or ''} | {name} | {was} | {now} |"
        for one in benchmarks
        for name, was, now in one.measures
    ]
    table = (
        "| benchmark | questions | measure | before | after |\n|---|---|---|---|---|"
    )
    told = "\n".join([table, *rows])
    by = " and ".join(sorted({one.program for one in benchmarks}))
    end = f"Asked by {by}; behind ± is the standard error. {LESSON}"
    write_text(card, f"{before.rstrip()}\n{_HEADING}\n{told}\n\n{end}\n")


def _key(one: Benchmark) -> tuple[Any, ...]:
    return one.task, one.questions, one.is_chat


def _spread(figures: Mapping[str, float], name: str) -> str:
    if name not in figures:
        return ""
    error = figures.get(f"{name}{_STDERR}")
    return f"{figures[name]:.3f}" + ("" if error is None else f" ± {error:.3f}")
